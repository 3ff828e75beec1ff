"""Goals read again for what is still there."""

from __future__ import annotations

from embodied.routes.pddl.goal_relaxation import relax, vanished
from embodied.symbolic import read_domain
from embodied.types import Atom

DOMAIN = read_domain("""
(define (domain d) (:requirements :strips :typing :universal-preconditions)
  (:types block bin)
  (:predicates (in ?b - block ?c - bin) (held ?b - block) (clear ?b - block))
  (:action put :parameters (?b - block ?c - bin) :precondition (held ?b)
    :effect (and (in ?b ?c) (not (held ?b)) (clear ?b))))
""")
OBJECTS = {"a": "block", "b": "block", "c": "block", "bin": "bin"}


def atoms(*texts: str) -> frozenset[Atom]:
    return frozenset(map(Atom.parse, texts))


def test_what_is_held_has_not_vanished() -> None:
    before = atoms("(in a bin)", "(in b bin)", "(clear a)", "(clear b)")
    now = atoms("(held a)", "(clear b)")
    assert vanished(before, now, DOMAIN, OBJECTS) == ("b",)
    assert vanished(before, before, DOMAIN, OBJECTS) == ()


def test_all_means_all_that_are_left() -> None:
    goal = "(forall (?x - block) (in ?x bin))"
    assert relax(goal, ["b"], DOMAIN, OBJECTS) == "(and (in a bin) (in c bin))"
    some = "(exists (?x - block) (in ?x bin))"
    assert relax(some, ["a", "b"], DOMAIN, OBJECTS) == "(or (in c bin))"


def test_a_thing_that_was_named_is_not_read_away() -> None:
    assert relax("(and (in a bin) (in b bin))", ["b"], DOMAIN, OBJECTS) is None
    assert relax("(forall (?x - block) (in ?x bin))", [], DOMAIN, OBJECTS) is None


def test_an_exception_is_not_a_demand() -> None:
    goal = "(forall (?x - block) (imply (not (= ?x b)) (in ?x bin)))"
    again = relax(goal, ["b"], DOMAIN, OBJECTS)
    assert again is not None and "in b bin" not in again
