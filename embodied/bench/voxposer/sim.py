"""The thirteen instruction templates of the simulated suite (arXiv 2307.05973, appendix D)."""

from __future__ import annotations

import numpy as np

from embodied.bench.voxposer import trace
from embodied.bench.voxposer.case import (
    Made,
    bounds,
    free_place,
    push_length,
    pushed_to,
    stage,
    unmoved,
)
from embodied.bench.voxposer.scenes import HOME, Draw, NoRoomError, Where, within_reach
from embodied.language.value_map.building import (
    EVERYWHERE,
    along,
    grasp,
    kept_to,
    near,
    obstacle,
    point,
    release,
    target,
    velocity,
)
from embodied.language.value_map.vocabulary import DIRECTIONS, SIDES
from embodied.types import Array


def _three(draw: Draw) -> list[str]:
    """Three things on the table."""
    names = draw.some(3)
    for name in names:
        draw.put(name)
    return names


def _far_from(place: Array, least_m: float) -> Where:
    return lambda p: np.linalg.norm(p - place) > least_m


def move_to_side(draw: Draw) -> Made:
    """Move to the [preposition] the [object]."""
    names = draw.some(3)
    a, side, cm = names[0], draw.word("side"), draw.number("cm")
    for name in names:
        draw.put(name)
    offset = free_place(draw, a, side, cm)
    return Made(
        (stage(target(point(a, SIDES[side], cm / 100))),),
        (trace.ends_at(a, offset), *unmoved(*names)),
        draw.moved(a, lambda p: within_reach(p + offset[:2], 0.06)),
    )


def move_staying_on_side(draw: Draw) -> Made:
    """Move to the [pos] while staying on the [preposition] of the [object]."""
    a, b, c = draw.some(3)
    side, cm = draw.word("side"), draw.number("cm")
    n = np.array(SIDES[side][:2])
    draw.put(b, where=lambda p: (HOME[:2] - p) @ n > 0.05)
    draw.put(a, where=lambda p: (p - draw.places[b]) @ n > 0.04)
    draw.put(c)
    offset = free_place(draw, a, "above", cm)
    return Made(
        (stage(target(point(a, SIDES["above"], cm / 100)), kept_to(side, b)),),
        (trace.ends_at(a, offset), trace.stays_on_side(b, SIDES[side])),
        draw.moved(a, lambda p: (p - draw.places[b]) @ n > 0.04),
    )


def slow_down_near(draw: Draw) -> Made:
    """Move to the [pos] while moving at [velocity] when within [dist] cm of the [object]."""
    names = draw.some(3)
    a, distance, speed = names[0], draw.number("cm") / 100, draw.number("speed") / 100
    for name in names:
        draw.put(name)
    offset = free_place(draw, a, "above", 10)
    slow = velocity(near(a, distance), speed)
    return Made(
        (stage(target(point(a, SIDES["above"], 0.10)), slow),),
        (trace.ends_at(a, offset), trace.slow_near(a, distance, speed)),
        draw.moved(a),
    )


def push_along_line(draw: Draw) -> Made:
    """Push the [object] along the [line]."""
    a, b, c = draw.some(3)
    way, cm = draw.word("way"), draw.number("cm")
    for name in (a, b, c):
        draw.put(name)
    step = push_length(draw, a, way, cm)
    return Made(
        (stage(target(along(a, DIRECTIONS[way], cm / 100)), moving=a),),
        (trace.displaced(a, step), *unmoved(b, c)),
        draw.moved(a),
    )


def grasp_at_speed(draw: Draw) -> Made:
    """Grasp the [object] from the table at [velocity]."""
    a, b, c = draw.some(3)
    speed = draw.number("speed") / 100
    for name in (a, b, c):
        draw.put(name)
    return Made(
        (stage(*grasp(a), velocity(EVERYWHERE, speed)),),
        (trace.held(a), trace.slow_always(speed), *unmoved(b, c)),
        draw.moved(a),
    )


def drop_to(draw: Draw) -> Made:
    """Drop the [object] to the [pos]."""
    a, b, c = draw.some(3)
    side, cm = draw.word("side"), draw.number("cm")
    for name in (a, b, c):
        draw.put(name)
    offset = free_place(draw, b, side, cm)
    if np.linalg.norm(draw.places[b] + offset[:2] - draw.places[a]) < 0.10:
        raise NoRoomError(a)
    return Made(
        (stage(*grasp(a)), stage(*release(point(b, SIDES[side], cm / 100)))),
        (trace.lies_at(a, b, offset, free=True), *unmoved(b, c)),
        draw.moved(a),
    )


