"""Where voxels are: the one place that turns metres into indices and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embodied.types import Array, WorldSpec, readonly
from embodied_planners.value_map.geometry import Field

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VoxelGrid:
    """A regular grid of cubes.

    Attributes:
        origin_in_world: Lower corner of voxel (0, 0, 0) in the world frame, (3,), m.
        resolution_m: Edge of a voxel.
        shape: Number of voxels along x, y, z.
    """

    origin_in_world: Array
    resolution_m: float
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin_in_world", readonly(self.origin_in_world, (3,)))
        if self.resolution_m <= 0.0 or min(self.shape) < 8:
            raise ValueError(
                "a grid needs a positive resolution and at least 8 voxels a side, got "
                f"{self.resolution_m} m and {self.shape}"
            )

    @staticmethod
    def over(spec: WorldSpec, *, resolution_m: float = 0.01, side: int = 100) -> VoxelGrid:
        """A cube that reaches to the far end of a workspace, centred sideways, from its bottom.

        Args:
            spec: World with the workspace.
            resolution_m: Edge of a voxel.
            side: Voxels along each axis.
        """
        size = side * resolution_m
        lower, upper = spec.workspace_lower, spec.workspace_upper
        origin = np.array([upper[0] - size, (lower[1] + upper[1] - size) / 2, lower[2]])
        return VoxelGrid(
            origin_in_world=origin, resolution_m=resolution_m, shape=(side, side, side)
        )

    @property
    def upper_in_world(self) -> Array:
        """Upper corner of the grid in the world frame, (3,), m."""
        return self.origin_in_world + self.resolution_m * np.array(self.shape)

    def index(self, points_in_world: ArrayLike) -> Indices:
        """Voxels of points (3,) or (n, 3); not clipped."""
        offset = np.asarray(points_in_world, dtype=np.float64) - self.origin_in_world
        return np.floor(offset / self.resolution_m + 1e-9).astype(np.int64)

    def centre(self, index: ArrayLike) -> Array:
        """Centres of voxels (3,) or (n, 3) in the world frame, m."""
        return self.origin_in_world + (np.asarray(index) + 0.5) * self.resolution_m

    def contains(self, point_in_world: ArrayLike) -> bool:
        """Whether a point (3,) is inside the grid."""
        index = self.index(point_in_world)
        return bool(np.all(index >= 0) and np.all(index < self.shape))

    def slices(self, lower_in_world: Array, upper_in_world: Array) -> tuple[slice, slice, slice]:
        """The part of the grid whose voxel centres lie between two corners; may be empty."""
        low = np.ceil((lower_in_world - self.origin_in_world) / self.resolution_m - 0.5 - 1e-9)
        high = np.floor((upper_in_world - self.origin_in_world) / self.resolution_m - 0.5 + 1e-9)
        limit = np.array(self.shape, dtype=np.float64)
        low = np.clip(low, 0, limit).astype(int)
        high = np.clip(high + 1, low, limit).astype(int)
        x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return x, y, z

    def centres(self, part: tuple[slice, slice, slice]) -> tuple[Field, Field, Field]:
        """Coordinates of the voxel centres of a part, as three arrays that broadcast together."""
        axes = [
            (self.origin_in_world[i] + (np.arange(s.start, s.stop) + 0.5) * self.resolution_m)
            for i, s in enumerate(part)
        ]
        x, y, z = np.ix_(*[a.astype(np.float32) for a in axes])
        return x, y, z
