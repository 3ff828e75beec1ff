"""The memory of a run, whose every change goes to the run folder as it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embodied.errors import ConfigurationError
from embodied.memory import MEMORY_LOG, Change, Memory, MemoryLog, Sync, Vocabulary, replay
from embodied.protocols import Emit, Event, SymbolGrounder
from embodied.symbolic import read_domain
from embodied.types import Atom, GroundAction, Observation, Program, SkillResult

MEMORY = "memory"
"""Kind of the events that carry a change; ``perform`` writes them to ``memory.jsonl``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedMemory:
    """A ``StateMemory`` that tells every change of the memory inside.

    Follow one line of descent: a change that is told twice does not fit into the log.

    Attributes:
        memory: What is believed.
        tell: Receives each change as it is made.
    """

    memory: Memory
    tell: Callable[[Change], None]

    @property
    def facts(self) -> frozenset[Atom]:
        """Ground atoms that are believed to hold."""
        return self.memory.facts

    @property
    def exchanges(self) -> tuple[tuple[str, Program], ...]:
        """The latest sentences and their programs."""
        return self.memory.exchanges

    def observed(self, observation: Observation) -> TracedMemory:
        """Take in a measurement."""
        return self._next(self.memory.observed(observation))

    def executed(self, action: GroundAction, result: SkillResult) -> TracedMemory:
        """Take in that an action was carried out."""
        return self._next(self.memory.executed(action, result))

    def told(self, instruction: str, program: Program) -> TracedMemory:
        """Take in a sentence and what it was understood to mean."""
        return self._next(self.memory.told(instruction, program))

    def _next(self, memory: Memory) -> TracedMemory:
        if memory.change is not None and memory.change is not self.memory.change:
            self.tell(memory.change)
        return TracedMemory(memory=memory, tell=self.tell)


def traced_memory(grounder: SymbolGrounder, emit: Emit) -> TracedMemory:
    """An empty memory whose changes become events."""
    return TracedMemory(
        memory=empty_memory(grounder),
        tell=lambda change: emit(Event(kind=MEMORY, data={"change": change})),
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
