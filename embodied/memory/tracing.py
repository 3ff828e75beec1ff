"""The memory of a run, whose every change goes to the run folder as it is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from embodied.errors import ConfigurationError
from embodied.memory import (
    MEMORY_LOG,
    Change,
    LoggedMemory,
    Memory,
    MemoryLog,
    Sync,
    Vocabulary,
    replay,
)
from embodied.protocols import Emit, Event, SymbolGrounder
from embodied.symbolic import read_domain
from embodied.types import Atom

MEMORY = "memory"
"""Kind of the events that carry a change; ``perform`` writes them to ``memory.jsonl``."""


def traced_memory(grounder: SymbolGrounder, emit: Emit) -> LoggedMemory:
    """An empty memory whose changes become events."""
    return LoggedMemory(
        memory=empty_memory(grounder),
        log=lambda change: emit(Event(kind=MEMORY, data={"change": change})),
    )


def empty_memory(grounder: SymbolGrounder) -> Memory:
    """A memory of a scene that believes nothing yet."""
    vocabulary = Vocabulary(
        domain=read_domain(grounder.domain_text), objects=dict(grounder.objects)
    )
    return Memory(vocabulary=vocabulary, grounder=grounder)


def remembered_facts(folder: Path, grounder: SymbolGrounder) -> frozenset[Atom] | None:
    """What an interrupted run believed last; None where it had not begun to.

    Raises:
        ConfigurationError: Its memory's log is garbled before its last line.
    """
    path = folder / MEMORY_LOG
    if not path.is_file():
        return None
    memory = replay(empty_memory(grounder), path)
    return memory.facts if memory.step else None


class MemoryTrace:
    """Writes the changes of a run's memory to its folder; a failure costs the log, not the run.

    Args:
        folder: The run folder.
        on_loss: Told once, with the reason, when the log cannot be written any more.
    """

    def __init__(self, folder: Path, on_loss: Callable[[str], None]) -> None:
        self._path = folder / MEMORY_LOG
        self._on_loss = on_loss
        self._log: MemoryLog | None = None
        self._lost = False

    def append(self, change: Change) -> None:
        """Write a change."""
        if self._lost:
            return
        try:
            if self._log is None:
                self._log = MemoryLog(self._path, sync=Sync.NEVER)
            self._log.append(change)
        except (OSError, ConfigurationError, ValueError) as error:
            self._lost = True
            self._on_loss(str(error))

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._log is not None:
            self._log.close()
            self._log = None
