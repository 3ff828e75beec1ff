"""Chooses among several answers: by probability of the meaning, less the doubts of the code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from embodied.language.offline.abstention import Doubt
from embodied.language.offline.answer import Answer
from embodied.language.offline.slots import Refusal
from embodied.types import RewardProgram, ValueMapProgram

Meaning = tuple[str, ...] | RewardProgram | ValueMapProgram | Refusal
"""What slots expand to: goal stages, a program, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An answer and what it comes to.

    Attributes:
        answer: What the model wrote.
        meaning: What that expands to.
        doubts: What speaks against it.
    """

    answer: Answer
    meaning: Meaning
    doubts: tuple[Doubt, ...] = ()

    @property
    def weight(self) -> float:
        """Its probability under the model, divided by the weight of every doubt."""
        return self.answer.confidence / math.prod(d.weight for d in self.doubts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The reading that is taken.

    Attributes:
        reading: The likeliest answer of those with the chosen meaning.
        confidence: Probability of all readings of that meaning together, divided by the weights of
            the grave doubts about the one that is taken.
    """

    reading: Reading
    confidence: float


def chosen(found: Sequence[Reading]) -> Choice:
    """The meaning with the greatest weight; every refusal counts as one meaning.

    Args:
        found: Readings of one sentence, at least one; the earlier one wins a draw.
    """
    groups: list[list[Reading]] = []
    for reading in found:
        for group in groups:
            if _same(group[0].meaning, reading.meaning):
                group.append(reading)
                break
        else:
            groups.append([reading])
    best = max(groups, key=_weight)
    taken = max(best, key=lambda r: r.weight)
    grave = math.prod(d.weight for d in taken.doubts if d.grave)
    return Choice(reading=taken, confidence=sum(r.answer.confidence for r in best) / grave)


def _weight(group: Sequence[Reading]) -> float:
    return sum(r.weight for r in group)


def _same(a: Meaning, b: Meaning) -> bool:
    if isinstance(a, Refusal) and isinstance(b, Refusal):
        # what cannot be carried out is no answer; a refusal with a reason is
        return (not a.detail and not b.detail) or a == b
    if isinstance(a, tuple) and isinstance(b, tuple):
        return [_parts(s) for s in a] == [_parts(s) for s in b]
    return a == b


def _parts(stage: str) -> frozenset[str]:
    """The goals of a conjunction, in whichever order they stand."""
    if not stage.startswith("(and "):
        return frozenset({stage})
    parts: list[str] = []
    depth, start = 0, 0
    inner = stage[5:-1]
    for k, character in enumerate(inner):
        if character == "(":
            start = k if depth == 0 else start
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                parts.append(inner[start : k + 1])
    return frozenset(parts)
