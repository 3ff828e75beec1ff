"""Surface slots: the compact text that the narrow model writes instead of programs.

The model only picks words and numbers that stand in (or follow from) the sentence. Code turns them
into programs: it assigns signs, frames, units and defaults, resolves "all red" to objects, and
hands the result to the same validators as every other translator's programs. A grammar made from
the scene's own names keeps the model from writing anything else.

An answer is either statements (``;`` joins what holds together, ``then`` orders) or
``cannot REASON``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from embodied.errors import Diagnostic

REASONS: Mapping[str, str] = {
    "object": "the sentence names something that is not here",
    "ambiguous": "more than one thing could be meant: say which",
    "action": "this robot cannot do that",
    "relation": "this relation between things cannot be expressed here",
    "range": "a number in the sentence is outside what the robot can do",
    "chat": "this is not an instruction",
}
"""Why a sentence is refused."""


REFUSED = ("object", "ambiguous", "action", "range", "chat")
"""Reasons that answers about rewards and value maps give."""

CHANGES: Mapping[str, float] = {
    "more": 1.5,
    "less": 0.6,
    "double": 2.0,
    "half": 0.5,
    "opposite": -1.0,
}
"""Factors of the one-word corrections."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An explicit "cannot", with its reason class and what a person should read."""

    reason: str
    detail: str = ""

    def diagnostic(self) -> Diagnostic:
        """The refusal as the diagnostic that translators raise."""
        problem = REASONS[self.reason] + (f": {self.detail}" if self.detail else "")
        return Diagnostic(where="sentence", problem=problem)


class SlotError(ValueError):
    """Text that is not in the slot language; cannot happen to grammar-constrained output."""


def refusal(text: str) -> Refusal | None:
    """The refusal that ``text`` is, or None."""
    match = re.fullmatch(r"\s*cannot (\w+)\s*", text)
    if match is None:
        return None
    if match[1] not in REASONS:
        raise SlotError(f"unknown reason {match[1]!r}, legal: {', '.join(REASONS)}")
    return Refusal(match[1])


def stages(text: str) -> list[list[list[str]]]:
    """Stages of statements of words.

    Raises:
        SlotError: A statement is empty.
    """
    result: list[list[list[str]]] = []
    for stage in text.strip().split(" then "):
        statements = [s.split() for s in stage.split(";")]
        if not all(statements):
            raise SlotError(f"empty statement in {text!r}")
        result.append(statements)
    return result
