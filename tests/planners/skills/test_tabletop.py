from __future__ import annotations

import numpy as np
import pytest

from embodied.types import ControlStatus, GripperGoal, GroundAction, PathGoal
from embodied.world.grounding import TabletopGrounder


def facts(cell) -> set[str]:
    return {str(a) for a in TabletopGrounder(cell.world.spec).facts(cell.observation)}


def touching(cell, body: str) -> set[str]:
    """Bodies in contact with a body."""
    model, found = cell.world.model, set()
    for geoms in cell.world.data.contact.geom:
        names = [model.body(int(model.geom_bodyid[g])).name for g in geoms]
        if body in names:
            found |= set(names) - {body}
    return found


def assert_within_limits(cell) -> None:
    assert 0.1 < cell.dq_share < 1.0
    assert cell.tau_share < 1.0
    assert cell.deepest_link_m < 0.0  # links and hand never touched anything


def test_pick_holds_by_both_fingers_and_nothing_else(blocks):
    cell = blocks(red_block=(0.5, -0.05, 0.023, 0.4))
    result = cell.act("(pick red-block table)")
    assert result.ok, result.reason
    assert touching(cell, "red-block") == {"left_finger", "right_finger"}
    assert cell.position("red-block")[2] > 0.1
    assert "(holding red-block)" in facts(cell)
    assert_within_limits(cell)


def test_place_on_the_tray_and_the_table(blocks):
    cell = blocks(red_block=(0.5, -0.05))
    for pick, place, support in (
        ("(pick red-block table)", "(place red-block tray)", "tray"),
        ("(pick red-block tray)", "(place red-block table)", "table"),
    ):
        assert cell.act(pick).ok
        result = cell.act(place)
        assert result.ok, result.reason
        assert touching(cell, "red-block") <= {support}
        assert {f"(on red-block {support})", "(hand-empty)"} <= facts(cell)
    assert_within_limits(cell)


def test_a_tower_of_three_is_straight_and_comes_down_again(blocks):
    cell = blocks(red_block=(0.48, -0.08, 0.023, 0.7), green_block=(0.5, 0.05, 0.023, -0.4))
    for action in (
        "(pick green-block table)",
        "(stack green-block blue-block)",
        "(pick red-block table)",
        "(stack red-block green-block)",
    ):
        result = cell.act(action)
        assert result.ok, (action, result.reason)
    blue, green, red = (cell.position(f"{c}-block") for c in ("blue", "green", "red"))
    assert np.linalg.norm(green[:2] - blue[:2]) < 0.003
    assert np.linalg.norm(red[:2] - green[:2]) < 0.003
    assert {"(on red-block green-block)", "(on green-block blue-block)"} <= facts(cell)
    assert cell.act("(unstack red-block green-block)").ok
    assert cell.act("(place red-block table)").ok
    assert {"(on red-block table)", "(on green-block blue-block)"} <= facts(cell)
    assert_within_limits(cell)


def test_put_in_the_bin_and_take_out_again(blocks):
    cell = blocks()
    for action in (
        "(pick red-block table)",
        "(put-in red-block bin)",
        "(pick green-block table)",
        "(put-in green-block bin)",
    ):
        result = cell.act(action)
        assert result.ok, (action, result.reason)
    assert {"(in red-block bin)", "(in green-block bin)"} <= facts(cell)
    result = cell.act("(take-out red-block bin)")
    assert result.ok, result.reason
    assert {"(holding red-block)", "(in green-block bin)"} <= facts(cell)
    assert_within_limits(cell)


def test_drawer_opens_takes_something_and_closes(scene_cell):
    cell = scene_cell("kitchen", seed=1)
    travel = cell.world.spec.objects["drawer"].travel_m
    if cell.observation.openings_m["drawer"] > 0.01:
        assert cell.act("(close drawer)").ok
    result = cell.act("(open drawer)")
    assert result.ok, result.reason
    assert cell.observation.openings_m["drawer"] > 0.8 * travel
    assert cell.act("(close drawer)").ok
    assert cell.observation.openings_m["drawer"] < 0.012
    assert cell.tau_share < 1.0
    assert cell.deepest_link_m < 0.0


