"""Arms of serial servos: Dynamixel (``[bridge-dynamixel]``), Feetech (``[bridge-feetech]``).

Joint i is the servo with id i, the gripper is the servo after the last joint. Such servos have no
brakes: without torque the arm falls. A category 1 stop therefore holds as category 2 does; only
category 0 lets go.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from embodied.bridge.driver import DriverLostError, NotSupportedError
from embodied.bridge.drivers.braking import ramp_down
from embodied.bridge.drivers.servo_buses import BUSES, ServoBus, ServoReading
from embodied.bridge.drivers.servo_scale import Scale, centred
from embodied.bridge.drivers.truth import Truth
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
_GRIP_LOAD = 150
"""Load of a gripper that presses on something, in the vendor's unit: about a tenth of full load."""
_ERRORS_EVERY = 50


class SerialServosDriver:
    """One arm on one bus; implements ``Driver``.

    Args:
        bus: ``"dynamixel"`` or ``"feetech"``.
        port: Serial device, e.g. ``/dev/ttyUSB0``.
        robot: Robot whose joints the servos are, by name or path; gives names and ranges.
        baud: Bits per second.
        truth: Socket of an emulator that tells where things are; real arms have none.
        lockstep: The emulator was started with ``--stepped``.
    """

    def __init__(
        self,
        *,
        bus: str,
        port: str,
        robot: str = "fr3",
        baud: int = 1_000_000,
        truth: str = "",
        lockstep: bool = False,
    ) -> None:
        from embodied.world import robots

        if bus not in BUSES:
            raise TypeError(f"bus {bus!r}: choose from {', '.join(BUSES)}")
        self._kind, self._port, self._baud = bus, port, baud
        self._robot = robots.load(robot)
        self._scale: Scale = centred(self._robot.q_lower, self._robot.q_upper)
        n = len(self._robot.joints)
        self._joints = tuple(range(1, n + 1))
        self._hand = n + 1
        self._truth = Truth(truth)
        self._lockstep = lockstep
        self._bus: ServoBus | None = None
        self._enabled = self._stopped = False
        self._error = 0
        self._looks = 0
        self._sequence = 0
        self._start_s = 0.0
        self._goal = np.zeros(n)
        self._goal_dq = np.zeros(n)
        self._width_m: float | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What this arm can do."""
        return Capabilities(
            name=self._kind,
            joint_names=self._robot.joints,
            period_s=PERIOD_S,
            has_gripper=True,
            lockstep=self._lockstep,
            tested_against="servos emulated at a pseudo-terminal, with the vendor's client",
        )

    def connect(self) -> None:
        """Open the port and ask every servo for its name; raises DriverLostError."""
        self._bus = BUSES[self._kind](
            self._port, self._baud, (*self._joints, self._hand), patient=self._lockstep
        )
        self._truth.open()
        self._start_s = time.monotonic()
        self._goal = self._angles(self._bus.read())

    def read_state(self) -> ArmState:
        """The latest report of the arm."""
        bus = self._connected()
        seen = bus.read()
        now = time.monotonic()
        self._look_for_errors(bus)
        mode = ArmMode.RUNNING if self._enabled else ArmMode.IDLE
        if self._error:
            mode = ArmMode.FAULT
        elif self._stopped:
            mode = ArmMode.PROTECTIVE_STOP
        hand = seen[self._hand]
        if not self._lockstep:
            self._sequence += 1
        stamp = self._sequence * PERIOD_S if self._lockstep else now - self._start_s
        return ArmState(
            sequence=self._sequence,
            source_time_s=stamp,
            receive_time_s=now,
            q=self._angles(seen),
            dq=np.array([seen[j].speed_rad_s for j in self._joints]),
            q_commanded=self._goal,
            dq_commanded=self._goal_dq,
            tau=np.zeros(len(self._joints)),
            mode=mode,
            protective_stop=self._stopped,
            gripper=GripperState(
                width_m=self._scale.gap_m(hand.tick),
                speed_m_s=hand.speed_rad_s * self._scale.stroke_m * 2.0 / np.pi,
                force_n=20.0 * min(1.0, abs(hand.load) / 1000.0)
                if abs(hand.load) >= _GRIP_LOAD
                else 0.0,
            ),
            scene=self._truth.scene(),
        )

    def enable(self) -> None:
        """Switch torque on, each servo where it is; raises HardwareFault while stopped."""
        bus = self._connected()
        if self._stopped or self._error:
            raise HardwareFault(f"the servos are in {self.read_state().mode.value}")
        for number in (*self._joints, self._hand):
            bus.torque(number, True)
        seen = bus.read()
        self._goal = self._angles(seen)
        self._goal_dq = np.zeros(len(self._joints))
        self._width_m = self._scale.gap_m(seen[self._hand].tick)
        self._enabled = True

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        """Write the nearest ticks as goals; raises HardwareFault when the arm takes no motion."""
        del gripper_force_n  # the torque limit of a gripper's servo is set in the servo
        if not self._enabled or self._stopped or self._error:
            raise HardwareFault("the servos take no motion: stopped, failed or without torque")
        if gripper_width_m is not None:
            self._width_m = gripper_width_m
        sent = self._write(q)
        self._goal_dq = np.array(dq)
        reasons = () if np.allclose(sent, q, atol=1e-9) else ("rounded to ticks of the servos",)
        return StreamResult(requested=readonly(q), sent=readonly(sent), reasons=reasons)

    def execute(self, trajectory: JointTrajectory) -> None:
        """Not supported: set-points go through the safety filter one at a time."""
        raise NotSupportedError("serial servos take set-points: use stream")

    def gripper(self, width_m: float, force_n: float) -> None:
        """Move the gripper."""
        del force_n
        self._width_m = width_m
        self._connected().write_goals({self._hand: self._scale.gap_ticks(width_m)})

    def stop(self, category: StopCategory) -> None:
        """Brake and hold; category 0 switches torque off, and the arm falls."""
        bus = self._connected()
        self._stopped = True
        if category is StopCategory.IMMEDIATE:
            for number in self._joints:
                bus.torque(number, False)
        elif self._enabled:
            self._brake()
        self._enabled = False

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """Clear a stop; raises HardwareFault while a servo reports a hardware error."""
        del acknowledgement
        self._looks = 0
        self._look_for_errors(self._connected())
        if self._error:
            raise HardwareFault(f"servo error {self._error:#04x}: see to it and restart the servo")
        self._stopped = False

    def disconnect(self) -> None:
        """Brake if moving, keep holding, and let go of the port; may be called twice."""
        bus, self._bus = self._bus, None
        enabled, self._enabled = self._enabled, False
        if bus is not None:
            if enabled and np.any(self._goal_dq):
                self._bus = bus
                try:
                    self._brake()
                except DriverLostError:
                    pass  # there is nobody to brake any more
                self._bus = None
            bus.close()
        self._truth.close()

    # ------------------------------------------------------------------ private

    def _connected(self) -> ServoBus:
        if self._bus is None:
            raise DriverLostError("the servo bus is not open")
        return self._bus

    def _angles(self, seen: Mapping[int, ServoReading]) -> Array:
        return self._scale.angles([seen[j].tick for j in self._joints])

    def _write(self, q: Array) -> Array:
        ticks = self._scale.ticks(q)
        goals = dict(zip(self._joints, ticks, strict=True))
        if self._width_m is not None:
            goals[self._hand] = self._scale.gap_ticks(self._width_m)
        self._connected().write_goals(goals)
        self._sequence += 1
        self._goal = self._scale.angles(ticks)
        return self._goal

    def _brake(self) -> None:
        """Ramp the goals down to rest at a constant deceleration."""
        way = ramp_down(self._goal, self._goal_dq, deceleration_rad_s2=STOP_RAD_S2, dt_s=PERIOD_S)
        for q in way:
            self._write(q)
            if not self._lockstep:
                time.sleep(PERIOD_S)
        self._goal_dq = np.zeros(len(self._joints))

    def _look_for_errors(self, bus: ServoBus) -> None:
        """One servo's error register now and then: a whole sweep would take a period."""
        numbers = (*self._joints, self._hand)
        if self._looks == 0:
            self._error = next((e for e in map(bus.errors, numbers) if e), 0)
        elif self._looks % _ERRORS_EVERY == 0:
            self._error |= bus.errors(numbers[self._looks // _ERRORS_EVERY % len(numbers)])
        self._looks += 1


def dynamixel(**options: Any) -> SerialServosDriver:
    """An arm of Dynamixel servos; options as ``SerialServosDriver``."""
    return SerialServosDriver(bus="dynamixel", **options)


def feetech(**options: Any) -> SerialServosDriver:
    """An arm of Feetech servos; options as ``SerialServosDriver``."""
    return SerialServosDriver(bus="feetech", **options)
