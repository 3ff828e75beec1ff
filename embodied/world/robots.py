"""Robots as data: a simulation model and a small typed description, loaded by name.

``load`` is the one door: ``"fr3"`` and the other arms by name, ``"menagerie:NAME"`` and paths of
``robot.toml``, MJCF or URDF files all come through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embodied.errors import ConfigurationError, Diagnostic
from embodied.tables import load_toml, read_table, refused
from embodied.types import GripperSpec
from embodied.world._robot import Gripper as Gripper
from embodied.world._robot import Robot as Robot
from embodied.world._robot import compile_model as compile_model
from embodied.world._robot_models import from_model, from_urdf, menagerie_path
from embodied.world.files import ARMS

Numbers = tuple[float, ...]

HAND = "fr3"
"""The arm whose parallel hand is mounted on those that have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """``[limits]``, each a number per joint."""

    q_lower: Numbers
    q_upper: Numbers
    dq_max: Numbers
    ddq_max: Numbers
    dddq_max: Numbers
    tau_max: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gripper:
    """``[gripper]``."""

    actuator: str
    joints: tuple[str, ...]
    pads: tuple[str, str]
    max_width_m: float
    max_force_n: float
    speed_m_s: float
    pad_size_m: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Description:
    """A whole ``robot.toml``."""

    name: str
    model: str
    joints: tuple[str, ...]
    q_home: Numbers
    limits: _Limits
    ee_site: str | None = None
    base: str = ""
    base_home: Numbers = ()
    mount: str = ""
    gripper: _Gripper | None = None


def robot_names() -> tuple[str, ...]:
    """Names of all arms, this project's own first."""
    return ARMS.names


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
    if name in ARMS:
        return _read_description(ARMS.get(name))
    if name.startswith("menagerie:"):
        return from_model(name, menagerie_path(name.removeprefix("menagerie:")), load(HAND))
    path = Path(name).expanduser()
    if path.suffix == ".toml" and path.is_file():
        return _read_description(path)
    if path.suffix == ".urdf" and path.is_file():
        return from_urdf(path)
    if path.suffix == ".xml" and path.is_file():
        return from_model(path.stem, path, load(HAND))
    raise ConfigurationError(
        f"no robot {name!r}: give one of {', '.join(robot_names())}, menagerie:NAME, or the path of"
        " an existing robot.toml, MJCF (.xml) or URDF (.urdf) file"
    )


def _read_description(path: Path) -> Robot:
    problems: list[Diagnostic] = []
    read = read_table(_Description, load_toml(path), "robot", problems)
    if read is None:
        raise refused(str(path), "robot description", problems)
    hand = load(HAND) if read.mount else None
    grip, limits = read.gripper, read.limits
    gripper = None if hand is None else hand.gripper
    if grip is not None and hand is None:
        gripper = Gripper(
            spec=GripperSpec(
                max_width_m=grip.max_width_m,
                max_force_n=grip.max_force_n,
                pad_size_m=grip.pad_size_m,
            ),
            actuator=grip.actuator,
            joints=grip.joints,
            pads=grip.pads,
            speed_m_s=grip.speed_m_s,
        )
    usual_site = "" if hand is None else hand.ee_site
    try:
        return Robot(
            name=read.name,
            model_path=path.parent / read.model,
            joints=read.joints,
            q_home=np.array(read.q_home),
            ee_site=usual_site if read.ee_site is None else read.ee_site,
            base=read.base,
            base_home=read.base_home,
            mount=read.mount,
            hand=hand,
            gripper=gripper,
            q_lower=np.array(limits.q_lower),
            q_upper=np.array(limits.q_upper),
            dq_max=np.array(limits.dq_max),
            ddq_max=np.array(limits.ddq_max),
            dddq_max=np.array(limits.dddq_max),
            tau_max=np.array(limits.tau_max),
        )
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
