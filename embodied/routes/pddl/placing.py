"""Where things were put, measured against where they were to be put."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from embodied_planners.skills.relations import Layout, turned_by, unmet

from embodied.language.placements import in_place
from embodied.records import Record
from embodied.types import Array, Manner, Observation, Placement, Pose
from embodied.verdict import Verdict

HOME_RAD = 0.03
"""Tolerance of the rest configuration, per joint."""


class PlacementJudge:
    """Judges the placements of one stage from measured poses.

    Args:
        manner: What was asked.
        layout: How things lay before the things concerned were taken.
        q_home: The rest configuration, rad.
    """

    def __init__(self, manner: Manner, layout: Layout, q_home: Array) -> None:
        self._manner, self._layout, self._q_home = manner, layout, np.array(q_home)
        self._words: dict[Placement, str] = {}

    @property
    def poses(self) -> Mapping[str, Pose]:
        """How things lay before."""
        return self._layout.poses

    def judged(self, verdict: Verdict, after: Observation) -> Verdict:
        """The verdict on the goal with where things were put."""
        holds, missing = list(verdict.holds), list(verdict.unmet)
        numbers = dict(verdict.numbers)
        for placement in self._manner.placements:
            ok, words, off_m = self._measured(placement, after)
            self._words[placement] = words
            numbers[f"off_m: {placement.item} {placement.relation}"] = off_m
            (holds if ok else missing).append(words)
        if self._manner.home:
            off = float(np.max(np.abs(np.array(after.q) - self._q_home)))
            numbers["off_home_rad"] = off
            (holds if off < HOME_RAD else missing).append("arm at rest")
        return replace(verdict, holds=tuple(holds), unmet=tuple(missing), numbers=numbers)

    def still(self, after: Observation) -> tuple[str, ...]:
        """What of the verdict holds still."""
        held = [words for p, words in self._words.items() if self._measured(p, after)[0]]
        return (*held, "arm at rest") if self._manner.home else tuple(held)

    def _measured(self, placement: Placement, after: Observation) -> tuple[bool, str, float]:
        words = in_words(placement)
        pose = after.poses.get(placement.item)
        if pose is None or any(n not in self._layout.poses for n in placement.of):
            return False, f"{words}: not seen", float("inf")
        off_m, off_rad = unmet(placement, self._layout, pose)
        at = f"at ({pose.position[0]:.3f}, {pose.position[1]:.3f}) m"
        if placement.relation == "turned":
            turn = np.degrees(turned_by(self._layout.poses[placement.item], pose))
            at = f"turned by {turn:.0f} degrees"
        if off_m > 0:
            at += f", {100 * off_m:.1f} cm off"
        return off_m <= 0 and off_rad <= 0, f"{words}: {at}", off_m


def in_words(placement: Placement) -> str:
    """A placement as a phrase."""
    return f"{placement.item} {in_place(placement)}"


def to_json(placement: Placement) -> dict[str, object]:
    """A placement as JSON values."""
    return {
        "item": placement.item,
        "relation": placement.relation,
        "of": list(placement.of),
        "distance_m": placement.distance_m,
        "forward_m": placement.by_m[0],
        "left_m": placement.by_m[1],
        "angle_rad": placement.angle_rad,
    }


def from_record(record: Record) -> Placement:
    """The placement that ``to_json`` wrote; raises ConfigurationError for anything else."""
    return Placement(
        item=record.text("item"),
        relation=record.text("relation"),
        of=record.texts("of"),
        distance_m=record.number("distance_m") if "distance_m" in record else None,
        by_m=(record.number("forward_m"), record.number("left_m")),
        angle_rad=record.number("angle_rad"),
    )
