"""Compiling the planner's loops before they are needed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from embodied_planners.value_map import kernels
from embodied_planners.value_map.search import VoxelSearch, shorten

NOTE = "compiling the value-map planner: once, about 20 s; later runs load it from a cache"
PATIENCE_S = 1.5


def warm_up(note: Callable[[str], None] = lambda text: None) -> None:
    """Compile everything, or load it from the cache.

    Args:
        note: Told once, should it take long enough for a person to wonder.
    """
    timer = threading.Timer(PATIENCE_S, note, (NOTE,))
    timer.daemon = True
    timer.start()
    try:
        shape = (16, 16, 16)
        search = VoxelSearch(shape)
        occupied = np.zeros(shape, np.bool_)
        occupied[8] = True
        field = np.empty(shape, np.float32)
        search.distance(occupied, 3, 0.01, field)
        cost = np.empty(shape, np.float32)
        kernels.travel_cost(
            field,
            np.zeros(shape, np.float32),
            np.zeros((2, 3), np.int64),
            np.full(2, 0.01, np.float32),
            np.float32(0.02),
            np.float32(1.0),
            cost,
        )
        for end in ((2, 12, 12), (14, 2, 2)):  # one that can be reached, and one that cannot
            ends = np.array([end], np.int64)
            result = search.find(cost, ends, np.zeros(1, np.float32), (2, 2, 2))
            if result.found:
                corners = shorten(cost, result.path)
                kernels.polyline_cost(cost, corners)
    finally:
        timer.cancel()
