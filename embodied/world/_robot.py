# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""What is known of a robot, and its simulation model."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import mujoco

from embodied.types import Array, GripperSpec, readonly


@dataclass(frozen=True, slots=True, kw_only=True)
class Gripper:
    """How a parallel gripper is driven and measured in a MuJoCo model.

    Attributes:
        spec: What a planner needs to know.
        actuator: Position actuator whose control is the gap between the pads, m.
        joints: The finger joints; their positions add up to the gap.
        pads: Geoms of the two finger pads.
        speed_m_s: Rate at which the gap follows its target, m/s.
    """

    spec: GripperSpec
    actuator: str
    joints: tuple[str, ...]
    pads: tuple[str, str]
    speed_m_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Robot:
    """A robot's model file and its description; vectors are ordered by ``joints``.

    Attributes:
        name: Name, e.g. ``"fr3"``.
        model_path: MJCF or URDF file.
        joints: Controlled joints, n of them, each with a position actuator.
        q_home: Rest configuration, (n,), rad.
        q_lower: Lower position limits, (n,), rad.
        q_upper: Upper position limits, (n,), rad.
        dq_max: Velocity limits, (n,), rad/s.
        ddq_max: Acceleration limits, (n,), rad/s^2.
        dddq_max: Jerk limits, (n,), rad/s^3.
        tau_max: Torque limits, (n,), N m.
        ee_site: Site of the end effector: z along the approach, y along the closing direction.
            Empty for a robot that has none; the base then takes its place.
        base: Body with a free joint, for floating bases; empty for fixed ones.
        base_home: Pose of a floating base at reset: x, y, z, then quaternion wxyz; (7,).
        gripper: The gripper, if there is one.
        mount: Site that ``hand`` is mounted on, for models without one.
        hand: The arm whose parallel hand is mounted.
        add_servos: Add a position actuator to each joint, for models (URDF) that have none.
        compensate_gravity: Add ideal gravity compensation, as arms' own controllers have it.
        notes: What a reader should know about where these numbers come from.
    """

    name: str
    model_path: Path
    joints: tuple[str, ...]
    q_home: Array
    q_lower: Array
    q_upper: Array
    dq_max: Array
    ddq_max: Array
    dddq_max: Array
    tau_max: Array
    ee_site: str = ""
    base: str = ""
    base_home: tuple[float, ...] = ()
    gripper: Gripper | None = None
    mount: str = ""
    hand: Robot | None = None
    add_servos: bool = False
    compensate_gravity: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.joints)
        for name in ("q_home", "q_lower", "q_upper", "dq_max", "ddq_max", "dddq_max", "tau_max"):
            object.__setattr__(self, name, readonly(getattr(self, name), (n,)))

    def mjspec(self) -> mujoco.MjSpec:
        """Read the model into a fresh, editable ``MjSpec``."""
        spec = mujoco.MjSpec.from_file(str(self.model_path))
        if self.add_servos:
            _add_servos(spec, self.joints, self.tau_max)
        if self.compensate_gravity:
            for body in spec.bodies:
                body.gravcomp = 1.0
            for joint in spec.joints:
                joint.actgravcomp = True
        if self.mount and self.hand is not None:
            _mount_hand(spec, self.mount, self.hand)
        for key in list(spec.keys):
            spec.delete(key)  # a scene adds coordinates that the model's keyframes lack
        return spec


def compile_model(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """Compile a model, without the warning that a mounted hand keeps its names."""
    with _kept_names_are_meant():
        return spec.compile()


@contextlib.contextmanager
def _kept_names_are_meant() -> Generator[None]:
    """Silence one warning: a mounted hand keeps its names, so that planners find it.

    MuJoCo prints it when the hand is attached, and its Python binding warns when it compiles.
    """
    kept_names = "Attaching a spec with an empty prefix"
    printer = mujoco.get_mju_user_warning()

    def warn(text: str) -> None:
        if not text.startswith(kept_names):
            (printer or (lambda line: sys.stderr.write(f"WARNING: {line}\n")))(text)

    mujoco.set_mju_user_warning(warn)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=kept_names)
            yield
    finally:
        mujoco.set_mju_user_warning(printer)


def _mount_hand(spec: mujoco.MjSpec, site: str, arm: Robot) -> None:
    """Mount the parallel hand of an arm on a site, z along the approach."""
    source = arm.mjspec()
    hand = source.body("hand")
    flange = spec.site(site)
    hand.pos = [0.0, 0.0, 0.0]
    with _kept_names_are_meant():
        flange.attach_body(hand, "", "")
    spec.add_exclude(bodyname1="hand", bodyname2=flange.parent.name)


def _add_servos(spec: mujoco.MjSpec, joints: tuple[str, ...], tau_max: Array) -> None:
    """Position servos that use the whole torque for an error of 0.02 rad."""
    for name, torque in zip(joints, tau_max, strict=True):
        joint = spec.joint(name)
        joint.armature = max(joint.armature, 0.1)
        joint.actfrclimited = True
        joint.actfrcrange = [-torque, torque]
        servo = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(kp=50.0 * torque, kv=5.0 * torque)
