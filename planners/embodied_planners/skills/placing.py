"""Releasing the held item: what place, stack and put-in share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from embodied.protocols import Skill
from embodied.types import GripperGoal, Observation, Pose, SkillResult
from embodied_planners.skills.geometry import yaw_rotation
from embodied_planners.skills.grasps import held_between_pads, only_finger_tips
from embodied_planners.skills.workcell import (
    APPROACH_M,
    CANDIDATES,
    GENTLE_SPEED,
    RETREAT_M,
    Reach,
    Workcell,
    above,
)

QUARTER = np.pi / 2


def let_go(
    cell: Workcell,
    item: str,
    support: str,
    candidates: Iterator[Pose],
    observation: Observation,
    *,
    limit: int | None = None,
) -> Skill:
    """Carry the item to the first reachable candidate, lower it, open the fingers, retreat."""
    assert observation.gripper is not None
    problem = held_between_pads(
        cell.spec.objects[item],
        observation.pose_ee_in_world,
        observation.poses[item],
        observation.gripper,
        cell.gripper,
    )
    if problem:
        return SkillResult(ok=False, reason=f"{item} is not in the hand: {problem}", retry=False)
    grip = observation.pose_ee_in_world.inverse() @ observation.poses[item]
    resting = [((item,), (support,), -0.002)]
    clearance = cell.contact_clearance(near=resting)
    reach, reason = Reach(), ""
    pose = observation.poses[item]
    for pose in itertools.islice(candidates, limit or CANDIDATES):
        target = pose @ grip.inverse()
        reach = cell.reach(observation.q, target, above(target, APPROACH_M), clearance)
        if reach.found:
            break
        reason = reason or reach.reason
    if not reach.found:
        return SkillResult(ok=False, reason=f"cannot put {item} down at {support}: {reason}")
    width = observation.gripper.width_m
    gentle = only_finger_tips(cell.spec.objects[item], grip, cell.gripper)
    observation = yield cell.path(
        reach.segments, f"carry {item} to {support}", speed=GENTLE_SPEED if gentle else 1.0
    )
    lost = float(np.linalg.norm(observation.poses[item].position - pose.position))
    if lost > 0.03:
        reason = f"{item} was lost on the way: it is {100 * lost:.0f} cm from where it should be"
        return SkillResult(ok=False, reason=reason)
    cell.look(observation)
    gap = _opening(cell, observation, width)
    observation = yield GripperGoal(width_m=gap, label=f"let go of {item}")
    cell.look(observation)
    back = cell.back_off(observation.q, RETREAT_M)
    if not back.found:
        return SkillResult(ok=False, reason=f"the hand cannot leave {item}: {back.reason}")
    before = observation
    observation = yield cell.path([back], f"leave {item}")
    assert observation.gripper is not None
    if observation.gripper.width_m < width + 0.003:
        return SkillResult(ok=False, reason=f"the fingers did not open around {item}")
    moved = observation.poses[item].position - before.poses[item].position
    hand = observation.pose_ee_in_world.position - before.pose_ee_in_world.position
    if np.linalg.norm(moved) > 0.5 * np.linalg.norm(hand):
        return SkillResult(ok=False, reason=f"{item} still sticks to the hand")
    return SkillResult(ok=True)


def _opening(cell: Workcell, observation: Observation, width_m: float) -> float:
    """Widest of a few gaps at which the opened fingers stay clear of neighbours."""
    if cell.sucks:
        return cell.gripper.max_width_m
    clearance = cell.contact_clearance()
    for extra in (0.03, 0.02, 0.012):
        gap = min(width_m + extra, cell.gripper.max_width_m)
        cell.scene.set_gap(gap)
        if cell.scene.valid(observation.q, clearance):
            return gap
    return min(width_m + 0.008, cell.gripper.max_width_m)


def spread(poses: list[Pose], attempt: int) -> list[Pose]:
    """Poses that differ by 3 cm or more from each other, rotated by ``attempt``."""
    kept: list[Pose] = []
    for pose in poses:
        if all(np.linalg.norm(pose.position - k.position) >= 0.03 for k in kept):
            kept.append(pose)
        if len(kept) >= 12:
            break
    shift = attempt % len(kept)
    return kept[shift:] + kept[:shift]


def turned_ways(cell: Workcell, poses: list[Pose], observation: Observation) -> Iterator[Pose]:
    """Each pose with the yaw at which the wrist turns little, then with others."""
    if not cell.planner.kinematics.turns:
        yield from poses
        return
    here = observation.pose_ee_in_world.position
    for pose in poses:
        swing = float(np.arctan2(pose.position[1], pose.position[0]) - np.arctan2(here[1], here[0]))
        for turn in (0.0, QUARTER / 2, -QUARTER / 2):
            yield yawed(pose, swing + turn)


def yawed(pose: Pose, angle: float) -> Pose:
    """A pose turned about the world's z, rad."""
    return Pose.from_rotation(yaw_rotation(angle) @ pose.rotation, pose.position)
