"""Superlatives of place: which of several things is leftmost, at the top, nearest."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

Places = Mapping[str, Sequence[float]]
"""Where things are seen: x, y, z by name, world frame, m."""


def measure(superlative: str, places: Places, origin: Sequence[float]) -> Callable[[str], float]:
    """What the one that a superlative means has most of."""
    keys: Mapping[str, Callable[[str], float]] = {
        "left": lambda n: places[n][1],
        "right": lambda n: -places[n][1],
        "front": lambda n: places[n][0],
        "back": lambda n: -places[n][0],
        "top": lambda n: places[n][2],
        "bottom": lambda n: -places[n][2],
        "nearest": lambda n: -math.dist(places[n][:2], origin[:2]),
        "farthest": lambda n: math.dist(places[n][:2], origin[:2]),
    }
    return keys[superlative]
