from __future__ import annotations

import pytest

from embodied.language.offline.answer import Answer
from embodied.language.offline.grammar import Grammar, lit, words
from embodied.language.offline.search import Effort, readings

from .toy_model import ToyModel

GRAMMAR = Grammar(
    {
        "root": ((lit(" put "), "names", lit(" in bin")), (lit(" hold "), "name")),
        "names": (("name",), ("name", lit(" "), "names")),
        "name": words(("cup", "fork", "pan")),
    }
)
FOLLOWS = {
    "": {" put": 0.6, " hold": 0.4},
    " put": {" cup": 0.3, " fork": 0.1, " lid": 0.6},
    " put cup": {" in": 0.5, " fork": 0.3},
    " put cup in": {" bin": 1.0},
    " put cup fork": {" in": 1.0},
    " put cup fork in": {" bin": 1.0},
    " put fork": {" in": 1.0},
    " put fork in": {" bin": 1.0},
    " hold": {" cup": 0.2, " pan": 0.8},
}


def found(effort: Effort, wanted: frozenset[str] = frozenset()) -> tuple[ToyModel, list[Answer]]:
    model = ToyModel(GRAMMAR, FOLLOWS)
    first = model.answer("", GRAMMAR.gbnf())
    return model, list(readings(model, "", GRAMMAR, first, effort, wanted))


def test_the_likeliest_answer_is_not_the_greedy_one() -> None:
    _, answers = found(Effort(readings=10, tokens=100, ratio=1e-6))
    chances = {a.slots: a.confidence for a in answers}
    assert answers[0].slots == "put cup in bin"
    assert max(answers, key=lambda a: a.confidence).slots == "hold pan"
    assert chances == pytest.approx(
        {
            "put cup in bin": 0.6 * 0.3 * 0.5,
            "put cup fork in bin": 0.6 * 0.3 * 0.3,
            "put fork in bin": 0.6 * 0.1,
            "hold pan": 0.4 * 0.8,
            "hold cup": 0.4 * 0.2,
        }
    )


def test_what_is_far_less_likely_than_the_best_is_not_followed() -> None:
    _, answers = found(Effort(readings=10, tokens=100, ratio=0.5))
    assert [a.slots for a in answers] == ["put cup in bin", "hold pan"]


def test_effort_bounds_the_work() -> None:
    model, answers = found(Effort(readings=2, tokens=100, ratio=1e-6))
    assert len(answers) == 3 and len(model.asked) == 3
    _, answers = found(Effort(readings=10, tokens=0, ratio=1e-6))
    assert [a.slots for a in answers] == ["put cup in bin"]


def test_wanted_words_are_looked_for_first() -> None:
    _, plain = found(Effort(readings=1, tokens=100, ratio=1e-6))
    _, wanted = found(Effort(readings=1, tokens=100, ratio=1e-6), frozenset({"fork"}))
    assert plain[1].slots == "hold pan"
    assert wanted[1].slots == "put fork in bin"


def test_the_same_question_finds_the_same() -> None:
    effort = Effort(readings=4, tokens=100, ratio=1e-6)
    assert found(effort)[1] == found(effort)[1]


def test_an_answer_may_end_earlier_than_the_greedy_one() -> None:
    grammar = Grammar({"root": ((lit(" a"),), (lit(" a b"),))})
    model = ToyModel(grammar, {"": {" a": 1.0}, " a": {" b": 0.6, "": 0.4}})
    first = model.answer("", grammar.gbnf())
    answers = readings(model, "", grammar, first, Effort(ratio=1e-6))
    assert [a.slots for a in answers] == ["a b", "a"]
    assert len(model.asked) == 1


def test_without_steps_there_is_only_the_first() -> None:
    first = Answer(
        slots="hold cup",
        confidence=0.1,
        complete=True,
        latency_s=0.0,
        input_tokens=1,
        cached_tokens=0,
        output_tokens=1,
    )
    assert readings(ToyModel(GRAMMAR, FOLLOWS), "", GRAMMAR, first, Effort()) == (first,)
