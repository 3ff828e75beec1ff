"""PDDL text from facts and goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from embodied.symbolic import _sexpr
from embodied.symbolic._formula_reader import signature
from embodied.symbolic.checking import required
from embodied.symbolic.formulas import TRUE, Parameter, conjoin, listed
from embodied.symbolic.model import OBJECT, Domain, Effect
from embodied.symbolic.reading import read_goal
from embodied.types import Atom


def render_problem(
    name: str,
    domain: Domain,
    objects: Mapping[str, str],
    facts: AbstractSet[Atom],
    goal_texts: Sequence[str],
    *,
    values: Mapping[Atom, float] | None = None,
    minimize_cost: bool = False,
) -> str:
    """Write a problem file.

    Args:
        name: Problem name; characters that PDDL does not allow become hyphens.
        domain: Its domain.
        objects: Object name to type; constants of the domain are left out.
        facts: The initial state; negative facts are not listed.
        goal_texts: Formulas whose conjunction is the goal.
        values: Initial values of numeric functions.
        minimize_cost: Adds ``(:metric minimize (total-cost))``.

    Raises:
        ProgramError: A goal text is not a formula over these objects.
    """
    goal = conjoin(*(read_goal(text, domain, objects) for text in goal_texts))
    (goal_form,), _ = _sexpr.parse(f"(:goal {goal})")
    lines = [f"(define (problem {identifier(name)})", f"  (:domain {domain.name})", "  (:objects"]
    own = {n: t for n, t in objects.items() if n not in domain.constants}
    typed = bool(domain.types)
    for kind in dict.fromkeys(own.values()):
        members = " ".join(n for n, t in own.items() if t == kind)
        lines.append(f"    {members} - {kind}" if typed or kind != OBJECT else f"    {members}")
    lines[-1] += ")"
    lines.append("  (:init")
    lines += [f"    {atom}" for atom in sorted(facts)]
    lines += [f"    (= {atom} {value:g})" for atom, value in sorted((values or {}).items())]
    lines[-1] += ")"
    lines.append(f"  {_sexpr.render(goal_form, 2)}")
    if minimize_cost:
        lines.append("  (:metric minimize (total-cost))")
    return "\n".join(lines) + ")\n"


def render_domain(domain: Domain, *, with_costs: bool = True) -> str:
    """Write a domain file; ``with_costs=False`` leaves functions and costs out."""
    parts = [f"(domain {domain.name})"]
    needed = required(domain) if with_costs else required(domain) - {":action-costs"}
    parts.append(f"(:requirements {' '.join(sorted({':strips', *needed}))})")
    if domain.types:
        parts.append(f"(:types {' '.join(f'{t} - {p}' for t, p in domain.types.items())})")
    if domain.constants:
        typed = (f"{n} - {t}" for n, t in domain.constants.items())
        parts.append(f"(:constants {' '.join(typed if domain.types else domain.constants)})")
    parts.append(f"(:predicates {_signatures(domain.predicates)})")
    if with_costs and domain.functions:
        numbers = (f"{f} - number" for f in _signatures(domain.functions).split("\n"))
        parts.append(f"(:functions {' '.join(numbers)})")
    for rule in domain.derived:
        parts.append(f"(:derived {signature(rule.predicate, rule.parameters)} {rule.condition})")
    for action in domain.actions.values():
        effects = " ".join(_effect(e) for e in action.effects)
        if with_costs:
            effects += "".join(f" (increase (total-cost) {c})" for c in action.costs)
        parts.append(
            f"(:action {action.name}\n"
            f"  :parameters ({listed(action.parameters)})\n"
            f"  :precondition {action.precondition}\n"
            f"  :effect (and {effects}))"
        )
    return "(define " + "\n  ".join(parts) + ")\n"


def _signatures(declared: Mapping[str, tuple[Parameter, ...]]) -> str:
    return "\n".join(signature(n, ps) for n, ps in declared.items())


def _effect(effect: Effect) -> str:
    text = str(effect.atom) if effect.positive else f"(not {effect.atom})"
    if effect.condition != TRUE:
        text = f"(when {effect.condition} {text})"
    if effect.variables:
        text = f"(forall ({listed(effect.variables)}) {text})"
    return text


def identifier(text: str) -> str:
    """A PDDL name made of ``text``: lower case letters, digits, ``-`` and ``_``."""
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in text)
    cleaned = cleaned.strip("-").lower() or "problem"
    return cleaned if cleaned[0].isalpha() else f"p-{cleaned}"
