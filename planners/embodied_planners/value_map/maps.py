"""Maps over the grid: distance to obstacles, and the cost of avoided regions.

Things are rasterised one by one, each only around itself, and only when it has changed since the
last time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.types import Array
from embodied_planners.value_map.geometry import Field, ObjectGeometry
from embodied_planners.value_map.grid import VoxelGrid
from embodied_planners.value_map.regions import Volume
from embodied_planners.value_map.search import VoxelSearch

Part = tuple[slice, slice, slice]

CHANGED_M = 0.002
"""A thing that moved less than this is not rasterised again."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Patch:
    """Distances around one thing."""

    thing: ObjectGeometry
    part: Part
    distance: Field


class ObstacleMap:
    """Distance to the nearest obstacle, kept up to date thing by thing.

    Args:
        grid: The grid.
        search: For distances to obstacles that are only known as points.
        reach_m: Distances are cut off here.

    Attributes:
        distance: (nx, ny, nz) float32, m; treat as read-only.
        rasterised: Names of the things that the last update had to rasterise.
    """

    def __init__(self, grid: VoxelGrid, search: VoxelSearch, reach_m: float) -> None:
        self.grid = grid
        self.reach_m = reach_m
        self.distance: Field = np.full(grid.shape, reach_m, np.float32)
        self.rasterised: tuple[str, ...] = ()
        self._search = search
        self._patches: dict[str, _Patch] = {}
        self._shown: tuple[tuple[str, int], ...] = ()
        self._points: Field | None = None

    def update(
        self, things: Mapping[str, ObjectGeometry], points_in_world: Array | None = None
    ) -> None:
        """Take over what is where.

        Args:
            things: Obstacles by name.
            points_in_world: Further obstacles as points, (n, 3), m.
        """
        changed: list[str] = []
        for name, thing in things.items():
            old = self._patches.get(name)
            if old is None or not old.thing.same_as(thing, CHANGED_M):
                self._patches[name] = self._rasterise(thing)
                changed.append(name)
        self.rasterised = tuple(changed)
        points = None
        if points_in_world is not None and len(points_in_world):
            points = self._rasterise_points(points_in_world)
        shown = tuple((name, id(self._patches[name])) for name in sorted(things))
        if shown == self._shown and points is None and self._points is None:
            return
        self._shown, self._points = shown, points
        if points is None:
            self.distance.fill(self.reach_m)
        else:
            np.minimum(points, self.reach_m, out=self.distance)
        for name in things:
            patch = self._patches[name]
            here = self.distance[patch.part]
            np.minimum(here, patch.distance, out=here)

    def _rasterise(self, thing: ObjectGeometry) -> _Patch:
        reach = thing.half_extents_in_world() + self.reach_m
        part = self.grid.slices(thing.pose.position - reach, thing.pose.position + reach)
        return _Patch(thing=thing, part=part, distance=thing.distance(*self.grid.centres(part)))

    def _rasterise_points(self, points: Array) -> Field:
        index = self.grid.index(points)
        inside = np.all((index >= 0) & (index < self.grid.shape), axis=1)
        occupied = np.zeros(self.grid.shape, np.bool_)
        occupied[tuple(index[inside].T)] = True
        reach = min(int(np.ceil(self.reach_m / self.grid.resolution_m)), 11)
        out = np.empty(self.grid.shape, np.float32)
        return self._search.distance(occupied, reach, self.grid.resolution_m, out)


class AvoidanceMap:
    """What the program would rather avoid, as a cost per unit of length.

    Args:
        grid: The grid.
        weight: Cost of the value 1.
        margin_m: Around a region the cost fades out over this distance: a tracked path swerves.

    Attributes:
        cost: (nx, ny, nz) float32; treat as read-only.
    """

    def __init__(self, grid: VoxelGrid, *, weight: float, margin_m: float) -> None:
        self.grid = grid
        self.weight = weight
        self.margin_m = margin_m
        self.cost: Field = np.zeros(grid.shape, np.float32)
        self._key: tuple[object, ...] = ()

    def update(self, volumes: Sequence[tuple[Volume, float]], key: tuple[object, ...]) -> None:
        """Set the avoided volumes with their values in 0..1; a later one wins where they overlap.

        Args:
            volumes: Volumes in the order of the program.
            key: Equal keys mean equal volumes: nothing is done then.
        """
        if key == self._key:
            return
        self._key = key
        self.cost.fill(0.0)
        margin = np.float32(self.margin_m)
        for region, value in volumes:
            lower = np.maximum(region.lower - self.margin_m, self.grid.origin_in_world)
            upper = np.minimum(region.upper + self.margin_m, self.grid.upper_in_world)
            if np.any(lower > upper):
                continue
            part = self.grid.slices(lower, upper)
            here = self.cost[part]
            distance = np.broadcast_to(region.distance(*self.grid.centres(part)), here.shape)
            level = np.float32(self.weight * value)
            fading = np.clip(np.float32(0.5) * (1 - distance / margin), 0.0, 0.5) * level
            np.maximum(here, fading, out=here)
            here[distance <= 0.0] = level
