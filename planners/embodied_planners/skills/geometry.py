"""Extents and footprints of objects, from specs, measured poses and the planning model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from embodied.types import Array, ObjectSpec, Pose
from embodied_planners.motion import PlanningScene

UP = np.array([0.0, 0.0, 1.0])


def half_extent(spec: ObjectSpec, pose: Pose, direction: Array) -> float:
    """Half the extent of an item along a unit direction of the world, m."""
    local = pose.rotation.T @ direction
    x, y, z = (s / 2 for s in spec.size_m)
    if spec.shape == "sphere":
        return x
    if spec.shape == "cylinder":
        along = abs(float(local[2]))
        return x * float(np.sqrt(max(0.0, 1.0 - along**2))) + z * along
    return float(np.abs(local) @ np.array([x, y, z]))


def top_z(spec: ObjectSpec, pose: Pose) -> float:
    """Height of the highest point of a thing in the world, m."""
    return float(pose.position[2]) + half_extent(spec, pose, UP)


def bottom_z(spec: ObjectSpec, pose: Pose) -> float:
    """Height of the lowest point of a thing in the world, m."""
    return float(pose.position[2]) - half_extent(spec, pose, UP)


def yaw_rotation(angle: float) -> Array:
    """Rotation matrix (3, 3) about the vertical."""
    c, s = float(np.cos(angle)), float(np.sin(angle))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def upright(rotation: Array) -> Array:
    """The nearest rotation in which one body axis is vertical, (3, 3)."""
    k = int(np.argmax(np.abs(rotation[2])))
    axis = rotation[:, k]
    target = UP if axis[2] > 0 else -UP
    cross = np.cross(axis, target)
    sine, cosine = float(np.linalg.norm(cross)), float(axis @ target)
    if sine < 1e-9:
        return rotation
    x, y, z = cross / sine
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return (np.eye(3) + sine * K + (1 - cosine) * K @ K) @ rotation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footprints:
    """Vertical projections of k geoms: oriented rectangles with a height range.

    Attributes:
        center: (k, 2), m.
        axes: Unit vectors of the rectangle's sides, rows of (k, 2, 2).
        half: Half lengths along them, (k, 2), m.
        top: Highest points, (k,), m.
        bottom: Lowest points, (k,), m.
        body: Name of the body of each.
    """

    center: Array
    axes: Array
    half: Array
    top: Array
    bottom: Array
    body: tuple[str, ...]

    def select(self, keep: Collection[int]) -> Footprints:
        """The rectangles with the given indices."""
        i = np.array(sorted(keep), dtype=int)
        return Footprints(
            center=self.center[i],
            axes=self.axes[i],
            half=self.half[i],
            top=self.top[i],
            bottom=self.bottom[i],
            body=tuple(self.body[j] for j in i),
        )

    def gaps(self, points: Array, axes: Array, half: Array) -> Array:
        """Gap from a rectangle put at each of p points to the nearest footprint, (p,), m.

        By the separating-axis theorem: positive exactly when apart, and then never more than the
        true distance.

        Args:
            points: Centres, (p, 2).
            axes: Sides of the rectangle, rows of (2, 2).
            half: Half lengths, (2,).
        """
        if len(self.center) == 0:
            return np.full(len(points), np.inf)
        offset = points[:, None, :] - self.center[None]  # (p, k, 2)
        own = np.abs(np.einsum("pkj,ij->pki", offset, axes))
        other = np.abs(np.einsum("pkj,kij->pki", offset, self.axes))
        mixed = np.abs(np.einsum("ij,kmj->kim", axes, self.axes))  # (k, own, other)
        reach_own = half[None] + np.einsum("kim,km->ki", mixed, self.half)
        reach_other = self.half + np.einsum("kim,i->km", mixed, half)
        gap = np.maximum((own - reach_own).max(-1), (other - reach_other).max(-1))
        return gap.min(axis=1)


def footprints(scene: PlanningScene) -> Footprints:
    """Footprints of everything in the planning scene that is not the robot."""
    model, data = scene.model, scene.data
    scene.place_robot(scene.spec.q_home)
    geoms = [g for g in scene.other_geoms if model.geom_rbound[g] > 0]
    k = len(geoms)
    center, axes, half = np.zeros((k, 2)), np.zeros((k, 2, 2)), np.zeros((k, 2))
    top, bottom = np.zeros(k), np.zeros(k)
    for n, g in enumerate(geoms):
        rotation = data.geom_xmat[g].reshape(3, 3)
        local, size = model.geom_aabb[g, :3], model.geom_aabb[g, 3:]
        middle = data.geom_xpos[g] + rotation @ local
        extent = np.abs(rotation) @ size
        vertical = int(np.argmax(np.abs(rotation[2])))
        center[n] = middle[:2]
        top[n], bottom[n] = middle[2] + extent[2], middle[2] - extent[2]
        if abs(rotation[2, vertical]) > 0.98:
            sides = [i for i in range(3) if i != vertical]
            for row, i in enumerate(sides):
                side = rotation[:2, i]
                axes[n, row] = side / np.linalg.norm(side)
                half[n, row] = size[i]
        else:
            axes[n], half[n] = np.eye(2), extent[:2]
    names = tuple(model.body(int(model.geom_bodyid[g])).name for g in geoms)
    return Footprints(center=center, axes=axes, half=half, top=top, bottom=bottom, body=names)
