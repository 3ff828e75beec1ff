from __future__ import annotations

import math
import random

import pytest

from embodied.language.offline import reward_slots
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.slots import Refusal, SlotError
from embodied.language.reward import building as build
from embodied.language.reward import hand_building
from embodied.language.reward.checking import check
from embodied.language.reward.rules import STAGE_S
from embodied.types import RewardProgram, RewardTerm


def program(slots: str, scene: SceneView, before: RewardProgram | None = None) -> RewardProgram:
    result = reward_slots.expand(slots, scene, previous=before)
    assert isinstance(result, RewardProgram)
    return result


@pytest.mark.parametrize(
    ("slots", "term", "parameter", "value"),
    [
        ("turn left 30 deg", "torso_heading", "angle", math.pi / 6),
        ("turn right 30 deg", "torso_heading", "angle", -math.pi / 6),
        ("roll left 30 deg", "torso_roll", "angle", -math.pi / 6),
        ("side right", "torso_roll", "angle", math.pi / 2),
        ("pitch down 10 deg", "torso_pitch", "angle", -math.pi / 18),
        ("spin right 90 deg/s", "torso_turn_rate", "rate", -math.pi / 2),
        ("walk back 0.5 m/s", "torso_velocity", "forward", -0.5),
        ("walk left 0.3 m/s", "torso_velocity", "left", 0.3),
        ("go right 2 m", "torso_position", "y", -2.0),
        ("lift rear-left 12 cm", "foot_lift", "height", 0.12),
        ("foot front-left out 6 cm", "foot_inward", "offset", -0.06),
        ("step front-right 3 hz", "foot_stepping", "frequency", 3.0),
        ("height 25 cm", "torso_height", "height", 0.25),
        ("face south", "torso_heading", "angle", -math.pi / 2),
    ],
)
def test_signs_and_units(
    quadruped: SceneView, slots: str, term: str, parameter: str, value: float
) -> None:
    (stage,) = program(slots, quadruped).stages
    assert value in [
        pytest.approx(t.parameters[parameter], abs=1e-5) for t in stage.terms if t.name == term
    ]


@pytest.mark.parametrize(
    ("slots", "motion"),
    [
        ("walk forward 0.5 m/s", build.walking(0.5, 0.0)),
        ("spin left 2 rad/s", build.spinning(2.0)),
        ("lift front-left 12 cm", build.lifting({"front_left": 0.12})),
        ("stand hind", build.on_two_feet()),
        ("turn around", build.facing(math.pi)),
    ],
)
def test_motions_are_those_of_the_rules(
    quadruped: SceneView, slots: str, motion: tuple[RewardTerm, ...]
) -> None:
    (stage,) = program(slots, quadruped).stages
    assert sorted(stage.terms, key=str) == sorted(motion, key=str)


def test_two_things_asked_of_one_part_are_refused(quadruped: SceneView) -> None:
    result = reward_slots.expand("roll over ; roll left 10 deg", quadruped)
    assert not isinstance(result, Refusal)  # the last one counts
    result = reward_slots.expand("flat ; pitch up", quadruped)
    assert isinstance(result, Refusal) and "torso pitch" in result.detail


def test_walking_two_ways_at_once_is_one_velocity(quadruped: SceneView) -> None:
    (stage,) = program("walk forward 0.4 m/s ; walk left 0.2 m/s", quadruped).stages
    (velocity,) = [t for t in stage.terms if t.name == "torso_velocity"]
    assert dict(velocity.parameters) == {"forward": 0.4, "left": 0.2}


def test_stages_but_the_last_have_an_end(quadruped: SceneView) -> None:
    first, second = program("height low ; for 5 s then height stand", quadruped).stages
    assert (first.duration_s, second.duration_s) == (5.0, None)
    first, _ = program("height low then height stand", quadruped).stages
    assert first.duration_s == STAGE_S


def heights(changed: RewardProgram) -> dict[str, float]:
    (stage,) = changed.stages
    return {
        str(t.parameters["foot"]): float(t.parameters["height"])
        for t in stage.terms
        if t.name == "foot_lift" and t.parameters["height"]
    }


