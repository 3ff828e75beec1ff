"""The signed limits file: the only source of what the supervisor allows.

A person signs a file off; the sign-off, next to the file, holds the file's hash. The supervisor
opens the path that the operator names, checks the hash and keeps the limits in frozen objects.
No message of a planner carries limits.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Annotated, cast

from embodied.errors import ConfigurationError, Diagnostic
from embodied.files import SMALL, read_bytes
from embodied.tables import Range, load_toml, read_table, refused
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


_Joints = tuple[float, ...]
_Corner = tuple[float, float, float]
_Angles = Annotated[_Joints, Range(-20.0, 20.0)]
_Place = Annotated[_Corner, Range(-10.0, 10.0)]


@dataclass(frozen=True, slots=True)
class _Position:
    q_lower: _Angles
    q_upper: _Angles
    clamp_rad: Annotated[float, Range(0.0, 1e-3)]


@dataclass(frozen=True, slots=True)
class _Motion:
    dq_max: Annotated[_Joints, Range(1e-3, 20.0)]
    ddq_max: Annotated[_Joints, Range(1e-2, 500.0)]
    dddq_max: Annotated[_Joints, Range(1e-1, 50_000.0)]
    follow_rad: Annotated[float, Range(0.0, 0.5)]
    follow_share: Annotated[float, Range(1e-3, 1.0)]


@dataclass(frozen=True, slots=True)
class _Speed:
    ee_speed_m_s: Annotated[float, Range(1e-3, 3.0)]
    elbow_speed_m_s: Annotated[float, Range(1e-3, 3.0)]
    elbow_body: str


@dataclass(frozen=True, slots=True)
class _Box:
    name: str
    lower: _Place
    upper: _Place


@dataclass(frozen=True, slots=True)
class _Workspace:
    workspace_lower: _Place
    workspace_upper: _Place
    keep_out: tuple[_Box, ...] = ()


@dataclass(frozen=True, slots=True)
class _Collision:
    clearance_m: Annotated[float, Range(0.0, 0.2)]
    hand_clearance_m: Annotated[float, Range(-0.01, 0.2)]  # below 0: how deep it may touch


@dataclass(frozen=True, slots=True)
class _Singularity:
    least_singular_value: Annotated[float, Range(0.0, 0.5)]


@dataclass(frozen=True, slots=True)
class _Tracking:
    tracking_error_rad: Annotated[float, Range(1e-3, 0.6)]
    tau_max: Annotated[_Joints, Range(1e-2, 2000.0)]
    stall_rad: Annotated[float, Range(1e-3, 0.6)]
    stall_s: Annotated[float, Range(0.05, 10.0)]


@dataclass(frozen=True, slots=True)
class _Timing:
    dt_s: Annotated[float, Range(1e-3, 0.1)]
    setpoint_age_s: Annotated[float, Range(1e-3, 5.0)]
    stale_s: Annotated[float, Range(0.0, 0.5)]
    heartbeat_s: Annotated[float, Range(0.02, 5.0)]
    state_age_s: Annotated[float, Range(1e-3, 2.0)]
    clock_jump_s: Annotated[float, Range(1e-3, 2.0)]
    rest_s: Annotated[float, Range(0.05, 5.0)]


@dataclass(frozen=True, slots=True)
class _Gripper:
    max_width_m: Annotated[float, Range(0.0, 0.5)]
    max_force_n: Annotated[float, Range(0.0, 500.0)]


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    robot: str
    scenes: tuple[str, ...]
    joints: tuple[str, ...]
    position: _Position
    motion: _Motion
    speed: _Speed
    workspace: _Workspace
    collision: _Collision
    singularity: _Singularity
    tracking: _Tracking
    timing: _Timing
    gripper: _Gripper


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


def shipped_limits(*names: str) -> Path:
    """Path of a limits file for a simulated or emulated arm that is part of this package.

    Args:
        names: The first of these that there is.

    Raises:
        ConfigurationError: There is none of these names.
    """
    folder = Path(str(resources.files("embodied.bridge") / "signed"))
    for name in names:
        if (path := folder / f"{name}.toml").is_file():
            return path
    known = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
    raise ConfigurationError(f"no shipped limits {' or '.join(names)}: there are {known}")


def _limits(table: Mapping[str, object], path: Path, digest: str, signed_by: str) -> SafetyLimits:
    problems: list[Diagnostic] = []
    file = read_table(_File, table, "limits", problems)
    if file is None:
        raise refused(str(path), "limits file", problems)
    values: dict[str, object] = {}
    for field in fields(file):
        part = getattr(file, field.name)
        values |= _of(part) if is_dataclass(part) else {field.name: part}
    boxes = cast("tuple[_Box, ...]", values.pop("keep_out"))
    for what, low, high in (
        ("q_lower", file.position.q_lower, file.position.q_upper),
        ("workspace_lower", file.workspace.workspace_lower, file.workspace.workspace_upper),
        *((f"keep-out {b.name!r}: lower", b.lower, b.upper) for b in boxes),
    ):
        if len(low) == len(high) and not all(a < b for a, b in zip(low, high, strict=True)):
            problems.append(Diagnostic(where=what, problem="must be below its upper counterpart"))
    for key in ("q_lower", "q_upper", "dq_max", "ddq_max", "dddq_max", "tau_max"):
        count = len(cast("tuple[float, ...]", values[key]))
        if count != len(file.joints):
            wanted = f"one for each of the {len(file.joints)} joints"
            problems.append(Diagnostic(where=key, problem=f"has {count} numbers", hint=wanted))
    for key, names in (("joints", file.joints), ("keep_out", [b.name for b in boxes])):
        if len({*names}) < len(names):
            problems.append(Diagnostic(where=key, problem="names one twice"))
    if not file.joints:
        problems.append(Diagnostic(where="joints", problem="names none"))
    if problems:
        raise refused(str(path), "limits file", problems)
    keep_out = tuple(
        KeepOut(name=b.name, lower=readonly(b.lower, (3,)), upper=readonly(b.upper, (3,)))
        for b in boxes
    )
    made = partial(SafetyLimits, keep_out=keep_out, sha256=digest, signed_by=signed_by)
    return made(**values)  # pyright: ignore[reportArgumentType]  # read_table checked each


def _of(part: object) -> dict[str, object]:
    return {f.name: getattr(part, f.name) for f in fields(cast("_Position", part))}


def _read(path: Path, what: str) -> bytes:
    try:
        return read_bytes(path, most=SMALL)
    except ConfigurationError as error:
        raise ConfigurationError(f"the {what}: {error}") from error


def _parse(content: bytes, path: Path) -> Mapping[str, object]:
    try:
        return load_toml(content.decode(), str(path))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is no UTF-8 text") from error


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
