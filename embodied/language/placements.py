"""Placements in words."""

from __future__ import annotations

import math

from embodied.language.words.scene_words import plain
from embodied.types import Placement

_RELATIONS = {
    "near": "next to", "away": "away from", "left": "left of", "right": "right of",
    "front": "in front of", "back": "behind",
}  # fmt: skip


def in_place(placement: Placement) -> str:
    """Where a placement puts its thing, as a phrase."""
    of = " and ".join(map(plain, placement.of))
    far = "" if placement.distance_m is None else f"{100 * placement.distance_m:g} cm "
    x, y = placement.by_m
    match placement.relation:
        case "moved":
            ways = ((x, "forward", "back"), (y, "left", "right"))
            return " and ".join(f"{100 * abs(v):g} cm {a if v > 0 else b}" for v, a, b in ways if v)
        case "at":
            return f"where {of} was"
        case "turned":
            degrees = math.degrees(placement.angle_rad)
            way = "counter-clockwise" if degrees > 0 else "clockwise"
            return f"turned by {abs(degrees):.3g} degrees {way}"
        case "part":
            ends = ({1: "front", -1: "back"}.get(int(x)), {1: "left", -1: "right"}.get(int(y)))
            return f"at the {' '.join(filter(None, ends))} of {of}"
        case "middle" | "edge" | "corner" as part:
            return f"at the {part} of {of}"
        case relation:
            return f"{far}{_RELATIONS.get(relation, relation)} {of}"
