"""Where things are, for rehearsals with an emulated arm: its ground truth, named so."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from embodied.world.bridge.driver import DriverLostError


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
        self._socket.settimeout(2.0)
        try:
            self._socket.connect(self._path)
        except OSError as error:
            raise DriverLostError(f"no emulator answers at {self._path}: {error}") from error

    def scene(self) -> Mapping[str, Any]:
        """Poses and openings, empty for real arms; raises DriverLostError."""
        if self._socket is None:
            return {}
        try:
            self._socket.sendall(b"\n")
            while b"\n" not in self._rest:
                chunk = self._socket.recv(65536)
                if not chunk:
                    raise DriverLostError("the emulator has gone")
                self._rest += chunk
        except OSError as error:
            raise DriverLostError(f"the emulator does not answer: {error}") from error
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def close(self) -> None:
        """Let go; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
