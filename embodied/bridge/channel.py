"""The local channel: JSON messages with a checksum and a schema over a Unix socket.

Messages are data of a known shape; nothing that arrives is ever executed or unpickled. The socket
keeps the bounds of messages, so a corrupt frame costs that frame alone.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import struct
import zlib
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from embodied.errors import WorldError
from embodied.printable import printable

MAX_FRAME = 180_000
"""Longest message in bytes."""

MOST_WAITING = 64
"""Frames that wait for a peer that does not read."""

_LONGEST_NUMBER = 18
_LONGEST_PROBLEM = 200

Message = Mapping[str, Any]
"""Data of a known shape, by the field ``kind``."""

_HEAD = struct.Struct("<4sI")
_MAGIC = b"EMB1"


class ChannelClosedError(WorldError):
    """The other side has gone."""


class BadFrameError(WorldError):
    """A frame that is damaged or not of the schema; ``code`` is ``"corrupt"`` or ``"schema"``."""

    def __init__(self, code: str, problem: str) -> None:
        self.code = code
        super().__init__(f"{code}: {problem}")


Schema = Mapping[str, Mapping[str, str]]
"""Fields of every kind of message: ``"number"``, ``"integer"``, ``"count"`` (an integer that is not
negative), ``"text"``, ``"vector"``,
``"matrix"``, ``"object"``, ``"list"``, ``"flag"``; with ``?``, null is allowed."""

PLANNER: Schema = MappingProxyType(
    {
        "hello": {},
        "heartbeat": {},
        "enable": {},
        "observe": {"re": "integer"},
        "reset": {"re": "integer", "seed": "count"},
        "setpoint": {
            "re": "integer",
            "created_s": "number",
            "q": "vector",
            "gripper_width_m": "number?",
            "gripper_force_n": "number",
        },
        "plan": {
            "re": "integer",
            "label": "text",
            "time": "vector",
            "q": "matrix",
            "gripper_width_m": "number?",
        },
    }
)
"""What a planner may say. Nothing of it carries limits, modes, approvals or recoveries."""

OPERATOR: Schema = MappingProxyType(
    {
        "hello": {"token": "text"},
        "approve": {"plan_hash": "text"},
        "refuse": {"plan_hash": "text"},
        "estop": {},
        "hold": {},
        "recover": {"operator": "text", "statement": "text"},
        "status": {},
        "shutdown": {},
    }
)
"""What an operator's terminal may say."""

REPORTS: Schema = MappingProxyType(
    {
        "report": {
            "re": "integer",
            "decision": "object?",
            "state": "object?",
            "time_s": "number",
            "status": "object",
        },
        "event": {"time_s": "number", "event": "text", "details": "object"},
        "status": {"status": "object"},
    }
)
"""What the supervisor says."""


class Channel(Protocol):
    """Sends and receives messages."""

    def send(self, message: Message) -> None:
        """Send one message; raises ChannelClosedError."""
        ...

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """Next message, None when there is none in time.

        Raises:
            ChannelClosedError: The other side has gone.
            BadFrameError: The next frame was damaged or not of the schema; it is dropped.
        """
        ...

    def fileno(self) -> int:
        """For ``select``."""
        ...

    def close(self) -> None:
        """May be called twice."""
        ...


