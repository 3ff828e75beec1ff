from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
from embodied_planners.pddl import explain_plan
from embodied_planners.pddl.engines import Outcome
from embodied_planners.pddl.grounding import TooLargeError, ground
from embodied_planners.pddl.shorten import shorten
from embodied_planners.pddl.small_search import search

from embodied.symbolic import (
    applicable,
    bindings,
    progress,
    read_domain,
    read_problem,
    validate_plan,
)
from embodied.symbolic.steps import Stepper
from embodied.types import GroundAction

DATA = Path(__file__).parents[2] / "data" / "pddl"
LINE = """(define (domain line) (:predicates (at ?x) (next ?x ?y))
  (:action go :parameters (?x ?y) :precondition (and (at ?x) (next ?x ?y))
    :effect (and (not (at ?x)) (at ?y))))"""


def _line(n: int, goal: str, *, cut: int = -1) -> str:
    links = [
        f"(next n{a} n{b}) (next n{b} n{a})" for a, b in itertools.pairwise(range(n)) if a != cut
    ]
    return (
        f"(define (problem p) (:domain line) (:objects {' '.join(f'n{i}' for i in range(n))})"
        f" (:init (at n0) {' '.join(links)}) (:goal {goal}))"
    )


def test_a_toy_line_is_walked() -> None:
    domain = read_domain(LINE)
    result = search(domain, read_problem(_line(6, "(at n5)"), domain), budget_s=5)
    assert [str(a) for a in result.plan] == [f"(go n{i} n{i + 1})" for i in range(5)]


@pytest.mark.parametrize("goal", ["(at n5)", "(and (at n0) (at n1))"])
def test_exhaustion_proves_that_there_is_no_plan(goal: str) -> None:
    domain = read_domain(LINE)
    problem = read_problem(_line(6, goal, cut=2), domain)
    assert search(domain, problem, budget_s=5).outcome is Outcome.UNSOLVABLE


def test_budgets_end_the_search_undecided() -> None:
    domain = read_domain(LINE)
    problem = read_problem(_line(30, "(at n29)"), domain)
    few = search(domain, problem, budget_s=5, max_expanded=3)
    assert few.outcome is Outcome.OUT_OF_TIME and "after 3 states" in few.message
    large = search(domain, problem, budget_s=5, max_operators=10)
    assert "too many ground actions" in large.message
    with pytest.raises(TooLargeError):
        ground(domain, problem, max_operators=10**6, deadline=0.0)


@pytest.mark.parametrize("name", ["lamps", "line"])
def test_ground_operators_follow_the_shared_semantics(name: str) -> None:
    """Random walks: the same actions apply in both, and lead to the same states."""
    if name == "lamps":
        domain = read_domain((DATA / "lamps.pddl").read_text())
        problem = read_problem((DATA / "lamps_two.pddl").read_text(), domain)
    else:
        domain = read_domain(LINE)
        problem = read_problem(_line(5, "(at n4)"), domain)
    task = ground(domain, problem, max_operators=1000, deadline=float("inf"))
    actions = [
        GroundAction(a.name, tuple(b.values()))
        for a in domain.actions.values()
        for b in bindings(a.parameters, domain, problem.objects)
    ]
    rng = random.Random(0)
    facts, state = problem.init, task.init
    seen = {facts: state}
    for _ in range(60):
        possible = {a for a in actions if not applicable(a, facts, domain, problem.objects)}
        operators = {
            o.action: o for o in task.operators if state & o.precondition == o.precondition
        }
        assert set(operators) == possible
        action = rng.choice(sorted(possible))
        facts = progress(action, facts, domain, problem.objects)
        state = task.apply(operators[action], state)
        assert seen.setdefault(facts, state) == state
    assert len(set(seen.values())) == len(seen) > 2


def test_superfluous_steps_are_dropped() -> None:
    domain = read_domain(LINE)
    problem = read_problem(_line(4, "(at n2)"), domain)
    plan = [
        GroundAction.parse(f"(go n{a} n{b})")
        for a, b in ((0, 1), (1, 0), (0, 1), (1, 2), (2, 3), (3, 2))
    ]
    short = shorten(Stepper(domain, problem), problem, plan)
    assert [str(a) for a in short] == ["(go n0 n1)", "(go n1 n2)"]
    assert validate_plan(domain, problem, short).ok


def test_plans_are_explained_in_sentences() -> None:
    plan = [
        GroundAction.parse(text)
        for text in ("(unstack red-block mug)", "(put-in red-block bin)", "(open drawer)", "(beep)")
    ]
    assert explain_plan(plan) == (
        "Take the red block off the mug.",
        "Put the red block into the bin.",
        "Open the drawer.",
        "Beep.",
    )
    fly = [GroundAction.parse("(fly-to plane1 paris)")]
    assert explain_plan(fly, {"plane1": "plane"}) == ("Fly to: the plane1, paris.",)
