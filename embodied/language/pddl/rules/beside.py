"""Where things lie beside each other now: which one is meant, and where one is to go."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from embodied.language.words.extremes import Places
from embodied.types import ObjectSpec

NEAR_M, AROUND_M = 0.09, 0.25
"""Gap to a thing that is "next to" another, and on a side of it, when people tell them apart."""
SIDES: Mapping[str, tuple[float, float]] = {
    "left": (0.0, 1.0), "right": (0.0, -1.0), "front": (1.0, 0.0), "back": (-1.0, 0.0),
}  # fmt: skip


def lies(
    relation: str, name: str, others: Sequence[str], places: Places, specs: Mapping[str, ObjectSpec]
) -> bool:
    """Whether a thing lies in a relation to others now, as people would say it."""
    here, there = places[name], [places[o] for o in others]
    if relation == "between":
        a, b = there
        way = (b[0] - a[0], b[1] - a[1])
        length = max(math.hypot(*way), 1e-9)
        offset = (here[0] - a[0], here[1] - a[1])
        share = (offset[0] * way[0] + offset[1] * way[1]) / length**2
        aside = abs(offset[0] * way[1] - offset[1] * way[0]) / length
        return 0.15 < share < 0.85 and aside < 0.05
    offset = (here[0] - there[0][0], here[1] - there[0][1])
    sizes = [[s / 2 for s in specs[n].size_m[:2]] for n in (name, others[0])]
    gaps = [max(abs(offset[i]) - sizes[0][i] - sizes[1][i], 0.0) for i in (0, 1)]
    if relation == "near":
        return math.hypot(*gaps) <= NEAR_M
    x, y = SIDES[relation]
    ahead = offset[0] * x + offset[1] * y
    aside = abs(offset[0] * y + offset[1] * x)
    across = sizes[1][0] * abs(y) + sizes[1][1] * abs(x)
    return 0 < ahead and aside <= max(ahead, across) and math.hypot(*gaps) <= AROUND_M
