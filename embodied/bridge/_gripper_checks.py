"""What the fingers may do, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.bridge._motion_checks import MotionChecks
from embodied.bridge.limits import SafetyLimits
from embodied.bridge.messages import Reason, Setpoint
from embodied.bridge.reasons import reason
from embodied.types import GripperState

_GRIP_M = 0.002
_GRIP_M_S = 0.005
_STILL_M = 2e-4
_GRIP_PERIODS = 10
"""Fingers that stay this much wider than they were told to be, for so long, hold something."""


class GripperChecks:
    """Judges gaps and grasping forces.

    Args:
        limits: What is allowed.
        motion: Knows what is near to the fingers.
    """

    def __init__(self, limits: SafetyLimits, motion: MotionChecks) -> None:
        self._limits, self._motion = limits, motion
        self._told_m: float | None = None
        self._gripping = 0
        self._held_m = 0.0
        self._last_m = 0.0

    def watch(self, gripper: GripperState, q: Sequence[float]) -> None:
        """Where the fingers are or go, and whether something is between them, the arm at ``q``."""
        width, told = gripper.width_m, self._told_m
        if not 0.0 <= width <= 1.0:
            return  # no gripper has such a gap
        target = width if told is None else told
        self._motion.fingers(min(width, target), max(width, target), q)
        still = abs(gripper.speed_m_s) < _GRIP_M_S and abs(width - self._last_m) < _STILL_M
        stopped = told is not None and told < width - _GRIP_M and still
        self._last_m = width
        self._gripping = self._gripping + 1 if stopped else 0
        if self._held_m == 0.0 and self._gripping == _GRIP_PERIODS:
            self._held_m = width
            self._motion.hold(width, q)
        elif abs(width - self._held_m) > 5 * _GRIP_M:
            self.let_go(q)

    def judge(
        self, proposal: Setpoint, q: Sequence[float]
    ) -> tuple[float | None, float, list[Reason]]:
        """Gap and force that may be sent, the arm at ``q``; and why they are not what was asked."""
        limits, reasons = self._limits, list[Reason]()
        width, force = proposal.gripper_width_m, proposal.gripper_force_n
        if width is None or limits.max_width_m <= 0.0:
            return None, 0.0, reasons
        asked = (
            ("gripper_width", width, limits.max_width_m, "m"),
            ("gripper_force", force, limits.max_force_n, "N"),
        )
        allowed: list[float] = []
        for code, value, limit, unit in asked:
            kept = min(max(value, 0.0), limit)
            if kept != value:
                reasons.append(reason(code, value=value, limit=limit, unit=unit))
            allowed.append(kept)
        gap, in_the_way = self._motion.open_to(allowed[0], q)
        if in_the_way is not None:
            reasons.append(in_the_way)
        return gap, allowed[1], reasons

    def told(self, gap_m: float | None) -> None:
        """The fingers are told to go to a gap; None: they are told nothing."""
        if gap_m is not None:
            self._told_m = gap_m

    def let_go(self, q: Sequence[float]) -> None:
        """Nothing is held any more, the arm at ``q``."""
        if self._held_m > 0.0:
            self._held_m, self._gripping = 0.0, 0
            self._motion.hold(0.0, q)
