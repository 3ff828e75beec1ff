"""Sentences that no grammar reads: whoever carries them out has to find out what they ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from embodied.errors import ConfigurationError, Diagnostic, NotUnderstoodError, OptionError
from embodied.opening import Opening
from embodied.protocols import StateMemory, Translator
from embodied.records import Record
from embodied.route import Route, Run, StageRun
from embodied.settings import TOOLS
from embodied.types import Program, WorldSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProgram:
    """A command that is to be done and that no grammar reads.

    Attributes:
        sentence: The command.
        unread: Why no grammar reads it.
        source: Nobody has written a program yet.
        notes: None.
    """

    sentence: str
    unread: tuple[Diagnostic, ...]
    source: str = TOOLS
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.sentence


class OpenTranslator:
    """Reads commands by a grammar, and leaves open what it does not read.

    Behind the interpreter it sees commands alone: questions, statements, prohibitions and doubts
    are treated before, as with every other translator.

    Args:
        grammar: Reads what it can.
        name: Who finds out about the rest.
    """

    def __init__(self, grammar: Translator, name: str) -> None:
        self._grammar, self.name = grammar, name

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """The grammar's program, or an ``OpenProgram``."""
        try:
            return self._grammar.translate(instruction, memory, spec)
        except NotUnderstoodError as error:
            return OpenProgram(sentence=instruction.strip(), unread=error.diagnostics)


class OpenRoute(Route[OpenProgram]):
    """Refuses what was left open: a model finds out what it asks, with tools."""

    name: ClassVar[str] = TOOLS
    program = OpenProgram

    @classmethod
    def open(cls, opening: Opening) -> OpenRoute:
        """There is nothing to open by itself."""
        del opening
        raise OptionError("tools are a strategy, not a route: give --strategy tools")

    def check(self, program: OpenProgram) -> tuple[Diagnostic, ...]:
        """Why it is not carried out as it is."""
        return program.unread

    def stages(self, program: OpenProgram) -> tuple[str, ...]:
        """The sentence."""
        return (program.sentence,)

    def begin(self, program: OpenProgram, number: int, run: Run, *, done: bool = False) -> StageRun:
        """Never: ``check`` refuses every program."""
        del number, run, done
        raise NotUnderstoodError(program.sentence, program.unread)

    def record(self, program: OpenProgram) -> Mapping[str, object]:
        """The sentence is on record already."""
        del program
        return {}

    def read(self, record: Record, folder: Path) -> OpenProgram:
        """There is no program to read."""
        del record
        raise ConfigurationError(f"{folder}: the sentence was left open, there is no program")
