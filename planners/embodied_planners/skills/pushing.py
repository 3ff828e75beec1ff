"""Pushing a neighbour aside with closed fingers, when it leaves no room for a grasp."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from embodied.types import Array, ControlGoal, GripperGoal, ObjectSpec, Observation, Pose
from embodied_planners.motion import Segment
from embodied_planners.skills.geometry import (
    Footprints,
    bottom_z,
    footprints,
    half_extent,
    top_z,
    upright,
)
from embodied_planners.skills.grasps import MAX_DEPTH_M, TIP_CLEARANCE_M, grasp_frame
from embodied_planners.skills.workcell import (
    APPROACH_M,
    CANDIDATES,
    RETREAT_M,
    Reach,
    Workcell,
    above,
)

PUSH_M = 0.05
STANDOFF_M = 0.012
NEAR_M = 0.09
LEAST_ROOM_M = 0.001


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pushed:
    """How a push ended.

    Attributes:
        ok: Whether the item moved.
        observation: What was measured last.
        reason: Why it did not.
        begun: Whether a motion was found.
    """

    ok: bool
    observation: Observation
    reason: str = ""
    begun: bool = True


def push_aside(
    cell: Workcell, item: str, observation: Observation, *, attempt: int
) -> Generator[ControlGoal, Observation, Pushed]:
    """Push one item that stands close to ``item`` away from it.

    Args:
        cell: Planner and scene.
        item: What should become graspable.
        observation: Latest measurement.
        attempt: Selects another push each time.
    """
    if cell.gripper.kind == "suction":
        reason = "a suction cup pushes nothing aside"
        return Pushed(ok=False, observation=observation, reason=reason)
    cell.look(observation)
    cell.scene.set_gap(0.0)
    pushes = list(_pushes(cell, item, observation))
    if not pushes:
        reason = f"no object beside {item} can be pushed aside"
        return Pushed(ok=False, observation=observation, reason=reason)
    shift = attempt % len(pushes)
    reason = ""
    for neighbour, direction in (pushes[shift:] + pushes[:shift])[:CANDIDATES]:
        pushed = yield from push(cell, neighbour, direction, observation)
        if pushed.begun:
            return pushed
        reason = reason or pushed.reason
    return Pushed(ok=False, observation=observation, reason=f"no push is possible: {reason}")


def push(
    cell: Workcell, item: str, direction: Array, observation: Observation
) -> Generator[ControlGoal, Observation, Pushed]:
    """Push an item ``PUSH_M`` along the surface that it is on, with closed fingers.

    Args:
        cell: Planner and scene.
        item: What to push; nothing is held.
        direction: Horizontal unit vector in the world frame, (3,).
        observation: Latest measurement.
    """
    cell.look(observation)
    cell.scene.set_gap(0.0)
    reach, line = _plan(cell, item, direction, observation)
    if line is None:
        return Pushed(ok=False, observation=observation, reason=reach.reason, begun=False)
    start = observation.poses[item].position
    observation = yield GripperGoal(width_m=0.0, force_n=10.0, label="close the fingers")
    observation = yield cell.path(reach.segments, f"reach beside {item}")
    observation = yield cell.path([line], f"push {item} aside", speed=0.4, stop_on_contact=True)
    cell.look(observation)
    back = cell.rise(observation.q, RETREAT_M)
    if back.found:
        observation = yield cell.path([back], f"leave {item}")
    moved = float((observation.poses[item].position - start) @ direction)
    if moved < 0.3 * PUSH_M:
        reason = f"{item} moved only {1000 * moved:.0f} mm when pushed"
        return Pushed(ok=False, observation=observation, reason=reason)
    return Pushed(ok=True, observation=observation)


def _pushes(cell: Workcell, item: str, observation: Observation) -> Iterator[tuple[str, Array]]:
    """Neighbours and directions (3,) in which there is room, best first."""
    found = footprints(cell.scene)
    spec = cell.spec.objects
    here = observation.poses[item].position
    low, high = (
        bottom_z(spec[item], observation.poses[item]),
        top_z(spec[item], observation.poses[item]),
    )
    options: list[tuple[float, str, Array]] = []
    for name, thing in spec.items():
        if thing.kind != "item" or name == item:
            continue
        pose = observation.poses[name]
        beside = bottom_z(thing, pose) < high - 0.005 and top_z(thing, pose) > low + 0.005
        away = pose.position - here
        distance = float(np.linalg.norm(away[:2]))
        reach = _radius(cell, name, observation) + _radius(cell, item, observation)
        if not beside or distance > reach + NEAR_M or _carries(cell, name, observation):
            continue
        others = [
            i
            for i, body in enumerate(found.body)
            if body != name and found.top[i] > bottom_z(thing, pose) + 0.003
        ]
        for k in range(12):
            angle = k * np.pi / 6
            direction = np.array([np.cos(angle), np.sin(angle), 0.0])
            outward = float(direction[:2] @ away[:2]) / max(distance, 1e-9)
            if outward < -0.1:
                continue
            room = _room(found.select(others), thing, pose, direction)
            if room > LEAST_ROOM_M and _fingers_fit(cell, name, direction, observation):
                options.append(
                    (distance - reach - 0.03 * outward - min(room, 0.04), name, direction)
                )
    options.sort(key=lambda option: option[0])
    for _, name, direction in options:
        yield name, direction


def _room(others: Footprints, spec: ObjectSpec, pose: Pose, direction: Array) -> float:
    """Least gap to other things during the second half of the push, m."""
    steps = np.array([0.6, 0.8, 1.0])[:, None] * PUSH_M * direction[:2]
    side = upright(pose.rotation)[:2]
    axes = side[:, np.argsort(np.abs(upright(pose.rotation)[2]))[:2]].T
    half = np.array([half_extent(spec, pose, np.array([*axis, 0.0])) for axis in axes])
    return float(others.gaps(pose.position[:2] + steps, axes, half).min())


def _carries(cell: Workcell, name: str, observation: Observation) -> bool:
    """Whether another item stands on this one."""
    spec, pose = cell.spec.objects[name], observation.poses[name]
    for other, thing in cell.spec.objects.items():
        if thing.kind != "item" or other == name:
            continue
        offset = observation.poses[other].position - pose.position
        near = float(np.linalg.norm(offset[:2])) < _radius(cell, name, observation)
        if near and bottom_z(thing, observation.poses[other]) > top_z(spec, pose) - 0.01:
            return True
    return False


def _radius(cell: Workcell, name: str, observation: Observation) -> float:
    spec, pose = cell.spec.objects[name], observation.poses[name]
    return max(half_extent(spec, pose, e) for e in np.eye(3)[:2])


def _plan(
    cell: Workcell, neighbour: str, direction: Array, observation: Observation
) -> tuple[Reach, Segment | None]:
    """Plan the motion to the neighbour's side, and the push."""
    reason = ""
    for target in _starts(cell, neighbour, direction, observation):
        reach = cell.reach(
            observation.q, target, above(target, APPROACH_M), cell.contact_clearance()
        )
        if not reach.found:
            reason = reach.reason
            continue
        end = Pose(
            position=target.position + (STANDOFF_M + PUSH_M) * direction, quat_wxyz=target.quat_wxyz
        )
        clearance = cell.scene.clearance(padding_m=0.002, allow=[(cell.scene.hand, (neighbour,))])
        push = cell.planner.line(reach.segments[-1].end, end, clearance, label="push")
        if push.found:
            return reach, push
        reason = push.reason
    return Reach(reason=reason), None


