# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""What is known of a robot, and its simulation model."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

from embodied.types import Array, GripperSpec, readonly


@dataclass(frozen=True, slots=True, kw_only=True)
class Gripper:
    """How a gripper is driven and measured in a MuJoCo model.

    Attributes:
        spec: What a planner needs to know.
        actuator: Position actuator: its control is the sum of the finger joints' positions, each
            times its sign in ``signs``. Of a suction cup: an adhesion actuator.
        pads: Geoms of the two finger pads, or of the suction cup.
        speed_m_s: Rate at which the gap follows its target, m/s.
        signs: 1 or -1 for each of ``spec.joints``: to which side it opens.
    """

    spec: GripperSpec
    actuator: str
    pads: tuple[str, ...]
    speed_m_s: float
    signs: tuple[float, ...] = (1.0, 1.0)

    @property
    def joints(self) -> tuple[str, ...]:
        """The finger joints."""
        return self.spec.joints

    @property
    def travel(self) -> tuple[Array, Array]:
        """Gaps (k,), ascending, and the actuator's controls at them; equal where there is no table.

        A force between the pads takes their ratio dgap/dcontrol as much of the actuator.
        """
        if not self.spec.gaps_m:
            ends = np.array([0.0, 1.0])
            return ends, ends
        return np.array(self.spec.gaps_m), np.array(self.spec.positions) @ np.array(self.signs)


Edit = Callable[[mujoco.MjSpec], None]
"""A change of a model as its file has it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Robot:
    """A robot's model and its description; vectors are ordered by ``joints``.

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
        model_text: The model where it is not what the file says, e.g. with resolved paths.
        edits: Changes of the model, in this order: servos, tools, pads that the file lacks.
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
    model_text: str = ""
    edits: tuple[Edit, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.joints)
        for name in ("q_home", "q_lower", "q_upper", "dq_max", "ddq_max", "dddq_max", "tau_max"):
            object.__setattr__(self, name, readonly(getattr(self, name), (n,)))

    def mjspec(self) -> mujoco.MjSpec:
        """Read the model into a fresh, editable ``MjSpec``."""
        return edited(self.model_path, self.model_text, self.edits)


def edited(path: Path, text: str, edits: tuple[Edit, ...]) -> mujoco.MjSpec:
    """A model file, or a text in its place, with changes made."""
    if text:
        spec = mujoco.MjSpec.from_string(text)
    else:
        spec = mujoco.MjSpec.from_file(str(path))
    for edit in edits:
        edit(spec)
    for key in list(spec.keys):
        spec.delete(key)  # a scene adds coordinates that the model's keyframes lack
    return spec


def compile_model(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """Compile a model, without the warning that a mounted hand keeps its names."""
    with kept_names_are_meant():
        return spec.compile()


@contextlib.contextmanager
def kept_names_are_meant() -> Generator[None]:
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
