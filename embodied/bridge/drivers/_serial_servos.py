"""Arms of serial servos.

Joint i is the servo with id i, the gripper is the servo after the last joint. Such servos have no
brakes: without torque the arm falls. A category 1 stop therefore holds as category 2 does; only
category 0 lets go.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from embodied.bridge.messages import ArmMode
from embodied.bridge.setpoint_driver import Grip, Report, SetpointDriver
from embodied.bridge.vendors.servo_buses import SerialBus, ServoReading
from embodied.bridge.vendors.servo_scale import centred
from embodied.errors import HardwareFault
from embodied.types import Array, GripperState

_GRIP_LOAD = 150
"""Load of a gripper that presses on something, in the vendor's unit: about a tenth of full load."""
_ERRORS_EVERY = 50


class SerialServosDriver(SetpointDriver[SerialBus]):
    """One arm on one bus.

    Args:
        port: Serial device, e.g. ``/dev/ttyUSB0``.
        robot: Robot whose joints the servos are, by name or path; gives names and ranges.
        baud: Bits per second.
        truth: Socket of an emulator that tells where things are; real arms have none.
        lockstep: true: wait for an emulator started with ``--stepped``.
    """

    differs = "rounded to ticks of the servos"

    def __init__(
        self,
        *,
        port: str,
        robot: str = "fr3",
        baud: int = 1_000_000,
        truth: str = "",
        lockstep: bool = False,
    ) -> None:
        from embodied.world import robots

        arm = robots.load(robot)
        super().__init__(arm.joints, has_gripper=True, lockstep=lockstep, truth=truth)
        self.label = f"the arm of {self.name} servos"
        self.port, self.baud = port, baud
        self._scale = centred(arm.q_lower, arm.q_upper)
        self._servos = tuple(range(1, len(arm.joints) + 1))
        self._hand = len(arm.joints) + 1
        self._error = 0
        self._looks = 0
        self._width_m: float | None = None

    @abstractmethod
    def open_bus(self, numbers: tuple[int, ...]) -> SerialBus:
        """Open the port and ask every servo for its name; raises DriverLostError."""

    def open_link(self) -> SerialBus:
        """Open the port."""
        return self.open_bus((*self._servos, self._hand))

    def close_link(self, link: SerialBus) -> None:
        """Close the port; the servos go on holding."""
        link.close()

    def measure(self, link: SerialBus) -> Report:
        """Positions, velocities and, now and then, hardware errors."""
        seen = link.read()
        self._look_for_errors(link)
        hand = seen[self._hand]
        pressed = abs(hand.load) >= _GRIP_LOAD
        sequence, stamp_s = self.own_clock()
        return Report(
            sequence=sequence,
            stamp_s=stamp_s,
            q=self._angles(seen),
            dq=np.array([seen[j].speed_rad_s for j in self._servos]),
            mode=ArmMode.FAULT if self._error else None,
            note=f"(servo error {self._error:#04x})" if self._error else "",
            gripper=GripperState(
                width_m=self._scale.gap_m(hand.tick),
                speed_m_s=hand.speed_rad_s * self._scale.stroke_m * 2.0 / np.pi,
                force_n=20.0 * min(1.0, abs(hand.load) / 1000.0) if pressed else 0.0,
            ),
        )

    def switch_on(self, link: SerialBus) -> None:
        """Switch torque on, each servo where it is."""
        for number in (*self._servos, self._hand):
            link.torque(number, True)
        seen = link.read()
        self.goal = self._angles(seen)
        self._width_m = self._scale.gap_m(seen[self._hand].tick)

    def send(self, link: SerialBus, q: Array, dq: Array, grip: Grip | None) -> Array:
        """Write the nearest ticks; the torque limit of a gripper's servo is set in the servo."""
        if self._error:
            raise HardwareFault(f"servo error {self._error:#04x}: no motion")
        if grip is not None:
            self._width_m = grip[0]
        ticks = self._scale.ticks(q)
        goals = dict(zip(self._servos, ticks, strict=True))
        if self._width_m is not None:
            goals[self._hand] = self._scale.gap_ticks(self._width_m)
        link.write_goals(goals)
        return self._scale.angles(ticks)

    def grip(self, link: SerialBus, grip: Grip) -> None:
        """Move the gripper's servo."""
        self._width_m = grip[0]
        link.write_goals({self._hand: self._scale.gap_ticks(grip[0])})

    def cut_power(self, link: SerialBus) -> bool:
        """Switch torque off: the arm falls."""
        for number in self._servos:
            link.torque(number, False)
        return True

    def clear(self, link: SerialBus) -> None:
        """Look at all servos again."""
        self._looks = 0
        self._look_for_errors(link)
        if self._error:
            raise HardwareFault(f"servo error {self._error:#04x}: see to it and restart the servo")

    def _angles(self, seen: Mapping[int, ServoReading]) -> Array:
        return self._scale.angles([seen[j].tick for j in self._servos])

    def _look_for_errors(self, link: SerialBus) -> None:
        """One servo's error register now and then: a whole sweep would take a period."""
        numbers = (*self._servos, self._hand)
        if self._looks == 0:
            self._error = next((e for e in map(link.errors, numbers) if e), 0)
        elif self._looks % _ERRORS_EVERY == 0:
            self._error |= link.errors(numbers[self._looks // _ERRORS_EVERY % len(numbers)])
        self._looks += 1
