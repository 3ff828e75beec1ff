"""Goal voxels of a path, from the affordance map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, GripperSpec, MapOperation, Pose
from embodied_planners.value_map.geometry import Field, ObjectGeometry
from embodied_planners.value_map.grasping import grasp_poses
from embodied_planners.value_map.grid import VoxelGrid
from embodied_planners.value_map.plan import ValueMapStatus
from embodied_planners.value_map.regions import Volume

Indices = NDArray[np.int64]

NEAREST_M = 0.025
"""Tolerance for the end of a path whose target point is too close to an obstacle, m."""

RAISE_M, CLEAR_M = 0.12, 0.04
"""A place over the table that is too low for what moves is raised by at most so much, where nothing
stands so near."""

SHELL_M = 0.05
"""Tolerance for the end of a path to an object, from its surface, m."""

VALUE_COST = 100.0
"""Voxels of way that a target of value 1 is worth more than one of value 0."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """Where to go.

    Attributes:
        volumes: Target regions with their values in 0..1.
        kept_out: Regions that are to be avoided: a way that has the choice does not end there.
        place: The exact point, for targets that are one.
        thing: Name of the thing that the point is inside of, ``""`` if none.
        grasp: The same where it is to be grasped.
        quat_wxyz: Orientation of the hand there; None leaves it to the rotation map.
        otherwise: Other poses of the hand to grasp it with, where this one has no room.
        words: The target in words.
        status: What is wrong with it; None if nothing is.
        reason: Why.
        notes: What a reader should know.
    """

    volumes: tuple[tuple[Volume, float], ...] = ()
    kept_out: tuple[Volume, ...] = ()
    place: Array | None = None
    thing: str = ""
    grasp: str = ""
    quat_wxyz: Array | None = None
    otherwise: tuple[Pose, ...] = ()
    words: str = "where it is"
    status: ValueMapStatus | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()

    def grasps(self) -> tuple[Target, ...]:
        """This one, then the same with the other poses of the hand."""
        others = (replace(self, place=p.position, quat_wxyz=p.quat_wxyz) for p in self.otherwise)
        return (self, *others)

    def ends(
        self,
        cost: Field,
        grid: VoxelGrid,
        things: Mapping[str, ObjectGeometry],
        table_height_m: float = -np.inf,
    ) -> tuple[Indices, Field, str]:
        """Free voxels where a way may end, (n, 3), their costs (n,), and why there are none."""
        if self.place is not None:
            return self._ends_at(self.place, cost, grid, things, table_height_m)
        found: list[Indices] = []
        costs: list[Field] = []
        best = max(value for _, value in self.volumes)
        for region, value in self.volumes:
            part = grid.slices(
                np.maximum(region.lower, grid.origin_in_world),
                np.minimum(region.upper, grid.upper_in_world),
            )
            depth = np.broadcast_to(region.distance(*grid.centres(part)), cost[part].shape)
            inside = (depth <= 0.0) & np.isfinite(cost[part])
            for avoided in self.kept_out:
                inside &= avoided.distance(*grid.centres(part)) > 0.5 * grid.resolution_m
            index = np.argwhere(inside)
            shallow = np.clip(depth[inside] / grid.resolution_m + 2.0, 0.0, 2.0)
            found.append(index + [s.start for s in part])
            costs.append((3 * shallow + VALUE_COST * (best - value)).astype(np.float32))
        ends = np.concatenate(found)
        reason = "" if len(ends) else f"no free place is left in {self.words}"
        return ends, np.concatenate(costs), reason

    def _ends_at(
        self,
        place: Array,
        cost: Field,
        grid: VoxelGrid,
        things: Mapping[str, ObjectGeometry],
        table_height_m: float,
    ) -> tuple[Indices, Field, str]:
        own = grid.index(place)
        if np.isfinite(cost[tuple(own)]):
            return own[None], np.zeros(1, np.float32), ""
        thing = things.get(self.thing)
        reach = np.full(3, NEAREST_M)
        if thing is not None:
            reach = thing.half_extents_in_world() + SHELL_M
        part = grid.slices(place - reach, place + reach)
        x, y, z = grid.centres(part)
        away = np.sqrt((x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2)
        allowed = np.isfinite(cost[part])
        over = place[2] >= table_height_m
        if thing is None and over and not np.any(allowed & (away < NEAREST_M)):
            return self._ends_above(place, cost, grid, things)
        if thing is None:
            allowed &= away < NEAREST_M
            away = 3.0 * away
        elif not self.grasp:
            allowed &= thing.distance(x, y, z) < SHELL_M
            away = (
                3.0 * thing.distance(x, y, z)
                + np.sqrt((x - place[0]) ** 2 + (y - place[1]) ** 2)
                + np.maximum(place[2] - z, 0) * 10
            )
        else:
            allowed &= away < 1.8 * grid.resolution_m
        index = np.argwhere(allowed)
        costs = np.broadcast_to(away, allowed.shape)[allowed] / grid.resolution_m
        reason = "" if len(index) else self._why_occupied(place, things)
        return index + [s.start for s in part], costs.astype(np.float32), reason

    def _ends_above(
        self, place: Array, cost: Field, grid: VoxelGrid, things: Mapping[str, ObjectGeometry]
    ) -> tuple[Indices, Field, str]:
        """The lowest free voxel above a place that the table is too close to."""
        nothing = np.empty((0, 3), np.int64), np.empty(0, np.float32)
        if any(float(o.distance_to(place[None])[0]) < CLEAR_M for o in things.values()):
            return *nothing, self._why_occupied(place, things)
        x, y, z = (int(i) for i in grid.index(place))
        free = np.isfinite(cost[x, y, z : z + round(RAISE_M / grid.resolution_m)])
        if not np.any(free):
            return *nothing, self._why_occupied(place, things)
        return np.array([[x, y, z + int(np.argmax(free))]]), np.zeros(1, np.float32), ""

    def _why_occupied(self, place: Array, things: Mapping[str, ObjectGeometry]) -> str:
        gaps = {n: float(o.distance_to(place[None])[0]) for n, o in things.items()}
        if not gaps:
            return f"{self.words} is too close to the table"
        nearest = min(gaps, key=lambda name: gaps[name])
        if gaps[nearest] <= 0.0:
            return f"{self.words} is inside {nearest}"
        if gaps[nearest] > 0.08:
            return f"{self.words} is too close to the table"
        return f"{self.words} is only {100 * gaps[nearest]:.1f} cm from {nearest}"


def find_target(
    regions: Sequence[tuple[MapOperation, Volume]],
    things: Mapping[str, ObjectGeometry],
    grid: VoxelGrid,
    *,
    opening: float,
    hand: Pose,
    gripper: GripperSpec | None,
) -> Target:
    """Read the affordance map of a stage.

    A point inside a thing that the gripper map closes on is grasped; any other point inside a
    thing means the nearest free place to it.

    Args:
        regions: Operations with their volumes.
        things: Obstacles by name.
        grid: The grid.
        opening: How far the gripper is open now, 0 to 1.
        hand: Pose of the end effector now.
        gripper: Needed for grasps.
    """
    wanted = [(o, v) for o, v in regions if o.map == "affordance" and number_of(o) > 0.0]
    if not wanted:
        return Target(status=ValueMapStatus.OUTSIDE, reason="no place has a positive value")
    operation, region = wanted[-1]
    words = _words(operation)
    if region.place is None or operation.region.shape == "ball" or len(wanted) > 1:
        volumes = tuple((v, number_of(o)) for o, v in wanted)
        inside = [
            v
            for v, _ in volumes
            if np.all(v.upper > grid.origin_in_world) and np.all(v.lower < grid.upper_in_world)
        ]
        if not inside:
            return Target(status=ValueMapStatus.OUTSIDE, reason=f"{words} is outside the workspace")
        kept_out = tuple(v for o, v in regions if o.map == "avoidance" and number_of(o) >= 1.0)
        return Target(volumes=volumes, kept_out=kept_out, words=words)
    place = region.place
    if not grid.contains(place):
        x, y, z = place
        return Target(
            status=ValueMapStatus.OUTSIDE,
            reason=f"{words}, at ({x:.2f}, {y:.2f}, {z:.2f}) m, is outside the workspace",
        )
    turned = any(o.map == "rotation" and bool(v.contains(place[None], 1e-3)[0]) for o, v in regions)
    within = [n for n, o in things.items() if float(o.distance_to(place[None])[0]) <= 0.0]
    named = operation.region.frame
    thing = named if named in within else (within[0] if within else "")
    gripper_value = 1.0
    for o, v in regions:
        if o.map == "gripper" and bool(v.contains(place[None], 1e-3)[0]):
            gripper_value = number_of(o)
    closes = gripper_value < 0.5
    if thing and thing == named and closes and gripper is not None and opening > 0.1:
        poses, reason = grasp_poses(things[thing], place, hand, gripper)
        if not poses:
            return Target(
                status=ValueMapStatus.TARGET_OCCUPIED, reason=f"{thing} cannot be held: {reason}"
            )
        return Target(
            volumes=((region, 1.0),),
            place=poses[0].position,
            thing=thing,
            grasp=thing,
            quat_wxyz=None if turned else poses[0].quat_wxyz,
            otherwise=() if turned else poses[1:],
            words=words,
        )
    notes: tuple[str, ...] = ()
    if thing and thing == named:
        notes = (f"the target is inside {thing}: the nearest free place is used",)
    elif thing:
        return Target(status=ValueMapStatus.TARGET_OCCUPIED, reason=f"{words} is inside {thing}")
    return Target(volumes=((region, 1.0),), place=place, thing=thing, words=words, notes=notes)


def number_of(operation: MapOperation) -> float:
    """The value of an operation, 0 for an orientation."""
    value = operation.value
    return float(value) if not isinstance(value, tuple) else 0.0


def _words(operation: MapOperation) -> str:
    region = operation.region
    if region.shape in ("point", "along", "ball"):
        offset = [region.parameters.get(a, 0.0) for a in "xyz"]
        if not any(offset):
            return region.frame
        shift = ", ".join(f"{100 * v:.0f}" for v in offset)
        return f"the place ({shift}) cm from {region.frame}"
    return f"the {region.shape} of {region.frame}"
