"""Shapes of objects, and distances of points to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, Pose

Field = NDArray[np.float32]

SHAPES = ("box", "cylinder", "sphere")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectGeometry:
    """What the planner knows of a thing.

    Attributes:
        pose: Pose of its centre in the world frame.
        size_m: Extents along its own axes, m; a cylinder's are diameter, diameter, height.
        shape: ``"box"``, ``"cylinder"`` (axis z) or ``"sphere"``.
        obstacle: Whether it is in the way; what the robot moves is not.
    """

    pose: Pose
    size_m: tuple[float, float, float]
    shape: str = "box"
    obstacle: bool = True

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise ValueError(f"unknown shape {self.shape!r}, legal: {', '.join(SHAPES)}")

    def half_extents_in_world(self) -> Array:
        """Half extents of the axis-aligned box around it in the world frame, (3,), m."""
        half = np.array(self.size_m) / 2
        if self.shape == "sphere":
            return np.full(3, half[0])
        return np.abs(self.pose.rotation) @ half

    def half_extent(self, direction: Sequence[float] | Array) -> float:
        """Half extent along a unit direction of the world, m."""
        local = self.pose.rotation.T @ np.asarray(direction, dtype=np.float64)
        half = np.array(self.size_m) / 2
        if self.shape == "sphere":
            return float(half[0])
        if self.shape == "cylinder":
            return float(half[0] * np.hypot(local[0], local[1]) + half[2] * abs(local[2]))
        return float(np.abs(local) @ half)

    def same_as(self, other: ObjectGeometry, tolerance_m: float) -> bool:
        """Whether two geometries differ by less than a tolerance anywhere on their surface."""
        if (self.shape, self.obstacle) != (other.shape, other.obstacle):
            return False
        reach = 0.5 * float(np.linalg.norm(self.size_m))
        cosine = min(1.0, abs(float(self.pose.quat_wxyz @ other.pose.quat_wxyz)))
        turned = 2 * float(np.arccos(cosine)) * reach if self.shape != "sphere" else 0.0
        moved = float(np.linalg.norm(self.pose.position - other.pose.position))
        grown = float(np.max(np.abs(np.subtract(self.size_m, other.size_m)))) / 2
        return moved + turned + grown < tolerance_m

    def distance(self, x: Field, y: Field, z: Field) -> Field:
        """Signed distance of points to the surface, negative inside; arrays that broadcast."""
        r = self.pose.rotation.astype(np.float32)
        px, py, pz = (np.float32(v) for v in self.pose.position)
        dx, dy, dz = x - px, y - py, z - pz
        half = [np.float32(s / 2) for s in self.size_m]
        if self.shape == "sphere":
            return np.sqrt(dx * dx + dy * dy + dz * dz) - half[0]
        local = [r[0, i] * dx + r[1, i] * dy + r[2, i] * dz for i in range(3)]
        if self.shape == "cylinder":
            radial = np.sqrt(local[0] ** 2 + local[1] ** 2) - half[0]
            axial = np.abs(local[2]) - half[2]
            outside = np.sqrt(np.maximum(radial, 0) ** 2 + np.maximum(axial, 0) ** 2)
            return outside + np.minimum(np.maximum(radial, axial), 0)
        a, b, c = (np.abs(v) - h for v, h in zip(local, half, strict=True))
        outside = np.sqrt(np.maximum(a, 0) ** 2 + np.maximum(b, 0) ** 2 + np.maximum(c, 0) ** 2)
        return outside + np.minimum(np.maximum(np.maximum(a, b), c), 0)

    def distance_to(self, points_in_world: Array) -> Array:
        """Signed distance of points (n, 3) to the surface, (n,), m."""
        x, y, z = np.asarray(points_in_world, dtype=np.float32).T
        return self.distance(x, y, z).astype(np.float64)
