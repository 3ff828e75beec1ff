"""The interface of a display: it shows a run while it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from embodied.outcome import Outcome
from embodied.protocols import Event


class Display(Protocol):
    """Shows a run while it happens; what is not overridden shows nothing."""

    def begin(
        self, instruction: str, about: Mapping[str, object], describe: Callable[[str], str]
    ) -> None:
        """A sentence is about to be carried out; ``describe`` puts actions in words."""

    def event(self, event: Event) -> None:
        """Something happened."""

    def drawing(self, drawn: int, of: int) -> None:
        """Pictures are being made."""

    def end(self, outcome: Outcome, folder: Path, summary: Mapping[str, object]) -> None:
        """It is over; ``summary`` is what ``run.json`` says."""

    def close(self) -> None:
        """Take away what moves on the screen; may be called twice."""
