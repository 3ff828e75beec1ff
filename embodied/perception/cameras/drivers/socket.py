"""Cameras that another program serves at a local socket, as emulators do in rehearsals."""

from __future__ import annotations

import contextlib
import socket

from embodied.perception.cameras.drivers import CameraDriver
from embodied.perception.cameras.files import CameraEntry
from embodied.perception.cameras.streaming import StreamingCamera
from embodied.perception.cameras.types import CameraError, Frame
from embodied.perception.cameras.wire import MOST_NAME, MessageReader, frame_of, model_of

_ANSWER_S = 5.0
_WAIT_S = 0.1


class SocketCamera(StreamingCamera):
    """One camera of a server that speaks the protocol of ``embodied.perception.cameras.wire``.

    Args:
        path: The server's socket, relative to ``cameras.toml``.
        camera: The camera's name there; ``""`` for the one in ``cameras.toml``.

    Raises:
        CameraError: No server answers, it has no such camera, or it does not speak the protocol.
    """

    def __init__(self, entry: CameraEntry, *, path: str, camera: str = "") -> None:
        super().__init__(entry)
        name = (camera or entry.name).encode()
        if len(name) > MOST_NAME:
            raise CameraError(f"camera {entry.name!r}: a name of more than {MOST_NAME} bytes")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_ANSWER_S)
        self._reader = MessageReader(self._socket)
        try:
            self._socket.connect(str(entry.folder / path))
            self._socket.sendall(name + b"\n")
            answer = self._reader.take(_ANSWER_S)
            if answer is None:
                raise CameraError(f"camera {entry.name!r}: the server at {path} does not answer")
            self.start(model_of(answer[0]))
        except (OSError, ValueError) as error:
            self._socket.close()
            raise CameraError(f"camera {entry.name!r}: {path}: {error}") from error
        except CameraError:
            self._socket.close()
            raise

    def grab(self) -> Frame | None:
        """The next frame."""
        try:
            found = self._reader.take(_WAIT_S)
            return None if found is None else frame_of(*found, self.model)
        except (OSError, ValueError) as error:
            raise CameraError(f"the camera has gone: {error}") from error

    def release(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._socket.close()


CAMERA = CameraDriver(
    make=SocketCamera,
    cameras="cameras that another program serves at a local socket, such as an emulator",
    tested_against="the rendered cameras of this project's emulators",
)
