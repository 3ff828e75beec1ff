"""What lies on a thing is put on the table before value maps take it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from embodied.app.wiring import open_session
from embodied.language.conversation import Conversation
from embodied.language.value_map.clearing import Clearing
from embodied.language.value_map.rules import RulesValueMapTranslator
from embodied.settings import Settings
from embodied.types import Atom, ValueMapProgram, WorldSpec
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

PLACES = {
    "red-block": (0.5, 0.0, 0.0225),
    "blue-block": (0.5, 0.0, 0.0675),
    "purple-block": (0.5, 0.0, 0.1125),
    "green-block": (0.45, 0.15, 0.0225),
}


@cache
def spec() -> WorldSpec:
    return build_world(load_scene("blocks")).spec


def translated(sentence: str, *facts: str) -> ValueMapProgram:
    rules = Clearing(RulesValueMapTranslator(lambda: PLACES), lambda: PLACES)
    memory = Conversation(facts=frozenset(Atom.parse(f) for f in facts))
    program = rules.translate(sentence, memory, spec())
    assert isinstance(program, ValueMapProgram)
    return program


PILE = ("(on blue-block red-block)", "(on purple-block blue-block)")


@pytest.mark.parametrize("sentence", ["put the red block on the tray", "pick up the red block"])
def test_a_pile_is_taken_off_from_the_top_onto_free_spots(sentence: str) -> None:
    bare, program = translated(sentence), translated(sentence, *PILE)
    before = len(program.stages) - len(bare.stages)
    assert program.stages[before:] == bare.stages
    regions = [stage.operations[0].region for stage in program.stages[:before]]
    assert [r.frame for r in regions] == ["purple-block", "world", "blue-block", "world"]
    spots = [np.array([r.parameters[a] for a in "xy"]) for r in regions[1::2]]
    others = [np.array(PLACES[n][:2]) for n in ("red-block", "green-block")]
    gaps = [np.linalg.norm(a - b) for a in spots for b in others]
    gaps.append(np.linalg.norm(spots[0] - spots[1]))
    assert min(gaps) > 0.045 * np.sqrt(2)
    assert program.notes == (
        "the purple block is taken off the blue block first",
        "the blue block is taken off the red block first",
    )


def test_what_something_is_put_on_is_cleared_and_what_the_sentence_itself_takes_is_not() -> None:
    program = translated("put the green block on the red block", *PILE[:1])
    assert program.stages[0].operations[0].region.frame == "blue-block"
    own = translated("put the blue block on the tray", "(on blue-block red-block)")
    assert own == translated("put the blue block on the tray")


def test_motions_that_take_nothing_clear_nothing() -> None:
    sentence = "move the gripper above the red block"
    assert translated(sentence, *PILE) == translated(sentence)


def test_a_covered_block_is_put_on_the_tray() -> None:
    settings = Settings(route="value-map", perception="truth", seed=6, pictures=False)
    session = open_session(settings)
    try:
        observe, grounder = session.environment.body.observe, session.environment.grounder
        assert Atom("on", ("purple-block", "red-block")) in grounder.facts(observe())
        outcome = session.run("put the red block on the tray")
        assert outcome.reached, outcome.message
        on = {Atom("on", ("red-block", "tray")), Atom("on", ("purple-block", "table"))}
        assert on <= grounder.facts(observe())
    finally:
        session.close()
