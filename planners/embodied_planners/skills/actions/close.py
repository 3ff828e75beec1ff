"""Close a drawer by its handle."""

from __future__ import annotations

from functools import partial

from embodied_planners.skills.drawers import slide
from embodied_planners.skills.skill import TabletopSkill

SKILL = TabletopSkill(
    rank=8,
    action="""
  (:action close
    :parameters (?d - drawer)
    :precondition (and (hand-empty) (open ?d))
    :effect (not (open ?d)))""",
    generate=partial(slide, opening=False),
    explanation="Close {0}.",
)
