# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Robots from bare models: MuJoCo Menagerie, MJCF and URDF files without a description."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np

from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.world._robot import Robot


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


def from_model(name: str, path: Path, hand: Robot) -> Robot:
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
        hand=hand,
        compensate_gravity=not free,
        notes=(
            f"{path.name} states no velocity, acceleration and jerk limits: 1 rad/s, 5 rad/s^2 and"
            " 500 rad/s^3 are assumed; a robot.toml states them",
        ),
    )


def from_urdf(path: Path) -> Robot:
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
