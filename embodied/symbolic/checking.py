"""Lint: everything that a planner may reject, as diagnostics."""

from __future__ import annotations

from collections.abc import Mapping

from embodied.errors import Diagnostic
from embodied.symbolic.formulas import And, Equal, Exists, ForAll, Formula, Imply, Not, Or, children
from embodied.symbolic.model import OBJECT, Domain, Problem
from embodied.symbolic.reading import Reader


def lint(domain_text: str, problem_text: str | None = None) -> tuple[Diagnostic, ...]:
    """Errors and warnings of a domain and, if given, one of its problems.

    Errors (what ``read_domain`` and ``read_problem`` raise) come first, then what has a clear
    meaning but may stop other tools: a type named ``object``, duplicate declarations, an action
    and a predicate of one name, missing requirements.
    """
    in_domain = Reader(part="domain")
    domain = in_domain.domain(domain_text)
    errors, warnings = list(in_domain.errors), list(in_domain.warnings)
    if not in_domain.errors:
        warnings += missing_requirements(domain)
    if problem_text is not None:
        in_problem = Reader(part="problem")
        problem = in_problem.problem(problem_text, domain)
        errors += in_problem.errors
        warnings += in_problem.warnings
        if not in_problem.errors:
            warnings += _unused(domain, problem)
    return (*errors, *warnings)


def missing_requirements(domain: Domain) -> tuple[Diagnostic, ...]:
    """One diagnostic when the domain uses more than it declares."""
    needed = required(domain)
    stated = domain.requirements
    missing = sorted(needed - stated.union(*(_IMPLIED.get(r, ()) for r in stated)))
    if not missing:
        return ()
    return (
        Diagnostic(
            where="domain, :requirements",
            problem=f"the domain uses {', '.join(missing)} without declaring "
            f"{'it' if len(missing) == 1 else 'them'}",
            hint=f"write (:requirements {' '.join(sorted(domain.requirements | needed))})",
        ),
    )


def required(domain: Domain) -> frozenset[str]:
    """The requirements that the domain's own text needs."""
    found: set[str] = set()
    parameters = [p for ps in domain.predicates.values() for p in ps]
    for rule in domain.derived:
        parameters += rule.parameters
        found.add(":derived-predicates")
        _features(rule.condition, found)
    for action in domain.actions.values():
        parameters += action.parameters
        _features(action.precondition, found)
        for effect in action.effects:
            _features(effect.condition, found)
            if effect.variables or effect.condition != And():
                found.add(":conditional-effects")
        if action.costs:
            found.add(":action-costs")
    if "total-cost" in domain.functions:
        found.add(":action-costs")
    if domain.types or any(p.types != (OBJECT,) for p in parameters):
        found.add(":typing")
    return frozenset(found)


_NEEDS: Mapping[type, str] = {
    Equal: ":equality",
    Or: ":disjunctive-preconditions",
    Imply: ":disjunctive-preconditions",
    ForAll: ":universal-preconditions",
    Exists: ":existential-preconditions",
}


def _features(formula: Formula, found: set[str]) -> None:
    if isinstance(formula, Not) and not isinstance(formula.body, Equal):
        found.add(":negative-preconditions")
    elif type(formula) in _NEEDS:
        found.add(_NEEDS[type(formula)])
    for part in children(formula):
        _features(part, found)


_IMPLIED: Mapping[str, tuple[str, ...]] = {
    ":quantified-preconditions": (":existential-preconditions", ":universal-preconditions"),
    ":adl": (
        ":strips",
        ":typing",
        ":equality",
        ":negative-preconditions",
        ":disjunctive-preconditions",
        ":existential-preconditions",
        ":universal-preconditions",
        ":conditional-effects",
    ),
}


def _unused(domain: Domain, problem: Problem) -> list[Diagnostic]:
    if problem.minimize_cost and not any(a.costs for a in domain.actions.values()):
        return [
            Diagnostic(
                where="problem, :metric",
                problem="total-cost is minimised, but no action increases it",
                hint="remove the :metric or give the actions costs",
            )
        ]
    return []
