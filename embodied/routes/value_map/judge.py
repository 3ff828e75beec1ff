"""The verdict of a stage: the target, and every map along the path."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
from embodied_planners.value_map.profiles import nearest_half_turn
from embodied_planners.value_map.regions import UnknownFrameError, Volume, volume
from embodied_planners.value_map.targets import SHELL_M

from embodied.language.value_map.describe import describe_region
from embodied.routes.value_map.state import RunState
from embodied.types import Array, Atom, MapOperation, Observation, ValueMapCondition, ValueMapStage
from embodied.verdict import Verdict

TOUCHES_M = 0.006
"""Fingertips so near to the surface of a thing, as it is seen, touch it."""

TARGET_M = 0.015
"""Tolerance for reaching a target point: perception and tracking together."""

SPEED_SHARE = 1.05
SPEED_SLACK_M_S = 0.01
AVOIDED_M = 0.005
TURN_RAD = 0.09
WINDOW = 5
"""Control periods over which a speed is measured."""


class StageJudge:
    """Watches a stage, control period by control period.

    Args:
        state: The run.
        stage: The stage.
        anchors: Origins of frames that stay where they were when the stage began.
        fact: What the stage is to make true, None where it is about places alone.
    """

    def __init__(
        self,
        state: RunState,
        stage: ValueMapStage,
        anchors: Mapping[str, Array],
        fact: Atom | None = None,
    ) -> None:
        self.s, self.stage, self.anchors, self.fact = state, stage, anchors, fact
        self.path: list[Array] = []
        self.speed: list[float] = []
        self._window: deque[tuple[float, Array]] = deque(maxlen=WINDOW + 1)
        self._volumes: list[tuple[MapOperation, Volume]] = []
        self._of: object = None
        self._worst_speed = (0.0, 0.0, 0.0)
        self._depth: dict[str, float] = {}
        self._left: set[str] = set()
        self._turn = 0.0

    def watch(self, observation: Observation) -> None:
        """Take in one control period."""
        self._refresh()
        hand = np.array(observation.pose_ee_in_world.position)
        self._window.append((observation.time, hand))
        (t0, p0), (t1, p1) = self._window[0], self._window[-1]
        speed = float(np.linalg.norm(p1 - p0)) / max(t1 - t0, 1e-9) if t1 > t0 else 0.0
        place = self._place(hand)
        self.path.append(place)
        self.speed.append(speed)
        allowed = np.inf
        for operation, region in self._volumes:
            value = operation.value
            if operation.map == "velocity" and not isinstance(value, tuple):
                allowed = float(value) if region.contains(place)[0] else allowed
            elif operation.map == "avoidance" and not isinstance(value, tuple) and value >= 0.5:
                self._avoided(operation, region, place)
            elif operation.map == "rotation" and isinstance(value, tuple) and speed > 0.02:
                if region.contains(place)[0]:
                    self._turn = max(self._turn, _turned_away(value, observation))
        if speed - allowed > self._worst_speed[0] - self._worst_speed[1] and np.isfinite(allowed):
            self._worst_speed = (speed, allowed, observation.time)

    def report(self, text: str, reason: str, *, over: bool = False) -> Verdict:
        """Judge the stage from what is measured now and what was measured on the way.

        Args:
            text: The stage in words.
            reason: Why its motion ended early, if it did.
            over: Whether it ended by its own condition: then its target does not count.
        """
        self._refresh(force=True)
        holds: list[str] = []
        unmet: list[str] = []
        numbers: dict[str, float] = {}
        for ok, words in (
            (True, "") if over else self._relation(numbers),
            self._speed(numbers),
            *self._avoidance(numbers),
            self._rotation(numbers),
            (True, "") if self.fact is not None else self._gripper(),
        ):
            if words:
                (holds if ok else unmet).append(words)
        return Verdict(
            text=text, holds=tuple(holds), unmet=tuple(unmet), reason=reason, numbers=numbers
        )

    # ---- parts

    def _refresh(self, *, force: bool = False) -> None:
        if self._of is self.s.objects and not force:
            return
        self._of = self.s.objects
        try:
            self._volumes = [
                (o, volume(o.region, self.s.objects, origins(self.s, self.anchors)))
                for o in self.stage.operations
            ]
        except UnknownFrameError:
            pass  # the motion itself reports it; what was seen before still counts

    def _place(self, hand: Array) -> Array:
        s, moving = self.s, self.stage.moving
        if moving == s.held and s.held_in_hand is not None:
            return (s.observation.pose_ee_in_world @ s.held_in_hand).position
        if moving in s.objects and moving != "gripper":
            return s.objects[moving].pose.position
        return hand

    def _avoided(self, operation: MapOperation, region: Volume, place: Array) -> None:
        name = _words(operation)
        x, y, z = place.astype(np.float32)[:, None]
        depth = float(region.distance(x, y, z)[0])
        if depth > 0:
            self._left.add(name)
        if name in self._left:  # a way that begins inside has to leave first
            self._depth[name] = min(self._depth.get(name, np.inf), depth)

    def _relation(self, numbers: dict[str, float]) -> tuple[bool, str]:
        """What lies how is judged by the grounder; where the hand let it go counts for nothing."""
        fact = self.fact
        if fact is None:
            return self._target(numbers)
        facts = self.s.facts()
        if fact in facts:
            return True, str(fact)
        about = sorted(str(f) for f in facts if f.args[:1] == fact.args[:1] and _says_where(f))
        return False, f"{fact}, measured: {' '.join(about) or 'nothing of it'}"

    def _target(self, numbers: dict[str, float]) -> tuple[bool, str]:
        wanted = [
            (o, v)
            for o, v in self._volumes
            if o.map == "affordance" and not isinstance(o.value, tuple) and o.value > 0
        ]
        if not wanted:
            return True, ""
        place = self._place(np.array(self.s.observation.pose_ee_in_world.position))
        operation, region = wanted[-1]
        words = _words(operation)
        if region.place is not None and operation.region.shape != "ball":
            error = float(np.linalg.norm(place - region.place))
            thing = self.s.objects.get(operation.region.frame)
            numbers["target_error_m"] = error
            inside = thing is not None and float(thing.distance_to(region.place[None])[0]) <= 0
            if inside and thing is not None and self.stage.moving == "gripper":
                gap = float(thing.distance_to(place[None])[0])
                numbers["target_gap_m"] = gap
                return gap < SHELL_M + 0.01, f"{1000 * max(gap, 0):.0f} mm from {words}"
            if self.stage.moving not in ("gripper", self.s.held):
                error = float(np.linalg.norm((place - region.place)[:2]))  # it slides
                numbers["target_error_m"] = error
            return error < TARGET_M, f"{1000 * error:.0f} mm from {words}"
        x, y, z = place.astype(np.float32)[:, None]
        gap = min(float(v.distance(x, y, z)[0]) for _, v in wanted)
        numbers["target_error_m"] = max(gap, 0.0)
        return gap < 0.005, f"in {words}" if gap < 0.005 else f"{1000 * gap:.0f} mm off {words}"

    def _speed(self, numbers: dict[str, float]) -> tuple[bool, str]:
        numbers["top_speed_m_s"] = max(self.speed, default=0.0)
        speed, allowed, _ = self._worst_speed
        if not any(o.map == "velocity" for o in self.stage.operations) or allowed == 0.0:
            return True, ""
        numbers["speed_where_closest_to_its_limit_m_s"] = speed
        numbers["that_limit_m_s"] = allowed
        ok = speed <= SPEED_SHARE * allowed + SPEED_SLACK_M_S
        return ok, f"{speed:.3f} m/s where at most {allowed:.3f} were asked for"

    def _avoidance(self, numbers: dict[str, float]) -> list[tuple[bool, str]]:
        found: list[tuple[bool, str]] = []
        for name, depth in self._depth.items():
            numbers[f"outside_m: {name}"] = depth
            words = f"stayed {100 * depth:.1f} cm outside what is {name}"
            if depth < 0:
                words = f"{100 * -depth:.1f} cm inside what is {name}"
            found.append((depth > -AVOIDED_M, words))
        return found

    def _rotation(self, numbers: dict[str, float]) -> tuple[bool, str]:
        if not any(o.map == "rotation" for o in self.stage.operations):
            return True, ""
        place = np.array(self.s.observation.pose_ee_in_world.position)
        for operation, region in self._volumes:
            value = operation.value
            if isinstance(value, tuple) and region.contains(place)[0]:
                self._turn = max(self._turn, _turned_away(value, self.s.observation))
        numbers["turned_away_rad"] = self._turn
        degrees = np.degrees(self._turn)
        return self._turn < TURN_RAD, f"hand at most {degrees:.1f} degrees off where it was asked"

    def _gripper(self) -> tuple[bool, str]:
        asked = None
        place = np.array(self.s.observation.pose_ee_in_world.position)[None]
        for operation, region in self._volumes:
            if operation.map == "gripper" and not isinstance(operation.value, tuple):
                near = region.place is not None or bool(region.contains(place, 0.03)[0])
                asked = float(operation.value) if near else asked
        if asked is None:
            return True, ""
        opening = self.s.measured_opening()
        if asked >= 0.5:
            return opening > 0.5 * asked, f"gripper {100 * opening:.0f}% open"
        if self.s.held:
            return True, f"holding {self.s.held}"
        grasp = any(
            o.map == "affordance"
            and o.region.frame in self.s.objects
            and v.place is not None
            and float(self.s.objects[o.region.frame].distance_to(v.place[None])[0]) <= 0
            for o, v in self._volumes
        )
        if grasp:
            return False, "holding nothing"
        return opening <= asked + 0.1, f"gripper {100 * opening:.0f}% open"


def _says_where(fact: Atom) -> bool:
    return fact.predicate in ("on", "in", "holding")


def origins(state: RunState, anchors: Mapping[str, Array]) -> dict[str, Array]:
    """Origins of all frames now."""
    found = {n: np.array(o.pose.position) for n, o in state.objects.items()}
    found["gripper"] = np.array(state.observation.pose_ee_in_world.position)
    return {**found, **{k: np.array(v) for k, v in anchors.items()}}


def condition_holds(
    state: RunState, condition: ValueMapCondition, anchors: Mapping[str, Array]
) -> bool:
    """Whether a condition of the program is measured now; what is not seen does not hold."""
    if condition.what in ("holding", "free"):
        return bool(state.held) == (condition.what == "holding")
    if condition.what in ("opening", "closed"):
        openings = state.percept.openings_m if state.percept is not None else {}
        if condition.subject not in openings:
            return False
        opening = openings[condition.subject]
        wide = condition.what == "opening"
        return opening >= condition.value if wide else opening <= condition.value
    if condition.what == "touching":
        thing = state.objects.get(condition.subject)
        tip = np.array(state.observation.pose_ee_in_world.position)
        return thing is not None and float(thing.distance_to(tip[None])[0]) <= TOUCHES_M
    assert condition.region is not None
    places = origins(state, {})
    if condition.subject not in places:
        return False
    try:
        region = volume(condition.region, state.objects, {**places, **anchors})
    except UnknownFrameError:
        return False
    inside = bool(region.contains(places[condition.subject])[0])
    return inside == (condition.what == "inside")


def _turned_away(asked: tuple[float, ...], observation: Observation) -> float:
    """Angle between the hand and an orientation or its half turn, rad."""
    quat = np.array(observation.pose_ee_in_world.quat_wxyz)
    nearest = nearest_half_turn(np.array(asked), quat)
    return 2 * float(np.arccos(min(1.0, abs(float(nearest @ quat)))))


def _words(operation: MapOperation) -> str:
    return describe_region(operation.region).removeprefix("at ")
