"""A small scene, and a memory of it, for the translators' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.memory import SceneMemory
from embodied.types import Atom, PddlProgram, WorldSpec

DOMAIN = """\
(define (domain desk)
  (:requirements :strips :typing :negative-preconditions :equality :universal-preconditions
                 :existential-preconditions :disjunctive-preconditions)
  (:types item container color - object tool toy-car - item drawer - container)
  (:predicates
    (in ?x - item ?c - container)  ; x is inside c
    (open ?c - drawer)
    (hand-empty)
    (has-color ?x - item ?k - color)) ; static
  (:action move
    :parameters (?x - item ?c - container)
    :precondition (hand-empty)
    :effect (in ?x ?c))
  (:action remove
    :parameters (?x - item ?c - container)
    :precondition (in ?x ?c)
    :effect (not (in ?x ?c)))
  (:action open
    :parameters (?c - drawer)
    :precondition (not (open ?c))
    :effect (open ?c))
  (:action close
    :parameters (?c - drawer)
    :precondition (open ?c)
    :effect (not (open ?c))))
"""

OBJECTS = {
    "saw": "tool",
    "red-car": "toy-car",
    "blue-car": "toy-car",
    "crate": "container",
    "top-drawer": "drawer",
    "red": "color",
    "blue": "color",
}

FACTS = frozenset(
    Atom.parse(text)
    for text in (
        "(hand-empty)",
        "(in saw crate)",
        "(has-color red-car red)",
        "(has-color blue-car blue)",
    )
)


@pytest.fixture
def domain_text() -> str:
    return DOMAIN


@pytest.fixture
def objects() -> dict[str, str]:
    return dict(OBJECTS)


@pytest.fixture
def facts() -> frozenset[Atom]:
    return FACTS


@pytest.fixture
def memory() -> Callable[..., SceneMemory]:
    """Build a memory; keyword ``exchanges`` maps earlier sentences to their stages."""

    def build(exchanges: dict[str, tuple[str, ...]] | None = None) -> SceneMemory:
        nobody: Any = None
        told = tuple(
            (sentence, PddlProgram(domain=DOMAIN, problem="", stages=stages, source="test"))
            for sentence, stages in (exchanges or {}).items()
        )
        return SceneMemory(grounder=nobody, transition=nobody, facts=FACTS, exchanges=told)

    return build


@pytest.fixture
def spec() -> WorldSpec:
    empty = np.zeros(0)
    return WorldSpec(
        name="desk",
        robot="none",
        joint_names=(),
        q_lower=empty,
        q_upper=empty,
        dq_max=empty,
        ddq_max=empty,
        dddq_max=empty,
        tau_max=empty,
        q_home=empty,
        control_dt_s=0.01,
    )


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file in ``snapshots/``; a missing file is written and fails."""

    def check(name: str, text: str) -> None:
        path = Path(__file__).parent / "snapshots" / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            pytest.fail(f"wrote the new snapshot {path.name}: read it, then run again")
        wanted = path.read_text(encoding="utf-8")
        assert text == wanted, f"differs from {path.name}; delete that file to renew it"

    return check
