"""Projection through a lens with Brown-Conrady distortion, and back.

With r^2 = x^2 + y^2 of the ideal image point (x, y), the distorted one is::

    x'' = x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2)
    y'' = y (1 + k1 r^2 + k2 r^4 + k3 r^6) + p1 (r^2 + 2 y^2) + 2 p2 x y
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from embodied.perception.cameras.types import CameraModel
from embodied.types import Array

_ITERATIONS = 12
_CONVERGED = 1e-7
"""Of the ideal image: a ten-thousandth of a pixel, about."""


def distort(distortion: tuple[float, ...], x: Array, y: Array) -> tuple[Array, Array]:
    """Where ideal image points (n,), (n,) are seen."""
    if not any(distortion):
        return x, y
    k1, k2, p1, p2, k3 = distortion
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return (
        x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
        y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
    )


def undistort(distortion: tuple[float, ...], x: Array, y: Array) -> tuple[Array, Array]:
    """Ideal image points of distorted ones (n,), (n,), by Newton's method; NaN without one."""
    if not any(distortion):
        return x, y
    k1, k2, p1, p2, k3 = distortion
    u, v = x.copy(), y.copy()
    det = radial = np.ones_like(x)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for _ in range(_ITERATIONS):
            seen_x, seen_y = distort(distortion, u, v)
            dx, dy = x - seen_x, y - seen_y
            r2 = u * u + v * v
            radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
            slope = 2.0 * (k1 + r2 * (2.0 * k2 + 3.0 * r2 * k3))
            a = radial + slope * u * u + 2.0 * p1 * v + 6.0 * p2 * u
            b = slope * u * v + 2.0 * (p1 * u + p2 * v)
            d = radial + slope * v * v + 6.0 * p1 * v + 2.0 * p2 * u
            det = a * d - b * b
            u, v = u + (d * dx - b * dy) / det, v + (a * dy - b * dx) / det
        seen_x, seen_y = distort(distortion, u, v)
        # Where the polynomial turns back, another point is seen at the same place.
        there = (np.hypot(seen_x - x, seen_y - y) < _CONVERGED) & (det > 0.0) & (radial > 0.0)
    return np.where(there, u, np.nan), np.where(there, v, np.nan)


def project(model: CameraModel, x: Array, y: Array) -> tuple[Array, Array]:
    """Columns and rows (n,) at which the ideal image points (n,), (n,) are seen.

    NaN outside of the ideal image of the sensor, where the polynomial may turn back.
    """
    if any(model.distortion):
        beyond = np.hypot(x, y) > _reach(model)
        x, y = distort(model.distortion, x, y)
        x, y = np.where(beyond, np.nan, x), np.where(beyond, np.nan, y)
    # The middle of a pixel is at +0.5: in this order as ever, to the last bit.
    columns = model.fx * x + (model.cx + 0.5) - 0.5
    rows = model.fy * y + (model.cy + 0.5) - 0.5
    return columns, rows


@lru_cache(maxsize=32)
def rays(model: CameraModel) -> Array:
    """Points (3, height * width) at depth 1 in the optical frame, one a pixel; NaN without one."""
    x, y = (
        (np.arange(model.width) - model.cx) / model.fx,
        (np.arange(model.height) - model.cy) / model.fy,
    )
    seen: Array = np.stack(np.meshgrid(x, y)).reshape(2, -1).astype(np.float64)
    ideal = undistort(model.distortion, seen[0], seen[1])
    found = np.stack([*ideal, np.ones(seen.shape[1])])
    found.flags.writeable = False
    return found


@lru_cache(maxsize=32)
def _reach(model: CameraModel) -> float:
    """Largest distance from the axis that a pixel sees, in the ideal image."""
    return 1.02 * float(np.nanmax(np.hypot(*rays(model)[:2]), initial=0.0))
