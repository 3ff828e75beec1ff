"""How an instruction ended: exit code, message, verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from embodied.errors import EmbodiedError, ModelError, OptionError, ProgramError
from embodied.protocols import Usage
from embodied.recovery import Escalation
from embodied.types import Program
from embodied.verdict import Verdict

REACHED, NOT_REACHED, NOT_UNDERSTOOD, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: goal reached, not reached, not understood or unsupported, environment or model error,
ended by Ctrl-C."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an instruction ended, judged from what was measured.

    Attributes:
        exit_code: See the constants of this module.
        message: One line for a person.
        verdicts: One per stage that was begun; empty when nothing was judged.
        notes: Repairs and assumptions made on the way.
        program: What was pursued; None when there was no program.
        details: Further fields of ``run.json``.
        timings_s: Wall time per part.
        escalations: Every recovery step, in order.
        usage: What the model calls cost.
        rehearsed: Judged in a twin: nothing is known of the robot itself.
    """

    exit_code: int
    message: str
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()
    program: Program | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    timings_s: Mapping[str, float] = field(default_factory=dict[str, float])
    escalations: tuple[Escalation, ...] = ()
    usage: Usage = field(default_factory=Usage)
    rehearsed: bool = False

    @property
    def reached(self) -> bool:
        """True when everything that was asked was measured to hold, and not in a twin alone."""
        return self.exit_code == REACHED and not self.rehearsed

    @property
    def miss(self) -> tuple[int, float]:
        """How far from reached: parts not met (at least one a stage), and how far they are off."""
        stages = len(getattr(self.program, "stages", ()))
        lost = sum(max(1, len(v.unmet)) for v in self.verdicts if not v.reached)
        return max(stages - len(self.verdicts), 0) + lost, sum(v.off for v in self.verdicts)


def outcome_of_error(error: EmbodiedError) -> Outcome:
    """The exit code and the words for an error that ended an instruction."""
    if isinstance(error, ProgramError):
        lines = tuple(str(d) for d in error.diagnostics) or (str(error),)
        return Outcome(exit_code=NOT_UNDERSTOOD, message=lines[0], notes=lines[1:])
    text = str(error) or type(error).__name__
    if isinstance(error, ModelError):
        text = f"the language model failed: {text}"
    code = NOT_UNDERSTOOD if isinstance(error, OptionError) else BROKEN
    return Outcome(exit_code=code, message=text)


def ladder(escalations: Iterable[Escalation]) -> list[dict[str, object]]:
    """Recovery steps as ``run.json`` lists them."""
    return [
        {
            "rung": e.step.name.lower(),
            "reason": e.reason,
            "action": e.action,
            "time_s": round(e.time_s, 2),
        }
        for e in escalations
    ]
