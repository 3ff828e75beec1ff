from __future__ import annotations

import random

import pytest

from embodied.language.offline import value_map_slots
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.slots import Refusal, SlotError
from embodied.language.value_map import check
from embodied.types import ValueMapProgram


def program(slots: str, scene: SceneView, before: ValueMapProgram | None = None) -> ValueMapProgram:
    result = value_map_slots.expand(slots, scene, previous=before)
    assert isinstance(result, ValueMapProgram)
    return result


@pytest.mark.parametrize(
    ("slots", "shape", "frame", "parameters"),
    [
        ("to left-of apple 10 cm", "point", "apple", {"x": 0.0, "y": 0.1, "z": 0.0}),
        ("to right-of apple 10 cm", "point", "apple", {"x": 0.0, "y": -0.1, "z": 0.0}),
        ("to behind apple 10 cm", "point", "apple", {"x": -0.1, "y": 0.0, "z": 0.0}),
        ("to above apple 10 cm", "point", "apple", {"x": 0.0, "y": 0.0, "z": 0.1}),
        ("go down 3 cm", "along", "gripper", {"x": 0.0, "y": 0.0, "z": -0.03}),
        ("push apple forward 20 cm", "along", "apple", {"x": 0.2, "y": 0.0, "z": 0.0}),
        ("push drawer close", "along", "drawer", {"x": 0.2, "y": 0.0, "z": 0.0}),
        ("push drawer open", "along", "drawer", {"x": -0.2, "y": 0.0, "z": 0.0}),
    ],
)
def test_signs_and_units(
    kitchen: SceneView, slots: str, shape: str, frame: str, parameters: dict[str, float]
) -> None:
    region = program(slots, kitchen).stages[0].operations[0].region
    assert (region.shape, region.frame) == (shape, frame)
    assert dict(region.parameters) == pytest.approx(parameters)


def test_staying_on_a_side_avoids_the_other(kitchen: SceneView) -> None:
    _, stay = program("to apple ; stay left-of bowl", kitchen).stages[0].operations
    assert (stay.map, stay.region.shape) == ("avoidance", "half-space")
    assert stay.region.parameters["ny"] == -1.0


def test_who_moves(kitchen: SceneView) -> None:
    assert program("push apple left 5 cm", kitchen).stages[0].moving == "apple"
    assert program("grasp apple then drop bowl", kitchen).stages[1].moving == "gripper"


def test_corrections(kitchen: SceneView) -> None:
    before = program("to above apple 10 cm", kitchen)
    more = program("more", kitchen, before).stages[0].operations[0].region
    assert more.parameters["z"] == pytest.approx(0.15)
    kept = program("keep ; speed slow ; avoid bowl 5 cm", kitchen, before).stages[0].operations
    assert [o.map for o in kept] == ["affordance", "velocity", "avoidance"]
    faster = program("keep ; speed fast", kitchen, program("to apple ; speed slow", kitchen))
    assert [o.value for o in faster.stages[0].operations if o.map == "velocity"] == [0.5]
    with pytest.raises(SlotError, match="earlier program"):
        value_map_slots.expand("more", kitchen)


def test_a_number_out_of_range_is_a_refusal(kitchen: SceneView) -> None:
    result = value_map_slots.expand("to apple ; speed 90 m/s", kitchen)
    assert isinstance(result, Refusal) and result.reason == "range"


@pytest.mark.parametrize("slots", ["to pear", "wander", "go up 3", "keep", "to"])
def test_text_outside_the_language_is_an_error(kitchen: SceneView, slots: str) -> None:
    with pytest.raises(SlotError):
        value_map_slots.expand(slots, kitchen)


@pytest.mark.parametrize("follow_up", [False, True])
def test_whatever_the_grammar_allows_is_a_legal_program_or_a_refusal(
    kitchen: SceneView, follow_up: bool
) -> None:
    before = program("to above apple 10 cm", kitchen) if follow_up else None
    grammar = value_map_slots.grammar(kitchen, previous=follow_up)
    names = [t.name for t in kitchen.things]
    rng = random.Random(7)
    programs = 0
    for _ in range(400):
        result = value_map_slots.expand(grammar.sample(rng), kitchen, previous=before)
        if isinstance(result, ValueMapProgram):
            assert not check(result, names)
            programs += 1
    assert programs > 100
