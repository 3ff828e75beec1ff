"""The body of the robot: the only place that steps a world."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from embodied.protocols import AnyController, World
from embodied.types import (
    Array,
    Command,
    ControlGoal,
    ControlStatus,
    Observation,
    StepResult,
    WorldSpec,
)

Watcher: TypeAlias = Callable[[Observation], None]
"""Told what was measured after every control period."""

STOP_STEPS = 5
_SAME_TIME_S = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Result of following a goal.

    Attributes:
        status: ``RUNNING`` when the time limit came first.
        limited: Why commands were limited on the way, each reason once, sorted.
    """

    status: ControlStatus
    limited: tuple[str, ...] = ()


class Body:
    """A world, what was last measured in it and what was last commanded.

    Args:
        world: A simulator, or an arm behind a supervisor.
        real_time: Wait until a control period of wall time has passed at every step.

    Attributes:
        world: The world itself; whoever steps it other than through the body is on their own.
        q_set: The joint set-points as last applied, (n,), rad; measured ones before the first step.
        applied: The command as last applied; None before the first step.
        watchers: Told the observation after ``reset`` and after every step, in order.
    """

    def __init__(self, world: World, *, real_time: bool = False) -> None:
        self.world = world
        self.watchers: list[Watcher] = []
        self._real_time = real_time
        self._due = 0.0
        self._observation: Observation | None = None
        self._q_set: Array | None = None
        self.applied: Command | None = None

    @property
    def spec(self) -> WorldSpec:
        """What does not change while the world runs."""
        return self.world.spec

    @property
    def observation(self) -> Observation:
        """What was measured last."""
        return self.observe() if self._observation is None else self._observation

    @property
    def q_set(self) -> Array:
        """Joint set-points as last applied, (n,), rad."""
        return np.array(self.observation.q) if self._q_set is None else self._q_set

    def reset(self, *, seed: int) -> Observation:
        """Start an episode; equal seeds give equal episodes."""
        self._observation, self._q_set = self.world.reset(seed=seed), None
        self.applied = None
        self._tell()
        return self.observation

    def observe(self) -> Observation:
        """Measure without advancing time."""
        self._observation = self.world.observe()
        return self._observation

    def step(self, command: Command) -> StepResult:
        """Apply a command for one control period; raises as ``World.step`` does."""
        result = self.world.step(command)
        self._observation = result.observation
        self._q_set, self.applied = np.array(result.applied.q), result.applied
        if self._real_time:
            self._keep_pace()
        self._tell()
        return result

    def follow(
        self, controller: AnyController, goal: ControlGoal, seconds: float = np.inf
    ) -> Followed:
        """Run a controller on a goal until it has ended, for ``seconds`` of the world at most."""
        state = controller.init(goal, self.observation)
        end = self.observation.time + seconds - _SAME_TIME_S
        status = ControlStatus.RUNNING
        limited: set[str] = set()
        while self.observation.time < end and status is ControlStatus.RUNNING:
            command, state, status = controller.step(state, self.observation)
            limited.update(self.step(command).reasons)
        return Followed(status=status, limited=tuple(sorted(limited)))

    def hold(self, seconds: float, q: Array | None = None) -> None:
        """Keep joint set-points (n,), rad, those last applied by default."""
        self.hold_until(self.observation.time + seconds - _SAME_TIME_S, q)

    def hold_until(self, time_s: float, q: Array | None = None) -> None:
        """Keep joint set-points (n,), rad, until a time of the world."""
        while self.observation.time < time_s:
            self.step(Command(q=self.q_set if q is None else q))

    def brake(self, q: Array, dq: Array, seconds: float = 0.25) -> None:
        """Come to rest within ``seconds``, along the path that the joints were on.

        Args:
            q: Where they are on it, (n,), rad.
            dq: How fast they move along it, (n,), rad/s.
            seconds: Time to rest; the deceleration is constant.
        """
        dt = self.spec.control_dt_s
        for k in range(1, round(seconds / dt) + 1):
            t = k * dt
            self.step(Command(q=q + dq * (t - t * t / (2 * seconds)), dq=dq * (1 - t / seconds)))

    def accept_position(self) -> None:
        """Take the measured joint positions as set-points: the arm was pushed away from them."""
        self._q_set = np.array(self.observation.q)

    def stop(self) -> None:
        """Hold the robot where it is measured to be."""
        command = Command(q=self.observe().q)
        for _ in range(STOP_STEPS):
            self.step(command)

    def close(self) -> None:
        """Release the world; may be called twice."""
        self.world.close()

    def _tell(self) -> None:
        for watcher in tuple(self.watchers):
            watcher(self.observation)

    def _keep_pace(self) -> None:
        """Wait until a control period of wall time has passed since the last step."""
        self._due += self.spec.control_dt_s
        late = time.perf_counter() - self._due
        if late < 0:
            time.sleep(-late)
        else:
            self._due += late
