"""Chains of serial servos behind a pseudo-terminal: Dynamixel protocol 2.0 and Feetech's SMS/STS.

A chain is joints with ids 1 to n and a gripper with id n+1. Registers are those that drivers use:
torque, goal position, present position, velocity and load, hardware errors.

After the manufacturers' protocol descriptions and control tables (Dynamixel X, Feetech STS3215).
"""

from __future__ import annotations

import math
import os
import select
import struct
import termios
import time
import tty
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from embodied.bridge.emulators.plant import Plant, RateLimited
from embodied.bridge.vendors.servo_scale import Scale

PERIOD_S = 0.01
SPEED_RAD_S = 5.0
ACCELERATION_RAD_S2 = 40.0
STOP_RAD_S2 = 20.0


@dataclass(slots=True)
class Servo:
    """What one servo remembers.

    Attributes:
        torque: Whether it holds its position.
        goal: Goal position, ticks.
        error: Hardware error bits; such a servo has no torque.
    """

    torque: bool = False
    goal: int = 0
    error: int = 0


class ServoChain:
    """Servos, their plant, and the time that passes.

    Args:
        plant: What they move.
        scale: Between angles and ticks.
        stepped: Time passes with writes of goal positions only, one period each.
    """

    def __init__(self, plant: Plant, scale: Scale, *, stepped: bool = False) -> None:
        self.plant = plant
        self.scale = scale
        n = len(plant.q)
        self.servos = {i + 1: Servo() for i in range(n + 1)}
        self.stepped = stepped
        self.time_s = 0.0
        self._owed = 0
        self._target = RateLimited(
            plant.q, np.full(n, SPEED_RAD_S), np.full(n, ACCELERATION_RAD_S2)
        )
        ticks = [*scale.ticks(plant.q), scale.gap_ticks(plant.gripper_width_m)]
        for servo, tick in zip(self.servos.values(), ticks, strict=True):
            servo.goal = tick

    def positions(self) -> list[int]:
        """Present positions of all servos, ticks."""
        return [*self.scale.ticks(self.plant.q), self.scale.gap_ticks(self.plant.gripper_width_m)]

    def velocities(self) -> list[float]:
        """Present velocities of all servos, rad/s."""
        return [*self.plant.dq.tolist(), 0.0]

    def grip_load(self) -> int:
        """Load of the gripper's servo, per mille: high when it presses on something."""
        return 300 if self.plant.gripper_holds else 0

    def goals_written(self) -> None:
        """A client wrote goal positions of joints; in stepped time a period is owed."""
        self._owed += 1

    def fail(self, number: int, error: int) -> None:
        """Raise a hardware error: the servo lets go."""
        self.servos[number].error = error
        self.servos[number].torque = False

    def advance(self) -> bool:
        """Let a period pass if time goes on; whether it did."""
        if self.stepped:
            if self._owed == 0:
                return False
            self._owed -= 1
        n = len(self.plant.q)
        joints = [self.servos[i + 1] for i in range(n)]
        goal = self.scale.angles([s.goal for s in joints])
        held = np.array([s.torque for s in joints])
        # A servo without torque stays where friction leaves it.
        self._target.follow(np.where(held, goal, self._target.q), PERIOD_S)
        gripper = self.servos[n + 1]
        width = self.plant.gripper_width_m
        if gripper.torque:
            width = self.scale.gap_m(gripper.goal)
        self.plant.advance(self._target.q, width, 20.0, PERIOD_S)
        self.time_s += PERIOD_S
        return True


# ---------------------------------------------------------------------------- Dynamixel 2.0

_DXL_TORQUE, _DXL_GOAL, _DXL_ERROR = 64, 116, 70
_DXL_CURRENT, _DXL_VELOCITY, _DXL_POSITION = 126, 128, 132
_DXL_MODEL = 1020
_DXL_RAD_S = 0.229 * 2.0 * math.pi / 60.0


