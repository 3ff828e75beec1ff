"""Pushing an object over the table by contact, in a closed loop.

The thing's own way is planned over the maps like any other; the closed fingers go behind it, flat
across the way, and push. Each look corrects how far is left. When the thing has left the line or
the way bends, the hand goes round and starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from embodied_planners.value_map import Mover, ObjectGeometry, ValueMapPlan, ValueMapStatus
from embodied_planners.value_map.arm import ArmPath
from embodied_planners.value_map.profiles import half_turned, speeds
from embodied_planners.value_map.regions import UnknownFrameError, volume
from embodied_planners.value_map.timing import time_way

from embodied.routes.value_map.following import MapFollower, MotionResult
from embodied.routes.value_map.judge import origins
from embodied.routes.value_map.state import RunState
from embodied.types import Array, ControlStatus, MapOperation, PathGoal, Pose, Region, ValueMapStage

STANDOFF_M = 0.015
THERE_M = 0.003
"""Remaining distance at which a stretch ends, m."""

NEAR_M = 0.008
"""Tolerance for reaching the target of a push, m."""

SLANT = 0.35
"""Largest sideways share of a push: the fingers must not slip along the thing."""

OFF_LINE_M = 0.02
BEND_RAD = 0.45
PUSH_SPEED_M_S = 0.06
UP_M = 0.10

FINGERS_DEEP_M = 0.016
"""Half depth of the closed fingers along their closing direction."""

HANDLE_M = 0.06
"""Largest distance of a handle from its drawer's front, m."""


