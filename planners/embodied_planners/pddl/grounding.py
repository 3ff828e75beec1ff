"""Grounding a small ADL task into bit masks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from embodied.symbolic import (
    ActionSchema,
    Domain,
    Equal,
    Formula,
    Not,
    Problem,
    Proposition,
    bindings,
    conjuncts,
    holds,
)
from embodied.symbolic.formulas import Binding, free_variables
from embodied.symbolic.simplify import Simplifier, disjuncts, static_truth
from embodied.symbolic.simplify import TooLargeError as FormulaTooLargeError
from embodied.types import GroundAction

MOST_PARTS = 2000
"""Most parts of a formula with its quantifiers written out."""
FIRST_LOOK_S, SAFETY = 0.01, 3.0
"""When the time for the whole is first estimated; by what factor the estimate must be too long."""

_Literals: TypeAlias = tuple[int, int]
"""Masks of the atoms that must hold and that must not."""
_DraftEffect: TypeAlias = tuple[_Literals, int, int]
"""Condition, atoms added, atoms deleted."""


class TooLargeError(Exception):
    """The task is too large, or too complicated, for a small search."""


@dataclass(frozen=True, slots=True)
class GroundEffect:
    """``add`` and ``delete`` (positive bits) happen where ``condition`` holds."""

    condition: int
    add: int
    delete: int


@dataclass(frozen=True, slots=True)
class Operator:
    """A ground action; several operators stand for one with a disjunctive precondition."""

    action: GroundAction
    precondition: int
    effects: tuple[GroundEffect, ...]


@dataclass(frozen=True, slots=True)
class GroundTask:
    """A task over bit masks.

    Bit i < n says that atom i holds; bit n + i, kept for the atoms in ``negated``, that it does
    not.

    Attributes:
        n: Number of atoms.
        negated: Mask (over atoms) of those with a complementary bit.
        init: Initial state.
        goals: Alternative goals; one of them must be contained in the final state.
        operators: Ground actions.
    """

    n: int
    negated: int
    init: int
    goals: tuple[int, ...]
    operators: tuple[Operator, ...]

    @property
    def width(self) -> int:
        """Number of bits of a state."""
        return 2 * self.n

    def complements(self, mask: int) -> int:
        """Complementary bits of the atoms in ``mask``."""
        return (mask & self.negated) << self.n

    def apply(self, operator: Operator, state: int) -> int:
        """Successor state; deletions come before additions."""
        add = delete = 0
        for effect in operator.effects:
            if state & effect.condition == effect.condition:
                add |= effect.add
                delete |= effect.delete
        atoms = (state & ((1 << self.n) - 1) & ~delete) | add
        return atoms | ((~atoms & self.negated) << self.n)

    def is_goal(self, state: int) -> bool:
        """Whether some alternative of the goal holds."""
        return any(state & goal == goal for goal in self.goals)


def ground(domain: Domain, problem: Problem, *, max_operators: int, deadline: float) -> GroundTask:
    """Instantiate every action whose static preconditions hold.

    Raises:
        TooLargeError: More than ``max_operators``, formulas with too many alternatives, or
            ``deadline`` (``time.thread_time()``) has passed, or would by far.
    """
    start = time.thread_time()
    sizes = {s.name: _size(s, domain, problem) for s in domain.actions.values()}
    whole, done = sum(sizes.values()), 0.0
    objects = problem.objects
    simple = Simplifier(domain, objects, static_truth(domain, problem), limit=MOST_PARTS)
    index: dict[tuple[str, ...], int] = {}  # predicate and arguments to bit
    negated: set[int] = set()

    def bit_of(p: Proposition, binding: Mapping[str, str]) -> int:
        get = binding.get
        return index.setdefault((p.predicate, *[get(t, t) for t in p.terms]), len(index))

    def literals(parts: Sequence[Formula]) -> _Literals | None:
        positive = negative = 0
        for part in parts:
            body = part.body if isinstance(part, Not) else part
            if not isinstance(body, Proposition):
                raise TooLargeError(f"unexpected literal {part}")
            bit = bit_of(body, {})
            if isinstance(part, Not):
                negative |= 1 << bit
                negated.add(bit)
            else:
                positive |= 1 << bit
        return None if positive & negative else (positive, negative)

    def alternatives(formula: Formula, binding: Binding) -> list[_Literals]:
        found = (literals(d) for d in disjuncts(simple(formula, binding)))
        return [pair for pair in found if pair is not None]

    def grounded(
        condition: _Condition, binding: dict[str, str], *, checked: bool
    ) -> list[_Literals]:
        """Alternatives under a binding; ``checked`` says that static literals hold."""
        if condition.literals is None or (condition.has_static and not checked):
            return alternatives(condition.formula, binding)
        positive = negative = 0
        for proposition, sign in condition.literals:
            bit = bit_of(proposition, binding)
            if sign:
                positive |= 1 << bit
            else:
                negative |= 1 << bit
                negated.add(bit)
        return [] if positive & negative else [(positive, negative)]

    try:
        drafts: list[tuple[GroundAction, _Literals, list[_DraftEffect]]] = []
        for schema in domain.actions.values():
            precondition = _Condition(schema.precondition, domain)
            effects_of = [
                (e, _Condition(e.condition, domain), [*bindings(e.variables, domain, objects)])
                for e in schema.effects
            ]
            for share, binding in _instances(schema, domain, problem):
                now = time.thread_time()
                seen = (done + share * sizes[schema.name]) / whole
                late = now > deadline or (
                    now - start > FIRST_LOOK_S and start + (now - start) / seen / SAFETY > deadline
                )
                if len(drafts) > max_operators or late:
                    raise TooLargeError("too many ground actions for the small search")
                preconditions = grounded(precondition, binding, checked=True)
                if not preconditions:
                    continue
                effects: list[_DraftEffect] = []
                for effect, when, instances in effects_of:
                    for more in instances:
                        both = {**binding, **more} if more else binding
                        bit = 1 << bit_of(effect.atom, both)
                        for condition in grounded(when, both, checked=False):
                            add, delete = (bit, 0) if effect.positive else (0, bit)
                            effects.append((condition, add, delete))
                action = GroundAction(schema.name, tuple(binding.values()))
                drafts += [(action, precondition, effects) for precondition in preconditions]
            done += sizes[schema.name]
        goals = alternatives(problem.goal, {})
    except FormulaTooLargeError as error:
        raise TooLargeError("a formula has too many alternatives for the small search") from error

    n = len(index)
    mask = sum(1 << bit for bit in negated)
    known_bits = (index.get((a.predicate, *a.args)) for a in problem.init)
    atoms = sum(1 << bit for bit in known_bits if bit is not None)

    def joined(pair: _Literals) -> int:
        return pair[0] | pair[1] << n

    return GroundTask(
        n=n,
        negated=mask,
        init=atoms | ((~atoms & mask) << n),
        goals=tuple(joined(g) for g in goals),
        operators=tuple(
            Operator(action, joined(precondition), _merged(effects, n))
            for action, precondition, effects in drafts
        ),
    )


def _merged(effects: list[_DraftEffect], n: int) -> tuple[GroundEffect, ...]:
    """Effects of equal condition as one; within one, what is added is not deleted."""
    by_condition: dict[int, tuple[int, int]] = {}
    for (positive, negative), add, delete in effects:
        condition = positive | negative << n
        adds, deletes = by_condition.get(condition, (0, 0))
        by_condition[condition] = (adds | add, deletes | delete)
    return tuple(GroundEffect(c, a, d & ~a) for c, (a, d) in by_condition.items())


def _size(schema: ActionSchema, domain: Domain, problem: Problem) -> int:
    """Number of bindings of a schema's parameters."""
    return prod(len(domain.names_of(p, problem.objects)) for p in schema.parameters)


