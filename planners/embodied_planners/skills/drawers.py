# pyright: reportAttributeAccessIssue=false
"""Opening and closing drawers by their handles."""

from __future__ import annotations

import mujoco
import numpy as np

from embodied.protocols import Skill
from embodied.types import GripperGoal, Observation, Pose, SkillResult
from embodied_planners.skills.geometry import top_z
from embodied_planners.skills.workcell import GRASP_FORCE_N, Reach, Workcell, before

OPEN_SHARE = 0.95
CLOSED_M = 0.001
"""Opening at which a drawer that is being closed is let go: it is not pressed into its stop."""
HANDLE_GAP_M = 0.03


def slide(
    cell: Workcell, args: tuple[str, ...], observation: Observation, attempt: int, *, opening: bool
) -> Skill:
    """Grasp the handle, move it along the drawer's direction, let go, retreat.

    Args:
        cell: Planner and scene.
        args: The drawer.
        observation: Latest measurement.
        attempt: Selects another way to hold the handle.
        opening: True to open, False to close.
    """
    (drawer,) = args
    thing = cell.spec.objects[drawer]
    cell.look(observation)
    handle = handle_pose(cell, drawer)
    if handle is None:
        return SkillResult(ok=False, reason=f"{drawer} has no handle", retry=False)
    out = np.array(thing.opens_along)
    gap = min(HANDLE_GAP_M, cell.gripper.max_width_m)
    cell.scene.set_gap(gap)
    clearance = cell.scene.clearance(padding_m=0.001)
    options = _handle_grasps(handle)
    shift = attempt % len(options)
    reach, reason = Reach(), ""
    for target in options[shift:] + options[:shift]:
        reach = cell.reach(observation.q, target, before(target, 0.06), clearance)
        if reach.found:
            break
        reason = reason or reach.reason
    if not reach.found:
        return SkillResult(ok=False, reason=f"the handle of {drawer}: {reason}")
    approach = cell.path(reach.segments, f"reach for {drawer}", gap_m=gap)
    if cell.must_open_first(approach, observation):
        observation = yield GripperGoal(width_m=gap, label="open the fingers")
    observation = yield approach
    observation = yield GripperGoal(
        width_m=0.0, force_n=GRASP_FORCE_N, label=f"grasp the handle of {drawer}"
    )
    assert observation.gripper is not None
    held = observation.gripper.width_m > 0.003
    problem = "" if held else f"the fingers missed the handle of {drawer}"
    if held:
        wanted = thing.travel_m * OPEN_SHARE if opening else CLOSED_M
        distance = wanted - observation.openings_m[drawer]
        cell.look(observation)
        target = Pose(
            position=observation.pose_ee_in_world.position + distance * out,
            quat_wxyz=observation.pose_ee_in_world.quat_wxyz,
        )
        # the hand moves with the handle: what it is close to on the drawer moves too
        moving = (drawer, *_contents(cell, drawer, observation))
        clearance = cell.scene.clearance(padding_m=0.002, allow=[(cell.scene.hand, moving)])
        pull = cell.planner.line(
            observation.q,
            target,
            cell.scene.relaxed(clearance, observation.q),
            label=f"slide {drawer}",
        )
        if pull.found:
            observation = yield cell.path(
                [pull], f"slide {drawer}", speed=0.4, stop_on_contact=True
            )
        else:
            problem = pull.reason
    observation = yield GripperGoal(width_m=gap, label=f"let go of {drawer}")
    cell.look(observation)
    back = cell.back_off(observation.q, 0.07)
    if not back.found:
        return SkillResult(ok=False, reason=f"the hand cannot leave {drawer}: {back.reason}")
    observation = yield cell.path([back], f"leave {drawer}")
    if problem:
        return SkillResult(ok=False, reason=problem)
    return _judge(cell, drawer, observation, opening)


def handle_pose(cell: Workcell, drawer: str) -> Pose | None:
    """Pose of the site ``<drawer>-handle``: z a way to approach it, y across the bar."""
    model, data = cell.scene.model, cell.scene.data
    site = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, f"{drawer}-handle")
    if site < 0:
        return None
    mujoco.mj_kinematics(model, data)
    return Pose.from_rotation(data.site_xmat[site].reshape(3, 3), data.site_xpos[site])


def _handle_grasps(handle: Pose) -> list[Pose]:
    """Ways to hold the bar: as its site says, turned about the bar, and the other way round."""
    found: list[Pose] = []
    for tilt in (0.0, 0.4, -0.4, 0.8, -0.8):
        c, s = float(np.cos(tilt)), float(np.sin(tilt))
        about_bar = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
        for sign in (1.0, -1.0):
            turn = np.diag([sign, sign, 1.0])
            found.append(Pose.from_rotation(handle.rotation @ about_bar @ turn, handle.position))
    return found


def _contents(cell: Workcell, drawer: str, observation: Observation) -> list[str]:
    """Items inside a drawer: they move along with it."""
    pose, half = observation.poses[drawer], np.array(cell.spec.objects[drawer].size_m) / 2
    return [
        name
        for name, thing in cell.spec.objects.items()
        if thing.kind == "item"
        and np.all(np.abs(pose.inverse().apply(observation.poses[name].position))[:2] < half[:2])
        and observation.poses[name].position[2] < top_z(cell.spec.objects[drawer], pose) + 0.02
    ]


def _judge(cell: Workcell, drawer: str, observation: Observation, opening: bool) -> SkillResult:
    """Compare the measured opening with what was wanted."""
    travel = cell.spec.objects[drawer].travel_m
    measured = observation.openings_m[drawer]
    if opening and measured < 0.8 * travel:
        reason = f"{drawer} is {100 * measured:.1f} cm open, not {100 * travel:.1f} cm"
        return SkillResult(ok=False, reason=reason)
    if not opening and measured > 0.012:
        return SkillResult(ok=False, reason=f"{drawer} is still {100 * measured:.1f} cm open")
    return SkillResult(ok=True)
