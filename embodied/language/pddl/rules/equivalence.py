"""Whether two goals of the tabletop domain ask for the same, whatever their wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from embodied.symbolic import (
    And,
    Domain,
    Equal,
    Formula,
    Imply,
    Not,
    Or,
    Proposition,
    expanded,
    read_goal,
)
from embodied.types import Atom

Clause: TypeAlias = frozenset[tuple[Atom, bool]]
"""A conjunction of ground literals."""

MAX_CLAUSES = 5000


def goals_equivalent(
    first: str,
    second: str,
    domain: Domain,
    objects: Mapping[str, str],
    *,
    colors: Mapping[str, str] | None = None,
) -> bool:
    """Compare two goals by their disjunctive normal forms over the objects of a scene.

    Quantifiers are expanded. A literal that the others of its conjunction imply in every physical
    state is left out first: an item rests on one thing, is in one container, and one item rests on
    another, so ``(on a b)`` implies ``(not (on a c))``. Equal normal forms, after absorption, mean
    equivalent goals; for conjunctions of literals the converse holds too.

    Args:
        first: PDDL text of a goal.
        second: PDDL text of the other.
        domain: Their domain.
        objects: PDDL type of every object by name.
        colors: Colour of each object; settles ``has-color``, which stays an atom without it.

    Raises:
        ProgramError: A text is not a goal over these objects.
        ValueError: A normal form has more than ``MAX_CLAUSES`` clauses.
    """
    return _normal_form(first, domain, objects, colors) == _normal_form(
        second, domain, objects, colors
    )


def _normal_form(
    text: str, domain: Domain, objects: Mapping[str, str], colors: Mapping[str, str] | None
) -> frozenset[Clause]:
    goal = read_goal(text, domain, dict(objects))
    formula = _settled(expanded(goal, domain, objects), colors)
    clauses = {_reduced(clause) for clause in _clauses(formula, True) if _consistent(clause)}
    return frozenset(c for c in clauses if not any(other < c for other in clauses))


def _settled(formula: Formula, colors: Mapping[str, str] | None) -> Formula:
    """Replace what never changes: equalities, colours, things on themselves; and ``imply``."""
    match formula:
        case Not(body):
            return Not(_settled(body, colors))
        case And(parts):
            return And(tuple(_settled(p, colors) for p in parts))
        case Or(parts):
            return Or(tuple(_settled(p, colors) for p in parts))
        case Imply(premise, conclusion):
            return Or((Not(_settled(premise, colors)), _settled(conclusion, colors)))
        case Equal(left, right):
            return And() if left == right else Or()
        case Proposition("has-color", (thing, color)) if colors is not None:
            return And() if colors.get(thing) == color else Or()
        case Proposition("on" | "in", (first, second)) if first == second:
            return Or()
        case _:
            return formula


def _clauses(formula: Formula, positive: bool) -> set[Clause]:
    """Disjunctive normal form of a ground formula, or of its negation."""
    match formula:
        case Proposition(predicate, terms):
            return {frozenset({(Atom(predicate, terms), positive)})}
        case Not(body):
            return _clauses(body, not positive)
        case And(parts) | Or(parts):
            if isinstance(formula, And) != positive:
                return {c for part in parts for c in _clauses(part, positive)}
            product: set[Clause] = {frozenset()}
            for part in parts:
                options = _clauses(part, positive)
                product = {a | b for a in product for b in options if _consistent(a | b)}
                if len(product) > MAX_CLAUSES:
                    raise ValueError(f"a normal form has more than {MAX_CLAUSES} clauses")
            return product
        case _:
            raise TypeError(f"not a ground formula: {formula}")


def _consistent(clause: Clause) -> bool:
    return not any((atom, not sign) in clause for atom, sign in clause)


def _reduced(clause: Clause) -> Clause:
    """Leave out negative literals that the positive ones imply."""
    positive = {atom for atom, sign in clause if sign}
    return frozenset((a, s) for a, s in clause if s or not any(_excludes(p, a) for p in positive))


def _excludes(held: Atom, other: Atom) -> bool:
    """Whether ``held`` rules ``other`` out in every physical state."""
    if held == other or other.predicate not in ("on", "in"):
        return False
    if held.predicate == "holding":
        return held.args[0] == other.args[0]
    return held.predicate == other.predicate and held.args[0] == other.args[0]
