"""Drawers and the cabinets they are in, from geometry: scenes give them no colour word.

A cabinet is a box of known size that opens in a known direction; the foremost plane in front of it
is the drawer's front, and its distance to the cabinet is the opening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embodied.perception import shapes
from embodied.perception.colour_shape import connected, thin
from embodied.perception.types import (
    CLUSTER_GAP_M,
    EXPLAINED_M,
    FIT_POINTS,
    FOLLOW_M,
    MIN_POINTS,
    Cloud,
)
from embodied.types import Array, ObjectSpec, Pose

FRONT_M = 0.012
"""Thickness of a drawer's front, which stands before its cabinet when it is closed."""

_PLAY_M = 0.003
_MISFIT_M = 0.004
_WIDTH_TOLERANCE = 0.2
_BIN_M = 0.003
_MIN_FACE_POINTS = 12
_FACE_SHARE = 0.85
_LEAST_STD_M = 0.0015

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """One thing that was found: its points, its shape in place, the colour word seen."""

    index: Index
    fit: shapes.Fit
    color: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cabinet:
    drawer: ObjectSpec
    top: ObjectSpec | None
    box: ObjectSpec
    yaw_rad: float


class FurnitureFinder:
    """Finds all drawers of a scene and the surfaces on top of their cabinets."""

    def __init__(self, objects: Mapping[str, ObjectSpec]) -> None:
        self._cabinets = [_cabinet(o, objects) for o in objects.values() if o.kind == "drawer"]
        self._poses: dict[str, Pose] = {}

    @property
    def names(self) -> frozenset[str]:
        """Objects that are found here and need no detector."""
        tops = [c.top.name for c in self._cabinets if c.top is not None]
        return frozenset(tops) | {c.drawer.name for c in self._cabinets}

    def reset(self) -> None:
        """Forget where the cabinets stand."""
        self._poses.clear()

    def find(
        self, cloud: Cloud, unclaimed: NDArray[np.bool_], table_height_m: float
    ) -> tuple[dict[str, Piece], dict[str, float]]:
        """Find what is there; its points are struck from ``unclaimed``.

        Returns:
            Pieces by name, and the opening of every drawer whose front was seen, m.
        """
        found: dict[str, Piece] = {}
        openings: dict[str, float] = {}
        for cabinet in self._cabinets:
            housing = self._housing(cabinet, cloud.points_in_world, unclaimed, table_height_m)
            if housing is None:
                continue
            unclaimed[housing.index] = False
            self._poses[cabinet.drawer.name] = housing.fit.pose
            if cabinet.top is not None:
                found[cabinet.top.name] = _top_of(cabinet, cabinet.top, housing, cloud)
            front = _front(cabinet, housing.fit, cloud.points_in_world, unclaimed)
            if front is not None:
                piece, openings[cabinet.drawer.name] = front
                unclaimed[piece.index] = False
                found[cabinet.drawer.name] = piece
        return found, openings

    def _housing(
        self, cabinet: _Cabinet, points: Array, unclaimed: NDArray[np.bool_], table_m: float
    ) -> Piece | None:
        known = self._poses.get(cabinet.drawer.name)
        if known is not None:
            return self._fitted(cabinet.box, known, points, unclaimed)
        groups = connected(points, np.flatnonzero(unclaimed), CLUSTER_GAP_M, 20 * MIN_POINTS)
        best: Piece | None = None
        for group in groups:
            start = _start(cabinet, points[group], table_m)
            piece = None
            if start is not None:
                piece = self._fitted(cabinet.box, start, points, unclaimed)
            if piece is not None and (best is None or len(piece.index) > len(best.index)):
                best = piece
        return best

    def _fitted(
        self, box: ObjectSpec, start: Pose, points: Array, unclaimed: NDArray[np.bool_]
    ) -> Piece | None:
        near = shapes.on_surface(box, start, points, unclaimed, 2.0 * FOLLOW_M)
        if len(near) < 10 * MIN_POINTS:
            return None
        sample = points[near[thin(len(near), 2 * FIT_POINTS)]]
        fit = shapes.fit(box, sample, start, upright=True)
        mine = shapes.on_surface(box, fit.pose, points, unclaimed, EXPLAINED_M)
        if fit.cost_m > _MISFIT_M or len(mine) < 10 * MIN_POINTS:
            return None
        return Piece(index=mine, fit=fit)


