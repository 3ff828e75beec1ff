"""Regions of value-map programs as signed distances in the world frame.

An object's frame has its origin at the object's centre and axes parallel to the world's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, Region
from embodied_planners.value_map.geometry import Field, ObjectGeometry

WORLD = "world"
LINE_RADIUS_M = 0.015
"""Half width of an ``along`` region, m."""

POINT_RADIUS_M = 0.01
"""Radius of a ``point`` region, m."""


class UnknownFrameError(LookupError):
    """A region refers to something that is not in the scene."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """A region in the world frame.

    Attributes:
        distance: Signed distance of points given as three arrays that broadcast; negative inside.
        lower: Lower corner of a box around it, (3,), m; infinite where it has no bound.
        upper: Upper corner, (3,).
        place: The point that it stands for: centre of a ball, end of a way; None for others.
    """

    distance: Callable[[Field, Field, Field], Field]
    lower: Array
    upper: Array
    place: Array | None = None

    def contains(self, points_in_world: Array, margin_m: float = 0.0) -> NDArray[np.bool_]:
        """Which of the points (n, 3) are inside or within a margin of it."""
        x, y, z = np.asarray(points_in_world, dtype=np.float32).reshape(-1, 3).T
        return self.distance(x, y, z) <= margin_m


def volume(
    region: Region, objects: Mapping[str, ObjectGeometry], origins: Mapping[str, Array]
) -> Volume:
    """A region where its frame is now.

    Args:
        region: The region.
        objects: Things that ``near-object`` refers to.
        origins: Origin of every frame other than the world's, (3,).

    Raises:
        UnknownFrameError: The frame is not there; the message names those that are.
    """
    origin = np.zeros(3) if region.frame == WORLD else _origin(region.frame, origins)
    p = region.parameters
    if region.shape == "near-object":
        return _near(region.frame, float(p["radius"]), objects, origin)
    if region.shape in ("point", "ball"):
        centre = origin + np.array([p["x"], p["y"], p["z"]])
        radius = float(p["radius"]) if region.shape == "ball" else POINT_RADIUS_M
        return _ball(centre, radius)
    if region.shape == "along":
        return _line(origin, origin + np.array([p["x"], p["y"], p["z"]]))
    if region.shape == "half-space":
        return _half_space(origin, np.array([p["nx"], p["ny"], p["nz"]]), float(p["offset"]))
    if region.shape == "box":
        axes = range(3)
        lower = origin + np.array([p.get(f"{'xyz'[i]}_lower", -math.inf) for i in axes])
        upper = origin + np.array([p.get(f"{'xyz'[i]}_upper", math.inf) for i in axes])
        return _box(lower, upper)
    raise UnknownFrameError(f"unknown region shape {region.shape!r}")


def _origin(frame: str, origins: Mapping[str, Array]) -> Array:
    if frame not in origins:
        raise UnknownFrameError(
            f"{frame!r} is not seen; seen are: {', '.join(sorted(origins)) or 'nothing'}"
        )
    return np.asarray(origins[frame], dtype=np.float64)


def _ball(centre: Array, radius: float) -> Volume:
    cx, cy, cz = (np.float32(v) for v in centre)

    def distance(x: Field, y: Field, z: Field) -> Field:
        return np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) - np.float32(radius)

    return Volume(distance=distance, lower=centre - radius, upper=centre + radius, place=centre)


def _line(start: Array, end: Array) -> Volume:
    a = start.astype(np.float32)
    d = (end - start).astype(np.float32)
    squared = np.float32(max(float(d @ d), 1e-9))

    def distance(x: Field, y: Field, z: Field) -> Field:
        ex, ey, ez = x - a[0], y - a[1], z - a[2]
        t = np.clip((ex * d[0] + ey * d[1] + ez * d[2]) / squared, 0.0, 1.0)
        gap = (ex - t * d[0]) ** 2 + (ey - t * d[1]) ** 2 + (ez - t * d[2]) ** 2
        return np.sqrt(gap) - np.float32(LINE_RADIUS_M)

    return Volume(
        distance=distance,
        lower=np.minimum(start, end) - LINE_RADIUS_M,
        upper=np.maximum(start, end) + LINE_RADIUS_M,
        place=end,
    )


def _half_space(origin: Array, normal: Array, offset: float) -> Volume:
    n = normal.astype(np.float32)
    level = np.float32(offset + float(normal @ origin))

    def distance(x: Field, y: Field, z: Field) -> Field:
        return level - (n[0] * x + n[1] * y + n[2] * z)

    lower, upper = np.full(3, -np.inf), np.full(3, np.inf)
    for i in range(3):  # bounded only when it is aligned with an axis
        if abs(abs(normal[i]) - 1.0) < 1e-6:
            (lower if normal[i] > 0 else upper)[i] = float(level) * normal[i]
    return Volume(distance=distance, lower=lower, upper=upper)


def _box(lower: Array, upper: Array) -> Volume:
    low, high = lower.astype(np.float32), upper.astype(np.float32)

    def distance(x: Field, y: Field, z: Field) -> Field:
        a, b, c = (np.maximum(low[i] - v, v - high[i]) for i, v in enumerate((x, y, z)))
        outside = np.sqrt(np.maximum(a, 0) ** 2 + np.maximum(b, 0) ** 2 + np.maximum(c, 0) ** 2)
        return outside + np.minimum(np.maximum(np.maximum(a, b), c), 0)

    return Volume(distance=distance, lower=lower, upper=upper)


def _near(name: str, radius: float, objects: Mapping[str, ObjectGeometry], origin: Array) -> Volume:
    thing = objects.get(name)
    if thing is None:
        return _ball(origin, radius)
    reach = thing.half_extents_in_world() + radius
    return Volume(
        distance=lambda x, y, z: thing.distance(x, y, z) - np.float32(radius),
        lower=thing.pose.position - reach,
        upper=thing.pose.position + reach,
    )
