"""Following trajectories and gripper widths with position set-points.

The controller reads the clock and the joints from observations and keeps everything it needs in an
immutable state, so that equal observations give equal commands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from embodied.types import (
    Array,
    Command,
    ControlGoal,
    ControlStatus,
    GripperGoal,
    JointTrajectory,
    Observation,
    PathGoal,
    WorldSpec,
)

_REST_SPEED_RAD_S = 0.03  # largest joint speed that counts as at rest
_CONTACT_ERROR_RAD = 0.025  # joint error at which something is being pushed on
_CONTACT_S = 0.05  # how long that error must last
_STUCK_ERROR_RAD = 0.15  # joint error at which the arm does not follow
_STUCK_S = 0.15  # how long that error must last
_SETTLE_S = 1.0  # time allowed for settling after the end of a motion
_FINGER_REST_M = 0.0005  # largest change of the gap that counts as at rest
_FINGER_REST_S = 0.08  # how long it must not have changed by more
_FINGER_S = 3.0  # time allowed for a gripper motion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathState:
    """Following a joint trajectory since ``started_s``; off it since ``off_since_s``.

    After the arm was held back, ``q`` (n,) is the set-point that gives way to where it is, and
    ``ending`` is how the goal will end.
    """

    goal: PathGoal
    started_s: float
    off_since_s: float | None = None
    q: Array | None = None
    ending: ControlStatus = ControlStatus.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FingerState:
    """Moving the fingers while the arm holds ``q``, (n,); near a gap since ``rest_since_s``."""

    goal: GripperGoal
    started_s: float
    q: Array
    rest_since_s: float | None = None
    rest_width_m: float = 0.0


TrackingState: TypeAlias = PathState | FingerState


class TrajectoryController:
    """Controller for ``PathGoal`` and ``GripperGoal``.

    Args:
        spec: Limits and control period of the robot.
    """

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec

    def init(self, goal: ControlGoal, observation: Observation) -> TrackingState:
        """Start on a goal.

        Raises:
            ValueError: The goal is of another kind, its trajectory starts away from the measured
                joints or leaves the joint limits.
        """
        if isinstance(goal, PathGoal):
            self._check(goal.trajectory, observation)
            return PathState(goal=goal, started_s=observation.time)
        if isinstance(goal, GripperGoal):
            return FingerState(goal=goal, started_s=observation.time, q=observation.q)
        raise ValueError(
            f"{type(goal).__name__} is not for this controller: it follows PathGoal and GripperGoal"
        )

    def step(
        self, state: TrackingState, observation: Observation
    ) -> tuple[Command, TrackingState, ControlStatus]:
        """Command for the next control period, and how the goal stands now."""
        if isinstance(state, PathState):
            return self._follow(state, observation)
        return self._fingers(state, observation)

    # ---- joint trajectories

    def _check(self, trajectory: JointTrajectory, observation: Observation) -> None:
        q = trajectory.q
        if q.shape[1] != len(self.spec.joint_names):
            raise ValueError(f"trajectory of {q.shape[1]} joints, not {len(self.spec.joint_names)}")
        distance = float(np.max(np.abs(q[0] - observation.q)))
        if distance > 0.1:
            raise ValueError(f"the trajectory starts {distance:.3f} rad from the measured joints")
        if np.any(q < self.spec.q_lower - 1e-3) or np.any(q > self.spec.q_upper + 1e-3):
            raise ValueError("the trajectory leaves the joint limits of the world's spec")

    def _follow(
        self, state: PathState, observation: Observation
    ) -> tuple[Command, TrackingState, ControlStatus]:
        if state.q is not None:
            return self._give_way(state, state.q, observation)
        goal = state.goal
        elapsed = observation.time - state.started_s
        expected, _ = sample(goal.trajectory, elapsed)
        q, dq = sample(goal.trajectory, elapsed + self.spec.control_dt_s)
        command = Command(q=q, dq=dq, gripper_width_m=goal.gripper_width_m)
        error = float(np.max(np.abs(observation.q - expected)))
        limit, patience = _STUCK_ERROR_RAD, _STUCK_S
        if goal.stop_on_contact:
            limit, patience = _CONTACT_ERROR_RAD, _CONTACT_S
        state, off = _off(state, error > limit, observation.time)
        over = elapsed - goal.trajectory.duration_s
        at_rest = float(np.max(np.abs(observation.dq))) < _REST_SPEED_RAD_S
        if over >= 0 and at_rest and error < goal.tolerance_rad:
            return command, state, ControlStatus.REACHED
        if off > patience or over > _SETTLE_S:
            reached = goal.stop_on_contact and (off > patience or at_rest)
            ending = ControlStatus.REACHED if reached else ControlStatus.STUCK
            return self._give_way(replace(state, ending=ending), expected, observation)
        return command, state, ControlStatus.RUNNING

    def _give_way(
        self, state: PathState, q: Array, observation: Observation
    ) -> tuple[Command, TrackingState, ControlStatus]:
        """Bring the set-point to where the arm is, no faster than half the velocity limits."""
        step = 0.5 * self.spec.dq_max * self.spec.control_dt_s
        q = q + np.clip(observation.q - q, -step, step)
        near = float(np.max(np.abs(observation.q - q))) < 1e-3
        status = state.ending if near else ControlStatus.RUNNING
        return Command(q=q), replace(state, q=q), status

    # ---- fingers

    def _fingers(
        self, state: FingerState, observation: Observation
    ) -> tuple[Command, TrackingState, ControlStatus]:
        goal = state.goal
        command = Command(q=state.q, gripper_width_m=goal.width_m, gripper_force_n=goal.force_n)
        if observation.gripper is None:
            raise ValueError("a GripperGoal needs a robot with a gripper")
        elapsed = observation.time - state.started_s
        width = observation.gripper.width_m
        moved = abs(width - state.rest_width_m) > _FINGER_REST_M
        # the first periods only start the motion: rest does not count yet
        if moved or state.rest_since_s is None or elapsed < 2 * self.spec.control_dt_s:
            state = replace(state, rest_since_s=observation.time, rest_width_m=width)
        at_rest = (
            state.rest_since_s is not None
            and observation.time - state.rest_since_s >= _FINGER_REST_S
        )
        if at_rest:
            return command, state, ControlStatus.REACHED
        if elapsed > _FINGER_S:
            return command, state, ControlStatus.STUCK
        return command, state, ControlStatus.RUNNING


def sample(trajectory: JointTrajectory, t: float) -> tuple[Array, Array]:
    """Positions and velocities at time ``t`` (held at the ends), by cubic Hermite interpolation."""
    time = trajectory.time
    if t <= 0.0 or len(time) == 1:
        return np.array(trajectory.q[0]), np.zeros(trajectory.q.shape[1])
    if t >= time[-1]:
        return np.array(trajectory.q[-1]), np.zeros(trajectory.q.shape[1])
    i = int(np.searchsorted(time, t, side="right")) - 1
    h = float(time[i + 1] - time[i])
    x = (t - float(time[i])) / h
    q0, q1 = trajectory.q[i], trajectory.q[i + 1]
    v0, v1 = h * trajectory.dq[i], h * trajectory.dq[i + 1]
    a, b = q1 - q0, v0 + v1
    q = q0 + x * (v0 + x * (3 * a - b - v0 + x * (b - 2 * a)))
    dq = (v0 + x * (2 * (3 * a - b - v0) + x * 3 * (b - 2 * a))) / h
    return q, dq


def _off(state: PathState, off: bool, now_s: float) -> tuple[PathState, float]:
    """Note since when the arm has been off its set-points; returns for how long."""
    if not off:
        return replace(state, off_since_s=None), 0.0
    if state.off_since_s is None:
        return replace(state, off_since_s=now_s), 0.0
    return state, now_s - state.off_since_s
