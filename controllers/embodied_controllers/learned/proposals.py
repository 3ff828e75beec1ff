"""Sampling of actions: around a plan, or uniformly.

An action is (4,): the displacement of the gripper's set-point from where the gripper is, m, in the
world frame, and the gripper's command, 0 closed to 1 open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from embodied.types import Array

LASTING = 5
"""Steps for which the lasting part of the noise stays the same while exploring."""
LOCAL = 0.7
"""Standard deviation of the noise of single waypoints, in units of the lasting part's."""


class Proposal(Protocol):
    """A distribution P(a | o) over sequences of actions."""

    def reset(self) -> None:
        """Begin a trial."""
        ...

    def sample(
        self, rng: np.random.Generator, position_in_world: Array, n: int, horizon: int
    ) -> Array:
        """Draw ``n`` sequences, (n, horizon, 4), for a gripper at a position (3,)."""
        ...

    def draw(self, rng: np.random.Generator, position_in_world: Array) -> Array:
        """One action (4,) to explore with: draws follow each other, part of the noise lasts."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanStage:
    """One stage of a plan.

    Attributes:
        path_in_world: Way of the gripper, (n, 3), n >= 2, m.
        opening: The gripper's command along it, 0 closed to 1 open.
        noise_m: Standard deviation of the noise on its waypoints.
        arrival_m: The stage ends where the gripper is this close to the way's end.
        hold: At least so many steps are spent in the stage.
    """

    path_in_world: Array
    opening: float
    noise_m: float
    arrival_m: float = 0.015
    hold: int = 0

    def __post_init__(self) -> None:
        if self.path_in_world.ndim != 2 or self.path_in_world.shape[1:] != (3,):
            raise ValueError(f"a path is (n, 3), not {self.path_in_world.shape}")
        if len(self.path_in_world) < 2:
            raise ValueError("a path has at least two points")


class PlanProposal:
    """P(a | o, tau): the next waypoints of a plan tau, each displaced by local noise.

    The waypoints are ``step_m`` apart and begin at the point of the way that is nearest to the
    gripper, so one that is held back is not pulled harder by a plan that runs ahead of it. The
    noise is one offset for a whole sequence plus a smaller one for each waypoint.

    Args:
        stages: The plan.
        step_m: Distance of two waypoints.
        reach_m: Longest displacement along each axis.
        noise: Scale of the noise; 0 is the plan itself.
    """

    def __init__(
        self,
        stages: Sequence[PlanStage],
        *,
        step_m: float = 0.025,
        reach_m: float = 0.06,
        noise: float = 1.0,
    ) -> None:
        if not stages:
            raise ValueError("a plan has at least one stage")
        self.stages = tuple(stages)
        self.step_m, self.reach_m, self.noise = step_m, reach_m, noise
        self.reset()

    def reset(self) -> None:
        """Begin with the first stage."""
        self._stage = self._spent = 0
        self._offset = np.zeros(3)

    def sample(
        self, rng: np.random.Generator, position_in_world: Array, n: int, horizon: int
    ) -> Array:
        """See ``Proposal``. This or ``draw`` is called once per step of a trial: it counts them."""
        stage = self._advance(position_in_world)
        targets = waypoints(stage.path_in_world, position_in_world, self.step_m, horizon)
        scale = self.noise * stage.noise_m
        offset = scale * rng.standard_normal((n, 3))
        # The gripper is expected at the previous waypoint when a later action begins.
        before = np.vstack([position_in_world, targets[:-1]])
        moves = targets - before + 0.5 * LOCAL * scale * rng.standard_normal((n, horizon, 3))
        moves[:, 0] += offset
        moves[:, 1:] += 0.5 * offset[:, None]  # what holds the gripper may hold back part of it
        return self._actions(moves, stage)

    def draw(self, rng: np.random.Generator, position_in_world: Array) -> Array:
        """See ``Proposal``."""
        stage = self._advance(position_in_world)
        scale = self.noise * stage.noise_m
        if self._spent % LASTING == 1:
            self._offset = scale * rng.standard_normal(3)
        target = waypoints(stage.path_in_world, position_in_world, self.step_m, 1)[0]
        local = LOCAL * scale * rng.standard_normal(3)
        return self._actions(target - position_in_world + self._offset + local, stage)

    def _advance(self, position: Array) -> PlanStage:
        stage = self.stages[self._stage]
        there = float(np.linalg.norm(position - stage.path_in_world[-1])) <= stage.arrival_m
        if there and self._spent >= stage.hold and self._stage + 1 < len(self.stages):
            self._stage, self._spent = self._stage + 1, 0
        self._spent += 1
        return self.stages[self._stage]

    def _actions(self, moves: Array, stage: PlanStage) -> Array:
        clipped = np.clip(moves, -self.reach_m, self.reach_m)
        return np.concatenate([clipped, np.full((*moves.shape[:-1], 1), stage.opening)], axis=-1)


class UniformProposal:
    """P(a | o) without a plan: every displacement and gripper command alike.

    Half of the samples keep one displacement over the whole sequence, so that a random walk gets
    somewhere.

    Args:
        reach_m: Longest displacement along each axis.
    """

    def __init__(self, *, reach_m: float = 0.06) -> None:
        self.reach_m = reach_m
        self.reset()

    def reset(self) -> None:
        """Begin a trial."""
        self._spent, self._kept = 0, np.zeros(4)

    def sample(
        self, rng: np.random.Generator, position_in_world: Array, n: int, horizon: int
    ) -> Array:
        """See ``Proposal``."""
        actions = np.empty((n, horizon, 4))
        actions[..., :3] = rng.uniform(-self.reach_m, self.reach_m, (n, horizon, 3))
        actions[..., 3] = rng.integers(0, 2, (n, horizon))
        kept = rng.random(n) < 0.5
        actions[kept] = actions[kept, :1]
        return actions

    def draw(self, rng: np.random.Generator, position_in_world: Array) -> Array:
        """See ``Proposal``."""
        if self._spent % LASTING == 0:
            self._kept = self.sample(rng, position_in_world, 1, 1)[0, 0]
        self._spent += 1
        return self._kept


def waypoints(path: Array, position: Array, step_m: float, n: int) -> Array:
    """The next ``n`` points (n, 3) of a way (m, 3), ``step_m`` apart, from ``position`` on."""
    deltas = np.diff(path, axis=0)
    lengths = np.maximum(np.linalg.norm(deltas, axis=1), 1e-12)
    along = np.clip(np.sum((position - path[:-1]) * deltas, axis=1) / lengths**2, 0.0, 1.0)
    nearest = path[:-1] + along[:, None] * deltas
    i = int(np.argmin(np.linalg.norm(nearest - position, axis=1)))
    s = np.concatenate([[0.0], np.cumsum(lengths)])
    ahead = s[i] + along[i] * lengths[i] + step_m * np.arange(1, n + 1)
    return np.column_stack([np.interp(ahead, s, path[:, k]) for k in range(3)])
