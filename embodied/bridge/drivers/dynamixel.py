"""Arms of Dynamixel servos (extra ``[bridge-dynamixel]``)."""

from __future__ import annotations

from embodied.bridge.driver import DriverEntry
from embodied.bridge.drivers._serial_servos import SerialServosDriver
from embodied.bridge.vendors.servo_buses import DynamixelBus


class DynamixelDriver(SerialServosDriver):
    """An arm of Dynamixel servos; options as ``SerialServosDriver`` has them."""

    name = "dynamixel"

    def open_bus(self, numbers: tuple[int, ...]) -> DynamixelBus:
        """Open the port and ask every servo for its name; raises DriverLostError."""
        return DynamixelBus(self.port, self.baud, numbers, patient=self.lockstep)


DRIVER = DriverEntry(
    make=DynamixelDriver,
    arms="arms of Dynamixel X-series servos",
    extra="bridge-dynamixel",
    package="dynamixel_sdk",
    tested_against="servos at a pseudo-terminal, with the client dynamixel-sdk",
)
