"""Corrections of where a walk goes: "now backwards"."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from embodied.language.reward.other_feet import Change
from embodied.types import RewardProgram, RewardTerm


def redirected(text: str, program: RewardProgram) -> Change | None:
    """Read "now backwards": the same walk in another direction."""
    match = re.fullmatch(
        r"(?:no )?(?:go |walk |move )?(?:to )?(?P<way>forward|backward|back|left|right)"
        r"(?: (?:instead|again|now|side))*",
        text,
    )
    walks = [t for t in program.stages[-1].terms if t.name == "torso_velocity"]
    if match is None or not walks:
        return None
    forward, left = (float(walks[0].parameters[n]) for n in ("forward", "left"))
    speed = math.hypot(forward, left)
    if speed == 0.0:
        return None
    way = {"forward": (1.0, 0.0), "left": (0.0, 1.0), "right": (0.0, -1.0)}.get(
        match["way"], (-1.0, 0.0)
    )

    def change(term: RewardTerm) -> RewardTerm:
        if term.name != "torso_velocity":
            return term
        values = {"forward": way[0] * speed, "left": way[1] * speed}
        return replace(term, parameters={**term.parameters, **values})

    return change
