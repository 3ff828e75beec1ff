"""Partial evaluation of formulas over the objects of one problem.

Quantifiers become conjunctions and disjunctions over the objects, and what can never change (static
facts, equalities) is evaluated. ``(forall (?b - block) (imply (has-color ?b red) (in ?b bin)))``
becomes ``(and (in b1 bin) (in b4 bin))``, which every planner handles well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from embodied.symbolic.formulas import (
    FALSE,
    TRUE,
    And,
    Binding,
    Equal,
    Exists,
    ForAll,
    Formula,
    Imply,
    Not,
    Or,
    Parameter,
    Proposition,
    conjuncts,
    free_variables,
    propositions,
)
from embodied.symbolic.model import ActionSchema, Domain, Effect, Problem
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


class Simplifier:
    """Makes equivalent formulas without quantifiers, imply, or anything that ``known`` decides.

    Negations end up in front of propositions and equalities between variables only.

    Args:
        domain: Gives types and constants.
        objects: Object name to type; quantifiers range over these and the constants.
        known: What can never change.
        limit: Most ground instances of one formula.
    """

    def __init__(
        self, domain: Domain, objects: Mapping[str, str], known: Known, *, limit: int = 20_000
    ) -> None:
        self._domain, self._objects, self._known = domain, objects, known
        self._limit = self._left = limit
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __call__(self, formula: Formula, binding: Binding | None = None) -> Formula:
        """Simplify a formula under a binding of some of its free variables.

        Raises:
            TooLargeError: It has more than ``limit`` instances.
        """
        self._left = self._limit
        return self._visit(formula, True, binding or {})

    def _visit(self, f: Formula, positive: bool, b: Binding) -> Formula:
        match f:
            case Proposition(predicate, terms):
                bound = Proposition(predicate, tuple([b.get(t, t) for t in terms]))
                truth = self._known(bound)
                if truth is None:
                    return bound if positive else Not(bound)
                return TRUE if truth == positive else FALSE
            case Equal(left, right):
                x, y = b.get(left, left), b.get(right, right)
                if x != y and (x[0] == "?" or y[0] == "?"):
                    return Equal(x, y) if positive else Not(Equal(x, y))
                return TRUE if (x == y) == positive else FALSE
            case Not(body):
                return self._visit(body, not positive, b)
            case And(parts) | Or(parts):
                conjunctive = isinstance(f, And) == positive
                return _join(conjunctive, (self._visit(p, positive, b) for p in parts))
            case Imply(premise, conclusion):
                sides = ((premise, not positive), (conclusion, positive))
                return _join(not positive, (self._visit(p, sign, b) for p, sign in sides))
            case ForAll(variables, body) | Exists(variables, body):
                conjunctive = isinstance(f, ForAll) == positive
                return _join(conjunctive, self._instances(variables, body, positive, b))

    def _instances(
        self, variables: tuple[Parameter, ...], body: Formula, positive: bool, b: Binding
    ) -> Iterator[Formula]:
        used = free_variables(body)
        needed = [v for v in variables if v.name in used or not self._names_of(v)]
        for values in itertools.product(*(self._names_of(v) for v in needed)):
            self._left -= 1
            if self._left < 0:
                raise TooLargeError
            more = {v.name: name for v, name in zip(needed, values, strict=True)}
            yield self._visit(body, positive, {**b, **more})

    def _names_of(self, variable: Parameter) -> tuple[str, ...]:
        if variable.types not in self._names:
            self._names[variable.types] = self._domain.names_of(variable, self._objects)
        return self._names[variable.types]


def simplify(
    formula: Formula,
    domain: Domain,
    objects: Mapping[str, str],
    known: Known,
    *,
    limit: int = 20_000,
) -> Formula:
    """One formula as ``Simplifier`` makes it.

    Raises:
        TooLargeError: It has more than ``limit`` instances.
    """
    return Simplifier(domain, objects, known, limit=limit)(formula)


def _join(conjunctive: bool, parts: Iterable[Formula]) -> Formula:
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


def simple_goal(domain: Domain, problem: Problem, *, limit: int = 5000) -> Formula:
    """The goal without quantifiers and facts that never change; as it is where too large."""
    known = static_truth(domain, problem)
    try:
        return simplify(problem.goal, domain, problem.objects, known, limit=limit)
    except TooLargeError:
        return problem.goal


def compile_quantifiers(
    domain: Domain, problem: Problem, *, limit: int = 20_000
) -> tuple[Domain, Problem]:
    """The same task with quantifier-free preconditions, effect conditions and goal.

    Objects that a precondition then names become constants of the domain. Formulas that would
    have more than ``limit`` parts stay as they are.
    """
    simple = Simplifier(domain, problem.objects, lambda _: None, limit=limit)

    def condition(formula: Formula) -> Formula:
        if not _needs_compiling(formula):
            return formula
        try:
            return simple(formula)
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
    goal = simple_goal(domain, problem, limit=limit)
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
