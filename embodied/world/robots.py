# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Robots as data: a simulation model and a small typed description, loaded by name.

``load`` is the one door: ``"fr3"`` and the other robots of ``embodied_assets``,
``"menagerie:NAME"`` and paths of ``robot.toml``, MJCF or URDF files all come through it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tomllib
import warnings
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mujoco
import numpy as np

from embodied.errors import ConfigurationError, EnvironmentMissingError
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
        mount: Site that this project's parallel hand is mounted on, for models without one.
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
        if self.mount:
            _mount_hand(spec, self.mount)
        for key in list(spec.keys):
            spec.delete(key)  # a scene adds coordinates that the model's keyframes lack
        return spec


def robot_names() -> tuple[str, ...]:
    """Names of the robots that are part of ``embodied_assets``."""
    return tuple(
        sorted(p.name for p in _robots_folder().iterdir() if p.joinpath("robot.toml").is_file())
    )


def load(name: str) -> Robot:
    """Load a robot by name or path.

    Args:
        name: A name of ``robot_names()``; ``"menagerie:NAME"`` for a model of MuJoCo Menagerie
            (from the folder ``MENAGERIE_ROOT``, else through the package ``mujoco-menagerie``);
            or the path of a ``robot.toml``, MJCF (``.xml``) or URDF (``.urdf``) file.

    Raises:
        ConfigurationError: There is no such robot, or its description is wrong.
        EnvironmentMissingError: A Menagerie model was asked for and there is no Menagerie.
    """
    if name in robot_names():
        return _read_description(Path(str(_robots_folder().joinpath(name, "robot.toml"))))
    if name.startswith("menagerie:"):
        return _from_model(name, menagerie_path(name.removeprefix("menagerie:")))
    path = Path(name).expanduser()
    if path.suffix == ".toml" and path.is_file():
        return _read_description(path)
    if path.suffix == ".urdf" and path.is_file():
        return _from_urdf(path)
    if path.suffix == ".xml" and path.is_file():
        return _from_model(path.stem, path)
    raise ConfigurationError(
        f"no robot {name!r}: give one of {', '.join(robot_names())}, menagerie:NAME, or the path of"
        " an existing robot.toml, MJCF (.xml) or URDF (.urdf) file"
    )


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


def menagerie_path(name: str) -> Path:
    """Path of the MJCF file of a robot of MuJoCo Menagerie.

    Raises:
        ConfigurationError: Menagerie has no such robot.
        EnvironmentMissingError: Neither ``MENAGERIE_ROOT`` nor the package is there, or the
            download failed.
    """
    root = os.environ.get("MENAGERIE_ROOT")
    if root:
        folder = Path(root).expanduser() / name
        candidates = [p for p in sorted(folder.glob("*.xml")) if "scene" not in p.stem]
        if not candidates:
            known = sorted(p.name for p in Path(root).expanduser().glob("*/") if p.is_dir())
            raise ConfigurationError(
                f"no model {name!r} under MENAGERIE_ROOT={root}; it holds: {', '.join(known)}"
            )
        return min(candidates, key=lambda p: _variant_rank(name, p.stem))
    try:
        import mujoco_menagerie  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise EnvironmentMissingError(
            f"menagerie:{name} needs MuJoCo Menagerie: pip install mujoco-menagerie (downloads the"
            " model when first used), or set MENAGERIE_ROOT to a checkout of"
            " google-deepmind/mujoco_menagerie; --robot fr3 needs neither"
        ) from error
    if name not in mujoco_menagerie.names():
        raise ConfigurationError(
            f"MuJoCo Menagerie has no {name!r}; it has: {', '.join(mujoco_menagerie.names())}"
        )
    robot = mujoco_menagerie.get(name)
    entries = [e for e in robot.entry_names if "nohand" in e and "mjx" not in e]
    try:
        return Path(robot.xml(entries[0] if entries else robot.default_model))
    except Exception as error:  # whatever the downloader raises, the advice is the same
        raise EnvironmentMissingError(
            f"menagerie:{name} could not be downloaded ({error}); set MENAGERIE_ROOT to a checkout"
            " of google-deepmind/mujoco_menagerie to work without a network"
        ) from error


