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
"""How far set-points may be off the approved path, as where the arm yields to a contact."""

STAY_RAD = 0.01
"""How far they may be from a pose that the arm is to keep."""

AHEAD_S = 0.3
"""How far they may be ahead of the time at which the path was approved to be there."""

LONGEST_LABEL = 200
_STEP_S = 0.005
_ALIKE_RAD = 1e-6
_MOST_KNOTS = 200


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
            ValueError: It is empty, not finite, of another arm, or its time does not grow.
        """
        if len(label) > LONGEST_LABEL:
            raise ValueError(f"a plan's label has at most {LONGEST_LABEL} characters")
        times, path = np.array(time, dtype=np.float64), np.array(q, dtype=np.float64)
        if path.ndim != 2 or path.shape[1] != joints or path.shape[0] != len(times) or not len(q):
            raise ValueError(f"a plan has one time and {joints} joints per sample")
        if not (np.isfinite(path).all() and np.isfinite(times).all()):
            raise ValueError("a plan is finite")
        if gripper_width_m is not None and not np.isfinite(gripper_width_m):
            raise ValueError("a plan's gap is finite")
        if (np.diff(times) <= 0.0).any():
            raise ValueError("a plan's time grows")
        content = hashlib.sha256(label.encode(errors="backslashreplace"))
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

    @property
    def stays(self) -> bool:
        """It is to keep its pose."""
        return bool(np.ptp(self.q, axis=0).max() <= STAY_RAD)

    def at(self, time_s: float) -> Array:
        """Where the path is at a time, (n,), rad."""
        return np.array([np.interp(time_s, self.time, column) for column in self.q.T])

    def nearest(self, q: Array, from_s: float, to_s: float) -> tuple[float, float]:
        """The place of the path that is nearest to ``q`` within a time.

        Returns:
            Its time, s, and the largest distance of a joint from it, rad.
        """
        end = float(self.time[-1])
        from_s, to_s = min(from_s, end), min(to_s, end)
        times = np.linspace(from_s, to_s, max(2, int((to_s - from_s) / _STEP_S) + 2))
        inside = self.time[(self.time > from_s) & (self.time < to_s)]
        times = np.unique(np.concatenate([times, inside[:_MOST_KNOTS]]))
        path = np.stack([np.interp(times, self.time, column) for column in self.q.T], axis=1)
        away = np.abs(path - q).max(axis=1)
        i = int(np.flatnonzero(away <= away.min() + _ALIKE_RAD)[-1])  # time goes on where it rests
        return float(times[i]), float(away[i])


class Gate:
    """Lets through what was approved, and nothing else.

    Everything is measured from what does not move with the arm. Without an approved motion that is
    the *anchor*: the pose at the first take-over, or where the last approved motion had got to; a
    planner renews neither. With one, it is the approved path: a set-point belongs to a place on it,
    within ``CORRIDOR_RAD``, that is not behind the one before, nor ahead of it by more time than
    has gone by since, ``AHEAD_S`` apart. A motion that stays has the budget of the anchor.

    Args:
        dt_s: Time between two set-points.

    Attributes:
        pending: Plan that waits for an answer, None if none does.
        approved: Plan that may be carried out now.
        refused: Hash of the plan that was refused last.
    """

    def __init__(self, dt_s: float) -> None:
        self.pending: Plan | None = None
        self.approved: Plan | None = None
        self.refused = ""
        self._dt_s = dt_s
        self._anchor: Array | None = None
        self._begun = False
        self._at_s = 0.0
        self._credit_s = 0.0
        self._width: float | None = None

    def take_over(self, q: Array) -> None:
        """The arm is taken over at ``q`` (n,); only the first time since ``release`` counts."""
        if self._anchor is None:
            self._anchor = np.array(q)

    def release(self) -> None:
        """The operator saw to the arm: it may be elsewhere, and what was approved is void."""
        self._withdraw()
        self._anchor = self._width = None

    def revoke(self) -> None:
        """Nothing is approved or waits for an answer any more."""
        self._withdraw()

    def propose(self, plan: Plan) -> None:
        """A plan waits for an answer; the one approved before is over."""
        self._withdraw()
        self.pending, self.refused = plan, ""

    def answer(self, plan_hash: str, *, approve: bool) -> bool:
        """An operator's answer; returns whether it was about the pending plan."""
        plan = self.pending
        if plan is None or plan.plan_hash != plan_hash:
            return False
        self.pending = None
        if approve:
            self.approved, self._begun = plan, False
            self._at_s, self._credit_s = float(plan.time[0]), AHEAD_S
        else:
            self.refused = plan_hash
        return True

    def judge(self, proposal: Setpoint | None, q_sent: Array) -> Reason | None:
        """Why a set-point is not covered by an approval, if it is not; once every period.

        Args:
            proposal: The set-point; None when there is none.
            q_sent: Last set-point sent, (n,), rad: staying exactly there needs no approval.
        """
        self._credit_s = min(self._credit_s + self._dt_s, AHEAD_S)
        if proposal is None or proposal.q.shape != q_sent.shape:
            return None  # the filter refuses another shape anyway
        if not np.isfinite(proposal.q).all():
            return None
        width, plan = proposal.gripper_width_m, self.approved
        if width is not None and width != self._width:
            if plan is None or width != plan.gripper_width_m:
                return reason("not_approved", "gripper", width, self._width or 0.0, "m")
        refusal = self._off(proposal.q, q_sent)
        if refusal is not None and not np.array_equal(proposal.q, q_sent):
            return refusal
        self._width = self._width if width is None else width
        return None

    # ----------------------------------------------------------------- private

    def _off(self, q: Array, q_sent: Array) -> Reason | None:
        plan = self.approved
        if plan is None:
            away = np.inf if self._anchor is None else float(np.max(np.abs(q - self._anchor)))
            if away <= STAY_RAD and self._starts_at(self._anchor, q_sent):
                return None
            return reason("not_approved", value=away, limit=STAY_RAD, unit="rad")
        at_s, off = plan.nearest(q, self._at_s, self._at_s + self._credit_s)
        limit = STAY_RAD if plan.stays else CORRIDOR_RAD
        if off > limit or not (self._begun or self._starts_at(plan.q[0], q_sent)):
            return reason("off_plan", value=off, limit=limit, unit="rad")
        self._credit_s -= at_s - self._at_s
        self._at_s, self._begun = at_s, True
        return None

    @staticmethod
    def _starts_at(pose: Array | None, q_sent: Array) -> bool:
        """The arm is where it has to start from: the way there was not approved either."""
        return pose is not None and float(np.max(np.abs(q_sent - pose))) <= CORRIDOR_RAD

    def _withdraw(self) -> None:
        if self.approved is not None:
            self._anchor = self.approved.at(self._at_s)
        self.pending = self.approved = None
