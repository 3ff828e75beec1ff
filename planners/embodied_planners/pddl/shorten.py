"""Removing unnecessary actions (action elimination, Nakhost and Mueller, ICAPS 2010)."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.symbolic import Domain, Problem, applicable, holds, progress
from embodied.types import GroundAction


def shorten(
    domain: Domain, problem: Problem, plan: Sequence[GroundAction], *, max_steps: int = 120
) -> tuple[GroundAction, ...]:
    """Drop each step, with the later steps that depended on it, where the goal is still reached.

    The result is a valid plan that costs at most as much. Plans longer than ``max_steps`` are
    returned as they are: the effort grows with the square of the length.
    """
    steps = list(plan)
    if len(steps) > max_steps:
        return tuple(steps)
    facts, i = problem.init, 0
    while i < len(steps):
        state, kept = facts, list[GroundAction]()
        for step in steps[i + 1 :]:
            if not applicable(step, state, domain, problem.objects):
                kept.append(step)
                state = progress(step, state, domain, problem.objects)
        if holds(problem.goal, state, domain, problem.objects):
            steps[i:] = kept
        else:
            facts = progress(steps[i], facts, domain, problem.objects)
            i += 1
    return tuple(steps)