def test_a_block_among_neighbours_is_freed_by_pushing(blocks):
    ring = {
        "green_block": (0.5, 0.048),
        "blue_block": (0.5, -0.048),
        "yellow_block": (0.452, 0.0),
        "orange_block": (0.548, 0.0),
    }
    cell = blocks(red_block=(0.5, 0.0), **ring)
    before = {n: cell.position(n.replace("_", "-")) for n in ring}
    result = cell.act("(pick red-block table)")
    assert result.ok, result.reason
    assert any(goal.label.startswith("push") for goal in cell.goals)
    moved = [
        float(np.linalg.norm(cell.position(n.replace("_", "-")) - p)) for n, p in before.items()
    ]
    assert max(moved) > 0.02
    assert "(holding red-block)" in facts(cell)
    assert cell.deepest_link_m < 0.0


def test_home_is_the_rest_configuration_from_anywhere(blocks):
    cell = blocks()
    cell.act("(pick red-block table)")
    skill = cell.skills.home(cell.observation)
    goal = next(skill)
    assert cell.control(goal) is ControlStatus.REACHED
    with pytest.raises(StopIteration) as end:
        skill.send(cell.observation)
    assert end.value.value.ok
    assert cell.observation.q == pytest.approx(cell.world.spec.q_home, abs=0.006)
    assert "(holding red-block)" in facts(cell)
    with pytest.raises(StopIteration):  # nothing to do
        next(cell.skills.home(cell.observation))


def test_what_is_out_of_reach_is_said_with_numbers(blocks):
    cell = blocks(red_block=(0.84, 0.3))
    result = cell.act("(pick red-block table)")
    assert not result.ok
    assert "out of reach" in result.reason
    assert cell.goals == []  # nothing moved


def test_putting_down_what_is_not_held_is_refused(blocks):
    cell = blocks()
    result = cell.act("(place red-block table)")
    assert not result.ok and not result.retry
    assert "not in the hand" in result.reason
    assert cell.goals == []


def test_a_missed_grasp_is_measured(blocks):
    """The block is gone when the fingers close: the skill sees it and lets go."""
    cell = blocks(red_block=(0.5, 0.0))
    skill = cell.skills.start(
        GroundAction.parse("(pick red-block table)"), cell.observation, attempt=0
    )
    goal = next(skill)
    assert isinstance(goal, PathGoal)
    cell.control(goal)
    joint = cell.world.model.joint("red-block")
    cell.world.data.qpos[int(joint.qposadr[0]) + 1] += 0.2  # somebody takes it away
    goal = skill.send(cell.world.observe())
    assert isinstance(goal, GripperGoal)
    with pytest.raises(StopIteration) as end:
        while True:
            cell.control(goal)
            goal = skill.send(cell.observation)
    assert not end.value.value.ok
    assert "nothing between" in end.value.value.reason
    assert cell.observation.gripper.width_m > 0.06


def test_attempts_choose_other_grasps(blocks):
    cell = blocks(red_block=(0.5, 0.0))

    def approach(attempt: int) -> np.ndarray:
        skill = cell.skills.start(
            GroundAction.parse("(pick red-block table)"), cell.observation, attempt=attempt
        )
        goal = next(skill)
        assert isinstance(goal, PathGoal)
        return goal.trajectory.q[-1]

    assert np.max(np.abs(approach(0) - approach(1))) > 0.1


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        ("(juggle red-block)", "no skill for .*pick, unstack, take-out, place, stack, put-in"),
        ("(pick red-block)", "takes 2 arguments"),
        ("(pick unicorn table)", "names unicorn: the objects of this world are .*red-block"),
    ],
)
def test_impossible_actions_are_refused_by_name(blocks, action: str, problem: str):
    cell = blocks()
    with pytest.raises(ValueError, match=problem):
        cell.skills.start(GroundAction.parse(action), cell.observation, attempt=0)
