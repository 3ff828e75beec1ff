"""Where a held item can be put: free spots on supports, alignment on other items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, ObjectSpec, Observation, Placement, Pose, WorldSpec
from embodied_planners.motion import PlanningScene
from embodied_planners.skills.geometry import (
    Footprints,
    footprints,
    half_extent,
    top_z,
    upright,
    yaw_rotation,
)
from embodied_planners.skills.relations import Layout, misfit, shortfall, target

GRID_M = 0.02
FINGER_ROOM_M = 0.026
"""Room that a finger needs beside an item: its thickness and some play."""
RELEASE_M = 0.0015
"""Gap that is left between the item and its support when it is released."""
REACH_M = (0.30, 0.72)
"""Horizontal distances from the base at which things are put, for arms that reach as far."""
COMFORT_M = 0.5
"""The one that is liked best, for such an arm."""
GRASP_HEIGHT_M = 0.03
"""Of the hand above a support, for its reach."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spot:
    """A pose for an item.

    Attributes:
        pose_item_in_world: Where the item is let go.
        gap_m: Gap to the nearest thing beside it, m.
        cost: Less is better; comparable between calls for the same support.
    """

    pose_item_in_world: Pose
    gap_m: float
    cost: float


def support_floor(found: Footprints, name: str) -> int:
    """Index of the footprint that things on or in a support rest on: its largest."""
    areas = [
        (float(found.half[i, 0] * found.half[i, 1]), i)
        for i, body in enumerate(found.body)
        if body == name
    ]
    if not areas:
        raise ValueError(f"the planning model has no geometry for {name!r}")
    return max(areas)[1]


