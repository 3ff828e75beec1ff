"""The table as cameras see it: a plane in depth images, or the board that lies on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.calibration.errors import CalibrationError
from embodied.calibration.lens import ideal
from embodied.perception.cameras.types import CameraModel, Frame
from embodied.types import Array, Pose

_TRIES = 200
_NEAR_M = 0.006
_LEAST_SHARE = 0.2
_STEEPEST_RAD = np.deg2rad(20.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """A plane of the world.

    Attributes:
        normal: Unit normal, upwards, (3,).
        point: A point of it, the centre of what was seen, (3,), m.
        residual_m: RMS distance of what was seen from it, m.
        share: Share of what was seen that lies on it.
    """

    normal: Array
    point: Array
    residual_m: float
    share: float = 1.0

    def height_m(self, x: float, y: float) -> float:
        """Its height above a place of the world's plane z = 0, m."""
        a, b, c = self.normal
        return float(self.point[2] - (a * (x - self.point[0]) + b * (y - self.point[1])) / c)

    @property
    def tilt_rad(self) -> float:
        """Angle to the world's plane z = 0, rad."""
        return float(np.arccos(min(1.0, float(self.normal[2]))))


def points_in_world(frame: Frame, model: CameraModel, pose: Pose, *, most: int = 20000) -> Array:
    """What the depth image shows, (k, 3), m.

    Args:
        frame: The image.
        model: Intrinsics.
        pose: Pose of the optical frame in the world.
        most: Number of points, evenly picked.
    """
    depth = frame.depth.astype(np.float64).ravel()
    known = np.flatnonzero(np.isfinite(depth) & (depth > 0.0))
    picked = known[:: max(1, len(known) // most)]
    rows, columns = np.divmod(picked, frame.depth.shape[1])
    rays = ideal(np.stack([columns, rows], axis=1), model)
    points = np.append(rays, np.ones((len(rays), 1)), axis=1) * depth[picked, None]
    return pose.apply(points[np.isfinite(points).all(axis=1)])


def find_plane(points: Array, rng: np.random.Generator | None = None) -> Plane:
    """The largest plane that is about level (Fischler and Bolles, RANSAC, 1981).

    Args:
        points: Points in the world, (k, 3), m.
        rng: Source of the tries; seed 0 without.

    Raises:
        CalibrationError: There is none.
    """
    source = np.random.default_rng(0) if rng is None else rng
    if len(points) < 100:
        raise CalibrationError(f"{len(points)} points of depth are too few to find the table in")
    best = np.zeros(len(points), dtype=bool)
    for _ in range(_TRIES):
        a, b, c = points[source.choice(len(points), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = float(np.linalg.norm(normal))
        if length < 1e-9 or abs(normal[2]) / length < np.cos(_STEEPEST_RAD):
            continue
        near = np.abs((points - a) @ normal) < _NEAR_M * length
        if np.count_nonzero(near) > np.count_nonzero(best):
            best = near
    share = float(best.mean())
    if share < _LEAST_SHARE:
        raise CalibrationError(
            f"no level plane: the best one holds {100 * share:.0f}% of the points,"
            f" {100 * _LEAST_SHARE:.0f}% are needed; clear the table, and see that the cameras'"
            " poses are right (a plane steeper than 20 degrees is taken for none)"
        )
    for _ in range(3):
        plane = fitted(points[best])
        off = np.abs((points - plane.point) @ plane.normal)
        best = off < max(3.0 * plane.residual_m, 1e-4)
    plane = fitted(points[best])
    return Plane(normal=plane.normal, point=plane.point, residual_m=plane.residual_m, share=share)


def fitted(points: Array) -> Plane:
    """The plane through points (k, 3), m, by least squares."""
    centre = points.mean(axis=0)
    _, _, V = np.linalg.svd(points - centre, full_matrices=False)
    normal = V[2] * (1.0 if V[2, 2] >= 0.0 else -1.0)
    off = (points - centre) @ normal
    return Plane(normal=normal, point=centre, residual_m=float(np.sqrt(np.mean(off**2))))
