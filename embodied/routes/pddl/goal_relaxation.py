"""Relaxes a goal to what is there: "all blocks" are those that have not vanished."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from embodied.symbolic import Domain, expanded, propositions, read_goal
from embodied.types import Atom


def vanished(
    before: frozenset[Atom], now: frozenset[Atom], domain: Domain, objects: Mapping[str, str]
) -> tuple[str, ...]:
    """Objects that were related to something before and are related to nothing now.

    A thing that was taken away is measured to be neither on nor in anything. A thing that has
    gained a property instead, such as being held, has not vanished.
    """
    fluents = domain.fluents()

    def related(facts: frozenset[Atom]) -> set[str]:
        return {a.args[0] for a in facts if len(a.args) > 1 and a.predicate in fluents}

    gained = {a.args[0] for a in now - before if len(a.args) == 1}
    return tuple(sorted((related(before) - related(now) - gained) & set(objects)))


def relax(
    goal: str, gone: Collection[str], domain: Domain, objects: Mapping[str, str]
) -> str | None:
    """The goal for the objects that are still there.

    Args:
        goal: Goal as PDDL text.
        gone: Objects that have vanished.
        domain: The domain.
        objects: Type of every object by name.

    Returns:
        The goal with quantifiers over the objects that are left; None when the goal names one of
        ``gone`` itself, or says nothing about them: then no reading helps.

    Raises:
        ProgramError: The goal is not a formula of this domain.
    """
    formula = read_goal(goal, domain, objects)
    # Equalities do not count: "all but the red one" asks nothing of the red one.
    named = {t for p in propositions(formula) for t in p.terms}
    if not gone or named & set(gone):
        return None
    present = {n: t for n, t in objects.items() if n not in gone}
    text = str(expanded(formula, domain, present))
    same = text == str(expanded(formula, domain, objects))
    return None if same else text
