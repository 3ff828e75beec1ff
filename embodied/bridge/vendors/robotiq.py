"""A Robotiq two-finger gripper through the URCap's socket on a UR controller.

Positions and forces of that protocol are bytes: 0 is open, 255 is closed.
"""

from __future__ import annotations

import socket

from embodied.bridge.driver import DriverLostError
from embodied.errors import HardwareFault

PORT = 63352


class RobotiqGripper:
    """One gripper.

    Args:
        host: The UR controller.
        stroke_m: Gap when open.
        largest_force_n: Force of byte 255.
    """

    def __init__(self, host: str, *, stroke_m: float, largest_force_n: float) -> None:
        self._host = host
        self._stroke_m = stroke_m
        self._largest_force_n = largest_force_n
        self._socket: socket.socket | None = None
        self._told: tuple[int, int] | None = None

    def open(self) -> None:
        """Connect; the fingers stay where they are; raises DriverLostError."""
        try:
            self._socket = socket.create_connection((self._host, PORT), 2.0)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise DriverLostError(f"no gripper at {self._host}:{PORT}: {error}") from error
        self._told = None

    def activate(self) -> None:
        """Make it take positions; raises HardwareFault if it cannot."""
        if self._ask("GET ACT") != "ACT 1":
            self._ask("SET ACT 1")
        self._ask("SET GTO 1")
        if self._ask("GET STA") != "STA 3":
            raise HardwareFault("the gripper is not activated: activate it at the teach pendant")

    def move(self, width_m: float, force_n: float) -> None:
        """Send a target; only what changed is sent."""
        position = round(255 * (1.0 - min(1.0, max(0.0, width_m / self._stroke_m))))
        force = round(255 * min(1.0, max(0.0, force_n / self._largest_force_n)))
        if self._told != (position, force):
            if self._ask(f"SET POS {position} FOR {force} SPE 255") != "ack":
                raise HardwareFault("the gripper refused a position")
            self._told = (position, force)

    def width_m(self) -> float:
        """Measured gap; its resolution is a 255th of the stroke."""
        word, _, number = self._ask("GET POS").partition(" ")
        if word != "POS" or not number.isdigit():
            raise HardwareFault(f"the gripper answered {word!r} for its position")
        return self._stroke_m * (1.0 - int(number) / 255.0)

    def force_n(self) -> float:
        """Force on what is held: the one asked for once the fingers report that they stopped on it.

        The gripper measures whether it holds something, not how hard.
        """
        if self._told is None or self._ask("GET OBJ") not in ("OBJ 1", "OBJ 2"):
            return 0.0
        return self._largest_force_n * self._told[1] / 255.0

    def close(self) -> None:
        """Let go of the connection; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, line: str) -> str:
        if self._socket is None:
            raise DriverLostError("the gripper is not connected")
        answer = b""
        try:
            self._socket.sendall(line.encode() + b"\n")
            while not answer.endswith((b"\n", b"ack")):
                chunk = self._socket.recv(256)
                if not chunk:
                    raise DriverLostError("the gripper's socket was closed")
                answer += chunk
        except OSError as error:
            raise DriverLostError(f"the gripper does not answer: {error}") from error
        return answer.decode("ascii", "replace").strip()
