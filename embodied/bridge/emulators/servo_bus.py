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
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from embodied.bridge.emulators.plant import Clock, Plant, RateLimited
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
        self.clock = Clock(PERIOD_S, stepped=stepped, late_s=0.1)
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
        self.clock.owed += 1

    def fail(self, number: int, error: int) -> None:
        """Raise a hardware error: the servo lets go."""
        self.servos[number].error = error
        self.servos[number].torque = False

    def advance(self) -> bool:
        """Let a period pass if time goes on; whether it did."""
        if not self.clock.step():
            return False
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
        return True


class Protocol(ABC):
    """The instructions that both manufacturers have; a protocol writes its framing and registers.

    ``WORD`` packs an address or a size, ``GOAL`` is where goal positions are.
    """

    HEAD: bytes
    WORD: str
    GOAL: int
    TABLE: int
    SHORTEST: int

    @abstractmethod
    def size(self, data: bytes) -> int:
        """Length of the packet at the start of ``data``, which has at least ``SHORTEST`` bytes."""

    @abstractmethod
    def parse(self, packet: bytes) -> tuple[int, int, bytes] | None:
        """Servo, instruction and body of a packet; None if its checksum is wrong."""

    @abstractmethod
    def fill(self, table: bytearray, servo: Servo, position: int, speed: float, load: int) -> None:
        """Write a servo's registers; ticks, rad/s and per mille."""

    @abstractmethod
    def write_goal(self, servo: Servo, value: bytes, offset: int) -> None:
        """Take the goal at ``offset`` in what was written, if it is there."""

    @abstractmethod
    def status(self, servo: Servo, number: int, parameters: bytes) -> bytes:
        """A servo's answer."""

    @abstractmethod
    def model(self) -> bytes:
        """What a servo says of itself when it is pinged."""

    TORQUE: int

    def answer(self, chain: ServoChain, data: bytes) -> tuple[bytes, bytes]:
        """Answer the packets in ``data``; returns what was not a whole packet yet, too."""
        out = bytearray()
        while True:
            start = data.find(self.HEAD)
            if start < 0:
                return bytes(out), data[1 - len(self.HEAD) :]
            data = data[start:]
            if len(data) < self.SHORTEST or len(data) < (size := self.size(data)):
                return bytes(out), data
            if (parsed := self.parse(data[:size])) is not None:
                out += self._run(chain, *parsed)
            data = data[size:]

    def _run(self, chain: ServoChain, number: int, instruction: int, body: bytes) -> bytes:
        known, head = chain.servos.get(number), 2 * struct.calcsize(self.WORD)
        if instruction == 1 and known:
            return self.status(known, number, self.model())
        if instruction == 3 and known and len(body) > head // 2:
            (address,) = struct.unpack_from("<" + self.WORD, body)
            self._write(chain, number, address, body[head // 2 :])
            return self.status(known, number, b"")
        if len(body) < head:
            return b""
        address, size = struct.unpack_from("<" + 2 * self.WORD, body)
        if instruction == 2 and known:
            return self._read(chain, number, address, size)
        if instruction == 0x82:
            asked = [i for i in body[head:] if i in chain.servos]
            return b"".join(self._read(chain, i, address, size) for i in asked)
        if instruction == 0x83:
            for at in range(head, len(body), 1 + size):
                if body[at] in chain.servos:
                    self._write(chain, body[at], address, body[at + 1 : at + 1 + size])
            if address <= self.GOAL < address + size:
                chain.goals_written()
        return b""

    def _read(self, chain: ServoChain, number: int, address: int, size: int) -> bytes:
        table, servo, at = bytearray(self.TABLE), chain.servos[number], number - 1
        load = chain.grip_load() if number == len(chain.servos) else 0
        self.fill(table, servo, chain.positions()[at], chain.velocities()[at], load)
        return self.status(servo, number, bytes(table[address : address + size]))

    def _write(self, chain: ServoChain, number: int, address: int, value: bytes) -> None:
        servo = chain.servos[number]
        if address == self.TORQUE and value:
            on = bool(value[0])
            if on and not servo.torque and not servo.error:
                servo.goal = chain.positions()[number - 1]  # it holds where it is
            servo.torque = on and not servo.error
        if servo.torque:
            self.write_goal(servo, value, self.GOAL - address)


class Dynamixel(Protocol):
    """Dynamixel protocol 2.0 with the control table of the X series."""

    HEAD, WORD, SHORTEST = b"\xff\xff\xfd\x00", "H", 7
    TORQUE, GOAL, TABLE = 64, 116, 160
    _ERROR, _CURRENT, _VELOCITY, _POSITION = 70, 126, 128, 132
    _RAD_S = 0.229 * 2.0 * math.pi / 60.0

    def size(self, data: bytes) -> int:  # noqa: D102 - see Protocol
        return 7 + struct.unpack_from("<H", data, 5)[0]

    def parse(self, packet: bytes) -> tuple[int, int, bytes] | None:  # noqa: D102
        if len(packet) < 10 or dynamixel_crc(packet[:-2]) != struct.unpack("<H", packet[-2:])[0]:
            return None
        return packet[4], packet[7], packet[8:-2].replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")

    def fill(  # noqa: D102
        self, table: bytearray, servo: Servo, position: int, speed: float, load: int
    ) -> None:
        table[self.TORQUE], table[self._ERROR] = servo.torque, servo.error
        struct.pack_into("<i", table, self.GOAL, servo.goal)
        words = (load, round(speed / self._RAD_S), position)
        struct.pack_into("<hii", table, self._CURRENT, *words)

    def write_goal(self, servo: Servo, value: bytes, offset: int) -> None:  # noqa: D102
        if offset == 0 and len(value) == 4:
            servo.goal = struct.unpack("<i", value)[0]

    def status(self, servo: Servo, number: int, parameters: bytes) -> bytes:  # noqa: D102
        alert = 0x80 if servo.error else 0
        body = bytes([0x55, alert]) + parameters.replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")
        head = self.HEAD + struct.pack("<BH", number, len(body) + 2)
        return head + body + struct.pack("<H", dynamixel_crc(head + body))

    def model(self) -> bytes:  # noqa: D102
        return struct.pack("<HB", 1020, 50)


def dynamixel_crc(data: bytes) -> int:
    """CRC-16 of protocol 2.0 (polynomial 0x8005)."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


class Feetech(Protocol):
    """Feetech's protocol with the memory of the SMS/STS series; words are little-endian."""

    HEAD, WORD, SHORTEST = b"\xff\xff", "B", 4
    TORQUE, GOAL, TABLE = 40, 42, 96
    _POSITION, _STATUS = 56, 65

    def size(self, data: bytes) -> int:  # noqa: D102 - see Protocol
        return 4 + data[3]

    def parse(self, packet: bytes) -> tuple[int, int, bytes] | None:  # noqa: D102
        if len(packet) < 6 or _checksum(packet[2:-1]) != packet[-1]:
            return None
        return packet[2], packet[4], packet[5:-1]

    def fill(  # noqa: D102
        self, table: bytearray, servo: Servo, position: int, speed: float, load: int
    ) -> None:
        table[self.TORQUE], table[self._STATUS] = servo.torque, servo.error
        struct.pack_into("<H", table, 3, 777)
        struct.pack_into("<H", table, self.GOAL, _signed(servo.goal, 15))
        ticks_s = round(speed * 4096 / (2.0 * math.pi))
        words = (_signed(position, 15), _signed(ticks_s, 15), _signed(load, 10))
        struct.pack_into("<HHH", table, self._POSITION, *words)

    def write_goal(self, servo: Servo, value: bytes, offset: int) -> None:  # noqa: D102
        if 0 <= offset <= len(value) - 2:
            word = struct.unpack_from("<H", value, offset)[0]
            servo.goal = -(word & 0x7FFF) if word & 0x8000 else word

    def status(self, servo: Servo, number: int, parameters: bytes) -> bytes:  # noqa: D102
        body = bytes([number, len(parameters) + 2, servo.error]) + parameters
        return self.HEAD + body + bytes([_checksum(body)])

    def model(self) -> bytes:  # noqa: D102
        return b""


PROTOCOLS: dict[str, type[Protocol]] = {"dynamixel": Dynamixel, "feetech": Feetech}


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
    protocol: Protocol
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
        clock = self.chain.clock
        while running():
            wait = 0.05 if clock.stepped else clock.wait_s()
            ready, _, _ = select.select([self._master], [], [], wait)
            if ready:
                self._hear()
            if not clock.stepped and clock.wait_s() == 0.0:
                self.chain.advance()
                clock.next()

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
        if self.chain.clock.stepped:
            while self.chain.advance():
                pass  # what is read next is from after the set-point
        if answers:
            os.write(self._master, answers)
