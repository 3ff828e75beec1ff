"""Every exception that this project raises on purpose, under one root.

Expected outcomes (no plan exists, a grasp failed, a time limit passed) are values, not exceptions.
An exception means that somebody must change something: the model its text, the user the
configuration, the programmer the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class EmbodiedError(Exception):
    """Root of all errors raised by this project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem in a program, written so that a model or a person can act on it.

    Attributes:
        where: Place of the problem, e.g. ``"goal, line 3"`` or ``"stages[0].terms[2].norm"``.
        problem: What is wrong, naming the offending value.
        hint: How to mend it; names the legal values where there is a finite set of them.
    """

    where: str
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" + (f" ({self.hint})" if self.hint else "")


class ProgramError(EmbodiedError, ValueError):
    """A program (or the sentence that should become one) is not usable.

    Attributes:
        raw: The text as it came from the model or from the user.
        diagnostics: What is wrong with it; never empty.
    """

    def __init__(self, raw: str, diagnostics: Sequence[Diagnostic]) -> None:
        self.raw = raw
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(str(d) for d in self.diagnostics) or "unusable program")


class NotUnderstoodError(ProgramError):
    """The translator abstains: the sentence is outside what it can translate with certainty."""


class RefusedError(NotUnderstoodError):
    """The translator has understood enough to refuse: no other translator is to guess."""


class ModelError(EmbodiedError):
    """A language model could not be reached or did not answer (down, slow, refused, no budget)."""


class ModelTimeoutError(ModelError, TimeoutError):
    """A language model did not answer in time."""


class BudgetExceededError(ModelError):
    """The configured budget of calls or tokens is spent."""


class ReplayMissError(ModelError, LookupError):
    """A replayed model was asked something that its recording does not hold."""


class WorldError(EmbodiedError):
    """A simulator or a robot failed."""


class HardwareFault(WorldError):  # noqa: N818 - the field's word for it
    """The robot reported a fault: stop the arm and never retry."""


class ConfigurationError(EmbodiedError, ValueError):
    """A file or option given by the user is wrong; the message names the legal values."""


class OptionError(ConfigurationError):
    """An option names nothing that exists, or does not go with the others."""


class EnvironmentMissingError(EmbodiedError, ImportError):
    """A package, program or system library is missing; the message says how to install it."""
