"""What a person is expected to do, and orders that take it into account."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from embodied.bench.human_model import Clearing, Encounter, LanguageHuman, TableHuman, Thing
from embodied.errors import ProgramError
from embodied.language.models import FunctionModel

THINGS = (
    Thing(name="bottle", risk=0.1, value=1.0),
    Thing(name="can", risk=0.5, value=2.0),
    Thing(name="glass", risk=0.9, value=3.0),
)


def test_people_step_in_less_the_more_they_have_seen_and_the_less_is_at_risk() -> None:
    person = TableHuman()
    glass = [
        person.intervenes(Encounter(item="glass", risk=0.9, seen=("a",) * n)) for n in range(5)
    ]
    assert glass == sorted(glass, reverse=True) and glass[0] > 0.9
    assert person.intervenes(Encounter(item="bottle", risk=0.1)) < 0.2


def test_the_best_order_is_the_best_of_all_and_builds_trust_first() -> None:
    clearing = Clearing(things=THINGS, human=TableHuman())
    value, first = clearing.best()
    assert first is not None and first.name == "bottle"
    fixed = max(clearing.expected(order) for order in itertools.permutations(THINGS))
    assert value >= fixed - 1e-12
    greedy = sorted(THINGS, key=lambda t: -t.value)
    assert value > clearing.expected(greedy) + 0.5


def test_what_is_expected_is_what_comes_about() -> None:
    clearing = Clearing(things=THINGS, human=TableHuman())
    rng = np.random.default_rng(0)
    gains = [clearing.play(rng, trusting=True)[0] for _ in range(800)]
    assert np.mean(gains) == pytest.approx(clearing.best()[0], abs=0.2)
    careless = [clearing.play(rng, trusting=False)[0] for _ in range(800)]
    assert np.mean(careless) < np.mean(gains)


def test_a_language_model_stands_in_for_the_table() -> None:
    asked: list[str] = []

    def answer(request) -> str:
        asked.append(request.messages[0].text)
        costly = "that would be costly" in request.messages[0].text
        trusted = "cleared the can" in request.messages[0].text
        return '{"intervenes": %s}' % (0.9 if costly and not trusted else 0.1)

    human = LanguageHuman(FunctionModel(answer))
    clearing = Clearing(things=THINGS, human=human)
    value, first = clearing.best()
    assert first is not None and first.name != "glass" and value > 5.0
    calls = len(asked)
    clearing.best()
    assert len(asked) == calls == human.usage.calls, "the same question is asked once"
    assert "nothing yet" in asked[0] or "cleared the" in asked[0]


@pytest.mark.parametrize("text", ["perhaps", "{}", '{"intervenes": 2}', '{"intervenes": "yes"}'])
def test_an_answer_that_is_no_probability_is_refused(text: str) -> None:
    human = LanguageHuman(FunctionModel(lambda request: text))
    with pytest.raises(ProgramError):
        human.intervenes(Encounter(item="glass", risk=0.9))
