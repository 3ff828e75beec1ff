"""How programs of a route are written as JSON, for models and agents that choose the route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from embodied.protocols import StateMemory
from embodied.types import Program


class ReadProgram(Protocol):
    """Reads a program."""

    def __call__(self, text: str, memory: StateMemory, source: str) -> Program:
        """The program in a JSON text.

        Args:
            text: An object with the key ``stages``.
            memory: What is believed now.
            source: Who wrote it.

        Raises:
            ProgramError: It is no program of this scene; the diagnostics name the legal values.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramForm:
    """The JSON form of one route's programs.

    Attributes:
        about: How to write them, with the names of this scene between the marks of data.
        read: Reads one.
    """

    about: str
    read: ReadProgram
