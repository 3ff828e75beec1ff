"""The last bit of a touch, and staying where the hand is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from embodied_planners.value_map import ObjectGeometry

from embodied.routes.value_map.following import MotionResult
from embodied.routes.value_map.judge import TOUCHES_M
from embodied.routes.value_map.setting_down import slowest_m_s, straight
from embodied.routes.value_map.state import RunState
from embodied.types import Array, ValueMapStage
from embodied.verdict import Verdict

SPEED_M_S = 0.04
PRESS_M = 0.003
"""How far beyond the seen surface the fingertips go: perception may be off by so much."""

TRIES = 3
STAYED_M = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """How a hand stayed where it was.

    Attributes:
        asked_s: How long it should.
        moved_m: How far it moved meanwhile, at most.
    """

    asked_s: float
    moved_m: float

    def added_to(self, verdict: Verdict) -> Verdict:
        """The verdict with what was measured meanwhile."""
        words = f"stayed for {self.asked_s:g} s within {1000 * self.moved_m:.0f} mm"
        numbers = {**verdict.numbers, "stayed_s": self.asked_s, "moved_meanwhile_m": self.moved_m}
        if self.moved_m < STAYED_M:
            return replace(verdict, holds=(*verdict.holds, words), numbers=numbers)
        return replace(verdict, unmet=(*verdict.unmet, words), numbers=numbers)


def rest(state: RunState, seconds: float) -> Stay:
    """Stay where the hand is for a time."""
    begin = np.array(state.observation.pose_ee_in_world.position)
    end, moved = state.observation.time + seconds, 0.0
    while state.observation.time < end - 1e-9:
        state.body.hold(min(0.1, end - state.observation.time))
        here = np.array(state.observation.pose_ee_in_world.position)
        moved = max(moved, float(np.linalg.norm(here - begin)))
    return Stay(asked_s=seconds, moved_m=moved)


def touch(state: RunState, stage: ValueMapStage, ended: MotionResult) -> MotionResult:
    """From near a thing to its surface, straight and slowly, with closed fingers.

    Args:
        state: The run.
        stage: A stage that is over when the fingertips touch a thing.
        ended: How the way there ended.
    """
    assert stage.until is not None
    name = stage.until.subject
    if not state.held:
        state.fingers(0.0)
    gap = np.inf
    for _ in range(TRIES):
        thing = state.objects.get(name)
        if thing is None:
            return replace(ended, reached=False, reason=f"{name} is not seen")
        tip = np.array(state.observation.pose_ee_in_world.position)
        gap = float(thing.distance_to(tip[None])[0])
        if gap <= TOUCHES_M:
            return replace(ended, over=True)
        way = nearest_on(thing, tip) - tip
        way *= 1.0 + PRESS_M / max(float(np.linalg.norm(way)), PRESS_M)
        reason = straight(state, way, min(SPEED_M_S, slowest_m_s(stage)), touch=(name,))
        if reason:
            return replace(ended, reached=False, reason=reason)
    return replace(ended, reached=False, reason=f"{1000 * gap:.0f} mm short of touching {name}")


def nearest_on(thing: ObjectGeometry, place: Array) -> Array:
    """The point of a thing's surface that is nearest to a place outside of it, both (3,), m."""
    here = np.array(place, dtype=np.float64)
    for _ in range(20):
        gap = float(thing.distance_to(here[None])[0])
        if gap < 1e-4:
            break
        steps = here + 1e-4 * np.eye(3)
        slope = (np.array([thing.distance_to(p[None])[0] for p in steps]) - gap) / 1e-4
        size = float(np.linalg.norm(slope))
        if size < 1e-6:
            break
        here = here - gap * slope / size
    return here
