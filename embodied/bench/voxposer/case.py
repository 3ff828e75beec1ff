"""An episode of the value-map suite, and what its tasks have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from embodied.bench.voxposer import trace
from embodied.bench.voxposer.program import (
    along,
    area,
    move,
)
from embodied.bench.voxposer.scenes import (
    LOWER_M,
    UPPER_M,
    Draw,
    NoRoomError,
    within_reach,
)
from embodied.bench.voxposer.trace import Check
from embodied.bench.voxposer.world import Disturbance
from embodied.language.value_map import area_bounds
from embodied.language.value_map.vocabulary import SIDES as UNIT
from embodied.types import Array, Region, ValueMapProgram, ValueMapStage
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a task makes of a drawing.

    Attributes:
        seen: Instruction in the wording of the prompts' examples.
        unseen: The same in other words.
        stages: Oracle program.
        checks: Predicates.
        moves: Item or drawer that a disturbance moves; ``""`` for none.
        shift_m: How it moves.
    """

    seen: str
    unseen: str
    stages: tuple[ValueMapStage, ...]
    checks: tuple[Check, ...]
    moves: str = ""
    shift_m: tuple[float, float] = (0.0, 0.0)


def said(name: str) -> str:
    """A name as people say it."""
    return f"the {name.replace('-', ' ')}"


def offset_of(side: str, cm: int) -> Array:
    """Displacement (3,) to a place beside an object, m."""
    return np.array(UNIT[side]) * cm / 100


def free_place(draw: Draw, name: str, side: str, cm: int) -> Array:
    """Offset of a target beside an item, raised so that the fingers clear the table."""
    offset = offset_of(side, cm)
    place = draw.places[name] + offset[:2]
    if not within_reach(place, 0.06) or not draw.is_free(place, 0.10, but=name):
        raise NoRoomError(name)
    return offset


def moves(
    draw: Draw, name: str, where: Callable[[Array], bool] = lambda _: True
) -> tuple[str, tuple[float, float]]:
    """Item and displacement of a disturbance; no item where it has no room to go."""
    step = draw.shift(name, where)
    return ("", (0.0, 0.0)) if step is None else (name, (float(step[0]), float(step[1])))


def all_unmoved(names: list[str]) -> tuple[Check, ...]:
    """Predicates: none of these was pushed about."""
    return tuple(trace.unmoved(n) for n in names)


def bounds(name: str) -> tuple[Array, Array, Region]:
    """Lower and upper corner (x, y) of a named part of the table, and its region."""
    box = area_bounds(name, LOWER_M[:2], UPPER_M[:2])
    low = np.array([box["x_lower"], box["y_lower"]])
    return low, np.array([box["x_upper"], box["y_upper"]]), area(box)


_DRAWER = """
[[drawer]]
name = "drawer"
category = "drawer"
color = "{color}"
cabinet_size_m = [0.20, 0.22, 0.12]
position_m = [{x:.3f}, {y:.3f}]
yaw_deg = 180
travel_m = {travel}
"""


def put_drawer(draw: Draw) -> None:
    """Add an open drawer at the far side, and things that leave its way free."""
    color = "brown" if draw.split == "seen" else "black"
    y = float(draw.rng.uniform(-0.2, 0.2))
    draw.fixed.append(_DRAWER.format(color=color, x=draw.rng.uniform(0.66, 0.70), y=y, travel=0.12))
    draw.open_drawer = "drawer"
    for name in draw.some(2):
        draw.put(name, where=lambda p: abs(p[1] - y) > 0.2)


def closing_drawer(seen: str, unseen: str, draw: Draw) -> Made:
    """A drawer to be closed; a disturbance pulls it out again."""
    put_drawer(draw)
    return Made(
        seen=seen,
        unseen=unseen,
        stages=(move(along("drawer", (0.12, 0.0, 0.0)), moving="drawer"),),
        checks=(trace.drawer_closed("drawer"), *all_unmoved(list(draw.items))),
        moves="drawer",
        shift_m=(0.03, 0.0),
    )
