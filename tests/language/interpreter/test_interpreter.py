"""What reaches a translator, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embodied.language.interpreter import Act, Answer, Ask, NotAnActError, Refuse, Tell
from embodied.records import Record
from embodied.types import PddlProgram

from .conftest import eager

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "language"

STILL = """
    what is in the bin?
    did you put the red block in the bin?
    is the red block in the bin?
    I have put the red block in the bin
    don't put the red block in the bin
    put the red block in the bin unless the green block is there
    put the red block in the bin if it is free
    my brother wants the red block in the bin
    the note says put the red block in the bin
    maybe put the red block in the bin
    pretend the red block is in the bin
    put the red block away from the bin
    put the red block next to the bin
    put the red block and some others in the bin
    put several red blocks in the bin
    put the clean red block in the bin
    put the red block and the green block in the bin
    put the blocks in the bin
    put the red block in the bin and wave
    leg den roten Block bitte in den Eimer
    put 3 blocks in the bin
    put the red block on the bin
    put the red block in the bin, but not yet
    never mind the red block in the bin
    hand me the red block
    open the drawer
""".strip().splitlines()


@pytest.mark.parametrize("sentence", [s.strip() for s in STILL])
def test_a_model_that_turns_everything_into_a_motion_does_not_move(place_of, sentence) -> None:
    place = place_of("blocks")
    reading = eager(place).read(sentence, place.memory(), place.environment.body.spec)
    assert not isinstance(reading, Act), reading


def test_what_the_sentence_says_in_full_is_done(place_of) -> None:
    place = place_of("blocks")
    for sentence in ("put the red block in the bin", "Please drop the green block into the bin."):
        reading = eager(place).read(sentence, place.memory(), place.environment.body.spec)
        assert isinstance(reading, Act), reading


BESIDE = ("no act (relation)", "no act (position)")
"""Sentences of the set that name places beside things, which goals could not say then."""


def test_nothing_of_must_not_move_moves(place_of) -> None:
    path = DATA / "must_not_move.jsonl"
    if not path.is_file():
        pytest.skip("the sentences of shared/data/language are not here")
    for line in map(json.loads, path.read_text().splitlines()):
        if line["expect"] in BESIDE:
            continue
        place = place_of(line["scene"], line["robot"], line["route"])
        spec = place.environment.body.spec
        for interpreter in (eager(place), place.interpreter()):
            reading = interpreter.read(line["text"], place.memory(), spec)
            assert not isinstance(reading, Act), line["text"]


def test_kinds(place_of) -> None:
    place = place_of("kitchen")
    memory, spec = place.memory(), place.environment.body.spec
    read = place.interpreter().read
    assert isinstance(read("where is the lime?", memory, spec), Answer)
    assert isinstance(read("the sponge is wet", memory, spec), Tell)
    assert isinstance(read("put the cup on the plate", memory, spec), Ask | Refuse)
    assert isinstance(read("hand me the apple", memory, spec), Refuse)
    done = read("I am finished with my drink, can you put it in the basket?", memory, spec)
    assert isinstance(done, Act)
    assert isinstance(done.program, PddlProgram)
    assert done.program.stages == ("(in soda-can basket)",)


def test_conditions_are_evaluated_and_asked_about(place_of) -> None:
    place = place_of("kitchen")
    memory, spec = place.memory(), place.environment.body.spec
    read = place.interpreter().read
    so = read("if the lime is on the plate, put the apple in the bowl", memory, spec)
    assert isinstance(so, Act) and isinstance(so.program, PddlProgram)
    assert so.program.stages == ("(in apple bowl)",)
    closed = read("if the drawer is closed, open it", memory, spec)
    assert isinstance(closed, Act) and isinstance(closed.program, PddlProgram)
    assert closed.program.stages == ("(open drawer)",)
    unknown = read("if it rains tomorrow, put the apple in the bowl", memory, spec)
    assert not isinstance(unknown, Act)
    not_so = read("if the lime is in the bowl, put the apple in the bowl", memory, spec)
    assert isinstance(not_so, Refuse) and "nothing to do" in not_so.reason
    unless = read("put the apple in the bowl unless the lime is on the plate", memory, spec)
    assert isinstance(unless, Refuse)
    later = read("when the lime is in the bowl, close the drawer", memory, spec)
    assert isinstance(later, Ask) and "do not wait" in later.question


def test_prohibitions_are_held_against_later_programs(place_of) -> None:
    place = place_of("blocks")
    memory, spec = place.memory(), place.environment.body.spec
    interpreter = place.interpreter()
    told = interpreter.read("never put the red block in the bin", memory, spec)
    assert isinstance(told, Tell) and told.rule
    for sentence in ("put the red block in the bin", "put all blocks in the bin"):
        reading = interpreter.read(sentence, memory, spec)
        assert isinstance(reading, Refuse) and "never put" in reading.reason
    assert isinstance(interpreter.read("put the red block on the tray", memory, spec), Act)
    interpreter.read("do not touch the green block", memory, spec)
    reading = interpreter.read("put the green block on the tray", memory, spec)
    assert isinstance(reading, Refuse)
    assert isinstance(interpreter.read("don't move anything", memory, spec), Tell)
    reading = interpreter.read("put the orange block on the tray", memory, spec)
    assert isinstance(reading, Refuse)


def test_a_standing_rule_keeps_what_is_so(place_of) -> None:
    place = place_of("kitchen")
    memory, spec = place.memory(), place.environment.body.spec
    interpreter = place.interpreter()
    told = interpreter.read("always keep the lime on the plate", memory, spec)
    assert isinstance(told, Tell) and told.rule
    assert isinstance(interpreter.read("put the lime in the bowl", memory, spec), Refuse)
    assert isinstance(interpreter.read("put the apple in the bowl", memory, spec), Act)
    assert isinstance(interpreter.read("keep the sponge out of the drawer", memory, spec), Tell)
    assert isinstance(interpreter.read("put the sponge in the drawer", memory, spec), Refuse)
    asked = interpreter.read("always keep the apple in the bowl", memory, spec)
    assert isinstance(asked, Ask)


def test_translate_raises_with_the_reading(place_of) -> None:
    place = place_of("blocks")
    with pytest.raises(NotAnActError, match="question") as caught:
        place.interpreter().translate(
            "is the bin full?", place.memory(), place.environment.body.spec
        )
    assert isinstance(caught.value.reading, Answer)


@pytest.mark.parametrize(
    ("sentence", "lost"),
    [
        ("put the red block on the tray, give the green block a wide berth, like 6 inches", "6"),
        ("put the red block 5 cm to the left of the green block", ""),
        ("put the red block in the bin at 10 cm per second", ""),
    ],
)
def test_an_amount_that_the_rules_drop_is_asked_about(place_of, sentence: str, lost: str) -> None:
    place = place_of("blocks")
    spec = place.environment.body.spec
    reading = place.interpreter().read(sentence, place.memory(), spec)
    if lost:
        assert isinstance(reading, Ask) and f"did not use: {lost}" in reading.question
    else:
        assert isinstance(reading, Act)


def test_a_correction_that_changes_nothing_is_asked_about(reader) -> None:
    said = ["put the green block on the tray", "no, not on it"]
    found = reader.read(Record({"turns": said, "scene": "blocks"}, "line"))
    first, second = found["turns"]
    assert first["kind"] == "act"
    assert second["kind"] != "act"
