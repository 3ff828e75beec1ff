"""The thirteen instruction templates of the simulated suite (arXiv 2307.05973, appendix D)."""

from __future__ import annotations

import numpy as np

from embodied.bench.voxposer import trace
from embodied.bench.voxposer.case import (
    Made,
    all_unmoved,
    bounds,
    closing_drawer,
    free_place,
    moves,
    offset_of,
    said,
)
from embodied.bench.voxposer.program import (
    along,
    avoid_near,
    avoid_side,
    everywhere,
    grasp,
    move,
    near,
    point,
    release_at,
    speed,
)
from embodied.bench.voxposer.scenes import (
    AREA_WORDS,
    AREAS,
    DIRECTIONS,
    DISTANCES_CM,
    HOME,
    SIDE_WORDS,
    SIDES,
    SPEEDS_CM_S,
    Draw,
    NoRoomError,
    within_reach,
)
from embodied.language.value_map.vocabulary import DIRECTIONS as VECTORS
from embodied.language.value_map.vocabulary import SIDES as UNIT
from embodied.types import Array


def move_to_side(draw: Draw) -> Made:
    """Move to the [preposition] the [object]."""
    a, b, c = draw.some(3)
    side = draw.one_of(SIDES[draw.split])
    # nearer than 12 cm the open fingers do not fit between the table and the thing
    cm = draw.number((12, 15) if draw.split == "seen" else (13, 14))
    for name in (a, b, c):
        draw.put(name)
    offset = free_place(draw, a, side, cm)
    name, shift = moves(draw, a, lambda p: within_reach(p + offset[:2], 0.06))
    return Made(
        seen=f"move {cm} cm {SIDE_WORDS[side]} {said(a)}",
        unseen=f"please go to a point {cm} cm {SIDE_WORDS[side]} {said(a)}",
        stages=(move(point(a, offset)),),
        checks=(trace.ends_at(a, offset), *all_unmoved([a, b, c])),
        moves=name,
        shift_m=shift,
    )


def move_staying_on_side(draw: Draw) -> Made:
    """Move to the [pos] while staying on the [preposition] of the [object]."""
    a, b, c = draw.some(3)
    side = draw.one_of(("left-of", "right-of") if draw.split == "seen" else ("behind",))
    n = np.array(UNIT[side])
    cm = draw.number(DISTANCES_CM[draw.split])
    draw.put(b, where=lambda p: float((HOME[:2] - p) @ n[:2]) > 0.05)
    draw.put(a, where=lambda p: float((p - draw.places[b]) @ n[:2]) > 0.04)
    draw.put(c)
    offset = free_place(draw, a, "above", cm)
    name, shift = moves(draw, a, lambda p: float((p - draw.places[b]) @ n[:2]) > 0.04)
    words = {"left-of": "left", "right-of": "right", "behind": "back"}[side]
    return Made(
        seen=f"move {cm} cm above {said(a)} while staying on the {words} side of {said(b)}",
        unseen=f"go {cm} cm above {said(a)}, keeping {SIDE_WORDS[side]} {said(b)}",
        stages=(move(point(a, offset), avoid_side(b, side)),),
        checks=(trace.ends_at(a, offset), trace.stays_on_side(b, UNIT[side])),
        moves=name,
        shift_m=shift,
    )


def slow_down_near(draw: Draw) -> Made:
    """Move to the [pos] while moving at [velocity] when within [dist] cm of the [object]."""
    a, b, c = draw.some(3)
    cm, v = draw.number(DISTANCES_CM[draw.split]), draw.number(SPEEDS_CM_S[draw.split])
    for name in (a, b, c):
        draw.put(name)
    offset = free_place(draw, a, "above", 10)
    name, shift = moves(draw, a)
    it = said(a)
    return Made(
        seen=f"move 10 cm above {it} while moving at {v} cm/s when within {cm} cm of {it}",
        unseen=f"go 10 cm above {it} and slow down to {v} cm/s within {cm} cm of {it}",
        stages=(move(point(a, offset), speed(near(a, cm / 100), v / 100)),),
        checks=(trace.ends_at(a, offset), trace.slow_near(a, cm / 100, v / 100)),
        moves=name,
        shift_m=shift,
    )


def close_by_pushing(draw: Draw) -> Made:
    """Close the drawer by pushing."""
    return closing_drawer("close the drawer by pushing", "push the drawer shut", draw)


def _push_length(draw: Draw, name: str, way: str, cm: int) -> Array:
    step = np.array(VECTORS[way]) * cm / 100
    start, end = draw.places[name], draw.places[name] + step[:2]
    # room behind for the fingers, in front for the thing
    behind = start - step[:2] / (cm / 100) * 0.10
    if not within_reach(end, 0.02) or not within_reach(behind, 0.08):
        raise NoRoomError(name)
    for s in np.linspace(-0.08, cm / 100 + 0.02, 8):
        if not draw.is_free(start + s * step[:2] / (cm / 100), 0.11, but=name):
            raise NoRoomError(name)
    return step


