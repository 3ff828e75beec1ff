"""Rest-to-rest profiles of one coordinate with limited speed, acceleration and jerk.

Seven pieces of constant jerk, +j 0 -j 0 -j 0 +j, of which any may be empty: the fastest motion over
a length (Biagiotti and Melchiorri, Trajectory Planning for Automatic Machines, 3.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.types import Array

_SIGNS = np.array([1.0, 0.0, -1.0, 0.0, -1.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """A number of profiles over one length.

    Attributes:
        duration: (m,), s.
        starts: When each piece begins, (m, 7), s.
        states: Position, speed, acceleration and jerk there, (4, m, 7).
    """

    duration: Array
    starts: Array
    states: Array

    def only(self, k: int) -> Profiles:
        """One of them."""
        one = slice(k, k + 1)
        return Profiles(self.duration[one], self.starts[one], self.states[:, one])

    def at(self, time: Array) -> tuple[Array, Array, Array, Array]:
        """Position, speed, acceleration and jerk at times (m, k) of each profile, each (m, k)."""
        piece = np.sum(time[:, :, None] >= self.starts[:, None, 1:], axis=2)
        rows = np.arange(len(time))[:, None]
        t = time - self.starts[rows, piece]
        x, v, a, j = self.states[:, rows, piece]
        speed = v + t * (a + t * (j / 2))
        return x + t * (v + t * (a / 2 + t * (j / 6))), speed, a + t * j, j


def profiles(length: float, speed: Array, acceleration: Array, jerk: Array) -> Profiles:
    """The fastest profiles over a length under each set of limits, each (m,)."""
    v, a, j = speed, acceleration, jerk
    # the highest speed that is reached where the length is too short for the one allowed
    root = np.sqrt((a * a / j) ** 2 + 4 * a * length)
    peak = np.where(length >= 2 * a**3 / j**2, (root - a * a / j) / 2, np.cbrt(j * length**2 / 4))
    v = np.minimum(v, peak)
    jerking = np.minimum(a / j, np.sqrt(v / j))
    pushing = np.maximum(v / (j * jerking) - jerking, 0.0)
    cruising = np.maximum(length / v - (2 * jerking + pushing), 0.0)
    pieces = np.stack([jerking, pushing, jerking, cruising, jerking, pushing, jerking], axis=1)
    ends = np.cumsum(pieces, axis=1)
    states = np.zeros((4, len(v), 7))
    states[3] = j[:, None] * _SIGNS
    for k in range(6):
        t = pieces[:, k]
        x0, v0, a0, j0 = states[:, :, k]
        states[0, :, k + 1] = x0 + t * (v0 + t * (a0 / 2 + t * (j0 / 6)))
        states[1, :, k + 1] = v0 + t * (a0 + t * (j0 / 2))
        states[2, :, k + 1] = a0 + t * j0
    starts = np.concatenate([np.zeros((len(v), 1)), ends[:, :-1]], axis=1)
    return Profiles(ends[:, -1], starts, states)
