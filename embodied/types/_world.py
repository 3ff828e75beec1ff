"""Worlds: their specification, measurements and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embodied.types._geometry import Array, Pose, readonly


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSpec:
    """A thing in the scene, as a planner sees it.

    Attributes:
        name: Unique name in lower case with hyphens, e.g. ``"red-block"``; also its PDDL name.
        kind: ``"item"`` (movable), ``"surface"``, ``"container"`` or ``"drawer"``.
        category: Common noun, e.g. ``"block"``, ``"cup"``, ``"bin"``; the PDDL type.
        color: Colour word, or ``""``.
        size_m: Extents along the body's own axes, metres. For containers the outer size.
        shape: ``"box"``, ``"cylinder"`` (size = diameter, diameter, height) or ``"sphere"``.
        stackable: True when another item can rest stably on its flat top.
        aliases: Other nouns a person may use for it.
        inner_size_m: Containers: extents of the inside; zeros otherwise.
        travel_m: Drawers: distance between closed (0) and fully open, metres.
        opens_along: Drawers: unit direction of opening in the world frame.
    """

    name: str
    kind: str
    category: str
    color: str = ""
    size_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shape: str = "box"
    stackable: bool = False
    aliases: tuple[str, ...] = ()
    inner_size_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    travel_m: float = 0.0
    opens_along: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GripperSpec:
    """What an arm takes things with.

    Attributes:
        max_width_m: Largest gap between the pads, m.
        max_force_n: Largest grasping force, N.
        pad_size_m: Extents of a finger pad along (closing, width, approach) directions, m.
        kind: ``"parallel"`` (both pads move), ``"jaw"`` (one does) or ``"suction"`` (a cup; its
            gap is ``max_width_m`` when it lets go and 0 when it sucks).
        bodies: Bodies that may touch what is held, fingers included.
        fingers: Those that carry the pads; what is between them may touch both.
        joints: The finger joints, k of them.
        fixed_side_m: Of a jaw: distance from the end effector to the pad that does not move,
            against the end effector's y.
        gaps_m: Gaps, ascending, at which ``positions`` are known; empty where the joints share
            the gap equally.
        positions: Positions of the finger joints at each of ``gaps_m``, k each.
    """

    max_width_m: float
    max_force_n: float
    pad_size_m: tuple[float, float, float]
    kind: str = "parallel"
    bodies: tuple[str, ...] = ("hand", "left_finger", "right_finger")
    fingers: tuple[str, ...] = ("left_finger", "right_finger")
    joints: tuple[str, ...] = ("finger_joint1", "finger_joint2")
    fixed_side_m: float = 0.0
    gaps_m: tuple[float, ...] = ()
    positions: tuple[tuple[float, ...], ...] = ()

    def joint_positions(self, gap_m: float) -> Array:
        """Positions of the finger joints at a gap between the pads, (k,)."""
        if not self.gaps_m:
            return np.full(len(self.joints), gap_m / max(len(self.joints), 1))
        columns = np.array(self.positions).T
        return np.array([np.interp(gap_m, self.gaps_m, column) for column in columns])

    def joint_speeds(self, gap_m: float, speed_m_s: float) -> Array:
        """Speeds of the finger joints while the gap changes at a speed, (k,)."""
        if not self.gaps_m:
            return np.full(len(self.joints), speed_m_s / max(len(self.joints), 1))
        step = 1e-3 * self.max_width_m
        change = self.joint_positions(gap_m + step) - self.joint_positions(gap_m - step)
        return change / (2 * step) * speed_m_s


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraSpec:
    """A pinhole camera.

    Attributes:
        name: Name of the camera.
        width_px: Image width.
        height_px: Image height.
        fovy_rad: Vertical field of view.
        pose_camera_in_world: Pose, camera looking along its own -z with y up (OpenGL).
    """

    name: str
    width_px: int
    height_px: int
    fovy_rad: float
    pose_camera_in_world: Pose


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorldSpec:
    """What does not change while a world runs. Joint vectors are ordered by ``joint_names``.

    Attributes:
        name: Scene name.
        robot: Robot name, e.g. ``"fr3"`` or ``"quadruped"``.
        joint_names: Controlled joints, n of them.
        q_lower: Lower position limits, (n,), rad.
        q_upper: Upper position limits, (n,), rad.
        dq_max: Velocity limits, (n,), rad/s.
        ddq_max: Acceleration limits, (n,), rad/s^2.
        dddq_max: Jerk limits, (n,), rad/s^3.
        tau_max: Torque limits, (n,), N m.
        q_home: Rest configuration, (n,), rad.
        control_dt_s: Time between two commands, s.
        objects: Things in the scene by name.
        gripper: The gripper, if there is one.
        cameras: Cameras by name.
        workspace_lower: Lower corner of the workspace in the world frame, (3,), m.
        workspace_upper: Upper corner of the workspace in the world frame, (3,), m.
        object_source: Where object poses in observations come from: ``"ground truth"`` (the
            simulator's own state) or ``"perception"``.
        ee_site: Site of the end effector in models of the robot.
    """

    name: str
    robot: str
    joint_names: tuple[str, ...]
    q_lower: Array
    q_upper: Array
    dq_max: Array
    ddq_max: Array
    dddq_max: Array
    tau_max: Array
    q_home: Array
    control_dt_s: float
    objects: Mapping[str, ObjectSpec] = field(default_factory=dict[str, ObjectSpec])
    gripper: GripperSpec | None = None
    cameras: Mapping[str, CameraSpec] = field(default_factory=dict[str, CameraSpec])
    workspace_lower: Array = field(default_factory=lambda: np.array([-1.0, -1.0, 0.0]))
    workspace_upper: Array = field(default_factory=lambda: np.array([1.0, 1.0, 1.5]))
    object_source: str = "ground truth"
    ee_site: str = "ee"

    def __post_init__(self) -> None:
        n = len(self.joint_names)
        for name in ("q_lower", "q_upper", "dq_max", "ddq_max", "dddq_max", "tau_max", "q_home"):
            object.__setattr__(self, name, readonly(getattr(self, name), (n,)))
        for name in ("workspace_lower", "workspace_upper"):
            object.__setattr__(self, name, readonly(getattr(self, name), (3,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class GripperState:
    """Measured gripper.

    Attributes:
        width_m: Gap between the pads, m.
        speed_m_s: Rate of change of the gap, m/s.
        force_n: Contact force on the pads, N.
    """

    width_m: float
    speed_m_s: float = 0.0
    force_n: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaseState:
    """Measured state of a floating base.

    Attributes:
        pose_base_in_world: Pose.
        linear_velocity_base_in_world: (3,), m/s.
        angular_velocity_base_in_base: (3,), rad/s.
    """

    pose_base_in_world: Pose
    linear_velocity_base_in_world: Array
    angular_velocity_base_in_base: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraImage:
    """One RGB-D image.

    Attributes:
        rgb: (height, width, 3) uint8.
        depth: (height, width) float32, metres along the optical axis; NaN where unknown.
        segmentation: (height, width) int32 object indices, ground truth; None unless asked for.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    segmentation: NDArray[np.int32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """What is measured at one instant.

    Attributes:
        time: Seconds since reset, by the world's own clock.
        q: Joint positions, (n,), rad.
        dq: Joint velocities, (n,), rad/s.
        tau: Joint torques, (n,), N m.
        pose_ee_in_world: Pose of the end effector: the point between the finger pads, z along the
            approach direction, y along the closing direction.
        gripper: Gripper state, None without a gripper.
        poses: Pose of every object of the spec in the world frame; for drawers the sliding part.
        openings_m: Opening of every drawer, m.
        base: State of a floating base, None for a fixed one.
        images: Camera images, only when asked for.
        gone: Objects without a pose that were looked for where they were last seen and are not
            there; others without a pose are out of sight.
        covered: Objects without a pose that a cover stands over, by where they were seen last, with
            the cover.
    """

    time: float
    q: Array
    dq: Array
    tau: Array
    pose_ee_in_world: Pose
    gripper: GripperState | None = None
    poses: Mapping[str, Pose] = field(default_factory=dict[str, Pose])
    openings_m: Mapping[str, float] = field(default_factory=dict[str, float])
    base: BaseState | None = None
    images: Mapping[str, CameraImage] = field(default_factory=dict[str, CameraImage])
    gone: frozenset[str] = frozenset()
    covered: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        for name in ("q", "dq", "tau"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Command:
    """What the joints and the gripper should do until the next command.

    Attributes:
        q: Joint position set-points, (n,), rad.
        dq: Joint velocity feed-forward, (n,), rad/s; zeros if absent.
        gripper_width_m: Target gap, m; None leaves the gripper as it was told before.
        gripper_force_n: Grasping force, N.
    """

    q: Array
    dq: Array | None = None
    gripper_width_m: float | None = None
    gripper_force_n: float = 20.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "q", readonly(self.q))
        if self.dq is not None:
            object.__setattr__(self, "dq", readonly(self.dq, self.q.shape))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepResult:
    """What a world did with a command.

    Attributes:
        observation: Measured after the step.
        applied: The command as applied; differs from the one given when it was limited.
        reasons: Why it differs, one line each; empty when it does not.
    """

    observation: Observation
    applied: Command
    reasons: tuple[str, ...] = ()
