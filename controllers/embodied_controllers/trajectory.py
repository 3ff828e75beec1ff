"""Following trajectories, Cartesian lines and gripper widths with position set-points.

The controller reads the clock and the joints from observations and keeps everything it needs in an
immutable state, so that equal observations give equal commands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, TypeVar

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
    Pose,
    PoseGoal,
    WorldSpec,
)


class Kinematics(Protocol):
    """What Cartesian goals need to know about the arm."""

    def pose(self, q: Array) -> Pose:
        """Pose of the end effector in the world at joint positions (n,)."""
        ...

    def jacobian(self, q: Array) -> Array:
        """Geometric Jacobian (6, n) in the world frame: linear rows first, then angular."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingOptions:
    """When a goal counts as reached or as hopeless.

    Attributes:
        rest_speed_rad_s: Largest joint speed that counts as at rest.
        contact_error_rad: Joint error at which something is being pushed on.
        contact_s: How long that error must last.
        stuck_error_rad: Joint error at which the arm does not follow.
        stuck_s: How long that error must last.
        settle_s: Time allowed for settling after the end of a motion.
        finger_rest_m: Largest change of the gap that counts as at rest.
        finger_rest_s: How long it must not have changed by more.
        finger_s: Time allowed for a gripper motion.
    """

    rest_speed_rad_s: float = 0.03
    contact_error_rad: float = 0.025
    contact_s: float = 0.05
    stuck_error_rad: float = 0.15
    stuck_s: float = 0.15
    settle_s: float = 1.0
    finger_rest_m: float = 0.0005
    finger_rest_s: float = 0.08
    finger_s: float = 3.0


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
class PoseState:
    """On a Cartesian line from ``start``; ``q`` is the last set-point, (n,)."""

    goal: PoseGoal
    start: Pose
    started_s: float
    duration_s: float
    q: Array
    off_since_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FingerState:
    """Moving the fingers while the arm holds ``q``, (n,); near a gap since ``rest_since_s``."""

    goal: GripperGoal
    started_s: float
    q: Array
    rest_since_s: float | None = None
    rest_width_m: float = 0.0


TrackingState: TypeAlias = PathState | PoseState | FingerState


