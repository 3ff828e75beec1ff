"""Pauses, touches, sides, verbs of going, and remarks about the motion before."""

from __future__ import annotations

import numpy as np
import pytest

from embodied.errors import NotUnderstoodError
from embodied.language.conversation import Conversation
from embodied.language.value_map import check, read_json, to_json
from embodied.language.value_map.describe import describe, describe_operation
from embodied.language.value_map.rules import RulesValueMapTranslator
from embodied.types import Atom, ValueMapProgram, WorldSpec
from embodied.world.scene import load_scene


def spec_of(name: str) -> WorldSpec:
    one = np.zeros(1)
    return WorldSpec(
        name=name,
        robot="none",
        joint_names=("j",),
        q_lower=one,
        q_upper=one,
        dq_max=one,
        ddq_max=one,
        dddq_max=one,
        tau_max=one,
        q_home=one,
        control_dt_s=0.01,
        objects=load_scene(name).objects,
        workspace_lower=np.array([0.2, -0.5, 0.0]),
        workspace_upper=np.array([0.8, 0.5, 0.6]),
    )


KITCHEN, BLOCKS = spec_of("kitchen"), spec_of("blocks")
SEEN = {n: (0.3 + 0.02 * i, 0.05 * i - 0.3, o.size_m[2] / 2 + 0.001 * i)
        for i, (n, o) in enumerate(KITCHEN.objects.items())}  # fmt: skip


def say(*sentences: str, spec: WorldSpec = KITCHEN, facts: frozenset[Atom] = frozenset()):
    memory = Conversation(facts=facts)
    for sentence in sentences:
        program = RulesValueMapTranslator(lambda: SEEN).translate(sentence, memory, spec)
        assert check(program, tuple(spec.objects)) == ()
        memory = memory.told(sentence, program)
    return program


def lines(program: ValueMapProgram) -> list[str]:
    return [describe_operation(o) for s in program.stages for o in s.operations]


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("descend 4 cm", ["get straight to the gripper + (0 cm, 0 cm, -4 cm)"]),
        ("rise by three inches", ["get straight to 7.62 cm above the gripper"]),
        ("retreat 10 cm from where you are", ["get straight to 10 cm behind the gripper"]),
        ("nudge your arm forward a bit", ["get straight to 5 cm in front of the gripper"]),
        ("rush over to the bowl", ["get at the bowl", "at most 50 cm/s (fast) everywhere"]),
        ("inch towards the lime", ["get at the lime", "at most 5 cm/s (slow) everywhere"]),
        ("move at 7 cm/s to the plate", ["get at the plate", "at most 7 cm/s everywhere"]),
        ("hover over the bowl", ["get at 10 cm above the bowl"]),
        ("go down until you are 6 cm above the plate", ["get at 6 cm above the plate"]),
        ("head for the lime and stop 4 cm short", [
            "get within 4 cm of the surface of the lime",
            "do not be within 1.5 cm of the surface of the lime",
        ]),
        ("get close to the lime without touching it", [
            "get within 6 cm of the surface of the lime",
            "do not be within 2 cm of the surface of the lime",
        ]),
        ("approach the apple from the right hand side", [
            "get at 10 cm right of the apple", "get within 6 cm of the surface of the apple",
        ]),
        ("go above the apple, then above the lime and back to the bowl", [
            "get at 10 cm above the apple", "get at 10 cm above the lime", "get at the bowl",
        ]),
        ("go from the apple to the lime", ["get at the apple", "get at the lime"]),
        ("don't touch the cups on your way to the lime", [
            "get at the lime", "do not be within 10 cm of the surface of the red-cup",
            "do not be within 10 cm of the surface of the blue-cup",
        ]),
        ("go around the left side of the bowl to the plate", [
            "get at the plate", "do not be right of the bowl",
        ]),
        ("open the gripper by 4 cm, then close it", [
            "gripper open by 50% everywhere", "gripper closed everywhere",
        ]),
        ("push the lime 5 cm to the left and push it back", [
            "get straight to 5 cm left of the lime", "get straight to 5 cm right of the lime",
        ]),
        ("point at the lowest cup", ["get at 10 cm above the red-cup",
                                     "gripper pointing down everywhere"]),
    ],
)  # fmt: skip
def test_kinds(sentence: str, wanted: list[str]) -> None:
    assert lines(say(sentence)) == wanted


def test_a_stage_may_end_with_a_rest() -> None:
    program = say("lift the lime 10 cm, hold it there for half a second and put it down")
    assert [s.rest_s for s in program.stages] == [0.0, 0.5, 0.0]
    assert "stay for 0.5 s" in describe(program)
    down = program.stages[-1].operations
    assert describe_operation(down[0]).endswith("-10 cm)") and down[1].value == 1.0
    names = tuple(KITCHEN.objects)
    assert read_json(to_json(program), objects=names).stages == program.stages
    waiting = say("wait two seconds, then go to the bowl")
    assert [s.rest_s for s in waiting.stages] == [2.0, 0.0]
    assert [s.rest_s for s in say("go to the bowl and stay there").stages] == [0.0]


def test_what_goes_into_something_is_carried_there() -> None:
    for verb in ("move", "carry", "shift"):
        stages = say(f"{verb} the lime to the plate").stages
        assert [s.moving for s in stages] == ["gripper", "gripper"]
        assert "gripper closed at the lime" in lines(say(f"{verb} the lime to the plate"))
    assert [s.moving for s in say("push the lime to the plate").stages] == ["lime"]


def test_back_after_a_motion_can_be_meant_in_two_ways() -> None:
    with pytest.raises(NotUnderstoodError, match="where the gripper was before"):
        say("go to the lime, then come back")
    assert lines(say("move back")) == ["get straight to 5 cm behind the gripper"]


def test_a_touch_ends_on_the_thing() -> None:
    (stage,) = say("touch the lime").stages
    assert stage.until is not None and (stage.until.what, stage.until.subject) == (
        "touching", "lime",
    )  # fmt: skip
    side, last = say("tap the lime from the left").stages
    assert describe_operation(side.operations[0]).endswith("left of the lime")
    assert last.until is not None
    (near,) = say("go to the lime").stages
    assert near.until is None


def test_remarks_about_the_motion_before() -> None:
    assert lines(say("go 10 cm to the left", "again")) == lines(say("go 10 cm to the left"))
    assert lines(say("go 10 cm to the left", "and the same to the right")) == [
        "get straight to 10 cm right of the gripper"
    ]
    assert lines(say("go to the red cup", "no, the blue one")) == ["get at the blue-cup"]
    assert "at most 12.5 cm/s (half) everywhere" in lines(say("go to the lime", "slower please"))
    assert lines(say("go 10 cm above the lime", "three more up")) == [
        "get straight to 3 cm above the gripper"
    ]
    beside = say("put the lime to the left of the bowl", "no, on the other side")
    assert "get at 10 cm right of the bowl" in lines(beside)


def test_nouns_are_shared_and_stacks_are_what_lies_on_each_other() -> None:
    between = say("go between the red and the blue cup, 9 cm above the table")
    (target,) = between.stages[0].operations
    assert target.region.frame == "red-cup"
    assert target.region.parameters["z"] == pytest.approx(0.09 - SEEN["red-cup"][2])
    stacked = frozenset({Atom("on", ("blue-block", "yellow-block"))})
    kept = lines(
        say("go to the bin while keeping 12 cm away from the stack", spec=BLOCKS, facts=stacked)
    )
    assert {line.split()[-1] for line in kept[1:]} == {"blue-block", "yellow-block"}
