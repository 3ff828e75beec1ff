"""Sentences that ask for a goal, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A way to ask for something in English.

    Attributes:
        words: Words in lower case; ``{x}`` stands for the objects spoken of, e.g.
            ``"push {x} away"``.
        kind: Kind of these objects, ``"item"`` or ``"drawer"``.
        goal: What shall hold of each of them: an atom in PDDL, e.g. ``"(far {x})"``.
    """

    words: str
    goal: str
    kind: str = "item"
