"""The safety filter: deny by default, in a fixed order. Not a certified safety function.

After every period the filter holds a way to come to rest that it has checked (the *stopping path*).
A proposal is let through only when it keeps all limits itself and a stopping path that starts from
it does too. Whatever else happens (a bad proposal, none at all, a fault) the next set-point is
taken from the stopping path that was checked before. So everything that is sent keeps the limits.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import numpy as np

from embodied.bridge._gripper_checks import GripperChecks
from embodied.bridge._motion_checks import MotionChecks
from embodied.bridge._state_watch import StateWatch
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import SafetyLimits
from embodied.bridge.messages import (
    Acknowledgement,
    ArmState,
    Decision,
    Reason,
    Setpoint,
    Verdict,
)
from embodied.bridge.reasons import reason
from embodied.bridge.stopping import Follower, Stopper
from embodied.types import Array, readonly

_TOO_FAST = ("ee_speed_limit", "elbow_speed_limit")
_SLOWER = (0.25, 0.05, 0.0, 0.1)

LOCKSTEP_AGE_S = 5.0
"""Set-points for an arm in lockstep may be this old: its time stood still meanwhile."""


class SafetyFilter:
    """Judges one proposal per period.

    Args:
        limits: What is allowed.
        geometry: Where the arm's parts are.
        lockstep: The arm's time advances with set-points only.
    """

    def __init__(
        self, limits: SafetyLimits, geometry: ArmGeometry, *, lockstep: bool = False
    ) -> None:
        self.limits = limits
        self.geometry = geometry
        self.watch = StateWatch(limits, lockstep=lockstep)
        self._motion = MotionChecks(limits, geometry)
        self._gripper = GripperChecks(limits, self._motion)
        self._stopper = Stopper(limits.dq_max, limits.ddq_max, limits.dddq_max, limits.dt_s)
        self._follower = Follower(
            limits.dq_max, limits.ddq_max, limits.dddq_max, limits.dt_s, limits.follow_share
        )
        self._covers: Callable[[Array], Reason | None] | None = None
        self._asked: list[float] | None = None
        self._target: list[float] = []  # of what is being followed; empty when nothing is
        self._moving_at: list[float] = []
        n = len(limits.joints)
        self._n = n
        # In lockstep the arm's time stands still while a set-point is on its way.
        self._oldest_s = LOCKSTEP_AGE_S if lockstep else limits.setpoint_age_s
        self._lower: list[float] = limits.q_lower.tolist()
        self._upper: list[float] = limits.q_upper.tolist()
        self._fastest: list[float] = limits.dq_max.tolist()
        self._still = [0.0] * n
        # Last set-point, and its differences; lists of a few floats are faster than arrays.
        self._q: list[float] = self._still
        self._dq: list[float] = self._still
        self._ddq: list[float] = self._still
        self._stopping: list[list[float]] = []
        self._holding = False
        self._started = False
        self._known = True  # the pose at the next start is vouched for
        self._drift = np.zeros(n)
        self._latched: Reason | None = None
        self._sequence = -1
        self._missed_s = 0.0

    # --------------------------------------------------------------- life cycle

    @property
    def latched(self) -> Reason | None:
        """Why the arm is stopped until an operator acknowledges it; None when it is not."""
        return self._latched

    @property
    def at_rest(self) -> bool:
        """The set-points stand still."""
        return not self._stopping

    @property
    def q(self) -> Array:
        """Last set-point, (n,), rad."""
        return np.array(self._q)

    def start(self, state: ArmState) -> tuple[Reason, ...]:
        """Take over: the first set-point is the measured pose. Returns why not, if not.

        A pose up to ``clamp_rad`` beyond a position limit is taken as the limit. Whoever takes over
        again and again lets the arm sag, or creep, from one pose to the next: the sum of the ways
        from set-points to the poses taken instead is bounded by ``tracking_error_rad``, until a
        person sees to the arm.
        """
        if self._latched is not None:
            return (reason("latched", joint=self._latched.code),)
        problem = self.watch.start(state)
        if problem is not None:
            return (problem,)
        beyond = self._motion.beyond_position(state.q.tolist())
        if beyond is not None:
            return (beyond,)
        drift = np.zeros(self._n) if self._known else self._drift
        if self._started and not self._known:
            drift = drift + state.q - self._q
        if float(np.max(np.abs(drift))) > self.limits.tracking_error_rad:
            i, most = int(np.argmax(np.abs(drift))), self.limits.tracking_error_rad
            return (reason("drift", self.limits.joints[i], abs(drift[i]), most, "rad"),)
        q = np.clip(state.q, self.limits.q_lower, self.limits.q_upper).tolist()
        if self._known:
            self._gripper.let_go(self._q)
        if state.gripper is not None:
            self._gripper.watch(state.gripper, self._q)
        near = self._motion.start(q, known=self._known)
        if near is not None:
            return (near,)
        self._q, self._drift, self._known = q, drift, False
        self._dq = self._ddq = self._still
        self._stopping = []
        self._holding = False
        self._started = True
        self._missed_s = 0.0
        return ()

    def new_planner(self) -> None:
        """Another planner proposes from now on; its numbers start anew."""
        self._sequence = -1
        self._holding = not self.at_rest

    def latch(self, why: Reason) -> None:
        """Stop until an operator acknowledges it; the first reason stays."""
        if self._latched is None:
            self._latched = why
        self._holding = True

    def latch_code(self, code: str) -> Reason:
        """Stop for a reason given by its code; returns the reason that holds."""
        self.latch(reason(code))
        assert self._latched is not None
        return self._latched

    def forget(self, *, known: bool = False) -> None:
        """The arm is elsewhere by now: ``start`` comes next.

        Args:
            known: It was put there on purpose, as where simulated arms start episodes.
        """
        self._started = False
        self._stopping = []
        self._known = self._known or known

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """A person has seen to the cause; ``start`` comes next."""
        del acknowledgement  # the journal keeps it; making one took a name and a statement
        self._latched = None
        self.forget(known=True)

    def hold(self) -> None:
        """Come to rest and refuse proposals until then."""
        self._holding = True

    # ------------------------------------------------------------------ judging

    def judge(
        self,
        proposal: Setpoint | None,
        state: ArmState,
        now_s: float,
        refusal: Reason | None = None,
        covers: Callable[[Array], Reason | None] | None = None,
    ) -> Decision:
        """Decide about one period.

        Args:
            proposal: What the planner wants, None when it said nothing.
            state: Latest report of the arm.
            now_s: This machine's monotonic clock.
            refusal: Why the proposal lacks an approval, if it does.
            covers: Says of the last set-point, the next one and the way to rest that follows,
                (k, n), why they lack an approval; None where none is needed.
        """
        self._covers = covers
        reasons: list[Reason] = []
        candidate: list[float] | None = None
        verdict = Verdict.PASS
        if state.gripper is not None:
            self._gripper.watch(state.gripper, self._q)
        gaps_m = self._motion.gaps_m
        refusal = self._refuse(proposal, now_s) or refusal
        if proposal is not None and refusal is None:
            candidate, reasons = self._limit(proposal)
            if candidate is None:
                refusal = reasons.pop()
        ways: list[list[float]] | None = None
        width, force, of_gripper = None, 0.0, list[Reason]()
        if candidate is not None and proposal is not None and self._latched is None:
            width, force, of_gripper = self._gripper.judge(proposal, self._q)
        if candidate is not None:
            ways, refusal = self._check_ways(candidate)
            for scale in _SLOWER if refusal is not None and self._target else ():
                # Catching up made the hand too fast: catch up more slowly, at last from rest.
                if scale == _SLOWER[-1]:
                    self._moving_at = self._still
                candidate = self._follow(scale)
                if candidate is None or refusal is None or refusal.code not in _TOO_FAST:
                    break
                ways, refusal = self._check_ways(candidate)
        stopped = self.watch.judge(state, self._q)
        if stopped is not None and self._latched is None:
            self._latched = stopped
            self._holding = True
        if self._latched is not None:
            verdict, reasons = Verdict.STOP, [self._latched]
            ways = None
        elif refusal is not None:
            verdict, reasons = Verdict.REJECT, [refusal]
            ways = None
            self._holding = True
        elif proposal is None:
            verdict, reasons, ways = self._without_proposal()
        elif reasons:
            verdict = Verdict.CLAMP
        if ways is not None:
            self._advance(ways)
        else:
            self._asked = None
            self._brake()
        if verdict not in (Verdict.PASS, Verdict.CLAMP):
            width, force, of_gripper = None, 0.0, []
            self._motion.forget_fingers(gaps_m, self._q)
        elif of_gripper:
            verdict, reasons = Verdict.CLAMP, [*reasons, *of_gripper]
        self._gripper.told(width)
        return Decision(
            verdict=verdict,
            q=readonly(self._q),
            dq=readonly(self._dq),
            reasons=tuple(reasons),
            gripper_width_m=width,
            gripper_force_n=force,
            at_rest=self.at_rest,
        )

    # ----------------------------------------------------------------- private

    def _refuse(self, proposal: Setpoint | None, now_s: float) -> Reason | None:
        """Stages 1 and 2: schema, finiteness, age, sequence; mode and latched stops."""
        if proposal is None:
            return None
        if proposal.q.shape != (self._n,):
            size = float(proposal.q.size)
            return reason("schema", value=size, limit=float(self._n), unit="joints")
        width = 0.0 if proposal.gripper_width_m is None else proposal.gripper_width_m
        numbers = (*proposal.q.tolist(), width, proposal.gripper_force_n)
        if not all(map(isfinite, numbers)):
            return reason("not_finite")
        age = now_s - proposal.created_s
        if not age <= self._oldest_s:
            return reason("stale", value=age, limit=self._oldest_s, unit="s")
        if age < -self._oldest_s:
            return reason("from_the_future", value=-age, limit=0.0, unit="s")
        if proposal.sequence <= self._sequence:
            return reason(
                "sequence", value=proposal.sequence, limit=self._sequence + 1, unit="at least"
            )
        self._sequence = proposal.sequence
        if not self._started:
            return reason("not_enabled")
        if self._holding and not self.at_rest:
            return reason("holding")
        self._holding = False
        self._missed_s = 0.0
        return None

    def _limit(self, proposal: Setpoint) -> tuple[list[float] | None, list[Reason]]:
        """Stages 3 and 4: position limits; velocity, acceleration, jerk.

        Returns:
            Velocity over this period, (n,), and why it is not what was asked for; or None, and
            last why not.
        """
        limits, h = self.limits, self.limits.dt_s
        self._target = []
        reasons: list[Reason] = []
        asked: list[float] = proposal.q.tolist()
        beyond = self._motion.beyond_position(asked)
        if beyond is not None:
            return None, [beyond]
        q, ranges = asked, zip(asked, self._lower, self._upper, strict=True)
        if not all([a <= x <= b for x, a, b in ranges]):
            q = [min(max(x, a), b) for x, a, b in zip(asked, self._lower, self._upper, strict=True)]
            i = next(i for i in range(self._n) if q[i] != asked[i])
            reasons.append(reason("position_limit", limits.joints[i], asked[i], q[i], "rad"))
        last = self._q
        dq = [(x - y) / h for x, y in zip(q, last, strict=True)]
        ddq = [(x - y) / h for x, y in zip(dq, self._dq, strict=True)]
        dddq = [(x - y) / h for x, y in zip(ddq, self._ddq, strict=True)]
        asked_last, self._asked = self._asked, q
        over = self._motion.beyond_dynamics(dq, ddq, dddq)
        if over is None:
            return dq, reasons
        gaps = [abs(x - y) for x, y in zip(q, last, strict=True)]
        gap = max(gaps)
        if gap > limits.follow_rad:
            joint = limits.joints[gaps.index(gap)]
            return None, [*reasons, reason("jump", joint, gap, limits.follow_rad, "rad")]
        reasons.append(over)
        self._target, self._moving_at = q, self._moving(q, asked_last)
        followed = self._follow(1.0)
        if followed is None:
            return None, [*reasons, over]
        return followed, reasons

    def _follow(self, scale: float) -> list[float] | None:
        """Velocity of this period on the way to a set-point that is farther than one period."""
        h = self.limits.dt_s
        last, dq, ddq = self._q, self._dq, self._ddq
        next_dq = self._follower.velocity(last, dq, ddq, self._target, self._moving_at, scale)
        if next_dq is None:
            return None
        next_ddq = [(x - y) / h for x, y in zip(next_dq, dq, strict=True)]
        dddq = [(x - y) / h for x, y in zip(next_ddq, ddq, strict=True)]
        return next_dq if self._motion.keeps_dynamics(next_dq, next_ddq, dddq) else None

    def _moving(self, q: list[float], before: list[float] | None) -> list[float]:
        """Velocity of the set-points themselves; 0 after a break or a jump."""
        if before is None:
            return self._still
        moving = [(x - y) / self.limits.dt_s for x, y in zip(q, before, strict=True)]
        within = all(abs(v) <= m for v, m in zip(moving, self._fastest, strict=True))
        return moving if within else self._still

    def _check_ways(self, dq: list[float]) -> tuple[list[list[float]] | None, Reason | None]:
        """Stages 5 to 8 for a velocity over this period and the way to rest that follows.

        Returns:
            Velocities of this and the coming periods, (1 + k, n), or None and why not.
        """
        h = self.limits.dt_s
        ddq = [(x - y) / h for x, y in zip(dq, self._dq, strict=True)]
        rest = self._stopper.velocities(dq, ddq)
        if rest is None:
            return None, reason("acceleration_limit")
        ways = [dq, *rest]
        refusal = self._covers(self._motion.way(self._q, ways)) if self._covers else None
        return ways, refusal or self._motion.check(self._q, ways)

    def _without_proposal(self) -> tuple[Verdict, list[Reason], list[list[float]] | None]:
        """Go on at the last velocity for a moment, then brake."""
        if self.at_rest:
            return Verdict.PASS, [], None
        if self._holding:
            return Verdict.REJECT, [reason("holding")], None
        self._missed_s += self.limits.dt_s
        if self._missed_s <= self.limits.stale_s:
            jerk = [-x / self.limits.dt_s for x in self._ddq]
            if self._motion.keeps_dynamics(self._dq, self._still, jerk):
                ways, refusal = self._check_ways(self._dq)
                if refusal is None:
                    return Verdict.CLAMP, [reason("missing")], ways
        self._holding = True
        return Verdict.REJECT, [reason("missing")], None

    def _advance(self, ways: list[list[float]]) -> None:
        h, dq = self.limits.dt_s, ways[0]
        self._ddq = [(x - y) / h for x, y in zip(dq, self._dq, strict=True)]
        self._q = [x + h * v for x, v in zip(self._q, dq, strict=True)]
        self._dq = dq
        self._stopping = ways[1:]

    def _brake(self) -> None:
        """The next set-point of the stopping path that was checked."""
        if self._stopping:
            self._advance(self._stopping)
        else:
            self._dq = self._ddq = self._still
