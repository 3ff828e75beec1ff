"""Open a drawer by its handle."""

from __future__ import annotations

from functools import partial

from embodied_planners.skills.drawers import slide
from embodied_planners.skills.skill import TabletopSkill

SKILL = TabletopSkill(
    rank=7,
    action="""
  (:action open
    :parameters (?d - drawer)
    :precondition (and (hand-empty) (not (open ?d)))
    :effect (open ?d))""",
    generate=partial(slide, opening=True),
    explanation="Open {0}.",
)
