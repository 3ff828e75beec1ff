"""A controller that keeps motions within the limits' Cartesian speeds, and announces them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from embodied.bridge.geometry import ArmGeometry
from embodied.protocols import Controller
from embodied.types import (
    Array,
    Command,
    ControlGoal,
    ControlStatus,
    GripperGoal,
    JointTrajectory,
    Observation,
    PathGoal,
)

SHARE = 0.9
"""Of a speed limit that motions are planned for."""

LEAST_FADE_S = 0.3
FADE_RAD_S = 0.1
"""The lag at the start of a motion fades out no faster than this."""

_PEAK = 15.0 / 8.0
"""Of the quintic profile: its highest speed over its mean."""

S = TypeVar("S")

Approve = Callable[[str, JointTrajectory, float | None], bool]
"""Takes label, trajectory and gap of a motion, and returns whether it may be carried out."""


def slowed(trajectory: JointTrajectory, factor: float) -> JointTrajectory:
    """The same path, ``factor`` times as slow."""
    return JointTrajectory(
        time=trajectory.time * factor,
        q=trajectory.q,
        dq=trajectory.dq / factor,
        ddq=trajectory.ddq / factor**2,
    )


def cartesian_speeds(trajectory: JointTrajectory, geometry: ArmGeometry) -> tuple[float, float]:
    """Largest speeds of end effector and elbow along a trajectory, m/s."""
    if len(trajectory.time) < 2:
        return 0.0, 0.0
    points = geometry.paths(trajectory.q)
    steps = np.linalg.norm(np.diff(points, axis=1), axis=2)
    speeds = (steps / np.diff(trajectory.time)).max(axis=1)
    return float(speeds[0]), float(speeds[1])


def within_speeds(
    trajectory: JointTrajectory,
    geometry: ArmGeometry,
    *,
    ee_speed_m_s: float,
    elbow_speed_m_s: float,
) -> JointTrajectory:
    """The same path, slowed down as a whole where end effector or elbow would be too fast."""
    speeds = np.array(cartesian_speeds(trajectory, geometry))
    factor = float(np.max(speeds / (SHARE * np.array([ee_speed_m_s, elbow_speed_m_s]))))
    return slowed(trajectory, factor) if factor > 1.0 else trajectory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blended(Generic[S]):
    """The wrapped controller's state, and what is left of the lag at the start.

    A motion starts where the arm is measured, the last set-point is a little off it. The
    difference ``offset`` (n,), rad, fades out over ``fade_s``, so that set-points do not jump.
    """

    inner: S
    offset: Array
    started_s: float
    fade_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Refused:
    """The operator refused the motion; the arm stays at ``q``."""

    q: Any


class SupervisedController(Generic[S]):
    """Wraps a controller for an arm behind a supervisor; implements ``Controller``.

    Motions that would make the end effector or the elbow too fast are slowed down as a whole.

    Args:
        inner: The controller.
        geometry: The arm, with the limits that the supervisor was started with.
        ee_speed_m_s: Limit of the end effector.
        elbow_speed_m_s: Limit of the elbow.
        sent: Says what was sent last, (n,), rad.
        approve: Asks whether a motion may be carried out; None does not ask.
    """

    def __init__(
        self,
        inner: Controller[S],
        geometry: ArmGeometry,
        *,
        ee_speed_m_s: float,
        elbow_speed_m_s: float,
        sent: Callable[[], Array],
        approve: Approve | None = None,
    ) -> None:
        self._inner = inner
        self._geometry = geometry
        self._speeds = (ee_speed_m_s, elbow_speed_m_s)
        self._sent = sent
        self._approve = approve

    def init(self, goal: ControlGoal, observation: Observation) -> Blended[S] | _Refused:
        """Start on a goal."""
        if isinstance(goal, PathGoal):
            ee, elbow = self._speeds
            slow = within_speeds(
                goal.trajectory, self._geometry, ee_speed_m_s=ee, elbow_speed_m_s=elbow
            )
            goal = replace(goal, trajectory=slow)
        if self._approve is not None and not self._approved(goal, observation):
            return _Refused(observation.q)
        offset = self._sent() - observation.q
        return Blended(
            inner=self._inner.init(goal, observation),
            offset=offset,
            started_s=observation.time,
            fade_s=max(LEAST_FADE_S, _PEAK * float(np.max(np.abs(offset))) / FADE_RAD_S),
        )

    def step(
        self, state: Blended[S] | _Refused, observation: Observation
    ) -> tuple[Command, Blended[S] | _Refused, ControlStatus]:
        """One control period."""
        if isinstance(state, _Refused):
            return Command(q=state.q), state, ControlStatus.STUCK
        command, inner, status = self._inner.step(state.inner, observation)
        x = min((observation.time - state.started_s) / state.fade_s, 1.0)
        left = 1.0 - x**3 * (10.0 + x * (6.0 * x - 15.0))
        command = replace(command, q=command.q + left * state.offset)
        return command, replace(state, inner=inner), status

    def _approved(self, goal: ControlGoal, observation: Observation) -> bool:
        assert self._approve is not None
        rest = np.zeros((1, len(observation.q)))
        stay = JointTrajectory(time=np.zeros(1), q=observation.q[None], dq=rest, ddq=rest)
        if isinstance(goal, PathGoal):
            return self._approve(goal.label, goal.trajectory, goal.gripper_width_m)
        width = goal.width_m if isinstance(goal, GripperGoal) else None
        return self._approve(goal.label, stay, width)
