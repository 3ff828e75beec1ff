"""Take an item off a surface."""

from __future__ import annotations

from embodied_planners.skills.picking import take
from embodied_planners.skills.skill import TabletopSkill

SKILL = TabletopSkill(
    rank=1,
    action="""
  ; take x off a surface
  (:action pick
    :parameters (?x - item ?s - surface)
    :precondition (and (hand-empty) (on ?x ?s) (clear ?x))
    :effect (and (holding ?x) (not (hand-empty)) (not (on ?x ?s)) (not (clear ?x))))""",
    generate=take,
    explanation="Pick up {0} from {1}.",
)
