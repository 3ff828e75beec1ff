from __future__ import annotations

import numpy as np
import pytest
from embodied_planners.motion import MotionPlanner
from embodied_planners.motion.planner import interpolate_pose

from embodied.types import Pose

DOWN = np.array([0.0, 1.0, 0.0, 0.0])


@pytest.fixture
def cell(blocks):
    cell = blocks()
    cell.planner.scene.update(cell.observation)
    return cell


def down_at(x: float, y: float, z: float, yaw: float = 0.0) -> Pose:
    turn = Pose(position=np.zeros(3), quat_wxyz=np.array([np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]))
    return Pose(
        position=np.array([x, y, z]),
        quat_wxyz=(turn @ Pose(position=np.zeros(3), quat_wxyz=DOWN)).quat_wxyz,
    )


def test_kinematics_agree_with_the_world(cell):
    pose = cell.planner.kinematics.pose(cell.observation.q)
    measured = cell.observation.pose_ee_in_world
    assert np.allclose(pose.position, measured.position, atol=1e-9)
    assert abs(pose.quat_wxyz @ measured.quat_wxyz) == pytest.approx(1.0)


def test_jacobian_is_the_derivative_of_the_pose(cell):
    kinematics, q = cell.planner.kinematics, np.array(cell.observation.q) + 0.1
    J = kinematics.jacobian(q)
    assert J.shape == (6, 7)
    h = 1e-6
    for i in range(7):
        step = np.eye(7)[i] * h
        a, b = kinematics.matrix(q - step), kinematics.matrix(q + step)
        assert np.allclose((b[:3, 3] - a[:3, 3]) / (2 * h), J[:3, i], atol=1e-6)
        spin = (b[:3, :3] - a[:3, :3]) / (2 * h) @ kinematics.matrix(q)[:3, :3].T
        assert np.allclose([spin[2, 1], spin[0, 2], spin[1, 0]], J[3:, i], atol=1e-6)


def test_ik_reaches_poses_all_over_the_table_inside_the_limits(cell):
    planner, rng = cell.planner, np.random.default_rng(0)
    found = 0
    for _ in range(60):
        radius, angle = rng.uniform(0.32, 0.68), rng.uniform(-1.1, 1.1)
        pose = down_at(
            radius * np.cos(angle),
            radius * np.sin(angle),
            rng.uniform(0.02, 0.3),
            rng.uniform(-1, 1),
        )
        result = planner.ik(pose)
        if not result.found:
            continue
        found += 1
        reached = planner.kinematics.pose(result.q)
        assert np.linalg.norm(reached.position - pose.position) < 5e-4
        assert abs(reached.quat_wxyz @ pose.quat_wxyz) > 1 - 1e-5
        assert np.all(result.q > planner.spec.q_lower) and np.all(result.q < planner.spec.q_upper)
    assert found >= 58


def test_unreachable_pose_says_how_far_off_it_is(cell):
    result = cell.planner.ik(down_at(1.4, 0.0, 0.3))
    assert not result.found
    assert result.position_error_m > 0.3


def test_collisions_are_seen_and_named(cell):
    planner = cell.planner
    clearance = planner.scene.clearance(padding_m=0.002)
    blue = cell.observation.poses["blue-block"].position
    planner.scene.set_gap(0.02)
    inside = planner.ik(down_at(*blue[:2], 0.03))
    assert inside.found
    assert not planner.scene.valid(inside.q, clearance)
    assert "blue-block" in planner.explain(inside.q, clearance)
    assert not planner.ik(down_at(*blue[:2], 0.03), clearance).found
    low = planner.ik(down_at(0.5, 0.0, 0.002))
    assert "table" in planner.explain(low.q, clearance)
    assert planner.scene.valid(planner.spec.q_home, clearance)


def test_padding_widens_what_counts_as_too_close(cell):
    scene, planner = cell.planner.scene, cell.planner
    hover = planner.ik(down_at(0.5, 0.0, 0.02))  # finger tips about 11 mm above the table
    assert hover.found
    assert scene.valid(hover.q, scene.clearance(padding_m=0.005))
    assert not scene.valid(hover.q, scene.clearance(padding_m=0.02))
    allowed = scene.clearance(
        padding_m=0.02, allow=[(("hand", "left_finger", "right_finger"), ("table",))]
    )
    assert scene.valid(hover.q, allowed)
    assert scene.valid(hover.q, scene.relaxed(scene.clearance(padding_m=0.02), hover.q))
    with pytest.raises(ValueError, match="at most"):
        scene.clearance(padding_m=1.0)


