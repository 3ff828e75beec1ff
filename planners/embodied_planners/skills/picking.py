"""Grasping an item: what pick, unstack and take-out share."""

from __future__ import annotations

from embodied.protocols import Skill
from embodied.types import GripperGoal, Observation, SkillResult
from embodied_planners.skills.geometry import bottom_z, top_z
from embodied_planners.skills.grasps import (
    CUP_PRESS_M,
    TILTS_RAD,
    Grasp,
    grasp_candidates,
    held_between_pads,
)
from embodied_planners.skills.pushing import push_aside
from embodied_planners.skills.workcell import (
    APPROACH_M,
    CANDIDATES,
    FINGERTIP_FORCE_N,
    GENTLE_SPEED,
    GRASP_FORCE_N,
    LIFT_M,
    RETREAT_M,
    Reach,
    Workcell,
    before,
)

MAX_PUSHES = 3
"""Neighbours that are pushed aside, one after the other, before a grasp is given up."""


def take(cell: Workcell, args: tuple[str, ...], observation: Observation, attempt: int) -> Skill:
    """Take hold of an item, which is on or in something, and lift it.

    Args:
        cell: Planner and scene.
        args: The item, and the surface, item, container or drawer that it comes from.
        observation: Latest measurement.
        attempt: Selects another grasp each time.
    """
    item, source = args
    grasp, reach, reason = _choose(cell, item, observation, attempt)
    for push in range(MAX_PUSHES):
        if grasp is not None or "too close" not in reason or not _fits(cell, item, observation):
            break
        pushed = yield from push_aside(cell, item, observation, attempt=attempt + push)
        observation = pushed.observation
        if not pushed.ok:
            reason = f"{reason}; {pushed.reason}"
            break
        grasp, reach, reason = _choose(cell, item, observation, attempt)
    if grasp is None:
        if "too close" in reason and not _fits(cell, item, observation):
            lies = f"{item} lies too deep in {source}: the hand does not fit in between its walls"
            return SkillResult(ok=False, reason=lies, retry=False)
        return SkillResult(ok=False, reason=f"no grasp of {item}: {reason}")
    approach = cell.path(reach.segments, f"reach for {item}", gap_m=grasp.gap_m)
    if cell.must_open_first(approach, observation):
        observation = yield GripperGoal(width_m=grasp.gap_m, label="open the fingers")
    observation = yield approach
    force = FINGERTIP_FORCE_N if grasp.fingertip else GRASP_FORCE_N
    observation = yield GripperGoal(width_m=0.0, force_n=force, label=f"grasp {item}")
    problem = _held(cell, item, observation, grasp)
    if problem:
        observation = yield GripperGoal(width_m=grasp.gap_m, label=f"let go of {item}")
        cell.look(observation)
        back = cell.back_off(observation.q, RETREAT_M)
        if back.found:
            yield cell.path([back], "retreat")
        return SkillResult(ok=False, reason=problem)
    cell.look(observation, holding=item)
    lift = cell.rise(observation.q, _lift_height(cell, item, source, observation))
    if not lift.found:
        return SkillResult(ok=False, reason=f"{item} cannot be lifted: {lift.reason}")
    observation = yield cell.path(
        [lift], f"lift {item}", speed=GENTLE_SPEED if grasp.fingertip else 1.0
    )
    problem = _held(cell, item, observation, grasp)
    return SkillResult(ok=not problem, reason=f"after lifting: {problem}" if problem else "")


def _choose(
    cell: Workcell, item: str, observation: Observation, attempt: int
) -> tuple[Grasp | None, Reach, str]:
    """The first grasp, in order of preference and rotated by ``attempt``, that can be reached."""
    cell.look(observation)
    reason = ""
    for tilts in ((0.0,), TILTS_RAD):
        grasps = grasp_candidates(
            cell.spec.objects[item],
            observation.poses[item],
            cell.gripper,
            cell.scene,
            observation.pose_ee_in_world,
            tilts,
        )
        shift = attempt % max(len(grasps), 1)
        for grasp in (grasps[shift:] + grasps[:shift])[:CANDIDATES]:
            cell.scene.set_gap(grasp.gap_m)
            target = grasp.pose_ee_in_world
            touch = [(cell.scene.fingers, (item,), -2 * CUP_PRESS_M)] if cell.sucks else []
            reach = cell.reach(
                observation.q, target, before(target, APPROACH_M), cell.contact_clearance(touch)
            )
            if reach.found:
                return grasp, reach, ""
            reason = reason or reach.reason
    return None, Reach(), reason or f"objects are too close to {item} for the fingers"


def _fits(cell: Workcell, item: str, observation: Observation) -> bool:
    """Whether the open hand could take an item if no other item were there."""
    items = tuple(n for n, o in cell.spec.objects.items() if o.kind == "item")
    tilts = (0.0, *TILTS_RAD)
    pose, hand = observation.poses[item], observation.pose_ee_in_world
    thing = cell.spec.objects[item]
    return bool(grasp_candidates(thing, pose, cell.gripper, cell.scene, hand, tilts, items))


def _held(cell: Workcell, item: str, observation: Observation, grasp: Grasp) -> str:
    if observation.gripper is None:
        return "the gripper reports nothing"
    return held_between_pads(
        cell.spec.objects[item],
        observation.pose_ee_in_world,
        observation.poses[item],
        observation.gripper,
        cell.gripper,
        grasp.width_m,
    )


def _lift_height(cell: Workcell, item: str, source: str, observation: Observation) -> float:
    """High enough to clear the rim of a container."""
    support = cell.spec.objects.get(source)
    if support is None or support.kind not in ("container", "drawer"):
        return LIFT_M
    rim = top_z(support, observation.poses[source])
    low = bottom_z(cell.spec.objects[item], observation.poses[item])
    return max(LIFT_M, rim + 0.03 - low)
