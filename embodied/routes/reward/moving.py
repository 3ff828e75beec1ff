"""What may move while a reward program is carried out; the rest stands fast in its plan model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from embodied.types import Array, ObjectSpec, Observation, RewardProgram

TOUCH_M = 0.012
"""Items this near to what a program names may move with it."""


def named(program: RewardProgram) -> frozenset[str]:
    """Names that the terms of a program speak of."""
    terms = (t for stage in program.stages for t in stage.terms)
    found = {v for t in terms for v in t.parameters.values() if isinstance(v, str)}
    return frozenset(found | {v.removesuffix("_handle") for v in found})


def loose(
    names: Iterable[str], objects: Mapping[str, ObjectSpec], observation: Observation
) -> frozenset[str]:
    """Items among some names, and those that these touch, or what touches those.

    A drawer touches what lies in it; tables and other things that stand fast pass nothing on.
    """
    seen = {n: observation.poses[n] for n in objects if n in observation.poses}
    moving = {n for n in names if n in seen and objects[n].kind in ("item", "drawer")}
    fresh = set(moving)
    while fresh:
        near = {
            other
            for other, pose in seen.items()
            if objects[other].kind == "item" and other not in moving
            for name in fresh
            if _touch(objects[name], seen[name].position, objects[other], pose.position)
        }
        moving |= near
        fresh = near
    return frozenset(n for n in moving if objects[n].kind == "item")


def _touch(a: ObjectSpec, at: Array, b: ObjectSpec, to: Array) -> bool:
    half = (np.array(a.size_m) + np.array(b.size_m)) / 2
    if a.kind == "item":
        half[:2] = (np.hypot(*a.size_m[:2]) + np.hypot(*b.size_m[:2])) / 2
    return bool((np.abs(at - to) < half + TOUCH_M).all())
