"""Features of the critic: the skill, and the measured geometry around its object."""

from __future__ import annotations

import numpy as np

from embodied.types import Array, GroundAction, Observation, WorldSpec

SKILLS = ("take", "place", "stack", "put-in", "slide")
"""Groups of actions that share their motions."""

GROUPS = {
    "pick": "take",
    "unstack": "take",
    "take-out": "take",
    "place": "place",
    "stack": "stack",
    "put-in": "put-in",
    "open": "slide",
    "close": "slide",
}
"""Group of every action of the tabletop domain."""

GEOMETRY = tuple(
    "far near crowded high wide round in-container small-support uncertain attempt".split()
)
"""Geometric features; see ``geometry``."""

NAMES = (*SKILLS, *(f"{s}:{g}" for s in SKILLS for g in GEOMETRY))
"""Names of all features: a constant for every skill, and the geometry for every skill."""

_CROWDED_M = 0.06
_CENTIMETRE = 0.01


def features(
    action: GroundAction,
    observation: Observation,
    spec: WorldSpec,
    *,
    attempt: int,
    pose_sigma_m: float,
) -> Array:
    """Feature vector of an attempt, (len(NAMES),).

    Args:
        action: Action of the tabletop domain.
        observation: Latest measurement.
        spec: The world.
        attempt: Which candidate, from 0.
        pose_sigma_m: Standard deviation of measured object positions, m.

    Raises:
        ValueError: The action is not one of ``GROUPS``.
    """
    group = GROUPS.get(action.name)
    if group is None:
        raise ValueError(f"no outcomes of {action}: the skills are {', '.join(GROUPS)}")
    x = np.zeros(len(NAMES))
    k = SKILLS.index(group)
    x[k] = 1.0
    start = len(SKILLS) + k * len(GEOMETRY)
    x[start : start + len(GEOMETRY)] = geometry(
        action, observation, spec, attempt=attempt, pose_sigma_m=pose_sigma_m
    )
    return x


def geometry(
    action: GroundAction,
    observation: Observation,
    spec: WorldSpec,
    *,
    attempt: int,
    pose_sigma_m: float,
) -> Array:
    """Geometric features, (len(GEOMETRY),), each of the order of one.

    far, near: how much farther than 0.6 m, nearer than 0.35 m from the base, in decimetres.
    crowded: how much nearer than 6 cm the next item is, in centimetres / 6.
    high: height of the place above the table, in decimetres.
    wide: the item's smallest extent as a share of the widest gap of the fingers.
    round: the item or its support is a cylinder or a ball.
    in-container: the item is lower than the rim of a container around it.
    small-support: 4 cm over the smallest extent of what is put on.
    uncertain: standard deviation of positions in centimetres.
    attempt: candidates tried before.
    """
    item = spec.objects[action.args[0]]
    puts = action.name in ("place", "stack", "put-in")
    where = action.args[1] if puts and action.name != "place" else action.args[0]
    position = observation.poses[where].position
    reach = float(np.hypot(position[0], position[1]))
    support = spec.objects[action.args[-1]]
    max_width_m = spec.gripper.max_width_m if spec.gripper else 0.08
    gap_m = _gap_m(where, observation, spec) if action.name != "place" else _CROWDED_M
    inside = action.name in ("take-out", "put-in")
    return np.array(
        [
            max(0.0, reach - 0.6) * 10,
            max(0.0, 0.35 - reach) * 10,
            max(0.0, _CROWDED_M - gap_m) / _CROWDED_M,
            max(0.0, float(position[2])) * 10,
            min(item.size_m[:2]) / max_width_m,
            float(item.shape != "box" or (action.name == "stack" and support.shape != "box")),
            float(inside),
            0.04 / max(min(support.size_m[:2]), 0.01) if action.name == "stack" else 0.0,
            pose_sigma_m / _CENTIMETRE,
            float(attempt),
        ]
    )


def _gap_m(name: str, observation: Observation, spec: WorldSpec) -> float:
    """Horizontal gap between an object and the nearest other item beside it, m."""
    here, own = observation.poses[name].position, spec.objects[name]
    gaps = [_CROWDED_M]
    for other, thing in spec.objects.items():
        if other == name or thing.kind != "item":
            continue
        there = observation.poses[other].position
        if abs(float(there[2] - here[2])) > max(own.size_m[2], thing.size_m[2]) / 2:
            continue
        apart = float(np.linalg.norm((there - here)[:2]))
        gaps.append(max(0.0, apart - (max(own.size_m[:2]) + max(thing.size_m[:2])) / 2))
    return min(gaps)