def _variant_rank(name: str, stem: str) -> tuple[bool, bool, bool, int]:
    """Order of a folder's models: arms without a hand first, then the one named like the folder."""
    return (
        "mjx" in stem or stem == "hand",
        "nohand" not in stem,
        not name.endswith(stem),
        len(stem),
    )


def _robots_folder() -> Traversable:
    return resources.files("embodied_assets").joinpath("robots")


def _read_description(path: Path) -> Robot:
    with path.open("rb") as file:
        try:
            data = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    try:
        limits: Mapping[str, Any] = data["limits"]
        gripper: Mapping[str, Any] | None = data.get("gripper")
        mount: str = data.get("mount", "")
        hand = load("fr3") if mount else None
        return Robot(
            name=data["name"],
            model_path=path.parent / data["model"],
            joints=tuple(data["joints"]),
            q_home=data["q_home"],
            ee_site=data.get("ee_site", "" if hand is None else hand.ee_site),
            base=data.get("base", ""),
            base_home=tuple(float(v) for v in data.get("base_home", ())),
            mount=mount,
            gripper=hand.gripper
            if hand is not None
            else None
            if gripper is None
            else Gripper(
                spec=GripperSpec(
                    max_width_m=gripper["max_width_m"],
                    max_force_n=gripper["max_force_n"],
                    pad_size_m=tuple(gripper["pad_size_m"]),
                ),
                actuator=gripper["actuator"],
                joints=tuple(gripper["joints"]),
                pads=tuple(gripper["pads"]),
                speed_m_s=gripper["speed_m_s"],
            ),
            q_lower=limits["q_lower"],
            q_upper=limits["q_upper"],
            dq_max=limits["dq_max"],
            ddq_max=limits["ddq_max"],
            dddq_max=limits["dddq_max"],
            tau_max=limits["tau_max"],
        )
    except KeyError as error:
        raise ConfigurationError(f"{path}: the key {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _from_model(name: str, path: Path) -> Robot:
    """Derive a description from a bare model: actuated hinges, its limits, cautious rates."""
    try:
        model = mujoco.MjSpec.from_file(str(path)).compile()
    except (ValueError, mujoco.FatalError) as error:
        raise ConfigurationError(f"{path}: MuJoCo cannot load it: {error}") from error
    joints: list[int] = []
    tau: list[float] = []
    for i in range(model.nu):
        joint = int(model.actuator_trnid[i, 0])
        is_joint = model.actuator_trntype[i] == mujoco.mjtTrn.mjTRN_JOINT
        if is_joint and model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE:
            joints.append(joint)
            limit = float(model.actuator_forcerange[i, 1])
            if not model.actuator_forcelimited[i]:
                limit = float(model.jnt_actfrcrange[joint, 1])
            tau.append(limit if limit > 0 else 50.0)
    if not joints:
        raise ConfigurationError(
            f"{path}: no hinge joint has an actuator; write a robot.toml next to a model with"
            " position actuators (docs/scenes.md, 'Add a robot')"
        )
    limited = model.jnt_limited[joints].astype(bool)
    q_lower = np.where(limited, model.jnt_range[joints, 0], -np.pi)
    q_upper = np.where(limited, model.jnt_range[joints, 1], np.pi)
    home = model.qpos0 if model.nkey == 0 else model.key_qpos[0]
    free = [j for j in range(model.njnt) if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_FREE]
    base = model.body(int(model.jnt_bodyid[free[0]])).name if free else ""
    base_home = tuple(float(v) for v in home[model.jnt_qposadr[free[0]] :][:7]) if free else ()
    sites = [model.site(i).name for i in range(model.nsite)]
    mount = "attachment_site" if "attachment_site" in sites and not free else ""
    hand = load("fr3")
    ee = hand.ee_site if mount else next((s for s in ("ee", "pinch", "tcp") if s in sites), "")
    n = len(joints)
    return Robot(
        name=name,
        model_path=path,
        joints=tuple(model.joint(j).name for j in joints),
        q_home=np.clip(home[model.jnt_qposadr[joints]], q_lower, q_upper),
        q_lower=q_lower,
        q_upper=q_upper,
        dq_max=np.full(n, 1.0),
        ddq_max=np.full(n, 5.0),
        dddq_max=np.full(n, 500.0),
        tau_max=np.array(tau),
        ee_site=ee,
        base=base,
        base_home=base_home,
        gripper=hand.gripper if mount else None,
        mount=mount,
        compensate_gravity=not free,
        notes=(
            f"{path.name} states no velocity, acceleration and jerk limits: 1 rad/s, 5 rad/s^2 and"
            " 500 rad/s^3 are assumed; a robot.toml states them",
        ),
    )


def _mount_hand(spec: mujoco.MjSpec, site: str) -> None:
    """Mount the parallel hand of the FR3 class arm on a site, z along the approach."""
    source = load("fr3").mjspec()
    hand = source.body("hand")
    flange = spec.site(site)
    hand.pos = [0.0, 0.0, 0.0]
    with _kept_names_are_meant():
        flange.attach_body(hand, "", "")
    spec.add_exclude(bodyname1="hand", bodyname2=flange.parent.name)


def _from_urdf(path: Path) -> Robot:
    """Derive a description from a URDF: its revolute joints and their stated limits.

    URDF knows limits of position, velocity and effort, but no actuators: servos are added.
    """
    try:
        root = ElementTree.parse(path).getroot()
        mujoco.MjSpec.from_file(str(path)).compile()
    except (ElementTree.ParseError, ValueError, mujoco.FatalError) as error:
        raise ConfigurationError(f"{path}: MuJoCo cannot load it: {error}") from error
    joints: list[str] = []
    rows: list[tuple[float, float, float, float]] = []
    for joint in root.iter("joint"):
        limit = joint.find("limit")
        if joint.get("type") not in ("revolute", "continuous"):
            continue
        stated = {} if limit is None else limit.attrib
        joints.append(joint.get("name", ""))
        rows.append(
            (
                float(stated.get("lower", -np.pi)),
                float(stated.get("upper", np.pi)),
                float(stated.get("velocity", 1.0)),
                float(stated.get("effort", 50.0)),
            )
        )
    if not joints:
        raise ConfigurationError(f"{path}: it has no revolute joint")
    q_lower, q_upper, dq_max, tau_max = np.array(rows).T
    n = len(joints)
    return Robot(
        name=path.stem,
        model_path=path,
        joints=tuple(joints),
        q_home=np.clip(np.zeros(n), q_lower, q_upper),
        q_lower=q_lower,
        q_upper=q_upper,
        dq_max=dq_max,
        ddq_max=np.full(n, 5.0),
        dddq_max=np.full(n, 500.0),
        tau_max=tau_max,
        add_servos=True,
        compensate_gravity=True,
        notes=(
            f"{path.name} states no acceleration and jerk limits: 5 rad/s^2 and 500 rad/s^3 are"
            " assumed; servos were added; it has no gripper that is known: write a robot.toml",
        ),
    )


def _add_servos(spec: mujoco.MjSpec, joints: tuple[str, ...], tau_max: Array) -> None:
    """Position servos that use the whole torque for an error of 0.02 rad."""
    for name, torque in zip(joints, tau_max, strict=True):
        joint = spec.joint(name)
        joint.armature = max(joint.armature, 0.1)
        joint.actfrclimited = True
        joint.actfrcrange = [-torque, torque]
        servo = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(kp=50.0 * torque, kv=5.0 * torque)
