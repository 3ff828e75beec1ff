"""Serial servo buses through their vendors' clients, behind one small interface."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from embodied.bridge.driver import DriverLostError
from embodied.errors import ConfigurationError

Call = Callable[[], int]


class ServoReading(NamedTuple):
    """One servo's report.

    Attributes:
        tick: Position.
        speed_rad_s: Velocity.
        load: Load in the vendor's unit, with the direction as its sign.
    """

    tick: int
    speed_rad_s: float
    load: int


class Port(Protocol):
    """What is used of the clients' ``PortHandler``."""

    is_open: bool
    ser: Any

    def openPort(self) -> bool: ...  # noqa: D102, N802 - the vendor's name
    def setBaudRate(self, baud: int, /) -> bool: ...  # noqa: D102, N802
    def closePort(self) -> None: ...  # noqa: D102, N802


class Group(Protocol):
    """What is used of their ``GroupSyncRead`` and ``GroupSyncWrite``."""

    txRxPacket: Call  # noqa: N815
    txPacket: Call  # noqa: N815

    def clearParam(self) -> None: ...  # noqa: D102, N802
    def addParam(self, number: int, /, *data: list[int]) -> bool: ...  # noqa: D102, N802
    def isAvailable(self, number: int, at: int, size: int, /) -> object: ...  # noqa: D102, N802
    def getData(self, number: int, at: int, size: int, /) -> int: ...  # noqa: D102, N802


class SerialBus(ABC):
    """Servos on one bus; every method raises DriverLostError.

    The clients of both vendors have the same classes; one wants the port as first argument of most
    calls, the other does not.

    Args:
        sdk: The client's module.
        packets: Its packet handler for a port.
        port: Serial device.
        baud: Bits per second.
        numbers: Ids of the servos.
        patient: Wait long for an emulator on a busy machine.
    """

    _TORQUE: int
    _ERROR: int
    _PRESENT: int
    _PRESENT_BYTES: int

    def __init__(
        self,
        sdk: Any,
        packets: Callable[[Port], Any],
        port: str,
        baud: int,
        numbers: tuple[int, ...],
        patient: bool,
    ) -> None:
        self._success: int = sdk.COMM_SUCCESS
        self._numbers, self._patient = numbers, patient
        self._port: Port = sdk.PortHandler(port)
        self._packets = packets(self._port)
        _open(self._port, port, baud)
        self._present: Group = sdk.GroupSyncRead(*self._bus(), self._PRESENT, self._PRESENT_BYTES)
        for number in numbers:
            self._present.addParam(number)
            self._try(
                lambda number=number: self._packets.ping(*self._to(number))[1],
                f"servo {number} does not answer",
            )

    def torque(self, number: int, on: bool) -> None:
        """Switch a servo's torque; a servo that is switched on holds where it is."""
        self._try(
            lambda: self._packets.write1ByteTxRx(*self._to(number), self._TORQUE, int(on))[0],
            f"servo {number} did not take its torque switch",
        )

    def read(self) -> Mapping[int, ServoReading]:
        """Reports of all servos."""
        self._try(self._present.txRxPacket, "the servos do not answer")
        return {number: self._reading(number) for number in self._numbers}

    def errors(self, number: int) -> int:
        """Hardware error bits of a servo; 0 for none."""
        value = 0

        def read() -> int:
            nonlocal value
            value, result, _ = self._packets.read1ByteTxRx(*self._to(number), self._ERROR)
            return result

        self._try(read, f"servo {number} does not answer")
        return value

    def close(self) -> None:
        """Close the port; may be called twice."""
        if self._port.is_open:
            self._port.closePort()

    @abstractmethod
    def write_goals(self, ticks: Mapping[int, int]) -> None:
        """Goal positions of several servos in one packet."""

    @abstractmethod
    def _bus(self) -> tuple[object, ...]:
        """First arguments of the client's groups."""

    @abstractmethod
    def _to(self, number: int) -> tuple[object, ...]:
        """First arguments of the client's calls to one servo."""

    @abstractmethod
    def _reading(self, number: int) -> ServoReading:
        """One servo's part of the latest group read."""

    def _try(self, call: Call, what: str) -> None:
        """Raise DriverLostError if it fails some times: one lost packet is not a lost bus."""
        result = call()
        for k in range(_PATIENT_TRIES if self._patient else _TRIES - 1):
            if result == self._success:
                return
            if self._patient:
                time.sleep(min(0.01 * 2.0**k, 0.5))
            self._port.ser.reset_input_buffer()  # what comes late answers nothing any more
            result = call()
        if result != self._success:
            raise DriverLostError(f"{what}: {self._packets.getTxRxResult(result)}")


