"""Analogues of the five real tasks (arXiv 2307.05973, section 4.2)."""

from __future__ import annotations

import numpy as np

from embodied.bench.voxposer import trace
from embodied.bench.voxposer.case import Made, bounds, free_place, stage
from embodied.bench.voxposer.scenes import HOME, Draw, NoRoomError, Thing
from embodied.language.value_map.building import (
    along,
    grasp,
    near,
    obstacle,
    point,
    release,
    target,
    turn,
)
from embodied.language.value_map.vocabulary import SIDES

PLATE_M = np.array([0.48, 0.0])


def move_and_avoid(draw: Draw) -> Made:
    """Move above one thing and stay away from another that stands in between."""
    a, b = draw.some(2)
    draw.put(a, where=lambda p: p[0] > 0.5 and abs(p[1]) > 0.1)
    middle = (HOME[:2] + draw.places[a]) / 2
    tall = Thing(category="bottle", color="white", shape="cylinder", size_m=(0.06, 0.06, 0.2))
    draw.put("bottle", tall, where=lambda p: np.linalg.norm(p - middle) < 0.07, clearance_m=0.2)
    draw.put(b)
    offset = free_place(draw, a, "above", 10)
    return Made(
        (stage(target(point(a, SIDES["above"], 0.10)), obstacle(near("bottle", 0.10))),),
        (trace.ends_at(a, offset), trace.keeps_away("bottle", 0.10), trace.unmoved("bottle")),
        draw.moved(a, lambda p: np.linalg.norm(p - draw.places["bottle"]) > 0.2),
    )


def set_table(draw: Draw) -> Made:
    """Put fork and spoon beside the plate."""
    draw.fixed["surface"] = {
        "name": "plate",
        "category": "plate",
        "color": draw.choices.color[0],
        "shape": "cylinder",
        "size_m": [0.16, 0.16, 0.03],
        "position_m": PLATE_M.tolist(),
    }
    fork = Thing(category="fork", color="black", size_m=(0.11, 0.03, 0.025), mass_kg=0.04)
    spoon = Thing(category="spoon", color="red", size_m=(0.09, 0.04, 0.025), mass_kg=0.04)
    for name, thing in (("fork", fork), ("spoon", spoon)):
        draw.put(name, thing, where=lambda p: 0.21 < abs(p[1]) < 0.3)
    beside = {"fork": "left-of", "spoon": "right-of"}
    offsets = {name: 0.15 * np.array(SIDES[side]) for name, side in beside.items()}
    for name, other in (("spoon", "fork"), ("fork", "spoon")):  # neither lies where the other goes
        if np.linalg.norm(draw.places[name] - PLATE_M - offsets[other][:2]) < 0.14:
            raise NoRoomError(name)
    stages = (
        (stage(*grasp(name)), stage(*release(point("plate", SIDES[side], 0.15))))
        for name, side in beside.items()
    )
    return Made(
        tuple(s for both in stages for s in both),
        tuple(trace.lies_at(name, "plate", o, free=True) for name, o in offsets.items()),
        draw.moved("spoon"),
    )


def open_bottle(draw: Draw) -> Made:
    """Turn a loose cap by a quarter and take it off; there is no thread."""
    x, y = (float(v) for v in draw.rng.uniform((0.42, -0.18), (0.56, 0.18)))
    draw.fixed["surface"] = {
        "name": "bottle",
        "category": "bottle",
        "color": draw.choices.color[0],
        "shape": "cylinder",
        "size_m": [0.06, 0.06, 0.11],
        "position_m": [round(x, 3), round(y, 3)],
    }
    cap = Thing(category="cap", color="red", size_m=(0.04, 0.04, 0.04), mass_kg=0.03)
    draw.items["cap"], draw.places["cap"], draw.on["cap"] = cap, np.array([x, y]), "bottle"
    draw.put(draw.some(1)[0])
    return Made(
        (
            stage(*grasp("cap")),
            stage(turn(np.pi / 2)),
            stage(target(along("gripper", SIDES["above"], 0.12))),
        ),
        (trace.turned("cap", 45), trace.lifted_off("cap", "bottle")),
    )


def sweep_trash(draw: Draw) -> Made:
    """Push the trash to one side of the table."""
    side = draw.word("side")
    sign = 1.0 if side == "left" else -1.0
    low, high, region = bounds(side)
    names = draw.choices.names
    for name, color in zip(names, draw.choices.color, strict=True):
        trash = Thing(category="trash", color=color, size_m=(0.045, 0.045, 0.045), mass_kg=0.05)
        draw.put(name, trash, where=lambda p: -0.16 < sign * p[1] < -0.05)
    draw.put(draw.some(1)[0], where=lambda p: sign * p[1] > 0.2)
    return Made(
        tuple(stage(target(region), moving=name) for name in names),
        tuple(trace.lies_in(name, low, high) for name in names),
        draw.moved(names[1], lambda p: sign * p[1] < -0.05),
    )
