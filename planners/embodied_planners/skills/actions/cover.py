"""Put a held cover, such as an upturned cup, over an item."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from embodied.protocols import Skill
from embodied.types import Atom, ObjectSpec, Observation, Pose
from embodied_planners.skills.actions.uncover import has_covers
from embodied_planners.skills.geometry import bottom_z, half_extent, upright
from embodied_planners.skills.placements import RELEASE_M
from embodied_planners.skills.placing import QUARTER, let_go, yawed
from embodied_planners.skills.skill import TabletopSkill
from embodied_planners.skills.workcell import Workcell

PLAY_M = 0.004
"""Least gap between an item and the inside of a cover over it."""


def cover(cell: Workcell, args: tuple[str, ...], observation: Observation, attempt: int) -> Skill:
    """Put the held cover over an item, centred on it."""
    held, item, surface = args
    spec, poses = cell.spec.objects, observation.poses
    cell.look(observation, holding=held)
    rotation = upright(poses[held].rotation)
    half = half_extent(spec[held], Pose.from_rotation(rotation), np.array([0.0, 0.0, 1.0]))
    z = bottom_z(spec[item], poses[item]) + half + RELEASE_M
    pose = Pose.from_rotation(rotation, np.array([*poses[item].position[:2], z]))
    turns = [k * QUARTER / 2 for k in (0, 1, -1, 2, -2, 3, -3, 4)]
    shift = attempt % len(turns)
    candidates = (yawed(pose, angle) for angle in turns[shift:] + turns[:shift])
    return (yield from let_go(cell, held, surface, candidates, observation))


def room(objects: Mapping[str, ObjectSpec], observation: Observation) -> Iterable[Atom]:
    """Which covers are large enough for which items."""
    del observation
    items = {n: o for n, o in objects.items() if o.kind == "item"}
    for c, o in items.items():
        radius, height = o.inner_size_m[0] / 2 - PLAY_M, o.inner_size_m[2] - PLAY_M
        for x, p in items.items():
            half = p.size_m[0] / 2 if p.shape != "box" else math.hypot(*p.size_m[:2]) / 2
            if c != x and half <= radius and p.size_m[2] <= height:
                yield Atom("covers", (c, x))


SKILL = TabletopSkill(
    rank=10,
    predicates="(covers ?c - item ?x - item)      ; static: the cover c is large enough for x",
    measure=room,
    needs=has_covers,
    action="""
  ; put the held cover c over x
  (:action cover
    :parameters (?c - item ?x - item ?s - surface)
    :precondition (and (holding ?c) (covers ?c ?x) (on ?x ?s) (clear ?x))
    :effect (and (on ?c ?s) (clear ?c) (hand-empty) (not (holding ?c)) (under ?x ?c)
                 (not (clear ?x))))""",
    generate=cover,
    explanation="Put {0} on {2}, over {1}.",
)