class DynamixelBus(SerialBus):
    """Dynamixel X-series servos (``dynamixel-sdk``, protocol 2.0) in position mode.

    Args:
        port: Serial device.
        baud: Bits per second.
        numbers: Ids of the servos.
        patient: Wait long for an emulator on a busy machine.
    """

    _TORQUE, _GOAL, _ERROR, _PRESENT = 64, 116, 70, 126
    _PRESENT_BYTES = 10
    _RAD_S = 0.229 * 2.0 * math.pi / 60.0

    def __init__(
        self, port: str, baud: int, numbers: tuple[int, ...], *, patient: bool = False
    ) -> None:
        import dynamixel_sdk

        sdk: Any = dynamixel_sdk  # its types know fewer arguments than it takes
        super().__init__(sdk, lambda _: sdk.PacketHandler(2.0), port, baud, numbers, patient)
        self._goals: Group = sdk.GroupSyncWrite(*self._bus(), self._GOAL, 4)

    def write_goals(self, ticks: Mapping[int, int]) -> None:
        """Goal positions of several servos in one packet."""
        self._goals.clearParam()
        for number, tick in ticks.items():
            self._goals.addParam(number, list(int(tick).to_bytes(4, "little", signed=True)))
        self._try(self._goals.txPacket, "the goal positions could not be sent")

    def _bus(self) -> tuple[object, ...]:
        return self._port, self._packets

    def _to(self, number: int) -> tuple[object, ...]:
        return self._port, number

    def _reading(self, number: int) -> ServoReading:
        get = self._present.getData
        if not self._present.isAvailable(number, self._PRESENT, self._PRESENT_BYTES):
            raise DriverLostError(f"servo {number} did not answer")
        return ServoReading(
            tick=_from_two(get(number, self._PRESENT + 6, 4), 32),
            speed_rad_s=_from_two(get(number, self._PRESENT + 2, 4), 32) * self._RAD_S,
            load=_from_two(get(number, self._PRESENT, 2), 16),
        )


class FeetechBus(SerialBus):
    """Feetech SMS/STS servos (``ftservo-python-sdk``) in position mode.

    Args:
        port: Serial device.
        baud: Bits per second.
        numbers: Ids of the servos.
        patient: Wait long for an emulator on a busy machine.
    """

    _TORQUE, _PRESENT, _ERROR = 40, 56, 65
    _PRESENT_BYTES = 6
    _RAD_S = 2.0 * math.pi / 4096.0

    def __init__(
        self, port: str, baud: int, numbers: tuple[int, ...], *, patient: bool = False
    ) -> None:
        import scservo_sdk as sdk

        super().__init__(sdk, sdk.sms_sts, port, baud, numbers, patient)

    def write_goals(self, ticks: Mapping[int, int]) -> None:
        """Goal positions of several servos in one packet."""
        group = self._packets.groupSyncWrite
        group.clearParam()
        for number, tick in ticks.items():
            self._packets.SyncWritePosEx(number, int(tick), 0, 0)
        self._try(group.txPacket, "the goal positions could not be sent")

    def _bus(self) -> tuple[object, ...]:
        return (self._packets,)

    def _to(self, number: int) -> tuple[object, ...]:
        return (number,)

    def _reading(self, number: int) -> ServoReading:
        available = self._present.isAvailable(number, self._PRESENT, self._PRESENT_BYTES)
        if not (available[0] if isinstance(available, tuple) else available):
            raise DriverLostError(f"servo {number} did not answer")
        get = self._present.getData
        return ServoReading(
            tick=_from_sign(get(number, self._PRESENT, 2), 15),
            speed_rad_s=_from_sign(get(number, self._PRESENT + 2, 2), 15) * self._RAD_S,
            load=_from_sign(get(number, self._PRESENT + 4, 2), 10),
        )


_TRIES = 5
_PATIENT_TRIES = 20


def _open(handler: Port, port: str, baud: int) -> None:
    try:
        opened = bool(handler.openPort())
    except OSError as error:
        raise DriverLostError(f"cannot open {port}: {error}") from error
    if not opened or not handler.setBaudRate(baud):
        raise ConfigurationError(f"{port} does not do {baud} bits per second")


def _from_two(value: int, bits: int) -> int:
    """A two's complement number of so many bits."""
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


def _from_sign(value: int, sign_bit: int) -> int:
    """A magnitude with a sign bit."""
    magnitude = value & ((1 << sign_bit) - 1)
    return -magnitude if value >> sign_bit & 1 else magnitude
