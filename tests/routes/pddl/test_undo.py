"""Inverses, read off domains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.routes.pddl.undo import backwards, inverses, irreversible
from embodied.symbolic import applicable, bindings, progress, read_domain
from embodied.types import Atom, GroundAction
from embodied.world.grounding import domain_text
from embodied.world.scene import load_scene

SCENE = load_scene("kitchen")
DOMAIN = read_domain(domain_text(SCENE.objects))
OBJECTS = {n: o.category for n, o in SCENE.objects.items()}
START = frozenset(
    map(
        Atom.parse,
        [
            *("(hand-empty)", "(open bowl)", "(open basket)", "(on apple table)", "(clear apple)"),
            *("(on lime sponge)", "(on sponge table)", "(clear lime)", "(stackable sponge)"),
            *("(in soda-can basket)", "(clear soda-can)", "(fits apple bowl)", "(fits lime bowl)"),
            *("(fits sponge drawer)", "(fits soda-can basket)"),
        ],
    )
)
ACTIONS = [
    GroundAction(a.name, tuple(b[p.name] for p in a.parameters))
    for a in DOMAIN.actions.values()
    for b in bindings(a.parameters, DOMAIN, OBJECTS)
]


def test_every_action_of_the_tabletop_has_an_inverse() -> None:
    pairs = {n: i.action for n, i in inverses(DOMAIN).items() if i is not None}
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


@given(st.lists(st.integers(0, 10_000), max_size=6))
def test_going_backwards_leads_back(choices: list[int]) -> None:
    facts, done = START, list[GroundAction]()
    for choice in choices:
        possible = [a for a in ACTIONS if not applicable(a, facts, DOMAIN, OBJECTS)]
        action = possible[choice % len(possible)]
        facts = progress(action, facts, DOMAIN, OBJECTS)
        done.append(action)
    for action in backwards(done, DOMAIN):
        if applicable(action, facts, DOMAIN, OBJECTS):
            return  # conditional effects may stand in the way: undo then plans instead
        facts = progress(action, facts, DOMAIN, OBJECTS)
    assert facts == START


def test_what_nothing_takes_back_is_named() -> None:
    domain = read_domain("""
        (define (domain kitchen) (:requirements :strips :typing) (:types egg)
          (:predicates (whole ?e - egg) (fried ?e - egg))
          (:action fry :parameters (?e - egg) :precondition (whole ?e)
            :effect (and (fried ?e) (not (whole ?e)))))""")
    fry = GroundAction("fry", ("egg1",))
    assert inverses(domain) == {"fry": None}
    assert irreversible([fry], domain) == (fry,)
    with pytest.raises(ValueError, match="cannot be taken back.*none"):
        backwards([fry], domain)
