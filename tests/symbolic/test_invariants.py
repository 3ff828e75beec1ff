from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from embodied.errors import ProgramError
from embodied.symbolic import (
    Domain,
    Problem,
    exactly_one,
    init_diagnostics,
    read_domain,
    read_problem,
    repair,
)
from embodied.types import Atom

GRID = read_domain("""
(define (domain grid) (:requirements :strips :typing) (:types robot tile - object)
  (:predicates (at ?r - robot ?t - tile) (clear ?t - tile) (next ?a ?b - tile)
               (up ?a ?b - tile) (down ?a ?b - tile))
  (:action go :parameters (?r - robot ?a ?b - tile)
    :precondition (and (at ?r ?a) (next ?a ?b) (clear ?b))
    :effect (and (at ?r ?b) (clear ?a) (not (at ?r ?a)) (not (clear ?b)))))
""")


def _row(n: int) -> Problem:
    pairs = [(i, i + 1) for i in range(n - 1)]
    facts = [f"(next t{a} t{b}) (next t{b} t{a}) (up t{a} t{b}) (down t{b} t{a})" for a, b in pairs]
    clear = " ".join(f"(clear t{i})" for i in range(1, n))
    return read_problem(
        f"(define (problem p) (:domain grid) (:objects r - robot "
        f"{' '.join(f't{i}' for i in range(n))} - tile)"
        f" (:init (at r t0) {clear} {' '.join(facts)}) (:goal (at r t1)))",
        GRID,
    )


def test_exactly_one_invariants_come_from_effects_and_example() -> None:
    found = {(i.type_name, i.describe(GRID, "X")) for i in exactly_one(GRID, _row(4))}
    assert found == {("robot", "(at X ?t)"), ("tile", "(at ?r X) or (clear X)")}


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("(clear t2)", "exactly one must hold for t2, but none does"),
        ("(at r t0)", "exactly one must hold for r"),
        ("(next t2 t1)", "(next t1 t2) is given without (next t2 t1)"),
        ("(up t1 t2)", "(down t2 t1) is given without (up t1 t2)"),
    ],
)
def test_a_missing_fact_is_noticed(missing: str, words: str) -> None:
    problem = _row(5)
    assert init_diagnostics(GRID, _row(4), problem) == ()
    damaged = replace(problem, init=problem.init - {Atom.parse(missing)})
    found = " ".join(map(str, init_diagnostics(GRID, _row(4), damaged)))
    assert words in found


def test_a_fact_too_many_is_noticed() -> None:
    problem = _row(5)
    damaged = replace(problem, init=problem.init | {Atom.parse("(clear t0)")})
    (diagnostic,) = init_diagnostics(GRID, _row(4), damaged)
    assert "but 2 do" in str(diagnostic)


def test_both_directions_missing_are_noticed_by_connection() -> None:
    problem = _row(5)
    gone = {f for f in problem.init if set(f.args) == {"t2", "t3"}}
    found = " ".join(
        map(str, init_diagnostics(GRID, _row(4), replace(problem, init=problem.init - gone)))
    )
    assert "'next' does not connect t3, t4 to the rest" in found


def test_many_diagnostics_are_cut_short() -> None:
    problem = _row(60)
    bare = replace(problem, init=frozenset(f for f in problem.init if f.predicate != "clear"))
    found = init_diagnostics(GRID, _row(4), bare, limit=10)
    assert len(found) == 11
    assert "49 more" in str(found[-1])


def _published(folder: Path, name: str) -> tuple[Domain, Problem]:
    texts = repair((folder / "domain.pddl").read_text(), (folder / name).read_text())
    domain = read_domain(texts[0])
    return domain, read_problem(texts[1], domain)


def test_published_problems_raise_no_false_alarm_and_damaged_ones_do(
    benchmark_data: Path,
) -> None:
    """One fact removed from each published initial state in turn (about 15 a problem)."""
    noticed = damaged = 0
    for folder in sorted((benchmark_data / "llm-pddl").iterdir()):
        try:
            domain, example = _published(folder, "p_example.pddl")
        except ProgramError:
            domain, example = _published(folder, "p01.pddl")
        for name in ("p02.pddl", "p05.pddl"):
            domain, problem = _published(folder, name)
            assert init_diagnostics(domain, example, problem) == (), (folder.name, name)
            facts = sorted(problem.init)
            for fact in facts[:: max(1, len(facts) // 15)]:
                less = replace(problem, init=problem.init - {fact})
                damaged += 1
                noticed += bool(init_diagnostics(domain, example, less))
    print(f"noticed {noticed} of {damaged} removed facts")
    assert noticed / damaged > 0.8
