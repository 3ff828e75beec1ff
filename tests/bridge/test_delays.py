"""When a process is kept waiting, set-points do not go on from where the arm no longer is."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.bridge import arm_link as _arm
from embodied.bridge import supervisor
from embodied.bridge.arm_link import PATIENCE_PERIODS, STILL_PERIODS, Arm
from embodied.bridge.channel import OPERATOR, PLANNER, REPORTS, Listener, connect
from embodied.bridge.client import PlannerClient
from embodied.bridge.filter import SafetyFilter
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.journal import Journal
from embodied.bridge.limits import load_limits, shipped_limits
from embodied.bridge.messages import (
    Acknowledgement,
    ArmMode,
    ArmState,
    Capabilities,
    OperationMode,
    Setpoint,
    StopCategory,
    StreamResult,
    Verdict,
)
from embodied.bridge.plan_reader import PlanReader
from embodied.bridge.process import BridgeConfig, SupervisorProcess
from embodied.bridge.replay import read_recording
from embodied.bridge.testing.faults import gentle_way
from embodied.errors import HardwareFault
from embodied.types import Array
from embodied.world.scene import load_scene

pytestmark = pytest.mark.realtime

PATH = shipped_limits("fr3-simulated")
LIMITS = load_limits(PATH)
GEOMETRY = ArmGeometry(LIMITS, load_scene("blocks"))
HOME = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])
WAIT_S = 30.0


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class FakeDriver:
    """An arm in real time that is where it was told to be, unless a test moves it."""

    def __init__(self) -> None:
        self.capabilities = Capabilities(name="fake", joint_names=LIMITS.joints, period_s=0.01)
        self.q = HOME.copy()
        self.dq = np.zeros(7)
        self.mode = ArmMode.RUNNING
        self.number = 0
        self.sent: list[Array] = []
        self.stops: list[StopCategory] = []
        self.enabled = 0

    def connect(self) -> None: ...

    def read_state(self) -> ArmState:
        self.number += 1
        return ArmState(
            sequence=self.number,
            source_time_s=0.01 * self.number,
            receive_time_s=0.01 * self.number,
            q=self.q,
            dq=self.dq,
            q_commanded=self.q,
            dq_commanded=self.dq,
            tau=np.zeros(7),
            mode=self.mode,
        )

    def enable(self) -> None:
        self.enabled += 1

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        self.sent.append(q)
        self.q, self.dq = q, dq
        return StreamResult(requested=q, sent=q)

    def stop(self, category: StopCategory) -> None:
        self.stops.append(category)

    def recover(self, acknowledgement: Acknowledgement) -> None: ...

    def execute(self, trajectory: Any) -> None: ...

    def gripper(self, width_m: float, force_n: float) -> None: ...

    def disconnect(self) -> None: ...


class Bench:
    """An arm, its filter and a clock; moves until a test lets the supervisor be kept waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        monkeypatch.setattr(_arm, "time", self.clock)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.driver = FakeDriver()
        self.safety = SafetyFilter(LIMITS, GEOMETRY)
        self.arm = Arm(self.driver, self.safety, lambda event, **d: self.events.append((event, d)))
        self.arm.take_over()
        for k in range(1, 60):
            self.clock.now += 0.01
            setpoint = Setpoint(sequence=k, created_s=self.clock.now, q=gentle_way(HOME, 0.01 * k))
            state = self.driver.read_state()
            decision = self.safety.judge(setpoint, state, self.clock.now)
            assert decision.verdict is Verdict.PASS
            assert k == 1 or self.arm.late() is None
            self.arm.stream(decision, state)
        assert np.abs(self.driver.dq).max() > 0.1

    def names(self) -> list[str]:
        return [event for event, _ in self.events]

    def falls_behind(self, silent_s: float = 0.2) -> None:
        """Kept waiting while the arm, unheard, brakes where it gets to."""
        self.clock.now += silent_s
        why = self.arm.late()
        assert why is not None and why.code == "late"
        assert self.arm.fall_behind(why, self.driver.read_state()).verdict is Verdict.REJECT
        self.driver.q = self.driver.q + 0.02 * np.sign(self.driver.dq)


def test_an_arm_that_heard_nothing_starts_anew_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    before = len(bench.driver.sent)
    bench.falls_behind()
    decision = bench.arm.catch_up(bench.driver.read_state(), bench.clock.now)
    assert decision.verdict is Verdict.REJECT
    assert decision.reasons[0].code == "late"
    assert bench.arm.behind and len(bench.driver.sent) == before  # it still moves: nothing is sent
    bench.driver.dq = np.zeros(7)
    bench.arm.catch_up(bench.driver.read_state(), bench.clock.now + 0.1)
    assert not bench.arm.behind and bench.arm.enabled
    np.testing.assert_array_equal(bench.safety.q, bench.driver.q)
    assert bench.names()[-3:] == ["hold", "resynchronised", "enabled"]
    state = bench.driver.read_state()
    first = bench.safety.judge(None, state, bench.clock.now)
    np.testing.assert_array_equal(first.q, bench.driver.q)


