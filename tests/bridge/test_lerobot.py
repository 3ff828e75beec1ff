"""Both ways between drivers, worlds and the shape of LeRobot's ``Robot`` class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from embodied.app.bridge.session import BridgeOptions, open_supervised
from embodied.bridge.driver import Driver, DriverLostError
from embodied.bridge.drivers.lerobot import LeRobotDriver
from embodied.bridge.lerobot_world import WorldRobot, as_lerobot
from embodied.bridge.messages import ArmMode, StopCategory
from embodied.bridge.testing.contract import SEEN, DriverContract
from embodied.errors import WorldError
from embodied.settings import Settings
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

BUILT: list[WorldRobot] = []


def simulated() -> WorldRobot:
    """A factory: FR3 in MuJoCo, in degrees."""
    BUILT.append(as_lerobot(build_world(load_scene("blocks"), "fr3"), unit="degrees"))
    return BUILT[-1]


class Servos:
    """Ideal joints of a small arm, in radians, that move at most 0.1 rad per action."""

    names = ("shoulder_pan", "shoulder_lift", "elbow", "w1", "w2", "w3")
    made: list[Servos] = []

    def __init__(self) -> None:
        self.is_connected = self.broken = False
        self.q = dict.fromkeys((f"{n}.pos" for n in self.names), 0.2)
        self.action_features = self.observation_features = dict.fromkeys(self.q, float)
        Servos.made.append(self)

    def connect(self) -> None:
        self.is_connected = True

    def disconnect(self) -> None:
        self.is_connected = False

    def get_observation(self) -> dict[str, float]:
        if self.broken:
            raise ConnectionError("no status packet")
        return dict(self.q)

    def send_action(self, action: dict[str, float]) -> dict[str, float]:
        sent = {k: self.q[k] + float(np.clip(v - self.q[k], -0.1, 0.1)) for k, v in action.items()}
        self.q.update(sent)
        return sent


class TestSimulatedInTheShape(DriverContract):
    def make_driver(self) -> Driver:
        return LeRobotDriver(
            factory=f"{__name__}:simulated", unit="degrees", gripper="gripper", lockstep=True
        )


class TestServosInTheShape(DriverContract):
    def make_driver(self) -> Driver:
        return _servos()


def _servos(**options: Any) -> LeRobotDriver:
    given = {"unit": "radians", "robot": "ur5e", "joints": ",".join(Servos.names), **options}
    return LeRobotDriver(factory=f"{__name__}:Servos", **given)


@pytest.fixture
def servos() -> Iterator[LeRobotDriver]:
    driver = _servos()
    driver.connect()
    yield driver
    driver.disconnect()


def test_what_the_class_limits_is_said(servos: LeRobotDriver) -> None:
    servos.enable()
    result = servos.stream(np.full(6, 0.5), np.zeros(6))
    np.testing.assert_allclose(result.sent, 0.3)
    assert result.reasons == ("limited by the robot's class",)
    assert servos.stream(np.full(6, 0.35), np.zeros(6)).reasons == ()


def test_degrees_and_radians_are_the_same_pose() -> None:
    driver = _servos(unit="degrees")
    driver.connect()
    np.testing.assert_allclose(driver.read_state().q, np.radians(0.2))
    driver.enable()
    driver.stream(np.full(6, np.radians(0.25)), np.zeros(6))
    assert Servos.made[-1].q["elbow.pos"] == pytest.approx(0.25)
    driver.disconnect()
    assert not Servos.made[-1].is_connected


def test_a_stop_ramps_down_to_rest(servos: LeRobotDriver) -> None:
    servos.enable()
    dq = np.full(6, 0.5)
    servos.stream(servos.read_state().q + dq * 0.01, dq)
    before = servos.read_state().q
    servos.stop(StopCategory.IMMEDIATE)
    after = servos.read_state()
    np.testing.assert_allclose(after.q - before, 0.5**2 / 2 / 10, rtol=1e-6)
    assert after.mode is ArmMode.PROTECTIVE_STOP
    servos.recover(SEEN)
    servos.enable()


def test_an_error_in_the_class_is_a_lost_arm(servos: LeRobotDriver) -> None:
    servos.enable()
    Servos.made[-1].broken = True
    with pytest.raises(DriverLostError, match="no status packet"):
        servos.read_state()
    Servos.made[-1].broken = False
    del Servos.made[-1].q["elbow.pos"]
    with pytest.raises(DriverLostError, match="lacks elbow.pos"):
        servos.read_state()
    Servos.made[-1].is_connected = False
    with pytest.raises(DriverLostError, match="not connected"):
        servos.stop(StopCategory.HOLD)


def test_what_is_wrong_with_the_options_is_named() -> None:
    with pytest.raises(TypeError, match="degrees, radians"):
        _servos(unit="percent")
    with pytest.raises(TypeError, match="6, got 2"):
        _servos(joints="a,b")
    with pytest.raises(TypeError, match=r"observations lack jaw\.pos"):
        _servos(gripper="jaw").connect()
    for factory in ("nothing", "no.such.module:make", "math:no_such", "math:pi"):
        with pytest.raises(TypeError, match="factory"):
            LeRobotDriver(factory=factory, unit="degrees").connect()


def test_a_world_takes_actions_and_gives_observations() -> None:
    world = build_world(load_scene("blocks"), "fr3")
    robot = as_lerobot(world, unit="degrees", seed=3)
    with pytest.raises(WorldError, match="connect first"):
        robot.get_observation()
    with pytest.raises(ValueError, match="degrees, radians"):
        as_lerobot(world, unit="percent")
    robot.connect()
    start = robot.get_observation()
    assert set(start) == set(robot.observation_features) == set(robot.action_features)
    np.testing.assert_allclose(np.radians([start[f"{j}.pos"] for j in world.spec.joint_names]),
                               world.observe().q)  # fmt: skip
    goal = {**start, "joint1.pos": start["joint1.pos"] + 3.0, "gripper.pos": 25.0}
    for k in range(1, 101):
        part = min(1.0, k / 60)
        mixed = {n: start[n] + part * (goal[n] - start[n]) for n in goal}
        sent = robot.send_action(mixed)
    assert sent == pytest.approx(goal)
    end = robot.get_observation()
    assert end["joint1.pos"] == pytest.approx(goal["joint1.pos"], abs=0.2)
    assert end["gripper.pos"] == pytest.approx(25.0, abs=3.0)
    with pytest.raises(ValueError, match="joint7"):
        robot.send_action({"joint1.pos": 0.0, "elbow.pos": 1.0})
    robot.disconnect()
    robot.disconnect()
    with pytest.raises(WorldError, match="connected to once"):
        robot.connect()


def test_actions_for_a_supervised_arm_go_through_its_filter() -> None:
    supervised = open_supervised(
        Settings(scene="blocks", world="bridge"), BridgeOptions(), load_scene("blocks")
    )
    robot = as_lerobot(supervised.world, unit="degrees")
    try:
        robot.connect()
        start = robot.get_observation()
        calm = {**start, "gripper.pos": 100.0}
        robot.send_action(calm)
        assert robot.reasons == ()
        sent = robot.send_action({**calm, "joint1.pos": start["joint1.pos"] + 40.0})
        assert robot.reasons
        assert abs(sent["joint1.pos"] - start["joint1.pos"]) < 1.0
        assert abs(robot.get_observation()["joint1.pos"] - start["joint1.pos"]) < 1.0
    finally:
        robot.disconnect()
