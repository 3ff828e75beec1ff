"""An arm that is at rest wherever it was sent: for tests of the filter alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from embodied.bridge.filter import SafetyFilter
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import SafetyLimits
from embodied.bridge.messages import ArmMode, ArmState, Decision, Setpoint
from embodied.types import Array, GripperState

FINGERS_M = 0.002
"""How far the gap changes in a period."""


def resting_state(
    q: Array,
    number: int,
    *,
    clock_s: float = 0.0,
    gap_m: float | None = None,
    speed_m_s: float = 0.0,
) -> ArmState:
    """What an arm at rest at ``q`` (n,) reports.

    Args:
        q: Where it is, rad.
        number: Of the report; one every 10 ms.
        clock_s: How much its clock is ahead.
        gap_m: Of its gripper; None has no gripper.
        speed_m_s: Of the fingers.
    """
    rest = np.zeros(len(q))
    return ArmState(
        sequence=number,
        source_time_s=0.01 * number + clock_s,
        receive_time_s=0.0,
        q=q,
        dq=rest,
        q_commanded=q,
        dq_commanded=rest,
        tau=rest,
        mode=ArmMode.RUNNING,
        gripper=None if gap_m is None else GripperState(width_m=gap_m, speed_m_s=speed_m_s),
    )


def moved_gap(gap_m: float, told_m: float) -> float:
    """The gap after a period in which the fingers go to another one."""
    return gap_m + float(np.clip(told_m - gap_m, -FINGERS_M, FINGERS_M))


class RestingArm:
    """A filter, and an arm that follows perfectly.

    Args:
        limits: Of the filter.
        geometry: Of the filter; nothing is held.
        q: Where the arm is, (n,), rad.
        gap_m: Of its gripper; None has no gripper.

    Attributes:
        filter: The filter; it has taken over.
        number: Of the last report and set-point.
        gap_m: Where the fingers are.
        told_m: Where they are told to be.
        codes: Reasons of the last decision.
        sent: All set-points since the start.
    """

    def __init__(
        self, limits: SafetyLimits, geometry: ArmGeometry, q: Array, gap_m: float | None = None
    ) -> None:
        geometry.hold(q, 0.0)
        self.filter = SafetyFilter(limits, geometry, lockstep=True)
        self.number, self.gap_m, self.told_m = 0, gap_m, gap_m
        self.codes: list[str] = []
        self.sent: list[Array] = []
        assert self.filter.start(self.state(q)) == ()

    @property
    def q(self) -> Array:
        """Where the arm is, (n,), rad."""
        return self.filter.q

    def state(self, q: Array | None = None) -> ArmState:
        """What the arm reports at ``q`` (n,), where it was sent if None."""
        return resting_state(self.q if q is None else q, self.number, gap_m=self.gap_m)

    def ask(self, q: Array | None, width: float | None = None, **changes: Any) -> Decision:
        """One period: propose ``q`` (n,), or nothing; ``changes`` are fields of the set-point."""
        self.number += 1
        proposal = None
        if q is not None:
            proposal = Setpoint(
                sequence=self.number, created_s=0.0, q=np.asarray(q), gripper_width_m=width
            )
            proposal = replace(proposal, **changes)
        decision = self.filter.judge(proposal, self.state(), 0.0)
        self.codes = [r.code for r in decision.reasons]
        self.sent.append(np.array(decision.q))
        if decision.gripper_width_m is not None:
            self.told_m = decision.gripper_width_m
        return decision

    def move_fingers(self, stop_m: float = 0.0) -> None:
        """A period of the gripper; it stops at something of this width."""
        assert self.gap_m is not None and self.told_m is not None
        self.gap_m = max(moved_gap(self.gap_m, self.told_m), stop_m)
