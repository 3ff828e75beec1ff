"""The Franka driver and ``franky-control`` against the simulated FR3 of ``franky-sim``."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.app.bridge.run import open_bridge_session
from embodied.app.bridge.session import BridgeOptions
from embodied.bridge.client import PlannerClient
from embodied.bridge.driver import Driver, DriverLostError
from embodied.bridge.drivers import franka
from embodied.bridge.drivers.franka import JOINTS, FrankaDriver
from embodied.bridge.limits import shipped_limits
from embodied.bridge.messages import Acknowledgement, ArmMode, StopCategory
from embodied.bridge.process import BridgeConfig, SupervisorProcess
from embodied.bridge.testing.contract import SEEN, DriverContract
from embodied.bridge.testing.faults import gentle_way
from embodied.bridge.vendors.truth import Truth
from embodied.errors import ConfigurationError, HardwareFault
from embodied.settings import Settings
from embodied.world import robots

pytestmark = pytest.mark.realtime

HOME = robots.load("fr3").q_home
REST = np.zeros(7)
_HOSTS = (f"127.8.{os.getpid() % 250}.{i}" for i in itertools.count(1))


@dataclass
class Emulator:
    host: str
    truth: str
    process: subprocess.Popen[bytes]

    @property
    def options(self) -> dict[str, Any]:
        where = {"host": self.host, "truth": self.truth}
        return {**where, "realtime": "ignore", "lockstep": True}

    def driver(self) -> FrankaDriver:
        return FrankaDriver(**self.options)

    def tell(self, line: str) -> None:
        """A line to the emulator, beside the vendor's protocol."""
        socket = Truth(self.truth)
        socket.open()
        socket.ask(line)
        socket.close()


