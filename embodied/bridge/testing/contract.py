"""The contract of a driver as tests.

Whoever implements ``Driver`` subclasses ``DriverContract``::

    class TestMyDriver(DriverContract):
        def make_driver(self) -> Driver:
            return MyDriver(...)  # against an emulator
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import pytest

from embodied.bridge.driver import Driver, DriverLostError, NotSupportedError
from embodied.bridge.messages import Acknowledgement, ArmState, StopCategory
from embodied.errors import HardwareFault
from embodied.types import Array, JointTrajectory

SEEN = Acknowledgement(operator="test", statement="the area is clear")


class DriverContract(ABC):
    """Conformance tests; pytest collects them from subclasses named ``Test...``.

    Attributes:
        follow_rad: How near the arm comes to a set-point.
        move_rad: How far it is moved.
        rest_rad_s: Speed that counts as at rest.
    """

    follow_rad = 0.01
    move_rad = 0.05
    rest_rad_s = 0.03

    # ------------------------------------------------------------ to be written

    @abstractmethod
    def make_driver(self) -> Driver:
        """Build a driver for an emulated or simulated arm; it is disconnected after each test."""

    # ---------------------------------------------------------------- fixtures

    @pytest.fixture
    def driver(self) -> Iterator[Driver]:
        """A connected driver."""
        driver = self.make_driver()
        driver.connect()
        yield driver
        driver.disconnect()

    # ------------------------------------------------------------------- tests

    def test_nothing_is_done_before_connect(self) -> None:
        """What the arm can do is known; everything else needs the connection."""
        driver = self.make_driver()
        assert driver.capabilities.period_s > 0.0
        assert len(set(driver.capabilities.joint_names)) == len(driver.capabilities.joint_names)
        for act in (driver.read_state, driver.enable, lambda: driver.stop(StopCategory.HOLD)):
            with pytest.raises(DriverLostError):
                act()
        driver.disconnect()

    def test_states_are_complete(self, driver: Driver) -> None:
        """All vectors have one finite number per joint; the receive time is this machine's."""
        n = len(driver.capabilities.joint_names)
        before = time.monotonic()
        state = driver.read_state()
        for vector in (state.q, state.dq, state.q_commanded, state.dq_commanded, state.tau):
            assert vector.shape == (n,)
            assert np.isfinite(vector).all()
        assert before - 5.0 < state.receive_time_s <= time.monotonic()
        assert (state.gripper is not None) == driver.capabilities.has_gripper
        assert not state.emergency_stop and not state.protective_stop

    def test_reports_are_numbered(self, driver: Driver) -> None:
        """While the arm is moved, sequence and source time grow."""
        driver.enable()
        first = driver.read_state()
        last = self._hold(driver, first.q, 20)
        assert last.sequence > first.sequence
        assert last.source_time_s > first.source_time_s

    def test_nothing_moves_before_enable(self, driver: Driver) -> None:
        """``stream`` is refused, or does nothing."""
        state = driver.read_state()
        with pytest.raises(HardwareFault):
            driver.stream(state.q + self.move_rad, np.zeros(len(state.q)))

    def test_set_points_are_followed(self, driver: Driver) -> None:
        """A slow motion arrives; what was requested and sent is said."""
        driver.enable()
        start = driver.read_state()
        end = self._move(driver, start.q, self.move_rad)
        np.testing.assert_allclose(end.q, start.q + self.move_rad, atol=self.follow_rad)
        np.testing.assert_allclose(end.q_commanded, end.q, atol=self.follow_rad)

    def test_a_stop_stops_and_stays(self, driver: Driver) -> None:
        """Mid-motion, at every category; only a recovery and ``enable`` end it."""
        for category in (StopCategory.HOLD, StopCategory.CONTROLLED):
            driver.enable()
            start = driver.read_state()
            self._move(driver, start.q, self.move_rad, share=0.5)
            driver.stop(category)
            rest = self._until_rest(driver)
            assert np.max(np.abs(rest.dq)) < self.rest_rad_s
            with pytest.raises(HardwareFault):
                driver.stream(rest.q, np.zeros(len(rest.q)))
            driver.stop(category)  # again
            driver.recover(SEEN)
        driver.enable()
        state = driver.read_state()
        assert not state.emergency_stop and not state.protective_stop
        self._hold(driver, state.q, 3)

    def test_whole_trajectories(self, driver: Driver) -> None:
        """Carried out where the driver says so, refused otherwise."""
        driver.enable()
        q = driver.read_state().q
        k = np.linspace(0.0, 1.0, 101)[:, None]
        way = q + self.move_rad * (1 - np.cos(np.pi * k)) / 2
        speed = self.move_rad * np.pi * np.sin(np.pi * k) / 2 * np.ones(len(q))
        trajectory = JointTrajectory(time=k[:, 0], q=way, dq=speed, ddq=np.zeros_like(speed))
        if not driver.capabilities.executes:
            with pytest.raises(NotSupportedError):
                driver.execute(trajectory)
            return
        driver.execute(trajectory)
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline:
            if np.allclose(driver.read_state().q, way[-1], atol=self.follow_rad):
                break
            time.sleep(0.01)
        np.testing.assert_allclose(driver.read_state().q, way[-1], atol=self.follow_rad)

    def test_gripper(self, driver: Driver) -> None:
        """It goes to a gap, where there is one."""
        driver.enable()
        if not driver.capabilities.has_gripper:
            with pytest.raises(NotSupportedError):
                driver.gripper(0.02, 10.0)
            return
        driver.gripper(0.02, 10.0)
        q = driver.read_state().q
        state = self._hold(driver, q, 150)
        assert state.gripper is not None
        assert state.gripper.width_m == pytest.approx(0.02, abs=3e-3)

    def test_disconnect_may_be_called_twice(self, driver: Driver) -> None:
        """Afterwards nothing else may."""
        driver.disconnect()
        driver.disconnect()
        with pytest.raises(DriverLostError):
            driver.read_state()

    # ----------------------------------------------------------------- private

    def _move(
        self, driver: Driver, start: Array, distance: float, *, share: float = 1.0
    ) -> ArmState:
        """Move all joints by ``distance`` within a second, or stop at a share of the way."""
        period = driver.capabilities.period_s
        count = round(1.0 / period)
        last = start
        for k in range(1, round(share * count) + 1):
            q = start + distance * (1 - np.cos(np.pi * k / count)) / 2
            result = driver.stream(q, (q - last) / period)
            np.testing.assert_array_equal(result.requested, q)
            last = q
            self._wait(driver)
        return self._hold(driver, last, 20) if share == 1.0 else driver.read_state()

    def _hold(self, driver: Driver, q: Array, periods: int) -> ArmState:
        for _ in range(periods):
            driver.stream(q, np.zeros(len(q)))
            self._wait(driver)
        return driver.read_state()

    def _until_rest(self, driver: Driver) -> ArmState:
        for _ in range(200):
            state = driver.read_state()
            if np.max(np.abs(state.dq)) < self.rest_rad_s:
                return state
            self._wait(driver)
        return driver.read_state()

    @staticmethod
    def _wait(driver: Driver) -> None:
        if not driver.capabilities.lockstep:
            time.sleep(driver.capabilities.period_s)
