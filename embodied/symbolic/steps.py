"""Ground conditions and actions of a task, prepared for being tried on many of its states."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from embodied.symbolic.formulas import (
    FALSE,
    TRUE,
    Binding,
    Formula,
    Not,
    Proposition,
    conjuncts,
    propositions,
    substitute,
)
from embodied.symbolic.model import Domain, Problem
from embodied.symbolic.semantics import bind, bindings, holds
from embodied.symbolic.simplify import Simplifier, TooLargeError, static_truth
from embodied.types import Atom, GroundAction


@dataclass(frozen=True, slots=True)
class Condition:
    """Sets of atoms for the literals, and formulas for the rest."""

    true: frozenset[Atom]
    false: frozenset[Atom]
    rest: tuple[Formula, ...]

    @property
    def predicates(self) -> frozenset[str]:
        """Predicates whose atoms it looks at."""
        formulas = (p.predicate for f in self.rest for p in propositions(f))
        return frozenset((*(a.predicate for a in self.true | self.false), *formulas))


@dataclass(frozen=True, slots=True)
class Step:
    """A ground action.

    Attributes:
        action: The action.
        condition: What must hold before.
        effects: What it makes true (True) or false, and where; None for everywhere.
    """

    action: GroundAction
    condition: Condition
    effects: tuple[tuple[Atom, bool, Condition | None], ...]

    @property
    def predicates(self) -> frozenset[str]:
        """Predicates whose atoms its conditions look at."""
        conditions = (when.predicates for _, _, when in self.effects if when is not None)
        return self.condition.predicates.union(*conditions)


class Stepper:
    """Conditions and actions of one task; facts that never change are evaluated in advance."""

    def __init__(self, domain: Domain, problem: Problem) -> None:
        self._domain, self._objects = domain, problem.objects
        self._simplifier = Simplifier(domain, problem.objects, static_truth(domain, problem))
        self._steps: dict[GroundAction, Step] = {}

    def condition(self, formula: Formula, binding: Binding | None = None) -> Condition:
        """Prepare a formula under a binding of its free variables."""
        return self._prepared(self._simple(formula, binding or {}))

    def _prepared(self, simple: Formula) -> Condition:
        true: set[Atom] = set()
        false: set[Atom] = set()
        rest: list[Formula] = []
        for part in conjuncts(simple):
            match part:
                case Proposition():
                    true.add(part.ground({}))
                case Not(Proposition() as body):
                    false.add(body.ground({}))
                case _:
                    rest.append(part)
        return Condition(frozenset(true), frozenset(false), tuple(rest))

    def step(self, action: GroundAction) -> Step | str:
        """Prepare an action; a sentence where it or its arguments do not exist."""
        if action not in self._steps:
            made = self._made(action)
            if isinstance(made, str):
                return made
            self._steps[action] = made
        return self._steps[action]

    def holds(self, condition: Condition, facts: AbstractSet[Atom]) -> bool:
        """Whether a condition is true in a state."""
        return (
            condition.true <= facts
            and condition.false.isdisjoint(facts)
            and all(holds(f, facts, self._domain, self._objects) for f in condition.rest)
        )

    def apply(self, step: Step, facts: set[Atom]) -> None:
        """Change a state as the step does; deletions come before additions."""
        happening = [
            (atom, positive)
            for atom, positive, when in step.effects
            if when is None or self.holds(when, facts)
        ]
        facts.difference_update(atom for atom, positive in happening if not positive)
        facts.update(atom for atom, positive in happening if positive)

    def _simple(self, formula: Formula, binding: Binding) -> Formula:
        try:
            return self._simplifier(formula, binding)
        except TooLargeError:
            return substitute(formula, binding)

    def _made(self, action: GroundAction) -> Step | str:
        binding = bind(action, self._domain, self._objects)
        if isinstance(binding, str):
            return binding
        schema = self._domain.actions[action.name]
        effects: list[tuple[Atom, bool, Condition | None]] = []
        for effect in schema.effects:
            for more in bindings(effect.variables, self._domain, self._objects):
                both = {**binding, **more}
                when = self._simple(effect.condition, both)
                if when != FALSE:
                    prepared = None if when == TRUE else self._prepared(when)
                    effects.append((effect.atom.ground(both), effect.positive, prepared))
        return Step(action, self.condition(schema.precondition, binding), tuple(effects))
