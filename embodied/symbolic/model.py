"""Planning domains and problems as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from embodied.symbolic.formulas import TRUE, Formula, Parameter, Proposition
from embodied.types import Atom

OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric constant."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True, slots=True)
class Function:
    """A numeric function applied to terms, e.g. ``(distance ?a ?b)``."""

    name: str
    terms: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"({' '.join((self.name, *self.terms))})"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``op`` is one of ``+ - * /``."""

    op: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        return f"({self.op} {self.left} {self.right})"


Expression: TypeAlias = Number | Function | Arithmetic


@dataclass(frozen=True, slots=True)
class Effect:
    """``forall variables: when condition: atom becomes positive``."""

    atom: Proposition
    positive: bool = True
    condition: Formula = TRUE
    variables: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSchema:
    """An action with variables.

    Attributes:
        name: Name, lower case.
        parameters: Typed variables, in the order of a plan step's arguments.
        precondition: Must hold before.
        effects: Changes; deletions come before additions.
        costs: Terms added to total-cost.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    precondition: Formula = TRUE
    effects: tuple[Effect, ...] = ()
    costs: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class DerivedRule:
    """``predicate`` holds of ``parameters`` where ``condition`` does; it may have several rules."""

    predicate: str
    parameters: tuple[Parameter, ...]
    condition: Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A planning domain.

    Attributes:
        name: Name.
        requirements: Declared requirements with their colons.
        types: Type name to its parent; ``object`` is the root and is not listed.
        constants: Objects that every problem has, with their types.
        predicates: Predicate name to its typed parameters.
        functions: Numeric function name to its typed parameters.
        actions: Schemas by name.
        derived: Rules of predicates that no action changes but that follow from others.
    """

    name: str
    requirements: frozenset[str] = frozenset()
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    constants: Mapping[str, str] = field(default_factory=dict[str, str])
    predicates: Mapping[str, tuple[Parameter, ...]] = field(
        default_factory=dict[str, tuple[Parameter, ...]]
    )
    functions: Mapping[str, tuple[Parameter, ...]] = field(
        default_factory=dict[str, tuple[Parameter, ...]]
    )
    actions: Mapping[str, ActionSchema] = field(default_factory=dict[str, ActionSchema])
    derived: tuple[DerivedRule, ...] = ()

    def is_subtype(self, child: str, ancestor: str) -> bool:
        """Whether ``child`` is ``ancestor`` or lies below it."""
        if ancestor == OBJECT:
            return True
        seen: set[str] = set()
        while child != ancestor:
            if child == OBJECT or child in seen or child not in self.types:
                return False
            seen.add(child)
            child = self.types[child]
        return True

    def accepts(self, parameter: Parameter, type_name: str) -> bool:
        """Whether an object of ``type_name`` may stand for ``parameter``."""
        return any(self.is_subtype(type_name, t) for t in parameter.types)

    def names_of(self, parameter: Parameter, objects: Mapping[str, str]) -> tuple[str, ...]:
        """Objects and constants that may stand for ``parameter``, in order."""
        everything = {**objects, **self.constants, **objects} if self.constants else objects
        fitting = {t for t in set(everything.values()) if self.accepts(parameter, t)}
        return tuple([n for n, t in everything.items() if t in fitting])

    def fluents(self) -> frozenset[str]:
        """Predicates that some action changes, derived ones included; the others are static."""
        changed = {e.atom.predicate for a in self.actions.values() for e in a.effects}
        return frozenset(changed | {rule.predicate for rule in self.derived})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A planning problem.

    Attributes:
        name: Name.
        objects: Object name to type; the domain's constants are not listed.
        init: Facts that hold at first; everything else is false.
        goal: What is to hold at the end.
        values: Values of numeric functions at first.
        minimize_cost: True when the metric is ``minimize (total-cost)``; otherwise each action
            counts 1.
    """

    name: str
    objects: Mapping[str, str]
    init: frozenset[Atom]
    goal: Formula
    values: Mapping[Atom, float] = field(default_factory=dict[Atom, float])
    minimize_cost: bool = False
