"""A state memory that writes each of its changes to a log, for whoever passes memories on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from embodied.memory.facts import Change, Contradiction
from embodied.memory.memory import Memory
from embodied.types import Atom, GroundAction, Observation, Program, SkillResult


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedMemory:
    """A ``Memory`` whose every step is in a log before the next one begins.

    Implements ``protocols.StateMemory``. Only the latest one can be continued, because a log has
    one end: continuing an earlier one raises ValueError.

    Attributes:
        memory: What is believed.
        log: Takes each change, in order: ``MemoryLog.append``, or whoever passes it on.
    """

    memory: Memory
    log: Callable[[Change], None]

    @property
    def facts(self) -> frozenset[Atom]:
        """Ground atoms that are believed to hold."""
        return self.memory.facts

    @property
    def attributes(self) -> Mapping[str, frozenset[str]]:
        """Words that were told of objects, with the objects."""
        return self.memory.attributes

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is told or remembered and not measured now, one line each."""
        return self.memory.remarks

    @property
    def exchanges(self) -> tuple[tuple[str, Program], ...]:
        """The latest sentences of this process and their programs, oldest first."""
        return self.memory.exchanges

    @property
    def contradictions(self) -> tuple[Contradiction, ...]:
        """Beliefs that the latest measurement refuted."""
        return self.memory.contradictions

    def observed(self, observation: Observation) -> LoggedMemory:
        """Take in a measurement; raises OSError when it cannot be logged, as the others do."""
        return self.became(self.memory.observed(observation))

    def executed(self, action: GroundAction, result: SkillResult) -> LoggedMemory:
        """Take in that an action was carried out."""
        return self.became(self.memory.executed(action, result))

    def told(self, instruction: str, program: Program, meaning: str = "") -> LoggedMemory:
        """Take in a sentence, what it was understood to mean, and that in words."""
        return self.became(self.memory.told(instruction, program, meaning))

    def ended(self, verdict: str) -> LoggedMemory:
        """Take in how the latest sentence ended."""
        return self.became(self.memory.ended(verdict))

    def became(self, memory: Memory) -> LoggedMemory:
        """Log the step that led to ``memory``, e.g. what a writer made of a proposal."""
        if memory.step != self.memory.step and memory.change is not None:
            self.log(memory.change)
        return replace(self, memory=memory)
