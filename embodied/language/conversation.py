"""What was said and what it was understood to mean, without anything measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from embodied.protocols import StateMemory
from embodied.types import Atom, GroundAction, Observation, Program, SkillResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A ``StateMemory`` without facts: what was said and what it was understood to mean."""

    exchanges: tuple[tuple[str, Program], ...] = ()
    facts: frozenset[Atom] = frozenset()
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    remarks: tuple[str, ...] = ()

    def observed(self, observation: Observation) -> StateMemory:
        """Measurements leave it as it is: reward programs read sensors themselves."""
        del observation
        return self

    def executed(self, action: GroundAction, result: SkillResult) -> StateMemory:
        """There are no symbolic actions."""
        del action, result
        return self

    def told(self, instruction: str, program: Program, meaning: str = "") -> Conversation:
        """Take in a sentence and its program."""
        del meaning
        return replace(self, exchanges=(*self.exchanges, (instruction, program)))
