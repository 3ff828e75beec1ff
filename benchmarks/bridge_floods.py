"""Floods of a supervisor while an operator presses stop: how long until the stop is acted on."""

from __future__ import annotations

import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bridge_rig import Rig, receive, swing

from embodied.bench.runner import Row
from embodied.bridge.channel import REPORTS, ChannelClosedError, SocketChannel, connect, pack

STOPS = 10
Talk = Callable[[SocketChannel, int], None]


def _observe(channel: SocketChannel, number: int) -> None:
    channel.send({"kind": "observe", "re": number})
    with suppress(Exception):
        channel.receive(0.0)


def _unread(channel: SocketChannel, number: int) -> None:
    channel.send({"kind": "observe", "re": number})


def _garbage(channel: SocketChannel, number: int) -> None:
    channel.send_frame(b"EMB1" + bytes(number % 200) + b"garbage")


def _frames(frame: bytes) -> Talk:
    """One frame, as fast as it goes."""

    def talk(channel: SocketChannel, number: int) -> None:
        del number
        channel.send_frame(frame)
        with suppress(Exception):
            channel.receive(0.0)

    return talk


def _digits() -> bytes:
    """A frame of numbers of one digit: as many as there is room for."""
    body = b'{"kind":"plan","time":[' + b"1," * 85_000 + b"1]}"
    return b"EMB1" + struct.pack("<I", zlib.crc32(body)) + body


_WAY = [[0.001 * k] * 7 for k in range(1500)]
_PLAN = {
    "kind": "plan",
    "re": 1,
    "label": "p",
    "time": [0.01 * k for k in range(1500)],
    "q": _WAY,
    "gripper_width_m": None,
}


def _silent(channel: SocketChannel, number: int) -> None:
    del channel, number
    time.sleep(0.05)


def _enable(channel: SocketChannel, number: int) -> None:
    del number
    channel.send({"kind": "enable"})
    with suppress(Exception):
        channel.receive(0.0)


FLOODS: dict[str, Talk | str | None] = {
    "none": None,
    "observe": _observe,
    "answers not read": _unread,
    "garbage": _garbage,
    "large plans": _frames(pack(_PLAN)),
    "numbers": _frames(_digits()),
    "silent": _silent,
    "enable": _enable,
    "connections": "connections",
}


def _flood(rig: Rig, kind: str, over: threading.Event) -> None:
    talk, number = FLOODS[kind], 0
    while not over.is_set() and talk is not None:
        with suppress(ChannelClosedError, ValueError, OSError):
            channel = connect(rig.process.planner_path, REPORTS)
            channel.send({"kind": "hello"})
            try:
                while callable(talk) and not over.is_set():
                    number += 1
                    talk(channel, number)
            finally:
                channel.close()


def _react(rig: Rig, kind: str) -> float:
    """Seconds from pressing stop to the stop, while a flood goes on."""
    over = threading.Event()
    flood = threading.Thread(target=_flood, args=(rig, kind, over), daemon=True)
    flood.start()
    time.sleep(0.5)
    rig.drain()
    begun, stopped = time.monotonic(), float("inf")
    rig.process.operator.send({"kind": "estop"})
    while time.monotonic() < begun + 10.0 and stopped == float("inf"):
        message = receive(rig.process.operator, 1.0)
        if message and message["kind"] == "event" and message["event"] == "stop":
            stopped = message["time_s"] - begun  # both by the machine's monotonic clock
    over.set()
    flood.join()
    rig.recover()
    return stopped


def run_flood(kind: str, seed: int) -> Row:
    """The times of some stops under one flood, and how late a period began at worst."""
    del seed
    with tempfile.TemporaryDirectory() as folder:
        arm = Rig(Path(folder))
        try:
            swing(arm, "", 0, 0, longest_s=0.2)
            times, since = [_react(arm, kind) for _ in range(STOPS)], arm.mark()
            alive = arm.process.alive()
            arm.process.operator.send({"kind": "shutdown"})
            ended = arm.wait_for("ended", since)
            latest_s = ended["details"]["latest_s"] if ended else float("inf")
            return {"flood": kind, "reactions_s": times, "latest_s": latest_s, "alive": alive}
        finally:
            arm.close()