class TrajectoryController:
    """Controller for ``PathGoal``, ``PoseGoal`` and ``GripperGoal``.

    Args:
        spec: Limits and control period of the robot.
        kinematics: Needed for ``PoseGoal`` only.
        options: Thresholds.
    """

    def __init__(
        self,
        spec: WorldSpec,
        kinematics: Kinematics | None = None,
        options: TrackingOptions | None = None,
    ) -> None:
        self.spec = spec
        self.kinematics = kinematics
        self.options = options or TrackingOptions()

    def init(self, goal: ControlGoal, observation: Observation) -> TrackingState:
        """Start on a goal.

        Raises:
            ValueError: The goal is of another kind, its trajectory starts away from the measured
                joints or leaves the joint limits, or a pose is asked for without kinematics.
        """
        if isinstance(goal, PathGoal):
            self._check(goal.trajectory, observation)
            return PathState(goal=goal, started_s=observation.time)
        if isinstance(goal, PoseGoal):
            return self._start_line(goal, observation)
        if isinstance(goal, GripperGoal):
            return FingerState(goal=goal, started_s=observation.time, q=observation.q)
        raise ValueError(
            f"{type(goal).__name__} is not for this controller: it follows PathGoal, PoseGoal "
            "and GripperGoal"
        )

    def step(
        self, state: TrackingState, observation: Observation
    ) -> tuple[Command, TrackingState, ControlStatus]:
        """Command for the next control period, and how the goal stands now."""
        if isinstance(state, PathState):
            return self._follow(state, observation)
        if isinstance(state, PoseState):
            return self._line(state, observation)
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
        goal, options = state.goal, self.options
        elapsed = observation.time - state.started_s
        expected, _ = sample(goal.trajectory, elapsed)
        q, dq = sample(goal.trajectory, elapsed + self.spec.control_dt_s)
        command = Command(q=q, dq=dq, gripper_width_m=goal.gripper_width_m)
        error = float(np.max(np.abs(observation.q - expected)))
        limit, patience = options.stuck_error_rad, options.stuck_s
        if goal.stop_on_contact:
            limit, patience = options.contact_error_rad, options.contact_s
        state, off = _off(state, error > limit, observation.time)
        over = elapsed - goal.trajectory.duration_s
        at_rest = float(np.max(np.abs(observation.dq))) < options.rest_speed_rad_s
        if over >= 0 and at_rest and error < goal.tolerance_rad:
            return command, state, ControlStatus.REACHED
        if off > patience or over > options.settle_s:
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

    # ---- Cartesian lines

    def _start_line(self, goal: PoseGoal, observation: Observation) -> PoseState:
        if self.kinematics is None:
            raise ValueError("a PoseGoal needs kinematics: TrajectoryController(spec, kinematics)")
        start = self.kinematics.pose(observation.q)
        distance = float(np.linalg.norm(goal.pose_ee_in_world.position - start.position))
        angle = float(np.linalg.norm(_rotation_vector(start, goal.pose_ee_in_world)))
        # the quintic profile peaks at 15/8 of its mean speed
        duration = 1.875 * max(distance / goal.speed_m_s, angle / 0.8)
        return PoseState(
            goal=goal,
            start=start,
            started_s=observation.time,
            duration_s=max(duration, self.spec.control_dt_s),
            q=observation.q,
        )

    def _line(
        self, state: PoseState, observation: Observation
    ) -> tuple[Command, TrackingState, ControlStatus]:
        """Differential inverse kinematics: dq = J^+ (twist error / dt), J^+ damped."""
        assert self.kinematics is not None  # checked by init
        goal, options, dt = state.goal, self.options, self.spec.control_dt_s
        elapsed = observation.time - state.started_s
        x = min((elapsed + dt) / state.duration_s, 1.0)
        wanted = _interpolate(state.start, goal.pose_ee_in_world, x**3 * (10 + x * (6 * x - 15)))
        now = self.kinematics.pose(state.q)
        error = np.concatenate([wanted.position - now.position, _rotation_vector(now, wanted)])
        J = self.kinematics.jacobian(state.q)
        dq = J.T @ np.linalg.solve(J @ J.T + 1e-4 * np.eye(6), error) / dt
        dq *= min(1.0, float(np.min(0.7 * self.spec.dq_max / np.maximum(np.abs(dq), 1e-9))))
        q = np.clip(state.q + dq * dt, self.spec.q_lower, self.spec.q_upper)
        lag = float(np.max(np.abs(observation.q - state.q)))
        state, off = _off(replace(state, q=q), lag > options.stuck_error_rad, observation.time)
        measured = observation.pose_ee_in_world.position
        distance = float(np.linalg.norm(goal.pose_ee_in_world.position - measured))
        at_rest = float(np.max(np.abs(observation.dq))) < options.rest_speed_rad_s
        over = elapsed - state.duration_s
        if over >= 0 and at_rest and distance < goal.tolerance_m:
            return Command(q=q), state, ControlStatus.REACHED
        if off > options.stuck_s or over > options.settle_s:
            return Command(q=observation.q), state, ControlStatus.STUCK
        return Command(q=q, dq=dq), state, ControlStatus.RUNNING

    # ---- fingers

    def _fingers(
        self, state: FingerState, observation: Observation
    ) -> tuple[Command, TrackingState, ControlStatus]:
        goal, options = state.goal, self.options
        command = Command(q=state.q, gripper_width_m=goal.width_m, gripper_force_n=goal.force_n)
        if observation.gripper is None:
            raise ValueError("a GripperGoal needs a robot with a gripper")
        elapsed = observation.time - state.started_s
        width = observation.gripper.width_m
        moved = abs(width - state.rest_width_m) > options.finger_rest_m
        # the first periods only start the motion: rest does not count yet
        if moved or state.rest_since_s is None or elapsed < 2 * self.spec.control_dt_s:
            state = replace(state, rest_since_s=observation.time, rest_width_m=width)
        at_rest = (
            state.rest_since_s is not None
            and observation.time - state.rest_since_s >= options.finger_rest_s
        )
        if at_rest:
            return command, state, ControlStatus.REACHED
        if elapsed > options.finger_s:
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


_Moving = TypeVar("_Moving", PathState, PoseState)


def _off(state: _Moving, off: bool, now_s: float) -> tuple[_Moving, float]:
    """Note since when the arm has been off its set-points; returns for how long."""
    if not off:
        return replace(state, off_since_s=None), 0.0
    if state.off_since_s is None:
        return replace(state, off_since_s=now_s), 0.0
    return state, now_s - state.off_since_s


def _rotation_vector(a: Pose, b: Pose) -> Array:
    """Rotation from a to b as axis times angle in the world frame, (3,), rad."""
    w, *xyz = (b @ a.inverse()).quat_wxyz
    v = np.array(xyz) * (1.0 if w >= 0 else -1.0)
    norm = float(np.linalg.norm(v))
    if norm < 1e-9:
        return 2 * v
    return v / norm * 2 * float(np.arctan2(norm, abs(float(w))))


def _interpolate(a: Pose, b: Pose, fraction: float) -> Pose:
    """Pose on the line from a to b; the orientation turns about one axis."""
    turn = _rotation_vector(a, b) * fraction
    angle = float(np.linalg.norm(turn))
    axis = turn / angle if angle > 1e-9 else np.array([0.0, 0.0, 1.0])
    step = Pose(
        position=np.zeros(3),
        quat_wxyz=np.concatenate([[np.cos(angle / 2)], np.sin(angle / 2) * axis]),
    )
    return Pose(
        position=a.position + fraction * (b.position - a.position),
        quat_wxyz=(step @ Pose(position=np.zeros(3), quat_wxyz=a.quat_wxyz)).quat_wxyz,
    )
