"""Formulas of PDDL's ADL subset, as data.

Terms are strings: variables start with ``?``, everything else is the name of an object. The empty
conjunction is true, the empty disjunction false. ``str`` gives PDDL text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from embodied.types import Atom

Binding: TypeAlias = Mapping[str, str]
"""Variables (with their ``?``) to object names."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed variable; several ``types`` mean ``(either ...)``."""

    name: str
    types: tuple[str, ...] = ("object",)

    def __str__(self) -> str:
        several = f"(either {' '.join(self.types)})"
        return f"{self.name} - {self.types[0] if len(self.types) == 1 else several}"


def listed(parameters: Sequence[Parameter]) -> str:
    """A list of variables; without types where all may stand for any object."""
    untyped = all(p.types == ("object",) for p in parameters)
    return " ".join(p.name if untyped else str(p) for p in parameters)


@dataclass(frozen=True, slots=True)
class Proposition:
    """A predicate applied to terms."""

    predicate: str
    terms: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"({' '.join((self.predicate, *self.terms))})"

    def ground(self, binding: Binding) -> Atom:
        """The atom under a binding of all its variables; a missing one raises KeyError."""
        return Atom(self.predicate, tuple(binding[t] if t[0] == "?" else t for t in self.terms))


@dataclass(frozen=True, slots=True)
class Equal:
    """Both terms name the same object."""

    left: str
    right: str

    def __str__(self) -> str:
        return f"(= {self.left} {self.right})"


@dataclass(frozen=True, slots=True)
class Not:
    """Negation; closed world, so a fact that is not known is false."""

    body: Formula

    def __str__(self) -> str:
        return f"(not {self.body})"


@dataclass(frozen=True, slots=True)
class And:
    """Conjunction."""

    parts: tuple[Formula, ...] = ()

    def __str__(self) -> str:
        return f"(and{''.join(f' {part}' for part in self.parts)})"


@dataclass(frozen=True, slots=True)
class Or:
    """Disjunction."""

    parts: tuple[Formula, ...] = ()

    def __str__(self) -> str:
        return f"(or{''.join(f' {part}' for part in self.parts)})"


@dataclass(frozen=True, slots=True)
class Imply:
    """Implication."""

    premise: Formula
    conclusion: Formula

    def __str__(self) -> str:
        return f"(imply {self.premise} {self.conclusion})"


@dataclass(frozen=True, slots=True)
class ForAll:
    """The body holds for every binding of the variables."""

    variables: tuple[Parameter, ...]
    body: Formula

    def __str__(self) -> str:
        return f"(forall ({listed(self.variables)}) {self.body})"


@dataclass(frozen=True, slots=True)
class Exists:
    """The body holds for some binding of the variables."""

    variables: tuple[Parameter, ...]
    body: Formula

    def __str__(self) -> str:
        return f"(exists ({listed(self.variables)}) {self.body})"


Formula: TypeAlias = Proposition | Equal | Not | And | Or | Imply | ForAll | Exists

TRUE = And()
FALSE = Or()


def substitute(formula: Formula, binding: Binding) -> Formula:
    """Replace free variables; quantified variables shadow those of the binding."""
    match formula:
        case Proposition(predicate, terms):
            return Proposition(predicate, tuple(binding.get(t, t) for t in terms))
        case Equal(left, right):
            return Equal(binding.get(left, left), binding.get(right, right))
        case Not(body):
            return Not(substitute(body, binding))
        case And(parts) | Or(parts):
            return type(formula)(tuple(substitute(p, binding) for p in parts))
        case Imply(premise, conclusion):
            return Imply(substitute(premise, binding), substitute(conclusion, binding))
        case ForAll(variables, body) | Exists(variables, body):
            own = {v.name for v in variables}
            inner = {k: v for k, v in binding.items() if k not in own}
            return type(formula)(variables, substitute(body, inner))


def conjuncts(formula: Formula) -> tuple[Formula, ...]:
    """The parts of a conjunction, nested ones flattened; any other formula is its own part."""
    if isinstance(formula, And):
        return tuple(c for part in formula.parts for c in conjuncts(part))
    return (formula,)


def conjoin(*formulas: Formula) -> Formula:
    """One flat conjunction; a single conjunct stays alone."""
    parts = tuple(c for formula in formulas for c in conjuncts(formula))
    return parts[0] if len(parts) == 1 else And(parts)


def children(formula: Formula) -> tuple[Formula, ...]:
    """The formulas that a formula is directly made of, in order."""
    match formula:
        case Proposition() | Equal():
            return ()
        case Not(body) | ForAll(_, body) | Exists(_, body):
            return (body,)
        case And(parts) | Or(parts):
            return parts
        case Imply(premise, conclusion):
            return premise, conclusion


def free_variables(formula: Formula) -> frozenset[str]:
    """Variables that no quantifier binds."""
    match formula:
        case Proposition(_, terms):
            return frozenset(t for t in terms if t.startswith("?"))
        case Equal(left, right):
            return frozenset(t for t in (left, right) if t.startswith("?"))
        case ForAll(variables, body) | Exists(variables, body):
            return free_variables(body) - {v.name for v in variables}
        case _:
            return frozenset[str]().union(*map(free_variables, children(formula)))


def propositions(formula: Formula) -> tuple[Proposition, ...]:
    """Every proposition that occurs, in order, repetitions included."""
    if isinstance(formula, Proposition):
        return (formula,)
    return tuple(p for part in children(formula) for p in propositions(part))
