"""Footprints of fixed objects on the table: rectangles and circles seen from above."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.types import Array, ObjectSpec
from embodied.world._scene_types import BodyData

HANDLE_REACH_M = 0.065
"""Length by which a drawer's front and handle protrude from the cabinet, m."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footprint:
    """A rectangle, or a circle where ``round``.

    Attributes:
        center: Centre in the world frame, (2,), m.
        half: Half extents along its own axes, (2,), m; the radius twice for a circle.
        yaw_rad: Rotation about z.
        round: Whether it is a circle.
    """

    center: Array
    half: Array
    yaw_rad: float
    round: bool

    @staticmethod
    def of(spec: ObjectSpec, body: BodyData) -> Footprint:
        """Footprint of a fixed object; a drawer's has its housing and the room it opens into."""
        center, half = np.array(body.position_m[:2]), np.array(spec.size_m[:2]) / 2
        if spec.kind == "drawer":
            depth, width, _ = body.cabinet_size_m
            reach = spec.travel_m + HANDLE_REACH_M
            forward = np.array(spec.opens_along[:2])
            center = np.array(body.cabinet_position_m[:2]) + forward * reach / 2
            half = np.array([depth + reach, width]) / 2
        return Footprint(
            center=center, half=half, yaw_rad=body.yaw_rad, round=spec.shape == "cylinder"
        )

    def distance(self, point: Array) -> float:
        """Distance from a point (2,) to the footprint, m; 0 inside."""
        local = self._axes().T @ (point - self.center)
        if self.round:
            return max(0.0, float(np.linalg.norm(local)) - float(self.half[0]))
        return float(np.linalg.norm(np.maximum(np.abs(local) - self.half, 0.0)))

    def overlaps(self, other: Footprint) -> bool:
        """Whether two footprints overlap."""
        if self.round and other.round:
            gap = float(np.linalg.norm(self.center - other.center))
            return gap < self.half[0] + other.half[0]
        if self.round or other.round:
            circle, box = (self, other) if self.round else (other, self)
            return box.distance(circle.center) < circle.half[0]
        # Two rectangles are apart when one of their four side directions separates them.
        offset = other.center - self.center
        for axis in (*self._axes().T, *other._axes().T):
            reach = self._reach(axis) + other._reach(axis)
            if abs(float(offset @ axis)) >= reach:
                return False
        return True

    def _axes(self) -> Array:
        c, s = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        return np.array([[c, -s], [s, c]])

    def _reach(self, direction: Array) -> float:
        return float(self.half @ np.abs(self._axes().T @ direction))
