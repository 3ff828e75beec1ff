"""RGB-D frames over a stream socket: a JSON header, then bytes.

::

    length of the header (4 bytes, big-endian) | header, JSON | rgb, uint8 | depth, float32

The client sends the name of a camera and a line end. The server answers with a message without
bytes: the intrinsics, the fields of ``CameraModel``, or ``{"error": text}``. Then come frames,
``{"number", "time_s", "bytes"}``: the time is ``time.monotonic`` of this machine at the exposure,
which all its processes share, and depth is in little-endian m, NaN where unknown.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from embodied.perception.cameras.types import CameraModel, Frame

MOST_HEADER = 4096
MOST_BYTES = 2**26
MOST_NAME = 256
_LENGTH = struct.Struct(">I")
_CHUNK = 2**18


def message(header: Mapping[str, object], body: bytes = b"") -> bytes:
    """One message."""
    text = json.dumps({**header, "bytes": len(body)}).encode()
    return _LENGTH.pack(len(text)) + text + body


def model_message(model: CameraModel) -> dict[str, object]:
    """The intrinsics of a camera, for a header."""
    names = ("width", "height", "fx", "fy", "cx", "cy", "distortion")
    return {name: getattr(model, name) for name in names}


def model_of(header: Mapping[str, Any]) -> CameraModel:
    """The intrinsics in a header; raises ValueError, also with the error that it holds instead."""
    if "error" in header:
        raise ValueError(str(header["error"])[:200])
    try:
        return CameraModel(
            width=int(header["width"]),
            height=int(header["height"]),
            fx=float(header["fx"]),
            fy=float(header["fy"]),
            cx=float(header["cx"]),
            cy=float(header["cy"]),
            distortion=tuple(float(v) for v in header["distortion"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"an answer without intrinsics ({error})") from error


def frame_message(frame: Frame) -> bytes:
    """The message of a frame."""
    depth = np.ascontiguousarray(frame.depth, dtype="<f4")
    rgb = np.ascontiguousarray(frame.rgb, dtype=np.uint8)
    head = {"number": frame.number, "time_s": frame.time_s}
    return message(head, rgb.tobytes() + depth.tobytes())


def frame_of(header: Mapping[str, Any], body: bytes, model: CameraModel) -> Frame:
    """The frame of a message.

    Raises:
        ValueError: It is no frame of this size.
    """
    pixels = model.width * model.height
    if len(body) != 7 * pixels:
        raise ValueError(f"{len(body)} bytes, a frame of this camera has {7 * pixels}")
    number, time_s = header.get("number"), header.get("time_s")
    if not isinstance(number, int) or not isinstance(time_s, float) or not np.isfinite(time_s):
        raise ValueError("a frame without number and time_s")
    rgb = np.frombuffer(body, np.uint8, 3 * pixels).reshape(model.height, model.width, 3)
    depth = np.frombuffer(body, "<f4", offset=3 * pixels).reshape(model.height, model.width)
    return Frame(time_s=time_s, number=number, rgb=rgb, depth=depth.astype(np.float32, copy=False))


class MessageReader:
    """Takes messages from a socket, also those that arrive in pieces.

    Args:
        connection: The socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._data = bytearray()

    def take(self, timeout_s: float) -> tuple[dict[str, Any], bytes] | None:
        """The next message: header and bytes; None when it is not complete in time.

        Raises:
            ConnectionError: The other side has gone.
            ValueError: It breaks the protocol.
        """
        deadline = time.monotonic() + timeout_s
        while (found := self._complete()) is None:
            left = max(deadline - time.monotonic(), 0.0)
            if not select.select([self._socket], [], [], left)[0]:
                return None
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                raise ConnectionError("the connection was closed")
            self._data += chunk
        return found

    def _complete(self) -> tuple[dict[str, Any], bytes] | None:
        data = self._data
        if len(data) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(data)
        if length > MOST_HEADER:
            raise ValueError(f"a header of {length} bytes, at most {MOST_HEADER}")
        start = _LENGTH.size + length
        if len(data) < start:
            return None
        header = json.loads(data[_LENGTH.size : start])
        count = header.get("bytes") if isinstance(header, dict) else None
        if not isinstance(count, int) or not 0 <= count <= MOST_BYTES:
            raise ValueError(f"a header that does not say how many bytes follow, 0 to {MOST_BYTES}")
        if len(data) < start + count:
            return None
        body = bytes(data[start : start + count])
        del data[: start + count]
        return header, body
