"""Take an item off another one."""

from __future__ import annotations

from embodied_planners.skills.picking import take
from embodied_planners.skills.skill import TabletopSkill

SKILL = TabletopSkill(
    rank=2,
    action="""
  ; take x off another item
  (:action unstack
    :parameters (?x - item ?y - item)
    :precondition (and (hand-empty) (on ?x ?y) (clear ?x))
    :effect (and (holding ?x) (not (hand-empty)) (not (on ?x ?y)) (not (clear ?x)) (clear ?y)
                 (forall (?c - container) (not (in ?x ?c)))))""",
    generate=take,
    explanation="Take {0} off {1}.",
)
