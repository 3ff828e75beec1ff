"""Partial evaluation of formulas over the objects of one problem.

Quantifiers become conjunctions and disjunctions over the objects, and what can never change (static
facts, equalities) is evaluated. ``(forall (?b - block) (imply (has-color ?b red) (in ?b bin)))``
becomes ``(and (in b1 bin) (in b4 bin))``, which every planner handles well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from embodied.symbolic.formulas import (
    FALSE,
    TRUE,
    And,
    Equal,
    Exists,
    ForAll,
    Formula,
    Imply,
    Not,
    Or,
    Proposition,
    conjuncts,
    free_variables,
    propositions,
    substitute,
)
from embodied.symbolic.model import ActionSchema, Domain, Effect, Problem
from embodied.symbolic.semantics import bindings
from embodied.types import Atom

Known = Callable[[Proposition], bool | None]
"""Truth of a proposition where it can never change, None where it can."""


class TooLargeError(Exception):
    """A formula has more ground instances than allowed."""


def static_truth(domain: Domain, problem: Problem) -> Known:
    """What the initial state says about predicates that no action changes."""
    fluents = domain.fluents()

    def known(p: Proposition) -> bool | None:
        if p.predicate in fluents or any(t.startswith("?") for t in p.terms):
            return None
        return Atom(p.predicate, p.terms) in problem.init

    return known


def simplify(
    formula: Formula,
    domain: Domain,
    objects: Mapping[str, str],
    known: Known,
    *,
    limit: int = 20_000,
) -> Formula:
    """An equivalent formula without quantifiers, imply, or anything that ``known`` decides.

    Negations end up in front of propositions and equalities between variables only.

    Raises:
        TooLargeError: It would have more than ``limit`` parts.
    """
    left = [limit]

    def visit(f: Formula, positive: bool) -> Formula:
        match f:
            case Proposition():
                truth = known(f)
                if truth is None:
                    return f if positive else Not(f)
                return TRUE if truth == positive else FALSE
            case Equal(a, b):
                if a != b and (a.startswith("?") or b.startswith("?")):
                    return f if positive else Not(f)
                return TRUE if (a == b) == positive else FALSE
            case Not(body):
                return visit(body, not positive)
            case And(parts) | Or(parts):
                conjunctive = isinstance(f, And) == positive
                return _join(conjunctive, [visit(p, positive) for p in parts])
            case Imply(premise, conclusion):
                return _join(
                    not positive, [visit(premise, not positive), visit(conclusion, positive)]
                )
            case ForAll(variables, body) | Exists(variables, body):
                conjunctive = isinstance(f, ForAll) == positive
                instances: list[Formula] = []
                used = free_variables(body)
                needed = tuple(
                    v for v in variables if v.name in used or not domain.names_of(v, objects)
                )
                for binding in bindings(needed, domain, objects):
                    left[0] -= 1
                    if left[0] < 0:
                        raise TooLargeError
                    instances.append(visit(substitute(body, binding), positive))
                return _join(conjunctive, instances)

    return visit(formula, True)


def _join(conjunctive: bool, parts: list[Formula]) -> Formula:
    neutral, decisive = (TRUE, FALSE) if conjunctive else (FALSE, TRUE)
    kind = And if conjunctive else Or
    flat: dict[Formula, None] = {}
    for part in parts:
        if part == decisive:
            return decisive
        if part != neutral:
            flat.update(dict.fromkeys(part.parts if isinstance(part, kind) else (part,)))
    for part in flat:
        if isinstance(part, Not) and part.body in flat:
            return decisive
    return next(iter(flat)) if len(flat) == 1 else kind(tuple(flat))


def compile_quantifiers(domain: Domain, problem: Problem) -> tuple[Domain, Problem]:
    """The same task with quantifier-free preconditions, effect conditions and goal.

    Objects that a precondition then names become constants of the domain. Formulas that would
    become too large stay as they are.
    """
    known = static_truth(domain, problem)

    def condition(formula: Formula) -> Formula:
        if not _needs_compiling(formula):
            return formula
        try:
            return simplify(formula, domain, problem.objects, lambda _: None)
        except TooLargeError:
            return formula

    actions: dict[str, ActionSchema] = {}
    for name, action in domain.actions.items():
        effects = tuple(
            Effect(e.atom, e.positive, condition(e.condition), e.variables) for e in action.effects
        )
        actions[name] = replace(
            action, precondition=condition(action.precondition), effects=effects
        )
    try:
        goal = simplify(problem.goal, domain, problem.objects, known)
    except TooLargeError:
        goal = problem.goal
    named = {
        term
        for action in actions.values()
        for formula in (action.precondition, *(e.condition for e in action.effects))
        for p in propositions(formula)
        for term in p.terms
    }
    constants = {n: t for n, t in problem.objects.items() if n in named}
    compiled = replace(domain, actions=actions, constants={**domain.constants, **constants})
    return compiled, replace(problem, goal=goal)


def _needs_compiling(formula: Formula) -> bool:
    return any(
        isinstance(c, ForAll | Exists | Imply | Or)
        or (isinstance(c, Not) and not isinstance(c.body, Proposition | Equal))
        for c in conjuncts(formula)
    )


def disjuncts(formula: Formula, *, limit: int = 64) -> tuple[tuple[Formula, ...], ...]:
    """Disjunctive normal form of a quantifier-free formula, as conjunctions of literals.

    Raises:
        TooLargeError: There are more than ``limit`` conjunctions, or quantifiers.
    """
    match formula:
        case Proposition() | Equal() | Not(Proposition()) | Not(Equal()):
            return ((formula,),)
        case Or(parts):
            result = tuple(d for part in parts for d in disjuncts(part, limit=limit))
        case And(parts):
            result: tuple[tuple[Formula, ...], ...] = ((),)
            for part in parts:
                options = disjuncts(part, limit=limit)
                if len(result) * len(options) > limit:
                    raise TooLargeError
                result = tuple((*a, *b) for a in result for b in options)
        case _:
            raise TooLargeError
    if len(result) > limit:
        raise TooLargeError
    return result
