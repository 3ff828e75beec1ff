"""Prohibitions and rules for ever: kept, and held against every later program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from embodied.errors import NotUnderstoodError
from embodied.language.interpreter.supposing import Goals
from embodied.language.interpreter.things import things_named
from embodied.protocols import StateMemory, Translator
from embodied.symbolic import holds
from embodied.types import (
    Atom,
    MixedProgram,
    ObjectSpec,
    PddlProgram,
    Program,
    ValueMapProgram,
    WorldSpec,
)

_PLACES = frozenset({"on", "in", "holding"})
_LEADING = re.compile(
    r"^(?:you |please |ever |to |(?:nobody|no one|should|must|may|can|shall|will|allowed|also) )+"
)
_EVERYTHING = re.compile(r"\b(?:anything|everything|at all|a thing|a muscle)\b|^(?:move|touch)$")
_HANDLING = re.compile(
    r"^(?:move|moving|touch|touching|disturb|disturbing|pick|picking|grab|grabbing|take"
    r"|taking|lift"
    r"|lifting|shift|shifting|do|doing|go|going|bother|knock|hands off)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A rule that a person has laid down.

    Attributes:
        text: What was said.
        never: A goal that must not come to hold; None where things must not be touched.
        always: Whether the goal must go on holding instead.
        untouched: Things that must stay where they are.
    """

    text: str
    never: PddlProgram | None = None
    always: bool = False
    untouched: frozenset[str] = frozenset()

    def broken_by(self, program: Program, facts: frozenset[Atom]) -> bool:
        """Whether a program would break it, as far as its goals or its things say."""
        if isinstance(program, MixedProgram):
            return any(self.broken_by(part, facts) for part in program.parts)
        if isinstance(program, PddlProgram):
            after = Goals.of(program, facts).after(facts)
            if self.never is not None:
                return _hold(self.never, after) != self.always and (
                    _hold(self.never, facts) == self.always
                )
            moved = {a.args[0] for a in (after - facts) if a.predicate in _PLACES}
            opened = {a.args[0] for a in (after ^ facts) if a.predicate == "open"}
            return bool((moved | opened) & self.untouched)
        if isinstance(program, ValueMapProgram):
            moved = {s.moving for s in program.stages} | {
                o.region.frame for s in program.stages for o in s.operations if o.map == "gripper"
            }
            return bool(moved & self.things())
        return False

    def things(self) -> frozenset[str]:
        """Things that it is about."""
        if self.never is None:
            return self.untouched
        return frozenset(
            word for stage in self.never.stages for word in re.findall(r"[\w-]+", stage)
        )


def kept(
    text: str,
    clause: str,
    grammar: Translator,
    memory: StateMemory,
    spec: WorldSpec,
    *,
    always: bool = False,
) -> Kept | None:
    """The rule that a clause lays down; None where it cannot be held against programs.

    Args:
        text: What was said.
        clause: What must not be, or always must.
        grammar: Reads the clause as a goal.
        memory: What is believed.
        spec: The scene.
        always: The clause must go on holding.
    """
    clause = _LEADING.sub("", clause).strip(" ,")
    if (
        not always
        and _HANDLING.match(clause)
        and not re.search(r"\b(?:in|on|into|onto|to)\b", clause)
    ):
        return _untouched(text, clause, spec.objects)
    for said in (clause, f"put {clause}", re.sub(r"\b(?:go|goes|be|end up|get put)\b", "", clause)):
        try:
            program = grammar.translate(said, memory, spec)
        except NotUnderstoodError:
            continue
        if isinstance(program, PddlProgram) and len(program.stages) == 1:
            return Kept(text=text, never=program, always=always)
    return None


def _untouched(text: str, clause: str, specs: Mapping[str, ObjectSpec]) -> Kept | None:
    if _EVERYTHING.search(clause) or len(clause.split()) == 1:
        return Kept(text=text, untouched=frozenset(specs))
    named = things_named(clause, specs)
    return Kept(text=text, untouched=named) if named else None


def _hold(program: PddlProgram, facts: frozenset[Atom]) -> bool:
    goals = Goals.of(program, facts)
    return all(holds(g, facts, goals.domain, goals.objects) for g in goals.stages)
