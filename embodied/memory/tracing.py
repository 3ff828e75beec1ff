"""The memory of a run, whose every change goes to the run folder as it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
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
from embodied.memory.history import Notebook
from embodied.memory.vocabulary import OPPOSITES
from embodied.protocols import Emit, Event, SymbolGrounder
from embodied.symbolic import Domain, read_domain
from embodied.types import Program

MEMORY = "memory"
"""Kind of the events that carry a change; ``perform`` writes them to ``memory.jsonl``."""


def traced(
    notebook: Notebook, emit: Emit, exchanges: tuple[tuple[str, Program], ...] = ()
) -> LoggedMemory:
    """The memory of a notebook, whose changes become events and are followed by the notebook.

    Args:
        notebook: What is remembered; a new log begins with all of it.
        emit: Takes the events.
        exchanges: The latest sentences and their programs.
    """

    def log(change: Change) -> None:
        notebook.take(change)
        emit(Event(kind=MEMORY, data={"change": change}))

    memory, recalled = notebook.reopened()
    logged = LoggedMemory(memory=replace(memory, exchanges=exchanges), log=log)
    return logged if recalled is None else logged.became(logged.memory.applied(recalled))


def empty_memory(grounder: SymbolGrounder, *, complete: bool = False) -> Memory:
    """A memory of a scene that believes nothing yet.

    Args:
        grounder: Turns measurements into facts.
        complete: Whether a measurement shows everything that nothing covers.
    """
    vocabulary = scene_vocabulary(read_domain(grounder.domain_text), grounder.objects)
    return Memory(vocabulary=vocabulary, grounder=grounder, complete=complete)


def scene_vocabulary(domain: Domain, objects: Mapping[str, str]) -> Vocabulary:
    """The vocabulary of a scene: its domain, weights, and any word that people tell."""
    return Vocabulary(
        domain=domain,
        objects=dict(objects),
        opposites=OPPOSITES,
        contagious=frozenset(),
        any_word=True,
    )


def remembered(folder: Path, empty: Memory) -> Memory | None:
    """What an interrupted run believed last; None where it had not begun to.

    Args:
        folder: The run folder.
        empty: The memory before anything was believed.

    Raises:
        ConfigurationError: Its memory's log is garbled before its last line.
    """
    path = folder / MEMORY_LOG
    if not path.is_file():
        return None
    memory = replay(empty, path)
    return memory if memory.step else None


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
