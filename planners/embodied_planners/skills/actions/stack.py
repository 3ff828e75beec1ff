"""Put the held item on the middle of another one, aligned with it."""

from __future__ import annotations

from embodied.protocols import Skill
from embodied.types import Observation
from embodied_planners.skills.placements import stack_poses
from embodied_planners.skills.placing import QUARTER, let_go, yawed
from embodied_planners.skills.skill import TabletopSkill
from embodied_planners.skills.workcell import Workcell


def stack(cell: Workcell, args: tuple[str, ...], observation: Observation, attempt: int) -> Skill:
    """Put the held item on the middle of another item, aligned with it."""
    item, below = args
    spec = cell.spec.objects
    cell.look(observation, holding=item)
    pose = stack_poses(spec[item], observation.poses[item], spec[below], observation.poses[below])
    turns = [0.0, QUARTER, -QUARTER, 2 * QUARTER]
    if spec[item].shape != "box" or spec[below].shape != "box":
        turns = [k * QUARTER / 2 for k in (0, 1, -1, 2, -2, 3, -3, 4)]
    shift = attempt % len(turns)
    candidates = (yawed(pose, angle) for angle in turns[shift:] + turns[:shift])
    return (yield from let_go(cell, item, below, candidates, observation))


SKILL = TabletopSkill(
    rank=5,
    action="""
  ; put the held x on another item
  (:action stack
    :parameters (?x - item ?y - item)
    :precondition (and (holding ?x) (clear ?y) (stackable ?y)
                       (forall (?c - container) (not (in ?y ?c))))
    :effect (and (on ?x ?y) (clear ?x) (hand-empty) (not (holding ?x)) (not (clear ?y))))""",
    generate=stack,
    explanation="Stack {0} on {1}.",
)