def _fingers_fit(
    cell: Workcell, neighbour: str, direction: Array, observation: Observation
) -> bool:
    """Whether the closed hand has room where the push would start."""
    start = next(_starts(cell, neighbour, direction, observation))
    return float(np.min(cell.scene.finger_distances(start, 0.0, ()))) > 0.0022


def _starts(
    cell: Workcell, neighbour: str, direction: Array, observation: Observation
) -> Iterator[Pose]:
    """Poses of the closed hand beside the neighbour, the flat of the fingers towards it."""
    spec, pose = cell.spec.objects[neighbour], observation.poses[neighbour]
    tip = cell.gripper.pad_size_m[2] / 2
    half_finger = cell.gripper.pad_size_m[1] / 2
    height = max(
        min(float(pose.position[2]), top_z(spec, pose) - 0.01),
        top_z(spec, pose) - MAX_DEPTH_M,
        bottom_z(spec, pose) + tip + TIP_CLEARANCE_M,
    )
    back = half_extent(spec, pose, direction) + half_finger + STANDOFF_M
    start = pose.position - back * direction
    across = np.array([-direction[1], direction[0], 0.0])
    for sign in (1.0, -1.0):
        yield Pose.from_rotation(grasp_frame(sign * across, 0.0), [start[0], start[1], height])