@dataclass(slots=True, eq=False)
class Pusher:
    """Pushes the thing that a stage moves.

    Args:
        s: The run.
        stage: The stage.
        anchors: Origins of frames that stay where they were.
        until: Ends the push early when it says so.
    """

    s: RunState
    stage: ValueMapStage
    anchors: Mapping[str, Array]
    until: Callable[[], bool]
    plans: list[ValueMapPlan] = field(init=False, default_factory=list[ValueMapPlan])
    turned: bool = field(init=False, default=False)
    half_turn: bool = field(init=False, default=False)
    arm_failed: bool = field(init=False, default=False)

    @property
    def name(self) -> str:
        """What is pushed."""
        return self.stage.moving

    def push(self) -> MotionResult:
        """Push until the thing is where it should be, or until nothing helps any more."""
        s = self.s
        reason = "it did not get there"
        if self.drawer and float(self._drawer_way() @ self._opens_along()) > 0:
            return MotionResult(
                reached=False,
                reason=f"{self.name} would have to be pulled by its handle: this route only pushes",
            )
        for attempt in range(2 * s.options.attempts):
            s.look()
            if self.until():
                return MotionResult(reached=True, over=True, plan=self._last())
            plan = self._planned()
            if not plan.found:
                return MotionResult(
                    reached=False, reason=plan.reason or plan.status.value, plan=plan
                )
            if self._left(plan) < NEAR_M:
                return MotionResult(reached=True, plan=plan)
            if attempt:
                s.say("replan", reason=f"pushing {self.name} again: {reason}")
            behind = self._go_behind(plan)
            if not behind.reached:
                self._leave()
                reason = behind.reason
                self._hold_otherwise()
                s.body.hold(s.options.look_s)
                continue
            self.arm_failed = False
            reason = self._along(plan)
            if self.arm_failed:
                self._hold_otherwise()
            self._leave()
        s.look()
        plan = self._planned()
        there = plan.found and self._left(plan) < NEAR_M
        return MotionResult(reached=there, reason="" if there else reason, plan=plan)

    # ---- parts

    def _hold_otherwise(self) -> None:
        """Turn the hand: it is narrow the other way, and its last joint may be at its end."""
        self.half_turn = self.half_turn != self.turned
        self.turned = not self.turned

    @property
    def thing(self) -> ObjectGeometry:
        """What is pushed, as last seen."""
        return self.s.objects[self.name]

    @property
    def drawer(self) -> bool:
        """Whether it slides in rails, not on the table."""
        return self.s.setup.spec.objects[self.name].kind == "drawer"

    def _opens_along(self) -> Array:
        return np.array(self.s.setup.spec.objects[self.name].opens_along)

    def _drawer_way(self) -> Array:
        """What is left of a drawer's way: the part of it that its rails allow, (3,)."""
        s = self.s
        here = self.thing.pose.position
        wanted = [o for o in self.stage.operations if o.map == "affordance"]
        try:
            region = volume(wanted[-1].region, s.objects, origins(s, self.anchors))
        except (IndexError, UnknownFrameError):
            return np.zeros(3)
        axis = self._opens_along()
        shift = 0.0 if region.place is None else float((region.place - here) @ axis)
        opening = s.percept.openings_m.get(self.name, np.inf) if s.percept is not None else np.inf
        return max(shift, -opening) * axis

    def _planned_in_rails(self) -> ValueMapPlan:
        here = np.array(self.thing.pose.position)
        count = max(int(np.linalg.norm(self._drawer_way()) / 0.01) + 1, 2)
        path = np.linspace(here, here + self._drawer_way(), count)
        asked = [o for o in self.stage.operations if o.map == "velocity"]
        regions = [
            (o, volume(o.region, self.s.objects, origins(self.s, self.anchors))) for o in asked
        ]
        plan = ValueMapPlan(
            status=ValueMapStatus.FOUND,
            path_in_world=path,
            speeds_m_s=speeds(path, regions, PUSH_SPEED_M_S),
            quats_wxyz=np.repeat(self.s.observation.pose_ee_in_world.quat_wxyz[None], count, 0),
            gripper=np.full(count, np.nan),
        )
        self.plans.append(plan)
        return plan

    def _planned(self) -> ValueMapPlan:
        s = self.s
        if self.drawer:
            return self._planned_in_rails()
        objects = dict(s.objects)
        thing = objects[self.name]
        objects[self.name] = ObjectGeometry(
            pose=thing.pose, size_m=thing.size_m, shape=thing.shape, obstacle=False
        )
        start = Pose(
            position=thing.pose.position, quat_wxyz=s.observation.pose_ee_in_world.quat_wxyz
        )
        level = ValueMapStage(
            moving=self.name,
            operations=tuple(o for o in self.stage.operations if o.map != "gripper"),
        )
        s.counts.plans += 1
        plan = s.setup.planner.plan(
            _levelled(level, thing, s, self.anchors),
            objects,
            start,
            mover=Mover.sliding(thing),
            anchors=self.anchors,
            obstacle_points_in_world=s.points,
        )
        self.plans.append(plan)
        return plan

    def _left(self, plan: ValueMapPlan) -> float:
        end = plan.path_in_world[-1]
        return float(np.linalg.norm((end - self.thing.pose.position)[:2]))

    def _heading(self, plan: ValueMapPlan) -> tuple[Array, float]:
        """Unit direction of the next straight stretch, (3,), and its length."""
        path = plan.path_in_world
        first = path[0]
        direction = np.zeros(3)
        length = 0.0
        for i, point in enumerate(path[1:], 1):
            way = (point - first) * np.array([1.0, 1.0, 0.0])
            distance = float(np.linalg.norm(way))
            if distance < 0.03 and i < len(path) - 1:
                continue
            unit = way / max(distance, 1e-9)
            if length and float(np.arccos(np.clip(unit @ direction, -1, 1))) > BEND_RAD / 2:
                break
            direction, length = unit, distance
        return direction, length

    def _contact(self, direction: Array) -> tuple[Array, Array, float]:
        """Where the closed fingers push: place at the surface, orientation, distance to centre."""
        s, thing = self.s, self.thing
        spec = s.setup.spec.gripper
        assert spec is not None
        half_finger = FINGERS_DEEP_M if self.turned else spec.pad_size_m[1] / 2 + 0.001
        away = thing.half_extent(direction) + half_finger
        across = np.array([-direction[1], direction[0], 0.0])
        across = direction if self.turned else across
        now = s.observation.pose_ee_in_world.rotation[:, 1]
        across = across if float(across @ now) >= 0 else -across
        down = np.array([0.0, 0.0, -1.0])
        rotation = np.stack([np.cross(across, down), across, down], axis=1)
        up = thing.half_extent((0.0, 0.0, 1.0))
        tip = spec.pad_size_m[2] / 2
        z = float(thing.pose.position[2])
        height = max(min(z, z + up - 0.01), z + up - 0.03, s.table_height_m + tip + 0.004)
        place = thing.pose.position - away * direction
        place[2] = height
        return place, np.array(Pose.from_rotation(rotation).quat_wxyz), away

    def _go_behind(self, plan: ValueMapPlan) -> MotionResult:
        """Bring the closed fingers to the thing's far side."""
        s = self.s
        direction, _ = self._heading(plan)
        place, quat, _ = self._contact(direction)
        reach = HANDLE_M if self.drawer else 0.0
        place = place - (STANDOFF_M + reach) * direction
        if s.opening > 0.1:
            s.fingers(0.0)
        goal = Region(
            shape="point",
            frame="world",
            parameters=dict(zip("xyz", map(float, place), strict=True)),
        )
        ball = Region(shape="ball", frame="world", parameters={**goal.parameters, "radius": 0.06})
        turn: tuple[float, float, float, float] = tuple(float(v) for v in quat)  # type: ignore[assignment]
        kept = [o for o in self.stage.operations if o.map in ("velocity", "avoidance")]
        turning = MapOperation(map="rotation", region=ball, value=turn)
        stage = ValueMapStage(
            moving="gripper",
            operations=(
                MapOperation(map="affordance", region=goal, value=1.0),
                *(() if self.half_turn else (turning,)),
                *kept,
            ),
        )
        traveller = MapFollower(s, stage, self.anchors)
        if self.half_turn:  # a rotation map would be met by the nearer of both half turns
            traveller.arrive_wxyz = half_turned(quat)
        ended = traveller.travel()
        if not ended.reached:
            return MotionResult(
                reached=False, reason=f"no way behind {self.name}: {ended.reason}", plan=ended.plan
            )
        return ended

    def _along(self, plan: ValueMapPlan) -> str:
        """Push along the first straight stretch; why it ended before its end, if it did."""
        s = self.s
        direction, length = self._heading(plan)
        start = np.array(self.thing.pose.position)
        speed = min(PUSH_SPEED_M_S, float(np.min(plan.speeds_m_s)))
        began = float(start @ direction)
        stalled = 0
        for _ in range(200):
            s.look()
            if self.until():
                return ""
            if s.blind:
                s.body.hold(s.options.look_s)
                stalled += 1
                if stalled * s.options.look_s > s.options.patience_s:
                    return s.blind
                continue
            here = np.array(self.thing.pose.position)
            gone = float(here @ direction) - began
            left = length - gone
            offset = (here - start) - gone * direction
            if left < THERE_M:
                return ""
            if float(np.linalg.norm(offset[:2])) > OFF_LINE_M:
                return "it left the line"
            place, quat, away = self._contact(direction)
            hand = s.setup.arm.kinematics.pose(s.q_now())
            gap = float((here - hand.position) @ direction) - away
            if gap < -0.02 or gap > STANDOFF_M + 0.03 + (HANDLE_M if self.drawer else 0.0):
                return "the fingers are no longer behind it"
            end = hand.position + direction * (max(gap, 0.0) + left)
            # the thing follows the fingers sideways too, as long as they do not slip
            end = end - np.clip(offset, -SLANT * left, SLANT * left) * [1.0, 1.0, 0.0]
            end[2] = place[2]
            reason = self._step(hand, end, quat, speed)
            if reason:
                return reason
        return "it takes too long"

    def _step(self, hand: Pose, end: Array, quat: Array, speed: float) -> str:
        """Move the hand straight towards ``end`` until the next look."""
        s = self.s
        distance = float(np.linalg.norm(end - hand.position))
        count = max(int(distance / 0.01) + 1, 2)
        path = np.linspace(hand.position, end, count)
        quats = np.repeat(quat[None], count, axis=0)
        objects = {n: o for n, o in s.objects.items() if n != self.name}
        q = s.q_now()
        s.setup.arm.look(objects, 0.0)
        arm = s.setup.arm.follow(path, quats, q, s.setup.arm.clearance(q))
        if not arm.found and arm.failed_at < 3:
            self.arm_failed = True
            return arm.reason
        cut = arm.at[-1] + 1
        moving = float(np.max(np.abs(s.observation.dq))) > 0.02
        way = (path[:cut], quats[:cut], np.full(cut, speed), arm)
        status = self._follow(way, s.options.look_s, speed_now_m_s=speed if moving else 0.0)
        return "the arm is held back" if status is ControlStatus.STUCK else ""

    def _follow(
        self, way: tuple[Array, Array, Array, ArmPath], seconds: float, speed_now_m_s: float = 0.0
    ) -> ControlStatus:
        """Follow places, orientations and speeds along an arm's path, for ``seconds`` at most."""
        setup, dt = self.s.setup, self.s.setup.spec.control_dt_s
        trajectory = setup.pace(time_way(*way, setup.limits, dt=dt, speed_now_m_s=speed_now_m_s))
        goal = PathGoal(trajectory=trajectory, tolerance_rad=0.02, label=f"push {self.name}")
        return self.s.body.follow(setup.controller, goal, seconds).status

    def _leave(self) -> None:
        """Back off a little and rise, so that the thing can be seen and left."""
        s = self.s
        s.body.hold(0.1)
        hand = s.setup.arm.kinematics.pose(s.q_now())
        for height in (UP_M, UP_M / 2):
            away = (hand.position - self.thing.pose.position) * [1.0, 1.0, 0.0]
            back = hand.position + 0.012 * away / max(float(np.linalg.norm(away)), 1e-9)
            path = np.vstack(
                [
                    np.linspace(hand.position, back, 3),
                    back + np.linspace([0, 0, 0.01], [0, 0, height], 8),
                ]
            )
            quats = np.repeat(np.array(hand.quat_wxyz)[None], len(path), axis=0)
            s.setup.arm.look(s.objects, 0.0)
            arm = s.setup.arm.follow(path, quats, s.q_now(), None)
            if arm.found:
                break
        else:
            return
        self._follow((path, quats, np.full(len(path), 0.15), arm), 6.0)

    def _last(self) -> ValueMapPlan | None:
        return self.plans[-1] if self.plans else None


def _levelled(
    stage: ValueMapStage, thing: ObjectGeometry, state: RunState, anchors: Mapping[str, Array]
) -> ValueMapStage:
    """The stage with target points at the height of the thing: it slides, it does not fly."""
    operations: list[MapOperation] = []
    for operation in stage.operations:
        region = operation.region
        if operation.map == "affordance" and region.shape in ("point", "ball", "along"):
            origin = np.zeros(3)
            if region.frame in anchors:
                origin = np.asarray(anchors[region.frame])
            elif region.frame in state.objects:
                origin = np.asarray(state.objects[region.frame].pose.position)
            level = float(thing.pose.position[2] - origin[2])
            numbers = {**region.parameters, "z": level}
            region = Region(shape=region.shape, frame=region.frame, parameters=numbers)
        operations.append(MapOperation(map=operation.map, region=region, value=operation.value))
    return ValueMapStage(moving=stage.moving, operations=tuple(operations))
