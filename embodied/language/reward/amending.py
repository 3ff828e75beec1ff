"""The reward program in force, and the edits that a correction makes to a program."""

from __future__ import annotations

from dataclasses import replace

from embodied.protocols import StateMemory
from embodied.types import (
    RewardProgram,
    RewardStage,
    RewardTerm,
)


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
