"""Drivers of serial servos and their vendors' clients against servos at a pseudo-terminal."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.app.bridge.run import open_bridge_session
from embodied.app.bridge.session import BridgeOptions
from embodied.bridge.driver import Driver, DriverLostError
from embodied.bridge.drivers._serial_servos import SerialServosDriver
from embodied.bridge.drivers.dynamixel import DynamixelDriver
from embodied.bridge.drivers.feetech import FeetechDriver
from embodied.bridge.emulators.plant import IdealJoints
from embodied.bridge.emulators.servo_bus import (
    PROTOCOLS,
    PtyServer,
    ServoChain,
    dynamixel_crc,
)
from embodied.bridge.limits import shipped_limits
from embodied.bridge.messages import Acknowledgement, ArmMode, StopCategory
from embodied.bridge.testing.contract import DriverContract
from embodied.bridge.vendors.servo_scale import centred
from embodied.errors import HardwareFault
from embodied.settings import Settings
from embodied.world import robots

pytestmark = pytest.mark.realtime

ARM = robots.load("fr3")
CLIENTS = {"dynamixel": "dynamixel_sdk", "feetech": "scservo_sdk"}
DRIVERS = {"dynamixel": DynamixelDriver, "feetech": FeetechDriver}
TICK_RAD = 2 * np.pi / 4096


class Bench:
    """A chain of servos at a pseudo-terminal, served by a thread."""

    def __init__(self, bus: str) -> None:
        self.bus = bus
        scale = centred(ARM.q_lower, ARM.q_upper)
        self.chain = ServoChain(IdealJoints(ARM.q_home), scale)
        self.server = PtyServer(chain=self.chain, protocol=PROTOCOLS[bus]())
        self.port = self.server.open()
        self._running = True
        self._thread = threading.Thread(target=self.server.serve, args=(lambda: self._running,))
        self._thread.start()

    def unplug(self) -> None:
        """Nobody answers any more."""
        self._running = False
        self._thread.join()

    def close(self) -> None:
        self.unplug()
        self.server.close()


@pytest.fixture(params=sorted(CLIENTS))
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bus = str(request.param)
    pytest.importorskip(CLIENTS[bus], reason=f"{bus} is not installed (extra [bridge-{bus}])")
    bench = Bench(bus)
    yield bench
    bench.close()


@pytest.fixture
def driver(bench: Bench) -> Iterator[SerialServosDriver]:
    driver = DRIVERS[bench.bus](port=bench.port)
    driver.connect()
    yield driver
    driver.disconnect()


def _drive(driver: SerialServosDriver, q: np.ndarray, periods: int) -> None:
    for _ in range(periods):
        driver.stream(q, np.zeros(7))
        time.sleep(driver.capabilities.period_s)


class TestSerialServos(DriverContract):
    @pytest.fixture(autouse=True)
    def _served(self, bench: Bench) -> None:
        self.bench = bench

    def make_driver(self) -> Driver:
        return DRIVERS[self.bench.bus](port=self.bench.port)


def _arrive(driver: SerialServosDriver, q: np.ndarray) -> None:
    """Stream until the arm is there: how long that takes depends on how busy the machine is."""
    for _ in range(2000):
        _drive(driver, q, 1)
        if np.allclose(driver.read_state().q, q, atol=TICK_RAD):
            return


def test_connecting_and_enabling_move_nothing(driver: SerialServosDriver, bench: Bench) -> None:
    before = bench.chain.positions()
    assert driver.read_state().mode is ArmMode.IDLE
    driver.enable()
    time.sleep(0.1)
    assert bench.chain.positions() == before
    assert all(s.torque for s in bench.chain.servos.values())
    np.testing.assert_allclose(driver.read_state().q, ARM.q_home, atol=TICK_RAD)


def test_without_torque_nothing_moves(driver: SerialServosDriver) -> None:
    with pytest.raises(HardwareFault):
        driver.stream(ARM.q_home, np.zeros(7))


def test_set_points_move_the_arm_there_and_rounding_is_said(
    driver: SerialServosDriver,
) -> None:
    driver.enable()
    goal = ARM.q_home + 0.1
    result = driver.stream(goal, np.zeros(7))
    assert result.reasons == ("rounded to ticks of the servos",)
    np.testing.assert_allclose(result.sent, goal, atol=TICK_RAD / 2 + 1e-12)
    _arrive(driver, goal)
    np.testing.assert_allclose(driver.read_state().q, goal, atol=TICK_RAD)


def test_measured_velocities_have_signs_and_units(driver: SerialServosDriver) -> None:
    driver.enable()
    speed = np.array([0.5, -0.5, 0.5, -0.5, 0.5, -0.5, 0.5])
    q = np.array(driver.read_state().q)
    seen = []
    for _ in range(60):
        q = q + speed * 0.01
        driver.stream(q, speed)
        time.sleep(0.01)
        seen.append(driver.read_state().dq)
    middle = np.median(seen[10:], axis=0)
    assert np.all(np.sign(middle) == np.sign(speed))
    assert np.all(np.abs(middle) < 1.0)


def test_a_stop_brakes_holds_and_is_recovered(driver: SerialServosDriver, bench: Bench) -> None:
    driver.enable()
    q = np.array(driver.read_state().q)
    dq = np.array([0.4, 0, 0, 0, 0, 0, 0])
    for _ in range(20):
        q = q + dq * 0.01
        driver.stream(q, dq)
        time.sleep(0.01)
    driver.stop(StopCategory.CONTROLLED)
    time.sleep(0.1)
    held = bench.chain.positions()
    time.sleep(0.1)
    assert bench.chain.positions() == held
    assert bench.chain.servos[1].torque
    with pytest.raises(HardwareFault):
        driver.stream(q, dq)
    driver.recover(Acknowledgement(operator="test", statement="looked at it"))
    driver.enable()
    _drive(driver, np.array(driver.read_state().q), 3)


def test_a_category_0_stop_lets_go(driver: SerialServosDriver, bench: Bench) -> None:
    driver.enable()
    driver.stop(StopCategory.IMMEDIATE)
    time.sleep(0.05)
    assert not any(bench.chain.servos[i].torque for i in range(1, 8))


def test_a_hardware_error_is_a_fault_until_it_is_gone(bench: Bench) -> None:
    bench.chain.fail(3, 0x20)
    driver = DRIVERS[bench.bus](port=bench.port)
    try:
        driver.connect()
        assert driver.read_state().mode is ArmMode.FAULT
        with pytest.raises(HardwareFault):
            driver.enable()
        with pytest.raises(HardwareFault, match="0x20"):
            driver.recover(Acknowledgement(operator="test", statement="hoped for the best"))
        bench.chain.servos[3].error = 0
        driver.recover(Acknowledgement(operator="test", statement="changed the servo"))
        driver.enable()
    finally:
        driver.disconnect()


def test_the_gripper_goes_to_its_width(driver: SerialServosDriver) -> None:
    driver.enable()
    driver.gripper(0.02, 10.0)
    time.sleep(0.9)
    grip = driver.read_state().gripper
    assert grip is not None
    assert grip.width_m == pytest.approx(0.02, abs=0.08 / 1024)
    assert grip.force_n == 0.0


def test_an_unplugged_bus_is_noticed(driver: SerialServosDriver, bench: Bench) -> None:
    driver.enable()
    bench.unplug()
    with pytest.raises(DriverLostError):
        driver.read_state()


@pytest.mark.parametrize("bus", sorted(CLIENTS))
def test_a_port_that_is_not_there_is_a_clear_error(bus: str) -> None:
    pytest.importorskip(CLIENTS[bus], reason=f"{bus} is not installed (extra [bridge-{bus}])")
    with pytest.raises(DriverLostError, match="cannot open /dev/no-such-port"):
        DRIVERS[bus](port="/dev/no-such-port").connect()


@pytest.mark.slow
@pytest.mark.parametrize("bus", sorted(CLIENTS))
def test_a_sentence_moves_the_emulated_servos(bus: str, tmp_path: Path) -> None:
    pytest.importorskip(CLIENTS[bus], reason=f"{bus} is not installed (extra [bridge-{bus}])")
    truth = str(tmp_path / "truth")
    command = [sys.executable, "-m", "embodied.bridge.emulators", bus]
    where = ["--scene", "blocks", "--truth", truth, "--stepped"]
    with subprocess.Popen([*command, *where], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        word, port = process.stdout.readline().decode().split()
        assert word == "ready"
        session = None
        try:
            session, _ = open_bridge_session(
                Settings(scene="blocks", world="bridge"),
                BridgeOptions(
                    driver=bus,
                    options={"port": port, "truth": truth, "lockstep": True},
                    limits=shipped_limits("fr3-servos-emulated"),
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
            process.kill()


# ------------------------------------------------------- the emulator without its terminal


def test_the_checksum_is_the_published_one() -> None:
    # The manufacturer's example of a ping to servo 1.
    assert dynamixel_crc(bytes.fromhex("fffffd0001030001")) == 0x4E19


@pytest.mark.parametrize("bus", sorted(CLIENTS))
@given(noise=st.binary(max_size=64))
def test_noise_is_answered_by_nothing_and_forgotten(bus: str, noise: bytes) -> None:
    chain = ServoChain(IdealJoints(ARM.q_home), centred(ARM.q_lower, ARM.q_upper))
    protocol = PROTOCOLS[bus]()
    goals = [s.goal for s in chain.servos.values()]
    _, rest = protocol.answer(chain, noise)
    assert len(rest) <= len(noise)
    assert [s.goal for s in chain.servos.values()] == goals


@given(st.lists(st.floats(-2.5, 2.5), min_size=7, max_size=7))
def test_ticks_are_the_nearest_ones(offsets: list[float]) -> None:
    scale = centred(ARM.q_lower, ARM.q_upper)
    q = scale.q_centre + np.array(offsets)
    np.testing.assert_allclose(scale.angles(scale.ticks(q)), q, atol=TICK_RAD / 2 + 1e-12)


def test_the_clients_are_the_vendors_own() -> None:
    for module in CLIENTS.values():
        found = importlib.util.find_spec(module)
        assert found is None or "site-packages" in (found.origin or "")
