"""Floods of a supervisor while an operator presses stop: how long until the stop is acted on."""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from bridge_rig import Rig, receive, swing

from embodied.bench.runner import Row
from embodied.bridge.channel import REPORTS, ChannelClosedError, SocketChannel, connect

STOPS = 10


def _observe(channel: SocketChannel, number: int) -> None:
    channel.send({"kind": "observe", "re": number})
    with suppress(Exception):
        channel.receive(0.0)


def _unread(channel: SocketChannel, number: int) -> None:
    channel.send({"kind": "observe", "re": number})


def _garbage(channel: SocketChannel, number: int) -> None:
    channel.send_frame(b"EMB1" + bytes(number % 200) + b"garbage")


def _plans(channel: SocketChannel, number: int) -> None:
    way = [[0.001 * k] * 7 for k in range(1500)]
    times = [0.01 * k for k in range(1500)]
    channel.send(
        {
            "kind": "plan",
            "re": number,
            "label": "p",
            "time": times,
            "q": way,
            "gripper_width_m": None,
        }
    )
    with suppress(Exception):
        channel.receive(0.0)


def _silent(channel: SocketChannel, number: int) -> None:
    del channel, number
    time.sleep(0.05)


def _enable(channel: SocketChannel, number: int) -> None:
    del number
    channel.send({"kind": "enable"})
    with suppress(Exception):
        channel.receive(0.0)


FLOODS = {
    "none": None,
    "observe": _observe,
    "answers not read": _unread,
    "garbage": _garbage,
    "large plans": _plans,
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
    """The times of some stops under one flood."""
    del seed
    with tempfile.TemporaryDirectory() as folder:
        arm = Rig(Path(folder))
        try:
            swing(arm, "", 0, 0, longest_s=0.2)
            times = [_react(arm, kind) for _ in range(STOPS)]
            return {"flood": kind, "reactions_s": times, "alive": arm.process.alive()}
        finally:
            arm.close()
