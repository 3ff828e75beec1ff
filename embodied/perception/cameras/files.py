"""``cameras.toml``: which cameras there are, their intrinsics, and where they are.

One table a camera, whose name is the table's::

    [front]
    driver = "realsense"
    mount = "world"                    # or "ee": pose in the frame of the end effector
    options = { serial = "0123" }

    [front.intrinsics]                 # without: what the driver reports
    width = 640
    height = 480
    fx = 615.1
    fy = 615.3
    cx = 319.8
    cy = 242.0
    distortion = [0.1, -0.2, 0.0, 0.0, 0.0]

    [front.pose]                       # of the optical frame: x right, y down, z along the view
    position = [0.9, 0.0, 0.6]
    quat_wxyz = [0.27, -0.65, -0.65, 0.27]

    [front.calibration]                # written by whoever calibrated it
    date = "2026-12-01"
    residual_px = 0.2
    residual_m = 0.0003
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

import numpy as np

from embodied.errors import ConfigurationError, Diagnostic
from embodied.files import SMALL, read_bytes
from embodied.perception.cameras.drivers import CAMERAS
from embodied.perception.cameras.types import Camera, CameraModel
from embodied.tables import OneOf, Range, load_toml, read_table, refused, toml_value
from embodied.types import Pose

MOUNTS = ("world", "ee")

_Pixels = Annotated[int, Range(1, 16384)]
_Focal = Annotated[float, Range(1.0, 1e6)]
_Center = Annotated[float, Range(-1e5, 1e5)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How well a camera was calibrated.

    Attributes:
        date: Day, as YYYY-MM-DD.
        residual_px: Root mean square of the reprojection error; None where it is not known.
        residual_m: The same of positions.
    """

    date: str = ""
    residual_px: Annotated[float | None, Range(0.0, 1e3)] = None
    residual_m: Annotated[float | None, Range(0.0, 1.0)] = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraEntry:
    """One camera of a file.

    Attributes:
        name: Its name.
        driver: Name of its driver.
        options: The driver's options.
        mount: ``"world"``, or ``"ee"`` for a camera on the end effector.
        model: Intrinsics; None where the driver's own are used.
        pose: Pose of the optical frame in the frame of ``mount``; None before calibration.
        calibration: Where the figures come from; None where the file does not say.
        folder: Folder of the file: paths among the options are relative to it.
    """

    name: str
    driver: str
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    mount: str = "world"
    model: CameraModel | None = None
    pose: Pose | None = None
    calibration: Calibration | None = None
    folder: Path = Path()


@dataclass(frozen=True, slots=True)
class _Intrinsics:
    width: _Pixels
    height: _Pixels
    fx: _Focal
    fy: _Focal
    cx: _Center
    cy: _Center
    distortion: Annotated[tuple[float, ...], Range(-1e4, 1e4)] = ()


@dataclass(frozen=True, slots=True)
class _Pose:
    position: Annotated[tuple[float, float, float], Range(-100.0, 100.0)]
    quat_wxyz: Annotated[tuple[float, float, float, float], Range(-1.01, 1.01)]


@dataclass(frozen=True, slots=True)
class _Table:
    driver: str
    mount: Annotated[str, OneOf(MOUNTS)] = "world"
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    intrinsics: _Intrinsics | None = None
    pose: _Pose | None = None
    calibration: Calibration | None = None


def load_cameras(path: str | Path) -> tuple[CameraEntry, ...]:
    """Read a file of cameras; opens none.

    Raises:
        ConfigurationError: It cannot be read, or is not usable: the message names each key and the
            legal values.
    """
    path = Path(path)
    problems: list[Diagnostic] = []
    entries: list[CameraEntry] = []
    for name, data in load_toml(path).items():
        table = read_table(_Table, data, name, problems)
        if table is not None:
            problems += _wrong(name, table)
            entries.append(_entry(name, table, path.parent))
    if not entries and not problems:
        problems.append(Diagnostic(where="file", problem="names no camera", hint="[NAME] tables"))
    if problems:
        raise refused(str(path), "cameras file", problems)
    return tuple(entries)


