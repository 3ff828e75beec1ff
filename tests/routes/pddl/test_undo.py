"""Inverses, read off domains."""

from __future__ import annotations

from embodied.routes.pddl.undo import inverses, irreversible
from embodied.symbolic import read_domain
from embodied.types import GroundAction
from embodied.world.grounding import domain_text
from embodied.world.scene import load_scene

SCENE = load_scene("kitchen")
DOMAIN = read_domain(domain_text(SCENE.objects))


def test_every_action_of_the_tabletop_has_an_inverse() -> None:
    pairs = {n: i for n, i in inverses(DOMAIN).items() if i is not None}
    assert pairs == {
        "pick": "place",
        "place": "pick",
        "unstack": "stack",
        "stack": "unstack",
        "take-out": "put-in",
        "put-in": "take-out",
        "open": "close",
        "close": "open",
    }


def test_what_nothing_takes_back_is_named() -> None:
    domain = read_domain("""
        (define (domain kitchen) (:requirements :strips :typing) (:types egg)
          (:predicates (whole ?e - egg) (fried ?e - egg))
          (:action fry :parameters (?e - egg) :precondition (whole ?e)
            :effect (and (fried ?e) (not (whole ?e)))))""")
    fry = GroundAction("fry", ("egg1",))
    assert inverses(domain) == {"fry": None}
    assert irreversible([fry], domain) == (fry,)
