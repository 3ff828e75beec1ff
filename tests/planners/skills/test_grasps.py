from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from embodied_planners.motion.jaws import jaw_shift
from embodied_planners.skills.grasps import (
    TILTS_RAD,
    closing_directions,
    grasp_candidates,
    grasp_frame,
    held_between_pads,
)

from embodied.types import GripperSpec, GripperState, ObjectSpec, Pose

GRIPPER = GripperSpec(max_width_m=0.08, max_force_n=70.0, pad_size_m=(0.006, 0.02, 0.0184))
BLOCK = ObjectSpec(name="red-block", kind="item", category="block", size_m=(0.045, 0.045, 0.045))


def yawed(x: float, y: float, z: float, yaw: float) -> Pose:
    return Pose(
        position=np.array([x, y, z]),
        quat_wxyz=np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]),
    )


@pytest.mark.parametrize("tilt", [0.0, 0.4])
def test_frame_closes_along_the_direction_and_looks_down(tilt: float):
    closing = np.array([0.6, 0.8, 0.0])
    R = grasp_frame(closing, tilt)
    assert pytest.approx(np.eye(3), abs=1e-12) == R.T @ R
    assert np.linalg.det(R) == pytest.approx(1.0)
    assert R[:, 1] == pytest.approx(closing)
    assert R[2, 2] == pytest.approx(-np.cos(tilt))


def test_boxes_are_closed_on_along_their_faces():
    box = ObjectSpec(name="b", kind="item", category="b", size_m=(0.1, 0.05, 0.03))
    found = list(closing_directions(box, yawed(0.4, 0, 0.02, 0.3)))
    assert sorted(width for _, _, width in found) == [0.05, 0.1]
    for closing, along, _ in found:
        assert closing @ along == pytest.approx(0.0, abs=1e-9)
    # standing on its end, its long side is vertical
    quarter = np.array([np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0])
    standing = Pose(position=np.array([0.4, 0.0, 0.05]), quat_wxyz=quarter)
    assert sorted(w for _, _, w in closing_directions(box, standing)) == [0.03, 0.05]


def test_round_things_are_closed_on_from_all_sides_and_lying_ones_across():
    can = ObjectSpec(
        name="c", kind="item", category="c", size_m=(0.056, 0.056, 0.09), shape="cylinder"
    )
    assert len(list(closing_directions(can, yawed(0.4, 0, 0.05, 0.0)))) == 8
    quarter = np.array([np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0])
    lying = Pose(position=np.array([0.4, 0.0, 0.028]), quat_wxyz=quarter)
    ((closing, _, width),) = closing_directions(can, lying)
    assert abs(closing @ lying.rotation[:, 2]) < 1e-9
    assert width == 0.056


def candidates(cell, tilts=(0.0,)):
    cell.planner.scene.update(cell.observation)
    return grasp_candidates(
        cell.world.spec.objects["red-block"],
        cell.observation.poses["red-block"],
        cell.world.spec.gripper,
        cell.planner.scene,
        cell.observation.pose_ee_in_world,
        tilts,
    )


def test_a_free_block_is_grasped_around_its_middle(blocks):
    cell = blocks(red_block=(0.5, -0.05, 0.023, 0.3))
    found = candidates(cell)
    best = found[0]
    assert best.width_m == pytest.approx(0.045)
    assert best.pose_ee_in_world.position == pytest.approx([0.5, -0.05, 0.0225], abs=0.002)
    assert not best.fingertip
    assert best.clearance_m > 0.006
    side = cell.observation.poses["red-block"].rotation.T @ best.pose_ee_in_world.rotation[:, 1]
    assert np.max(np.abs(side)) == pytest.approx(1.0, abs=1e-3)
    assert any(g.pose_ee_in_world.rotation[2, 2] > -0.99 for g in candidates(cell, TILTS_RAD))


def test_neighbours_on_two_sides_leave_one_axis(blocks):
    cell = blocks(red_block=(0.5, 0.0), green_block=(0.5, 0.05), blue_block=(0.5, -0.05))
    deep = [g for g in candidates(cell) if g.pose_ee_in_world.position[2] < 0.03]
    assert deep
    for grasp in deep:
        assert abs(grasp.pose_ee_in_world.rotation[0, 1]) > 0.99


def test_neighbours_on_all_sides_leave_no_deep_grasp(blocks):
    cell = blocks(
        red_block=(0.5, 0.0),
        green_block=(0.5, 0.05),
        blue_block=(0.5, -0.05),
        yellow_block=(0.45, 0.0),
        orange_block=(0.55, 0.0),
    )
    assert all(g.pose_ee_in_world.position[2] > 0.045 for g in candidates(cell))


@pytest.mark.parametrize(
    ("offset", "width", "problem"),
    [
        ((0.0, 0.0, 0.0), 0.045, ""),
        ((0.0, 0.0, 0.015), 0.0445, ""),
        ((0.0, 0.0, 0.0), 0.0, "nothing between"),
        ((0.0, 0.0, 0.0), 0.07, "hold 70 mm where 45"),
        ((0.0, 0.0, 0.1), 0.045, "100 mm from the middle"),
        ((0.0, 0.03, 0.0), 0.045, "30 mm from the middle"),
    ],
)
def test_a_grasp_is_judged_by_width_and_pose(offset, width: float, problem: str):
    ee = Pose(position=np.array([0.5, 0.0, 0.1]), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))
    item = Pose(position=ee.apply(offset), quat_wxyz=ee.quat_wxyz)
    found = held_between_pads(BLOCK, ee, item, GripperState(width_m=width), GRIPPER, 0.045)
    assert problem in found
    assert bool(found) == bool(problem)


CUP = GripperSpec(
    max_width_m=0.02, max_force_n=30.0, pad_size_m=(0.028, 0.028, 0.012), kind="suction", joints=()
)


@pytest.mark.parametrize(
    ("below_m", "force_n", "problem"),
    [(0.0225, 20.0, ""), (0.0225, 0.0, "touches nothing"), (0.06, 20.0, "from the suction cup")],
)
def test_what_hangs_on_a_cup_is_judged_by_force_and_pose(
    below_m: float, force_n: float, problem: str
) -> None:
    ee = Pose(position=np.array([0.5, 0.0, 0.1]), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))
    item = Pose(position=np.array([0.5, 0.0, 0.1 - below_m]), quat_wxyz=ee.quat_wxyz)
    state = GripperState(width_m=0.0, force_n=force_n)
    found = held_between_pads(BLOCK, ee, item, state, CUP)
    assert problem in found
    assert bool(found) == bool(problem)


def test_the_still_jaw_stays_beside_a_thing() -> None:
    """Its face is 3 mm beside the thing's side, whatever the width; both move without a jaw."""
    jaw = replace(GRIPPER, kind="jaw", fixed_side_m=0.015)
    turned = grasp_frame(np.array([0.6, 0.8, 0.0]), 0.0)
    for width in (0.02, 0.05):
        ee = jaw_shift(jaw, turned, width)
        face = ee - jaw.fixed_side_m * turned[:, 1]
        assert float(face @ turned[:, 1]) == pytest.approx(-width / 2 - 0.003)
    assert not jaw_shift(GRIPPER, turned, 0.03).any()