def test_an_arm_that_swings_back_is_not_at_rest_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.arm.last_state = bench.driver.read_state()
    bench.arm.hold("holding")
    for speed in (0.2, 0.1, 0.0, 0.0, -0.05, -0.04, *([0.01] * STILL_PERIODS)):
        assert "at-rest" not in bench.names()
        bench.driver.dq = np.full(7, speed)
        bench.clock.now += 0.01
        bench.arm.note_rest(bench.driver.read_state(), bench.clock.now)
    event, details = bench.events[-1]
    assert event == "at-rest"
    assert details["after_periods"] == 7
    assert details["after_s"] == pytest.approx(0.07)


def test_time_to_rest_counts_from_the_last_time_it_braked(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.arm.last_state = bench.driver.read_state()
    bench.arm.until_rest("missing")
    setpoint = Setpoint(sequence=60, created_s=bench.clock.now + 0.01, q=gentle_way(HOME, 0.60))
    for periods, code in ((1, ""), (3, "heartbeat")):
        for _ in range(periods):
            bench.clock.now += 0.01
            state = bench.arm.last_state = bench.driver.read_state()
            asked = None if code else setpoint
            bench.arm.stream(bench.safety.judge(asked, state, bench.clock.now), state)
        if not code:
            assert np.abs(bench.driver.dq).max() > 0.1  # it went on moving
    bench.arm.until_rest("heartbeat")
    bench.driver.dq = np.zeros(7)
    for _ in range(STILL_PERIODS):
        bench.clock.now += 0.01
        bench.arm.note_rest(bench.driver.read_state(), bench.clock.now)
    event, details = bench.events[-1]
    assert event == "at-rest" and details["code"] == "heartbeat"
    assert details["after_periods"] == 1


def test_an_arm_that_does_not_brake_by_itself_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.falls_behind()
    now = bench.clock.now
    bench.arm.catch_up(bench.driver.read_state(), now + LIMITS.rest_s / 2)
    assert bench.driver.stops == []
    bench.arm.catch_up(bench.driver.read_state(), now + LIMITS.rest_s + 0.01)
    assert bench.driver.stops == [StopCategory.HOLD]
    assert bench.safety.latched is not None and bench.safety.latched.code == "late"
    assert not bench.arm.enabled and not bench.arm.behind


def test_a_stop_of_the_arm_counts_also_while_it_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.falls_behind()
    state = replace(bench.driver.read_state(), protective_stop=True)
    bench.arm.catch_up(state, bench.clock.now)
    assert bench.safety.latched is not None and bench.safety.latched.code == "protective_stop"
    assert not bench.arm.behind


def test_an_arm_that_refuses_to_be_taken_over_again_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch)
    bench.falls_behind()
    bench.driver.dq = np.zeros(7)

    def refuse() -> None:
        raise HardwareFault("brakes are on")

    monkeypatch.setattr(bench.driver, "enable", refuse)
    bench.arm.catch_up(bench.driver.read_state(), bench.clock.now)
    assert bench.safety.latched is not None and bench.safety.latched.code == "arm_fault"
    assert not bench.arm.enabled


def test_silence_counts_from_before_a_set_point_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arm may have heard it at once, and the supervisor may have been kept waiting since."""
    bench = Bench(monkeypatch)
    stream = bench.driver.stream

    def slow(*args: Any, **more: Any) -> StreamResult:
        result = stream(*args, **more)
        bench.clock.now += 4 * LIMITS.dt_s
        return result

    monkeypatch.setattr(bench.driver, "stream", slow)
    state = bench.driver.read_state()
    bench.arm.stream(bench.safety.judge(None, state, bench.clock.now), state)
    assert bench.arm.late() is not None


def test_short_delays_are_no_reason_to_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.clock.now += (PATIENCE_PERIODS - 0.1) * LIMITS.dt_s
    assert bench.arm.late() is None
    bench.clock.now += 0.2 * LIMITS.dt_s
    assert bench.arm.late() is not None


def test_a_supervisor_that_no_operator_comes_to_lets_go_and_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "_OPERATOR_S", 0.05)
    driver, journal = FakeDriver(), tmp_path / "journal.jsonl"
    gone: list[bool] = []
    monkeypatch.setattr(driver, "disconnect", lambda: gone.append(True))
    supervisor.Supervisor(
        driver,
        SafetyFilter(LIMITS, GEOMETRY),
        mode=OperationMode.AUTO,
        journal=Journal(journal, None),
        planner=Listener(tmp_path / "planner", PLANNER),
        operator=Listener(tmp_path / "operator", OPERATOR),
        token="secret",
        reader=PlanReader(7),
    ).run()
    events = [json.loads(line)["event"] for line in journal.read_text("utf-8").splitlines()]
    assert events == ["started", "no-operator", "hold", "ended"]
    assert gone == [True]


# ------------------------------------------------------------------------------ real processes


class Rig:
    """A supervisor with a simulated arm in real time, and its journal."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.mcap = folder / "journal.jsonl", folder / "run.mcap"
        self.process = SupervisorProcess(
            BridgeConfig(
                limits=PATH, options={"lockstep": False}, journal=self.journal, mcap=self.mcap
            )
        )

    def codes(self, name: str) -> list[str]:
        lines = [json.loads(line) for line in self.journal.read_text("utf-8").splitlines()]
        return [line["details"].get("code", "") for line in lines if line["event"] == name]

    def wait_for(self, name: str, code: str = "") -> bool:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if any(code in ("", found) for found in self.codes(name)):
                return True
            time.sleep(0.02)
        return False


