"""How an open camera does: rate, latency, unknown depth, and where it has the table."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from embodied.perception.cameras.agreement import MOST_M, disagreements
from embodied.perception.cameras.types import Camera, CameraError
from embodied.perception.cloud import Fuser
from embodied.perception.types import CameraView
from embodied.types import Array, Pose

MOST_UNKNOWN = 0.5
"""Share of pixels without depth from which on a camera is of little use."""

SLOWEST_HZ = 1.0
_STRIDE = 2
_NEAR_TABLE_M = 0.03
_TURNED = Pose(position=np.zeros(3), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraReport:
    """What was measured of a camera; figures that were not are None.

    Attributes:
        name: Its name.
        width: Width of its images, px.
        height: Height of its images, px.
        frames: Images that came.
        lost: Images that its counter says were lost.
        rate_hz: Rate.
        latency_s: Median time from exposure, as the camera tells it, to receipt.
        unknown: Share of pixels of unknown depth, in the last image.
        table_rms_m: How much the points of the table scatter about their own plane.
        table_off_m: How far that plane is from the scene file's table where it is farthest.
        problems: What is wrong, for people.
    """

    name: str
    width: int = 0
    height: int = 0
    frames: int = 0
    lost: int = 0
    rate_hz: float | None = None
    latency_s: float | None = None
    unknown: float | None = None
    table_rms_m: float | None = None
    table_off_m: float | None = None
    problems: tuple[str, ...] = ()


def measure(
    camera: Camera, *, seconds: float, lower: Array, upper: Array, table_height_m: float = 0.0
) -> CameraReport:
    """Take images for a while; never raises because of the camera.

    Args:
        camera: Open.
        seconds: How long.
        lower: Lower corner of the workspace in the world frame, (3,), m.
        upper: Its upper corner.
        table_height_m: Height of the table's top.
    """
    problems: list[str] = []
    exposed: list[float] = []
    latency: list[float] = []
    numbers: list[int] = []
    frame = None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            last = exposed[-1] if exposed else -np.inf
            left = max(end - time.monotonic(), 0.05)
            frame = camera.read(newer_than_s=last, timeout_s=left if exposed else left + 2.0)
        except CameraError as error:
            if not exposed or camera.health().problem:
                problems.append(str(error))
            break
        exposed.append(frame.time_s)
        numbers.append(frame.number)
        latency.append(time.monotonic() - frame.time_s)
    span = exposed[-1] - exposed[0] if len(exposed) > 1 else 0.0
    rate = (len(exposed) - 1) / span if span > 0.0 else None
    if len(exposed) > 1 and rate is not None and rate < SLOWEST_HZ:
        problems.append(f"{rate:.2f} images a second")
    unknown = rms = off = None
    if frame is not None:
        unknown = float(np.mean(~np.isfinite(frame.depth)))
        if unknown > MOST_UNKNOWN:
            problems.append(f"depth is unknown in {100 * unknown:.0f}% of the pixels")
        if camera.pose is None:
            problems.append("it has no pose: calibrate it")
        elif camera.mount == "world":
            view = CameraView(
                name=camera.name,
                pose_camera_in_world=camera.pose @ _TURNED,
                model=camera.model,
                rgb=frame.rgb,
                depth=frame.depth,
            )
            below = np.array([*np.asarray(lower)[:2], table_height_m - 0.1])
            points = Fuser(below, upper).sample(view, _STRIDE).astype(np.float64)
            rms, off = _table(points, table_height_m)
            if off is None:
                problems.append("it does not see the table where its pose has it")
            elif off > MOST_M:
                problems.append(f"it has the table {1000 * off:.1f} mm off, at the most")
    return CameraReport(
        name=camera.name,
        width=camera.model.width,
        height=camera.model.height,
        frames=len(exposed),
        lost=numbers[-1] - numbers[0] + 1 - len(numbers) if numbers else 0,
        rate_hz=rate,
        latency_s=float(np.median(latency)) if latency else None,
        unknown=unknown,
        table_rms_m=rms,
        table_off_m=off,
        problems=tuple(problems),
    )


def _table(points: Array, table_m: float) -> tuple[float | None, float | None]:
    """Scatter about the plane of the table, and its largest distance from where it should be, m."""
    near = points[np.abs(points[:, 2] - table_m) < _NEAR_TABLE_M]
    found = disagreements({"": near}, {}, {}, table_height_m=table_m)
    if not found:
        return None, None
    a, left = np.column_stack([near[:, :2], np.ones(len(near))]), near[:, 2]
    fit = np.zeros(3)
    for _ in range(3):  # without what stands on it
        fit = np.linalg.lstsq(a, left, rcond=None)[0]
        residual = left - a @ fit
        keep = np.abs(residual) < 3.0 * 1.4826 * max(float(np.median(np.abs(residual))), 1e-5)
        a, left = a[keep], left[keep]
    return float(np.sqrt(np.mean((left - a @ fit) ** 2))), found[0].distance_m
