"""Slots in any order, amounts in words, what goes on at once and what in turn."""

from __future__ import annotations

import itertools
import math
from typing import Any, cast

import pytest

from embodied.errors import NotUnderstoodError
from embodied.language.conversation import Conversation
from embodied.language.reward import arm_speech, check, quadruped_speech
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.rules_tabletop import tabletop_speech
from embodied.language.reward.speech import Speech
from embodied.types import RewardProgram, WorldSpec
from embodied.world.scene import load_scene

SPEC = cast(WorldSpec, None)  # the rules never look at it
QUADRUPED, ARM = quadruped_speech(), arm_speech()
TABLE = tabletop_speech("fr3-hand", load_scene("kitchen").objects)


def say(speech: Speech, *sentences: str) -> RewardProgram:
    rules, memory = RewardRules(speech), Conversation()
    for sentence in sentences:
        program = rules.translate(sentence, memory, SPEC)
        assert check(program, rules.words) == ()
        memory = memory.told(sentence, program)
    return program


def values(program: RewardProgram, stage: int = -1) -> dict[tuple[str, ...], dict[str, Any]]:
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for t in program.stages[stage].terms:
        key = (t.name, *(v for v in t.parameters.values() if isinstance(v, str)))
        found[key] = {k: v for k, v in t.parameters.items() if not isinstance(v, str)}
    return found


def seconds(program: RewardProgram) -> list[float | None]:
    return [s.duration_s for s in program.stages]


@pytest.mark.parametrize(
    "parts", list(itertools.permutations(("to the left", "for 2 seconds", "at 0.2 m/s")))
)
def test_slots_of_a_walk_may_stand_in_any_order(parts: tuple[str, ...]) -> None:
    program = say(QUADRUPED, " ".join(("walk", *parts)))
    assert values(program)["torso_velocity",] == {"forward": 0.0, "left": pytest.approx(0.2)}
    assert seconds(program) == [2.0]


@pytest.mark.parametrize(
    ("sentence", "term", "parameter", "value"),
    [
        ("walk a metre and a half", ("torso_position",), "x", 1.5),
        ("scoot back a couple of inches", ("torso_position",), "x", -0.0508),
        ("march in place, three steps per second", ("foot_stepping", "rear_left"), "frequency", 3),
        ("spin at thirty degrees a second", ("torso_turn_rate",), "rate", math.radians(30)),
        ("make a half turn clockwise", ("torso_heading",), "angle", -math.pi),
        ("turn a full circle to the right in ten seconds", ("torso_turn_rate",), "rate",
         -2 * math.pi / 10.0),
        ("walk diagonally forward and to the right", ("torso_velocity",), "left", -0.4 / 2**0.5),
        ("hurry forward", ("torso_velocity",), "forward", 0.6),
        ("tiptoe ahead", ("torso_velocity",), "forward", 0.2),
        ("trot twice as fast as usual", ("torso_velocity",), "forward", 0.8),
        ("walk as fast as you safely can", ("torso_velocity",), "forward", 0.8),
        ("lower your body by 5 cm", ("torso_height",), "height", 0.22),
        ("squat until your belly is 18 cm above the ground", ("torso_height",), "height", 0.18),
        ("stick your bottom in the air", ("torso_pitch",), "angle", -0.3),
        ("look up at the ceiling", ("torso_pitch",), "angle", 0.3),
        ("raise the hind left leg 3 inches", ("foot_lift", "rear_left"), "height", 0.0762),
        ("put the left front foot 6 cm further out to the side", ("foot_inward", "front_left"),
         "offset", -0.06),
        ("stand on the front left, the front right and the rear right foot",
         ("foot_lift", "rear_left"), "height", 0.14),
        ("rise up for me please, good boy", ("torso_height",), "height", 0.27),
    ],
)  # fmt: skip
def test_other_ways_to_say_it(
    sentence: str, term: tuple[str, ...], parameter: str, value: float
) -> None:
    asked = values(say(QUADRUPED, sentence))[term][parameter]
    assert asked == pytest.approx(value, rel=0.05)


def test_what_cannot_go_on_at_once_comes_in_turn() -> None:
    there_and_back = say(QUADRUPED, "walk forward for 2 s, then backward for 3 s, then stop")
    assert seconds(there_and_back) == [2.0, 3.0, None]
    assert values(there_and_back, 1)["torso_velocity",]["forward"] < 0
    assert ("torso_velocity",) not in values(there_and_back)
    paw = say(QUADRUPED, "raise your front right paw, hold it for two seconds, and put it down")
    assert seconds(paw) == [2.0, None]
    assert all(v["height"] == 0.0 for k, v in values(paw).items() if k[0] == "foot_lift")
    each = say(QUADRUPED, "lift the front left paw, then the rear right, each for two seconds")
    assert seconds(each) == [2.0, 2.0]
    together = say(QUADRUPED, "walk forward while keeping your body low")
    assert len(together.stages) == 1 and values(together)["torso_height",]["height"] == 0.12


def test_waiting_is_standing_still_after_a_walk_and_going_on_after_a_pose() -> None:
    walk = say(QUADRUPED, "walk for 2 seconds, wait three seconds and go on walking")
    assert seconds(walk) == [2.0, 3.0, None]
    assert ("torso_velocity",) not in values(walk, 1)
    sit = say(QUADRUPED, "sit down and stay like that for five seconds")
    assert seconds(sit) == [5.0]


