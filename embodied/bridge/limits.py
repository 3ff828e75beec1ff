"""The signed limits file: the only source of what the supervisor allows.

A person signs a file off; the sign-off, next to the file, holds the file's hash. The supervisor
opens the path that the operator names, checks the hash and keeps the limits in frozen objects.
No message of a planner carries limits.
"""

from __future__ import annotations

import datetime
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, cast

import numpy as np

from embodied.errors import ConfigurationError
from embodied.files import SMALL, read_bytes
from embodied.types import Array, readonly

SIGN_OFF = ".signoff"
"""Added to the name of a limits file, this is the name of its sign-off."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeepOut:
    """A box, in the world frame, that no part of the arm may enter; corners (3,), m."""

    name: str
    lower: Array
    upper: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SafetyLimits:
    """What the supervisor allows; joint vectors (n,) are ordered by ``joints``.

    Attributes:
        name: Name of the file's set-up.
        robot: Robot model whose shapes are checked for collision, as ``--robot`` names it.
        scenes: Scenes that the file is signed off for; empty for any.
        joints: Joint names.
        q_lower: Lower position limits, rad.
        q_upper: Upper position limits, rad.
        clamp_rad: Set-points up to this far beyond a position limit are clamped, others rejected.
        dq_max: Velocity limits, rad/s.
        ddq_max: Acceleration limits, rad/s^2.
        dddq_max: Jerk limits, rad/s^3.
        follow_rad: A set-point that asks for more than the dynamic limits, but is this near to
            the last one sent, is followed at a limited speed; a farther one is rejected.
        follow_share: Share of the velocity limits by which it may be faster than the set-points
            that it follows.
        ee_speed_m_s: Speed limit of the end effector, m/s.
        elbow_speed_m_s: Speed limit of the elbow, m/s.
        elbow_body: Body of the robot model that is the elbow.
        workspace_lower: Lower corner of the end effector's box in the world frame, (3,), m.
        workspace_upper: Upper corner, (3,), m.
        keep_out: Boxes that no part of the arm may enter.
        clearance_m: Least distance of links to other links, fixed things and keep-outs.
        hand_clearance_m: The same for hand and fingers, which work close to things.
        least_singular_value: Of the end effector's Jacobian (m, rad); below it, motion that
            lowers it further is rejected.
        tracking_error_rad: Largest difference of measured and sent positions.
        tau_max: Torque limits, N m.
        stall_rad: Lag behind the set-point that counts as held back.
        stall_s: Held back and not moving for longer, the arm has stalled.
        dt_s: Time between two set-points.
        setpoint_age_s: Older set-points are stale.
        stale_s: Time for which a moving arm keeps its last velocity without a set-point.
        heartbeat_s: Longest silence of a planner.
        state_age_s: Longest time without a new report of the arm.
        clock_jump_s: Largest disagreement between the arm's clock and ours over one report.
        rest_s: Stated time within which the arm is at rest after a fault was noticed.
        max_width_m: Largest gap of the gripper, m; 0 without a gripper.
        max_force_n: Largest grasping force, N.
        sha256: Hash of the file, in hexadecimal.
        signed_by: Who signed it off.
    """

    name: str
    robot: str
    scenes: tuple[str, ...]
    joints: tuple[str, ...]
    q_lower: Array
    q_upper: Array
    clamp_rad: float
    dq_max: Array
    ddq_max: Array
    dddq_max: Array
    follow_rad: float
    follow_share: float
    ee_speed_m_s: float
    elbow_speed_m_s: float
    elbow_body: str
    workspace_lower: Array
    workspace_upper: Array
    keep_out: tuple[KeepOut, ...]
    clearance_m: float
    hand_clearance_m: float
    least_singular_value: float
    tracking_error_rad: float
    tau_max: Array
    stall_rad: float
    stall_s: float
    dt_s: float
    setpoint_age_s: float
    stale_s: float
    heartbeat_s: float
    state_age_s: float
    clock_jump_s: float
    rest_s: float
    max_width_m: float
    max_force_n: float
    sha256: str
    signed_by: str

    def __post_init__(self) -> None:
        n = len(self.joints)
        for name in ("q_lower", "q_upper", "dq_max", "ddq_max", "dddq_max", "tau_max"):
            object.__setattr__(self, name, readonly(getattr(self, name), (n,)))
        for name in ("workspace_lower", "workspace_upper"):
            object.__setattr__(self, name, readonly(getattr(self, name), (3,)))


_TABLES: Mapping[str, tuple[str, ...]] = {
    "position": ("q_lower", "q_upper", "clamp_rad"),
    "motion": ("dq_max", "ddq_max", "dddq_max", "follow_rad", "follow_share"),
    "speed": ("ee_speed_m_s", "elbow_speed_m_s", "elbow_body"),
    "workspace": ("workspace_lower", "workspace_upper"),
    "collision": ("clearance_m", "hand_clearance_m"),
    "singularity": ("least_singular_value",),
    "tracking": ("tracking_error_rad", "tau_max", "stall_rad", "stall_s"),
    "timing": (
        "dt_s",
        "setpoint_age_s",
        "stale_s",
        "heartbeat_s",
        "state_age_s",
        "clock_jump_s",
        "rest_s",
    ),
    "gripper": ("max_width_m", "max_force_n"),
}
_TOP = ("name", "robot", "scenes", "joints")


def load_limits(path: Path) -> SafetyLimits:
    """Read a limits file and check its sign-off.

    Raises:
        ConfigurationError: The file or its sign-off is missing or incomplete, the hash differs,
            or a value is not usable.
    """
    content = _read(path, "limits file")
    digest = hashlib.sha256(content).hexdigest()
    sign_off_path = path.with_name(path.name + SIGN_OFF)
    if not sign_off_path.is_file():
        raise ConfigurationError(
            f"{path} is not signed off: read it, then `embodied bridge sign {path} --name YOU`"
        )
    sign_off = _parse(_read(sign_off_path, "sign-off"), sign_off_path)
    if sign_off.get("sha256") != digest:
        raise ConfigurationError(
            f"{path} was changed after {sign_off.get('signed_by', 'somebody')} signed it off:"
            " read it again, then sign it again"
        )
    signed_by = str(sign_off.get("signed_by", "")).strip()
    if not signed_by:
        raise ConfigurationError(f"{sign_off_path} does not say who signed")
    return _limits(_parse(content, path), path, digest, signed_by)


def sign_limits(path: Path, *, name: str, statement: str) -> Path:
    """Write the sign-off of a limits file; returns its path.

    Raises:
        ConfigurationError: The file is not usable, or there is no name.
    """
    if not name.strip():
        raise ConfigurationError("a sign-off needs the name of who signs")
    content = _read(path, "limits file")
    digest = hashlib.sha256(content).hexdigest()
    _limits(_parse(content, path), path, digest, name)  # refuse to sign what cannot be used
    target = path.with_name(path.name + SIGN_OFF)
    day = datetime.date.today().isoformat()
    text = f'sha256 = "{digest}"\nsigned_by = {_quoted(name)}\ndate = "{day}"\n'
    target.write_text(f"{text}statement = {_quoted(statement)}\n", "utf-8")
    return target


def shipped_limits(name: str) -> Path:
    """Path of a limits file for a simulated or emulated arm that is part of this package.

    Raises:
        ConfigurationError: There is none of this name.
    """
    folder = resources.files("embodied.bridge") / "signed"
    path = Path(str(folder)) / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.toml")))
        raise ConfigurationError(f"no shipped limits {name!r}: there are {known}")
    return path


def _limits(table: dict[str, Any], path: Path, digest: str, signed_by: str) -> SafetyLimits:
    _refuse_unknown(table, (*_TOP, *_TABLES), path, "")
    values: dict[str, Any] = {}
    for key in _TOP:
        values[key] = _take(table, key, path, key)
    for section, keys in _TABLES.items():
        part = _take(table, section, path, section)
        extra = ("keep_out",) if section == "workspace" else ()
        _refuse_unknown(part, (*keys, *extra), path, f"{section}.")
        for key in keys:
            values[key] = _take(part, key, path, f"{section}.{key}")
    keep_out = tuple(_keep_out(b, path) for b in table["workspace"].get("keep_out", ()))
    values["joints"] = tuple(values["joints"])
    values["scenes"] = tuple(values["scenes"])
    try:
        limits = SafetyLimits(**values, keep_out=keep_out, sha256=digest, signed_by=signed_by)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    _check(limits, path)
    return limits


def _keep_out(table: Mapping[str, Any], path: Path) -> KeepOut:
    where = "workspace.keep_out."
    _refuse_unknown(table, ("name", "lower", "upper"), path, where)
    lower, upper = (_take(table, key, path, where + key) for key in ("lower", "upper"))
    try:
        box = KeepOut(
            name=str(_take(table, "name", path, where + "name")),
            lower=readonly(lower, (3,)),
            upper=readonly(upper, (3,)),
        )
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {where[:-1]}: {error}") from error
    if not (np.isfinite([*box.lower, *box.upper]).all() and np.all(box.lower < box.upper)):
        raise ConfigurationError(f"{path}: keep-out {box.name!r}: lower < upper, both finite")
    return box


def _refuse_unknown(table: object, known: tuple[str, ...], path: Path, where: str) -> None:
    """A key that is not known may be a limit that somebody relies on."""
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{path}: {where[:-1] or 'the file'} must be a table")
    keys = cast("Mapping[str, object]", table)
    if strange := [k for k in keys if k not in known]:
        raise ConfigurationError(
            f"{path}: unknown key {where}{strange[0]}; there are {', '.join(known)}"
        )


def _check(limits: SafetyLimits, path: Path) -> None:
    problems: list[str] = []
    for field in fields(limits):
        value, least = getattr(limits, field.name), 0.0
        if field.name == "hand_clearance_m":  # hands touch: below 0 is how deep rounding may be
            least = -0.01
        if field.type == "float":
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (number and least <= value < np.inf):
                problems.append(f"{field.name} must be a finite number, at least {least:g}")
        elif isinstance(value, np.ndarray) and not np.isfinite(value).all():
            problems.append(f"{field.name} must be finite")
    if problems:
        raise ConfigurationError(f"{path}: {'; '.join(problems)}")
    for name in ("dq_max", "ddq_max", "dddq_max", "tau_max"):
        if not np.all(getattr(limits, name) > 0):
            problems.append(f"{name} must be above 0")
    for lower, upper in (("q_lower", "q_upper"), ("workspace_lower", "workspace_upper")):
        if not np.all(getattr(limits, lower) < getattr(limits, upper)):
            problems.append(f"{lower} must be below {upper}")
    if not 0.0 <= limits.clamp_rad <= 1e-3:
        problems.append("clamp_rad must be within 0 and 0.001")
    for name in ("dt_s", "rest_s", "ee_speed_m_s", "elbow_speed_m_s", "tracking_error_rad"):
        if not getattr(limits, name) > 0:
            problems.append(f"{name} must be above 0")
    if not 0.0 < limits.follow_share <= 1.0:
        problems.append("follow_share must be above 0 and at most 1")
    if problems:
        raise ConfigurationError(f"{path}: {'; '.join(problems)}")


def _take(table: Mapping[str, Any], key: str, path: Path, where: str) -> Any:
    try:
        return table[key]
    except (KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} lacks {where}") from error


def _read(path: Path, what: str) -> bytes:
    try:
        return read_bytes(path, most=SMALL)
    except ConfigurationError as error:
        raise ConfigurationError(f"the {what}: {error}") from error


def _parse(content: bytes, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no TOML file: {error}") from error


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
