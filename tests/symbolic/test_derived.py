"""Derived predicates against a plain statement of what they mean."""

from __future__ import annotations

import itertools
import random

import pytest

from embodied.errors import ProgramError
from embodied.symbolic import (
    Derivation,
    holds,
    read_domain,
    read_problem,
    render_domain,
    validate_plan,
)
from embodied.symbolic.model import Domain
from embodied.types import Atom, GroundAction

REACH = """(define (domain reach) (:requirements :adl :derived-predicates)
  (:types place - object town - place)
  (:predicates (road ?a ?b - place) (reach ?a ?b - place) (cut-off ?a - town) (calm)
    (closed ?a - place))
  (:derived (reach ?a ?b - place)
    (and (not (closed ?a))
         (or (road ?a ?b) (exists (?c - place) (and (reach ?a ?c) (reach ?c ?b))))))
  (:derived (cut-off ?a - town) (forall (?b - place) (imply (not (= ?a ?b)) (not (reach ?b ?a)))))
  (:derived (calm) (not (exists (?a - town) (cut-off ?a))))
  (:action build :parameters (?a ?b - place)
    :precondition (not (reach ?a ?b)) :effect (road ?a ?b)))"""


def _closed_by_definition(domain: Domain, facts: frozenset[Atom], objects: dict[str, str]):
    """The least fixed point, predicate after predicate, by trying every instance of every rule."""
    state = set(facts)
    for level in (("reach",), ("cut-off",), ("calm",)):
        changed = True
        while changed:
            changed = False
            for rule in (r for r in domain.derived if r.predicate in level):
                names = [domain.names_of(p, objects) for p in rule.parameters]
                for values in itertools.product(*names):
                    binding = {p.name: v for p, v in zip(rule.parameters, values, strict=True)}
                    atom = Atom(rule.predicate, values)
                    if atom not in state and holds(rule.condition, state, domain, objects, binding):
                        state.add(atom)
                        changed = True
    return frozenset(state)


@pytest.mark.parametrize("seed", range(20))
def test_closing_gives_the_least_fixed_point(seed: int) -> None:
    rng = random.Random(seed)
    domain = read_domain(REACH)
    objects = {f"p{i}": rng.choice(["place", "town"]) for i in range(6)}
    pairs = list(itertools.permutations(objects, 2))
    facts = {Atom("road", pair) for pair in rng.sample(pairs, 7)}
    facts |= {Atom("closed", (name,)) for name in rng.sample(list(objects), 1)}
    derivation = Derivation(domain, objects)
    closed = derivation.close(facts)
    assert closed == _closed_by_definition(domain, frozenset(facts), objects)
    assert derivation.base(closed) == facts


def test_plans_are_validated_with_what_is_derived() -> None:
    domain = read_domain(REACH)
    problem = read_problem(
        "(define (problem p) (:domain reach) (:objects a b c - town)"
        " (:init (road a b)) (:goal (and (reach a c) (cut-off a) (not (calm)))))",
        domain,
    )
    step = GroundAction("build", ("b", "c"))
    done = validate_plan(domain, problem, [step])
    assert done.ok and Atom("reach", ("a", "c")) in done.facts
    again = validate_plan(domain, problem, [step, GroundAction("build", ("a", "c"))])
    assert again.failed_step == 1 and again.reasons == ("(not (reach a c))",)
    assert validate_plan(domain, problem, []).reasons == ("(reach a c)",)


def test_rules_survive_being_written_out() -> None:
    domain = read_domain(REACH)
    assert read_domain(render_domain(domain)) == read_domain(render_domain(read_domain(REACH)))
    assert read_domain(render_domain(domain)).derived == domain.derived


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("(:derived (q ?x) (not (q ?x)))", "depend on their own negation: q"),
        ("(:derived (q ?x) (forall (?y) (imply (q ?y) (p ?x))))", "own negation: q"),
        ("(:derived (r ?x) (p ?x))", "unknown predicate 'r'"),
        ("(:derived (q ?x ?y) (p ?x))", "'q' takes 1 arguments, got 2"),
        ("(:derived (q ?x) (p ?y))", "undeclared variable '?y'"),
        ("(:derived (q ?x))", "expected (:derived"),
        ("(:derived (p ?x) (q ?x))", "'p' is derived, so that no action can change it"),
    ],
)
def test_rules_without_a_meaning_are_refused(rule: str, words: str) -> None:
    with pytest.raises(ProgramError) as caught:
        read_domain(
            f"(define (domain d) (:predicates (p ?x) (q ?x)) {rule}"
            " (:action a :parameters (?x) :effect (p ?x)))"
        )
    assert words in str(caught.value)
