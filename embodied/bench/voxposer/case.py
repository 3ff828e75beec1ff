"""An episode of the value-map suite, and what its tasks have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.bench.voxposer import trace
from embodied.bench.voxposer.scenes import LOWER_M, UPPER_M, Draw, NoRoomError, within_reach
from embodied.bench.voxposer.trace import Check
from embodied.bench.voxposer.world import Disturbance
from embodied.language.value_map.building import along, area_region, target
from embodied.language.value_map.vocabulary import DIRECTIONS, SIDES
from embodied.types import Array, MapOperation, Region, ValueMapProgram, ValueMapStage
from embodied.world.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One episode of a task.

    Attributes:
        task: Task.
        instruction: Sentence.
        wording: ``"seen"`` or ``"unseen"`` instruction.
        attributes: ``"seen"`` or ``"unseen"`` things, places and speeds.
        scene: Scene, with its layout.
        program: Oracle program, written by hand with the task.
        checks: Predicates; all must hold.
        disturbance: What happens in the disturbed variant.
    """

    task: str
    instruction: str
    wording: str
    attributes: str
    scene: Scene
    program: ValueMapProgram
    checks: tuple[Check, ...]
    disturbance: Disturbance


@dataclass(frozen=True, slots=True)
class Made:
    """What a task makes of a drawing.

    Attributes:
        stages: Oracle program.
        checks: Predicates.
        moved: Item or drawer that a disturbance moves, ``""`` for none, and how far.
    """

    stages: tuple[ValueMapStage, ...]
    checks: tuple[Check, ...]
    moved: tuple[str, tuple[float, float]] = ("", (0.0, 0.0))


def stage(*operations: MapOperation, moving: str = "gripper") -> ValueMapStage:
    """A stage of an oracle program."""
    return ValueMapStage(moving=moving, operations=operations)


def offset_of(side: str, cm: int) -> Array:
    """Displacement (3,) to a place beside an object, m."""
    return np.array(SIDES[side]) * cm / 100


def free_place(draw: Draw, name: str, side: str, cm: int) -> Array:
    """Offset of a target beside an item, raised so that the fingers clear the table."""
    offset = offset_of(side, cm)
    place = draw.places[name] + offset[:2]
    if not within_reach(place, 0.06) or not draw.is_free(place, 0.10, but=name):
        raise NoRoomError(name)
    return offset


def push_length(draw: Draw, name: str, way: str, cm: int) -> Array:
    """Displacement of an item that is pushed, with room behind for the fingers and in front."""
    step = np.array(DIRECTIONS[way]) * cm / 100
    unit = step[:2] / (cm / 100)
    start = draw.places[name]
    if not within_reach(start + step[:2]) or not within_reach(start - unit * 0.10, 0.08):
        raise NoRoomError(name)
    if not all(
        draw.is_free(start + s * unit, 0.11, but=name)
        for s in np.linspace(-0.08, cm / 100 + 0.02, 8)
    ):
        raise NoRoomError(name)
    return step


def pushed_to(draw: Draw, a: str, b: str, side: str, cm: int) -> Array:
    """Offset of a place that a can be pushed to, with room to get behind it."""
    offset = offset_of(side, cm)
    start, end = draw.places[a], draw.places[b] + offset[:2]
    length = float(np.linalg.norm(end - start))
    if not within_reach(end) or not 0.08 < length < 0.3:
        raise NoRoomError(a)
    unit = (end - start) / length
    places = [end, *(start + s * unit for s in np.linspace(-0.08, length, 8))]
    if not within_reach(start - 0.1 * unit, 0.08) or not all(
        draw.is_free(p, 0.085, but=a) for p in places
    ):
        raise NoRoomError(a)
    return offset


def unmoved(*names: str) -> tuple[Check, ...]:
    """Predicates: none of these was pushed about."""
    return tuple(trace.unmoved(n) for n in names)


def bounds(name: str) -> tuple[Array, Array, Region]:
    """Lower and upper corner (x, y) of a named part of the table, and its region."""
    region = area_region(name, LOWER_M[:2], UPPER_M[:2])
    box = region.parameters
    low, high = ([box[f"x_{end}"], box[f"y_{end}"]] for end in ("lower", "upper"))
    return np.array(low), np.array(high), region


def close_drawer(draw: Draw) -> Made:
    """Close the drawer, at the far side of the table; a disturbance pulls it out again."""
    y = float(draw.rng.uniform(-0.2, 0.2))
    draw.fixed["drawer"] = {
        "name": "drawer",
        "category": "drawer",
        "color": "brown" if draw.split == "seen" else "black",
        "cabinet_size_m": [0.20, 0.22, 0.12],
        "position_m": [round(float(draw.rng.uniform(0.66, 0.70)), 3), round(y, 3)],
        "yaw_deg": 180,
        "travel_m": 0.12,
    }
    for name in draw.some(2):
        draw.put(name, where=lambda p: abs(p[1] - y) > 0.2)
    return Made(
        (stage(target(along("drawer", DIRECTIONS["forward"], 0.12)), moving="drawer"),),
        (trace.drawer_closed("drawer"), *unmoved(*draw.items)),
        ("drawer", (0.03, 0.0)),
    )
