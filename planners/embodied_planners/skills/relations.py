"""Where things lie beside each other: how far a place is from what a placement asks for.

With the thing's centre p, half extents h (world axes, from above) and those c, H of another thing,
the gap on an axis is g = |p - c| - h - H, and between both hypot(max(gx, 0), max(gy, 0)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from embodied.types import Array, ObjectSpec, Placement, Pose
from embodied_planners.skills.geometry import half_extent

NEAR_M, BESIDE_M = 0.07, 0.12
"""Largest gap to a thing that is "next to" another, or on a side of it."""
CLOSE_M = 0.03
"""Gap that is best there: the fingers fit in."""
APART_M = 0.15
"""Least gap that "away from" means."""
EXACT_M = 0.02
"""Tolerance of a distance that was said, and of a displacement."""
TRACKED_M = 0.005
"""Tolerance of the verdict beyond what was planned for: tracking and letting go."""
TURN_RAD = 0.12
STAY_M = 0.03
"""A thing that is turned stays within this distance of where it was."""
ASIDE_M = 0.03
"""How far a thing may stick out sideways from the face of what it lies beside."""
PART, CORNER, MIDDLE, EDGE_M = 1 / 3, 0.6, 1 / 3, 0.09
"""Parts, corners and middle of a surface, as shares of half its size; how near its edge is, m."""
TABLE_REACH_M = np.array([[0.30, -0.50], [0.70, 0.50]])
"""What of a table has parts: within the arm's reach, corners (x, y), m."""
SIDES: Mapping[str, tuple[float, float]] = {
    "left": (0.0, 1.0), "right": (0.0, -1.0), "front": (1.0, 0.0), "back": (-1.0, 0.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Things as they lay when a placement was told by them.

    Attributes:
        specs: The objects of the scene.
        poses: Their poses, world frame.
    """

    specs: Mapping[str, ObjectSpec]
    poses: Mapping[str, Pose]

    def center(self, name: str) -> Array:
        """Centre of a thing from above, (2,), m."""
        return np.array(self.poses[name].position[:2])

    def half(self, name: str, pose: Pose | None = None) -> Array:
        """Half extents of a thing along x and y, (2,), m."""
        spec, at = self.specs[name], pose or self.poses[name]
        return np.array([half_extent(spec, at, e) for e in np.eye(3)[:2]])


def target(placement: Placement, layout: Layout) -> Array | None:
    """The place (2,) that a placement names to the point; None for one that names a region."""
    item = placement.item
    match placement.relation:
        case "moved":
            return layout.center(item) + np.array(placement.by_m)
        case "at":
            return np.array(placement.by_m)
        case "turned":
            return layout.center(item)
        case side if side in SIDES and placement.distance_m is not None:
            other, way = placement.of[0], np.array(SIDES[side])
            reach = np.abs(way) @ (layout.half(other) + layout.half(item))
            return layout.center(other) + way * (reach + placement.distance_m)
        case _:
            return None


def shortfall(placement: Placement, layout: Layout, points: Array, half: Array) -> Array:
    """How far places are from what a placement asks for, m; 0 where they are as asked, (p,).

    Args:
        placement: What is asked.
        layout: How things lay.
        points: Centres of the thing, (p, 2), m.
        half: Its half extents along x and y there, (2,), m.
    """
    exact = target(placement, layout)
    if exact is not None and placement.relation not in SIDES:
        slack = STAY_M if placement.relation == "turned" else EXACT_M
        return np.maximum(np.linalg.norm(points - exact, axis=1) - slack, 0.0)
    if placement.relation in ("part", "corner", "middle", "edge"):
        return _on_part(placement, layout, points, half)
    if placement.relation == "between":
        return _between(placement, layout, points)
    other = placement.of[0]
    offset = points - layout.center(other)
    gaps = np.abs(offset) - half - layout.half(other)
    gap = np.where(gaps.max(axis=1) < 0, gaps.max(axis=1), np.hypot(*np.maximum(gaps, 0.0).T))
    if placement.relation == "near":
        return np.maximum(gap - (placement.distance_m or NEAR_M), 0.0)
    if placement.relation == "away":
        return np.maximum((placement.distance_m or APART_M) - gap, 0.0)
    way = np.array(SIDES[placement.relation])
    ahead = offset @ way - np.abs(way) @ (half + layout.half(other))
    aside = np.abs(offset) @ (1 - np.abs(way))
    off = np.maximum(aside - (1 - np.abs(way)) @ layout.half(other) - ASIDE_M, 0.0)
    if placement.distance_m is not None:
        return np.hypot(off, np.maximum(np.abs(ahead - placement.distance_m) - EXACT_M, 0.0))
    return np.hypot(off, np.maximum(-ahead, 0.0) + np.maximum(ahead - BESIDE_M, 0.0))


def misfit(placement: Placement, layout: Layout, points: Array, half: Array) -> Array:
    """How much worse places are than the best ones that a placement could mean, m, (p,)."""
    aim = target(placement, layout)
    if placement.relation == "between":
        aim = (layout.center(placement.of[0]) + layout.center(placement.of[1])) / 2
    elif placement.relation in ("part", "middle"):
        middle, room = _extent(placement, layout, half)
        aim = middle + np.array(placement.by_m) * room
    if aim is not None:
        return np.linalg.norm(points - aim, axis=1)
    if placement.relation == "near" or placement.relation in SIDES:
        return shortfall(replace(placement, distance_m=CLOSE_M), layout, points, half)
    return np.zeros(len(points))


def turned_by(before: Pose, after: Pose) -> float:
    """Turn about the vertical from one pose to another, rad, counter-clockwise, in (-pi, pi]."""
    relative = after.rotation @ before.rotation.T
    return float(np.arctan2(relative[1, 0] - relative[0, 1], relative[0, 0] + relative[1, 1]))


def unmet(placement: Placement, layout: Layout, after: Pose) -> tuple[float, float]:
    """How far a measured pose is from what was asked: m, and rad for a turn."""
    here = np.array(after.position[:2])[None]
    off = float(shortfall(placement, layout, here, layout.half(placement.item, after))[0])
    missing = max(off - TRACKED_M, 0.0)
    if placement.relation != "turned":
        return missing, 0.0
    turn = turned_by(layout.poses[placement.item], after) - placement.angle_rad
    turned = abs((turn + np.pi) % (2 * np.pi) - np.pi)
    return missing, max(turned - TURN_RAD, 0.0)


def _between(placement: Placement, layout: Layout, points: Array) -> Array:
    a, b = (layout.center(n) for n in placement.of)
    way = b - a
    share = np.clip((points - a) @ way / max(float(way @ way), 1e-9), 0.3, 0.7)
    off = np.linalg.norm(points - (a + share[:, None] * way), axis=1)
    return np.maximum(off - EXACT_M, 0.0)


def _extent(placement: Placement, layout: Layout, half: Array) -> tuple[Array, Array]:
    """Middle of what a thing may be put on, and how far from it its centre may be, (2,), m."""
    support = placement.of[0]
    if layout.specs[support].category == "table":
        lower, upper = TABLE_REACH_M
    else:
        lower = layout.center(support) - layout.half(support)
        upper = layout.center(support) + layout.half(support)
    return (lower + upper) / 2, np.maximum((upper - lower) / 2 - half, 1e-6)


def _on_part(placement: Placement, layout: Layout, points: Array, half: Array) -> Array:
    if placement.relation == "edge":
        support = placement.of[0]
        inside = layout.half(support) - half - np.abs(points - layout.center(support))
        return np.maximum(inside.min(axis=1) - EDGE_M, 0.0)
    middle, room = _extent(placement, layout, half)
    at = (points - middle) / room
    if placement.relation == "middle":
        return np.linalg.norm(np.maximum(np.abs(at) - MIDDLE, 0.0) * room, axis=1)
    if placement.relation == "corner":
        return np.linalg.norm(np.maximum(CORNER - np.abs(at), 0.0) * room, axis=1)
    way = np.array(placement.by_m)
    missing = np.where(way != 0, np.maximum(PART - at * way, 0.0) * room, 0.0)
    return np.linalg.norm(missing, axis=1)
