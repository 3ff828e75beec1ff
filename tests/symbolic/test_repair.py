from __future__ import annotations

from pathlib import Path

import pytest

from embodied.errors import ProgramError
from embodied.symbolic import lint, read_domain, read_problem, repair

DOMAIN = """(define (domain d)
  (:requirements :strips :typing)
  (:types block - object)
  (:predicates (on ?a ?b - block) (table ?a - block))
  (:action lift :parameters (?a ?b - block)
    :precondition (on ?a ?b) :effect (and (table ?a) (not (on ?a ?b)))))
"""
PROBLEM = """(define (problem p) (:domain d)
  (:objects a b - block) (:init (on a b)) (:goal (table a)))
"""


def _broken(old: str, new: str, *, problem: bool = False) -> tuple[str, str]:
    text = PROBLEM if problem else DOMAIN
    assert text.count(old) >= 1
    changed = text.replace(old, new, 1)
    return (DOMAIN, changed) if problem else (changed, PROBLEM)


CASES = {
    "type object": (*_broken("(:types block", "(:types object block"), "built in"),
    "duplicate type": (
        *_broken("block - object)", "thing block - object block - thing)"),
        "block - thing",
    ),
    "no requirements": (*_broken("(:requirements :strips :typing)", ""), ":typing"),
    "no typing": (*_broken(":strips :typing", ":strips"), ":typing"),
    "constant": (*_broken("(on ?a ?b) :effect", "(on ?a b) :effect"), "constant"),
    "domain name": (*_broken("(:domain d)", "(:domain e)", problem=True), "domain e"),
    "no domain": (*_broken("(:domain d)", "", problem=True), "(:domain d)"),
    "and in init": (*_broken("(on a b))", "(and (on a b)))", problem=True), "'and'"),
    "negation in init": (
        *_broken("(on a b))", "(on a b) (not (table a)))", problem=True),
        "left (not (table a))",
    ),
    "object twice": (*_broken("a b - block", "a b a - block", problem=True), "declared twice"),
    "open at the end": (
        *_broken("(:goal (table a)))", "(:goal (table a)", problem=True),
        "balanced",
    ),
    "closed too often": (*_broken("(table a)))", "(table a))))", problem=True), "balanced"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_repair_is_noted_and_leaves_nothing_to_complain_about(name: str) -> None:
    domain, problem, words = CASES[name]
    assert lint(domain, problem)
    new_domain, new_problem, notes = repair(domain, problem)
    assert any(words in note for note in notes), notes
    assert lint(new_domain, new_problem) == ()
    repaired = read_problem(new_problem, read_domain(new_domain))
    original = read_problem(PROBLEM, read_domain(DOMAIN))
    assert repaired.init == original.init
    assert str(repaired.goal) == str(original.goal)
    assert repair(new_domain, new_problem) == (new_domain, new_problem, ())


def test_a_sound_text_is_returned_unchanged() -> None:
    commented = f"; mine\n{DOMAIN}"
    assert repair(commented, PROBLEM) == (commented, PROBLEM, ())


AMBIGUOUS = {
    "undeclared object": _broken("(on a b))", "(on a c))", problem=True),
    "two real parents": _broken("block - object)", "x y - object block - x block - y)"),
    "object of two types": _broken("a b - block", "a b - block a - object", problem=True),
    "goal missing": _broken("(:goal (table a))", "", problem=True),
    "wrong arity": _broken("(:goal (table a))", "(:goal (table a b))", problem=True),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_is_ambiguous_stays_an_error(name: str) -> None:
    domain, problem, _ = repair(*AMBIGUOUS[name])
    with pytest.raises(ProgramError):
        read_problem(problem, read_domain(domain))


def test_action_and_predicate_of_one_name_is_only_a_remark(tabletop_text: str) -> None:
    remarks = lint(tabletop_text)
    assert [d.problem for d in remarks] == ["action and predicate share the name 'open'"]
    read_domain(tabletop_text)


def test_all_published_domains_become_sound(benchmark_data: Path) -> None:
    """The four known faults of the published domains, and one example beyond repair."""
    notes: set[str] = set()
    unreadable: list[str] = []
    files = sorted(benchmark_data.glob("llm-pddl/*/p*.pddl"))
    for file in files:
        domain_text = (file.parent / "domain.pddl").read_text()
        domain, problem, made = repair(domain_text, file.read_text())
        notes |= {f"{file.parent.name}: {n.split(' ')[0]} {n.split(' ')[1]}" for n in made}
        try:
            read_problem(problem, read_domain(domain))
        except ProgramError:
            unreadable.append(f"{file.parent.name}/{file.name}")
    assert len(files) == 77
    assert unreadable == ["floortile/p_example.pddl"]
    assert notes == {
        "grippers: domain: removed",
        "storage: domain: type",
        "tyreworld: domain: its",
        "tyreworld: problem: jack,",
        "tyreworld: domain: declared",
    }