def dynamixel_crc(data: bytes) -> int:
    """CRC-16 of protocol 2.0 (polynomial 0x8005)."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


class Dynamixel:
    """Dynamixel protocol 2.0 with the control table of the X series."""

    def answer(self, chain: ServoChain, data: bytes) -> tuple[bytes, bytes]:
        """Answer the packets in ``data``."""
        out = bytearray()
        while True:
            start = data.find(b"\xff\xff\xfd\x00")
            if start < 0:
                return bytes(out), data[-3:]
            data = data[start:]
            if len(data) < 7:
                return bytes(out), data
            size = 7 + struct.unpack_from("<H", data, 5)[0]
            if len(data) < size:
                return bytes(out), data
            packet, data = data[:size], data[size:]
            if dynamixel_crc(packet[:-2]) != struct.unpack("<H", packet[-2:])[0]:
                continue
            body = packet[8:-2].replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")
            out += self._run(chain, packet[4], packet[7], body)

    def _run(self, chain: ServoChain, number: int, instruction: int, body: bytes) -> bytes:
        known = number in chain.servos
        if instruction == 1 and known:
            return self._status(chain, number, struct.pack("<HB", _DXL_MODEL, 50))
        if instruction == 2 and known:
            address, size = struct.unpack("<HH", body)
            return self._status(chain, number, self._read(chain, number, address, size))
        if instruction == 3 and known:
            (address,) = struct.unpack_from("<H", body)
            self._write(chain, number, address, body[2:])
            return self._status(chain, number, b"")
        if instruction == 0x82:
            address, size = struct.unpack_from("<HH", body)
            return b"".join(
                self._status(chain, i, self._read(chain, i, address, size))
                for i in body[4:]
                if i in chain.servos
            )
        if instruction == 0x83:
            address, size = struct.unpack_from("<HH", body)
            for at in range(4, len(body), 1 + size):
                if body[at] in chain.servos:
                    self._write(chain, body[at], address, body[at + 1 : at + 1 + size])
            if address == _DXL_GOAL:
                chain.goals_written()
        return b""

    def _read(self, chain: ServoChain, number: int, address: int, size: int) -> bytes:
        table = bytearray(160)
        servo, at = chain.servos[number], number - 1
        load = chain.grip_load() if number == len(chain.servos) else 0
        velocity = round(chain.velocities()[at] / _DXL_RAD_S)
        table[_DXL_TORQUE] = servo.torque
        table[_DXL_ERROR] = servo.error
        struct.pack_into("<i", table, _DXL_GOAL, servo.goal)
        struct.pack_into("<h", table, _DXL_CURRENT, load)
        struct.pack_into("<i", table, _DXL_VELOCITY, velocity)
        struct.pack_into("<i", table, _DXL_POSITION, chain.positions()[at])
        return bytes(table[address : address + size])

    def _write(self, chain: ServoChain, number: int, address: int, value: bytes) -> None:
        servo = chain.servos[number]
        if address == _DXL_TORQUE and value:
            _set_torque(chain, number, bool(value[0]))
        elif address == _DXL_GOAL and len(value) == 4 and servo.torque:
            servo.goal = struct.unpack("<i", value)[0]

    def _status(self, chain: ServoChain, number: int, parameters: bytes) -> bytes:
        alert = 0x80 if chain.servos[number].error else 0
        body = bytes([0x55, alert]) + parameters.replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")
        head = b"\xff\xff\xfd\x00" + struct.pack("<BH", number, len(body) + 2)
        return head + body + struct.pack("<H", dynamixel_crc(head + body))


# ---------------------------------------------------------------------------- Feetech SMS/STS

_STS_TORQUE, _STS_GOAL, _STS_POSITION, _STS_STATUS = 40, 42, 56, 65
_STS_MODEL = 777
_STS_TICKS = 4096


class Feetech:
    """Feetech's protocol with the memory of the SMS/STS series; words are little-endian."""

    def answer(self, chain: ServoChain, data: bytes) -> tuple[bytes, bytes]:
        """Answer the packets in ``data``."""
        out = bytearray()
        while True:
            start = data.find(b"\xff\xff")
            if start < 0:
                return bytes(out), data[-1:]
            data = data[start:]
            if len(data) < 4:
                return bytes(out), data
            size = 4 + data[3]
            if len(data) < size:
                return bytes(out), data
            packet, data = data[:size], data[size:]
            if size < 6 or _checksum(packet[2:-1]) != packet[-1]:
                continue
            out += self._run(chain, packet[2], packet[4], packet[5:-1])

    def _run(self, chain: ServoChain, number: int, instruction: int, body: bytes) -> bytes:
        known = number in chain.servos
        if instruction == 1 and known:
            return self._status(chain, number, b"")
        if instruction == 2 and known and len(body) == 2:
            return self._status(chain, number, self._read(chain, number, body[0], body[1]))
        if instruction == 3 and known and body:
            self._write(chain, number, body[0], body[1:])
            return self._status(chain, number, b"")
        if instruction == 0x82 and len(body) > 2:
            return b"".join(
                self._status(chain, i, self._read(chain, i, body[0], body[1]))
                for i in body[2:]
                if i in chain.servos
            )
        if instruction == 0x83 and len(body) > 2:
            address, size = body[0], body[1]
            for at in range(2, len(body), 1 + size):
                if body[at] in chain.servos:
                    self._write(chain, body[at], address, body[at + 1 : at + 1 + size])
            if address <= _STS_GOAL < address + size:
                chain.goals_written()
        return b""

    def _read(self, chain: ServoChain, number: int, address: int, size: int) -> bytes:
        table = bytearray(96)
        at = number - 1
        load = chain.grip_load() if number == len(chain.servos) else 0
        speed = round(chain.velocities()[at] * _STS_TICKS / (2.0 * math.pi))
        struct.pack_into("<H", table, 3, _STS_MODEL)
        table[_STS_TORQUE] = chain.servos[number].torque
        struct.pack_into("<H", table, _STS_GOAL, _signed(chain.servos[number].goal, 15))
        words = (_signed(chain.positions()[at], 15), _signed(speed, 15), _signed(load, 10))
        struct.pack_into("<HHH", table, _STS_POSITION, *words)
        table[_STS_STATUS] = chain.servos[number].error
        return bytes(table[address : address + size])

    def _write(self, chain: ServoChain, number: int, address: int, value: bytes) -> None:
        servo = chain.servos[number]
        if address == _STS_TORQUE and value:
            _set_torque(chain, number, bool(value[0]))
        offset = _STS_GOAL - address
        if 0 <= offset <= len(value) - 2 and servo.torque:
            word = struct.unpack_from("<H", value, offset)[0]
            servo.goal = -(word & 0x7FFF) if word & 0x8000 else word

    def _status(self, chain: ServoChain, number: int, parameters: bytes) -> bytes:
        body = bytes([number, len(parameters) + 2, chain.servos[number].error]) + parameters
        return b"\xff\xff" + body + bytes([_checksum(body)])


