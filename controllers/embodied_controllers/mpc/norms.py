"""Norms of residuals, vectorised over samples and time.

After MuJoCo MPC (Howell et al. 2022, arXiv 2212.00541). Every norm maps residuals of shape
(..., k) to costs of shape (...), is 0 at 0 and never negative (``rectify`` tends to 0 for very
negative residuals).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from embodied.types import Array

Norm: TypeAlias = Callable[[Array], Array]

L22_WIDTH = 0.1
SMOOTH_ABS_WIDTH = 0.05
RECTIFY_WIDTH = 0.05
POWER = 1.5
_COSH_MAX = 50.0


def quadratic(x: Array) -> Array:
    """``x.x / 2``."""
    return 0.5 * np.einsum("...k,...k->...", x, x)


def l2(x: Array) -> Array:
    """Euclidean length."""
    return np.sqrt(np.einsum("...k,...k->...", x, x))


def l22(x: Array) -> Array:
    """``sqrt(x.x + w^2) - w``: quadratic within w = 0.1, linear beyond."""
    return np.sqrt(np.einsum("...k,...k->...", x, x) + L22_WIDTH**2) - L22_WIDTH


def cosh(x: Array) -> Array:
    """Sum of ``cosh(x) - 1``; the argument is cut at 50 so that the sum stays finite."""
    return np.sum(np.cosh(np.clip(x, -_COSH_MAX, _COSH_MAX)) - 1.0, axis=-1)


def power(x: Array) -> Array:
    """``sum |x|^1.5``."""
    return np.sum(np.abs(x) ** POWER, axis=-1)


def smooth_abs(x: Array) -> Array:
    """``sum sqrt(x^2 + w^2) - w`` with w = 0.05."""
    return np.sum(np.sqrt(x * x + SMOOTH_ABS_WIDTH**2) - SMOOTH_ABS_WIDTH, axis=-1)


def rectify(x: Array) -> Array:
    """``sum w log(1 + exp(x / w))`` with w = 0.05: only positive residuals cost."""
    return np.sum(RECTIFY_WIDTH * np.logaddexp(0.0, x / RECTIFY_WIDTH), axis=-1)


NORMS: Mapping[str, Norm] = {
    "quadratic": quadratic,
    "l22": l22,
    "l2": l2,
    "cosh": cosh,
    "power": power,
    "smooth_abs": smooth_abs,
    "rectify": rectify,
}
