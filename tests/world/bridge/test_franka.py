"""The Franka driver and ``franky-control`` against the simulated FR3 of ``franky-sim``."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from embodied.app.bridge_session import BridgeOptions, open_bridge_session
from embodied.app.session import Settings
from embodied.errors import HardwareFault
from embodied.world import robots
from embodied.world.bridge._types import Acknowledgement, ArmMode, StopCategory
from embodied.world.bridge.contract import SEEN, DriverContract
from embodied.world.bridge.driver import Driver, DriverLostError
from embodied.world.bridge.drivers.franka import JOINTS, FrankaDriver
from embodied.world.bridge.drivers.truth import Truth
from embodied.world.bridge.limits import shipped_limits

HOME = robots.load("fr3").q_home
REST = np.zeros(7)
_HOSTS = (f"127.0.8.{i}" for i in itertools.count(1))


@dataclass
class Emulator:
    host: str
    truth: str
    process: subprocess.Popen[bytes]

    def driver(self) -> FrankaDriver:
        return FrankaDriver(host=self.host, realtime="ignore", truth=self.truth, lockstep=True)

    def tell(self, line: str) -> None:
        """A line to the emulator, beside the vendor's protocol."""
        socket = Truth(self.truth)
        socket.open()
        socket._ask(line)
        socket.close()


def _start(folder: Path, *arguments: str) -> Emulator:
    needed = {"franky": "franky-control", "franky_sim": "franky-sim"}
    for module, package in needed.items():
        pytest.importorskip(module, reason=f"{package} is not installed (extra [bridge-franka])")
    host, truth = next(_HOSTS), str(folder / "truth")
    command = [sys.executable, "-m", "embodied.world.bridge.emulators", "franka"]
    where = ["--host", host, "--truth", truth, "--stepped"]
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
    for _ in range(100):
        state = driver.read_state()
        if state.protective_stop and np.max(np.abs(state.dq)) < 0.03:
            break
        time.sleep(0.01)
    assert state.mode is ArmMode.PROTECTIVE_STOP
    assert np.max(np.abs(state.dq)) < 0.03
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


def test_a_driver_that_goes_leaves_the_arm_at_rest(emulator: Emulator) -> None:
    first = emulator.driver()
    first.connect()
    first.enable()
    _go(first, first.read_state().q, 0.05, 50)
    first.disconnect()
    second = emulator.driver()
    second.connect()
    assert np.max(np.abs(second.read_state().dq)) < 0.03
    second.disconnect()


def test_category_0_ends_the_control_loop_at_once(driver: FrankaDriver) -> None:
    driver.enable()
    _go(driver, driver.read_state().q, 0.05, 50)
    driver.stop(StopCategory.IMMEDIATE)
    with pytest.raises(HardwareFault):
        driver.stream(HOME, REST)
    for _ in range(100):
        if np.max(np.abs(driver.read_state().dq)) < 0.03:
            break
        time.sleep(0.01)
    assert np.max(np.abs(driver.read_state().dq)) < 0.03
    driver.recover(SEEN)
    driver.enable()


def test_a_lost_arm_is_noticed_and_let_go_of(tmp_path: Path) -> None:
    emulator = _start(tmp_path)
    driver = emulator.driver()
    driver.connect()
    driver.enable()
    _end(emulator)
    with pytest.raises(DriverLostError):
        for _ in range(100):
            driver.stream(driver.read_state().q, REST)
            time.sleep(0.05)
    driver.disconnect()
    driver.disconnect()


@pytest.mark.slow
def test_a_sentence_moves_the_emulated_arm_through_the_supervisor(tmp_path: Path) -> None:
    emulator = _start(tmp_path, "--scene", "blocks")
    session = None
    try:
        session, supervised = open_bridge_session(
            Settings(scene="blocks", world="bridge"),
            BridgeOptions(
                driver="franka",
                options={
                    "host": emulator.host,
                    "realtime": "ignore",
                    "truth": emulator.truth,
                    "lockstep": True,
                },
                limits=shipped_limits("fr3-franka-emulated"),
                journal=tmp_path / "journal.jsonl",
            ),
        )
        outcome = session.run(
            "put the red block on the green block",
            emit=lambda event: None,
            artifact=lambda name, text: None,
            move=True,
        )
        assert outcome.reached, outcome.message
        measured = supervised.world.observe().q
        assert np.max(np.abs(measured - HOME)) > 0.1
    finally:
        if session is not None:
            session.close()
        _end(emulator)


def test_nobody_there_is_a_clear_error() -> None:
    with pytest.raises(DriverLostError, match=r"no Franka arm at 127\.0\.6\.66"):
        FrankaDriver(host="127.0.6.66").connect()


@pytest.mark.parametrize("wrong", [{"gripper": "claw"}, {"realtime": "no"}, {"lockstep": True}])
def test_wrong_options_name_the_right_ones(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="choose from|needs truth"):
        FrankaDriver(**wrong)  # type: ignore[arg-type]


def test_the_driver_names_the_joints_of_the_model() -> None:
    assert robots.load("fr3").joints == JOINTS
