"""Put the held item on a free spot of a surface."""

from __future__ import annotations

from embodied.protocols import Skill
from embodied.types import Observation, SkillResult
from embodied_planners.skills.placements import free_spots
from embodied_planners.skills.placing import let_go, spread, turned_ways
from embodied_planners.skills.skill import TabletopSkill
from embodied_planners.skills.workcell import LEAST_GAP_M, SPOT_GAP_M, Workcell


def place(cell: Workcell, args: tuple[str, ...], observation: Observation, attempt: int) -> Skill:
    """Put the held item on a free spot of a surface."""
    item, surface = args
    cell.look(observation, holding=item)
    asked = cell.placements(item)
    spots = free_spots(
        cell.scene,
        cell.spec,
        observation,
        item,
        surface,
        gap_m=LEAST_GAP_M,
        wanted_gap_m=0.0 if asked else SPOT_GAP_M,
        asked=asked,
        layout=cell.layout,
    )
    if not spots:
        where = " where it was asked for" if asked else ""
        return SkillResult(ok=False, reason=f"no free spot for {item} on {surface}{where}")
    poses = [s.pose_item_in_world for s in spots]
    if any(p.relation == "turned" for p in asked):
        return (yield from let_go(cell, item, surface, iter(poses), observation))
    candidates = turned_ways(cell, spread(poses, attempt), observation)
    return (yield from let_go(cell, item, surface, candidates, observation))


SKILL = TabletopSkill(
    rank=4,
    action="""
  ; put the held x on a surface
  (:action place
    :parameters (?x - item ?s - surface)
    :precondition (holding ?x)
    :effect (and (on ?x ?s) (clear ?x) (hand-empty) (not (holding ?x))))""",
    generate=place,
    explanation="Put {0} down on {1}.",
)
