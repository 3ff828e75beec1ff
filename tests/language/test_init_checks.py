"""Rules that a domain implies about initial states: what they notice, when they keep quiet."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from embodied.errors import ProgramError
from embodied.language.pddl.init_checks import exactly_one_rules, suspicions
from embodied.symbolic import Domain, Problem, read_domain, read_problem, repair
from embodied.types import Atom

GRID = """(define (domain grid) (:requirements :strips :typing)
  (:types place thing - object)
  (:predicates (at ?x - thing ?p - place) (next ?a - place ?b - place)
               (west ?a - place ?b - place) (east ?a - place ?b - place))
  (:action go :parameters (?x - thing ?a - place ?b - place)
    :precondition (and (at ?x ?a) (next ?a ?b))
    :effect (and (at ?x ?b) (not (at ?x ?a)))))"""
KNOWN = """(define (problem known) (:domain grid) (:objects a b c - place x y - thing)
  (:init (at x a) (at y b) (next a b) (next b a) (next b c) (next c b)
         (west a b) (west b c) (east b a) (east c b)) (:goal (at x c)))"""


@pytest.fixture
def domain() -> Domain:
    return read_domain(GRID)


@pytest.fixture
def known(domain: Domain) -> Problem:
    return read_problem(KNOWN, domain)


def test_a_thing_is_in_one_place(domain: Domain, known: Problem) -> None:
    rules = exactly_one_rules(domain, known)
    assert [(r.places, r.kind) for r in rules] == [((("at", 0),), "thing")]


def test_a_good_problem_is_not_suspicious(domain: Domain, known: Problem) -> None:
    assert suspicions(domain, known, known) == ()


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("(at y b)", "(at y ?)"),
        ("(next c b)", "(next b c) is listed without (next c b)"),
        ("(west a b)", "(east b a) is listed without (west a b)"),
    ],
)
def test_a_missing_fact_is_noticed(
    domain: Domain, known: Problem, missing: str, named: str
) -> None:
    broken = replace(known, init=known.init - {Atom.parse(missing)})
    assert any(named in str(d) for d in suspicions(domain, broken, known))


def test_two_places_at_once_are_noticed(domain: Domain, known: Problem) -> None:
    broken = replace(known, init=known.init | {Atom.parse("(at x c)")})
    (found,) = suspicions(domain, broken, known)
    assert found.problem == "2 of these facts about x hold: (at x ?)"


def test_a_relation_that_is_missing_altogether_is_noticed(domain: Domain, known: Problem) -> None:
    init = frozenset(f for f in known.init if f.predicate != "next")
    found = suspicions(domain, replace(known, init=init), known)
    assert "there is no fact (next ? ?)" in [d.problem for d in found]


def _published(benchmark_data: Path) -> list[tuple[str, Domain, Problem, Problem | None]]:
    result = []
    for folder in sorted((benchmark_data / "llm-pddl").iterdir()):
        text = (folder / "domain.pddl").read_text()
        try:
            mended, example_text, _ = repair(text, (folder / "p_example.pddl").read_text())
            example = read_problem(example_text, read_domain(mended))
        except ProgramError:
            example = None
        for path in sorted(folder.glob("p[0-9]*.pddl")):
            mended, problem_text, _ = repair(text, path.read_text())
            own = read_domain(mended)
            result.append((folder.name, own, read_problem(problem_text, own), example))
    return result


def test_published_problems_raise_no_false_alarm_and_dropped_facts_are_noticed(
    benchmark_data: Path,
) -> None:
    """Every published problem is clean; of single facts left out, most are noticed."""
    rng = random.Random(0)
    noticed = dropped = 0
    for name, domain, problem, example in _published(benchmark_data):
        if example is None:
            continue
        assert suspicions(domain, problem, example) == (), name
        fact = rng.choice(sorted(problem.init))
        broken = replace(problem, init=problem.init - {fact})
        dropped += 1
        noticed += bool(suspicions(domain, broken, example))
    assert dropped >= 50
    assert noticed / dropped > 0.6
