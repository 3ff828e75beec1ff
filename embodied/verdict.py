"""The verdict: what was asked and what of it was measured; one kind for every route."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One stage of a program as it was measured. Nothing here looks at what was commanded.

    Attributes:
        text: What was asked, as the program states it.
        holds: Parts of it that hold.
        held: Parts that held when the stage was reached and that a later stage undid.
        unmet: Parts that do not hold.
        reason: Why the motion ended early, if it did.
        numbers: What was measured, by name, SI units.
        off: How far the unmet parts are off together, in multiples of what is allowed, where that
            is measured: of two attempts with as many unmet parts the lower one came closer.
        skipped: Whether the stage's own condition did not hold, so that nothing was to be done.
    """

    text: str
    holds: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    reason: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])
    off: float = 0.0
    skipped: bool = False

    @property
    def reached(self) -> bool:
        """Whether everything that was asked was measured to hold."""
        return not self.unmet and not self.reason

    @property
    def problems(self) -> tuple[str, ...]:
        """Why it was not reached, one line each; empty when it was."""
        return (self.reason, *self.unmet) if self.reason else self.unmet

    def without(self, lost: Collection[str]) -> Verdict:
        """The same verdict after the parts in ``lost`` were measured to hold no longer."""
        gone = tuple(part for part in self.holds if part in lost)
        if not gone:
            return self
        holds = tuple(part for part in self.holds if part not in lost)
        return replace(self, holds=holds, unmet=(*self.unmet, *gone))
