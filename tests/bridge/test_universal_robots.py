"""The UR driver and its vendor's client against the emulated controller."""

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
from hypothesis import given
from hypothesis import strategies as st

from embodied.app.bridge.run import open_bridge_session
from embodied.app.bridge.session import BridgeOptions
from embodied.bridge.driver import Driver, DriverLostError
from embodied.bridge.drivers.universal_robots import JOINTS, UniversalRobotsDriver
from embodied.bridge.emulators.plant import IdealJoints, RateLimited
from embodied.bridge.emulators.rtde_protocol import input_recipe, output_recipe
from embodied.bridge.emulators.universal_robots import UrEmulator
from embodied.bridge.emulators.ur_controller import UrController
from embodied.bridge.limits import shipped_limits
from embodied.bridge.messages import Acknowledgement, StopCategory
from embodied.bridge.testing.contract import DriverContract
from embodied.errors import HardwareFault
from embodied.settings import Settings
from embodied.world import robots

pytestmark = pytest.mark.realtime

HOME = robots.load("ur5e").q_home
_HOSTS = (f"127.0.7.{i}" for i in itertools.count(1))


@dataclass
class Emulator:
    host: str
    truth: str
    process: subprocess.Popen[bytes]


def _start(folder: Path, *arguments: str) -> Emulator:
    pytest.importorskip("rtde_control", reason="ur-rtde is not installed (extra [bridge-ur])")
    host, truth = next(_HOSTS), str(folder / "truth")
    command = [sys.executable, "-m", "embodied.bridge.emulators", "universal-robots"]
    process = subprocess.Popen([*command, "--host", host, *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return Emulator(host, truth, process)


def _end(emulator: Emulator) -> None:
    emulator.process.kill()
    emulator.process.wait()
    assert emulator.process.stdout is not None
    emulator.process.stdout.close()


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    started = _start(tmp_path)
    yield started
    _end(started)


@pytest.fixture
def driver(emulator: Emulator) -> Iterator[UniversalRobotsDriver]:
    driver = UniversalRobotsDriver(host=emulator.host)
    driver.connect()
    yield driver
    driver.disconnect()


def _drive(driver: UniversalRobotsDriver, q: np.ndarray, periods: int) -> None:
    for _ in range(periods):
        driver.stream(q, np.zeros(6))
        time.sleep(driver.capabilities.period_s)


class TestUniversalRobots(DriverContract):
    @pytest.fixture(autouse=True)
    def _served(self, emulator: Emulator) -> None:
        self.host = emulator.host

    def make_driver(self) -> Driver:
        return UniversalRobotsDriver(host=self.host)


def _arrive(driver: UniversalRobotsDriver, q: np.ndarray) -> None:
    """Stream until the arm is there: how long that takes depends on how busy the machine is."""
    for _ in range(2000):
        _drive(driver, q, 1)
        if np.allclose(driver.read_state().q, q, atol=1e-6):
            return


def test_connecting_and_enabling_move_nothing(driver: UniversalRobotsDriver) -> None:
    before = driver.read_state()
    driver.enable()
    time.sleep(0.1)
    after = driver.read_state()
    np.testing.assert_array_equal(before.q, after.q)
    assert after.sequence > before.sequence
    assert after.source_time_s > before.source_time_s


def test_set_points_move_the_arm_there(driver: UniversalRobotsDriver) -> None:
    driver.enable()
    goal = HOME + [0.1, 0.05, -0.05, 0.1, 0.1, -0.1]
    _arrive(driver, goal)
    state = driver.read_state()
    np.testing.assert_allclose(state.q, goal, atol=1e-6)
    np.testing.assert_allclose(state.q_commanded, goal, atol=1e-6)


def test_a_stop_brakes_refuses_motion_and_is_recovered(driver: UniversalRobotsDriver) -> None:
    driver.enable()
    goal = HOME + [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    _drive(driver, goal, 10)
    assert np.max(np.abs(driver.read_state().dq)) > 0.1
    driver.stop(StopCategory.CONTROLLED)
    time.sleep(0.5)
    state = driver.read_state()
    assert np.max(np.abs(state.dq)) == 0.0
    assert state.protective_stop
    with pytest.raises(HardwareFault):
        driver.stream(goal, np.zeros(6))
    with pytest.raises(HardwareFault):
        driver.enable()
    driver.recover(Acknowledgement(operator="test", statement="looked at it"))
    driver.enable()
    _arrive(driver, goal)
    np.testing.assert_allclose(driver.read_state().q, goal, atol=1e-6)


def test_without_power_the_arm_is_idle_until_recovered(driver: UniversalRobotsDriver) -> None:
    driver.enable()
    driver.stop(StopCategory.IMMEDIATE)
    time.sleep(0.1)
    with pytest.raises(HardwareFault):
        driver.enable()
    driver.recover(Acknowledgement(operator="test", statement="power is back"))
    driver.enable()


def test_the_gripper_goes_to_its_width(driver: UniversalRobotsDriver) -> None:
    driver.enable()
    driver.gripper(0.02, 30.0)
    time.sleep(1.0)
    grip = driver.read_state().gripper
    assert grip is not None
    assert grip.width_m == pytest.approx(0.02, abs=0.08 / 255)
    assert grip.force_n == 0.0  # it closed on nothing


def test_a_lost_controller_is_noticed_and_let_go_of(
    emulator: Emulator, driver: UniversalRobotsDriver
) -> None:
    driver.enable()
    emulator.process.kill()
    with pytest.raises(DriverLostError):
        for _ in range(500):
            driver.stream(driver.read_state().q, np.zeros(6))
            time.sleep(0.01)
    driver.disconnect()
    driver.disconnect()


def test_nobody_there_is_a_clear_error() -> None:
    pytest.importorskip("rtde_control", reason="ur-rtde is not installed (extra [bridge-ur])")
    with pytest.raises(DriverLostError, match=r"no UR controller at 127\.0\.6\.66"):
        UniversalRobotsDriver(host="127.0.6.66").connect()


@pytest.mark.slow
def test_a_sentence_moves_the_emulated_arm_through_the_supervisor(tmp_path: Path) -> None:
    where = ("--scene", "blocks", "--truth", str(tmp_path / "truth"))
    emulator = _start(tmp_path, "--robot", "ur5e", "--stepped", *where)
    session = None
    try:
        session, _ = open_bridge_session(
            Settings(scene="blocks", robot="ur5e", world="bridge"),
            BridgeOptions(
                driver="universal-robots",
                options={"host": emulator.host, "truth": emulator.truth, "lockstep": True},
                limits=shipped_limits("ur5e-emulated"),
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
    finally:
        if session is not None:
            session.close()
        _end(emulator)


# ------------------------------------------------------- the emulator without its sockets


def _controller() -> UrController:
    controller = UrController(IdealJoints(HOME), HOME)
    controller.run_program("def rtde_control():\n ...\nend\n")
    return controller


def _command(controller: UrController, number: int, *values: float) -> None:
    controller.inputs["input_int_register_0"] = number
    for i, value in enumerate(values):
        controller.inputs[f"input_double_register_{i}"] = value


def test_a_program_that_is_not_the_clients_does_not_run() -> None:
    controller = UrController(IdealJoints(HOME), HOME)
    controller.run_program("def other():\n movej([0,0,0,0,0,0])\nend\n")
    assert not controller.program_runs
    assert "refused" in controller.log[-1]


def test_an_unknown_command_ends_the_program_as_a_failing_script_does() -> None:
    controller = _controller()
    _command(controller, 6)
    controller.advance()
    assert not controller.program_runs


def test_speeds_end_by_themselves_after_their_time() -> None:
    controller = _controller()
    _command(controller, 9, 0.5, 0, 0, 0, 0, 0, 4.0, 0.1)
    controller.advance()
    _command(controller, 0)
    for _ in range(200):
        controller.advance()
    assert np.max(np.abs(controller.plant.dq)) == 0.0
    assert controller.plant.q[0] > HOME[0] + 0.01


def test_stepped_time_passes_with_set_points_only() -> None:
    controller = UrController(IdealJoints(HOME), HOME, stepped=True)
    controller.run_program("def rtde_control():\n ...\nend\n")
    servo = {f"input_double_register_{i}": v for i, v in enumerate(HOME + 0.1)}
    servo |= {"input_double_register_8": 0.01, "input_int_register_0": 11}
    controller.receive(servo)
    for _ in range(100):
        controller.advance()
    assert controller.time_s == pytest.approx(0.01)
    _command(controller, 16, 10.0)
    for _ in range(100):
        controller.advance()
    assert 0.02 < controller.time_s < 0.2  # braking took time, then it stood still again
    assert np.max(np.abs(controller.plant.dq)) == 0.0


def test_an_emergency_stop_brakes_and_refuses_programs() -> None:
    controller = _controller()
    _command(controller, 11, *(HOME + 0.5))
    for _ in range(50):
        controller.advance()
    controller.trip(emergency=True, why="pressed")
    for _ in range(200):
        controller.advance()
    assert np.max(np.abs(controller.plant.dq)) == 0.0
    controller.run_program("def rtde_control():\n ...\nend\n")
    assert not controller.program_runs
    assert controller.outputs()["safety_mode"] == 7


def test_the_dashboard_and_the_gripper_answer_bad_lines() -> None:
    emulator = UrEmulator(_controller())
    assert "could not understand" in emulator.dashboard("dance")
    assert emulator.gripper(["SET", "POS"]) == "nack"
    assert emulator.gripper([]) == "nack"
    assert emulator.gripper(["SET", "POS", "255"]) == "ack"


@given(st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6), st.integers(0, 30))
def test_limits_hold_whatever_is_asked_for(goal: list[float], periods: int) -> None:
    target = RateLimited(HOME, np.full(6, 3.14), np.full(6, 40.0))
    for k in range(periods + 200):
        before = target.dq.copy()
        target.follow(np.array(goal) if k >= periods else -np.array(goal), 0.002)
        assert np.all(np.abs(target.dq) <= 3.14 + 1e-12)
        assert np.all(np.abs(target.dq - before) <= 40.0 * 0.002 + 1e-12)


def test_rate_limited_targets_arrive_without_overshoot() -> None:
    target = RateLimited(np.zeros(1), np.full(1, 3.14), np.full(1, 40.0))
    highest = 0.0
    for _ in range(1000):
        target.follow(np.ones(1), 0.002)
        highest = max(highest, float(target.q[0]))
    assert target.q[0] == pytest.approx(1.0, abs=1e-9)
    assert highest <= 1.0 + 1e-3


@given(st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=6), st.integers(-(2**31), 2**31 - 1))
def test_packed_values_come_back(vector: list[float], number: int) -> None:
    names = [*(f"input_double_register_{i}" for i in range(6)), "input_int_register_0", ""]
    recipe = input_recipe(3, names)
    values = {f"input_double_register_{i}": v for i, v in enumerate(vector)}
    values["input_int_register_0"] = number
    packed = recipe.pack(values)
    assert packed[0] == 3
    assert recipe.unpack(packed[1:]) == values
    with pytest.raises(ValueError, match="too short"):
        recipe.unpack(packed[1:-1])
    with pytest.raises(ValueError, match="too long"):
        recipe.unpack(packed[1:] + b"\0")


def test_unknown_variables_are_not_found() -> None:
    recipe = output_recipe(1, ["actual_q", "no_such_thing"])
    assert not recipe.valid
    assert recipe.reply() == b"\x01VECTOR6D,NOT_FOUND"


def test_the_driver_names_the_joints_of_the_model() -> None:
    assert robots.load("ur5e").joints == JOINTS
