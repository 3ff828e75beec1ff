"""From one stage of a value-map program to a path (after VoxPoser, arXiv 2307.05973).

Things are hard obstacles, what the program avoids is dear, and the way is the cheapest one by
weighted A* over voxels, shortened and rounded. Where nothing leads to the target, that is the
answer: no target is ever appended to a way that does not reach it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, GripperSpec, MapOperation, Pose, ValueMapStage
from embodied_planners.value_map import kernels
from embodied_planners.value_map.geometry import Field, ObjectGeometry
from embodied_planners.value_map.grid import VoxelGrid
from embodied_planners.value_map.maps import AvoidanceMap, ObstacleMap
from embodied_planners.value_map.plan import Mover, ValueMapPlan, ValueMapStatus
from embodied_planners.value_map.profiles import evenly_turned, openings, orientations, speeds
from embodied_planners.value_map.regions import UnknownFrameError, Volume, volume
from embodied_planners.value_map.search import VoxelSearch, shorten, smooth
from embodied_planners.value_map.targets import Target, find_target, number_of

GRIPPER = "gripper"

_NEAR_WEIGHT = 2.0  # cost per unit of length at a thing's surface
_AVOID_WEIGHT = 60.0  # cost per unit of length where the avoidance map is 1
_AVOID_MARGIN_M = 0.03  # that cost fades out over this distance
_CORRIDOR_M = 0.012  # half width of the straight way into a thing that is grasped, and out of one
_ROOM_M = 0.02  # hands that grasp with so much room are all as good
_ESCAPE_M = 0.10  # length of the way out of a place that is too close to something
_SPACING_M = 0.01  # distance between two samples of the way
_ROUND_M = 0.10  # half width of rounded corners
_SPEED_M_S = 0.25  # speed where the velocity map says nothing


class ValueMapPlanner:
    """Plans stages over one grid; keeps what has not changed since the last call.

    Args:
        grid: The grid.
        reach_m: Beyond this distance from everything, obstacles cost nothing.
        prefer_m: Things nearer than this cost something.
        gripper: Needed to plan grasps.
    """

    def __init__(
        self,
        grid: VoxelGrid,
        *,
        reach_m: float = 0.10,
        prefer_m: float = 0.06,
        gripper: GripperSpec | None = None,
    ) -> None:
        self.grid = grid
        self._prefer_m = prefer_m
        self.gripper = gripper
        self.search = VoxelSearch(grid.shape)
        self.obstacles = ObstacleMap(grid, self.search, reach_m)
        self.avoidance = AvoidanceMap(grid, weight=_AVOID_WEIGHT, margin_m=_AVOID_MARGIN_M)
        self.cost: Field = np.ones(grid.shape, np.float32)

    def plan(
        self,
        stage: ValueMapStage,
        objects: Mapping[str, ObjectGeometry],
        start_in_world: Pose,
        *,
        mover: Mover,
        hand_in_world: Pose | None = None,
        anchors: Mapping[str, Array] | None = None,
        table_height_m: float = -np.inf,
        obstacle_points_in_world: Array | None = None,
        opening: float = 1.0,
        blocked_in_world: Sequence[tuple[Array, float]] = (),
        lead_in_world: Array | None = None,
        arrive_wxyz: Array | None = None,
    ) -> ValueMapPlan:
        """Plan one stage.

        Args:
            stage: The stage.
            objects: Everything that is seen, by name; things with ``obstacle`` False are passed
                through.
            start_in_world: Pose of what moves.
            mover: Its shape.
            hand_in_world: Pose of the end effector, where that is not what moves.
            anchors: Origins (3,) of frames that stay where they were when the stage began.
            table_height_m: Height of the table's top in the world.
            obstacle_points_in_world: Further obstacles, (n, 3).
            opening: How far the gripper is open now, 0 to 1.
            blocked_in_world: Balls (centre, radius) that the way must not enter.
            lead_in_world: Point (3,) that the way passes first: where a moving mover is going.
            arrive_wxyz: Orientation of the hand at the end, (4,), where neither a grasp nor the
                rotation map asks for one; None keeps the present one.
        """
        hand = hand_in_world or start_in_world
        origins = {n: o.pose.position for n, o in objects.items()}
        origins |= {GRIPPER: hand.position, **(anchors or {})}
        try:
            regions = [(o, volume(o.region, objects, origins)) for o in stage.operations]
        except UnknownFrameError as error:
            return ValueMapPlan(status=ValueMapStatus.UNKNOWN_OBJECT, reason=str(error))
        things = {n: o for n, o in objects.items() if o.obstacle}
        self.obstacles.update(things, obstacle_points_in_world)
        self._avoid(regions, objects, origins)
        if not any(o.map == "affordance" for o, _ in regions):
            still = np.stack([start_in_world.position] * 2)
            return self._finish(still, regions, hand, 0.0, Target())
        target = find_target(
            regions, things, self.grid, opening=opening, hand=hand, gripper=self.gripper
        )
        if target.status is not None:
            return ValueMapPlan(status=target.status, reason=target.reason)
        if arrive_wxyz is not None and target.quat_wxyz is None:
            target = replace(target, quat_wxyz=arrive_wxyz)
        if not self.grid.contains(start_in_world.position):
            return ValueMapPlan(
                status=ValueMapStatus.START_BLOCKED, reason="it is outside the workspace"
            )
        ends, end_costs, reasons = np.empty((0, 3), np.int64), np.empty(0, np.float32), list[str]()
        for option in sorted(target.grasps(), key=lambda g: -self._room(g, mover, things)):
            target = option
            arriving = self._arriving(regions, target, hand)
            self._costs(mover, arriving, target, things, table_height_m, start_in_world)
            for centre, radius in blocked_in_world:
                self._block(centre, radius)
            self._open_start(start_in_world, hand)
            ends, end_costs, reason = target.ends(self.cost, self.grid, things, table_height_m)
            reasons.append(reason)
            if len(ends):
                break
        if len(ends) == 0:
            return ValueMapPlan(status=ValueMapStatus.TARGET_OCCUPIED, reason=reasons[0])
        return self._way(regions, start_in_world, hand, target, ends, end_costs, lead_in_world)

    def cost_of(self, path_in_world: Array) -> float:
        """Cost of a way (n, 3) in the maps of the last call, m; infinite if it is blocked."""
        return float(
            kernels.polyline_cost(self.cost, self._voxels(path_in_world)) * self.grid.resolution_m
        )

    def _arriving(
        self, regions: Sequence[tuple[MapOperation, Volume]], target: Target, hand: Pose
    ) -> Pose:
        """The hand as it is oriented where the way ends: there the room is least."""
        quat = target.quat_wxyz
        place = target.place
        for operation, region in regions:
            if operation.map == "rotation" and isinstance(operation.value, tuple):
                everywhere = not np.any(np.isfinite([region.lower, region.upper]))
                if everywhere or (place is not None and bool(region.contains(place)[0])):
                    quat = np.array(operation.value)
        return hand if quat is None else Pose(position=hand.position, quat_wxyz=quat)

    # ---- costs

    def _avoid(
        self,
        regions: Sequence[tuple[MapOperation, Volume]],
        objects: Mapping[str, ObjectGeometry],
        origins: Mapping[str, Array],
    ) -> None:
        avoided = [(o, v) for o, v in regions if o.map == "avoidance"]
        key: list[object] = []
        for operation, _ in avoided:
            region = operation.region
            where = np.round(origins.get(region.frame, np.zeros(3)), 3)
            thing = objects.get(region.frame) if region.shape == "near-object" else None
            turned = () if thing is None else (*thing.pose.quat_wxyz.round(2), *thing.size_m)
            key.append((region.shape, str(region.parameters), operation.value, *where, *turned))
        self.avoidance.update([(v, number_of(o)) for o, v in avoided], tuple(key))

    def _costs(
        self,
        mover: Mover,
        hand: Pose,
        target: Target,
        things: Mapping[str, ObjectGeometry],
        table_height_m: float,
        start: Pose,
    ) -> None:
        """Fill the cost per unit of length, infinite where the mover does not fit."""
        grid = self.grid
        world = mover.offsets_m @ hand.rotation.T
        offsets = np.rint(world / grid.resolution_m).astype(np.int64)
        if target.grasp:
            others = {n: o for n, o in things.items() if n != target.grasp}
            self.obstacles.update(others)
        kernels.travel_cost(
            self.obstacles.distance,
            self.avoidance.cost,
            offsets,
            mover.radii_m.astype(np.float32),
            np.float32(self._prefer_m),
            np.float32(_NEAR_WEIGHT),
            self.cost,
        )
        if target.grasp:
            self._keep_to_corridor(things[target.grasp], target, world, mover)
        if mover.planar:
            level = int(self.grid.index(start.position)[2])
            self.cost[:, :, :level] = np.inf
            self.cost[:, :, level + 1 :] = np.inf
        else:
            lowest = table_height_m + float(np.max(mover.table_radii_m - world[:, 2]))
            if np.isfinite(lowest):
                below = (lowest - grid.origin_in_world[2]) / grid.resolution_m
                self.cost[:, :, : max(0, int(np.floor(below + 0.3)))] = np.inf

    def _room(self, grasp: Target, mover: Mover, things: Mapping[str, ObjectGeometry]) -> float:
        """Least distance of the hand from other things where it grasps, m; enough is enough."""
        if grasp.place is None or grasp.quat_wxyz is None:
            return _ROOM_M
        pose = Pose(position=grasp.place, quat_wxyz=grasp.quat_wxyz)
        balls = pose.apply(mover.offsets_m)
        gaps = [
            float(np.min(o.distance_to(balls) - mover.radii_m))
            for n, o in things.items()
            if n != grasp.grasp
        ]
        return min((_ROOM_M, *gaps))

    def _block(self, centre: Array, radius: float) -> None:
        """Nothing leads through a ball."""
        part = self.grid.slices(centre - radius, centre + radius)
        x, y, z = self.grid.centres(part)
        ball = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2 < radius**2
        self.cost[part][ball] = np.inf

    def _keep_to_corridor(
        self, thing: ObjectGeometry, target: Target, balls: Array, mover: Mover
    ) -> None:
        """Block a thing that is to be grasped except along the straight way into it."""
        assert target.place is not None and target.quat_wxyz is not None
        back = -Pose(position=np.zeros(3), quat_wxyz=target.quat_wxyz).rotation[:, 2]
        reach = thing.half_extents_in_world() + float(np.max(mover.radii_m)) + 0.12
        part = self.grid.slices(thing.pose.position - reach, thing.pose.position + reach)
        x, y, z = self.grid.centres(part)
        near = np.zeros(self.cost[part].shape, np.bool_)
        for offset, radius in zip(balls, mover.radii_m, strict=True):
            ox, oy, oz = (np.float32(v) for v in offset)
            near |= thing.distance(x + ox, y + oy, z + oz) < radius
        p = target.place
        along = (x - p[0]) * back[0] + (y - p[1]) * back[1] + (z - p[2]) * back[2]
        squared = (x - p[0]) ** 2 + (y - p[1]) ** 2 + (z - p[2]) ** 2
        width = max(_CORRIDOR_M, 0.8 * self.grid.resolution_m)
        corridor = (squared - along**2 < width**2) & (along > -self.grid.resolution_m)
        self.cost[part][near & ~corridor] = np.inf

    # ---- the way

    def _way(
        self,
        regions: Sequence[tuple[MapOperation, Volume]],
        start: Pose,
        hand: Pose,
        target: Target,
        ends: NDArray[np.int64],
        end_costs: Field,
        lead: Array | None,
    ) -> ValueMapPlan:
        grid = self.grid
        first = start.position if lead is None else lead
        begin = tuple(int(i) for i in grid.index(first))
        if not grid.contains(first) or not np.isfinite(self.cost[begin]):
            first, lead = start.position, None
            begin = tuple(int(i) for i in grid.index(first))
        assert len(begin) == 3
        result = self.search.find(self.cost, ends, end_costs, begin)
        if not result.found:
            return ValueMapPlan(
                status=ValueMapStatus.UNREACHABLE, reason=f"no free way to {target.words}"
            )
        points = result.path.copy()
        points[0] = self._voxels(first)
        corners = shorten(self.cost, points)
        place = target.place
        if place is not None and np.array_equal(grid.index(place), np.floor(points[-1])):
            corners[-1] = self._voxels(place)
        if lead is not None:
            corners = np.vstack([self._voxels(start.position), corners])

        def cost(curve: Array) -> float:
            return float(kernels.polyline_cost(self.cost, curve))

        spacing = _SPACING_M / grid.resolution_m
        width = _ROUND_M / grid.resolution_m
        curve = smooth(corners, cost, spacing=spacing, width=width)
        path = grid.origin_in_world + curve * grid.resolution_m
        return self._finish(path, regions, hand, result.cost * grid.resolution_m, target)

    def _open_start(self, start: Pose, hand: Pose) -> None:
        """Let the way begin close to something: straight back against the approach, or out."""
        grid = self.grid
        index = tuple(int(i) for i in grid.index(start.position))
        if np.isfinite(self.cost[index]):
            return
        back = -hand.rotation[:, 2]
        part = grid.slices(start.position - _ESCAPE_M, start.position + _ESCAPE_M)
        x, y, z = grid.centres(part)
        s = start.position
        along = (x - s[0]) * back[0] + (y - s[1]) * back[1] + (z - s[2]) * back[2]
        squared = (x - s[0]) ** 2 + (y - s[1]) ** 2 + (z - s[2]) ** 2
        width = max(_CORRIDOR_M, 0.9 * grid.resolution_m)
        tube = (squared - along**2 < width**2) & (along > -grid.resolution_m) & (along < _ESCAPE_M)
        near = (squared < 0.03**2) & (self.obstacles.distance[part] > 0.5 * grid.resolution_m)
        here = self.cost[part]
        here[(tube | near) & ~np.isfinite(here)] = 8.0
        self.cost[index] = 8.0

    def _voxels(self, point: Array) -> Array:
        return (point - self.grid.origin_in_world) / self.grid.resolution_m

    def _finish(
        self,
        path: Array,
        regions: Sequence[tuple[MapOperation, Volume]],
        hand: Pose,
        cost: float,
        target: Target,
    ) -> ValueMapPlan:
        """Read the velocity, rotation and gripper maps along the way."""
        quats = orientations(path, regions, hand.quat_wxyz, target.quat_wxyz)
        path, quats = evenly_turned(path, quats)
        asked = openings(path, regions)
        if target.place is not None:  # the way may end beside or above the very point
            asked[-1] = openings(target.place[None], regions)[0]
        if target.grasp:  # the fingers may close higher up than where the program has its point
            asked[-1] = 0.0
        return ValueMapPlan(
            status=ValueMapStatus.FOUND,
            path_in_world=path,
            speeds_m_s=speeds(path, regions, _SPEED_M_S),
            quats_wxyz=quats,
            gripper=asked,
            cost=cost,
            grasp=target.grasp,
            notes=(*target.notes, *self._crossed(path, regions)),
        )

    def _crossed(
        self, path: Array, regions: Sequence[tuple[MapOperation, Volume]]
    ) -> tuple[str, ...]:
        notes: list[str] = []
        step = float(np.mean(np.linalg.norm(np.diff(path, axis=0), axis=1))) if len(path) > 1 else 0
        for operation, region in regions:
            if operation.map != "avoidance" or number_of(operation) < 0.5:
                continue
            inside = int(np.count_nonzero(region.contains(path)))
            if inside * step > self.grid.resolution_m:
                notes.append(
                    f"{100 * inside * step:.0f} cm of the way lie where {operation.region.shape} "
                    f"of {operation.region.frame} is to be avoided: no way around is cheaper"
                )
        return tuple(notes)
