"""Corrections that speak of another foot: "the other paw", "the diagonal one instead"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from embodied.language.reward.building import grounded, lifting
from embodied.language.reward.quadruped_feet import diagonal
from embodied.language.words.cursor import Abstain
from embodied.types import RewardProgram, RewardTerm

Terms = tuple[RewardTerm, ...]
Change = Callable[[RewardTerm], RewardTerm]

_WHICH = r"(?: 1| paw| side)?(?: instead)?"


def lifted_feet(program: RewardProgram) -> tuple[str, ...]:
    """Feet that the last stage holds up."""
    return tuple(
        str(t.parameters["foot"])
        for t in program.stages[-1].terms
        if t.name == "foot_lift" and t.parameters.get("height") != 0.0
    )


def other_foot(program: RewardProgram, other: Callable[[str], str], text: str) -> Change | Terms:
    """Hold up ``other(foot)`` in place of the one foot that is held up; raises Abstain."""
    feet = lifted_feet(program)
    if len(feet) != 1:
        raise Abstain(f"'{text}'", "the program in force does not hold up one paw")
    old, new = feet[0], other(feet[0])
    held = next(t for t in program.stages[-1].terms if t.parameters.get("foot") == old)
    height = held.parameters["height"]
    if isinstance(height, float) and program.stages[-1].terms == lifting({old: height}):
        return lifting({new: height})
    down = {str(t.parameters["foot"]): t for t in grounded(old, new)}

    def change(term: RewardTerm) -> RewardTerm:
        foot = term.parameters.get("foot")
        if term.name != "foot_lift" or foot not in (old, new):
            return term
        if foot == new:
            lifted = next(
                t
                for t in program.stages[-1].terms
                if t.name == "foot_lift" and t.parameters.get("foot") == old
            )
            return replace(lifted, parameters={**lifted.parameters, "foot": new})
        return down[old]

    return change


def another_foot(text: str, program: RewardProgram) -> Change | Terms | None:
    """Read "the diagonal one" and "the other paw"; raises Abstain."""
    if re.fullmatch(rf"(?:take |lift |use )?diagonal{_WHICH}", text):
        return other_foot(program, diagonal, text)
    if re.fullmatch(
        r"(?:take |lift |use )?(?:other|opposite)(?: front| rear)?(?: 1| paw| side)?(?: instead)?",
        text,
    ):
        if lifted_feet(program):
            return other_foot(program, _mirrored, text)
    return None


def _mirrored(foot: str) -> str:
    end, side = foot.split("_")
    return f"{end}_{'left' if side == 'right' else 'right'}"
