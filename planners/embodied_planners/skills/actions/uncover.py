"""Lift a cover, such as an upturned cup, off what it hides."""

from __future__ import annotations

from collections.abc import Mapping

from embodied.protocols import Skill
from embodied.types import ObjectSpec, Observation
from embodied_planners.skills.picking import take
from embodied_planners.skills.skill import TabletopSkill
from embodied_planners.skills.workcell import Workcell


def uncover(cell: Workcell, args: tuple[str, ...], observation: Observation, attempt: int) -> Skill:
    """Take hold of a cover and lift it."""
    cover, _, surface = args
    return (yield from take(cell, (cover, surface), observation, attempt))


def has_covers(objects: Mapping[str, ObjectSpec]) -> bool:
    """Whether there is an item that is hollow below."""
    return any(o.kind == "item" and any(o.inner_size_m) for o in objects.values())


SKILL = TabletopSkill(
    rank=9,
    predicates="(under ?x - item ?c - item)       ; the cover c hides x, which stands below it",
    needs=has_covers,
    action="""
  ; lift the cover c off x
  (:action uncover
    :parameters (?c - item ?x - item ?s - surface)
    :precondition (and (hand-empty) (on ?c ?s) (on ?x ?s) (clear ?c) (under ?x ?c))
    :effect (and (holding ?c) (not (hand-empty)) (not (on ?c ?s)) (not (clear ?c))
                 (not (under ?x ?c)) (clear ?x)))""",
    generate=uncover,
    explanation="Lift {0} from {2}, off {1}.",
)
