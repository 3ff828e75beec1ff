from __future__ import annotations

import pytest

from embodied.language.reward.hand_building import (
    flipping,
    grasping,
    lifting_thing,
    lifting_two,
    moving,
    uprighting,
)
from embodied.types import RewardStage

GRASPS = {
    "grasp": grasping("apple"),
    "lift": lifting_thing("apple", 0.3),
    "move": moving("box", "cup"),
    "upright": uprighting("cup"),
    "flip": flipping("box"),
    "two": lifting_two("box", "cup"),
}


def total(stage: RewardStage, term: str) -> float:
    return sum(t.weight for t in stage.terms if t.name == term)


def closes(stage: RewardStage) -> bool:
    return any(t.name == "hand_closure" and t.parameters["fraction"] == 1.0 for t in stage.terms)


@pytest.mark.parametrize("stages", GRASPS.values(), ids=GRASPS)
def test_the_hand_closes_once_and_lets_go_only_of_what_is_put_down(
    stages: tuple[RewardStage, ...],
) -> None:
    first = next(i for i, s in enumerate(stages) if closes(s))
    held = stages[first:-1] if stages is GRASPS["upright"] else stages[first:]
    assert not any(closes(s) for s in stages[:first])
    assert all(closes(s) for s in held)


def test_what_is_put_down_is_let_go_when_it_stands_and_taken_again_when_it_falls() -> None:
    *_, lowering, release = uprighting("cup")
    assert lowering.until is not None and lowering.until.sensor == "object_height"
    assert not closes(release)
    (guard,) = release.guards
    assert guard.condition.sensor == "object_tilt" and guard.back == len(GRASPS["upright"]) - 1


def test_fingers_close_across_a_lying_thing_and_along_two() -> None:
    for stages, term in ((GRASPS["upright"], "closing_across"), (GRASPS["two"], "closing_along")):
        first = next(i for i, s in enumerate(stages) if closes(s))
        assert all(total(stage, term) > 0 for stage in stages[: first + 1])


def test_between_two_things_the_arm_rests_and_stays_down_while_the_fingers_close() -> None:
    first = next(i for i, s in enumerate(GRASPS["two"]) if closes(s))
    closing, others = GRASPS["two"][first], (*GRASPS["two"][:first], *GRASPS["two"][first + 1 :])
    assert total(closing, "stillness") > 2 * max(total(s, "stillness") for s in others)
    assert total(closing, "distance") == 60.0


@pytest.mark.parametrize("stages", GRASPS.values(), ids=GRASPS)
def test_what_slips_is_taken_again_with_an_open_hand(stages: tuple[RewardStage, ...]) -> None:
    for i, stage in enumerate(stages):
        for guard in stage.guards:
            assert guard.back <= i
            if guard.condition.sensor == "distance":
                assert not closes(stages[i - guard.back])