def free_spots(
    scene: PlanningScene,
    spec: WorldSpec,
    observation: Observation,
    item: str,
    support: str,
    *,
    gap_m: float,
    wanted_gap_m: float,
    pack: bool = False,
    turned: bool = False,
    on_top: bool = False,
    asked: Sequence[Placement] = (),
    layout: Layout | None = None,
) -> list[Spot]:
    """Free spots for a held item on a surface or in a container, best first.

    A spot is good when it has room around it (up to ``wanted_gap_m``), is near where the item is
    now and lies at a comfortable distance from the base; for a gantry, near the support's middle.

    Args:
        scene: Planning scene, up to date.
        spec: World.
        observation: Latest measurement.
        item: The held item.
        support: Surface, container or drawer.
        gap_m: Least gap to anything beside the item.
        wanted_gap_m: Gap beyond which more room is no better.
        pack: Align the item with the support and prefer spots that leave most good spots for
            another item like it.
        turned: Put the item at a right angle to the orientation it would have otherwise.
        on_top: Put the item on top of what is already there (in a crowded container).
        asked: Where exactly on the support the item is to be; only such spots are found.
        layout: How things lay when that was said.
    """
    thing = spec.objects[item]
    found = footprints(scene)
    floor = support_floor(found, support)
    rotation = upright(observation.poses[item].rotation)
    if pack and thing.shape == "box":
        rotation = yaw_rotation(_yaw_between(_side(rotation), found.axes[floor, 0])) @ rotation
    if turned:
        rotation = yaw_rotation(np.pi / 2) @ rotation
    wanted = [(p, layout) for p in asked] if layout is not None else []
    for placement, layout in wanted:
        if placement.relation == "turned":
            start = upright(layout.poses[item].rotation)
            rotation = yaw_rotation(placement.angle_rad) @ start
    half = np.array([half_extent(thing, Pose.from_rotation(rotation), e) for e in np.eye(3)])
    points = _grid(
        found,
        floor,
        spec.objects[support].shape == "cylinder",
        float(half[:2].max()),
        0.01 if pack or asked else GRID_M,
    )
    if wanted:
        exact = [p for a, layout in wanted if (p := target(a, layout)) is not None]
        points = np.concatenate([np.reshape(exact, (-1, 2)), points])
    inside = np.all(points > spec.workspace_lower[:2], axis=1)
    inside &= np.all(points < spec.workspace_upper[:2], axis=1)
    arm, level = scene.kinematics, float(found.top[floor])
    scale, base = 1.0, np.zeros(2)
    if arm.turns:
        height = round(level, 3) + GRASP_HEIGHT_M
        scale, base = arm.reach_down_m(height, REACH_M[1]) / REACH_M[1], arm.first_anchor[:2]
        radius = np.linalg.norm(points - base, axis=1)
        inside &= (radius > scale * REACH_M[0]) & (radius < scale * REACH_M[1])
    points = points[inside]
    items = {n for n, o in spec.objects.items() if o.kind == "item"}
    keep = [
        i
        for i, body in enumerate(found.body)
        if i != floor
        and body != item
        and found.top[i] > level + 0.002
        and not (on_top and body in items)
    ]
    others = found.select(keep)
    sides = np.stack([_side(rotation), [-_side(rotation)[1], _side(rotation)[0]]])
    own = np.array(
        [half_extent(thing, Pose.from_rotation(rotation), np.array([*side, 0.0])) for side in sides]
    )
    gaps = others.gaps(points, sides, own)
    gaps = np.minimum(gaps, _drawer_gaps(spec, observation, support, points, sides, own))
    graspable = _fingers_fit(spec, others, points, sides, own)
    good = gaps >= gap_m
    missed = np.zeros(len(points))
    for placement, layout in wanted:
        good &= shortfall(placement, layout, points, half[:2]) <= 0.0
        missed += 10 * misfit(placement, layout, points, half[:2])
    missed = missed[good]
    points, gaps, graspable = points[good], gaps[good], graspable[good]
    if len(points) == 0:
        return []
    here = observation.poses[item].position[:2]
    if arm.turns:
        handy = 0.5 * np.abs(np.linalg.norm(points - base, axis=1) - scale * COMFORT_M)
    else:
        handy = 1.5 * np.linalg.norm(points - found.center[floor], axis=1)
    cost = (
        np.linalg.norm(points - here, axis=1)
        + handy
        - 6.0 * np.minimum(gaps, wanted_gap_m)
        + 1.0 * ~graspable
        + missed
    )
    if pack:
        cost -= 2.0 * _room_left(
            points, graspable & (gaps >= wanted_gap_m), sides, 2 * own + wanted_gap_m
        )
    height = level
    if on_top:
        inside_items = [i for i, b in enumerate(found.body) if b in items and b != item]
        near = [
            i
            for i in inside_items
            if np.all(np.abs(found.center[i] - found.center[floor]) < found.half[floor].max())
        ]
        height = max([level, *(float(found.top[i]) for i in near)])
    z = height + float(half[2]) + RELEASE_M
    order = np.argsort(cost, kind="stable")
    return [
        Spot(
            pose_item_in_world=Pose.from_rotation(rotation, np.array([*points[k], z])),
            gap_m=float(gaps[k]),
            cost=float(cost[k]),
        )
        for k in order
    ]


def stack_poses(item: ObjectSpec, item_pose: Pose, below: ObjectSpec, below_pose: Pose) -> Pose:
    """Pose of an item resting centred on another one, boxes aligned with each other.

    Args:
        item: The held item.
        item_pose: Its pose now: of the symmetric orientations, the nearest to it is taken.
        below: The item to be stacked on.
        below_pose: Its measured pose.
    """
    rotation = upright(item_pose.rotation)
    if item.shape == "box" and below.shape == "box":
        angle = _yaw_between(_side(rotation), _side(upright(below_pose.rotation)))
        rotation = yaw_rotation(angle) @ rotation
    z = (
        top_z(below, below_pose)
        + half_extent(item, Pose.from_rotation(rotation), np.array([0.0, 0.0, 1.0]))
        + RELEASE_M
    )
    return Pose.from_rotation(rotation, np.array([*below_pose.position[:2], z]))


