"""How a stage was moved in, measured: distances kept, speed of the hand, tilt of what it held."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from embodied.protocols import Nearness
from embodied.records import Record
from embodied.routes.pddl import placing
from embodied.types import Array, Manner, Observation
from embodied.verdict import Verdict

APART_M = 0.005
"""Tolerance of a distance: tracking and the boxes around shapes."""

SPEED_SHARE, SPEED_SLACK_M_S = 1.05, 0.01
UPRIGHT_RAD = 0.35
WINDOW = 5
"""Control periods over which a speed is measured."""


class MannerJudge:
    """Watches one stage, control period by control period.

    It looks at measured joints and at the object poses that the world reports.

    Args:
        manner: What was asked.
        hand: Where the hand is.
    """

    def __init__(self, manner: Manner, hand: Nearness) -> None:
        self.manner, self._hand = manner, hand
        self._window: deque[tuple[float, Array]] = deque(maxlen=WINDOW + 1)
        self._speed = 0.0
        self._tilt = 0.0
        self._nearest = {
            carrying: {name: np.inf for name, _ in manner.apart} for carrying in (True, False)
        }
        self._left: set[tuple[bool, str]] = set()
        self._carried = ""
        self._resting: Mapping[str, Array] = {}

    def watch(self, observation: Observation) -> None:
        """Take in one control period."""
        if not self._resting:
            self._resting = {n: np.array(p.rotation) for n, p in observation.poses.items()}
        place = np.array(observation.pose_ee_in_world.position)
        self._window.append((observation.time, place))
        (t0, p0), (t1, p1) = self._window[0], self._window[-1]
        if len(self._window) > WINDOW and t1 > t0:
            self._speed = max(self._speed, float(np.linalg.norm(p1 - p0)) / (t1 - t0))
        held = self._hand.look(observation)
        carrying = bool(held)
        self._carried = held or self._carried
        for name, distance in self.manner.apart:
            measured = self._hand.distance(name)
            if measured >= distance:
                self._left.add((carrying, name))
            if (carrying, name) in self._left:  # what begins nearer has to leave first
                nearest = self._nearest[carrying]
                nearest[name] = min(nearest[name], measured)
        if not held:
            self._left -= {(True, name) for name, _ in self.manner.apart}
        else:
            up = observation.poses[held].rotation @ self._resting[held].T[:, 2]
            self._tilt = max(self._tilt, float(np.arccos(np.clip(up[2], -1.0, 1.0))))

    def judged(self, verdict: Verdict) -> Verdict:
        """The verdict on the goal with what was asked of the motion."""
        holds, unmet = list(verdict.holds), list(verdict.unmet)
        numbers = dict(verdict.numbers)
        for ok, words, name, value in self._parts():
            (holds if ok else unmet).append(words)
            numbers[name] = value
        return replace(verdict, holds=tuple(holds), unmet=tuple(unmet), numbers=numbers)

    def words(self) -> tuple[str, ...]:
        """What was asked of the motion and what was measured of it, a line each."""
        return tuple(words for _, words, _, _ in self._parts())

    def _parts(self) -> list[tuple[bool, str, str, float]]:
        if not self._window:
            return []
        asked, found = self.manner, list[tuple[bool, str, str, float]]()
        for name, distance in asked.apart:
            nearest = self._nearest[bool(self._carried)][name]
            away = np.isfinite(nearest) and nearest >= distance - APART_M
            measured = f"{100 * nearest:.1f} cm" if np.isfinite(nearest) else "it never left"
            words = (
                f"{self._carried or 'the hand'} never nearer than {100 * distance:g} cm to {name}: "
                f"{measured}"
            )
            found.append((away, words, f"nearest_m: {name}", nearest))
        if asked.max_speed_m_s is not None:
            most = asked.max_speed_m_s
            words = f"never faster than {most:g} m/s: {self._speed:.3f} m/s"
            ok = self._speed <= SPEED_SHARE * most + SPEED_SLACK_M_S
            found.append((ok, words, "top_speed_m_s", self._speed))
        if asked.upright:
            words = f"upright: tilted by {np.degrees(self._tilt):.0f} degrees at most"
            found.append((self._tilt <= UPRIGHT_RAD, words, "tilt_rad", self._tilt))
        return found


def in_words(manner: Manner) -> str:
    """A manner as a phrase, ``""`` for the usual one."""
    parts = [f"at least {100 * d:g} cm from {name}" for name, d in manner.apart]
    if manner.max_speed_m_s is not None:
        parts.append(f"at most {manner.max_speed_m_s:g} m/s")
    if manner.upright:
        parts.append("what is held upright")
    parts += map(placing.in_words, manner.placements)
    if manner.home:
        parts.append("the arm at rest at the end")
    return ", ".join(parts)


def to_json(manner: Manner) -> dict[str, object]:
    """A manner as JSON values."""
    return {
        "max_speed_m_s": manner.max_speed_m_s,
        "apart": [{"object": name, "distance_m": d} for name, d in manner.apart],
        "upright": manner.upright,
        "placements": [placing.to_json(p) for p in manner.placements],
        "home": manner.home,
    }


def from_record(record: Record) -> Manner:
    """The manner that ``to_json`` wrote; raises ConfigurationError where something is missing."""
    return Manner(
        max_speed_m_s=record.number("max_speed_m_s") if "max_speed_m_s" in record else None,
        apart=tuple((r.text("object"), r.number("distance_m")) for r in record.records("apart")),
        upright=record.flag("upright"),
        placements=tuple(map(placing.from_record, record.records("placements", ()))),
        home=record.flag("home", False),
    )
