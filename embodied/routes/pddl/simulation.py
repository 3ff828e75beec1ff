"""Simulates plans by the domain: preconditions in order, goals at the end."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.routes.pddl.tasks import Task
from embodied.symbolic import applicable, holds, progress, read_goal
from embodied.types import Atom, GroundAction


def applicable_prefix(
    plan: Sequence[GroundAction], facts: frozenset[Atom], task: Task
) -> tuple[int, frozenset[Atom]]:
    """How many actions of a plan can be carried out from ``facts``, and what holds then."""
    for done, action in enumerate(plan):
        if applicable(action, facts, task.domain, task.objects):
            return done, facts
        facts = progress(action, facts, task.domain, task.objects)
    return len(plan), facts


def goal_holds(facts: frozenset[Atom], task: Task) -> bool:
    """Whether all goals of a task hold.

    Raises:
        ProgramError: A goal is not a formula of the domain.
    """
    return all(
        holds(read_goal(g, task.domain, task.objects), facts, task.domain, task.objects)
        for g in task.goals
    )


def leads_to_goal(plan: Sequence[GroundAction], facts: frozenset[Atom], task: Task) -> bool:
    """Whether a plan can be carried out from ``facts`` and reaches the goals."""
    done, after = applicable_prefix(plan, facts, task)
    return done == len(plan) and goal_holds(after, task)
