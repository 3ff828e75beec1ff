# pyright: reportAttributeAccessIssue=false
"""Where the terms of a stage want the hand: the place at which their residuals are zero.

The guess is geometric and knows no task: what the closed fingers are around moves with the hand, an
item is taken across its narrow sides with the fingers clear of its neighbours, and the way there
leads over whatever stands in between.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import mujoco
import numpy as np

from embodied.types import RewardStage, RewardTerm
from embodied_controllers.mpc.arm import DIRECTIONS, REST_POSITION, offset
from embodied_controllers.mpc.norms import Array
from embodied_controllers.mpc.obstacles import Obstacle, obstacles_of
from embodied_controllers.mpc.tabletop import TabletopLayout

TERMS = frozenset(
    "distance object_height joint_fraction resting palm_orientation palm_offset hand_closure "
    "posture stillness".split()
)
"""A stage with other terms is searched in the joints."""
IN_HAND_M = 0.075
"""Farthest that what the fingers hold has its centre from the site between them."""
CLEAR_M = 0.025
SLACK_M = 0.01
"""How much wider than a thing the fingers open on either side."""
MARGIN_M = 0.006
TIP_M = 0.004
"""Gap between the fingertips and what the thing rests on."""
KEPT_SHARE = 0.9
"""Fingers whose gap is a smaller share of the open one hold something, or nothing, and stay so."""
REACH_M, NEAR_M = 0.68, 0.25
"""How far from the base an arm puts things, and how near, m."""
WIDE_M, FREE_M = 0.2, 0.05
"""Half extent of a place that has more than one spot, and room that is enough around a thing."""
PULL_AHEAD_M = 0.03
"""How far ahead of a handle the hand is led: far enough to move it, near enough to keep it."""
UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aim:
    """Where the hand should go.

    Attributes:
        position: Of the site between the fingers, (3,), m.
        facing: Approach direction, unit, (3,).
        closing: Direction of closing, unit, (3,); None for the one it has.
        closure: Share of closing.
        clear_m: Height of the site at which it passes over what is in between; None to go straight.
        speed: Largest speed, m/s.
        wait: Stay where it is: the fingers are not open yet.
    """

    position: Array
    facing: Array
    closing: Array | None
    closure: float
    clear_m: float | None
    speed: float = 0.35
    wait: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Measured positions in one state.

    Attributes:
        layout: Of the model.
        data: The model's state, kinematics done.
    """

    layout: TabletopLayout
    data: mujoco.MjData

    @property
    def palm(self) -> Array:
        """Position of the site between the fingers, (3,)."""
        return np.array(self.data.site(self.layout.tool.site).xpos)

    @property
    def hand(self) -> Array:
        """Orientation of the hand, (3, 3)."""
        return np.array(self.data.site(self.layout.tool.site).xmat).reshape(3, 3)

    def position(self, name: str) -> Array:
        """Position of a point of the vocabulary, (3,)."""
        if name == "rest_position":
            return REST_POSITION
        if name in self.layout.solids:
            return np.array(self.data.body(name).xpos)
        return np.array(self.data.site(name.replace("_handle", "-handle")).xpos)

    def rotation(self, name: str) -> Array:
        """Orientation of an object, (3, 3)."""
        return np.array(self.data.body(name).xmat).reshape(3, 3)

    def half_height(self, name: str) -> float:
        """Half of an object's extent along z as it lies."""
        spec, up = self.layout.solids[name].spec, np.abs(self.rotation(name)[2])
        if spec.shape == "sphere":
            return spec.size_m[0] / 2
        if spec.shape == "cylinder":
            return float(spec.size_m[0] * math.hypot(up[0], up[1]) + spec.size_m[2] * up[2]) / 2
        return float(np.array(spec.size_m) @ up) / 2

    def obstacles(self, *without: str) -> list[Obstacle]:
        """What stands on the table, but for these."""
        return obstacles_of(self.layout, self.data, without)