def _start(folder: Path, *arguments: str, stepped: bool = True) -> Emulator:
    needed = {"franky": "franky-control", "franky_sim": "franky-sim"}
    for module, package in needed.items():
        pytest.importorskip(module, reason=f"{package} is not installed (extra [bridge-franka])")
    host, truth = next(_HOSTS), str(folder / "truth")
    command = [sys.executable, "-m", "embodied.bridge.emulators", "franka"]
    where = ["--host", host, "--truth", truth, *(["--stepped"] if stepped else [])]
    process = subprocess.Popen([*command, *where, *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return Emulator(host, truth, process)


def _end(emulator: Emulator) -> None:
    emulator.process.kill()
    emulator.process.wait()
    assert emulator.process.stdout is not None
    emulator.process.stdout.close()


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    started = _start(tmp_path_factory.mktemp("franka"))
    yield started
    _end(started)


@pytest.fixture
def driver(emulator: Emulator) -> Iterator[FrankaDriver]:
    driver = emulator.driver()
    driver.connect()
    yield driver
    driver.disconnect()


def _go(driver: FrankaDriver, start: np.ndarray, distance: float, periods: int) -> np.ndarray:
    """Part of a smooth second-long motion of all joints; returns the last set-point."""
    q = start
    for k in range(1, periods + 1):
        before, q = q, start + distance * (1 - np.cos(np.pi * k / 100)) / 2
        driver.stream(q, (q - before) / 0.01)
    return q


def _rests(driver: FrankaDriver) -> bool:
    """Whether the arm comes to rest: slowly, as a stepped emulator takes its time then."""
    for _ in range(200):
        if np.max(np.abs(driver.read_state().dq)) < 0.03:
            return True
        time.sleep(0.01)
    return False


class TestFranka(DriverContract):
    @pytest.fixture(autouse=True)
    def _served(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def make_driver(self) -> Driver:
        return self.emulator.driver()


def test_connecting_moves_nothing(driver: FrankaDriver) -> None:
    before = driver.read_state()
    time.sleep(0.1)
    after = driver.read_state()
    np.testing.assert_allclose(before.q, after.q, atol=1e-4)
    assert after.sequence > before.sequence
    assert np.max(np.abs(before.tau)) > 5.0  # gravity is measured


def test_a_reflex_stops_the_arm_until_an_operator_acknowledges_it(
    emulator: Emulator, driver: FrankaDriver
) -> None:
    driver.enable()
    _go(driver, driver.read_state().q, 0.05, 50)
    emulator.tell("trip reflex")
    assert _rests(driver)
    assert driver.read_state().mode is ArmMode.PROTECTIVE_STOP
    with pytest.raises(HardwareFault, match="Reflex"):
        driver.enable()
    assert driver.read_state().protective_stop  # trying to go on has cleared nothing
    driver.recover(Acknowledgement(operator="test", statement="nothing in the way any more"))
    driver.enable()
    state = driver.read_state()
    assert state.mode is ArmMode.RUNNING
    end = _go(driver, state.q, 0.02, 100)
    np.testing.assert_allclose(driver.read_state().q, end, atol=0.01)


def test_a_pressed_user_stop_is_not_cleared_from_afar(
    emulator: Emulator, driver: FrankaDriver
) -> None:
    emulator.tell("trip user-stop")
    assert driver.read_state().emergency_stop
    with pytest.raises(HardwareFault, match="UserStopped"):
        driver.enable()
    with pytest.raises(HardwareFault, match="release it at the arm"):
        driver.recover(SEEN)
    emulator.tell("trip ")
    driver.recover(SEEN)
    driver.enable()


def test_a_client_that_is_killed_leaves_the_arm_at_rest(emulator: Emulator) -> None:
    first = emulator.driver()
    first.connect()
    first.enable()
    _go(first, first.read_state().q, 0.05, 50)
    for client in multiprocessing.active_children():
        client.kill()
    with pytest.raises(DriverLostError):
        first.read_state()
    first.disconnect()
    second = emulator.driver()
    second.connect()
    assert _rests(second)
    second.enable()
    second.disconnect()


def test_category_0_ends_the_control_loop_at_once(driver: FrankaDriver) -> None:
    driver.enable()
    _go(driver, driver.read_state().q, 0.05, 50)
    driver.stop(StopCategory.IMMEDIATE)
    with pytest.raises(HardwareFault):
        driver.stream(HOME, REST)
    assert _rests(driver)
    driver.recover(SEEN)
    driver.enable()


def test_without_a_real_time_kernel_the_arm_is_not_taken_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(franka, "_has_realtime_kernel", lambda: False)
    with pytest.raises(ConfigurationError, match="realtime=ignore"):
        FrankaDriver(host="127.0.6.66").connect()


def test_in_real_time_set_points_that_stop_coming_stop_the_arm(tmp_path: Path) -> None:
    emulator = _start(tmp_path, stepped=False)
    driver = FrankaDriver(host=emulator.host, realtime="ignore")
    driver.connect()
    try:
        driver.enable()
        start = driver.read_state().q
        for k in range(1, 21):
            driver.stream(start + 0.002 * k, np.full(7, 0.2))
            time.sleep(0.01)
        deadline = time.monotonic() + 60.0  # of a busy machine; the arm's own clock is slower
        while time.monotonic() < deadline:
            state = driver.read_state()
            arrived = np.max(np.abs(state.q - start - 0.04)) < 0.01
            if arrived and not np.any(state.dq_commanded):
                break
            time.sleep(0.05)
        np.testing.assert_allclose(state.q, start + 0.04, atol=0.01)
        assert not np.any(state.dq_commanded)
    finally:
        driver.disconnect()
        _end(emulator)


def test_the_supervisor_holds_after_a_reflex_and_after_a_loss(tmp_path: Path) -> None:
    emulator = _start(tmp_path)
    process = SupervisorProcess(
        BridgeConfig(
            driver="franka",
            options=emulator.options,
            limits=shipped_limits("fr3-franka-emulated"),
            journal=tmp_path / "journal.jsonl",
        )
    )
    client = PlannerClient(process.planner_path)
    try:
        assert _propose(client, 20)["latched"] is None
        emulator.tell("trip reflex")
        assert _propose(client, 20)["latched"] == "protective_stop"
        assert not client.enable()["status"]["enabled"]
        process.operator.send(
            {"kind": "recover", "operator": "test", "statement": "the area is clear"}
        )
        _wait_for(tmp_path / "journal.jsonl", "recovered")
        assert _propose(client, 20)["latched"] is None
        emulator.process.kill()
        assert _propose(client, 20)["latched"] == "driver_lost"
        assert not client.enable()["status"]["enabled"]
        lost = _wait_for(tmp_path / "journal.jsonl", "driver-error", last=True)
        assert "Franka" in lost["problem"] or "emulator" in lost["problem"]
    finally:
        client.close()
        assert process.close() == 0
        _end(emulator)


def _propose(client: PlannerClient, periods: int) -> dict[str, Any]:
    """Take the arm over and move until it is stopped; returns the last status."""
    report = client.enable()
    q = np.array(report["state"]["q"])
    for k in range(1, periods + 1):
        if report["status"]["latched"]:
            break
        report = client.propose(gentle_way(q, 0.01 * k))
    return report["status"]


def _wait_for(journal: Path, event: str, *, last: bool = False) -> dict[str, Any]:
    for _ in range(600):
        lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
        found = [line["details"] for line in lines if line["event"] == event]
        if found:
            return found[-1 if last else 0]
        time.sleep(0.05)
    raise AssertionError(f"no {event!r} in the journal")


@pytest.mark.slow
def test_a_sentence_moves_the_emulated_arm_through_the_supervisor(tmp_path: Path) -> None:
    emulator = _start(tmp_path, "--scene", "blocks")
    session = None
    try:
        session, supervised = open_bridge_session(
            Settings(scene="blocks", world="bridge"),
            BridgeOptions(
                driver="franka",
                options=emulator.options,
                limits=shipped_limits("fr3-franka-emulated"),
                journal=tmp_path / "journal.jsonl",
            ),
        )
        outcome = session.run(
            "put the red block on the green block",
            emit=lambda event: None,
            write=lambda name, text: None,
            move=True,
        )
        assert outcome.reached, outcome.message
        poses = supervised.world.observe().poses
        red, green = (np.asarray(poses[f"{color}-block"].position) for color in ("red", "green"))
        assert red - green == pytest.approx([0.0, 0.0, 0.045], abs=0.015)
    finally:
        if session is not None:
            session.close()
        _end(emulator)


def test_nobody_there_is_a_clear_error() -> None:
    with pytest.raises(DriverLostError, match=r"no Franka arm at 127\.0\.6\.66"):
        FrankaDriver(host="127.0.6.66", realtime="ignore").connect()


@pytest.mark.parametrize("wrong", [{"gripper": "claw"}, {"realtime": "no"}, {"lockstep": True}])
def test_wrong_options_name_the_right_ones(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="choose from|needs truth"):
        FrankaDriver(**wrong)  # type: ignore[arg-type]


def test_the_driver_names_the_joints_of_the_model() -> None:
    assert robots.load("fr3").joints == JOINTS
