"""Mode confirm: a person approves the hash of each motion before it may be carried out."""

from __future__ import annotations

import numpy as np

from embodied.bridge.filter import SafetyFilter
from embodied.bridge.messages import ArmState, Decision, Reason, Setpoint, Verdict
from embodied.bridge.plan import Plan
from embodied.bridge.reasons import reason
from embodied.types import Array

CORRIDOR_RAD = 0.05
"""How far set-points may be off the approved path, as where the arm yields to a contact."""

STAY_RAD = 0.01
"""How far they may be from a pose that the arm is to keep."""

AHEAD_S = 0.3
"""How far they may be ahead of the time at which the path was approved to be there."""


class Gate:
    """Lets through what was approved, and nothing else.

    What counts is where the arm would be sent: by the next set-point, and by the way to rest that
    the filter holds ready behind it. So a refusal, too, leaves the arm where it was approved to be.
    Everything is measured from what does not move with the arm. Without an approved motion that is
    the *anchor*: the pose at the first take-over, or where the last approved motion had got to; a
    planner renews neither. With one, it is the approved path: a set-point belongs to a place on it,
    within ``CORRIDOR_RAD``, that is not behind the one before, nor ahead of it by more time than
    has gone by since, ``AHEAD_S`` apart. A motion that stays has the budget of the anchor. Where
    the arm is outside of a budget already, as after sagging, it may only come nearer.

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
        self._gap_m: float | None = None

    def take_over(self, q: Array) -> None:
        """The arm is taken over at ``q`` (n,); only the first time since ``release`` counts."""
        if self._anchor is None:
            self._anchor = np.array(q)

    def release(self) -> None:
        """The operator saw to the arm: it may be elsewhere, and what was approved is void."""
        self._withdraw()
        self._anchor = self._gap_m = None

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

    def judge(
        self, safety: SafetyFilter, proposal: Setpoint | None, state: ArmState, now_s: float
    ) -> Decision:
        """What the filter makes of one period, within what was approved; its own arguments."""
        self.take_over(safety.q)
        refusal, asked = None, None
        if proposal is not None and proposal.q.shape == safety.q.shape:
            asked = proposal.gripper_width_m
            refusal = self.covers_gap(asked)
            if refusal is None and np.isfinite(proposal.q).all():
                refusal = self.covers(np.stack([safety.q, proposal.q]))
        decision = safety.judge(proposal, state, now_s, refusal, self.covers)
        passed = decision.verdict in (Verdict.PASS, Verdict.CLAMP)
        self.sent(decision.q, asked if passed else None)
        return decision

    def covers_gap(self, gap_m: float | None) -> Reason | None:
        """Why a gap of the fingers is not covered by an approval, if it is not."""
        if gap_m is None or gap_m == self._gap_m:
            return None
        if self.approved is None or gap_m != self.approved.gripper_width_m:
            return reason("not_approved", "gripper", gap_m, self._gap_m or 0.0, "m")
        return None

    def covers(self, way: Array) -> Reason | None:
        """Why a motion is not covered by an approval, if it is not.

        Args:
            way: The last set-point, the next one, and those of the way to rest, (k, n), rad.
        """
        if np.array_equal(way, way[:1].repeat(len(way), axis=0)):
            return None  # staying exactly where the arm is needs no approval
        plan = self.approved
        if plan is None:
            limit, code, start = STAY_RAD, "not_approved", self._anchor
            off = np.abs(way - (np.inf if start is None else start)).max(axis=1)
        else:
            limit, code, start = CORRIDOR_RAD, "off_plan", None if self._begun else plan.q[0]
            off = plan.places(way, self._at_s, self._until_s(len(way) - 1))[1]
            off[1] = plan.places(way[1:2], self._at_s, self._until_s(1))[1][0]
            if plan.turns_rad <= STAY_RAD:
                limit = STAY_RAD
        nearer = np.minimum(off[:-1], CORRIDOR_RAD)
        from_elsewhere = start is not None and np.abs(way[0] - start).max() > CORRIDOR_RAD
        if from_elsewhere or (off[1:] > np.maximum(limit, nearer)).any():
            return reason(code, value=float(off.max()), limit=limit, unit="rad")
        return None

    def sent(self, q: Array, gap_m: float | None) -> None:
        """A period is over: the arm was sent to ``q`` (n,), its fingers, if anywhere, to a gap."""
        self._gap_m = self._gap_m if gap_m is None else gap_m
        plan, to_s = self.approved, self._until_s(1)
        self._credit_s = to_s - self._at_s
        if plan is None:
            return
        at_s, off = plan.places(q[None], self._at_s, to_s)
        started = self._begun or np.abs(q - plan.q[0]).max() <= CORRIDOR_RAD
        if off[0] > CORRIDOR_RAD or not started:
            return  # it has not got there yet
        self._credit_s -= at_s[0] - self._at_s
        self._at_s, self._begun = float(at_s[0]), True

    # ----------------------------------------------------------------- private

    def _until_s(self, periods: int) -> float:
        """How far on the path the arm may be after some periods more."""
        return self._at_s + min(self._credit_s, AHEAD_S - self._dt_s) + periods * self._dt_s

    def _withdraw(self) -> None:
        if self.approved is not None:
            self._anchor = self.approved.at(self._at_s)
        self.pending = self.approved = None
