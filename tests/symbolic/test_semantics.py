from __future__ import annotations

from pathlib import Path

import pytest

from embodied.symbolic import (
    Domain,
    Problem,
    action_cost,
    applicable,
    expected_effects,
    holds,
    progress,
    read_domain,
    read_goal,
    unmet,
)
from embodied.types import Atom, GroundAction


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("(on green red)", True),
        ("(on red green)", False),
        ("(not (on red green))", True),
        ("(or (holding red) (clear green))", True),
        ("(or)", False),
        ("(and)", True),
        ("(imply (holding red) (clear red))", True),
        ("(imply (clear green) (clear red))", False),
        ("(forall (?b - block) (stackable ?b))", True),
        ("(forall (?x - item) (stackable ?x))", False),
        ("(forall (?c - drawer) (open ?c))", False),
        ("(exists (?c - container) (open ?c))", True),
        ("(exists (?a ?b - block) (and (not (= ?a ?b)) (on ?a ?b)))", True),
        ("(exists (?a - cup) (on ?a red))", False),
        ("(= red red)", True),
        ("(= red blue)", False),
        # an inner variable of the same name hides the outer one
        ("(forall (?b - block) (exists (?b - cup) (on ?b desk)))", True),
    ],
)
def test_holds(text: str, truth: bool, tabletop: Domain, problem: Problem) -> None:
    formula = read_goal(text, tabletop, problem.objects)
    assert holds(formula, problem.init, tabletop, problem.objects) is truth


def test_unmet_names_the_ground_parts(tabletop: Domain, problem: Problem) -> None:
    goal = read_goal(
        "(and (clear blue) (forall (?b - block) (in ?b bin)) (not (hand-empty)))",
        tabletop,
        problem.objects,
    )
    assert unmet(goal, problem.init, tabletop, problem.objects) == (
        "(in red bin)",
        "(in green bin)",
        "(in blue bin)",
        "(not (hand-empty))",
    )


def test_applicable_and_progress(tabletop: Domain, problem: Problem) -> None:
    action = GroundAction.parse("(unstack green red)")
    assert applicable(action, problem.init, tabletop, problem.objects) == ()
    after = progress(action, problem.init, tabletop, problem.objects)
    added, deleted = expected_effects(action, problem.init, tabletop, problem.objects)
    assert after == (problem.init - deleted) | added
    assert Atom("holding", ("green",)) in added
    assert Atom("hand-empty") in deleted
    assert applicable(action, after, tabletop, problem.objects) == (
        "(hand-empty)",
        "(on green red)",
        "(clear green)",
    )


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("(fly green)", "actions: pick, unstack"),
        ("(pick green)", "takes 2 arguments"),
        ("(pick green moon)", "there is no object 'moon'"),
        ("(pick desk green)", "'desk' is a table"),
    ],
)
def test_impossible_actions_say_why(
    action: str, words: str, tabletop: Domain, problem: Problem
) -> None:
    parsed = GroundAction.parse(action)
    (reason,) = applicable(parsed, problem.init, tabletop, problem.objects)
    assert words in reason
    with pytest.raises(ValueError, match="there is no|takes|is a"):
        progress(parsed, problem.init, tabletop, problem.objects)


CONDITIONAL = (Path(__file__).parents[1] / "data" / "pddl" / "lamps.pddl").read_text()


def test_conditional_effects_read_the_state_before() -> None:
    domain = read_domain(CONDITIONAL)
    objects = {"a": "lamp", "b": "lamp"}
    state = progress(GroundAction("toggle-all"), {Atom("lit", ("a",))}, domain, objects)
    assert state == {Atom("lit", ("b",))}


def test_additions_win_over_deletions() -> None:
    domain = read_domain(CONDITIONAL)
    state = progress(GroundAction("renew", ("a",)), frozenset(), domain, {"a": "lamp"})
    assert state == {Atom("seen", ("a",))}


def test_action_cost_looks_values_up() -> None:
    domain = read_domain(CONDITIONAL)
    action = GroundAction("renew", ("a",))
    assert action_cost(action, domain, {"a": "lamp"}, {Atom("price", ("a",)): 2.5}) == 2.5
    with pytest.raises(ValueError, match="no value"):
        action_cost(action, domain, {"a": "lamp"}, {})
