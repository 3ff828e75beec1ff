"""Object poses for rehearsals with an emulated arm: its ground truth, labelled as such."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from embodied.bridge.driver import DriverLostError

_TIMEOUT_S = 5.0


class Truth:
    """A connection to an emulator's truth socket.

    Args:
        path: The socket; ``""`` for real arms, which know nothing of what lies around them.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._rest = b""

    def open(self) -> None:
        """Connect; raises DriverLostError."""
        if not self._path:
            return
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_TIMEOUT_S)
        try:
            self._socket.connect(self._path)
        except OSError as error:
            raise DriverLostError(f"no emulator answers at {self._path}: {error}") from error

    def scene(self) -> Mapping[str, object]:
        """Poses and openings, empty for real arms; raises DriverLostError."""
        return self.ask("")

    def step(self, duration_s: float) -> None:
        """Have so much time pass, for emulators that are stepped here; raises DriverLostError."""
        self.ask(f"step {duration_s:.6f}")

    def close(self) -> None:
        """Let go; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, line: str) -> dict[str, Any]:
        """The answer to a line, empty without a socket; raises DriverLostError."""
        if self._socket is None:
            return {}
        try:
            self._socket.sendall(line.encode() + b"\n")
            while b"\n" not in self._rest:
                chunk = self._socket.recv(65536)
                if not chunk:
                    raise DriverLostError("the emulator has gone")
                self._rest += chunk
        except OSError as error:
            raise DriverLostError(f"the emulator does not answer: {error}") from error
        answer, _, self._rest = self._rest.partition(b"\n")
        return json.loads(answer)