PROTOCOLS: dict[str, Callable[[], Dynamixel | Feetech]] = {
    "dynamixel": Dynamixel,
    "feetech": Feetech,
}


def _set_torque(chain: ServoChain, number: int, on: bool) -> None:
    """A servo that is switched on holds where it is."""
    servo = chain.servos[number]
    if on and not servo.torque and not servo.error:
        servo.goal = chain.positions()[number - 1]
    servo.torque = on and not servo.error


def _checksum(data: Iterable[int]) -> int:
    return ~sum(data) & 0xFF


def _signed(value: int, sign_bit: int) -> int:
    """Magnitude and sign as Feetech packs them."""
    return value if value >= 0 else -value | 1 << sign_bit


# --------------------------------------------------------------------------------- terminal


@dataclass(slots=True)
class PtyServer:
    """Serves a chain at a pseudo-terminal until ``stop``.

    Attributes:
        chain: The servos.
        protocol: Their protocol.
        path: Device that drivers open.
    """

    chain: ServoChain
    protocol: Dynamixel | Feetech
    path: str = ""
    _master: int = -1
    _slave: int = -1
    _rest: bytes = field(default=b"")

    def open(self) -> str:
        """Open the pseudo-terminal; returns the path of the drivers' end."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave, termios.TCSANOW)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        return self.path

    def serve(self, running: Callable[[], bool] = lambda: True) -> None:
        """Answer packets and let time pass."""
        due = time.monotonic()
        while running():
            wait = 0.05 if self.chain.stepped else max(0.0, due - time.monotonic())
            ready, _, _ = select.select([self._master], [], [], wait)
            if ready:
                self._hear()
            if self.chain.stepped:
                while self.chain.advance():
                    pass
            elif time.monotonic() >= due:
                self.chain.advance()
                due = max(due + PERIOD_S, time.monotonic() - 0.1)

    def close(self) -> None:
        """Close both ends."""
        for end in (self._master, self._slave):
            if end >= 0:
                os.close(end)
        self._master = self._slave = -1

    def _hear(self) -> None:
        try:
            data = self._rest + os.read(self._master, 4096)
        except OSError:
            return
        answers, self._rest = self.protocol.answer(self.chain, data)
        if self.chain.stepped:
            while self.chain.advance():
                pass  # what is read next is from after the set-point
        if answers:
            os.write(self._master, answers)
