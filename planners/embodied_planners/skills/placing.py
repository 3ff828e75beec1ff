"""Letting go of the held item: place, stack and put-in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from embodied.protocols import Skill
from embodied.types import GripperGoal, Observation, Pose, SkillResult
from embodied_planners.skills.geometry import bottom_z, pose_of, top_z, yaw_rotation
from embodied_planners.skills.grasps import held_between_pads, only_finger_tips
from embodied_planners.skills.placements import free_spots, stack_poses
from embodied_planners.skills.workcell import Reach, Workcell, above

QUARTER = np.pi / 2
BELOW_RIM_M = 0.008
"""An item must end with its lowest point at least this far below the rim to be inside."""


def place(
    cell: Workcell, item: str, surface: str, observation: Observation, *, attempt: int
) -> Skill:
    """Put the held item on a free spot of a surface."""
    cell.look(observation, holding=item)
    options = cell.options
    spots = free_spots(
        cell.scene,
        cell.spec,
        observation,
        item,
        surface,
        gap_m=options.least_gap_m,
        wanted_gap_m=options.spot_gap_m,
    )
    if not spots:
        return SkillResult(ok=False, reason=f"no free spot for {item} on {surface}")
    poses = [s.pose_item_in_world for s in spots]
    candidates = _turned(_spread(poses, attempt), observation)
    return (yield from _let_go(cell, item, surface, candidates, observation))


def stack(
    cell: Workcell, item: str, below: str, observation: Observation, *, attempt: int
) -> Skill:
    """Put the held item on the middle of another item, aligned with it."""
    spec = cell.spec.objects
    cell.look(observation, holding=item)
    pose = stack_poses(spec[item], observation.poses[item], spec[below], observation.poses[below])
    turns = [0.0, QUARTER, -QUARTER, 2 * QUARTER]
    if spec[item].shape != "box" or spec[below].shape != "box":
        turns = [k * QUARTER / 2 for k in (0, 1, -1, 2, -2, 3, -3, 4)]
    shift = attempt % len(turns)
    candidates = (_turn(pose, angle) for angle in turns[shift:] + turns[:shift])
    return (yield from _let_go(cell, item, below, candidates, observation))


def put_in(
    cell: Workcell, item: str, container: str, observation: Observation, *, attempt: int
) -> Skill:
    """Lower the held item into a container as far as the hand fits, and let go."""
    cell.look(observation, holding=item)
    options, thing = cell.options, cell.spec.objects[item]
    rim = top_z(cell.spec.objects[container], observation.poses[container])
    poses: list[Pose] = []
    for gap, on_top in ((0.012, False), (0.004, False), (0.004, True)):
        found = [
            spot
            for turned in (False, True)
            for spot in free_spots(
                cell.scene,
                cell.spec,
                observation,
                item,
                container,
                gap_m=gap,
                wanted_gap_m=options.packed_gap_m,
                pack=True,
                turned=turned,
                on_top=on_top,
            )
        ]
        found.sort(key=lambda spot: spot.cost)
        low = [s.pose_item_in_world for s in found]
        poses = [p for p in low if bottom_z(thing, p) < rim - BELOW_RIM_M]
        if poses:
            break
    if not poses:
        return SkillResult(ok=False, reason=f"no free spot for {item} in {container}")
    spots = _spread(poses, attempt)

    turns = (0.0, QUARTER, -QUARTER)

    def candidates() -> Iterator[Pose]:
        for raised in (0.0, 0.02, 0.04, 0.06):
            for pose in spots[:4]:
                if raised == 0.0 or pose.position[2] + raised < rim + 0.08:
                    for turn in turns:
                        yield _turn(above(pose, raised), turn)

    return (yield from _let_go(cell, item, container, candidates(), observation, limit=48))


def _let_go(
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
        observation.gripper.width_m,
    )
    if problem:
        return SkillResult(ok=False, reason=f"{item} is not in the hand: {problem}", retry=False)
    grip = observation.pose_ee_in_world.inverse() @ observation.poses[item]
    resting = [((item,), (support,), -0.002)]
    clearance = cell.contact_clearance(near=resting)
    reach, reason = Reach(), ""
    pose = observation.poses[item]
    for pose in itertools.islice(candidates, limit or cell.options.candidates):
        target = pose @ grip.inverse()
        reach = cell.reach(observation.q, target, above(target, cell.options.approach_m), clearance)
        if reach.found:
            break
        reason = reason or reach.reason
    if not reach.found:
        return SkillResult(ok=False, reason=f"cannot put {item} down at {support}: {reason}")
    width = observation.gripper.width_m
    gentle = only_finger_tips(cell.spec.objects[item], grip, cell.gripper)
    observation = yield cell.path(
        reach.segments,
        f"carry {item} to {support}",
        speed=cell.options.gentle_speed if gentle else 1.0,
    )
    lost = float(np.linalg.norm(observation.poses[item].position - pose.position))
    if lost > 0.03:
        reason = f"{item} was lost on the way: it is {100 * lost:.0f} cm from where it should be"
        return SkillResult(ok=False, reason=reason)
    cell.look(observation)
    gap = _opening(cell, observation, width)
    observation = yield GripperGoal(width_m=gap, label=f"let go of {item}")
    cell.look(observation)
    back = cell.back_off(observation.q, cell.options.retreat_m)
    if not back.found:
        return SkillResult(ok=False, reason=f"the hand cannot leave {item}: {back.reason}")
    before = observation
    observation = yield cell.path([back], f"leave {item}")
    assert observation.gripper is not None
    if observation.gripper.width_m < width + 0.003:
        return SkillResult(ok=False, reason=f"the fingers did not open around {item}")
    if _moved(before, observation, item) > 0.5 * _hand_moved(before, observation):
        return SkillResult(ok=False, reason=f"{item} still sticks to the hand")
    return SkillResult(ok=True)


def _moved(before: Observation, after: Observation, item: str) -> float:
    return float(np.linalg.norm(after.poses[item].position - before.poses[item].position))


def _hand_moved(before: Observation, after: Observation) -> float:
    start, end = before.pose_ee_in_world.position, after.pose_ee_in_world.position
    return float(np.linalg.norm(end - start))


def _opening(cell: Workcell, observation: Observation, width_m: float) -> float:
    """Widest of a few gaps at which the opened fingers stay clear of neighbours."""
    clearance = cell.contact_clearance()
    for extra in (0.03, 0.02, 0.012):
        gap = min(width_m + extra, cell.gripper.max_width_m)
        cell.scene.set_gap(gap)
        if cell.scene.valid(observation.q, clearance):
            return gap
    return min(width_m + 0.008, cell.gripper.max_width_m)


def _spread(poses: list[Pose], attempt: int) -> list[Pose]:
    """Poses that differ by 3 cm or more from each other, rotated by ``attempt``."""
    kept: list[Pose] = []
    for pose in poses:
        if all(np.linalg.norm(pose.position - k.position) >= 0.03 for k in kept):
            kept.append(pose)
        if len(kept) >= 12:
            break
    shift = attempt % len(kept)
    return kept[shift:] + kept[:shift]


def _turned(
    poses: list[Pose],
    observation: Observation,
    turns: tuple[float, ...] = (0.0, QUARTER / 2, -QUARTER / 2),
) -> Iterator[Pose]:
    """Each pose with the yaw at which the wrist turns little, then with others."""
    here = observation.pose_ee_in_world.position
    for pose in poses:
        swing = float(np.arctan2(pose.position[1], pose.position[0]) - np.arctan2(here[1], here[0]))
        for turn in turns:
            yield _turn(pose, swing + turn)


def _turn(pose: Pose, angle: float) -> Pose:
    return pose_of(yaw_rotation(angle) @ pose.rotation, pose.position)
