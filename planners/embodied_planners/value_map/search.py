"""Shortest paths through voxels: distances, costs, A* with a coarse heuristic, smooth curves.

The work arrays are made once for a shape and reused, so that planning again allocates little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array
from embodied_planners.value_map import kernels
from embodied_planners.value_map.geometry import Field

Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

GREED = 1.15
"""Factor on the heuristic. It is no bound, since the heuristic comes from means over cells: in
fields of noise 3 ways in 2,500 were more than 1.35 times, at most 1.50 times the cheapest."""

SHORTCUT_TOLERANCE = 1.002


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchResult:
    """A way through voxels.

    Attributes:
        path: Points in voxel coordinates (a voxel's centre is index + 0.5), (n, 3); empty (0, 3)
            if there is no way.
        cost: Its cost; infinite if there is none.
    """

    path: Array
    cost: float

    @property
    def found(self) -> bool:
        """Whether there is a way."""
        return self.path.shape[0] > 0


class VoxelSearch:
    """Searches grids of one shape.

    Args:
        shape: Voxels along x, y, z.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        count = int(np.prod(shape))
        coarse = tuple(-(-n // kernels.FACTOR) for n in shape)
        self._squares = np.empty((2, *shape), np.uint8)
        self._exit = np.full(shape, np.inf, np.float32)
        self._best = np.empty(count, np.float32)
        self._came_from = np.empty(count, np.int32)
        self._closed = np.empty(count, np.bool_)
        self._mean = np.empty(coarse, np.float32)
        self._open = np.empty((3, *coarse), np.bool_)
        self._goal = np.empty(coarse, np.float32)
        self._to_go = np.empty(coarse, np.float32)
        self._ahead = np.empty(coarse, np.int32)
        cells = int(np.prod(coarse))
        self._keys = np.empty(20 * cells + 16, np.float32)
        self._ids = np.empty(20 * cells + 16, np.int32)
        index = np.stack(np.meshgrid(*[np.arange(n) for n in coarse], indexing="ij"), axis=-1)
        middle = index.reshape(-1, 3) * kernels.FACTOR + (kernels.FACTOR - 1) / 2
        self._middles = np.concatenate([middle, np.zeros((len(middle), 1))], axis=1).astype(
            np.float32
        )
        self._stack: NDArray[np.int32] | None = None

    def distance(self, occupied: Mask, reach: int, resolution_m: float, out: Field) -> Field:
        """Distance to the nearest occupied voxel, cut off at ``reach`` voxels, into ``out``, m."""
        if not 1 <= reach <= kernels.MAX_REACH:
            raise ValueError(f"reach must be 1 to {kernels.MAX_REACH} voxels, got {reach}")
        first, second = self._squares
        kernels.distance_to_occupied(occupied, reach, np.float32(resolution_m), out, first, second)
        return out

    def find(
        self, cost: Field, ends: Indices, end_costs: Field, start: tuple[int, int, int]
    ) -> SearchResult:
        """Cheapest way from a voxel to any of several ends.

        Args:
            cost: Cost per unit of length, infinite where blocked.
            ends: Voxels where the way may end, (n, 3).
            end_costs: Cost of ending there, (n,), voxels.
            start: Index of the start; its own cost must be finite.
        """
        nothing = SearchResult(path=np.empty((0, 3)), cost=np.inf)
        free = np.isfinite(cost[tuple(ends.T)])
        ends, end_costs = ends[free], end_costs[free]
        if len(ends) == 0 or not np.isfinite(cost[start]):
            return nothing
        where = tuple(ends.T)
        self._exit[where] = end_costs
        try:
            return self._find(cost, ends, end_costs, start)
        finally:
            self._exit[where] = np.inf

    def _find(
        self, cost: Field, ends: Indices, end_costs: Field, start: tuple[int, int, int]
    ) -> SearchResult:
        known, anchors = self._coarse(cost, ends, end_costs, start)
        here = int(np.ravel_multi_index(start, self.shape))
        if not known:
            # the coarse cells know no way: either there is none, or it is a narrow one
            if self._stack is None:
                self._stack = np.empty(len(self._best), np.int32)
            if not kernels.reachable(cost, self._exit, here, self._closed, self._stack):
                return SearchResult(path=np.empty((0, 3)), cost=np.inf)
            self._to_go[~np.isfinite(self._to_go)] = 0.0
        path, total, _ = kernels.shortest_path(
            cost,
            self._exit,
            here,
            self._to_go,
            self._ahead,
            anchors,
            np.float32(GREED),
            self._best,
            self._came_from,
            self._closed,
        )
        points = np.stack(np.unravel_index(path, self.shape), axis=1).astype(np.float64) + 0.5
        return SearchResult(path=points, cost=float(total))

    def _coarse(
        self, cost: Field, ends: Indices, end_costs: Field, start: tuple[int, int, int]
    ) -> tuple[bool, Field]:
        """Fill the coarse costs to go; whether they know a way, and the heuristic's anchors."""
        kernels.coarse_grid(cost, self._mean, self._open)
        flat = np.ravel_multi_index(tuple((ends // kernels.FACTOR).T), self._mean.shape)
        self._goal[:] = np.inf
        np.minimum.at(self._goal.reshape(-1), flat, end_costs)
        known = kernels.coarse_cost_to_go(
            self._mean,
            self._open,
            self._goal,
            np.array(start) // kernels.FACTOR,
            self._to_go,
            self._ahead,
            self._keys,
            self._ids,
        )
        anchors = self._middles.copy()
        if len(ends) <= 64:  # few ends: measure to themselves, not to the middle of their cell
            for cell in np.unique(flat):
                own = ends[flat == cell].astype(np.float32)
                middle = own.mean(axis=0)
                anchors[cell, :3] = middle
                anchors[cell, 3] = float(np.max(np.linalg.norm(own - middle, axis=1)))
        else:
            anchors[flat, 3] = kernels.FACTOR
        return bool(known), anchors


def shorten(cost: Field, path: Array) -> Array:
    """Corner points of a path (n, 3) without those that a straight line makes needless."""
    if len(path) < 3:
        return path
    return path[kernels.skip_corners(cost, path, SHORTCUT_TOLERANCE)]


def smooth(
    corners: Array,
    cost: Callable[[Array], float],
    *,
    spacing: float,
    width: float,
    tolerance: float = 1.02,
) -> Array:
    """Round the corners of a polyline as far as its cost allows.

    The polyline is sampled evenly and convolved with a cubic B-spline kernel, which leaves straight
    parts and end points where they are; the kernel is narrowed until the curve is free and costs at
    most ``tolerance`` times the polyline.

    Args:
        corners: (m, 3).
        cost: Cost of a polyline, infinite if blocked.
        spacing: Distance between two samples.
        width: Half width of the kernel to begin with.
        tolerance: Factor on the cost.

    Returns:
        Samples (n, 3), evenly spaced along the polyline.
    """
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    upto = np.concatenate([[0.0], np.cumsum(lengths)])
    if upto[-1] < 1e-9:
        return corners[[0, -1]]
    count = max(int(np.ceil(upto[-1] / spacing)) + 1, 2)
    s = np.linspace(0.0, upto[-1], count)
    points = np.stack([np.interp(s, upto, c) for c in corners.T], axis=1)
    bound = tolerance * cost(corners)
    half = int(width / spacing)
    while half >= 2:
        curve = _rounded(points, half)
        if cost(curve) <= bound:
            return curve
        half //= 2
    return points


def _rounded(points: Array, half: int) -> Array:
    """Convolve evenly spaced points with a cubic B-spline kernel of a half width in samples."""
    third = max(half // 3, 1)
    box = np.ones(2 * third + 1) / (2 * third + 1)
    kernel = np.convolve(np.convolve(box, box), box)
    pad = min(len(kernel) // 2, len(points) - 1)
    if pad < len(kernel) // 2:
        return points if pad < 3 else _rounded(points, pad - 1)
    head = 2 * points[0] - points[pad:0:-1]
    tail = 2 * points[-1] - points[-2 : -2 - pad : -1]
    padded = np.vstack([head, points, tail])
    return np.stack([np.convolve(c, kernel, mode="valid") for c in padded.T], axis=1)
