"""The camera driver ``socket``: frames, losses, a server that goes or breaks the protocol."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from embodied.perception.cameras import CameraError, CameraModel, Frame
from embodied.perception.cameras.files import CameraEntry, open_camera
from embodied.perception.cameras.types import Camera
from embodied.perception.cameras.wire import (
    MessageReader,
    frame_message,
    message,
    model_message,
)

MODEL = CameraModel(width=5, height=4, fx=6.0, fy=6.5, cx=2.0, cy=1.5, distortion=(0.1, 0, 0, 0, 0))
Serve = Callable[[socket.socket], None]


def _frame(number: int) -> Frame:
    rng = np.random.default_rng(number)
    depth = rng.uniform(0.5, 2.0, (4, 5)).astype(np.float32)
    depth[0, 0] = np.nan
    rgb = rng.integers(0, 255, (4, 5, 3), dtype=np.uint8)
    return Frame(time_s=time.monotonic(), number=number, rgb=rgb, depth=depth)


class _Served:
    """One server for one client."""

    def __init__(self, path: Path) -> None:
        self.asked = b""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._entry = CameraEntry(
            name="front", driver="socket", options={"path": path.name}, folder=path.parent
        )
        self._camera: Camera | None = None

    def open(self, serve: Serve) -> Camera:
        def run() -> None:
            connection, _ = self._listener.accept()
            with connection:
                self.asked = connection.recv(100)
                serve(connection)

        threading.Thread(target=run, daemon=True).start()
        self._camera = open_camera(self._entry)
        return self._camera

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()
            self._camera.close()
        self._listener.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[_Served]:
    server = _Served(tmp_path / "s")
    yield server
    server.close()


def test_frames_come_as_they_were_sent_and_gaps_are_counted(served: _Served) -> None:
    sent, over = [_frame(1), _frame(4)], threading.Event()

    def serve(connection: socket.socket) -> None:
        data = message(model_message(MODEL)) + b"".join(map(frame_message, sent))
        for piece in (data[:7], data[7:300], data[300:]):  # as a stream may cut it
            connection.sendall(piece)
            time.sleep(0.01)
        over.wait(10.0)

    camera = served.open(serve)
    assert served.asked == b"front\n" and camera.model == MODEL
    frame = camera.read(newer_than_s=sent[0].time_s, timeout_s=10.0)
    np.testing.assert_array_equal(frame.rgb, sent[1].rgb)
    np.testing.assert_array_equal(frame.depth, sent[1].depth)
    health = camera.health()
    assert (health.frames, health.lost, health.problem) == (2, 2, "")
    over.set()


def test_a_server_that_goes_is_a_camera_that_has_gone(served: _Served) -> None:
    camera = served.open(lambda connection: connection.sendall(message(model_message(MODEL))))
    with pytest.raises(CameraError, match="has gone"):
        camera.read(timeout_s=10.0)
    assert "has gone" in camera.health().problem


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        message({"number": 1, "time_s": 1.0}, b"too short"),
        message({"number": "1", "time_s": 1.0}, bytes(7 * 20)),
        message({"number": 1, "time_s": float("nan")}, bytes(7 * 20)),
        b"\x00\x00\x00\x02[]",
        b"\x00\x00\x00\x0e" + b'{"bytes": -10}',
    ],
)
def test_what_breaks_the_protocol_ends_the_camera(served: _Served, data: bytes) -> None:
    camera = served.open(lambda c: c.sendall(message(model_message(MODEL)) + data))
    with pytest.raises(CameraError, match="has gone"):
        camera.read(timeout_s=10.0)


@pytest.mark.parametrize(
    "answer", [message({"error": "no camera"}), message({"width": 3}), b"\xff\xff\xff\xff", b""]
)
def test_a_server_without_such_a_camera_is_refused(served: _Served, answer: bytes) -> None:
    with pytest.raises(CameraError, match="front"):
        served.open(lambda connection: connection.sendall(answer))


def test_without_a_server_there_is_no_camera(tmp_path: Path) -> None:
    entry = CameraEntry(name="front", driver="socket", options={"path": "s"}, folder=tmp_path)
    with pytest.raises(CameraError, match="front"):
        open_camera(entry)


def test_a_message_that_is_not_complete_is_waited_for() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader, data = MessageReader(ours), message({"a": 1}, b"xyz")
        theirs.sendall(data[:-1])
        assert reader.take(0.01) is None
        theirs.sendall(data[-1:])
        assert reader.take(1.0) == ({"a": 1, "bytes": 3}, b"xyz")
