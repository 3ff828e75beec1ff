"""Setting down what is held: over a free spot, down until it rests, let go, and away."""

from __future__ import annotations

import numpy as np
from embodied_planners.value_map import ObjectGeometry
from embodied_planners.value_map.profiles import SPEED_SHARE
from embodied_planners.value_map.timing import time_way

from embodied.routes.value_map.state import RunState
from embodied.types import Array, Atom, ControlStatus, PathGoal, Region, ValueMapStage

GAP_M = 0.003
"""A thing is let go so far above what it is to rest on, m."""

OVER_RIM_M = 0.004
"""Over the rim of a container its bottom stays so high: the fingers do not reach in, m."""

SPEED_M_S, AWAY_M_S = 0.08, 0.15
RISE_M = 0.10
LIFT_M, CLEAR_M = 0.12, 0.04
"""How far a thing is lifted straight up at most, and how clear of its place's top, m."""

ROOM_M = 0.008
_SPOTS = 9
_STEP_M = 0.01


def spot_on(state: RunState, fact: Atom, asked: Region) -> Region:
    """The place that a program names, or the nearest one there with room for the thing.

    Args:
        state: The run.
        fact: The thing, and what it is to be on or in.
        asked: A point in the frame of the latter.
    """
    thing, where = fact.args
    if state.setup.spec.objects[where].kind == "item":
        return asked
    support, own = state.objects[where], state.objects[thing]
    inner = np.array(state.setup.spec.objects[where].inner_size_m[:2])
    size = inner if np.all(inner > 0) else np.array(support.size_m[:2])
    reach = np.hypot(*own.half_extents_in_world()[:2])
    room = np.maximum(size / 2 - own.half_extents_in_world()[:2].max() - ROOM_M, 0.0)
    others = [
        o
        for n, o in state.objects.items()
        if n not in (thing, where) and state.setup.spec.objects[n].kind == "item"
    ]
    first = np.array([asked.parameters.get(a, 0.0) for a in "xy"])
    axes = [np.linspace(-r, r, _SPOTS) for r in room]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    turned = grid @ support.pose.rotation[:2, :2].T
    if support.shape == "cylinder":
        turned = turned[np.linalg.norm(turned, axis=1) <= room.min() + 1e-9]
    places = [first, *sorted(turned, key=lambda p: float(np.linalg.norm(p - first)))]
    for place in places:
        at = support.pose.position[:2] + place
        if all(_apart(o, at) > reach + ROOM_M for o in others):
            numbers = {**asked.parameters, "x": float(place[0]), "y": float(place[1])}
            return Region(shape="point", frame=where, parameters=numbers)
    return asked


def slowest_m_s(stage: ValueMapStage) -> float:
    """The lowest speed that a stage asks for anywhere: straight motions keep it throughout."""
    asked = [o.value for o in stage.operations if o.map == "velocity"]
    return SPEED_SHARE * min((v for v in asked if not isinstance(v, tuple)), default=np.inf)


def lift(state: RunState, thing: str, where: str, limit_m_s: float) -> None:
    """Lift what is held straight up, clear of what it is to be put on or in, before it travels."""
    own, support = state.objects[thing], state.objects[where]
    up = (0.0, 0.0, 1.0)
    top = float(support.pose.position[2]) + support.half_extent(up)
    bottom = float(own.pose.position[2]) - own.half_extent(up)
    rise = float(np.clip(top + CLEAR_M - bottom, 0.0, LIFT_M))
    if rise > _STEP_M:
        straight(state, np.array([0.0, 0.0, rise]), min(AWAY_M_S, limit_m_s), touch=())


def lower(state: RunState, fact: Atom, limit_m_s: float) -> str:
    """Lower what is held until it is about to rest where it is to be; why not, if not."""
    thing, where = fact.args
    own, support = state.objects[thing], state.objects[where]
    bottom = float(own.pose.position[2]) - own.half_extent((0.0, 0.0, 1.0))
    top = float(support.pose.position[2]) + support.half_extent((0.0, 0.0, 1.0))
    drop = bottom - top - (GAP_M if fact.predicate == "on" else OVER_RIM_M)
    if drop <= 0:
        return ""
    speed = min(SPEED_M_S, limit_m_s)
    return straight(state, np.array([0.0, 0.0, -drop]), speed, touch=(where,))


def let_go(state: RunState, limit_m_s: float) -> None:
    """Open the fingers and rise, so that what was let go can be seen."""
    state.fingers(1.0)
    for height in (RISE_M, RISE_M / 2):
        speed = min(AWAY_M_S, limit_m_s)
        if not straight(state, np.array([0.0, 0.0, height]), speed, touch=None):
            break


def straight(state: RunState, by: Array, speed_m_s: float, *, touch: tuple[str, ...] | None) -> str:
    """Move the hand straight by a vector (3,), m, as far as the arm can; why it cannot at all.

    Args:
        state: The run.
        by: Displacement in the world.
        speed_m_s: Speed.
        touch: Things that the hand may touch; None checks no collisions, for ways out.
    """
    s = state
    q = s.q_now()
    hand = s.setup.arm.kinematics.pose(q)
    count = max(int(np.linalg.norm(by) / _STEP_M) + 1, 3)
    path = hand.position + np.linspace(0.0, 1.0, count)[:, None] * by
    quats = np.repeat(np.array(hand.quat_wxyz)[None], count, axis=0)
    gripper = s.observation.gripper
    s.setup.arm.look(s.objects, gripper.width_m if gripper else 0.0, held=s.held)
    clearance = None if touch is None else s.setup.arm.clearance(q, touch=touch)
    arm = s.setup.arm.follow(path, quats, q, clearance)
    cut = int(arm.at[-1]) + 1
    if cut < 2:
        return arm.reason
    way = (path[:cut], quats[:cut], np.full(cut, speed_m_s), arm)
    trajectory = s.setup.pace(time_way(*way, s.setup.limits, dt=s.setup.spec.control_dt_s))
    goal = PathGoal(trajectory=trajectory, tolerance_rad=0.01, label="straight up or down")
    status = s.body.follow(s.setup.controller, goal, trajectory.duration_s + 2.0).status
    return "the arm is held back" if status is ControlStatus.STUCK else ""


def _apart(thing: ObjectGeometry, place: Array) -> float:
    """Horizontal distance of a place (2,) from a thing, which is taken for round, m."""
    reach = float(np.hypot(*thing.half_extents_in_world()[:2]))
    return float(np.linalg.norm(thing.pose.position[:2] - place)) - reach