def _side(rotation: Array) -> Array:
    """Horizontal unit direction (2,) of a body axis of an upright rotation."""
    k = int(np.argmin(np.abs(rotation[2])))
    side = rotation[:2, k]
    return side / np.linalg.norm(side)


def _yaw_between(a: Array, b: Array) -> float:
    """Smallest rotation that makes a parallel to b up to quarter turns, rad."""
    angle = float(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b))
    return (angle + np.pi / 4) % (np.pi / 2) - np.pi / 4


def _grid(found: Footprints, floor: int, is_round: bool, margin: float, step: float) -> Array:
    """Grid of points on a footprint at least ``margin`` from its border, (p, 2)."""
    half = np.maximum(found.half[floor] - margin - 0.002, 0.0)
    steps = [h * np.linspace(-1, 1, 2 * int(h / step) + 1) if h >= step else [0.0] for h in half]
    u, v = (m.ravel() for m in np.meshgrid(*steps))
    if is_round:
        keep = np.hypot(u, v) <= half[0] + 1e-9
        u, v = u[keep], v[keep]
    axes = found.axes[floor]
    return found.center[floor] + u[:, None] * axes[0] + v[:, None] * axes[1]


def _fingers_fit(
    spec: WorldSpec, others: Footprints, points: Array, sides: Array, own: Array
) -> NDArray[np.bool_]:
    """Where an item could be grasped again: room for both fingers along one of its sides, (p,)."""
    fits = np.zeros(len(points), dtype=bool)
    if spec.gripper is None:
        return fits
    for i in range(2):
        if 2 * own[i] > spec.gripper.max_width_m - 0.006:
            continue
        reach = np.full(2, spec.gripper.pad_size_m[1] / 2 + 0.002)
        reach[i] = own[i] + FINGER_ROOM_M
        fits |= others.gaps(points, sides, reach) > 0.0
    return fits


def _room_left(points: Array, roomy: NDArray[np.bool_], sides: Array, apart: Array) -> Array:
    """Share of the roomy points that stay roomy when a point is taken, (p,); 0 for others.

    Args:
        points: (p, 2).
        roomy: Which of them have the wanted gap, (p,).
        sides: Sides of the item, rows of (2, 2).
        apart: Distances along them at which two items have the wanted gap, (2,).
    """
    if not roomy.any():
        return np.zeros(len(points))
    offset = np.abs((points[:, None] - points[None, roomy]) @ sides.T)
    return np.where(roomy, 0.1 + np.mean(np.any(offset >= apart, axis=-1), axis=1), 0.0)


def _drawer_gaps(
    spec: WorldSpec,
    observation: Observation,
    support: str,
    points: Array,
    sides: Array,
    half: Array,
) -> Array:
    """Gaps to the space that drawers need to open; nothing is put in their way."""
    gaps = np.full(len(points), np.inf)
    for name, drawer in spec.objects.items():
        if drawer.kind != "drawer" or name == support or spec.objects[support].kind != "surface":
            continue
        pose = observation.poses[name]
        out = np.array(drawer.opens_along[:2])
        if support != "table" and top_z(drawer, pose) < top_z(
            spec.objects[support], observation.poses[support]
        ):
            continue
        left = drawer.travel_m - observation.openings_m[name] + 0.09
        front = half_extent(drawer, pose, np.array([*out, 0.0]))
        sideways = np.array([-out[1], out[0]])
        swept = Footprints(
            center=(pose.position[:2] + out * (front + left / 2))[None],
            axes=np.stack([out, sideways])[None],
            half=np.array(
                [[left / 2, half_extent(drawer, pose, np.array([*sideways, 0.0])) + 0.06]]
            ),
            top=np.zeros(1),
            bottom=np.zeros(1),
            body=(name,),
        )
        gaps = np.minimum(gaps, swept.gaps(points, sides, half))
    return gaps