def _wrong(name: str, table: _Table) -> Iterable[Diagnostic]:
    """What each value alone does not show."""
    if table.driver not in CAMERAS:
        hint = f"legal values: {', '.join(CAMERAS.names)}"
        yield Diagnostic(
            where=f"{name}.driver", problem=f"has the value {table.driver!r}", hint=hint
        )
    seen = table.intrinsics
    if seen is not None and len(seen.distortion) not in (0, 5):
        yield Diagnostic(
            where=f"{name}.intrinsics.distortion",
            problem=f"has {len(seen.distortion)} numbers",
            hint="k1, k2, p1, p2, k3, or none",
        )
    length = 1.0 if table.pose is None else float(np.linalg.norm(table.pose.quat_wxyz))
    if abs(length - 1.0) > 0.01:
        where = f"{name}.pose.quat_wxyz"
        yield Diagnostic(where=where, problem=f"has the length {length:.3g}", hint="must be 1")


def _entry(name: str, table: _Table, folder: Path) -> CameraEntry:
    seen, pose = table.intrinsics, table.pose
    model = None
    if seen is not None:
        model = CameraModel(**{key: getattr(seen, key) for key in _Intrinsics.__slots__})
    placed = None
    if pose is not None and any(pose.quat_wxyz):
        placed = Pose(position=np.array(pose.position), quat_wxyz=np.array(pose.quat_wxyz))
    return CameraEntry(
        name=name,
        driver=table.driver,
        options=table.options,
        mount=table.mount,
        model=model,
        pose=placed,
        calibration=table.calibration,
        folder=folder,
    )


def save_cameras(path: str | Path, entries: Iterable[CameraEntry]) -> None:
    """Write a file of cameras; the old one is replaced at once or not at all.

    Comments of the old file are not kept.

    Raises:
        ConfigurationError: Something cannot be written as TOML, two cameras share a name, or the
            file cannot be written.
    """
    path, entries = Path(path), tuple(entries)
    names = [e.name for e in entries]
    if len({*names}) < len(names):
        raise ConfigurationError(f"two cameras share a name: {', '.join(names)}")
    text = "\n".join(_text(e) for e in entries)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, "utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ConfigurationError(f"cannot write {path}: {error.strerror or error}") from error


def _text(entry: CameraEntry) -> str:
    plain = all(c.isascii() and (c.isalnum() or c in "-_") for c in entry.name) and entry.name
    head = entry.name if plain else toml_value(entry.name)
    tables: dict[str, dict[str, object]] = {"": {"driver": entry.driver, "mount": entry.mount}}
    if entry.options:
        tables[".options"] = dict(entry.options)
    if entry.model is not None:
        tables[".intrinsics"] = {k: getattr(entry.model, k) for k in _Intrinsics.__slots__}
    if entry.pose is not None:
        pose = entry.pose
        position, quat = pose.position.tolist(), pose.quat_wxyz.tolist()
        tables[".pose"] = {"position": position, "quat_wxyz": quat}
    if entry.calibration is not None:
        each = {k: getattr(entry.calibration, k) for k in Calibration.__slots__}
        tables[".calibration"] = {k: v for k, v in each.items() if v not in (None, "")}
    lines: list[str] = []
    for tail, table in tables.items():
        lines.append(f"[{head}{tail}]")
        lines += [f"{_key(k)} = {toml_value(_plain(v))}" for k, v in table.items()]
        lines.append("")
    return "\n".join(lines)


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").isalnum() else toml_value(key)


def _plain(value: object) -> object:
    return cast("np.generic", value).item() if isinstance(value, np.generic) else value


def cameras_sha256(path: str | Path) -> str:
    """Hash of a file of cameras, for records.

    Raises:
        ConfigurationError: It cannot be read.
    """
    return hashlib.sha256(read_bytes(path, most=SMALL)).hexdigest()


def open_camera(entry: CameraEntry) -> Camera:
    """Open a camera: it takes images from now on.

    Raises:
        ConfigurationError: There is no such driver or option; the message lists the legal ones.
        EnvironmentMissingError: The driver's package is not installed.
        CameraError: The camera is not there or does not fit its entry.
    """
    driver = CAMERAS.get(entry.driver)
    name = f"camera driver {entry.driver} of {entry.name!r}"
    return driver.open(name, entry, options=entry.options)
