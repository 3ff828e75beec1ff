"""Plan validation step by step, by the ground semantics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embodied.symbolic.model import Domain, Problem
from embodied.symbolic.semantics import action_cost, applicable, progress, unmet
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
        facts: The state reached.
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


def validate_plan(domain: Domain, problem: Problem, plan: Sequence[GroundAction]) -> Validation:
    """Carry out a plan from the initial state and check the goal.

    Names in the plan are compared in lower case.
    """
    facts, cost = problem.init, 0.0
    for i, step in enumerate(plan):
        action = GroundAction(step.name.lower(), tuple(a.lower() for a in step.args))
        reasons = applicable(action, facts, domain, problem.objects)
        if not reasons and problem.minimize_cost:
            try:
                cost += action_cost(action, domain, problem.objects, problem.values)
            except ValueError as error:
                reasons = (str(error),)
        if reasons:
            return Validation(ok=False, failed_step=i, reasons=reasons, cost=cost, facts=facts)
        if not problem.minimize_cost:
            cost += 1.0
        facts = progress(action, facts, domain, problem.objects)
    open_goals = unmet(problem.goal, facts, domain, problem.objects)
    return Validation(
        ok=not open_goals,
        failed_step=len(plan) if open_goals else None,
        reasons=open_goals,
        cost=cost,
        facts=facts,
    )