def push_along_line(draw: Draw) -> Made:
    """Push the [object] along the [line]."""
    a, b, c = draw.some(3)
    way, cm = draw.one_of(DIRECTIONS[draw.split]), draw.number(DISTANCES_CM[draw.split])
    for name in (a, b, c):
        draw.put(name)
    step = _push_length(draw, a, way, cm)
    name, shift = moves(draw, a)
    line = {"left": "left", "right": "right", "forward": "forward", "back": "back"}[way]
    return Made(
        seen=f"push {said(a)} along the {line} line by {cm} cm",
        unseen=f"slide {said(a)} {cm} cm {line} in a straight line",
        stages=(move(along(a, step), moving=a),),
        checks=(trace.displaced(a, step), *all_unmoved([b, c])),
        moves=name,
        shift_m=shift,
    )


def grasp_at_speed(draw: Draw) -> Made:
    """Grasp the [object] from the table at [velocity]."""
    a, b, c = draw.some(3)
    v = draw.number((10, 15) if draw.split == "seen" else (8, 12))
    for name in (a, b, c):
        draw.put(name)
    name, shift = moves(draw, a)
    return Made(
        seen=f"grasp {said(a)} from the table at {v} cm/s",
        unseen=f"pick up {said(a)} at a speed of {v} cm/s",
        stages=(grasp(a, speed(everywhere(), v / 100)),),
        checks=(trace.held(a), trace.slow_always(v / 100), *all_unmoved([b, c])),
        moves=name,
        shift_m=shift,
    )


def drop_to(draw: Draw) -> Made:
    """Drop the [object] to the [pos]."""
    a, b, c = draw.some(3)
    side = draw.one_of(("left-of", "right-of") if draw.split == "seen" else ("front-of", "behind"))
    cm = draw.number(DISTANCES_CM[draw.split]) + 2
    for name in (a, b, c):
        draw.put(name)
    offset = free_place(draw, b, side, cm)
    if np.linalg.norm(draw.places[b] + offset[:2] - draw.places[a]) < 0.10:
        raise NoRoomError(a)
    name, shift = moves(draw, a)
    return Made(
        seen=f"drop {said(a)} {cm} cm {SIDE_WORDS[side]} {said(b)}",
        unseen=f"put {said(a)} {cm} cm {SIDE_WORDS[side]} {said(b)}",
        stages=(grasp(a), release_at(point(b, offset))),
        checks=(trace.lies_at(a, b, offset, free=True), *all_unmoved([b, c])),
        moves=name,
        shift_m=shift,
    )


def push_on_side(draw: Draw) -> Made:
    """Push the [object] while letting it stay on [preposition]."""
    a, b, c = draw.some(3)
    way, cm = draw.one_of(("left", "right")), draw.number(DISTANCES_CM[draw.split])
    if draw.split == "unseen":
        way = draw.one_of(("forward", "back"))
    side = {"left": "front-of", "right": "behind", "forward": "left-of", "back": "right-of"}[way]
    n = np.array(UNIT[side][:2])
    draw.put(b)
    draw.put(a, where=lambda p: 0.09 < float((p - draw.places[b]) @ n) < 0.2)
    draw.put(c)
    step = _push_length(draw, a, way, cm)
    name, shift = moves(draw, a, lambda p: float((p - draw.places[b]) @ n) > 0.08)
    return Made(
        seen=f"push {said(a)} {cm} cm {way} while letting it stay {SIDE_WORDS[side]} {said(b)}",
        unseen=f"slide {said(a)} {way} by {cm} cm and keep it {SIDE_WORDS[side]} {said(b)}",
        stages=(move(along(a, step), avoid_side(b, side), moving=a),),
        checks=(
            trace.displaced(a, step),
            trace.stays_on_side(b, UNIT[side], moving=a),
            *all_unmoved([b, c]),
        ),
        moves=name,
        shift_m=shift,
    )


def move_to_region(draw: Draw) -> Made:
    """Move to the [region]."""
    name = draw.one_of(AREAS[draw.split])
    for item in draw.some(3):
        draw.put(item)
    low, high, region = bounds(name)
    return Made(
        seen=f"move to the {AREA_WORDS[name]} of the table",
        unseen=f"please go to the {AREA_WORDS[name]} of the workspace",
        stages=(move(region),),
        checks=(trace.ends_in(low, high), *all_unmoved(list(draw.items))),
    )