def test_a_height_over_a_time_goes_in_steps() -> None:
    rising = say(QUADRUPED, "lie down, then get up over 3 seconds")
    heights = [values(rising, i)["torso_height",]["height"] for i in range(len(rising.stages))]
    assert heights == pytest.approx([0.12, 0.17, 0.22, 0.27, 0.27])
    assert seconds(rising)[1:4] == [1.0, 1.0, 1.0]


def test_remarks_about_the_motion_before() -> None:
    back = values(say(QUADRUPED, "walk forward at 0.3 m/s", "now backwards"))
    assert back["torso_velocity",] == {"forward": pytest.approx(-0.3), "left": 0.0}
    stopped = values(say(QUADRUPED, "walk forward", "and stop"))
    assert ("torso_velocity",) not in stopped
    onwards = say(QUADRUPED, "walk forward 1 m", "again")
    assert values(onwards)["torso_velocity",]["forward"] == pytest.approx(0.4)
    held = say(QUADRUPED, "lift the rear left paw", "hold it there for 4 seconds")
    assert seconds(held) == [4.0] and values(held)["foot_lift", "rear_left"]["height"] == 0.14
    home = values(say(QUADRUPED, "walk forward 1 m", "go back to where you started"))
    assert home["torso_position",] == {"x": 0.0, "y": 0.0}


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("sidestep", "which side"),
        ("lean 10 degrees", "which side"),
        ("stand on your left feet", "three feet"),
        ("turn", "which way"),
        ("put the front left paw", "where to put"),
        ("wait two seconds and sing", "sing"),
    ],
)
def test_what_is_missing_is_said(sentence: str, reason: str) -> None:
    with pytest.raises(NotUnderstoodError, match=reason):
        say(QUADRUPED, sentence)


@pytest.mark.parametrize("speech", [ARM, TABLE], ids=["hand", "table"])
def test_a_hand_holds_for_a_time_and_puts_down(speech: Speech) -> None:
    thing = "cup" if speech is ARM else "lime"
    high = values(say(speech, f"lift the {thing} 8 inches into the air"))
    assert high["object_height", thing]["height"] == pytest.approx(0.2032)
    program = say(speech, f"pick up the {thing}, hold it for 3 seconds and put it down again")
    durations = [d for d in seconds(program) if d is not None]
    assert 3.0 in durations and values(program)["hand_closure",]["fraction"] == 0.0
    again = say(speech, f"lift the {thing}", "put it down")
    assert values(again)["hand_closure",]["fraction"] == 0.0
    with pytest.raises(NotUnderstoodError, match="not in the hand"):
        say(speech, f"put the {thing} down")


def test_what_was_put_somewhere_is_not_put_down_again() -> None:
    plain = say(TABLE, "carry the apple to the plate")
    assert say(TABLE, "carry the apple to the plate and lower it gently").stages != ()
    more = say(TABLE, "carry the apple to the plate and put it down; do not drop it")
    assert more.stages == plain.stages
    once = say(TABLE, "let go of the sponge once it is over the basket")
    assert once.stages == say(TABLE, "put the sponge in the basket").stages


def test_grasping_comes_once_before_lifting() -> None:
    both = say(ARM, "grasp the box, then lift it 15 cm")
    assert both.stages == say(ARM, "lift the box 15 cm").stages


def test_a_slip_of_the_pen_is_mended_and_said() -> None:
    program = say(QUADRUPED, "walk forwrd for 3 secnods")
    assert program.stages == say(QUADRUPED, "walk forward for 3 seconds").stages
    assert any("'forwrd' is read as 'forward'" in note for note in program.notes)
    with pytest.raises(NotUnderstoodError):
        say(QUADRUPED, "wonder about the meaning of life")


def test_repetition() -> None:
    squats = say(QUADRUPED, "do three squats")
    heights = [values(squats, i)["torso_height",]["height"] for i in range(6)]
    assert heights == [0.12, 0.27] * 3
    both = say(QUADRUPED, "crouch and stand up again, twice")
    assert len(both.stages) == 4
    each = say(QUADRUPED, "lift each paw in turn for one second")
    lifted = [
        k[1] for i in range(4) for k, v in values(each, i).items()
        if k[0] == "foot_lift" and v["height"] > 0.0
    ]  # fmt: skip
    assert sorted(lifted) == ["front_left", "front_right", "rear_left", "rear_right"]


@pytest.mark.parametrize(
    ("sentence", "seconds"),
    [
        ("turn left at 45 degrees/s for 10 seconds", 10.0),
        ("spin right at 30 deg/s for half a minute", 30.0),
        ("turn left by 90 degrees at 30 deg/s", 3.0),
    ],
)
def test_a_turn_at_a_rate_lasts_as_long_as_it_is_said_to(sentence: str, seconds: float) -> None:
    (stage,) = say(QUADRUPED, sentence).stages
    assert stage.terms[0].name == "torso_turn_rate"
    assert stage.duration_s == pytest.approx(seconds, abs=0.6)
