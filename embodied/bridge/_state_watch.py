"""Stage 9 of the safety filter and the health of the arm's reports; everything here stops."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from embodied.bridge.limits import SafetyLimits
from embodied.bridge.messages import ArmMode, ArmState, Reason
from embodied.bridge.reasons import reason

STILL_RAD_S = 0.02
"""Joints slower than this do not move."""

_RATE, _RATE_S = 2.0, 2.0
"""An arm's clock that goes this much faster or slower than ours for so long is none."""

START_STILL_RAD_S = 0.1
"""An arm that moves faster is not taken over."""


class StateWatch:
    """Looks at every report of the arm.

    Args:
        limits: What is allowed.
        lockstep: The arm's time advances with set-points only, so its clock is compared with the
            periods, not with this machine's clock.
    """

    def __init__(self, limits: SafetyLimits, *, lockstep: bool = False) -> None:
        self.limits = limits
        self.lockstep = lockstep
        self._tau_max: list[float] = (1.001 * limits.tau_max).tolist()
        self._last: ArmState | None = None
        self._frozen_s = 0.0
        self._stalled_s = 0.0
        self._told_s = self._gone_s = 0.0

    def start(self, state: ArmState) -> Reason | None:
        """Begin with this report; returns why it cannot be begun with."""
        self._last = None
        self._frozen_s = self._stalled_s = 0.0
        self._told_s = self._gone_s = 0.0
        problem = self._unusable(state) or self.stopped(state)
        if problem is None and float(np.max(np.abs(state.dq))) > START_STILL_RAD_S:
            speed = float(np.max(np.abs(state.dq)))
            problem = reason("velocity_limit", value=speed, limit=START_STILL_RAD_S, unit="rad/s")
        self._last = state
        return problem

    def judge(self, state: ArmState, q_sent: Sequence[float]) -> Reason | None:
        """Why the arm must stop, if it must.

        Args:
            state: The latest report.
            q_sent: Last set-point, (n,), rad.
        """
        problem = self._unusable(state) or self.stopped(state) or self._clock(state)
        if problem is not None:
            return problem
        limits = self.limits
        q: list[float] = state.q.tolist()
        lags = [abs(x - y) for x, y in zip(q_sent, q, strict=True)]
        lag = max(lags)
        if lag > limits.tracking_error_rad:
            joint = limits.joints[lags.index(lag)]
            return reason("tracking_error", joint, lag, limits.tracking_error_rad, "rad")
        torques: list[float] = state.tau.tolist()
        if not all([-m <= x <= m for x, m in zip(torques, self._tau_max, strict=True)]):
            over = [abs(x) - m for x, m in zip(torques, self._tau_max, strict=True)]
            i = over.index(max(over))
            return reason(
                "torque_limit", limits.joints[i], abs(torques[i]), self._tau_max[i], "N m"
            )
        if lag <= limits.stall_rad or max(map(abs, state.dq.tolist())) >= STILL_RAD_S:
            self._stalled_s = 0.0
            return None
        self._stalled_s += limits.dt_s
        if self._stalled_s > limits.stall_s:
            return reason("stall", limits.joints[lags.index(lag)], lag, limits.stall_rad, "rad")
        return None

    # ----------------------------------------------------------------- private

    def _unusable(self, state: ArmState) -> Reason | None:
        n = len(self.limits.joints)
        for vector in (state.q, state.dq, state.tau):
            if vector.shape != (n,):
                return reason("wrong_joint_count", value=vector.size, limit=n, unit="joints")
            if not all(map(math.isfinite, vector.tolist())):
                return reason("state_not_finite")
        return None

    def stopped(self, state: ArmState) -> Reason | None:
        """Why the arm says that it is stopped, if it does."""
        if state.emergency_stop or state.mode is ArmMode.EMERGENCY_STOP:
            return reason("emergency_stop")
        if state.protective_stop or state.mode is ArmMode.PROTECTIVE_STOP:
            return reason("protective_stop")
        if state.mode is ArmMode.FAULT:
            return reason("arm_fault")
        return None

    def _clock(self, state: ArmState) -> Reason | None:
        """The arm reports anew, and its clock goes as fast as ours."""
        limits, last = self.limits, self._last
        if last is None:
            self._last = state
            return None
        if state.sequence == last.sequence:
            self._frozen_s += limits.dt_s
            if self._frozen_s > limits.state_age_s + 1e-9:
                return reason("state_frozen", "", self._frozen_s, limits.state_age_s, "s")
            return None
        gone = self._frozen_s + limits.dt_s
        if not self.lockstep:
            gone = state.receive_time_s - last.receive_time_s
        told = state.source_time_s - last.source_time_s
        jump = abs(told - gone)
        self._last = state
        self._frozen_s = 0.0
        self._told_s, self._gone_s = self._told_s + told, self._gone_s + gone
        if self._gone_s >= _RATE_S and not self.lockstep:
            rate, self._told_s, self._gone_s = self._told_s / self._gone_s, 0.0, 0.0
            if not 1 / _RATE <= rate <= _RATE:  # its period is not the one it tells
                return reason("clock_jump", "", rate, 1.0, "s/s")
        if jump > limits.clock_jump_s or state.sequence < last.sequence:
            return reason("clock_jump", "", jump, limits.clock_jump_s, "s")
        return None