def push_on_side(draw: Draw) -> Made:
    """Push the [object] while letting it stay on [preposition]."""
    a, b, c = draw.some(3)
    way, cm = str(draw.rng.choice(["left", "right"])), draw.number("cm")
    if draw.split == "unseen":
        way = str(draw.rng.choice(["forward", "back"]))
    side = {"left": "front-of", "right": "behind", "forward": "left-of", "back": "right-of"}[way]
    draw.drawn |= {"way": way, "side": side}
    n = np.array(SIDES[side][:2])
    draw.put(b)
    draw.put(a, where=lambda p: 0.09 < (p - draw.places[b]) @ n < 0.2)
    draw.put(c)
    step = push_length(draw, a, way, cm)
    return Made(
        (stage(target(along(a, DIRECTIONS[way], cm / 100)), kept_to(side, b), moving=a),),
        (
            trace.displaced(a, step),
            trace.stays_on_side(b, SIDES[side], moving=a),
            *unmoved(b, c),
        ),
        draw.moved(a, lambda p: (p - draw.places[b]) @ n > 0.08),
    )


def move_to_region(draw: Draw) -> Made:
    """Move to the [region]."""
    area = draw.word("area")
    names = _three(draw)
    low, high, region = bounds(area)
    return Made((stage(target(region)),), (trace.ends_in(low, high), *unmoved(*names)))


def move_keeping_away(draw: Draw) -> Made:
    """Move to the [pos] while staying at least [dist] cm from the [object]."""
    a, b, c = draw.some(3)
    distance = draw.number("cm") / 100
    for name in (a, b):
        draw.put(name, clearance_m=0.24)
    draw.put(c)
    offset = free_place(draw, a, "above", 10)
    if np.linalg.norm(draw.places[a] - draw.places[b]) - 0.04 < distance + 0.04:
        raise NoRoomError(a)
    return Made(
        (stage(target(point(a, SIDES["above"], 0.10)), obstacle(near(b, distance))),),
        (trace.ends_at(a, offset), trace.keeps_away(b, distance)),
        draw.moved(a, _far_from(draw.places[b], distance + 0.08)),
    )


def move_at_speed_in_region(draw: Draw) -> Made:
    """Move to the [pos] while moving at [velocity] in the [region]."""
    a, b, c = draw.some(3)
    area, speed = draw.word("area"), draw.number("speed") / 100
    low, high, region = bounds(area)

    def inside(place: Array) -> bool:
        return bool(np.all(place > low + 0.05) and np.all(place < high - 0.05))

    draw.put(a, where=inside)
    for item in (b, c):
        draw.put(item)
    offset = free_place(draw, a, "above", 10)
    return Made(
        (stage(target(point(a, SIDES["above"], 0.10)), velocity(region, speed)),),
        (trace.ends_at(a, offset), trace.slow_in(low, high, speed)),
        draw.moved(a, inside),
    )


def push_avoiding(draw: Draw) -> Made:
    """Push the [object] to the [pos] while staying away from the [obstacle]."""
    a, b, c = draw.some(3)
    side, cm = draw.word("side"), draw.number("cm")
    for name in (a, b):
        draw.put(name)
    draw.put(c, clearance_m=0.2)
    offset = pushed_to(draw, a, b, side, cm)
    way = np.linspace(draw.places[a], draw.places[b] + offset[:2], 8)
    if np.any(np.linalg.norm(way - draw.places[c], axis=1) < 0.16):
        raise NoRoomError(c)
    place = target(point(b, SIDES[side], cm / 100))
    return Made(
        (stage(place, obstacle(near(c, 0.10)), moving=a),),
        (
            trace.lies_at(a, b, offset),
            trace.keeps_away(c, 0.10, moving=a, slack_m=0.02),
            *unmoved(b, c),
        ),
        draw.moved(a, _far_from(draw.places[c], 0.18)),
    )


def push_to(draw: Draw) -> Made:
    """Push the [object] to the [pos]."""
    a, b, c = draw.some(3)
    side, cm = draw.word("side"), draw.number("cm")
    for name in (a, b, c):
        draw.put(name)
    offset = pushed_to(draw, a, b, side, cm)
    return Made(
        (stage(target(point(b, SIDES[side], cm / 100)), moving=a),),
        (trace.lies_at(a, b, offset), *unmoved(b, c)),
        draw.moved(a),
    )
