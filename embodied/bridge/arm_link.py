"""The supervisor's state of the arm: enabled, stopped, coming to rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from embodied.bridge.driver import Driver
from embodied.bridge.filter import SafetyFilter
from embodied.bridge.messages import (
    Acknowledgement,
    ArmState,
    Decision,
    Reason,
    StopCategory,
    Verdict,
)
from embodied.bridge.reasons import reason
from embodied.errors import HardwareFault, WorldError
from embodied.types import readonly

STILL_RAD_S = 0.03
STILL_PERIODS = 5
"""An arm that swings back is slow for a moment too: it is at rest when it stays so for so long."""

PATIENCE_PERIODS = 2.5
"""An arm that hears nothing for so long while it moves may have braked by itself."""

Note = Callable[..., None]
"""Writes an event down: its name, and details by keyword."""


@dataclass(frozen=True, slots=True)
class _Braking:
    """Since when, and from which speed, the arm comes to rest."""

    code: str
    since_s: float
    sequence: int
    speed_rad_s: float


@dataclass(slots=True)
class _Still:
    """Since when a braking arm was measured still, and for how many reports."""

    since_s: float
    sequence: int
    reports: int = 0


@dataclass(frozen=True, slots=True)
class _Behind:
    """Since when set-points no longer belong to the arm, and for how long it had heard none."""

    since_s: float
    why: Reason


class Arm:
    """One arm behind its driver, and whether set-points may go there.

    Args:
        driver: The arm; connected.
        safety: The safety filter.
        note: Writes events down.

    Attributes:
        enabled: The arm is taken over: set-points go there.
        stopped_s: Since when it is stopped, None when it is not.
        last_state: Its latest report, None before the first.
    """

    def __init__(self, driver: Driver, safety: SafetyFilter, note: Note) -> None:
        self.driver = driver
        self.safety = safety
        self.enabled = False
        self.stopped_s: float | None = None
        self.last_state: ArmState | None = None
        self._note = note
        self._patience_s = PATIENCE_PERIODS * safety.limits.dt_s
        self._lockstep = driver.capabilities.lockstep
        self._escalated = False
        self._coming_to_rest: _Braking | None = None
        self._still: _Still | None = None
        self._streamed_s = 0.0
        self._behind: _Behind | None = None

    @property
    def moving(self) -> bool:
        """The set-points move, or the arm has not been seen at rest since they stopped."""
        coming = self.enabled and self._coming_to_rest is not None
        return coming or not self.safety.at_rest

    @property
    def behind(self) -> bool:
        """It braked by itself, and its set-points have not begun anew yet."""
        return self._behind is not None

    # ------------------------------------------------------------------ reports

    def read(self) -> ArmState | None:
        """A new report; the last one where the arm is lost, which stops it."""
        try:
            self.last_state = self.driver.read_state()
        except WorldError as error:
            self.lost(error)
        return self.last_state

    def note_rest(self, state: ArmState, now: float) -> None:
        """Once a braking arm is measured at rest, and stays so, say how long that took."""
        braking = self._coming_to_rest
        if braking is None or not speed_rad_s(state) < STILL_RAD_S:
            self._still = None
            return
        still = self._still = self._still or _Still(now, state.sequence)
        still.reports += 1
        if still.reports < STILL_PERIODS:
            return
        self._coming_to_rest = self._still = None
        self._note(
            "at-rest",
            code=braking.code,
            from_rad_s=round(braking.speed_rad_s, 4),
            after_s=round(still.since_s - braking.since_s, 4),
            after_periods=still.sequence - braking.sequence,
        )

    # ------------------------------------------------------------------- motion

    def take_over(self) -> ArmState | None:
        """The arm holds its measured pose, and set-points start from there."""
        problems: tuple[Reason, ...] = ()
        state = self.read()
        if state is None:
            return None
        if self.stopped_s is None and self.safety.at_rest:
            self._behind = None
            try:
                self.driver.enable()
                state = self.driver.read_state()
                problems = self.safety.start(state)
                self.enabled = not problems
            except WorldError as error:
                self.lost(error)
        event = "enabled" if self.enabled else "not-enabled"
        self._note(event, reasons=[str(p) for p in problems], q=state.q.tolist())
        return state

    def stream(self, decision: Decision, state: ArmState) -> ArmState:
        """Send a set-point; returns the latest report, in lockstep the one that follows."""
        self._streamed_s = time.monotonic()  # the arm has not heard it before
        if decision.verdict in (Verdict.PASS, Verdict.CLAMP) and not decision.at_rest:
            self._coming_to_rest = self._still = None  # it moves on, before it was seen at rest
        try:
            self.driver.stream(
                decision.q,
                decision.dq,
                gripper_width_m=decision.gripper_width_m,
                gripper_force_n=decision.gripper_force_n,
            )
            if self._lockstep:
                self.last_state = state = self.driver.read_state()
        except WorldError as error:
            self.lost(error)
        return state

    def late(self) -> Reason | None:
        """Why a moving arm has braked by itself by now, if it has: it heard nothing for too long.

        Its set-points would go on from where it no longer is.
        """
        silent_s = time.monotonic() - self._streamed_s
        if self._lockstep or silent_s <= self._patience_s:
            return None
        return reason("late", value=silent_s, limit=self._patience_s, unit="s")

    def fall_behind(self, why: Reason, state: ArmState) -> Decision:
        """Send nothing more until the arm, which brakes by itself, is measured at rest."""
        self._behind = _Behind(time.monotonic(), why)
        self.safety.forget()
        self.hold("late", silent_s=round(why.value, 3))
        return _refused(why, state)

    def catch_up(self, state: ArmState, now: float) -> Decision:
        """Where the arm rests after it braked by itself, set-points begin anew.

        Returns:
            What becomes of proposals meanwhile.
        """
        behind = self._behind
        assert behind is not None
        problem = self.safety.watch.judge(state, state.q.tolist())
        if problem is not None:
            self.safety.latch(problem)
            self.stop(problem, now)
        elif speed_rad_s(state) < STILL_RAD_S:
            self._note("resynchronised", moved_rad=round(_distance(state), 4))
            self.take_over()
        elif now - behind.since_s > self.safety.limits.rest_s:
            self.safety.latch(behind.why)
            self.stop(behind.why, now)
        return _refused(behind.why, state)

    # -------------------------------------------------------------------- stops

    def hold(self, code: str, **details: Any) -> None:
        """Ramp down and hold; not latched."""
        self._note("hold", code=code, **details)
        if self.enabled:
            if not self.safety.at_rest:
                self.safety.hold()
            self.until_rest(code)

    def until_rest(self, code: str) -> None:
        """From now on it is measured how long the arm takes to come to rest."""
        if self._coming_to_rest is None and self.last_state is not None:
            state = self.last_state
            self._coming_to_rest = _Braking(
                code, time.monotonic(), state.sequence, speed_rad_s(state)
            )

    def stop(self, why: Reason, now: float) -> None:
        """Latched: the arm's own controller stops it; an operator must acknowledge."""
        if self.stopped_s is not None:
            return
        self.stopped_s, self._escalated, self.enabled = now, False, False
        self._behind = None
        self.safety.forget()  # the arm's own controller moves it now
        category = StopCategory.HOLD
        if why.code in ("emergency_stop", "driver_lost"):
            category = StopCategory.CONTROLLED
        self._note("stop", code=why.code, reason=str(why), category=int(category))
        self._coming_to_rest = self._still = None
        self.until_rest(why.code)
        try:
            self.driver.stop(category)
        except WorldError as error:
            self._note("stop-failed", problem=str(error))

    def stay_stopped(self, state: ArmState, now: float) -> None:
        """A stop that does not bring the arm to rest in time is made harder."""
        assert self.stopped_s is not None
        if self._escalated or now - self.stopped_s < self.safety.limits.rest_s:
            return
        speed = speed_rad_s(state)
        if speed > STILL_RAD_S:
            self._escalated = True
            self._note("escalated", speed_rad_s=speed, category=int(StopCategory.IMMEDIATE))
            self.driver.stop(StopCategory.IMMEDIATE)

    def look(self, state: ArmState, now: float) -> None:
        """Stop where the arm says that it is stopped; for periods without a set-point."""
        problem = self.safety.watch.stopped(state)
        if problem is not None and self.safety.latched is None:
            self.safety.latch(problem)
            self.stop(problem, now)

    def lost(self, error: WorldError) -> None:
        """The arm does not answer, or refuses motion."""
        if self.safety.latched is None:
            code = "arm_fault" if type(error) is HardwareFault else "driver_lost"
            why = self.safety.latch_code(code)
            self._note("driver-error", problem=str(error))
            self.stop(why, time.monotonic())

    def recover(self, operator: str, statement: str) -> bool:
        """An operator acknowledges a stop; returns whether it is over."""
        try:
            acknowledgement = Acknowledgement(operator=operator, statement=statement)
            self.driver.recover(acknowledgement)
            state = self.driver.read_state()
        except (WorldError, ValueError) as error:
            self._note("recover-refused", problem=str(error))
            return False
        still = self.safety.watch.stopped(state)
        if still is not None:
            self._note("recover-refused", problem=str(still))
            return False
        self.safety.recover(acknowledgement)
        self.stopped_s = None
        self._note("recovered", operator=operator, statement=statement)
        return True

    def reset(self, seed: int) -> bool:
        """Start an episode of a simulated arm; returns whether it was let."""
        driver: Any = self.driver
        if not driver.capabilities.resets:
            self._note("reset-refused", problem="only simulated arms start episodes")
            return False
        if self.stopped_s is not None:
            self._note("reset-refused", problem="the arm is stopped")
            return False
        self.enabled, self._behind = False, None
        try:
            driver.reset(seed)
        except WorldError as error:
            self.lost(error)
        self.safety.forget(known=True)
        return True


def speed_rad_s(state: ArmState) -> float:
    """Of the fastest joint; infinite where the arm does not report it."""
    if not np.isfinite(state.dq).all():
        return float("inf")
    return float(np.max(np.abs(state.dq), initial=0.0))


def _refused(why: Reason, state: ArmState) -> Decision:
    """What becomes of proposals while nothing is sent."""
    rest = np.zeros(len(state.q))
    return Decision(verdict=Verdict.REJECT, q=readonly(state.q), dq=readonly(rest), reasons=(why,))


def _distance(state: ArmState) -> float:
    """How far the arm is from what it was told last, as it says itself; rad."""
    if state.q.shape != state.q_commanded.shape:
        return float("nan")
    return float(np.max(np.abs(state.q - state.q_commanded), initial=0.0))
