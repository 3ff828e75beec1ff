"""Conversion of quaternions between wxyz and xyzw, in one place.

This project writes quaternions as (w, x, y, z). PyBullet, ROS and SciPy write (x, y, z, w).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embodied.types import Array


def xyzw_from_wxyz(quat_wxyz: Array | Sequence[float]) -> Array:
    """Reorder quaternions of shape (..., 4) from wxyz to xyzw; always a copy.

    Raises:
        ValueError: The last axis does not have length 4.
    """
    return np.roll(_quaternions(quat_wxyz), -1, axis=-1)


def wxyz_from_xyzw(quat_xyzw: Array | Sequence[float]) -> Array:
    """Reorder quaternions of shape (..., 4) from xyzw to wxyz; always a copy.

    Raises:
        ValueError: The last axis does not have length 4.
    """
    return np.roll(_quaternions(quat_xyzw), 1, axis=-1)


def _quaternions(values: Array | Sequence[float]) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != 4:
        raise ValueError(f"quaternions have 4 components, got an array of shape {array.shape}")
    return array