def _instances(
    schema: ActionSchema, domain: Domain, problem: Problem
) -> Iterator[tuple[float, dict[str, str]]]:
    """Bindings of a schema's parameters that no static precondition rules out.

    Each comes with the share of all bindings that has been looked at, counted by the first
    parameter.

    Parameters are bound in order; each static literal and equality is checked as soon as its last
    variable is bound.
    """
    parameters = schema.parameters
    checks: list[list[Formula]] = [[] for _ in range(len(parameters) + 1)]
    position = {p.name: i + 1 for i, p in enumerate(parameters)}
    for part in conjuncts(schema.precondition):
        if _is_static(part, domain):
            last = max((position[v] for v in free_variables(part)), default=0)
            checks[last].append(part)

    def possible(depth: int, binding: dict[str, str]) -> bool:
        return all(holds(c, problem.init, domain, problem.objects, binding) for c in checks[depth])

    candidates = [domain.names_of(p, problem.objects) for p in parameters]

    def extend(
        depth: int, binding: dict[str, str], share: float
    ) -> Iterator[tuple[float, dict[str, str]]]:
        if depth == len(parameters):
            yield share, dict(binding)
            return
        for i, name in enumerate(candidates[depth]):
            binding[parameters[depth].name] = name
            if possible(depth + 1, binding):
                looked_at = share if depth else (i + 1) / len(candidates[0])
                yield from extend(depth + 1, binding, looked_at)
        binding.pop(parameters[depth].name, None)

    if possible(0, {}):
        yield from extend(0, {}, 1.0)


def _is_static(part: Formula, domain: Domain) -> bool:
    """Whether a conjunct is a literal whose truth never changes."""
    body = part.body if isinstance(part, Not) else part
    fluents = domain.fluents()
    return isinstance(body, Equal) or (
        isinstance(body, Proposition) and body.predicate not in fluents
    )


class _Condition:
    """A formula of an action, prepared for grounding many times.

    Conjunctions of fluent literals, by far the most common, are grounded without any rewriting.
    """

    def __init__(self, formula: Formula, domain: Domain) -> None:
        self.formula = formula
        parts = [c for c in conjuncts(formula) if not _is_static(c, domain)]
        self.literals: list[tuple[Proposition, bool]] | None = []
        for part in parts:
            body = part.body if isinstance(part, Not) else part
            if not isinstance(body, Proposition):
                self.literals = None
                return
            self.literals.append((body, not isinstance(part, Not)))
        self.has_static = len(parts) != len(conjuncts(formula))
