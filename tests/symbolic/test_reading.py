from __future__ import annotations

import pytest

from embodied.errors import ProgramError
from embodied.symbolic import (
    And,
    Domain,
    ForAll,
    Imply,
    Parameter,
    Problem,
    Proposition,
    read_domain,
    read_goal,
    read_problem,
)
from embodied.types import Atom


def test_the_tabletop_domain_is_read_completely(tabletop: Domain) -> None:
    assert set(tabletop.actions) == {
        *("pick", "unstack", "take-out", "place", "stack", "put-in", "open", "close")
    }
    assert tabletop.types["drawer"] == "container"
    assert tabletop.is_subtype("cabinet", "container")
    assert not tabletop.is_subtype("cabinet", "item")
    assert tabletop.predicates["on"] == (
        Parameter("?x", ("item",)),
        Parameter("?s", ("support",)),
    )
    assert {"stackable", "fits", "has-color"}.isdisjoint(tabletop.fluents())


def test_a_problem_is_read_completely(problem: Problem) -> None:
    assert problem.objects["mug"] == "cup"
    assert Atom("on", ("green", "red")) in problem.init
    assert len(problem.init) == 19
    assert str(problem.goal) == "(and (on red blue) (in mug drawer) (not (open drawer)))"


def test_names_are_lower_case_and_comments_are_skipped() -> None:
    domain = read_domain(
        "(define (domain D) ; a comment (with parentheses\n"
        "(:predicates (P ?X)) (:action A :parameters (?X) :precondition (P ?x)"
        " :effect (not (p ?x))))"
    )
    problem = read_problem(
        "(define (problem q) (:domain d) (:objects O) (:init (p o)) (:goal (not (P O))))", domain
    )
    assert problem.init == {Atom("p", ("o",))}


def test_goals_use_the_whole_goal_language(tabletop: Domain, problem: Problem) -> None:
    goal = read_goal(
        "(forall (?b - block) (imply (has-color ?b crimson) (in ?b bin)))",
        tabletop,
        problem.objects,
    )
    assert goal == ForAll(
        (Parameter("?b", ("block",)),),
        Imply(Proposition("has-color", ("?b", "crimson")), Proposition("in", ("?b", "bin"))),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(on red)", ["'on' takes 2 arguments", "(on ?x - item ?s - support)"]),
        ("(on red purple)", ["undeclared object 'purple'", "desk", "green"]),
        ("(above red blue)", ["unknown predicate 'above'", "holding"]),
        ("(in bin red)", ["'bin' is a bin", "'in' wants a item"]),
        ("(on ?x blue)", ["undeclared variable '?x'"]),
        ("(forall (?b - brick) (in ?b bin))", ["type 'brick'", "block"]),
        ("(and (on red blue)", ["never closed"]),
        ("(on red blue) (on blue red)", ["expected one formula, got 2"]),
        ("(not (on red blue) (clear red))", ["'not' takes 1 part"]),
        ("red on blue", ["expected one formula"]),
        ("", ["expected one formula, got 0"]),
        ("(when (clear red) (clear blue))", ["belongs in an effect"]),
        ("(> (total-cost) 3)", ["unsupported numeric condition"]),
    ],
)
def test_bad_goals_name_the_problem_and_the_legal_values(
    text: str, words: list[str], tabletop: Domain, problem: Problem
) -> None:
    with pytest.raises(ProgramError) as caught:
        read_goal(text, tabletop, problem.objects)
    message = str(caught.value)
    assert caught.value.raw == text
    for word in words:
        assert word in message


def test_all_errors_of_a_text_are_reported_with_their_lines() -> None:
    with pytest.raises(ProgramError) as caught:
        read_domain(
            "(define (domain d)\n(:predicates (p ?x - thing))\n"
            "(:action a :parameters (?x)\n:precondition (q ?x)\n:effect (p ?y)))"
        )
    where = [d.where for d in caught.value.diagnostics]
    assert where == ["domain, line 2", "domain, line 4", "domain, line 5"]


@pytest.mark.parametrize(
    "section",
    [
        "(:durative-action a :parameters ())",
        "(:action a :parameters () :precondition (preference r (p)) :effect (q))",
        "(:constraints (always (p)))",
        "(:action a :parameters () :effect (assign (fuel) 3))",
        "(:action a :parameters () :effect (when (p) (increase (total-cost) 1)))",
        "(:action a :parameters () :effect (or (p) (q)))",
    ],
)
def test_unsupported_parts_are_refused_not_ignored(section: str) -> None:
    with pytest.raises(ProgramError, match="unsupported"):
        read_domain(
            f"(define (domain d) (:predicates (p) (q)) (:functions (total-cost)) {section})"
        )


def test_init_values_and_metric() -> None:
    domain = read_domain(
        "(define (domain d) (:predicates (p ?x)) (:functions (total-cost) (w ?x) - number)"
        " (:action a :parameters (?x) :effect (and (p ?x) (increase (total-cost) (+ 1 (w ?x))))))"
    )
    problem = read_problem(
        "(define (problem q) (:domain d) (:objects o) (:init (= (total-cost) 0) (= (w o) 2.5))"
        " (:goal (p o)) (:metric minimize (total-cost)))",
        domain,
    )
    assert problem.minimize_cost
    assert problem.values == {Atom("total-cost"): 0.0, Atom("w", ("o",)): 2.5}
    assert isinstance(problem.goal, Proposition)


@pytest.mark.parametrize("text", ["", "hello", "(define (domain d)", ")))", "()", "(define)"])
def test_garbage_gives_diagnostics(text: str) -> None:
    with pytest.raises(ProgramError):
        read_problem(text, Domain(name="d"))


def test_true_is_the_empty_conjunction(tabletop: Domain) -> None:
    assert read_goal("(and)", tabletop, {}) == And()