def _cabinet(drawer: ObjectSpec, objects: Mapping[str, ObjectSpec]) -> _Cabinet:
    """The box around a drawer; a colourless surface of its width is the cabinet's top."""
    tops = [
        o
        for o in objects.values()
        if o.kind == "surface" and not o.color and abs(o.size_m[1] - drawer.size_m[1]) < 1e-3
    ]
    top = tops[0] if tops else None
    depth = top.size_m[0] if top else drawer.size_m[0]
    height = drawer.size_m[2] + 2 * _PLAY_M
    return _Cabinet(
        drawer=drawer,
        top=top,
        box=ObjectSpec(
            name=f"{drawer.name}-cabinet",
            kind="surface",
            category="cabinet",
            size_m=(depth, drawer.size_m[1], height),
        ),
        yaw_rad=float(np.arctan2(drawer.opens_along[1], drawer.opens_along[0])),
    )


def _start(cabinet: _Cabinet, points: Array, table_m: float) -> Pose | None:
    """Where a group of points puts the cabinet: its back and its sides never move."""
    depth, width, height = cabinet.box.size_m
    half = cabinet.yaw_rad / 2
    turned = Pose(position=np.zeros(3), quat_wxyz=np.array([np.cos(half), 0.0, 0.0, np.sin(half)]))
    local = points @ turned.rotation
    high = local[points[:, 2] > table_m + 0.6 * height]
    if len(high) < _MIN_FACE_POINTS:
        return None
    sides = np.quantile(high[:, 1], [0.01, 0.99])
    if abs(float(sides[1] - sides[0]) / width - 1.0) > _WIDTH_TOLERANCE:
        return None
    center = np.array(
        [np.quantile(high[:, 0], 0.01) + depth / 2, sides.mean(), table_m + height / 2]
    )
    return replace(turned, position=turned.rotation @ center)


def _top_of(cabinet: _Cabinet, top: ObjectSpec, housing: Piece, cloud: Cloud) -> Piece:
    height = cabinet.box.size_m[2]
    up = np.array([0.0, 0.0, (height - top.size_m[2]) / 2])
    pose = replace(housing.fit.pose, position=housing.fit.pose.apply(up))
    z = cloud.points_in_world[housing.index, 2]
    mine = housing.index[z > pose.position[2] - top.size_m[2] / 2 - 0.002]
    return Piece(index=mine, fit=replace(housing.fit, pose=pose))


def _front(
    cabinet: _Cabinet, housing: shapes.Fit, points: Array, unclaimed: NDArray[np.bool_]
) -> tuple[Piece, float] | None:
    """The drawer's sliding part and its opening, from the strongest plane before the cabinet."""
    drawer = cabinet.drawer
    depth, width, height = cabinet.box.size_m
    local = (points - housing.pose.position) @ housing.pose.rotation
    reach = depth / 2 + FRONT_M + drawer.travel_m
    before = unclaimed & (local[:, 0] > depth / 2 + 0.004) & (local[:, 0] < reach + 0.08)
    before &= (np.abs(local[:, 1]) < width / 2 + 0.006) & (np.abs(local[:, 2]) < height / 2 + 0.01)
    index = np.flatnonzero(before)
    closed = depth / 2 + FRONT_M
    face = _face(local[index, 0], closed, reach)
    if face is None:
        return None
    opening = min(max(face - closed, 0.0), drawer.travel_m)
    center = np.array([face - drawer.size_m[0] / 2, 0.0, 0.0])
    pose = replace(housing.pose, position=housing.pose.apply(center))
    std = np.sqrt(np.square(housing.position_std_m) + _LEAST_STD_M**2)
    return Piece(index=index, fit=replace(housing, pose=pose, position_std_m=std)), opening


def _face(along: Array, nearest: float, farthest: float) -> float | None:
    """Where a drawer's front ends, from the coordinates of points along its way.

    The front is a slab: its face, its back (seen once it is open) and its upper edge fall into a
    window of its thickness, which holds more points than any other.
    """
    ends = np.arange(nearest - _BIN_M, farthest + 2 * _BIN_M, _BIN_M / 2)
    ordered = np.sort(along)
    counts = np.searchsorted(ordered, ends + _BIN_M / 2)
    counts -= np.searchsorted(ordered, ends - FRONT_M - _BIN_M / 2)
    if not len(counts) or counts.max() < _MIN_FACE_POINTS:
        return None
    # A handle stands out farther, with few points of its own.
    end = float(ends[int(np.argmax(counts > _FACE_SHARE * counts.max()))]) + _BIN_M / 2
    outside = along[np.abs(along - end) < _BIN_M]
    if len(outside) >= _MIN_FACE_POINTS:
        return float(np.median(outside))
    inside = along[np.abs(along - end + FRONT_M) < _BIN_M]
    return float(np.median(inside)) + FRONT_M if len(inside) else end
