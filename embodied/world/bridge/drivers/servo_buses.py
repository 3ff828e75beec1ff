"""Serial servo buses through their vendors' clients, behind one small interface."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from embodied.errors import ConfigurationError
from embodied.world.bridge.driver import DriverLostError


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


class ServoBus(Protocol):
    """What a driver needs of a bus; every method raises DriverLostError."""

    def torque(self, number: int, on: bool) -> None:
        """Switch a servo's torque; a servo that is switched on holds where it is."""
        ...

    def read(self) -> Mapping[int, ServoReading]:
        """Reports of all servos."""
        ...

    def write_goals(self, ticks: Mapping[int, int]) -> None:
        """Goal positions of several servos in one packet."""
        ...

    def errors(self, number: int) -> int:
        """Hardware error bits of a servo; 0 for none."""
        ...

    def close(self) -> None:
        """Close the port; may be called twice."""
        ...


class DynamixelBus:
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
        import dynamixel_sdk as sdk

        self._sdk: Any = sdk
        self._numbers = numbers
        self._patient = patient
        self._port: Any = sdk.PortHandler(port)
        self._packets: Any = sdk.PacketHandler(2.0)
        _open(self._port, port, baud)
        self._goals: Any = sdk.GroupSyncWrite(self._port, self._packets, self._GOAL, 4)
        self._present: Any = sdk.GroupSyncRead(
            self._port, self._packets, self._PRESENT, self._PRESENT_BYTES
        )
        for number in numbers:
            self._present.addParam(number)
            self._try(
                lambda number=number: self._packets.ping(self._port, number)[1],
                f"servo {number} does not answer",
            )

    def torque(self, number: int, on: bool) -> None:
        """Switch a servo's torque."""
        self._try(
            lambda: self._packets.write1ByteTxRx(self._port, number, self._TORQUE, int(on))[0],
            f"servo {number} did not take its torque switch",
        )

    def read(self) -> Mapping[int, ServoReading]:
        """Reports of all servos."""
        self._try(self._present.txRxPacket, "the servos do not answer")
        return {number: self._reading(number) for number in self._numbers}

    def write_goals(self, ticks: Mapping[int, int]) -> None:
        """Goal positions of several servos in one packet."""
        self._goals.clearParam()
        for number, tick in ticks.items():
            self._goals.addParam(number, list(int(tick).to_bytes(4, "little", signed=True)))
        self._try(self._goals.txPacket, "the goal positions could not be sent")

    def errors(self, number: int) -> int:
        """Hardware error bits of a servo."""
        value = 0

        def read() -> int:
            nonlocal value
            value, result, _ = self._packets.read1ByteTxRx(self._port, number, self._ERROR)
            return result

        self._try(read, f"servo {number} does not answer")
        return value

    def close(self) -> None:
        """Close the port."""
        if self._port.is_open:
            self._port.closePort()

    def _reading(self, number: int) -> ServoReading:
        get = self._present.getData
        if not self._present.isAvailable(number, self._PRESENT, self._PRESENT_BYTES):
            raise DriverLostError(f"servo {number} did not answer")
        return ServoReading(
            tick=_from_two(get(number, self._PRESENT + 6, 4), 32),
            speed_rad_s=_from_two(get(number, self._PRESENT + 2, 4), 32) * self._RAD_S,
            load=_from_two(get(number, self._PRESENT, 2), 16),
        )

    def _try(self, call: Callable[[], int], what: str) -> None:
        result = _tried(call, self._sdk.COMM_SUCCESS, self._port, self._patient)
        if result != self._sdk.COMM_SUCCESS:
            raise DriverLostError(f"{what}: {self._packets.getTxRxResult(result)}")


class FeetechBus:
    """Feetech SMS/STS servos (``ftservo-python-sdk``) in position mode.

    Args:
        port: Serial device.
        baud: Bits per second.
        numbers: Ids of the servos.
        patient: Wait long for an emulator on a busy machine.
    """

    _TORQUE, _ACCELERATION, _PRESENT, _ERROR = 40, 41, 56, 65
    _PRESENT_BYTES = 6
    _RAD_S = 2.0 * math.pi / 4096.0

    def __init__(
        self, port: str, baud: int, numbers: tuple[int, ...], *, patient: bool = False
    ) -> None:
        import scservo_sdk as sdk

        self._sdk: Any = sdk
        self._numbers = numbers
        self._patient = patient
        self._port: Any = sdk.PortHandler(port)
        self._packets: Any = sdk.sms_sts(self._port)
        _open(self._port, port, baud)
        self._present: Any = sdk.GroupSyncRead(self._packets, self._PRESENT, self._PRESENT_BYTES)
        for number in numbers:
            self._present.addParam(number)
            self._try(
                lambda number=number: self._packets.ping(number)[1],
                f"servo {number} does not answer",
            )

    def torque(self, number: int, on: bool) -> None:
        """Switch a servo's torque."""
        self._try(
            lambda: self._packets.write1ByteTxRx(number, self._TORQUE, int(on))[0],
            f"servo {number} did not take its torque switch",
        )

    def read(self) -> Mapping[int, ServoReading]:
        """Reports of all servos."""
        self._try(self._present.txRxPacket, "the servos do not answer")
        return {number: self._reading(number) for number in self._numbers}

    def write_goals(self, ticks: Mapping[int, int]) -> None:
        """Goal positions of several servos in one packet."""
        group = self._packets.groupSyncWrite
        group.clearParam()
        for number, tick in ticks.items():
            self._packets.SyncWritePosEx(number, int(tick), 0, 0)
        self._try(group.txPacket, "the goal positions could not be sent")

    def errors(self, number: int) -> int:
        """Hardware error bits of a servo."""
        value = 0

        def read() -> int:
            nonlocal value
            value, result, _ = self._packets.read1ByteTxRx(number, self._ERROR)
            return result

        self._try(read, f"servo {number} does not answer")
        return value

    def close(self) -> None:
        """Close the port."""
        if self._port.is_open:
            self._port.closePort()

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

    def _try(self, call: Callable[[], int], what: str) -> None:
        result = _tried(call, self._sdk.COMM_SUCCESS, self._port, self._patient)
        if result != self._sdk.COMM_SUCCESS:
            raise DriverLostError(f"{what}: {self._packets.getTxRxResult(result)}")


_TRIES = 5
_PATIENT_TRIES = 20

BUSES = {"dynamixel": DynamixelBus, "feetech": FeetechBus}


def _tried(call: Callable[[], int], success: int, port: Any, patient: bool) -> int:
    """Result of a transaction, after some tries: one lost packet is not a lost bus."""
    result = call()
    for k in range(_PATIENT_TRIES if patient else _TRIES - 1):
        if result == success:
            break
        if patient:
            time.sleep(min(0.01 * 2.0**k, 0.5))
        port.ser.reset_input_buffer()  # an answer that came late answers nothing any more
        result = call()
    return result


def _open(handler: Any, port: str, baud: int) -> None:
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
