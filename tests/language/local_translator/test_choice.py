from __future__ import annotations

import pytest

from embodied.language.offline.abstention import Doubt
from embodied.language.offline.answer import Answer
from embodied.language.offline.choice import Meaning, Reading, chosen
from embodied.language.offline.slots import Refusal


def reading(slots: str, confidence: float, meaning: Meaning, *doubts: Doubt) -> Reading:
    answer = Answer(
        slots=slots,
        confidence=confidence,
        complete=True,
        latency_s=0.0,
        input_tokens=1,
        cached_tokens=0,
        output_tokens=1,
    )
    return Reading(answer=answer, meaning=meaning, doubts=doubts)


def test_equal_meanings_count_together() -> None:
    choice = chosen(
        [
            reading("hold a", 0.4, ("(holding a)",)),
            reading("put a b in c", 0.2, ("(and (in a c) (in b c))",)),
            reading("put b a in c", 0.3, ("(and (in b c) (in a c))",)),
        ]
    )
    assert choice.reading.answer.slots == "put b a in c"
    assert choice.confidence == pytest.approx(0.5)


def test_the_order_of_stages_counts() -> None:
    first, second = "(and (in a c) (not (open c)))", "(on a b)"
    choice = chosen(
        [
            reading("x", 0.3, (first, second)),
            reading("y", 0.2, (second, first)),
            reading("z", 0.2, ("(and (not (open c)) (in a c))", second)),
        ]
    )
    assert choice.reading.answer.slots == "x"
    assert choice.confidence == pytest.approx(0.5)


def test_refusals_of_any_reason_count_together() -> None:
    choice = chosen(
        [
            reading("hold a", 0.4, ("(holding a)",)),
            reading("cannot object", 0.3, Refusal("object")),
            reading("cannot action", 0.2, Refusal("action")),
        ]
    )
    assert choice.reading.answer.slots == "cannot object"


def test_what_cannot_be_carried_out_is_no_refusal() -> None:
    choice = chosen(
        [
            reading("hold a", 0.4, ("(holding a)",)),
            reading("cannot action", 0.3, Refusal("action")),
            reading("put all red in c", 0.3, Refusal("object", "nothing here is all red")),
        ]
    )
    assert choice.reading.answer.slots == "hold a"


def test_doubts_divide() -> None:
    grave = Doubt("it would leave out b", 20.0)
    light = Doubt("another order", 3.0, grave=False)
    assert chosen(
        [reading("x", 0.9, ("(holding a)",), grave), reading("y", 0.1, ("(holding b)",))]
    ).confidence == pytest.approx(0.1)
    alone = chosen([reading("x", 0.9, ("(holding a)",), grave, light)])
    assert alone.reading.answer.slots == "x"
    assert alone.confidence == pytest.approx(0.9 / 20.0)