class SocketChannel:
    """A connected socket.

    Args:
        connected: The socket.
        incoming: Schema of what may arrive.

    Attributes:
        incoming: The same.
    """

    def __init__(self, connected: socket.socket, incoming: Schema) -> None:
        self._socket = connected
        self.incoming = incoming
        self._waiting: deque[bytes] = deque()
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_FRAME)

    def send(self, message: Message) -> None:
        """Send one message; raises ChannelClosedError."""
        self.send_frame(pack(message))

    def send_frame(self, frame: bytes) -> None:
        """Send one frame as it is; raises ChannelClosedError."""
        try:
            self._socket.sendall(frame)
        except OSError as error:
            raise ChannelClosedError(f"the other side of the channel has gone ({error})") from error

    @property
    def waiting(self) -> int:
        """Frames that ``post`` has not sent yet."""
        return len(self._waiting)

    def post(self, message: Message) -> None:
        """Send without ever waiting for the other side: what it does not read waits in a queue.

        Raises:
            ChannelClosedError: The other side has gone.
        """
        self._waiting.append(pack(message))
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the other side takes it; raises ChannelClosedError."""
        while self._waiting:
            try:
                self._socket.send(self._waiting[0], socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    return
                text = f"the other side of the channel has gone ({error})"
                raise ChannelClosedError(text) from error
            self._waiting.popleft()

    def forget(self, keep: int) -> int:
        """Drop the oldest frames that wait, all but some; returns how many were dropped."""
        dropped = max(0, len(self._waiting) - keep)
        for _ in range(dropped):
            self._waiting.popleft()
        return dropped

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """Next message, None when there is none in time; raises as ``Channel.receive`` does."""
        frame = self.receive_frame(timeout_s)
        return None if frame is None else unpack(frame, self.incoming)

    def receive_frame(self, timeout_s: float) -> bytes | None:
        """Next frame as it is, None when there is none in time; raises ChannelClosedError."""
        try:
            ready, _, _ = select.select([self._socket], [], [], max(timeout_s, 0.0))
            if not ready:
                return None
            frame = self._socket.recv(MAX_FRAME)
        except (ConnectionError, OSError, ValueError) as error:
            raise ChannelClosedError(f"the channel broke ({error})") from error
        if not frame:
            raise ChannelClosedError("the other side of the channel has gone")
        return frame

    def fileno(self) -> int:
        """For ``select``."""
        return self._socket.fileno()

    def close(self) -> None:
        """May be called twice."""
        self._socket.close()


class Listener:
    """Waits for connections at a path that only this user can reach.

    Args:
        path: Path of the socket.
        incoming: Schema of what may arrive.
    """

    def __init__(self, path: Path, incoming: Schema) -> None:
        self.path = path
        self._incoming = incoming
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.bind(str(path))
        os.chmod(path, 0o600)
        self._socket.listen(4)

    def accept(self, timeout_s: float) -> SocketChannel | None:
        """Next connection, None when there is none in time."""
        ready, _, _ = select.select([self._socket], [], [], max(timeout_s, 0.0))
        if not ready:
            return None
        return SocketChannel(self._socket.accept()[0], self._incoming)

    def fileno(self) -> int:
        """For ``select``."""
        return self._socket.fileno()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self.path.unlink(missing_ok=True)


def connect(path: Path, incoming: Schema) -> SocketChannel:
    """Connect to a listener; raises ChannelClosedError."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        client.connect(str(path))
    except OSError as error:
        client.close()
        raise ChannelClosedError(f"nobody listens at {path} ({error.strerror})") from error
    return SocketChannel(client, incoming)


def pack(message: Message) -> bytes:
    """A message as a frame: magic, CRC-32, JSON."""
    body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) + _HEAD.size > MAX_FRAME:
        raise ValueError(f"a message has at most {MAX_FRAME} bytes, not {len(body)}")
    return _HEAD.pack(_MAGIC, zlib.crc32(body)) + body


def unpack(frame: bytes, schema: Schema) -> dict[str, Any]:
    """A frame as a message of the schema.

    Raises:
        BadFrameError: It is damaged or not of the schema.
    """
    if len(frame) < _HEAD.size:
        raise BadFrameError("corrupt", "the frame is too short")
    magic, checksum = _HEAD.unpack_from(frame)
    body = frame[_HEAD.size :]
    if magic != _MAGIC or zlib.crc32(body) != checksum:
        raise BadFrameError("corrupt", "the checksum does not match")
    try:
        message = json.loads(body, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise BadFrameError("schema", f"not JSON: {_short(error)}") from error
    try:
        problem = _problem(message, schema)
    except RecursionError:  # it takes a deep value to say what is wrong with it
        problem = "nested too deeply"
    if problem:
        raise BadFrameError("schema", _short(problem))
    return message


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number with {len(text)} digits; at most {_LONGEST_NUMBER}")
    return int(text)


def _short(what: object) -> str:
    return printable(str(what)[:_LONGEST_PROBLEM])


def _problem(message: Any, schema: Schema) -> str:
    if not isinstance(message, dict):
        return "a message is an object"
    kind = message.get("kind")
    fields = schema.get(kind) if isinstance(kind, str) else None
    if fields is None:
        kinds = ", ".join(schema)
        return f"unknown kind; known: {kinds}; not {str(kind)[:40]!r}"
    if len(message) != len(fields) + 1:
        wrong = sorted(name[:40] for name in set(message) ^ {"kind", *fields})
        return f"{kind} has exactly {', '.join(('kind', *fields))}; differs in {wrong[:5]}"
    for name, shape in fields.items():
        if name not in message:
            return f"{kind} lacks {name}"
        if not _fits(message[name], shape):
            return f"{kind}.{name} must be: {shape}"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _fits(value: Any, shape: str) -> bool:
    if shape.endswith("?"):
        return value is None or _fits(value, shape[:-1])
    if shape == "number":
        return _is_number(value)
    if shape == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if shape == "count":
        return _fits(value, "integer") and value >= 0
    if shape == "text":
        return isinstance(value, str)
    if shape == "flag":
        return isinstance(value, bool)
    if shape == "vector":
        return isinstance(value, list) and all(map(_is_number, value))
    if shape == "matrix":
        return isinstance(value, list) and all(_fits(row, "vector") for row in value)
    return isinstance(value, dict if shape == "object" else list)