def aim_of(stage: RewardStage, scene: Scene) -> Aim:
    """The place at which the residuals of a stage are zero, from a state."""
    terms = [t for t in stage.terms if t.weight > 0]
    palm = scene.palm
    closure, facing = _closure(terms), _facing(terms)
    near = {
        str(t.parameters["b"]): float(t.parameters.get("distance", 0.0))
        for t in terms
        if t.name == "distance" and t.parameters["a"] == "palm"
    }
    thing = next((n for n, d in near.items() if d == 0.0 and n in scene.layout.solids), "")
    taken = bool(thing) and closure > 0.5
    if taken and np.linalg.norm(scene.position(thing) - palm) > IN_HAND_M:
        taken = False
    for term in terms:
        p = term.parameters
        leaving = near.get(f"{p.get('joint')}_handle", 0.0) > 0.0
        if term.name == "joint_fraction" and not leaving:
            return _pulling(scene, str(p["joint"]), float(p["fraction"]), closure, facing)
        if not taken:
            continue
        if term.name == "resting" and p["object"] == thing:
            goal = _free_place(scene, thing, str(p["place"]))
            return _carrying(scene, thing, _beside(scene, thing, terms, goal), facing)
        if term.name == "distance" and p["a"] == thing:
            goal = scene.position(thing)
            height = _height(terms, thing)
            goal[2] = goal[2] if height is None else height
            return _carrying(scene, thing, _beside(scene, thing, terms, goal), facing)
    if taken:
        rise = _height(terms, thing)
        goal = palm.copy()
        if rise is not None:
            goal[2] += rise - scene.position(thing)[2]
        elif not _around(scene, thing):
            goal = _grasp_point(scene, thing)
        return Aim(position=goal, facing=facing, closing=None, closure=1.0, clear_m=None)
    for term in terms:
        if term.name == "palm_offset":
            goal = REST_POSITION + offset(term.parameters)
            if all(t.name != "hand_closure" for t in terms):
                closure = _kept(scene)
            return Aim(position=goal, facing=facing, closing=None, closure=closure, clear_m=None)
    if not near:
        return Aim(position=palm, facing=facing, closing=None, closure=closure, clear_m=None)
    name, distance = next(iter(near.items()))
    return _reaching(scene, name, distance, closure, facing)


def _closure(terms: Iterable[RewardTerm]) -> float:
    found = [float(t.parameters["fraction"]) for t in terms if t.name == "hand_closure"]
    return found[0] if found else 0.0


def _facing(terms: Iterable[RewardTerm]) -> Array:
    found = [str(t.parameters["direction"]) for t in terms if t.name == "palm_orientation"]
    return np.array(DIRECTIONS[found[0] if found else "down"])


def _height(terms: Iterable[RewardTerm], thing: str) -> float | None:
    for term in terms:
        if term.name == "object_height" and term.parameters["object"] == thing:
            return float(term.parameters["height"])
    return None


def _around(scene: Scene, thing: str) -> bool:
    return float(np.linalg.norm((scene.position(thing) - scene.palm)[:2])) < 0.02


def _pulling(scene: Scene, joint: str, share: float, closure: float, facing: Array) -> Aim:
    spec = scene.layout.solids[joint].spec
    along = np.array(spec.opens_along)
    opening = float(scene.data.joint(joint).qpos[0])
    left = min(max(share * spec.travel_m - opening, -PULL_AHEAD_M), PULL_AHEAD_M)
    goal = scene.position(f"{joint}_handle") + along * left
    return Aim(position=goal, facing=facing, closing=None, closure=closure, clear_m=None)


def _carrying(scene: Scene, thing: str, goal: Array, facing: Array) -> Aim:
    palm, at = scene.palm, scene.position(thing)
    target = palm + goal - at
    hangs = float(palm[2] - at[2]) + scene.half_height(thing)
    clear = _clearing(scene, target, max(hangs, scene.layout.tool.below_m), thing)
    return Aim(position=target, facing=facing, closing=None, closure=1.0, clear_m=clear)


def _reaching(scene: Scene, name: str, distance: float, closure: float, facing: Array) -> Aim:
    tool, palm = scene.layout.tool, scene.palm
    at = scene.position(name)
    if name not in scene.layout.solids:
        goal = at - facing * distance
        joint = name.removesuffix("_handle")
        closing = None
        clear = None
        if joint in scene.layout.solids:
            along = scene.layout.solids[joint].spec.opens_along
            settled = float(np.linalg.norm((at - palm)[:2])) < 0.03
            yaw = _at_ease(scene, at, math.atan2(along[1], along[0]), settled)
            closing = np.array([math.cos(yaw), math.sin(yaw), 0.0])
            clear = _clearing(scene, goal, tool.below_m)
            if closure < 0.5:
                closure = tool.closure(0.06)
        return Aim(position=goal, facing=facing, closing=closing, closure=closure, clear_m=clear)
    goal = _grasp_point(scene, name)
    closing, width = _grasp(scene, name)
    opened = closure < 0.5
    if opened:
        closure = tool.closure(width + 2 * SLACK_M)
    wait = False
    if distance > 0:
        goal = goal + UP * distance
        gap = _gap(scene)
        here = float(np.linalg.norm(at - palm)) < IN_HAND_M
        wait = opened and here and gap < width + SLACK_M
    clear = _clearing(scene, goal, tool.below_m)
    return Aim(
        position=goal, facing=facing, closing=closing, closure=closure, clear_m=clear, wait=wait
    )


