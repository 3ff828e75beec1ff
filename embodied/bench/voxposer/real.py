"""Analogues of the five real tasks (arXiv 2307.05973, section 4.2)."""

from __future__ import annotations

import numpy as np

from embodied.bench.voxposer import trace
from embodied.bench.voxposer.case import (
    Made,
    bounds,
    closing_drawer,
    free_place,
    moves,
    said,
)
from embodied.bench.voxposer.program import (
    along,
    avoid_near,
    grasp,
    move,
    point,
    release_at,
    turn,
)
from embodied.bench.voxposer.scenes import (
    HOME,
    Draw,
    NoRoomError,
    Thing,
)


def move_and_avoid(draw: Draw) -> Made:
    """Move above one thing and stay away from another that stands in between."""
    a, b = draw.some(2)
    draw.put(a, where=lambda p: p[0] > 0.5 and abs(p[1]) > 0.1)
    goal = draw.places[a]
    middle = (HOME[:2] + goal) / 2
    tall = Thing(category="bottle", color="white", shape="cylinder", size_m=(0.06, 0.06, 0.2))
    draw.put(
        "bottle",
        tall,
        where=lambda p: float(np.linalg.norm(p - middle)) < 0.07,
        clearance_m=0.2,
    )
    draw.put(b)
    offset = free_place(draw, a, "above", 10)
    name, shift = moves(draw, a, lambda p: float(np.linalg.norm(p - draw.places["bottle"])) > 0.2)
    return Made(
        seen=f"move above {said(a)} while staying at least 10 cm from the bottle",
        unseen=f"go over {said(a)} and keep at least 10 cm away from the bottle",
        stages=(move(point(a, offset), avoid_near("bottle", 0.10)),),
        checks=(
            trace.ends_at(a, offset),
            trace.keeps_away("bottle", 0.10),
            trace.unmoved("bottle"),
        ),
        moves=name,
        shift_m=shift,
    )


PLATE_M = np.array([0.48, 0.0])
_PLATE = """
[[surface]]
name = "plate"
category = "plate"
color = "{color}"
shape = "cylinder"
size_m = [0.16, 0.16, 0.03]
position_m = [0.48, 0.0]
"""


def set_table(draw: Draw) -> Made:
    """Put fork and spoon beside the plate."""
    draw.fixed.append(_PLATE.format(color="blue" if draw.split == "seen" else "green"))
    fork = Thing(category="fork", color="black", size_m=(0.11, 0.03, 0.025), mass_kg=0.04)
    spoon = Thing(category="spoon", color="red", size_m=(0.09, 0.04, 0.025), mass_kg=0.04)
    for name, thing in (("fork", fork), ("spoon", spoon)):
        draw.put(name, thing, where=lambda p: 0.21 < abs(p[1]) < 0.3)
    left, right = np.array([0.0, 0.15, 0.0]), np.array([0.0, -0.15, 0.0])
    for name, offset in (("spoon", left), ("fork", right)):  # neither lies where the other goes
        if np.linalg.norm(draw.places[name] - PLATE_M - offset[:2]) < 0.14:
            raise NoRoomError(name)
    stages = (
        grasp("fork"),
        release_at(point("plate", left)),
        grasp("spoon"),
        release_at(point("plate", right)),
    )
    name, shift = moves(draw, "spoon")
    return Made(
        seen="set the table for dinner",
        unseen="put the fork 15 cm left of the plate, then put the spoon 15 cm right of the plate",
        stages=stages,
        checks=(
            trace.lies_at("fork", "plate", left, free=True),
            trace.lies_at("spoon", "plate", right, free=True),
        ),
        moves=name,
        shift_m=shift,
    )


def close_drawer(draw: Draw) -> Made:
    """Close the drawer, in everyday words."""
    return closing_drawer("close the drawer", "shut the drawer", draw)


_BOTTLE = """
[[surface]]
name = "bottle"
category = "bottle"
color = "{color}"
shape = "cylinder"
size_m = [0.06, 0.06, 0.11]
position_m = [{x:.3f}, {y:.3f}]
"""


def open_bottle(draw: Draw) -> Made:
    """Turn a loose cap by a quarter and take it off; there is no thread."""
    x, y = draw.rng.uniform((0.42, -0.18), (0.56, 0.18))
    draw.fixed.append(_BOTTLE.format(color="green" if draw.split == "seen" else "blue", x=x, y=y))
    cap = Thing(category="cap", color="red", size_m=(0.04, 0.04, 0.04), mass_kg=0.03)
    draw.items["cap"], draw.places["cap"], draw.on["cap"] = cap, np.array([x, y]), "bottle"
    draw.put(draw.some(1)[0])
    quarter = (0.0, 0.7071067811865476, -0.7071067811865475, 0.0)
    return Made(
        seen="open the bottle",
        unseen="unscrew the bottle",
        stages=(
            grasp("cap"),
            turn(quarter),
            move(along("gripper", (0.0, 0.0, 0.12))),
        ),
        checks=(trace.turned("cap", np.deg2rad(45)), trace.lifted_off("cap", "bottle")),
    )


def sweep_trash(draw: Draw) -> Made:
    """Push the trash to one side of the table."""
    side = draw.one_of(("left", "right"))
    sign = 1.0 if side == "left" else -1.0
    low, high, region = bounds(side)
    names = ("paper", "peel") if draw.split == "seen" else ("wrapper", "crumb")
    colors = ("yellow", "brown") if draw.split == "seen" else ("orange", "purple")
    for name, color in zip(names, colors, strict=True):
        trash = Thing(category="trash", color=color, size_m=(0.045, 0.045, 0.045), mass_kg=0.05)
        draw.put(name, trash, where=lambda p: -0.16 < sign * p[1] < -0.05)
    draw.put(draw.some(1)[0], where=lambda p: sign * p[1] > 0.2)
    moved, shift = moves(draw, names[1], lambda p: sign * p[1] < -0.05)
    return Made(
        seen=f"sweep all the trash to the {side} side of the table",
        unseen=f"push every trash to the {side} half of the workspace",
        stages=tuple(move(region, moving=name) for name in names),
        checks=tuple(trace.lies_in(name, low, high) for name in names),
        moves=moved,
        shift_m=shift,
    )
