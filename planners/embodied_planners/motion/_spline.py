"""Interpolating quintic splines over evenly spaced samples."""

from __future__ import annotations

from math import perm

import numpy as np

from embodied.types import Array

# row p: coefficients of u^p of the six uniform B-splines that cover 0 <= u < 1, times 120
_BASIS = np.array(
    [
        [1.0, 26.0, 66.0, 26.0, 1.0, 0.0],
        [-5.0, -50.0, 0.0, 50.0, 5.0, 0.0],
        [10.0, 20.0, -60.0, 20.0, 10.0, 0.0],
        [-10.0, 20.0, 0.0, -20.0, 10.0, 0.0],
        [5.0, -20.0, 30.0, -20.0, 5.0, 0.0],
        [-1.0, 5.0, -10.0, 10.0, -5.0, 1.0],
    ]
)
_ONWARDS = np.array([6.0, -15.0, 20.0, -15.0, 6.0, -1.0])
"""The next value of a polynomial of degree five, from the last six, latest first."""


class QuinticSpline:
    """Not-a-knot interpolation: beyond both ends the coefficients continue as a polynomial.

    Args:
        spacing: Distance of the samples.
        points: Values at 0, spacing, 2 spacing ..., (count, n), at least 6.
    """

    def __init__(self, spacing: float, points: Array) -> None:
        count = len(points)
        system = np.zeros((count, count))
        for k, weight in enumerate(_BASIS[0, :5], start=-2):
            np.fill_diagonal(system[max(-k, 0) :, max(k, 0) :], weight / 120)
        first, second = _ONWARDS, _ONWARDS[0] * _ONWARDS + np.append(_ONWARDS[1:], 0.0)
        ends = np.stack([26 * first + second, first]) / 120
        system[:2, :6] += ends
        system[-2:, -6:] += ends[::-1, ::-1]
        c = np.linalg.solve(system, points)
        for _ in range(2):
            c = np.concatenate([(_ONWARDS @ c[:6])[None], c])
        for _ in range(3):
            c = np.concatenate([c, (_ONWARDS @ c[:-7:-1])[None]])
        self._c = c
        self._spacing, self._pieces = spacing, count - 1

    def __call__(self, s: Array, derivative: int = 0) -> Array:
        """Values or derivatives at ``s`` (k,), shape (k, n)."""
        x = s / self._spacing
        piece = np.clip(x.astype(int), 0, self._pieces - 1)
        u = (x - piece)[:, None]
        powers = u ** np.arange(6 - derivative)
        factors = [perm(p, derivative) for p in range(derivative, 6)]
        weights = powers @ (np.array(factors)[:, None] * _BASIS[derivative:] / 120)
        near = self._c[piece[:, None] + np.arange(6)]
        return np.einsum("ki,kin->kn", weights, near) / self._spacing**derivative