def _kept(scene: Scene) -> float:
    """Closure that keeps what is between the fingers: nothing is let go that was not to be."""
    tool = scene.layout.tool
    return 1.0 if _gap(scene) < KEPT_SHARE * tool.gap_m else 0.0


def _gap(scene: Scene) -> float:
    """Gap between the fingers now, by their actuators."""
    tool, length = scene.layout.tool, scene.data.actuator_length
    shares = (length[list(tool.actuators)] - tool.open) / (tool.closed - tool.open)
    return tool.gap_m * (1.0 - float(np.mean(shares)) / tool.shut)


def _grasp_point(scene: Scene, name: str) -> Array:
    """Where the site goes to take an item: its centre, where fingers and palm allow it."""
    tool, point, half = scene.layout.tool, scene.position(name), scene.half_height(name)
    lowest = point[2] - half + tool.below_m + TIP_M
    highest = point[2] + half - tool.above_m + TIP_M
    point[2] = max(point[2], lowest, highest)
    return point


def _grasp(scene: Scene, name: str) -> tuple[Array, float]:
    """Closing direction across an item with the fingers clear of others, and the width there."""
    solid, tool = scene.layout.solids[name], scene.layout.tool
    at = scene.position(name)
    x, _, _ = solid.spec.size_m
    if solid.spec.shape == "box":
        rotation = scene.rotation(name)
        level = [a for a in range(3) if abs(rotation[2, a]) < 0.5][:2] or [0, 1]
        widths = [(math.atan2(rotation[1, a], rotation[0, a]), solid.spec.size_m[a]) for a in level]
    else:
        widths = [(math.pi * k / 8, x) for k in range(8)]
    others = [o for o in scene.obstacles(name) if o.distance(at[:2]) < 0.25]
    low = _grasp_point(scene, name)[2] - tool.below_m
    others = [o for o in others if o.top_m > low and not (o.fixed and o.distance(at[:2]) < 0)]
    now = math.atan2(scene.hand[1, 1], scene.hand[0, 1])
    settled = float(np.linalg.norm((at - scene.palm)[:2])) < 0.03
    best: tuple[float, float, float] = (math.inf, now, min(w for _, w in widths))
    for yaw, width in widths:
        if width > tool.gap_m - 0.008:
            continue
        turned = _at_ease(scene, at, yaw, settled)
        cost = 0.02 * abs(turned - _nearest(now, turned, period=2 * math.pi))
        cost += _crowding(others, at, turned, width, tool.above_m + low + tool.below_m, scene)
        if settled:
            cost += abs(turned - _nearest(now, turned, period=2 * math.pi))
        if cost < best[0]:
            best = (cost, turned, width)
    _, yaw, width = best
    return np.array([math.cos(yaw), math.sin(yaw), 0.0]), width


def _at_ease(scene: Scene, at: Array, yaw: float, settled: bool) -> float:
    """The turn of two equal ones, half a turn apart, at which the wrist is at ease."""
    now = math.atan2(scene.hand[1, 1], scene.hand[0, 1])
    return _nearest(yaw, now if settled else math.atan2(at[1], at[0]) + scene.layout.usual_yaw)


def _nearest(angle: float, to: float, period: float = math.pi) -> float:
    """The angle plus whole periods that is nearest to another one."""
    return angle + period * round((to - angle) / period)


