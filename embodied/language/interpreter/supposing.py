"""Goals without quantifiers, in words, and what would hold if they were reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from embodied.language.words.scene_words import plain
from embodied.symbolic import (
    And,
    Domain,
    Formula,
    Imply,
    Not,
    Or,
    Proposition,
    holds,
    read_domain,
    read_goal,
    read_problem,
)
from embodied.symbolic.simplify import simplify
from embodied.types import Atom, PddlProgram

_PLACES = frozenset({"on", "in", "holding"})
"""Predicates of which one holds of every item."""

_ALTERNATIVES_SHOWN = 4
_WORDS = {
    "on": "{0} on {1}",
    "in": "{0} in {1}",
    "holding": "{0} in the hand",
    "open": "{0} open",
    "clear": "nothing on {0}",
    "hand-empty": "hand empty",
}
_NEGATED = {
    "on": "{0} not on {1}",
    "in": "{0} not in {1}",
    "holding": "{0} not in the hand",
    "open": "{0} closed",
    "clear": "something on {0}",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Goals:
    """The goals of a program over the objects of its problem.

    Attributes:
        domain: The planning domain.
        objects: Types by name.
        stages: Goals in order, without quantifiers and static conditions.
    """

    domain: Domain
    objects: Mapping[str, str]
    stages: tuple[Formula, ...]

    @staticmethod
    def of(program: PddlProgram, facts: frozenset[Atom]) -> Goals:
        """Read a program; ``facts`` settle what no action changes."""
        domain = read_domain(program.domain)
        objects = {**domain.constants, **read_problem(program.problem, domain).objects}
        fluents = domain.fluents()

        def known(p: Proposition) -> bool | None:
            return None if p.predicate in fluents else Atom(p.predicate, p.terms) in facts

        stages = tuple(
            simplify(read_goal(s, domain, objects), domain, objects, known) for s in program.stages
        )
        return Goals(domain=domain, objects=objects, stages=stages)

    def words(self) -> tuple[str, ...]:
        """Every stage in words."""
        return tuple(_words(s) for s in self.stages)

    def after(self, facts: frozenset[Atom], floor: str = "table") -> frozenset[Atom]:
        """The facts once all stages were reached, as far as the goals say them.

        Args:
            facts: What holds before.
            floor: Where an item goes that leaves its place for no other.
        """
        for stage in self.stages:
            for literal in list(self._literals(stage, facts)):
                facts = self._made_true(literal, facts, floor)
        return facts

    def _made_true(
        self, literal: Proposition | Not, facts: frozenset[Atom], floor: str
    ) -> frozenset[Atom]:
        if isinstance(literal, Not):
            if not isinstance(literal.body, Proposition):
                return facts
            gone = literal.body.ground({})
            if gone in facts and gone.predicate in ("on", "in"):
                return self._put(Atom("on", (gone.args[0], floor)), facts)
            return facts - {gone}
        atom = literal.ground({})
        return self._put(atom, facts) if atom.predicate in _PLACES else facts | {atom}

    def _put(self, place: Atom, facts: frozenset[Atom]) -> frozenset[Atom]:
        """Give an item one place instead of the one it had."""
        item = place.args[0]
        if place in facts:
            return facts
        kept = {a for a in facts if a.predicate not in _PLACES or a.args[0] != item} | {place}
        held = {a.args[0] for a in kept if a.predicate == "holding"}
        covered = {a.args[1] for a in kept if a.predicate == "on"} | held
        kept = {a for a in kept if a.predicate not in ("clear", "hand-empty")}
        items = [n for n, kind in self.objects.items() if self.domain.is_subtype(kind, "item")]
        kept |= {Atom("clear", (n,)) for n in items if n not in covered}
        return frozenset(kept if held else kept | {Atom("hand-empty")})

    def _literals(self, goal: Formula, facts: frozenset[Atom]) -> Iterator[Proposition | Not]:
        """What a goal makes true; of alternatives one that holds already, else the first."""
        match goal:
            case And(parts):
                for part in parts:
                    yield from self._literals(part, facts)
            case Or(parts):
                if parts and not any(holds(p, facts, self.domain, self.objects) for p in parts):
                    yield from self._literals(parts[0], facts)
            case Imply(premise, conclusion):
                if holds(premise, facts, self.domain, self.objects):
                    yield from self._literals(conclusion, facts)
            case Proposition() | Not():
                yield goal
            case _:
                return


def _words(goal: Formula) -> str:
    match goal:
        case And(parts):
            return ", ".join(_words(p) for p in parts) or "nothing to do"
        case Or(parts) if len(parts) > _ALTERNATIVES_SHOWN:
            return f"{_words(parts[0])}, or the same with others ({len(parts)} ways)"
        case Or(parts):
            return " or ".join(_words(p) for p in parts) or "something impossible"
        case Imply(premise, conclusion):
            return f"if {_words(premise)}, then {_words(conclusion)}"
        case Not(Proposition(predicate, terms)) if predicate in _NEGATED:
            return _NEGATED[predicate].format(*map(plain, terms))
        case Proposition(predicate, terms) if predicate in _WORDS:
            return _WORDS[predicate].format(*map(plain, terms))
        case Not(body):
            return f"not {_words(body)}"
        case Proposition(predicate, terms):
            return " ".join((plain(predicate), *map(plain, terms)))
        case _:
            return str(goal)
