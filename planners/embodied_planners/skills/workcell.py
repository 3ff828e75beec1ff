"""What all skills share: the motion planner, and functions that compose motions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from embodied.types import (
    Array,
    GripperSpec,
    JointTrajectory,
    Manner,
    Observation,
    PathGoal,
    Placement,
    Pose,
    WorldSpec,
)
from embodied_planners.motion import Clearance, MotionPlanner, Segment
from embodied_planners.motion.planner import interpolate_pose
from embodied_planners.skills.grasps import held_between_pads
from embodied_planners.skills.relations import Layout

Near = Iterable[tuple[Iterable[str], Iterable[str], float]]

APPROACH_M = 0.07  # length of the straight approach to a grasp or a release
LIFT_M = 0.09  # straight lift after a grasp
RETREAT_M = 0.09  # straight retreat after a release
PADDING_M = 0.012  # clearance on the way
TIGHT_PADDING_M = 0.005  # clearance on the way where the wide one leaves no path
CONTACT_PADDING_M = 0.002  # clearance close to a grasp or a release
GRASP_FORCE_N = 30.0  # force of the fingers on an item
FINGERTIP_FORCE_N = 10.0  # force on an item that only the finger tips reach: more squeezes it out
GENTLE_SPEED = 0.5  # factor on the speed of motions with such an item
TOLERANCE_RAD = 0.006  # joint error at the end of a motion that still counts as reached
FINGER_SPEED_M_S = 0.08  # speed at which the gap is sure to open
ARRIVAL_S = 0.4  # the last part of a path to a grasp, for which the fingers are open
ESCAPE_M = 0.06  # straight up, away from what is too close at the start
APART_MARGIN_M = 0.005  # beyond the distance that was asked for: the arm does not track perfectly
UPRIGHT_RAD = 0.35  # largest tilt of what is to stay upright, while a path is searched
SPEED_SHARE = 0.9  # of the highest speed allowed: the arm does not track perfectly
CANDIDATES = 10  # grasps or spots that are planned for before a skill gives up
SPOT_GAP_M = 0.05  # room around an item that is put down, if there is that much
PACKED_GAP_M = 0.027  # room around an item in a container: enough for the fingers
LEAST_GAP_M = 0.006  # room that it needs at least


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reach:
    """A motion to a pose and straight into it, or why there is none.

    Attributes:
        segments: Escape, transit and approach, as far as needed; empty if there is none.
        reason: Why not; empty when there is one.
    """

    segments: tuple[Segment, ...] = ()
    reason: str = ""

    @property
    def found(self) -> bool:
        """Whether there is a motion."""
        return bool(self.segments)


class Workcell:
    """Planner and world spec, with the motions that skills are made of."""

    def __init__(self, planner: MotionPlanner, spec: WorldSpec) -> None:
        if spec.gripper is None:
            raise ValueError("tabletop skills need a robot with a gripper")
        self.planner = planner
        self.scene = planner.scene
        self.spec = spec
        self.gripper: GripperSpec = spec.gripper
        self.manner = Manner()
        self.layout: Layout | None = None

    @property
    def sucks(self) -> bool:
        """Whether things are taken by suction."""
        return self.gripper.kind == "suction"

    def keep(self, manner: Manner, poses: Mapping[str, Pose] | None = None) -> None:
        """Move like that from the next motion on.

        Args:
            manner: How to move, and where to put things.
            poses: How things lay when that was said.
        """
        self.manner = manner
        self.layout = None if poses is None else Layout(specs=self.spec.objects, poses=poses)
        self.scene.apart = tuple((name, d + APART_MARGIN_M) for name, d in manner.apart)
        self.scene.tilt_rad = UPRIGHT_RAD if manner.upright else np.pi

    def placements(self, item: str) -> tuple[Placement, ...]:
        """Where exactly an item is to be put."""
        return tuple(p for p in self.manner.placements if p.item == item)

    def look(self, observation: Observation, holding: str = "") -> None:
        """Take over a measurement; ``holding`` moves with the hand at its measured pose."""
        self.scene.update(observation)
        if holding:
            relative = observation.pose_ee_in_world.inverse() @ observation.poses[holding]
            self.scene.hold(holding, relative)

    def held_item(self, observation: Observation) -> str:
        """Name of the item that is between the closed fingers, ``""`` if there is none."""
        state = observation.gripper
        if state is not None and self.sucks:
            ee, poses = observation.pose_ee_in_world, observation.poses
            items = (o for o in self.spec.objects.values() if o.kind == "item")
            hanging = (
                o.name
                for o in items
                if not held_between_pads(o, ee, poses[o.name], state, self.gripper)
            )
            return next(hanging, "")
        if state is None or state.width_m > self.gripper.max_width_m - 0.004:
            return ""
        ee = observation.pose_ee_in_world
        nearest, distance = "", 0.03
        for name, item in self.spec.objects.items():
            if item.kind != "item":
                continue
            offset = ee.rotation.T @ (observation.poses[name].position - ee.position)
            close = abs(state.width_m - min(item.size_m)) < 0.5 * max(item.size_m)
            away = float(np.linalg.norm(offset))
            if close and state.force_n > 1.0 and away < distance + max(item.size_m) / 4:
                nearest, distance = name, away
        return nearest

    def path(
        self,
        segments: Sequence[Segment],
        label: str,
        *,
        gap_m: float | None = None,
        speed: float = 1.0,
        stop_on_contact: bool = False,
    ) -> PathGoal:
        """A control goal for consecutive segments, fingers moving to a gap on the way."""
        trajectory = self.planner.trajectory(segments, speed=speed)
        fastest, allowed = self._hand_speed(trajectory), self.manner.max_speed_m_s
        if allowed is not None and fastest > SPEED_SHARE * allowed:
            slower = speed * SPEED_SHARE * allowed / fastest
            trajectory = self.planner.trajectory(segments, speed=slower)
        return PathGoal(
            trajectory=trajectory,
            tolerance_rad=TOLERANCE_RAD,
            stop_on_contact=stop_on_contact,
            gripper_width_m=gap_m,
            label=label,
        )

    def _hand_speed(self, trajectory: JointTrajectory) -> float:
        """Highest speed of the hand along a trajectory, m/s."""
        if self.manner.max_speed_m_s is None or len(trajectory.time) < 2:
            return 0.0
        kinematics = self.planner.kinematics
        places = np.array([kinematics.matrix(q)[:3, 3] for q in trajectory.q])
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
        return float(np.max(steps / np.diff(trajectory.time)))

    def must_open_first(self, goal: PathGoal, observation: Observation) -> bool:
        """Whether the fingers would still be opening when a path is about to arrive."""
        assert observation.gripper is not None
        wanted = goal.gripper_width_m or 0.0
        time_s = (wanted - observation.gripper.width_m) / FINGER_SPEED_M_S
        return time_s > goal.trajectory.duration_s - ARRIVAL_S

    def contact_clearance(self, near: Near = ()) -> Clearance:
        """Clearance for the last stretch to a grasp or a release."""
        return self.scene.clearance(padding_m=CONTACT_PADDING_M, near=near)

    def reach(
        self, q: Array, target: Pose, approach: Pose, clearance: Clearance, near: Near = ()
    ) -> Reach:
        """Plan from ``q`` to ``approach`` and straight on to ``target``.

        Args:
            q: Configuration to start from, (n,).
            target: Pose to end at.
            approach: Pose from where the straight line to it starts.
            clearance: What the straight line and its end keep.
            near: Pairs of bodies with a distance of their own on the way.
        """
        planner = self.planner
        goal = planner.ik(target, clearance, near=q)
        if not goal.found:
            return Reach(reason=self._unreachable(target, goal.q, goal.position_error_m, clearance))
        down = planner.line(goal.q, approach, clearance, label="approach")
        if not down.found:
            other = planner.ik(target, clearance, seeds=5)
            shorter = (interpolate_pose(target, approach, share) for share in (0.5, 0.3))
            for start, end in ((other, approach), *((goal, pose) for pose in shorter)):
                down = planner.line(start.q, end, clearance, label="approach")
                if start.found and down.found:
                    break
            else:
                return Reach(reason=down.reason or "approach: out of reach")
        way = self.travel(q, down.end, near)
        if not way.found:
            return way
        return Reach(segments=(*way.segments, down.reversed()))

    def travel(self, q: Array, goal: Array, near: Near = ()) -> Reach:
        """Plan from one configuration to another, away from what is close to the hand first."""
        planner = self.planner
        pairs = tuple(near)
        reason = ""
        for padding in (PADDING_M, TIGHT_PADDING_M):
            clearance = self.scene.clearance(padding_m=padding, near=pairs)
            clearance = replace(clearance, apart=self.scene.apart)  # the empty hand too
            segments: list[Segment] = []
            start = q
            if not self.scene.valid(q, clearance):
                close = [d for n, d in clearance.apart if self.scene.hand_distance(n) < d]
                escape = self.rise(q, max([ESCAPE_M, *close]))
                if escape.found:
                    segments.append(escape)
                    start = escape.end
            level = self._level(start, goal, clearance) if self.manner.upright else ()
            if level:
                return Reach(segments=(*segments, *level))
            way = planner.transit(start, goal, clearance)
            if way.found:
                return Reach(segments=(*segments, way))
            reason = f"on the way: {way.reason}"
        return Reach(reason=reason)

    def _level(self, start: Array, goal: Array, clearance: Clearance) -> tuple[Segment, ...]:
        """Straight to the pose of a configuration, the hand turning evenly; empty if not free."""
        kinematics = self.planner.kinematics
        clearance = self.scene.relaxed(clearance, start, goal)
        line = self.planner.line(start, kinematics.pose(goal), clearance, label="level")
        if not line.found:
            return ()
        end = self.planner.transit(line.end, goal, clearance)
        return (line, end) if end.found else ()

    def rise(self, q: Array, height_m: float, near: Near = ()) -> Segment:
        """Straight up as far as possible, at most ``height_m``, from wherever the arm is."""
        clearance = self.scene.relaxed(self.contact_clearance(near), q)
        pose = self.planner.kinematics.pose(q)
        segment = None
        for share in (1.0, 0.6, 0.3):
            up = np.array([0.0, 0.0, share * height_m])
            target = Pose(position=pose.position + up, quat_wxyz=pose.quat_wxyz)
            segment = self.planner.line(q, target, clearance, label="lift")
            if segment.found:
                break
        assert segment is not None
        return segment

    def back_off(self, q: Array, distance_m: float) -> Segment:
        """Straight back against the approach direction, as far as possible, else straight up."""
        clearance = self.scene.relaxed(self.contact_clearance(), q)
        pose = self.planner.kinematics.pose(q)
        for share in (1.0, 0.6, 0.3):
            back = -share * distance_m * pose.rotation[:, 2]
            target = Pose(position=pose.position + back, quat_wxyz=pose.quat_wxyz)
            segment = self.planner.line(q, target, clearance, label="retreat")
            if segment.found:
                return segment
        return self.rise(q, distance_m)

    def _unreachable(self, pose: Pose, q: Array, error_m: float, clearance: Clearance) -> str:
        x, y, z = pose.position
        where = f"({x:.2f}, {y:.2f}, {z:.2f}) m"
        if error_m > 1e-3:
            return f"out of reach: the hand stays {1000 * error_m:.0f} mm from {where}"
        return f"at {where}: {self.planner.explain(q, clearance)}"


def above(pose: Pose, distance_m: float) -> Pose:
    """The pose moved straight up in the world."""
    up = np.array([0.0, 0.0, distance_m])
    return Pose(position=pose.position + up, quat_wxyz=pose.quat_wxyz)


def before(pose: Pose, distance_m: float) -> Pose:
    """The pose moved back against its approach direction."""
    return Pose(position=pose.position - distance_m * pose.rotation[:, 2], quat_wxyz=pose.quat_wxyz)
