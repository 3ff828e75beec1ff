"""Recovery steps: what is done when reality leaves the plan; every step is on record.

The order of the steps is that of cost: another candidate for the same action, another way through
what is already planned, a new plan, another reading of the goal, a person, and at last a safe stop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class RecoveryStep(Enum):
    """A way to go on; the value says what it is in words."""

    RETRY = "the same action with another candidate"
    BACKTRACK = "another step of the plan, or another branch of the action tree"
    REPLAN = "a new plan from what is measured"
    REINTERPRET = "the goal read again, for what is there now"
    ASK = "ask the person"
    STOP = "stop safe: put down what is held, go home, say what holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """One recovery step that was taken.

    Attributes:
        step: What was done about it.
        reason: What made it necessary.
        action: The action concerned as PDDL text, or ``""``.
        time_s: Time of the world.
    """

    step: RecoveryStep
    reason: str
    action: str = ""
    time_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person is asked.

    Attributes:
        text: The question, to be answered with yes or no.
        kind: ``"help"`` (can you put this right?), ``"irreversible"`` (may I?), ``"unasked"``
            (you did not name this: shall I?), ``"reading"`` (did you mean this?) or ``"choice"``
            (a question of a model: is this the answer?).
        about: Objects or actions concerned.
    """

    text: str
    kind: str
    about: tuple[str, ...] = ()


Ask: TypeAlias = Callable[[Question], bool]
"""Puts a question to a person; True is yes. For help, yes means: it is put right, look again."""


def nobody(question: Question) -> bool:
    """The answer where there is no person to ask: no."""
    return False
