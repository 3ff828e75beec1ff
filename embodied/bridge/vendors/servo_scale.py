"""Between joint angles and the ticks of serial servos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embodied.types import Array

TICKS_PER_TURN = 4096
CENTRE = 2048
_GAP_TICKS = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale:
    """Ticks of a chain of servos with 4096 ticks a turn; one tick is 1.5 mrad.

    Attributes:
        q_centre: Joint angles at tick 2048, (n,), rad: as the horns were mounted.
        stroke_m: Gap of the gripper at a quarter of a turn; closed at tick 2048.
    """

    q_centre: Array
    stroke_m: float = 0.08

    def ticks(self, q: Array) -> list[int]:
        """Nearest ticks of joint angles (n,), rad."""
        share = (np.asarray(q) - self.q_centre) / (2.0 * math.pi)
        return [CENTRE + round(float(s) * TICKS_PER_TURN) for s in share]

    def angles(self, ticks: Sequence[int]) -> Array:
        """Joint angles of ticks, (n,), rad."""
        share = (np.asarray(ticks, dtype=np.float64) - CENTRE) / TICKS_PER_TURN
        return share * 2.0 * math.pi + self.q_centre

    def gap_ticks(self, width_m: float) -> int:
        """Nearest tick of a gap."""
        return CENTRE + round(width_m / self.stroke_m * _GAP_TICKS)

    def gap_m(self, tick: int) -> float:
        """Gap of a tick, m."""
        return (tick - CENTRE) / _GAP_TICKS * self.stroke_m


def centred(q_lower: Array, q_upper: Array) -> Scale:
    """Horns mounted so that the middle of each range is tick 2048: all ranges within a turn fit."""
    return Scale(q_centre=0.5 * (np.asarray(q_lower) + np.asarray(q_upper)))
