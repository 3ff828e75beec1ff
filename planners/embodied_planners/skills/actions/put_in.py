"""Lower the held item into a container as far as the hand fits, and release it."""

from __future__ import annotations

from collections.abc import Iterator

from embodied.protocols import Skill
from embodied.types import Observation, Pose, SkillResult
from embodied_planners.skills.geometry import bottom_z, top_z
from embodied_planners.skills.placements import free_spots
from embodied_planners.skills.placing import QUARTER, let_go, spread, yawed
from embodied_planners.skills.skill import TabletopSkill
from embodied_planners.skills.workcell import PACKED_GAP_M, Workcell, above

BELOW_RIM_M = 0.008
"""An item must end with its lowest point at least this far below the rim to be inside."""


def put_in(cell: Workcell, args: tuple[str, ...], observation: Observation, attempt: int) -> Skill:
    """Lower the held item into a container as far as the hand fits, and let go."""
    item, container = args
    cell.look(observation, holding=item)
    thing = cell.spec.objects[item]
    rim = top_z(cell.spec.objects[container], observation.poses[container])
    poses: list[Pose] = []
    for gap, on_top in ((0.012, False), (0.004, False), (0.004, True)):
        found = [
            spot
            for turned in (False, True)
            for spot in free_spots(
                cell.scene,
                cell.spec,
                observation,
                item,
                container,
                gap_m=gap,
                wanted_gap_m=PACKED_GAP_M,
                pack=True,
                turned=turned,
                on_top=on_top,
            )
        ]
        found.sort(key=lambda spot: spot.cost)
        low = [s.pose_item_in_world for s in found]
        poses = [p for p in low if bottom_z(thing, p) < rim - BELOW_RIM_M]
        if poses:
            break
    if not poses:
        return SkillResult(ok=False, reason=f"no free spot for {item} in {container}")
    spots = spread(poses, attempt)

    turns = (0.0, QUARTER, -QUARTER)

    def candidates() -> Iterator[Pose]:
        for raised in (0.0, 0.02, 0.04, 0.06):
            for pose in spots[:4]:
                if raised == 0.0 or pose.position[2] + raised < rim + 0.08:
                    for turn in turns:
                        yield yawed(above(pose, raised), turn)

    return (yield from let_go(cell, item, container, candidates(), observation, limit=48))


SKILL = TabletopSkill(
    rank=6,
    action="""
  ; put the held x into a container
  (:action put-in
    :parameters (?x - item ?c - container)
    :precondition (and (holding ?x) (open ?c) (fits ?x ?c))
    :effect (and (in ?x ?c) (clear ?x) (hand-empty) (not (holding ?x))))""",
    generate=put_in,
    explanation="Put {0} into {1}.",
)
