from __future__ import annotations

import numpy as np
import pytest
from embodied_planners.motion import JointLimits
from embodied_planners.value_map import ObjectGeometry
from embodied_planners.value_map.arm import ArmChecker, ArmPath
from embodied_planners.value_map.timing import TURN_RAD_S, along, time_way

from embodied.routes.value_map.setup import arm_model
from embodied.types import Pose, WorldSpec
from embodied.world import robots
from embodied.world.builder import build_spec
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

DOWN = np.array([0.0, 1.0, 0.0, 0.0])


@pytest.fixture(scope="module")
def spec() -> WorldSpec:
    return build_world(load_scene("blocks")).spec


@pytest.fixture(scope="module")
def checker(spec: WorldSpec) -> ArmChecker:
    return ArmChecker(
        arm_model(load_scene("blocks"), lambda s: build_spec(s, robots.load("fr3"))), spec
    )


def line(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    path = np.linspace(a, b, 40)
    return path, np.repeat(DOWN[None], len(path), axis=0)


def box(
    x: float, y: float, z: float, size: tuple[float, float, float] = (0.1, 0.1, 0.1)
) -> ObjectGeometry:
    return ObjectGeometry(
        pose=Pose(position=np.array([x, y, z]), quat_wxyz=np.array([1.0, 0, 0, 0])), size_m=size
    )


def follow(checker: ArmChecker, spec: WorldSpec, end: tuple[float, ...], **things: ObjectGeometry):
    checker.look(things, 0.08)
    start = tuple(checker.kinematics.pose(spec.q_home).position)
    return checker.follow(*line(start, end), spec.q_home, checker.clearance(spec.q_home))


def test_configurations_lie_on_the_way(checker: ArmChecker, spec: WorldSpec) -> None:
    arm = follow(checker, spec, (0.5, 0.2, 0.2))
    assert arm.found
    path, _ = line(tuple(checker.kinematics.pose(spec.q_home).position), (0.5, 0.2, 0.2))
    for q, i in zip(arm.q, arm.at, strict=True):
        np.testing.assert_allclose(checker.kinematics.pose(q).position, path[i], atol=1.2e-3)


def test_out_of_reach_says_where(checker: ArmChecker, spec: WorldSpec) -> None:
    arm = follow(checker, spec, (0.88, 0.45, 0.4))
    assert not arm.found
    assert "out of reach" in arm.reason


@pytest.mark.parametrize("shape", ["box", "cylinder", "sphere"])
def test_what_is_seen_is_in_the_way_with_its_own_size(
    checker: ArmChecker, spec: WorldSpec, shape: str
) -> None:
    def thing(size: float) -> ObjectGeometry:
        pose = box(0.5, 0.2, 0.0).pose
        return ObjectGeometry(pose=pose, size_m=(size,) * 3, shape=shape)

    end = (0.5, 0.2, 0.2)
    assert follow(checker, spec, end, small=thing(0.1)).found
    blocked = follow(checker, spec, end, big=thing(0.42))
    assert not blocked.found
    assert "would hit big" in blocked.reason
    assert follow(checker, spec, end, small=thing(0.1)).found  # nothing is left behind


def test_the_forearm_counts_too(checker: ArmChecker, spec: WorldSpec) -> None:
    """A bar above and behind the way, where no point of the hand ever is."""
    end = (0.62, 0.0, 0.12)
    path, quats = line((0.45, 0.0, 0.12), end)
    first = checker.kinematics.solve(Pose(position=path[0], quat_wxyz=DOWN), spec.q_home)
    assert first.found
    checker.look({}, 0.08)
    assert checker.follow(path, quats, first.q, checker.clearance(first.q)).found
    checker.scene.place_robot(checker.follow(path, quats, first.q, None).q[-1])
    model, data = checker.scene.model, checker.scene.data
    forearm = data.xpos[model.body("link5").id]
    bar = box(*forearm, (0.05, 0.05, 0.05))
    checker.look({"bar": bar}, 0.08)
    blocked = checker.follow(path, quats, first.q, checker.clearance(spec.q_home))
    assert not blocked.found
    assert "link" in blocked.reason


def straight_arm(n: int) -> ArmPath:
    """A made-up arm whose first joint moves one radian per metre of the way."""
    q = np.zeros((n, 2))
    q[:, 0] = np.linspace(0.0, 0.4, n)
    return ArmPath(q=q, at=np.arange(n))


LIMITS = JointLimits(dq=np.full(2, 2.0), ddq=np.full(2, 8.0), dddq=np.full(2, 1e3))


def test_a_trajectory_keeps_the_speeds_of_the_way() -> None:
    path, quats = line((0.0, 0.0, 0.0), (0.4, 0.0, 0.0))
    speeds = np.where(path[:, 0] < 0.2, 0.25, 0.05)
    result = time_way(path, quats, speeds, straight_arm(40), LIMITS, dt=0.01)
    place, speed = result.q[:, 0], np.abs(result.dq[:, 0])
    assert place[0] == 0.0 and place[-1] == pytest.approx(0.4)
    assert speed[0] == 0.0 and speed[-1] == 0.0
    assert speed.max() == pytest.approx(0.25, rel=0.03)
    assert speed[place > 0.205].max() < 0.0525
    np.testing.assert_allclose(np.gradient(place, 0.01)[2:-2], speed[2:-2], atol=5e-3)
    assert np.abs(np.diff(speed)).max() / 0.01 < 1.5  # no jumps


def test_a_trajectory_goes_on_at_the_present_speed() -> None:
    path, quats = line((0.0, 0.0, 0.0), (0.4, 0.0, 0.0))
    result = time_way(
        path, quats, np.full(40, 0.25), straight_arm(40), LIMITS, dt=0.01, speed_now_m_s=0.2
    )
    assert result.dq[0, 0] == pytest.approx(0.2, rel=0.05)
    assert result.dq[1:5, 0].min() > 0.19


def test_a_turn_in_place_takes_its_time() -> None:
    path = np.zeros((20, 3))
    half = np.linspace(0.0, np.pi / 4, 20)
    quats = np.stack([np.cos(half), np.sin(half), 0 * half, 0 * half], axis=1)
    q = np.stack([2 * half, 0 * half], axis=1)
    ell, share = along(path, quats)
    assert np.all(share == 0.0) and ell[-1] == pytest.approx(np.pi / 8)
    result = time_way(
        path, quats, np.full(20, 0.25), ArmPath(q=q, at=np.arange(20)), LIMITS, dt=0.01
    )
    assert np.abs(result.dq[:, 0]).max() <= 1.02 * TURN_RAD_S
    assert result.q[-1, 0] == pytest.approx(np.pi / 2)