def move_keeping_away(draw: Draw) -> Made:
    """Move to the [pos] while staying at least [dist] cm from the [object]."""
    a, b, c = draw.some(3)
    cm, up = draw.number(DISTANCES_CM[draw.split]), 10
    for name in (a, b):
        draw.put(name, clearance_m=0.24)
    draw.put(c)
    offset = free_place(draw, a, "above", up)
    gap = np.linalg.norm(draw.places[a] - draw.places[b])
    if gap - 0.04 < cm / 100 + 0.04:
        raise NoRoomError(a)
    name, shift = moves(
        draw, a, lambda p: float(np.linalg.norm(p - draw.places[b])) - 0.04 > cm / 100 + 0.04
    )
    return Made(
        seen=f"move {up} cm above {said(a)} while staying at least {cm} cm from {said(b)}",
        unseen=f"go {up} cm above {said(a)} and do not get closer than {cm} cm to {said(b)}",
        stages=(move(point(a, offset), avoid_near(b, cm / 100)),),
        checks=(trace.ends_at(a, offset), trace.keeps_away(b, cm / 100)),
        moves=name,
        shift_m=shift,
    )


def move_at_speed_in_region(draw: Draw) -> Made:
    """Move to the [pos] while moving at [velocity] in the [region]."""
    a, b, c = draw.some(3)
    # regions that the gripper does not start in
    name = draw.one_of(("front",) if draw.split == "seen" else ("front-left", "front-right"))
    v = draw.number(SPEEDS_CM_S[draw.split])
    low, high, region = bounds(name)
    draw.put(a, where=lambda p: bool(np.all(p > low + 0.05) and np.all(p < high - 0.05)))
    for item in (b, c):
        draw.put(item)
    offset = free_place(draw, a, "above", 10)
    moved, shift = moves(
        draw, a, lambda p: bool(np.all(p > low + 0.05) and np.all(p < high - 0.05))
    )
    words = AREA_WORDS[name]
    return Made(
        seen=f"move 10 cm above {said(a)} while moving at {v} cm/s in the {words} of the table",
        unseen=f"go 10 cm above {said(a)}, moving at {v} cm/s in the {words} of the workspace",
        stages=(move(point(a, offset), speed(region, v / 100)),),
        checks=(trace.ends_at(a, offset), trace.slow_in(low, high, v / 100)),
        moves=moved,
        shift_m=shift,
    )


def _pushed_to(draw: Draw, a: str, b: str, side: str, cm: int) -> Array:
    """Offset of a place that a can be pushed to, with room to get behind it."""
    offset = offset_of(side, cm)
    end = draw.places[b] + offset[:2]
    way = end - draw.places[a]
    length = float(np.linalg.norm(way))
    if not within_reach(end) or not 0.08 < length < 0.3:
        raise NoRoomError(a)
    unit = way / length
    if not within_reach(draw.places[a] - 0.1 * unit, 0.08) or not draw.is_free(end, 0.085, but=a):
        raise NoRoomError(a)
    for s in np.linspace(-0.08, length, 8):
        if not draw.is_free(draw.places[a] + s * unit, 0.085, but=a):
            raise NoRoomError(a)
    return offset


def push_avoiding(draw: Draw) -> Made:
    """Push the [object] to the [pos] while staying away from the [obstacle]."""
    a, b, c = draw.some(3)
    side = draw.one_of(("left-of", "right-of") if draw.split == "seen" else ("front-of", "behind"))
    cm = draw.number((12, 15) if draw.split == "seen" else (11, 14))
    for name in (a, b):
        draw.put(name)
    draw.put(c, clearance_m=0.2)
    offset = _pushed_to(draw, a, b, side, cm)
    end = draw.places[b] + offset[:2]
    for s in np.linspace(0, 1, 8):
        way = draw.places[a] + s * (end - draw.places[a])
        if np.linalg.norm(way - draw.places[c]) < 0.16:
            raise NoRoomError(c)
    name, shift = moves(draw, a, lambda p: float(np.linalg.norm(p - draw.places[c])) > 0.18)
    place = f"{said(a)} {cm} cm {SIDE_WORDS[side]} {said(b)}"
    return Made(
        seen=f"push {place} while staying away from {said(c)}",
        unseen=f"slide {place} and keep clear of {said(c)}",
        stages=(move(point(b, offset), avoid_near(c, 0.10), moving=a),),
        checks=(
            trace.lies_at(a, b, offset),
            trace.keeps_away(c, 0.10, moving=a, slack_m=0.02),
            *all_unmoved([b, c]),
        ),
        moves=name,
        shift_m=shift,
    )


def push_to(draw: Draw) -> Made:
    """Push the [object] to the [pos]."""
    a, b, c = draw.some(3)
    side = draw.one_of(("left-of", "right-of") if draw.split == "seen" else ("front-of", "behind"))
    cm = draw.number((12, 15) if draw.split == "seen" else (11, 14))
    for name in (a, b, c):
        draw.put(name)
    offset = _pushed_to(draw, a, b, side, cm)
    name, shift = moves(draw, a)
    return Made(
        seen=f"push {said(a)} {cm} cm {SIDE_WORDS[side]} {said(b)}",
        unseen=f"slide {said(a)} to a point {cm} cm {SIDE_WORDS[side]} {said(b)}",
        stages=(move(point(b, offset), moving=a),),
        checks=(trace.lies_at(a, b, offset), *all_unmoved([b, c])),
        moves=name,
        shift_m=shift,
    )
