"""The supervisor: owns the driver, the safety filter and the watchdog; others only propose."""

from __future__ import annotations

import secrets
import select
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from embodied.errors import HardwareFault, WorldError
from embodied.world.bridge._types import (
    Acknowledgement,
    ArmState,
    Decision,
    OperationMode,
    Reason,
    Setpoint,
    StopCategory,
    Verdict,
)
from embodied.world.bridge.approval import Gate, Plan
from embodied.world.bridge.channel import (
    BadFrameError,
    ChannelClosedError,
    Listener,
    SocketChannel,
)
from embodied.world.bridge.driver import Driver
from embodied.world.bridge.filter import SafetyFilter
from embodied.world.bridge.journal import Journal, said
from embodied.world.bridge.limits import SafetyLimits

STILL_RAD_S = 0.03
_LOCKSTEP_PATIENCE_S = 10.0
_IDLE_LOOK_S = 0.05
_LONGEST_END_S = 5.0
_QUEUE = 3


@dataclass(slots=True)
class _Totals:
    """Counts since the start."""

    periods: int = 0
    overruns: int = 0
    proposals: int = 0
    rejected: int = 0
    clamped: int = 0
    largest_shadow_rad: float = 0.0


@dataclass(frozen=True, slots=True)
class _Braking:
    """Since when, and from which speed, the arm comes to rest."""

    code: str
    since_s: float
    sequence: int
    speed_rad_s: float


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
        shadowed: In mode shadow, the real arm, connected; it is read and never told anything.
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
        shadowed: Driver | None = None,
    ) -> None:
        self.driver = driver
        self.safety = safety
        self.limits: SafetyLimits = safety.limits
        self.mode = mode
        self.journal = journal
        self.shadowed = shadowed
        self.gate = Gate()
        self.totals = _Totals()
        self._listeners = {"planner": planner, "operator": operator}
        self._token = token
        self._planner: SocketChannel | None = None
        self._operator: SocketChannel | None = None
        self._operator_known = False
        self._lockstep = driver.capabilities.lockstep
        self._queue: deque[tuple[int, Setpoint]] = deque()
        self._enabled = False
        self._stopped_s: float | None = None
        self._escalated = False
        self._heard_s = 0.0
        self._silent = True
        self._periods = 0
        self._moving_periods = 0
        self._next_s = 0.0
        self._ending = False
        self._end_by_s: float | None = None
        self._last_state: ArmState | None = None
        self._coming_to_rest: _Braking | None = None

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
        self._next_s = time.monotonic()
        try:
            while not self._over():
                self._listen(self._patience())
                if self._due():
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
        if self._end_by_s is None and self._ending:
            self._end_by_s = time.monotonic() + _LONGEST_END_S
        if self._end_by_s is None:
            return False
        return not self._moving or time.monotonic() > self._end_by_s

    def _finish(self) -> None:
        for arm in (self.driver, self.shadowed):
            if arm is not None:
                arm.disconnect()
        self._event("ended", **self._counts())
        for channel in (self._planner, self._operator, *self._listeners.values()):
            if channel is not None:
                channel.close()
        self.journal.close()

    def _patience(self) -> float:
        now = time.monotonic()
        if not self._lockstep:
            return max(self._next_s - now, 0.0)
        if self._queue or (self._moving and self._braking_now(now)):
            return 0.0
        return _IDLE_LOOK_S

    @property
    def _moving(self) -> bool:
        """The set-points move, or the arm has not been seen at rest since they stopped."""
        coming = self._enabled and self._coming_to_rest is not None
        return coming or not self.safety.at_rest

    def _braking_now(self, now: float) -> bool:
        """In lockstep, time goes on without a planner once it was waited for long enough."""
        return self._silent or self._ending or now - self._heard_s > _LOCKSTEP_PATIENCE_S

    def _due(self) -> bool:
        now = time.monotonic()
        self._watch_planner(now)
        if self._lockstep:
            return (
                bool(self._queue)
                or self._stopped_s is not None
                or (self._moving and self._braking_now(now))
                or now >= self._next_s
            )
        return now >= self._next_s

    def _watch_planner(self, now: float) -> None:
        if self._silent or self._planner is None:
            return
        # In lockstep the arm's time stands still while a slow machine keeps the planner waiting.
        longest = _LOCKSTEP_PATIENCE_S if self._lockstep else self.limits.heartbeat_s
        if now - self._heard_s > longest:
            self._silent = True
            self._hold("heartbeat", silent_s=round(now - self._heard_s, 3))

    # ------------------------------------------------------------------ periods

    def _period(self) -> None:
        now = time.monotonic()
        late = now - self._next_s
        self._next_s = (
            max(self._next_s + self.limits.dt_s, now)
            if not self._lockstep
            else (now + _IDLE_LOOK_S)
        )
        if not self._lockstep and late > self.limits.dt_s:
            self.totals.overruns += 1
        try:
            state = self.driver.read_state()
        except WorldError as error:
            self._lost(error)
            return
        self._last_state = state
        self._shadow(state)
        self._note_rest(state, now)
        if self._stopped_s is not None:
            self._stay_stopped(state, now)
            self._answer_queue(None, state)
            return
        if not self._enabled:
            problem = self.safety.watch.stopped(state)
            if problem is not None and self.safety.latched is None:
                self.safety.latch(problem)
                self._stop(problem, now)
            self._answer_queue(None, state)
            return
        waits = not self._moving or not self._braking_now(now)
        if self._lockstep and not self._queue and waits:
            self._look(state, now)
            return
        self._judge(state, now)

    def _look(self, state: ArmState, now: float) -> None:
        """In lockstep, time stands still without proposals; flags are looked at all the same."""
        problem = self.safety.watch.stopped(state)
        if problem is not None:
            self.safety.latch(problem)
            self._stop(problem, now)

    def _judge(self, state: ArmState, now: float) -> None:
        number, proposal = self._queue.popleft() if self._queue else (None, None)
        refusal: Reason | None = None
        if proposal is not None and self.mode is OperationMode.CONFIRM:
            refusal = self.gate.judge(proposal, self.safety.q)
        decision = self.safety.judge(proposal, state, now, refusal)
        self._periods += 1
        self._moving_periods += 0 if proposal is None and decision.at_rest else 1
        self._count(proposal, decision)
        self.journal.period(state, proposal, decision, now)
        if decision.verdict is Verdict.REJECT and not decision.at_rest:
            self._until_rest(decision.reasons[0].code)
        if decision.verdict is Verdict.STOP:
            self._stop(decision.reasons[0], now)
        else:
            try:
                self.driver.stream(
                    decision.q,
                    decision.dq,
                    gripper_width_m=decision.gripper_width_m,
                    gripper_force_n=decision.gripper_force_n,
                )
                if self._lockstep:
                    state = self.driver.read_state()
                    self._last_state = state
            except WorldError as error:
                self._lost(error)
        if number is not None:
            self._report(number, decision, state)

    def _answer_queue(self, decision: Decision | None, state: ArmState) -> None:
        while self._queue:
            number, _ = self._queue.popleft()
            self._report(number, decision, state)

    def _count(self, proposal: Setpoint | None, decision: Decision) -> None:
        totals = self.totals
        totals.periods += 1
        totals.proposals += proposal is not None
        totals.rejected += decision.verdict is Verdict.REJECT
        totals.clamped += decision.verdict is Verdict.CLAMP

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

    # -------------------------------------------------------------------- stops

    def _hold(self, code: str, **details: Any) -> None:
        """Ramp down and hold; not latched."""
        self._event("hold", code=code, **details)
        if self._enabled:
            if not self.safety.at_rest:
                self.safety.hold()
            self._until_rest(code)

    def _until_rest(self, code: str) -> None:
        """From now on it is measured how long the arm takes to come to rest."""
        if self._coming_to_rest is None and self._last_state is not None:
            state = self._last_state
            self._coming_to_rest = _Braking(
                code, time.monotonic(), state.sequence, _speed_rad_s(state)
            )

    def _note_rest(self, state: ArmState, now: float) -> None:
        braking = self._coming_to_rest
        if braking is not None and _speed_rad_s(state) < STILL_RAD_S:
            self._coming_to_rest = None
            self._event(
                "at-rest",
                code=braking.code,
                from_rad_s=round(braking.speed_rad_s, 4),
                after_s=round(now - braking.since_s, 4),
                after_periods=state.sequence - braking.sequence,
            )

    def _stop(self, why: Reason, now: float) -> None:
        """Latched: the arm's own controller stops it; an operator must acknowledge."""
        if self._stopped_s is not None:
            return
        self._stopped_s, self._escalated, self._enabled = now, False, False
        self.safety.forget()  # the arm's own controller moves it now
        category = StopCategory.HOLD
        if why.code in ("emergency_stop", "driver_lost"):
            category = StopCategory.CONTROLLED
        self._event("stop", code=why.code, reason=str(why), category=int(category))
        self._coming_to_rest = None
        self._until_rest(why.code)
        try:
            self.driver.stop(category)
        except WorldError as error:
            self._event("stop-failed", problem=str(error))

    def _stay_stopped(self, state: ArmState, now: float) -> None:
        """A stop that does not bring the arm to rest in time is made harder."""
        assert self._stopped_s is not None
        if self._escalated or now - self._stopped_s < self.limits.rest_s:
            return
        speed = _speed_rad_s(state)
        if speed > STILL_RAD_S:
            self._escalated = True
            self._event("escalated", speed_rad_s=speed, category=int(StopCategory.IMMEDIATE))
            self.driver.stop(StopCategory.IMMEDIATE)

    def _lost(self, error: WorldError) -> None:
        if self.safety.latched is None:
            code = "arm_fault" if type(error) is HardwareFault else "driver_lost"
            reason = self.safety.latch_code(code)
            self._event("driver-error", problem=str(error))
            self._stop(reason, time.monotonic())
        while self._queue:
            number, _ = self._queue.popleft()
            self._report(number, None, self._last_state)

    # ----------------------------------------------------------------- messages

    def _listen(self, timeout_s: float) -> None:
        """Handle everything that has arrived; wait for the first message at most so long."""
        while True:
            sources: list[Any] = [
                s for s in (*self._listeners.values(), self._planner, self._operator) if s
            ]
            ready, _, _ = select.select(sources, [], [], timeout_s)
            if not ready:
                return
            timeout_s = 0.0
            for source in ready:
                if source is self._listeners["planner"]:
                    self._new_planner()
                elif source is self._listeners["operator"]:
                    self._new_operator()
                elif source is self._operator:
                    self._hear_operator()
                elif source is self._planner:
                    self._hear_planner()
            if self._lockstep and self._queue:
                return

    def _new_planner(self) -> None:
        channel = self._listeners["planner"].accept(0.0)
        if channel is None:
            return
        while self._planner is not None and select.select([self._planner], [], [], 0.0)[0]:
            self._hear_planner()  # the last one may have gone
        if self._planner is not None:
            channel.close()
            self._event("planner-refused", problem="one planner at a time")
            return
        self._planner = channel
        self._heard_s, self._silent = time.monotonic(), False
        self._queue.clear()
        self.safety.new_planner()
        self._event("planner-connected")

    def _hear_planner(self) -> None:
        assert self._planner is not None
        try:
            message = self._planner.receive(0.0)
        except BadFrameError as error:
            self._hold(error.code, problem=str(error))
            return
        except ChannelClosedError:
            self._planner.close()
            self._planner = None
            self._silent = True
            self._queue.clear()
            self._hold("heartbeat", problem="the planner has gone")
            return
        if message is None:
            return
        self._heard_s = time.monotonic()
        if self._silent:
            self._silent = False
            self._event("planner-heard-again")
        kind = message["kind"]
        if kind == "setpoint":
            self._propose(message)
        elif kind == "enable":
            self._enable()
        elif kind in ("hello", "observe"):
            self._report(message.get("re", 0), None, self._fresh_state())
        elif kind == "reset":
            self._reset(message)
        elif kind == "plan":
            self._plan(message)

    def _propose(self, message: Mapping[str, Any]) -> None:
        if len(self._queue) >= _QUEUE:
            self._hold("sequence", problem="set-points come faster than the arm takes them")
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

    def _enable(self) -> None:
        """Handover: the arm holds its measured pose, and set-points start from there."""
        problems: tuple[Reason, ...] = ()
        state = self._fresh_state()
        if state is None:
            return
        if self._stopped_s is None and self.safety.at_rest:
            try:
                self.driver.enable()
                state = self.driver.read_state()
                problems = self.safety.start(state)
                self._enabled = not problems
            except WorldError as error:
                self._lost(error)
        event = "enabled" if self._enabled else "not-enabled"
        self._event(event, reasons=[str(p) for p in problems], q=state.q.tolist())
        self._report(0, None, state)

    def _reset(self, message: Mapping[str, Any]) -> None:
        driver: Any = self.driver
        if not driver.capabilities.resets:
            self._event("reset-refused", problem="only simulated arms start episodes")
        elif self._stopped_s is not None:
            self._event("reset-refused", problem="the arm is stopped")
        else:
            self._enabled = False
            try:
                driver.reset(message["seed"])
            except WorldError as error:
                self._lost(error)
            self.safety.forget()
            self._periods = self._moving_periods = 0
            self.gate = Gate()
        self._report(message["re"], None, self._fresh_state())

    def _plan(self, message: Mapping[str, Any]) -> None:
        try:
            plan = Plan.of(
                message["label"],
                message["time"],
                message["q"],
                message["gripper_width_m"],
                len(self.limits.joints),
            )
        except ValueError as error:
            self._hold("schema", problem=str(error))
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
        self._report(message["re"], None, self._fresh_state())

    def _new_operator(self) -> None:
        channel = self._listeners["operator"].accept(0.0)
        if channel is not None:
            if self._operator is not None:
                channel.close()
                return
            self._operator, self._operator_known = channel, False

    def _hear_operator(self) -> None:
        channel = self._operator
        assert channel is not None
        try:
            message = channel.receive(0.0)
        except BadFrameError as error:
            self._event("operator-frame", problem=str(error))
            return
        except ChannelClosedError:
            channel.close()
            self._operator = None
            if self._operator_known:
                self._hold("heartbeat", problem="the operator's terminal has gone")
                self._ending = True
            return
        if message is None:
            return
        if message["kind"] == "hello":
            self._operator_known = secrets.compare_digest(message["token"], self._token)
        if not self._operator_known:
            channel.close()
            self._operator = None
            self._event("operator-refused", problem="wrong token")
            return
        self._obey(message)
        self._tell_operator({"kind": "status", "status": self._status()})

    def _obey(self, message: Mapping[str, Any]) -> None:
        kind = message["kind"]
        if kind in ("approve", "refuse"):
            done = self.gate.answer(message["plan_hash"], approve=kind == "approve")
            self._event("answer", answer=kind, plan_hash=message["plan_hash"], known=done)
        elif kind == "estop":
            self._stop(self.safety.latch_code("emergency_stop"), time.monotonic())
        elif kind == "hold":
            self._hold("holding", problem="the operator asked for it")
        elif kind == "recover":
            self._recover(message)
        elif kind == "shutdown":
            self._hold("holding", problem="the operator ends the session")
            self._ending = True

    def _recover(self, message: Mapping[str, Any]) -> None:
        try:
            acknowledgement = Acknowledgement(
                operator=message["operator"], statement=message["statement"]
            )
            self.driver.recover(acknowledgement)
            state = self.driver.read_state()
        except (WorldError, ValueError) as error:
            self._event("recover-refused", problem=str(error))
            return
        still = self.safety.watch.stopped(state)
        if still is not None:
            self._event("recover-refused", problem=str(still))
            return
        self.safety.recover(acknowledgement)
        self._stopped_s = None
        self._queue.clear()
        self._event("recovered", operator=message["operator"], statement=message["statement"])

    # ------------------------------------------------------------------ reports

    def _fresh_state(self) -> ArmState | None:
        try:
            self._last_state = self.driver.read_state()
        except WorldError as error:
            self._lost(error)
        return self._last_state

    def _status(self) -> dict[str, Any]:
        latched = self.safety.latched
        gate = self.gate
        return {
            "mode": self.mode.value,
            "enabled": self._enabled,
            "latched": None if latched is None else latched.code,
            "latched_reason": "" if latched is None else str(latched),
            "at_rest": self.safety.at_rest,
            "pending": None if gate.pending is None else gate.pending.plan_hash,
            "approved": None if gate.approved is None else gate.approved.plan_hash,
            "refused": gate.refused,
            **self._counts(),
        }

    def _counts(self) -> dict[str, Any]:
        totals = self.totals
        return {
            "periods": totals.periods,
            "overruns": totals.overruns,
            "proposals": totals.proposals,
            "rejected": totals.rejected,
            "clamped": totals.clamped,
            "largest_shadow_rad": totals.largest_shadow_rad,
        }

    def _report(self, number: int, decision: Decision | None, state: ArmState | None) -> None:
        if self._planner is None:
            return
        message = {
            "kind": "report",
            "re": number,
            "decision": None if decision is None else said(decision),
            "state": None if state is None else reported(state),
            "time_s": self._moving_periods * self.limits.dt_s,
            "status": self._status(),
        }
        try:
            self._planner.send(message)
        except ChannelClosedError:
            return  # noticed when it is read from next

    def _event(self, event: str, **details: Any) -> None:
        line = self.journal.event(event, **details)
        self._tell_operator({"kind": "event", **line})

    def _tell_operator(self, message: Mapping[str, Any]) -> None:
        if self._operator is None or not self._operator_known:
            return
        try:
            self._operator.send(message)
        except ChannelClosedError:
            return  # noticed when it is read from next


def _speed_rad_s(state: ArmState) -> float:
    """Of the fastest joint; infinite where the arm does not report it."""
    if not np.isfinite(state.dq).all():
        return float("inf")
    return float(np.max(np.abs(state.dq), initial=0.0))


def reported(state: ArmState) -> dict[str, Any]:
    """The state of the arm as a planner gets it."""
    grip = state.gripper
    return {
        "sequence": state.sequence,
        "source_time_s": state.source_time_s,
        "q": state.q.tolist(),
        "dq": state.dq.tolist(),
        "q_commanded": state.q_commanded.tolist(),
        "tau": state.tau.tolist(),
        "mode": state.mode.value,
        "gripper": None if grip is None else [grip.width_m, grip.speed_m_s, grip.force_n],
        "scene": dict(state.scene),
    }
