"""Memory of a conversation about rewards, and the edits that a correction makes to a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from embodied.protocols import StateMemory
from embodied.types import (
    Atom,
    GroundAction,
    Observation,
    Program,
    RewardProgram,
    RewardStage,
    RewardTerm,
    SkillResult,
)


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


def current(memory: StateMemory) -> RewardProgram | None:
    """The reward program in force, None at the start of a conversation."""
    for _, program in reversed(memory.exchanges):
        if isinstance(program, RewardProgram):
            return program
    return None


def subject(term: RewardTerm) -> tuple[str, ...]:
    """What a term is about: its name and the names among its parameters."""
    return (term.name, *(v for v in term.parameters.values() if isinstance(v, str)))


def amended(program: RewardProgram, changes: RewardStage, *, source: str) -> RewardProgram:
    """The program's last stage with other terms put in: "keep that and also lift the left paw".

    A term of ``changes`` replaces the one with the same subject (same name, foot, joint, object);
    terms with other subjects stay.
    """
    new = {subject(t) for t in changes.terms}
    kept = tuple(t for t in program.stages[-1].terms if subject(t) not in new)
    stage = replace(changes, terms=(*kept, *changes.terms), guards=())
    return RewardProgram(
        robot=program.robot, stages=(stage,), source=source, notes=("amends what was asked before",)
    )