def _crowding(
    others: list[Obstacle], at: Array, yaw: float, width: float, mount_m: float, scene: Scene
) -> float:
    """How deep fingers and their mount would be in others, with a margin, m."""
    tool = scene.layout.tool
    along = np.array([math.cos(yaw), math.sin(yaw)])
    across = np.array([-along[1], along[0]])
    inner = width / 2 + SLACK_M
    fingers = [
        (sign * (inner + tool.thickness_m * share), side * tool.half_width_m)
        for sign in (1, -1)
        for share in (0.0, 1.0)
        for side in (1, -1)
    ]
    half_across, half_along = tool.mount_m
    mount = [(a * half_along, b * half_across) for a in (-1, -0.5, 0.5, 1) for b in (-1, 1)]
    frame = np.stack([along, across])
    high = [o for o in others if o.top_m > mount_m]
    return _depth(others, at[:2] + np.array(fingers) @ frame) + _depth(
        high, at[:2] + np.array(mount) @ frame
    )


def _depth(others: list[Obstacle], points: Array) -> float:
    """How deep points (n, 2) are in obstacles or within a margin of them, added up, m."""
    return sum(float(np.maximum(0.0, MARGIN_M - o.distances(points)).sum()) for o in others)


def _clearing(scene: Scene, goal: Array, hangs_m: float, *carried: str) -> float:
    """Height of the site at which what hangs below it passes over all on the way to a goal."""
    palm = scene.palm
    steps = np.linspace(0.0, 1.0, 9)[:, None]
    way = palm[:2] + steps * (goal[:2] - palm[:2])
    wide = max(scene.layout.tool.mount_m)
    tops = [
        o.top_m for o in scene.obstacles(*carried) if float(o.distances(way).min()) < wide + 0.02
    ]
    return max([0.0, *tops]) + hangs_m + CLEAR_M


def _beside(scene: Scene, thing: str, terms: Iterable[RewardTerm], goal: Array) -> Array:
    """A goal of a thing moved to its distance from another one, where the terms give one."""
    for term in terms:
        p = term.parameters
        if term.name == "distance" and p["a"] == thing:
            return _apart(scene, thing, str(p["b"]), float(p.get("distance", 0.0)), goal)
    return goal


def _apart(scene: Scene, thing: str, other: str, distance: float, goal: Array) -> Array:
    """The free place at a distance from another thing that is nearest to where the first one is."""
    at, to = scene.position(thing), scene.position(other)
    level = math.sqrt(max(distance**2 - float(goal[2] - to[2]) ** 2, 0.0))
    others = scene.obstacles(thing)
    radius = scene.layout.solids[thing].radius_m + 0.015
    angles = np.linspace(0.0, 2 * math.pi, 24, endpoint=False)
    points = to[:2] + level * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    crowded = sum(np.maximum(0.0, radius - o.distances(points)) for o in others)
    cost = np.linalg.norm(points - at[:2], axis=-1) + 10.0 * (crowded + _out_of_reach(points))
    found = points[int(np.argmin(cost))]
    return np.array([found[0], found[1], goal[2]])


def _free_place(scene: Scene, thing: str, place: str) -> Array:
    """Where a thing rests in or on a place: free of others, near the middle, or where it was."""
    solids = scene.layout.solids
    under, solid = solids[place], solids[thing]
    centre, at = scene.position(place), scene.position(thing)
    half = np.maximum(under.room_m(solid) - 0.008, 0.0)
    c, s = math.cos(under.yaw), math.sin(under.yaw)
    wide = bool(half.max() > WIDE_M)
    low = centre[2] + under.floor_m + 0.005
    drawer = under.spec.kind == "drawer"
    taken = [o for o in scene.obstacles(thing, place) if o.top_m > low and not (o.fixed and drawer)]
    shares = np.linspace(-1, 1, 25 if wide else 9)
    local = np.stack(np.meshgrid(shares, shares), axis=-1).reshape(-1, 2) * half
    points = centre[:2] + local @ np.array([[c, s], [-s, c]])
    free = np.full(len(points), FREE_M)
    for obstacle in taken:
        free = np.minimum(free, obstacle.distances(points) - solid.radius_m)
    far = np.linalg.norm(points - at[:2] if wide else local, axis=-1)
    goal = points[int(np.argmax(free - 0.1 * far - 10.0 * _out_of_reach(points)))]
    high = centre[2] + under.floor_m + scene.half_height(thing) + 0.003
    return np.array([goal[0], goal[1], high])


def _out_of_reach(points: Array) -> Array:
    """How far points (n, 2) are beyond where an arm puts things, m."""
    beyond = np.maximum(0.0, np.hypot(points[:, 0], points[:, 1]) - REACH_M)
    return np.asarray(beyond + np.maximum(0.0, NEAR_M - points[:, 0]))