def test_corrections_edit_the_program(quadruped: SceneView) -> None:
    before = program("lift front-left 10 cm", quadruped)
    assert heights(program("more", quadruped, before)) == {"front_left": pytest.approx(0.15)}
    assert heights(program("opposite", quadruped, before)) == {"front_right": pytest.approx(0.1)}
    kept = program("keep ; height 20 cm", quadruped, before)
    assert heights(kept) == {"front_left": pytest.approx(0.1)}
    (torso,) = [t for t in kept.stages[0].terms if t.name == "torso_height"]
    assert torso.parameters["height"] == pytest.approx(0.2)
    again = program("keep ; lift front-left 20 cm", quadruped, before)
    assert heights(again) == {"front_left": pytest.approx(0.2)}
    spun = program("opposite", quadruped, program("spin left 1 rad/s", quadruped))
    (rate,) = [t.parameters["rate"] for t in spun.stages[0].terms if t.name == "torso_turn_rate"]
    assert rate == -1.0


def test_guards_survive_a_correction(hand: SceneView) -> None:
    before = program("lift apple 30 cm", hand)
    guards = before.stages[-1].guards
    assert guards
    for slots in ("keep ; palm down", "keep ; lift apple 40 cm", "more"):
        after = program(slots, hand, before)
        assert after.stages[-1].guards == guards
        assert len(after.stages) == len(before.stages)
    let_go = program("keep ; hand open", hand, before)
    assert not let_go.stages[-1].guards


def test_more_is_about_what_was_asked_not_about_standing(quadruped: SceneView) -> None:
    before = program("spin left 1 rad/s", quadruped)
    after = program("more", quadruped, before)
    changed = [
        new.name
        for old, new in zip(before.stages[0].terms, after.stages[0].terms, strict=True)
        if old != new
    ]
    assert changed == ["torso_turn_rate"]


def test_corrections_need_a_program(quadruped: SceneView) -> None:
    for slots in ("more", "keep ; flat"):
        with pytest.raises(SlotError, match="earlier program"):
            reward_slots.expand(slots, quadruped)


def test_changes_stay_in_range(quadruped: SceneView) -> None:
    before = program("lift front-left 50 cm", quadruped)
    assert not check(program("double", quadruped, before))


def test_a_number_out_of_range_is_a_refusal_that_says_so(quadruped: SceneView) -> None:
    result = reward_slots.expand("lift front-left 3 m", quadruped)
    assert isinstance(result, Refusal)
    assert result.reason == "range" and "0.6 m" in result.detail


def test_hand(hand: SceneView) -> None:
    lifted = program("lift apple 30 cm", hand)
    assert lifted.stages == hand_building.lifting_thing("apple", 0.3)
    (fraction,) = {
        t.parameters["fraction"]
        for s in program("close drawer 75 %", hand).stages
        for t in s.terms
        if t.name == "joint_fraction"
    }
    assert fraction == pytest.approx(0.25)


def test_two_things_at_once_are_lifted_together(hand: SceneView) -> None:
    first, second, *_ = hand.names("item")
    both = program(f"lift {first} 20 cm ; lift {second} 20 cm", hand)
    assert both.stages == hand_building.lifting_two(first, second, 0.2)


@pytest.mark.parametrize("which", ["quadruped", "hand"])
@pytest.mark.parametrize("follow_up", [False, True])
def test_whatever_the_grammar_allows_is_a_legal_program_or_a_refusal(
    which: str, follow_up: bool, request: pytest.FixtureRequest
) -> None:
    scene: SceneView = request.getfixturevalue(which)
    start = "lift front-left 10 cm" if which == "quadruped" else "lift apple 10 cm"
    before = program(start, scene) if follow_up else None
    grammar = reward_slots.grammar(scene, previous=follow_up)
    rng = random.Random(5)
    programs = 0
    for _ in range(400):
        result = reward_slots.expand(grammar.sample(rng), scene, previous=before)
        if isinstance(result, RewardProgram):
            assert not check(result, reward_slots.vocabulary(scene))
            programs += 1
    assert programs > 60
