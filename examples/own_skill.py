"""A skill of your own: "push the red block away" pushes it until it is measured to be far.

Name ``SKILL`` in your package's metadata and ``embodied run "push the red block away"`` knows it:

    [project.entry-points."embodied.skills"]
    push-away = "own_skill:SKILL"

Run this file to see it without installing anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from embodied_planners.skills import SKILLS, TabletopSkill
from embodied_planners.skills.pushing import push
from embodied_planners.skills.workcell import Workcell

from embodied import Settings, open_session
from embodied.protocols import Skill
from embodied.types import Atom, ObjectSpec, Observation, Saying, SkillResult

FAR_M, PUSHES = 0.55, 6


def push_away(
    cell: Workcell, args: tuple[str, ...], observation: Observation, attempt: int
) -> Skill:
    """Push an item along the table, away from the base, a few centimetres at a time."""
    (item,) = args
    swing = (0.0, 0.3, -0.3)[attempt % 3]
    for _ in range(PUSHES):
        x, y, _ = observation.poses[item].position
        if x > FAR_M + 0.01:
            break
        angle = np.arctan2(y, x) + swing
        direction = np.array([np.cos(angle), np.sin(angle), 0.0])
        pushed = yield from push(cell, item, direction, observation)
        observation = pushed.observation
        if not pushed.ok:
            return SkillResult(ok=False, reason=pushed.reason)
    far = bool(observation.poses[item].position[0] > FAR_M)
    return SkillResult(ok=far, reason="" if far else f"{item} is not far enough")


def measure(objects: Mapping[str, ObjectSpec], observation: Observation) -> Iterable[Atom]:
    """What is far, by measured positions."""
    items = (name for name, thing in objects.items() if thing.kind == "item")
    return [Atom("far", (n,)) for n in items if observation.poses[n].position[0] > FAR_M]


SKILL = TabletopSkill(
    action="""
  ; push x along what it stands on, away from the base
  (:action push-away
    :parameters (?x - item)
    :precondition (and (hand-empty) (clear ?x) (not (far ?x)))
    :effect (far ?x))""",
    predicates="(far ?x - item) ; x is more than 55 cm ahead of the base",
    measure=measure,
    generate=push_away,
    explanation="Push {0} away from the robot.",
    sayings=(Saying(words="push {x} away", goal="(far {x})"),),
)

if __name__ == "__main__":
    SKILLS.add("push-away", SKILL)
    session = open_session(Settings(seed=3, yes=True))  # a push is not undone
    before = session.environment.body.observe().poses["red-block"].position[0]
    outcome = session.run("push the red block away")
    after = session.environment.body.observe().poses["red-block"].position[0]
    print(outcome.message, f"red-block: x = {before:.3f} m before, {after:.3f} m after")
    print(*session.environment.grounder.domain_text.splitlines()[-7:], sep="\n")
    assert outcome.reached and after > FAR_M > before
    session.close()
