"""Arms of Feetech servos (extra ``[bridge-feetech]``)."""

from __future__ import annotations

from embodied.bridge.driver import DriverEntry
from embodied.bridge.drivers._serial_servos import SerialServosDriver
from embodied.bridge.vendors.servo_buses import FeetechBus


class FeetechDriver(SerialServosDriver):
    """An arm of Feetech servos; options as ``SerialServosDriver`` has them."""

    name = "feetech"

    def open_bus(self, numbers: tuple[int, ...]) -> FeetechBus:
        """Open the port and ask every servo for its name; raises DriverLostError."""
        return FeetechBus(self.port, self.baud, numbers, patient=self.lockstep)


DRIVER = DriverEntry(
    make=FeetechDriver,
    arms="arms of Feetech SMS/STS servos",
    extra="bridge-feetech",
    package="scservo_sdk",
    tested_against="servos at a pseudo-terminal, with the client ftservo-python-sdk",
)
