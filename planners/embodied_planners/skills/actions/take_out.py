"""Take an item out of a container."""

from __future__ import annotations

from embodied_planners.skills.picking import take
from embodied_planners.skills.skill import TabletopSkill

SKILL = TabletopSkill(
    rank=3,
    action="""
  ; take x out of a container
  (:action take-out
    :parameters (?x - item ?c - container)
    :precondition (and (hand-empty) (in ?x ?c) (clear ?x) (open ?c))
    :effect (and (holding ?x) (not (hand-empty)) (not (in ?x ?c)) (not (clear ?x))
                 (forall (?y - item) (when (on ?x ?y) (and (not (on ?x ?y)) (clear ?y))))))""",
    generate=take,
    explanation="Take {0} out of {1}.",
)
