"""Arms behind an object with the interface of LeRobot's ``Robot``; LeRobot is not needed.

That is: ``connect``, ``disconnect``, ``is_connected``, ``observation_features``,
``action_features``, ``get_observation`` and ``send_action``, with numbers at ``<joint>.pos``. The
class knows no stops, clocks or torques: every stop category brakes and holds, the clock is this
machine's, and a robot that hears nothing more stays at its last set-point.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar, cast

import numpy as np

from embodied.bridge.driver import DriverEntry, DriverLostError
from embodied.bridge.setpoint_driver import Grip, Report, SetpointDriver
from embodied.types import Array, GripperState

T = TypeVar("T")

UNITS = {"degrees": 180.0 / np.pi, "radians": 1.0}
"""Numbers at ``<joint>.pos`` per radian."""
GRIPPER_OPEN = 100.0
"""Number at ``<gripper>.pos`` of an open gripper; 0 is closed, as LeRobot has it."""


class RobotShape(Protocol):
    """What is used of LeRobot's ``Robot``."""

    @property
    def is_connected(self) -> bool:
        """Whether it is connected."""
        ...

    @property
    def observation_features(self) -> Mapping[str, object]:
        """Keys of observations."""
        ...

    @property
    def action_features(self) -> Mapping[str, object]:
        """Keys of actions."""
        ...

    def connect(self) -> None:
        """Open the connection."""
        ...

    def get_observation(self) -> Mapping[str, float]:
        """Measure."""
        ...

    def send_action(self, action: dict[str, float], /) -> Mapping[str, float]:
        """Send targets; returns what was sent."""
        ...

    def disconnect(self) -> None:
        """Let go."""
        ...


class LeRobotDriver(SetpointDriver[RobotShape]):
    """One arm.

    Args:
        factory: ``"module:callable"`` that takes nothing and returns the robot, not connected.
        unit: Unit of the joints' numbers, ``"degrees"`` or ``"radians"``. LeRobot's arms may also
            be set to shares of their range: such numbers have no unit and cannot be driven.
        robot: Robot whose joints these are, by name or path.
        joints: Their names in LeRobot, separated by commas, where they differ.
        gripper: Name of the gripper's motor, ``""`` for none; its numbers are 0 closed to 100 open.
        stroke_m: Gap of the open gripper.
        lockstep: true: time passes with set-points only; simulated robots.
    """

    name, label = "lerobot", "the robot"
    differs = "limited by the robot's class"

    def __init__(
        self,
        *,
        factory: str,
        unit: str,
        robot: str = "fr3",
        joints: str = "",
        gripper: str = "",
        stroke_m: float = 0.08,
        lockstep: bool = False,
    ) -> None:
        from embodied.world import robots

        if unit not in UNITS:
            raise TypeError(f"unit {unit!r}: choose from {', '.join(UNITS)}")
        names = robots.load(robot).joints
        super().__init__(names, has_gripper=bool(gripper), lockstep=lockstep)
        self._keys = tuple(f"{j.strip()}.pos" for j in (joints.split(",") if joints else names))
        if len(self._keys) != len(names):
            raise TypeError(f"joints: {robot} has {len(names)}, got {len(self._keys)}")
        self._factory = factory
        self._per_rad = UNITS[unit]
        self._grip_key = f"{gripper}.pos"
        self._stroke_m = stroke_m
        self._width_m: float | None = None
        self._gap_m = 0.0
        self._last: Report | None = None

    def open_link(self) -> RobotShape:
        """Build the robot and connect to it; raises TypeError where it lacks a motor."""
        robot = _build(self._factory)
        try:
            if not robot.is_connected:
                robot.connect()
        except Exception as error:
            raise DriverLostError(f"the robot of {self._factory} does not connect") from error
        wanted = {*self._keys, *((self._grip_key,) if self.has_gripper else ())}
        for what, features in (
            ("observations", robot.observation_features),
            ("actions", robot.action_features),
        ):
            if missing := sorted(wanted - set(features)):
                robot.disconnect()
                raise TypeError(
                    f"the robot's {what} lack {', '.join(missing)}: there are"
                    f" {', '.join(sorted(features))}"
                )
        self._last = None
        return robot

    def close_link(self, link: RobotShape) -> None:
        """Let go."""
        if link.is_connected:
            link.disconnect()

    def alive(self, link: RobotShape) -> bool:
        """What its class says."""
        return link.is_connected

    def measure(self, link: RobotShape) -> Report:
        """Positions; velocities are differences of them."""
        seen = self._ask("get_observation", link.get_observation)
        sequence, stamp_s = self.own_clock()
        q, width = self._positions(seen), 0.0
        if self.has_gripper:
            width = float(seen[self._grip_key]) / GRIPPER_OPEN * self._stroke_m
        last, dq, rate = self._last, np.zeros_like(q), 0.0
        if last is not None and stamp_s > last.stamp_s:
            passed = stamp_s - last.stamp_s
            dq, rate = (q - last.q) / passed, (width - self._gap_m) / passed
        elif last is not None:
            dq, rate = last.dq, 0.0 if last.gripper is None else last.gripper.speed_m_s
        self._gap_m = width
        grip = GripperState(width_m=width, speed_m_s=rate, force_n=0.0)
        self._last = Report(
            sequence=sequence,
            stamp_s=stamp_s,
            q=q,
            dq=dq,
            gripper=grip if self.has_gripper else None,
        )
        return self._last

    def switch_on(self, link: RobotShape) -> None:
        """Command the measured pose and gap."""
        self._width_m = self._gap_m
        self.goal = self.send(link, self.goal, self.goal_dq, None)

    def send(self, link: RobotShape, q: Array, dq: Array, grip: Grip | None) -> Array:
        """One action; it has no number for forces."""
        if grip is not None:
            self._width_m = grip[0]
        action: dict[str, float] = dict(zip(self._keys, (q * self._per_rad).tolist(), strict=True))
        if self.has_gripper and self._width_m is not None:
            action[self._grip_key] = self._width_m / self._stroke_m * GRIPPER_OPEN
        return self._positions(self._ask("send_action", lambda: link.send_action(action)))

    def grip(self, link: RobotShape, grip: Grip) -> None:
        """Move the gripper's motor; the arm holds what it was told last."""
        self._send(link, self.goal, self.goal_dq, grip)

    def _ask(self, method: str, call: Callable[[], T]) -> T:
        """Call the robot; whatever goes wrong in its class means that it is lost."""
        try:
            return call()
        except Exception as error:
            raise DriverLostError(f"the robot's {method} failed: {error}") from error

    def _positions(self, numbers: Mapping[str, float]) -> Array:
        missing = [k for k in self._keys if k not in numbers]
        if missing:
            raise DriverLostError(f"the robot's answer lacks {', '.join(missing)}")
        return np.array([float(numbers[k]) for k in self._keys]) / self._per_rad


def _build(factory: str) -> RobotShape:
    module, colon, name = factory.partition(":")
    try:
        make = getattr(importlib.import_module(module), name) if colon else None
    except (ImportError, AttributeError, ValueError) as error:
        raise TypeError(f"factory {factory!r}: {error}") from error
    if not callable(make):
        raise TypeError(f"factory {factory!r}: give it as module:callable")
    return cast(RobotShape, make())


DRIVER = DriverEntry(
    make=LeRobotDriver,
    arms="arms behind an object of the shape of LeRobot's Robot class",
    tested_against="simulated arms in the shape of the class, without LeRobot",
)
