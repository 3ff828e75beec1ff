"""Arms behind an object of the shape of LeRobot's ``Robot`` class; LeRobot itself is not needed.

That is: ``connect``, ``disconnect``, ``is_connected``, ``observation_features``,
``action_features``, ``get_observation`` and ``send_action``, with numbers at ``<joint>.pos``. The
class knows no stops, clocks or torques: every stop category brakes and holds, the clock is this
machine's, and a robot that hears nothing more stays at its last set-point.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from embodied.bridge.driver import DriverLostError, NotSupportedError
from embodied.bridge.drivers.braking import ramp_down
from embodied.bridge.messages import (
    Acknowledgement,
    ArmMode,
    ArmState,
    Capabilities,
    StopCategory,
    StreamResult,
)
from embodied.errors import HardwareFault
from embodied.types import Array, GripperState, JointTrajectory, readonly

PERIOD_S = 0.01
STOP_RAD_S2 = 10.0
_SETTLING = 100
_REST_RAD_S = 0.01
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
    def observation_features(self) -> Mapping[str, Any]:
        """Keys of observations."""
        ...

    @property
    def action_features(self) -> Mapping[str, Any]:
        """Keys of actions."""
        ...

    def connect(self) -> None:
        """Open the connection."""
        ...

    def get_observation(self) -> Mapping[str, Any]:
        """Measure."""
        ...

    def send_action(self, action: dict[str, Any], /) -> Mapping[str, Any]:
        """Send targets; returns what was sent."""
        ...

    def disconnect(self) -> None:
        """Let go."""
        ...


class LeRobotDriver:
    """One arm; implements ``Driver``.

    Args:
        factory: ``"module:callable"`` that takes nothing and returns the robot, not connected.
        unit: Unit of the joints, ``"degrees"`` or ``"radians"``. LeRobot's arms may also be set to
            shares of their range: such numbers have no unit and cannot be driven.
        robot: Robot whose joints these are, by name or path.
        joints: Their names in LeRobot, separated by commas; "" takes the robot's own.
        gripper: Name of the gripper's motor, "" for none; its numbers are 0 closed to 100 open.
        stroke_m: Gap of the open gripper.
        lockstep: Time passes with set-points only: simulated robots.
    """

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
        self._names = robots.load(robot).joints
        self._keys = tuple(
            f"{j.strip()}.pos" for j in (joints.split(",") if joints else self._names)
        )
        if len(self._keys) != len(self._names):
            raise TypeError(f"joints: {robot} has {len(self._names)}, got {len(self._keys)}")
        self._factory = factory
        self._per_rad = UNITS[unit]
        self._grip_key = f"{gripper}.pos" if gripper else ""
        self._stroke_m = stroke_m
        self._lockstep = lockstep
        self._robot: RobotShape | None = None
        self._enabled = self._stopped = False
        self._sequence = 0
        self._start_s = 0.0
        self._seen_s = 0.0
        self._q: Array | None = None
        self._dq = np.zeros(len(self._names))
        self._width = (0.0, 0.0)
        self._goal = np.zeros(len(self._names))
        self._goal_dq = np.zeros(len(self._names))
        self._width_m: float | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What this arm can do."""
        return Capabilities(
            name="lerobot",
            joint_names=self._names,
            period_s=PERIOD_S,
            has_gripper=bool(self._grip_key),
            lockstep=self._lockstep,
            tested_against="simulated arms in the shape of LeRobot's Robot class, without LeRobot",
        )

    def connect(self) -> None:
        """Build the robot and connect to it.

        Raises:
            DriverLostError: It cannot be connected to.
            TypeError: The factory is not there, or its robot lacks a motor.
        """
        robot = _build(self._factory)
        try:
            if not robot.is_connected:
                robot.connect()
        except Exception as error:
            raise DriverLostError(f"the robot of {self._factory} does not connect") from error
        wanted = {*self._keys, *((self._grip_key,) if self._grip_key else ())}
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
        self._robot = robot
        self._q = None
        self._start_s = time.monotonic()
        self._goal = self.read_state().q

    def read_state(self) -> ArmState:
        """Measure; velocities are differences of positions."""
        seen = self._ask("get_observation")
        now = time.monotonic()
        if not self._lockstep:
            self._sequence += 1
        stamp = self._sequence * PERIOD_S if self._lockstep else now - self._start_s
        self._take(seen, stamp)
        assert self._q is not None
        mode = ArmMode.RUNNING if self._enabled else ArmMode.IDLE
        return ArmState(
            sequence=self._sequence,
            source_time_s=stamp,
            receive_time_s=now,
            q=self._q,
            dq=self._dq,
            q_commanded=self._goal,
            dq_commanded=self._goal_dq,
            tau=np.zeros_like(self._q),
            mode=ArmMode.PROTECTIVE_STOP if self._stopped else mode,
            protective_stop=self._stopped,
            gripper=GripperState(width_m=self._width[0], speed_m_s=self._width[1], force_n=0.0)
            if self._grip_key
            else None,
        )

    def enable(self) -> None:
        """Command the measured pose; raises HardwareFault while stopped."""
        if self._stopped:
            raise HardwareFault("the robot was stopped")
        state = self.read_state()
        self._width_m = None if state.gripper is None else state.gripper.width_m
        self._send(state.q)
        self._goal_dq = np.zeros_like(state.q)
        self._enabled = True

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        """Send one action; raises HardwareFault when the arm takes no motion."""
        del gripper_force_n  # there is no number for it
        if not self._enabled or self._stopped:
            self._connected()
            raise HardwareFault("the robot takes no motion: stopped, or not enabled")
        if gripper_width_m is not None:
            self._width_m = gripper_width_m
        sent = self._send(q)
        self._goal_dq = np.array(dq)
        reasons = () if np.allclose(sent, q, atol=1e-6) else ("limited by the robot's class",)
        return StreamResult(requested=readonly(q), sent=readonly(sent), reasons=reasons)

    def execute(self, trajectory: JointTrajectory) -> None:
        """Not supported: set-points go through the safety filter one at a time."""
        raise NotSupportedError("LeRobot's robots take set-points: use stream")

    def gripper(self, width_m: float, force_n: float) -> None:
        """Move the gripper; the force is not in its reach."""
        del force_n
        if not self._grip_key:
            raise NotSupportedError("no motor of a gripper was named: option gripper")
        self._width_m = width_m
        self._send(self._goal)

    def stop(self, category: StopCategory) -> None:
        """Brake and hold; the same for each category."""
        del category
        self._connected()
        if self._enabled:
            self._brake()
        self._stopped, self._enabled = True, False

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """Take motion again."""
        del acknowledgement
        self._connected()
        self._stopped = False

    def disconnect(self) -> None:
        """Brake if moving and let go; may be called twice."""
        robot = self._robot
        if robot is not None:
            try:
                if self._enabled and np.any(self._goal_dq):
                    self._brake()
            except DriverLostError:
                pass  # there is nobody to brake any more
            self._robot = None
            if robot.is_connected:
                robot.disconnect()
        self._enabled = False

    # ------------------------------------------------------------------ private

    def _connected(self) -> RobotShape:
        if self._robot is None or not self._robot.is_connected:
            raise DriverLostError("the robot is not connected")
        return self._robot

    def _ask(self, method: str, *arguments: Any) -> Mapping[str, Any]:
        """Call the robot; whatever goes wrong in its class means that it is lost."""
        robot = self._connected()
        try:
            return getattr(robot, method)(*arguments)
        except Exception as error:
            raise DriverLostError(f"the robot's {method} failed: {error}") from error

    def _take(self, seen: Mapping[str, Any], stamp: float) -> None:
        q = self._positions(seen)
        width = self._width[0]
        if self._grip_key:
            width = float(seen[self._grip_key]) / GRIPPER_OPEN * self._stroke_m
        passed = stamp - self._seen_s
        if self._q is None:
            self._width = (width, 0.0)
        elif passed > 0.0:
            self._dq = (q - self._q) / passed
            self._width = (width, (width - self._width[0]) / passed)
        self._q, self._seen_s = q, stamp

    def _send(self, q: Array) -> Array:
        """Send positions, rad; returns those that were sent."""
        action = dict(zip(self._keys, (q * self._per_rad).tolist(), strict=True))
        if self._grip_key and self._width_m is not None:
            action[self._grip_key] = self._width_m / self._stroke_m * GRIPPER_OPEN
        sent = self._ask("send_action", action)
        self._sequence += self._lockstep
        self._goal = self._positions(sent)
        return self._goal

    def _positions(self, numbers: Mapping[str, Any]) -> Array:
        missing = [k for k in self._keys if k not in numbers]
        if missing:
            raise DriverLostError(f"the robot's answer lacks {', '.join(missing)}")
        return np.array([float(numbers[k]) for k in self._keys]) / self._per_rad

    def _brake(self) -> None:
        """Ramp the set-points down to rest at a constant deceleration."""
        q, dq = self._goal, self._goal_dq
        way = ramp_down(q, dq, deceleration_rad_s2=STOP_RAD_S2, dt_s=PERIOD_S)
        for q in way:
            self._send(q)
            if not self._lockstep:
                time.sleep(PERIOD_S)
        self._goal_dq = np.zeros_like(dq)
        # Where time passes with set-points only, coming to rest takes some more of them.
        for _ in range(_SETTLING if self._lockstep else 0):
            self._send(q)
            if np.max(np.abs(self.read_state().dq)) < _REST_RAD_S:
                break


def _build(factory: str) -> RobotShape:
    module, colon, name = factory.partition(":")
    try:
        make = getattr(importlib.import_module(module), name) if colon else None
    except (ImportError, AttributeError, ValueError) as error:
        raise TypeError(f"factory {factory!r}: {error}") from error
    if not callable(make):
        raise TypeError(f"factory {factory!r}: give it as module:callable")
    robot: Any = make()
    return robot
