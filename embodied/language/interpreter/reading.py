"""What a sentence was read as: a typed value with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from embodied.types import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What every reading tells.

    Attributes:
        by: Who read it: ``"rules"``, ``"interpreter"`` or a model's name.
        evidence: Words of the sentence that made it this kind, and reasons in words.
        used: Content words that are aligned with a part of the reading.
        unused: Content words that are not.
        confidence: Probability that the reading is right, as its reader gives it; 1 for rules.
    """

    by: str
    evidence: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(Read):
    """Something to be done.

    Attributes:
        program: What to pursue.
    """

    program: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Read):
    """A question, to be answered without motion.

    Attributes:
        question: The question.
    """

    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell(Read):
    """A statement, to be remembered without motion.

    Attributes:
        statement: What was stated.
        rule: Whether it was a rule, which is kept and held against later programs.
    """

    statement: str
    rule: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Read):
    """Not certain enough to act: a person is asked first.

    Attributes:
        question: What to ask, in words.
        program: What is pursued if the answer is yes; None where yes is no answer.
    """

    question: str
    program: Program | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Read):
    """Nothing to be done, and why.

    Attributes:
        reason: In words.
    """

    reason: str


Reading: TypeAlias = Act | Answer | Tell | Ask | Refuse
"""A sentence is one of these."""


def kind_of(reading: Reading) -> str:
    """``"act"``, ``"answer"``, ``"tell"``, ``"ask"`` or ``"refuse"``."""
    return type(reading).__name__.lower()
