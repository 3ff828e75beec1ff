"""Drivers that need no client of their own."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from embodied.bridge.driver import Driver
from embodied.bridge.drivers import DRIVERS, open_driver
from embodied.bridge.drivers.simulated import SimulatedDriver
from embodied.bridge.testing.contract import DriverContract
from embodied.errors import ConfigurationError


class TestSimulated(DriverContract):
    def make_driver(self) -> Driver:
        return SimulatedDriver()


class TestSimulatedWithSixJoints(DriverContract):
    def make_driver(self) -> Driver:
        return SimulatedDriver(robot="ur5e")


def test_the_simulated_arm_has_the_joints_of_its_robot() -> None:
    names = SimulatedDriver(robot="ur5e").capabilities.joint_names
    assert len(names) == 6 and names[0] == "shoulder_pan_joint"
    assert len(SimulatedDriver(simulator="pybullet").capabilities.joint_names) == 7


def test_an_arm_in_real_time_brakes_when_set_points_stop_coming(tmp_path: Path) -> None:
    farewell = tmp_path / "farewell.json"
    arm = SimulatedDriver(lockstep=False, farewell=str(farewell))
    arm.connect()
    arm.enable()
    q, step = arm.read_state().q, np.full(7, 0.003)
    for k in range(20):
        q = q + step * min(1.0, k / 10)
        arm.stream(q, step / 0.01)
    assert np.max(np.abs(arm.read_state().dq)) > 0.05
    deadline = time.monotonic() + 20.0
    while np.max(np.abs(arm.read_state().dq)) > 0.02 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert np.max(np.abs(arm.read_state().dq)) < 0.02
    assert np.max(np.abs(arm.read_state().q - q)) < 0.1
    arm.disconnect()
    assert json.loads(farewell.read_text())["at_rest"]


def test_an_unknown_driver_or_option_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean simulated"):
        open_driver("simulatd", {})
    with pytest.raises(ConfigurationError, match="lockstep"):
        open_driver("simulated", {"speed": 3})


def test_every_driver_says_what_it_was_tested_against_and_what_its_options_mean() -> None:
    expected = {
        "simulated",
        "universal-robots",
        "franka",
        "dynamixel",
        "feetech",
        "ros2",
        "lerobot",
    }
    assert expected <= set(DRIVERS.names)
    for entry in map(DRIVERS.get, DRIVERS.names):
        assert entry.tested_against and entry.arms
        assert entry.extra or not entry.package
        assert entry.options and all(entry.options.values())
