from __future__ import annotations

import numpy as np
import pytest
from embodied_planners.skills.geometry import (
    Footprints,
    bottom_z,
    half_extent,
    top_z,
    upright,
    yaw_rotation,
)
from embodied_planners.skills.placements import free_spots, stack_poses
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.types import ObjectSpec, Pose

BLOCK = ObjectSpec(name="a", kind="item", category="block", size_m=(0.04, 0.04, 0.04))


def rectangles(*rows: tuple[float, float, float, float, float]) -> Footprints:
    """Rectangles as (x, y, half x, half y, yaw)."""
    data = np.array(rows)
    return Footprints(
        center=data[:, :2],
        axes=np.stack([yaw_rotation(a)[:2, :2].T for a in data[:, 4]]),
        half=data[:, 2:4],
        top=np.ones(len(rows)),
        bottom=np.zeros(len(rows)),
        body=("x",) * len(rows),
    )


def test_gap_of_aligned_rectangles_is_their_distance():
    found = rectangles((0.0, 0.0, 0.1, 0.2, 0.0))
    points = np.array([[0.3, 0.0], [0.0, 0.5], [0.05, 0.0]])
    gaps = found.gaps(points, np.eye(2), np.array([0.05, 0.05]))
    assert gaps == pytest.approx([0.15, 0.25, -0.1])
    assert np.isinf(found.select([]).gaps(points, np.eye(2), np.array([0.05, 0.05]))).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.floats(-3, 3), st.floats(-3, 3))
def test_gap_is_positive_exactly_when_apart(x: float, y: float, a: float, b: float):
    found = rectangles((0.0, 0.0, 0.1, 0.15, a))
    axes = yaw_rotation(b)[:2, :2].T
    gap = found.gaps(np.array([[x, y]]), axes, np.array([0.08, 0.05]))[0]
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41)), -1).reshape(-1, 2)
    points = np.array([x, y]) + (grid * [0.08, 0.05]) @ axes
    local = np.abs(points @ found.axes[0].T) - found.half[0]
    inside = bool(np.any(np.all(local < 0, axis=1)))
    distance = float(np.min(np.linalg.norm(np.maximum(local, 0), axis=1)))
    assert not (inside and gap > 1e-9)
    assert gap <= distance + 1e-9 or gap <= 0
    if distance > 0.01:
        assert gap > 0


def test_upright_turns_the_nearest_axis_vertical():
    tilted = yaw_rotation(0.4) @ np.array(
        [[1, 0, 0], [0, np.cos(0.2), -np.sin(0.2)], [0, np.sin(0.2), np.cos(0.2)]]
    )
    fixed = upright(tilted)
    assert np.max(np.abs(fixed[2])) == pytest.approx(1.0)
    angle = np.arccos((np.trace(tilted.T @ fixed) - 1) / 2)
    assert angle == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize("yaw_below", [0.0, 0.5, -1.2])
def test_stacking_aligns_boxes_with_the_least_turn(yaw_below: float):
    below = Pose.from_rotation(yaw_rotation(yaw_below), np.array([0.5, 0.1, 0.02]))
    held = Pose.from_rotation(yaw_rotation(0.3), np.array([0.4, 0.0, 0.3]))
    pose = stack_poses(BLOCK, held, BLOCK, below)
    assert pose.position[:2] == pytest.approx(below.position[:2])
    assert 0 < bottom_z(BLOCK, pose) - top_z(BLOCK, below) < 0.003
    relative = below.rotation.T @ pose.rotation
    assert np.max(np.abs(relative[:, 0])) == pytest.approx(1.0)
    turn = np.arccos(np.clip((np.trace(held.rotation.T @ pose.rotation) - 1) / 2, -1, 1))
    assert turn <= np.pi / 4 + 1e-6


def test_extents_of_tilted_things():
    corner = Pose(
        position=np.zeros(3), quat_wxyz=np.array([np.cos(np.pi / 8), np.sin(np.pi / 8), 0, 0])
    )
    up = np.array([0.0, 0.0, 1.0])
    assert half_extent(BLOCK, corner, up) == pytest.approx(0.02 * np.sqrt(2))
    can = ObjectSpec(
        name="c", kind="item", category="c", size_m=(0.06, 0.06, 0.1), shape="cylinder"
    )
    assert half_extent(can, corner, up) == pytest.approx((0.03 + 0.05) * np.sqrt(0.5))
    ball = ObjectSpec(name="s", kind="item", category="s", size_m=(0.06,) * 3, shape="sphere")
    assert half_extent(ball, corner, up) == 0.03


def spots(cell, support: str, **options):
    cell.planner.scene.update(cell.observation)
    options = {"gap_m": 0.006, "wanted_gap_m": 0.05, **options}
    return free_spots(
        cell.planner.scene, cell.world.spec, cell.observation, "red-block", support, **options
    )


def test_spots_on_the_table_are_free_and_have_room(blocks):
    cell = blocks()
    found = spots(cell, "table")
    assert len(found) > 20
    others = [np.array(p.position[:2]) for n, p in cell.observation.poses.items() if "block" in n]
    others = [o for o in others if np.linalg.norm(o - cell.position("red-block")[:2]) > 1e-6]
    for spot in found:
        x, y, z = spot.pose_item_in_world.position
        assert 0.022 < z < 0.026
        assert min(np.linalg.norm([x, y] - o) for o in others) > 0.045
        assert not (abs(x - 0.45) < 0.12 and abs(y - 0.40) < 0.12)  # not in the bin
    assert found[0].gap_m > 0.045


def test_spots_on_a_full_tray_are_none(blocks):
    tray = {"x": 0.45, "y": -0.40}
    grid = [(tray["x"] + dx, tray["y"] + dy) for dx in (-0.06, 0.0, 0.06) for dy in (-0.05, 0.05)]
    names = ["green_block", "blue_block", "yellow_block", "orange_block", "purple_block"]
    cell = blocks(**{n: (*xy, 0.035) for n, xy in zip(names, grid, strict=False)})
    assert len(spots(cell, "tray")) < len(spots(blocks(), "tray"))
    assert spots(cell, "tray", gap_m=0.05) == []


def test_four_packed_blocks_in_the_bin_leave_room_for_fingers(blocks):
    placed: dict[str, tuple[float, ...]] = {}
    for name in ("green_block", "blue_block", "yellow_block", "orange_block"):
        found = spots(blocks(**placed), "bin", gap_m=0.012, wanted_gap_m=0.027, pack=True)
        assert found[0].gap_m > 0.026
        placed[name] = tuple(float(x) for x in found[0].pose_item_in_world.position)
