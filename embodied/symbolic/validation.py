"""Plan validation step by step, by the ground semantics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embodied.symbolic.derived import Derivation
from embodied.symbolic.model import Domain, Problem
from embodied.symbolic.semantics import action_cost, applicable, unmet
from embodied.symbolic.steps import Stepper
from embodied.types import Atom, GroundAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Outcome of checking a plan.

    Attributes:
        ok: Every step was applicable and the goal holds at the end.
        failed_step: Index of the first inapplicable step; the plan's length when all steps were
            applicable but the goal does not hold; None when ok.
        reasons: Unmet preconditions or goals, as PDDL text.
        cost: Sum of the costs of the steps carried out (1 each without a cost metric).
        facts: The state reached, with what is derived in it.
    """

    ok: bool
    failed_step: int | None = None
    reasons: tuple[str, ...] = ()
    cost: float = 0.0
    facts: frozenset[Atom] = frozenset()

    def __str__(self) -> str:
        if self.ok:
            return f"valid, cost {self.cost:g}"
        return f"invalid at step {self.failed_step}: {'; '.join(self.reasons)}"


def validate_plan(
    domain: Domain,
    problem: Problem,
    plan: Sequence[GroundAction],
    *,
    stepper: Stepper | None = None,
) -> Validation:
    """Carry out a plan from the initial state and check the goal.

    Names in the plan are compared in lower case.

    Args:
        domain: Domain.
        problem: Problem.
        plan: Ground actions.
        stepper: Of the same task, where more is to be done with its actions.
    """
    stepper = stepper or Stepper(domain, problem)
    derivation = Derivation(domain, problem.objects)
    facts, cost = problem.init, 0.0
    for i, step in enumerate(plan):
        action = GroundAction(step.name.lower(), tuple(a.lower() for a in step.args))
        prepared = stepper.step(action)
        wanted = frozenset[str]() if isinstance(prepared, str) else prepared.predicates
        facts = derivation.close(derivation.base(facts), wanted)
        if isinstance(prepared, str) or not stepper.holds(prepared.condition, facts):
            reasons = applicable(action, facts, domain, problem.objects)
            return Validation(ok=False, failed_step=i, reasons=reasons, cost=cost, facts=facts)
        try:
            cost += _cost(action, domain, problem)
        except ValueError as error:
            reasons = (str(error),)
            return Validation(ok=False, failed_step=i, reasons=reasons, cost=cost, facts=facts)
        after = set(facts)
        stepper.apply(prepared, after)
        facts = frozenset(after)
    facts = derivation.close(derivation.base(facts))
    reached = stepper.holds(stepper.condition(problem.goal), facts)
    return Validation(
        ok=reached,
        failed_step=None if reached else len(plan),
        reasons=() if reached else unmet(problem.goal, facts, domain, problem.objects),
        cost=cost,
        facts=facts,
    )


def _cost(action: GroundAction, domain: Domain, problem: Problem) -> float:
    if not problem.minimize_cost:
        return 1.0
    return action_cost(action, domain, problem.objects, problem.values)
