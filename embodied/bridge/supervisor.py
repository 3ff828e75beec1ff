"""The supervisor: owns the driver, the safety filter and the watchdog; others only propose."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from typing import Any

import numpy as np

from embodied.bridge._pace import Pace
from embodied.bridge._reports import Totals, reported, status
from embodied.bridge.approval import Gate
from embodied.bridge.arm_link import Arm
from embodied.bridge.channel import Listener, Message
from embodied.bridge.connections import Heard, Lines, Said
from embodied.bridge.driver import Driver
from embodied.bridge.filter import SafetyFilter
from embodied.bridge.journal import Journal, said
from embodied.bridge.limits import SafetyLimits
from embodied.bridge.messages import (
    ArmState,
    Decision,
    OperationMode,
    Setpoint,
    StopCategory,
    Verdict,
)
from embodied.bridge.plan_reader import PlanReader, plan_of
from embodied.errors import ConfigurationError, WorldError

_LONGEST_END_S = 5.0
_OPERATOR_S = 60.0
_QUEUE = 3
_MOST_MESSAGES = 8
"""Of a planner that are handled before the next period."""


class Supervisor:
    """One arm, one planner, one operator.

    Args:
        driver: The arm that moves: the real one, or a simulated one in its place; connected.
        safety: The safety filter.
        mode: What reaches the arm.
        journal: What is written down.
        planner: Where planners connect.
        operator: Where the operator's terminal connects.
        token: What the operator's terminal must say first.
        reader: Reads large plans.
        shadowed: In mode shadow, the real arm, connected; it is read and never told anything.

    Raises:
        ConfigurationError: The driver's period is not the one of the limits.
    """

    def __init__(
        self,
        driver: Driver,
        safety: SafetyFilter,
        *,
        mode: OperationMode,
        journal: Journal,
        planner: Listener,
        operator: Listener,
        token: str,
        reader: PlanReader,
        shadowed: Driver | None = None,
    ) -> None:
        self.driver = driver
        self.safety = safety
        self.limits: SafetyLimits = safety.limits
        self.mode = mode
        self.journal = journal
        self.shadowed = shadowed
        period_s = driver.capabilities.period_s
        if abs(period_s - self.limits.dt_s) > 1e-9:
            raise ConfigurationError(
                f"the driver {driver.capabilities.name!r} takes a set-point every {period_s:g} s;"
                f" the limits {self.limits.name!r} are for one every {self.limits.dt_s:g} s"
            )
        self.gate = Gate(self.limits.dt_s)
        self.totals = Totals()
        self.arm = Arm(driver, safety, self._event)
        self._lines = Lines(planner, operator, token, self._event, reader)
        self._lockstep = driver.capabilities.lockstep
        self._queue: deque[tuple[int, Setpoint]] = deque()
        self._pace = Pace(self.limits.dt_s, self.limits.heartbeat_s, lockstep=self._lockstep)
        self._moving_periods = 0
        self._ending = self._unrecorded = False
        self._end_by_s: float | None = None
        self._operator_by_s = time.monotonic() + _OPERATOR_S

    # --------------------------------------------------------------------- loop

    def run(self) -> None:
        """Serve until the operator says so or goes away."""
        about = self.driver.capabilities
        self._event(
            "started",
            driver=about.name,
            mode=self.mode.value,
            limits=self.limits.name,
            limits_sha256=self.limits.sha256,
            signed_by=self.limits.signed_by,
            lockstep=self._lockstep,
        )
        try:
            while not self._over():
                now = time.monotonic()
                busy = bool(self._queue) or self._goes_on(now)
                self._listen(self._pace.wait_s(now, busy=busy))
                now = time.monotonic()
                self._watch_sleep(now)
                self._watch_planner(now)
                stopped = self.arm.stopped_s is not None
                busy = stopped or bool(self._queue) or self._goes_on(now)
                if self._pace.due(now, busy=busy):
                    self._period()
        except BaseException as error:
            self._event("internal-error", problem=f"{type(error).__name__}: {error}")
            with suppress(WorldError):
                self.driver.stop(StopCategory.CONTROLLED)
            raise
        finally:
            self._finish()

    def _over(self) -> bool:
        """The session ends and the arm is at rest, or was given long enough for it."""
        now = time.monotonic()
        if not self._ending and not self._lines.had_operator and now > self._operator_by_s:
            self._event("no-operator", waited_s=_OPERATOR_S)
            self.arm.hold("heartbeat", problem="no operator has come")
            self._ending = True
        if self._end_by_s is None and self._ending:
            self._end_by_s = now + _LONGEST_END_S
        if self._end_by_s is None:
            return False
        return not self.arm.moving or now > self._end_by_s

    def _finish(self) -> None:
        for arm in (self.driver, self.shadowed):
            if arm is not None:
                arm.disconnect()
        self._event("ended", **self.totals.counts())
        self._lines.close()
        self.journal.close()

    def _watch_planner(self, now: float) -> None:
        silent_s = self._pace.falls_silent(now) if self._lines.has_planner else None
        if silent_s is not None:
            self.arm.hold("heartbeat", silent_s=round(silent_s, 3))

    def _watch_sleep(self, now: float) -> None:
        """An arm whose supervisor slept is anywhere by now, and so is what was approved."""
        slept_s = self._pace.woke()
        if slept_s is not None:
            self._event("woke", slept_s=round(slept_s, 3))
            self.gate.revoke()
            self.arm.stop(self.safety.latch_code("suspended"), now)

    def _goes_on(self, now: float) -> bool:
        return self._pace.goes_on(now, moving=self.arm.moving, ending=self._ending)

    # ------------------------------------------------------------------ periods

    def _period(self) -> None:
        now = time.monotonic()
        self.totals.begun(self._pace.begin(now), self.limits.dt_s)
        try:
            state = self.driver.read_state()
        except WorldError as error:
            self.arm.lost(error)
            self._answer_queue(None, self.arm.last_state)
            return
        self.arm.last_state = state
        self._shadow(state)
        self.arm.note_rest(state, now)
        if self.arm.stopped_s is not None:
            self.arm.stay_stopped(state, now)
            self._answer_queue(None, state)
        elif not self.arm.enabled:
            self.arm.look(state, now)
            self._answer_queue(None, state)
        elif self.arm.behind:
            self._answer_queue(self.arm.catch_up(state, now), state)
        elif self._lockstep and not self._queue and not self._goes_on(now):
            self.arm.look(state, now)  # time stands still without proposals
        else:
            self._judge(state, now)

    def _judge(self, state: ArmState, now: float) -> None:
        number, proposal = self._queue.popleft() if self._queue else (None, None)
        moved = not self.safety.at_rest
        if self.mode is OperationMode.CONFIRM:
            decision = self.gate.judge(self.safety, proposal, state, now)
        else:
            decision = self.safety.judge(proposal, state, now)
        late = self.arm.late() if moved and decision.verdict is not Verdict.STOP else None
        if late is not None:
            decision = self.arm.fall_behind(late, state)
        self._moving_periods += 0 if proposal is None and decision.at_rest else 1
        self.totals.count(proposal, decision)
        if late is None:
            self.journal.period(state, proposal, decision, now)
            if decision.verdict is Verdict.REJECT and moved:
                self.arm.until_rest(decision.reasons[0].code)
            if decision.verdict is Verdict.STOP:
                self.arm.stop(decision.reasons[0], now)
            else:
                state = self.arm.stream(decision, state)
        if number is not None:
            self._report(number, decision, state)

    def _answer_queue(self, decision: Decision | None, state: ArmState | None) -> None:
        while self._queue:
            number, _ = self._queue.popleft()
            self._report(number, decision, state)

    def _shadow(self, state: ArmState) -> None:
        """In mode shadow, how far the real arm is from where it would have been."""
        if self.shadowed is None:
            return
        try:
            real = self.shadowed.read_state()
        except WorldError as error:
            self._event("shadow-lost", problem=str(error))
            self.shadowed = None
            return
        if real.q.shape == state.q.shape:
            largest = float(np.max(np.abs(real.q - state.q)))
            self.totals.largest_shadow_rad = max(self.totals.largest_shadow_rad, largest)

    # ----------------------------------------------------------------- messages

    def _listen(self, timeout_s: float) -> None:
        """Handle what has arrived; wait for the first message at most so long.

        A planner that says more than a little must not delay the period: the rest of it waits.
        """
        of_planner = 0
        while True:
            enough = of_planner >= _MOST_MESSAGES
            heard = self._lines.hear(timeout_s, operator_only=enough)
            if heard is None:
                return
            timeout_s = 0.0
            for one in heard:
                if one.who == "planner":
                    of_planner += 1
                    self._hear_planner(one)
                else:
                    self._hear_operator(one)
            if self._lockstep and self._queue:
                return
            if of_planner and not self._lockstep and self._pace.due(time.monotonic(), busy=False):
                return

    def _hear_planner(self, heard: Heard) -> None:
        if heard.said is Said.CONNECTED:
            self._pace.heard()
            self._queue.clear()
            self.safety.new_planner()
            self.gate.revoke()
            self._event("planner-connected")
        elif heard.said is Said.READING:
            self._pace.heard()
        elif heard.said is Said.BAD_FRAME:
            self.arm.hold(heard.code, problem=heard.problem)
        elif heard.said is Said.GONE:
            self._lose_planner("the planner has gone")
        else:
            try:
                self._obey_planner(heard.message)
            except Exception as error:  # whatever it said must not end whoever holds the arm
                self._event("planner-error", problem=f"{type(error).__name__}: {error}"[:200])
                self._drop_planner("what the planner said could not be carried out")

    def _drop_planner(self, problem: str) -> None:
        self._lines.drop_planner()
        self._lose_planner(problem)

    def _lose_planner(self, problem: str) -> None:
        self._pace.silent = True
        self._queue.clear()
        self.arm.hold("heartbeat", problem=problem)

    def _obey_planner(self, message: Message) -> None:
        if self._pace.heard():
            self._event("planner-heard-again")
        kind = message["kind"]
        if kind == "setpoint":
            self._propose(message)
        elif kind == "enable":
            state = self.arm.take_over()
            if state is not None:
                self._report(0, None, state)
        elif kind in ("hello", "observe"):
            self._report(message.get("re", 0), None, self.arm.read())
        elif kind == "reset":
            if self.arm.reset(message["seed"]):
                self._moving_periods = 0
                self.gate = Gate(self.limits.dt_s)
            self._report(message["re"], None, self.arm.read())
        elif kind == "plan":
            self._plan(message)

    def _propose(self, message: Message) -> None:
        if len(self._queue) >= _QUEUE:
            self.arm.hold("sequence", problem="set-points come faster than the arm takes them")
            self._queue.clear()
            return
        setpoint = Setpoint(
            sequence=message["re"],
            created_s=message["created_s"],
            q=np.array(message["q"], dtype=np.float64),
            gripper_width_m=message["gripper_width_m"],
            gripper_force_n=message["gripper_force_n"],
        )
        self._queue.append((message["re"], setpoint))

    def _plan(self, message: Message) -> None:
        try:
            plan = message.get("plan") or plan_of(message, len(self.limits.joints))
        except ValueError as error:
            self.arm.hold("schema", problem=str(error))
            return
        self.gate.propose(plan)
        if self.mode is not OperationMode.CONFIRM:
            self.gate.answer(plan.plan_hash, approve=True)
        self._event(
            "plan",
            label=plan.label,
            plan_hash=plan.plan_hash,
            duration_s=float(plan.time[-1]),
            gripper_width_m=plan.gripper_width_m,
            q=plan.q[:: max(1, len(plan.q) // 50)].tolist(),
        )
        self._report(message["re"], None, self.arm.read())

    def _hear_operator(self, heard: Heard) -> None:
        if heard.said is Said.BAD_FRAME:
            self._event("operator-frame", problem=heard.problem)
        elif heard.said is Said.GONE:
            self.arm.hold("heartbeat", problem="the operator's terminal has gone")
            self._ending = True
        else:
            self._obey_operator(heard.message)
            self._lines.tell_operator({"kind": "status", "status": self._status()})

    def _obey_operator(self, message: Message) -> None:
        kind = message["kind"]
        if kind in ("approve", "refuse"):
            done = self.gate.answer(message["plan_hash"], approve=kind == "approve")
            self._event("answer", answer=kind, plan_hash=message["plan_hash"], known=done)
        elif kind == "estop":
            self.arm.stop(self.safety.latch_code("emergency_stop"), time.monotonic())
        elif kind == "hold":
            self.arm.hold("holding", problem="the operator asked for it")
        elif kind == "recover":
            self.journal.problem, self._unrecorded = "", False
            if self.arm.recover(message["operator"], message["statement"]):
                self._queue.clear()
                self.gate.release()
        elif kind == "shutdown":
            self.arm.hold("holding", problem="the operator ends the session")
            self._ending = True

    # ------------------------------------------------------------------ reports

    def _status(self) -> dict[str, Any]:
        return status(self.mode, self.arm.enabled, self.safety, self.gate, self.totals)

    def _report(self, number: int, decision: Decision | None, state: ArmState | None) -> None:
        if not self._lines.has_planner:
            return
        keeps_up = self._lines.tell_planner(
            {
                "kind": "report",
                "re": number,
                "decision": None if decision is None else said(decision),
                "state": None if state is None else reported(state),
                "time_s": self._moving_periods * self.limits.dt_s,
                "status": self._status(),
            }
        )
        if not keeps_up:
            self._drop_planner("the planner does not read its answers")

    def _event(self, event: str, **details: Any) -> None:
        line = self.journal.event(event, **details)
        self._lines.tell_operator({"kind": "event", **line})
        if self.journal.problem and not self._unrecorded:
            self._unrecorded = True  # what is not recorded does not move
            self._event("unrecorded", problem=self.journal.problem)
            self.arm.stop(self.safety.latch_code("no_record"), time.monotonic())