def move(client: PlannerClient, periods: int) -> dict[str, Any]:
    """Swing from where the arm is, in real time; ends early at a refusal."""
    report = client.enable()
    q = np.array(report["state"]["q"])
    begun = time.monotonic()
    for k in range(1, periods + 1):
        report = client.propose(gentle_way(q, 0.01 * k))
        if report["decision"] is None or report["decision"]["verdict"] == "reject":
            break
        time.sleep(max(begun + 0.01 * k - time.monotonic(), 0.0))
    return report


def test_a_suspended_supervisor_goes_on_from_the_measured_pose(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    client = PlannerClient(rig.process.planner_path)
    try:
        for _ in range(20):  # a busy machine may hold the arm before that
            report = move(client, 45)
            if report["status"]["at_rest"]:
                continue
            os.kill(rig.process.pid, signal.SIGSTOP)
            time.sleep(0.3)
            os.kill(rig.process.pid, signal.SIGCONT)
            if "late" in [*rig.codes("hold"), *map(_code, [client.propose(HOME)])]:
                break
        assert rig.wait_for("hold", "late")
        assert rig.wait_for("at-rest")
        assert rig.wait_for("resynchronised")
        deadline = time.monotonic() + WAIT_S
        q = np.array(client.observe()["state"]["q"])
        while client.propose(q)["decision"]["verdict"] == "reject" and time.monotonic() < deadline:
            q = np.array(client.observe()["state"]["q"])
        assert client.observe()["status"]["latched"] is None
    finally:
        client.close()
        rig.process.close()
    _, messages = read_recording(rig.mcap)
    events = [m.get("event", topic) for topic, _, m in messages]
    held = next(
        i for i, (_, _, m) in enumerate(messages) if m.get("details", {}).get("code") == "late"
    )
    taken_over = events.index("enabled", held)
    assert "/bridge/decision" not in events[held:taken_over]  # nothing was sent meanwhile
    start = np.array(messages[taken_over][2]["details"]["q"])
    first = next(m for t, _, m in messages[taken_over:] if t == "/bridge/decision")
    one_period_rad = LIMITS.ddq_max.max() * LIMITS.dt_s**2  # the planner's pose is an older one
    assert np.abs(np.array(first["q"]) - start).max() <= one_period_rad + 1e-9


def _code(report: dict[str, Any]) -> str:
    decision = report["decision"]
    return "" if decision is None or not decision["reasons"] else decision["reasons"][0]["code"]


def test_a_planner_that_was_suspended_is_held_and_its_old_set_points_are_refused(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    channel = connect(rig.process.planner_path, REPORTS)

    def ask(number: int, q: Array, created_s: float) -> dict[str, Any]:
        channel.send(
            {
                "kind": "setpoint",
                "re": number,
                "created_s": created_s,
                "q": q.tolist(),
                "gripper_width_m": None,
                "gripper_force_n": 20.0,
            }
        )
        report = channel.receive(WAIT_S)
        assert report is not None
        return report

    try:
        channel.send({"kind": "enable"})
        report = channel.receive(WAIT_S)
        assert report is not None
        q, old_s = np.array(report["state"]["q"]), 0.0
        for k in range(1, 46):
            old_s = time.monotonic()
            ask(k, gentle_way(q, 0.01 * k), old_s)
            time.sleep(0.005)
        assert rig.wait_for("hold", "heartbeat")  # nothing is said for a while
        assert rig.wait_for("at-rest")
        channel.send({"kind": "observe", "re": 46})
        report = channel.receive(WAIT_S)
        assert report is not None
        resting = np.array(report["state"]["q_commanded"])
        report = ask(47, resting + 0.001, old_s)
        assert _code(report) == "stale"
        np.testing.assert_allclose(report["state"]["q_commanded"], resting, atol=1e-9)
        assert ask(48, resting, time.monotonic())["decision"]["verdict"] == "pass"
    finally:
        channel.close()
        rig.process.close()
