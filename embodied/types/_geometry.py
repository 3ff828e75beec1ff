"""Poses and read-only arrays."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def readonly(values: ArrayLike, shape: tuple[int, ...] | None = None) -> Array:
    """Copy ``values`` into a float64 array that cannot be written to.

    Args:
        values: Anything that numpy can turn into an array.
        shape: Required shape, if any.

    Raises:
        ValueError: The shape differs from ``shape``.
    """
    array = np.array(values, dtype=np.float64)
    if shape is not None and array.shape != shape:
        raise ValueError(f"expected shape {shape}, got {array.shape}")
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pose:
    """Pose of a frame b expressed in a frame a (``T_ab``).

    Attributes:
        position: Origin of b in a, shape (3,), metres.
        quat_wxyz: Unit quaternion of the rotation from b to a, shape (4,); normalised here.
    """

    position: Array
    quat_wxyz: Array

    def __post_init__(self) -> None:
        quat = np.asarray(self.quat_wxyz, dtype=np.float64)
        norm = sqrt(quat.dot(quat)) if quat.shape == (4,) else 0.0
        if not isfinite(norm) or norm < 1e-9:
            raise ValueError(f"quat_wxyz must be a finite non-zero (4,) quaternion, got {quat}")
        quat = quat / norm
        quat.flags.writeable = False
        object.__setattr__(self, "position", readonly(self.position, (3,)))
        object.__setattr__(self, "quat_wxyz", quat)

    @staticmethod
    def from_matrix(matrix: ArrayLike) -> Pose:
        """Build a pose from a homogeneous matrix of shape (4, 4)."""
        m = np.asarray(matrix, dtype=np.float64)
        return Pose.from_rotation(m[:3, :3], m[:3, 3])

    @staticmethod
    def from_rotation(rotation: Array, position: ArrayLike = (0.0, 0.0, 0.0)) -> Pose:
        """Build a pose from a rotation matrix (3, 3) and a position (3,)."""
        return Pose(position=np.asarray(position), quat_wxyz=_quat_from_rotation(rotation))

    @property
    def rotation(self) -> Array:
        """Rotation matrix of shape (3, 3)."""
        w, x, y, z = (float(v) for v in self.quat_wxyz)
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )

    @property
    def matrix(self) -> Array:
        """Homogeneous matrix of shape (4, 4)."""
        m = np.eye(4)
        m[:3, :3] = self.rotation
        m[:3, 3] = self.position
        return m

    def __matmul__(self, other: Pose) -> Pose:
        """Compose: ``T_ab @ T_bc`` is ``T_ac``."""
        w1, x1, y1, z1 = self.quat_wxyz
        w2, x2, y2, z2 = other.quat_wxyz
        quat = (
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        )
        return Pose(
            position=self.rotation @ other.position + self.position, quat_wxyz=np.array(quat)
        )

    def inverse(self) -> Pose:
        """Return ``T_ba``."""
        quat = self.quat_wxyz * np.array([1.0, -1.0, -1.0, -1.0])
        return Pose(position=-(self.rotation.T @ self.position), quat_wxyz=quat)

    def apply(self, points: ArrayLike) -> Array:
        """Map points of shape (3,) or (n, 3) from frame b into frame a."""
        return np.asarray(points, dtype=np.float64) @ self.rotation.T + self.position


def _quat_from_rotation(r: Array) -> Array:
    """Rotation matrix (3, 3) to quaternion wxyz, by the largest of the four components."""
    (a, b, c), (d, e, f), (g, h, i) = r.tolist()
    k = (1 + a + e + i, 1 + a - e - i, 1 - a + e - i, 1 - a - e + i)
    largest = k.index(max(k))
    rows = (
        (k[0], h - f, c - g, d - b),
        (h - f, k[1], b + d, c + g),
        (c - g, b + d, k[2], f + h),
        (d - b, c + g, f + h, k[3]),
    )
    return np.array(rows[largest]) / (2.0 * sqrt(k[largest]))
