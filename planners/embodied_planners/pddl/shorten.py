"""Removing unnecessary actions (action elimination, Nakhost and Mueller, ICAPS 2010)."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.symbolic import Problem
from embodied.symbolic.steps import Step, Stepper
from embodied.types import GroundAction


def shorten(
    stepper: Stepper, problem: Problem, plan: Sequence[GroundAction], *, effort: int = 30_000
) -> tuple[GroundAction, ...]:
    """Drop each step, with the later steps that depended on it, where the goal is still reached.

    Args:
        stepper: Of a task without derived predicates.
        problem: The task's problem.
        plan: A valid plan.
        effort: Most effects to look at; the rest of the plan is then kept as it is.

    Returns:
        A valid plan that costs at most as much.

    Raises:
        ValueError: An action of the plan does not exist.
    """
    steps: list[Step] = []
    for action in plan:
        step = stepper.step(action)
        if isinstance(step, str):
            raise ValueError(step)
        steps.append(step)
    goal = stepper.condition(problem.goal)
    facts, i = set(problem.init), 0
    while i < len(steps) and effort > 0:
        state, kept = set(facts), list[Step]()
        for step in steps[i + 1 :]:
            if stepper.holds(step.condition, state):
                kept.append(step)
                stepper.apply(step, state)
            effort -= 1 + len(step.effects)
        if stepper.holds(goal, state):
            steps[i:] = kept
        else:
            stepper.apply(steps[i], facts)
            i += 1
    return tuple(step.action for step in steps)
