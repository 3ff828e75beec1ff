"""Mode confirm: a person approves the hash of each motion before it may be carried out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embodied.bridge.messages import Reason, Setpoint
from embodied.bridge.reasons import reason
from embodied.types import Array

CORRIDOR_RAD = 0.05
"""Tolerance for set-points off the approved path, as where the arm yields to a contact."""

STAY_RAD = 0.02
"""Without any approval, set-points may be this far from where the arm is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """A motion to be approved.

    Attributes:
        label: What it is for.
        time: Sample times, (k,), s.
        q: Joint positions, (k, n), rad.
        gripper_width_m: Gap to go to; None leaves the gripper alone.
        plan_hash: SHA-256 of all of this, in hexadecimal.
    """

    label: str
    time: Array
    q: Array
    gripper_width_m: float | None
    plan_hash: str

    @staticmethod
    def of(
        label: str,
        time: Sequence[float],
        q: Sequence[Sequence[float]],
        gripper_width_m: float | None,
        joints: int,
    ) -> Plan:
        """Check and hash a proposed motion.

        Raises:
            ValueError: It is empty, not finite, or of another arm.
        """
        times, path = np.array(time, dtype=np.float64), np.array(q, dtype=np.float64)
        if path.ndim != 2 or path.shape[1] != joints or path.shape[0] != len(times) or not len(q):
            raise ValueError(f"a plan has one time and {joints} joints per sample")
        if not (np.isfinite(path).all() and np.isfinite(times).all()):
            raise ValueError("a plan is finite")
        content = hashlib.sha256(label.encode())
        content.update(times.astype("<f8").tobytes())
        content.update(path.astype("<f8").tobytes())
        content.update(repr(gripper_width_m).encode())
        return Plan(
            label=label,
            time=times,
            q=path,
            gripper_width_m=gripper_width_m,
            plan_hash=content.hexdigest(),
        )


class Gate:
    """Lets through what was approved.

    Attributes:
        pending: Plan that waits for an answer, None if none does.
        approved: Plan that may be carried out now.
        refused: Hash of the plan that was refused last.
    """

    def __init__(self) -> None:
        self.pending: Plan | None = None
        self.approved: Plan | None = None
        self.refused = ""
        self._width: float | None = None

    def propose(self, plan: Plan) -> None:
        """A plan waits for an answer; the one approved before is over."""
        self.pending, self.approved, self.refused = plan, None, ""

    def answer(self, plan_hash: str, *, approve: bool) -> bool:
        """An operator's answer; returns whether it was about the pending plan."""
        plan = self.pending
        if plan is None or plan.plan_hash != plan_hash:
            return False
        self.pending = None
        if approve:
            self.approved = plan
            if plan.gripper_width_m is not None:
                self._width = plan.gripper_width_m
        else:
            self.refused = plan_hash
        return True

    def judge(self, proposal: Setpoint, q_sent: Array) -> Reason | None:
        """Why a set-point is not covered by an approval, if it is not.

        Args:
            proposal: The set-point.
            q_sent: Last set-point sent, (n,), rad.
        """
        if proposal.q.shape != q_sent.shape or not np.isfinite(proposal.q).all():
            return None  # the filter refuses it anyway
        width = proposal.gripper_width_m
        if width is not None and width != self._width:
            return reason("not_approved", "gripper", width, self._width or 0.0, "m")
        away = float(np.max(np.abs(proposal.q - q_sent)))
        plan = self.approved
        if plan is None:
            if away <= STAY_RAD:
                return None
            return reason("not_approved", value=away, limit=STAY_RAD, unit="rad")
        off = float(np.min(np.max(np.abs(plan.q - proposal.q), axis=1)))
        if off <= CORRIDOR_RAD or away <= STAY_RAD / 10:
            return None
        return reason("off_plan", value=off, limit=CORRIDOR_RAD, unit="rad")
