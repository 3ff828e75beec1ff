"""The contract of a world as tests.

Whoever implements ``World`` subclasses ``WorldContract``::

    class TestMyWorld(WorldContract):
        def make_world(self) -> World:
            return MyWorld(...)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import pytest

from embodied.errors import WorldError
from embodied.protocols import World
from embodied.types import Command, Observation

STILL_RAD = 0.02
"""Tolerance for joints that are commanded to hold, rad."""

FOLLOW_RAD = 0.02
"""Tolerance for reaching a set-point in ``FOLLOW_STEPS`` steps, rad."""

FOLLOW_STEPS = 100


class WorldContract(ABC):
    """Conformance tests; pytest collects them from subclasses named ``Test...``."""

    # ------------------------------------------------------------ to be written

    @abstractmethod
    def make_world(self) -> World:
        """Build a world; it is closed after each test."""

    # ---------------------------------------------------------------- fixtures

    @pytest.fixture
    def world(self) -> Iterator[World]:
        """A fresh world."""
        world = self.make_world()
        yield world
        world.close()

    # ------------------------------------------------------------------- tests

    def test_spec_is_complete(self, world: World) -> None:
        """Limits are ordered, home lies within them, names are unique."""
        spec = world.spec
        assert spec.control_dt_s > 0
        assert len(set(spec.joint_names)) == len(spec.joint_names) > 0
        assert np.all(spec.q_lower < spec.q_upper)
        assert np.all(spec.q_home >= spec.q_lower) and np.all(spec.q_home <= spec.q_upper)
        for limit in (spec.dq_max, spec.ddq_max, spec.dddq_max, spec.tau_max):
            assert np.all(limit > 0)
        assert all(name == thing.name for name, thing in spec.objects.items())

    def test_use_before_reset_is_refused(self, world: World) -> None:
        """``reset`` comes before ``observe`` and ``step``."""
        with pytest.raises(WorldError):
            world.observe()
        with pytest.raises(WorldError):
            world.step(Command(q=world.spec.q_home))

    def test_reset_starts_at_home_at_time_zero(self, world: World) -> None:
        """Equal to a first observation, complete, and finite."""
        first = world.reset(seed=0)
        assert first.time == 0.0
        np.testing.assert_allclose(first.q, world.spec.q_home, atol=0.05)
        _assert_complete(world, first)

    def test_equal_seeds_give_equal_episodes(self, world: World) -> None:
        """Also after other episodes in between, and in another instance."""
        runs = [_run(world, 3), _run(world, 4), _run(world, 3)]
        other = self.make_world()
        try:
            runs.append(_run(other, 3))
        finally:
            other.close()
        for run in runs[2:]:
            for a, b in zip(runs[0], run, strict=True):
                np.testing.assert_array_equal(a.q, b.q)
                assert a.time == b.time
                for name in a.poses:
                    np.testing.assert_array_equal(a.poses[name].matrix, b.poses[name].matrix)

    def test_time_advances_by_the_control_period(self, world: World) -> None:
        """And only by ``step``."""
        world.reset(seed=0)
        for k in range(1, 6):
            result = world.step(Command(q=world.spec.q_home))
            assert result.observation.time == pytest.approx(k * world.spec.control_dt_s)
            assert world.observe().time == result.observation.time

    def test_observations_are_snapshots(self, world: World) -> None:
        """What was measured does not change when the world goes on, and cannot be written."""
        first = world.reset(seed=0)
        before = (first.q.copy(), {n: p.matrix for n, p in first.poses.items()})
        target = _towards_middle(world, 0.1)
        for _ in range(20):
            world.step(Command(q=target))
        np.testing.assert_array_equal(first.q, before[0])
        for name, matrix in before[1].items():
            np.testing.assert_array_equal(first.poses[name].matrix, matrix)
        with pytest.raises(ValueError, match="read-only"):
            first.q[0] = 1.0

    def test_staying_stays(self, world: World) -> None:
        """With home as set-point, nothing moves."""
        start = end = world.reset(seed=1)
        for _ in range(50):
            end = world.step(Command(q=world.spec.q_home)).observation
        np.testing.assert_allclose(end.q, start.q, atol=STILL_RAD)
        if end.base is None:
            for name, pose in start.poses.items():
                np.testing.assert_allclose(end.poses[name].position, pose.position, atol=2e-3)

    def test_joints_follow_set_points(self, world: World) -> None:
        """A near set-point is reached, without any reason given."""
        world.reset(seed=0)
        target = _towards_middle(world, 0.1)
        home = world.spec.q_home
        end = home
        for k in range(1, FOLLOW_STEPS + 1):
            q = home + (target - home) * min(1.0, 2 * k / FOLLOW_STEPS)
            result = world.step(Command(q=q))
            assert result.reasons == ()
            np.testing.assert_allclose(result.applied.q, q)
            end = result.observation.q
        np.testing.assert_allclose(end, target, atol=FOLLOW_RAD)

    def test_limits_are_kept_and_explained(self, world: World) -> None:
        """What is applied stays within the limits; the reasons say that it was changed."""
        spec = world.spec
        world.reset(seed=0)
        last = np.array(spec.q_home)
        for _ in range(5):
            result = world.step(Command(q=spec.q_upper + 10.0))
            assert result.reasons
            assert np.all(result.applied.q <= spec.q_upper + 1e-9)
            reach = spec.dq_max * spec.control_dt_s
            assert np.all(np.abs(result.applied.q - last) <= reach * (1 + 1e-6))
            last = result.applied.q

    def test_bad_commands_are_refused(self, world: World) -> None:
        """Wrong shapes and values that are not finite; the world goes on afterwards."""
        world.reset(seed=0)
        n = len(world.spec.joint_names)
        with pytest.raises(ValueError):
            world.step(Command(q=np.zeros(n + 1)))
        with pytest.raises(ValueError):
            world.step(Command(q=np.full(n, np.nan)))
        world.step(Command(q=world.spec.q_home))

    def test_gripper_opens_and_closes(self, world: World) -> None:
        """The gap follows its target; None leaves it as it was told before."""
        if world.spec.gripper is None:
            pytest.skip("this world has no gripper")
        home = world.spec.q_home
        world.reset(seed=0)
        for target in (0.0, world.spec.gripper.max_width_m):
            end = world.step(Command(q=home, gripper_width_m=target)).observation
            for _ in range(150):
                end = world.step(Command(q=home)).observation
            assert end.gripper is not None
            assert end.gripper.width_m == pytest.approx(target, abs=2e-3)

    def test_close_may_be_called_twice(self, world: World) -> None:
        """Afterwards nothing else may."""
        world.reset(seed=0)
        world.close()
        world.close()
        with pytest.raises(WorldError):
            world.reset(seed=0)


def _run(world: World, seed: int) -> list[Observation]:
    observations = [world.reset(seed=seed)]
    target = _towards_middle(world, 0.05)
    for _ in range(10):
        observations.append(world.step(Command(q=target, gripper_width_m=0.02)).observation)
    return observations


def _towards_middle(world: World, distance: float) -> np.ndarray:
    """A configuration near home, away from the limits, as far as one second allows."""
    spec = world.spec
    step = np.minimum(distance, 0.3 * spec.dq_max)
    middle = (spec.q_lower + spec.q_upper) / 2
    return spec.q_home + np.clip(middle - spec.q_home, -step, step)


def _assert_complete(world: World, observation: Observation) -> None:
    spec, n = world.spec, len(world.spec.joint_names)
    for value in (observation.q, observation.dq, observation.tau):
        assert value.shape == (n,)
        assert np.isfinite(value).all()
    assert set(observation.poses) == set(spec.objects)
    for pose in observation.poses.values():
        assert np.isfinite(pose.matrix).all()
    drawers = {name for name, thing in spec.objects.items() if thing.kind == "drawer"}
    assert set(observation.openings_m) == drawers
    assert (observation.gripper is None) == (spec.gripper is None)
