"""Controls as splines of a few knots.

A spline of K knots over a horizon of T steps is linear in its knots: ``u = W k`` with W of shape
(T, K), so N samples become controls by one matrix product.
"""

from __future__ import annotations

import numpy as np

from embodied_controllers.mpc.norms import Array

INTERPOLATIONS = ("zero", "linear", "cubic")


def weights(times: Array, knot_times: Array, interpolation: str) -> Array:
    """Interpolation weights W (T, K) such that ``W @ knots`` are the controls at ``times``.

    Before the first knot and after the last the spline is held constant. Cubic is the Hermite
    spline with finite-difference slopes (one-sided at the ends).

    Raises:
        ValueError: Unknown interpolation, or fewer than two knots for linear or cubic.
    """
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"unknown interpolation {interpolation!r}, legal: {', '.join(INTERPOLATIONS)}"
        )
    n_knots = knot_times.shape[0]
    if n_knots == 1:
        return np.ones((times.shape[0], 1))
    index = np.clip(np.searchsorted(knot_times, times, side="right") - 1, 0, n_knots - 1)
    rows = np.arange(times.shape[0])
    w = np.zeros((times.shape[0], n_knots))
    if interpolation == "zero":
        w[rows, index] = 1.0
        return w
    left = np.minimum(index, n_knots - 2)
    right = left + 1
    h = knot_times[right] - knot_times[left]
    s = np.clip((times - knot_times[left]) / h, 0.0, 1.0)
    if interpolation == "linear":
        w[rows, left] = 1.0 - s
        w[rows, right] += s
        return w
    slopes = _slopes(knot_times)
    h00 = 2 * s**3 - 3 * s**2 + 1
    h10 = s**3 - 2 * s**2 + s
    h01 = -2 * s**3 + 3 * s**2
    h11 = s**3 - s**2
    w[rows, left] += h00
    w[rows, right] += h01
    w += (h10 * h)[:, None] * slopes[left] + (h11 * h)[:, None] * slopes[right]
    return w


def _slopes(knot_times: Array) -> Array:
    """Matrix D (K, K) such that ``D @ knots`` are the slopes at the knots."""
    n = knot_times.shape[0]
    D = np.zeros((n, n))
    for i in range(n):
        a, b = max(i - 1, 0), min(i + 1, n - 1)
        h = knot_times[b] - knot_times[a]
        D[i, a] -= 1.0 / h
        D[i, b] += 1.0 / h
    return D