def test_a_held_item_collides_too(cell):
    scene, planner = cell.planner.scene, cell.planner
    clearance = scene.clearance(padding_m=0.002)
    scene.move("red-block", down_at(0.35, -0.2, 0.0225))
    above = planner.ik(down_at(0.5, 0.0, 0.05))
    assert scene.valid(above.q, clearance)
    scene.hold("red-block", Pose(position=np.array([0.0, 0.0, 0.03]), quat_wxyz=DOWN))
    clearance = scene.clearance(padding_m=0.002)
    assert not scene.valid(above.q, clearance)
    assert ("red-block", "table") in scene.obstacles(above.q, clearance)
    with pytest.raises(ValueError, match="movable items are"):
        scene.hold("table", Pose(position=np.zeros(3), quat_wxyz=DOWN))


def test_line_is_straight_and_its_end_exact(cell):
    planner = cell.planner
    clearance = planner.scene.clearance(padding_m=0.002)
    start = planner.ik(down_at(0.5, -0.1, 0.2))
    target = down_at(0.5, 0.1, 0.3, 0.5)
    line = planner.line(start.q, target, clearance)
    assert line.found
    first = planner.kinematics.pose(start.q)
    for k, q in enumerate(line.path):
        wanted = interpolate_pose(first, target, k / (len(line.path) - 1))
        assert np.linalg.norm(planner.kinematics.pose(q).position - wanted.position) < 5e-4


def test_line_into_the_table_and_out_of_reach_has_a_reason(cell):
    planner = cell.planner
    clearance = planner.scene.clearance(padding_m=0.002)
    start = planner.ik(down_at(0.5, 0.0, 0.1)).q
    into = planner.line(start, down_at(0.5, 0.0, -0.05), clearance, label="down")
    assert not into.found
    assert into.reason.startswith("down: ") and "table" in into.reason
    away = planner.line(start, down_at(1.3, 0.0, 0.1), clearance)
    assert not away.found
    assert "out of reach" in away.reason or "reconfigure" in away.reason


def tower_between(blocks):
    """A wall of blocks between two poses, seen from the arm."""
    cell = blocks(
        red_block=(0.5, -0.024),
        green_block=(0.5, 0.024),
        blue_block=(0.5, -0.024, 0.0685),
        yellow_block=(0.5, 0.024, 0.0685),
        orange_block=(0.5, -0.024, 0.114),
        purple_block=(0.5, 0.024, 0.114),
    )
    cell.planner.scene.update(cell.observation)
    return cell


def test_transit_goes_around_a_wall_of_blocks_with_clearance(blocks):
    cell = tower_between(blocks)
    planner = cell.planner
    clearance = planner.scene.clearance(padding_m=0.01)
    start = planner.ik(down_at(0.5, -0.16, 0.03), clearance).q
    goal = planner.ik(down_at(0.5, 0.16, 0.03), clearance).q
    way = planner.transit(start, goal, clearance)
    assert way.found and len(way.path) > 2
    trajectory = planner.trajectory([way])
    for q in trajectory.q:
        assert planner.scene.valid(q, planner.scene.clearance(padding_m=0.006))
    assert np.allclose(trajectory.q[0], start)
    assert np.allclose(trajectory.q[-1], goal)


def test_equal_seeds_plan_equal_paths(blocks):
    def plan(seed: int) -> np.ndarray:
        cell = tower_between(blocks)
        planner = MotionPlanner(cell.planner.scene.model, cell.world.spec, seed)
        planner.scene.update(cell.observation)
        clearance = planner.scene.clearance(padding_m=0.01)
        start = planner.ik(down_at(0.5, -0.16, 0.03), clearance).q
        return planner.transit(start, planner.ik(down_at(0.5, 0.16, 0.03)).q, clearance).path

    assert np.array_equal(plan(5), plan(5))


def test_transit_from_and_into_collision_is_refused_by_name(cell):
    planner = cell.planner
    clearance = planner.scene.clearance(padding_m=0.01)
    under = planner.ik(down_at(0.5, 0.0, -0.05)).q
    refused = planner.transit(planner.spec.q_home, under, clearance)
    assert not refused.found
    assert refused.reason.startswith("the goal: ") and "table" in refused.reason
    assert planner.transit(under, planner.spec.q_home, clearance).reason.startswith("the start: ")


def test_trajectory_passes_its_corner_without_stopping_and_inside_the_limits(cell):
    planner = cell.planner
    clearance = planner.scene.clearance(padding_m=0.005)
    end = planner.ik(down_at(0.5, 0.05, 0.03)).q
    down = planner.line(end, down_at(0.5, 0.05, 0.12), clearance).reversed()
    way = planner.transit(planner.spec.q_home, down.path[0], clearance)
    trajectory = planner.trajectory([way, down])
    fastest = np.max(np.abs(trajectory.dq), axis=1)
    assert np.min(fastest[5:-5]) > 0.02
    limits = planner.limits
    assert np.all(np.abs(trajectory.dq) <= 1.03 * limits.dq)
    assert np.all(np.abs(trajectory.ddq) <= 1.05 * limits.ddq)
    with pytest.raises(ValueError, match="start where"):
        planner.trajectory([down, way])
