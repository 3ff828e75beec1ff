"""A supervisor with a simulated arm that keeps its own time, its journal, and a planner for it."""

from __future__ import annotations

import json
import multiprocessing
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bridge.channel import (
    REPORTS,
    BadFrameError,
    ChannelClosedError,
    SocketChannel,
    connect,
)
from embodied.bridge.limits import load_limits, shipped_limits
from embodied.bridge.process import BridgeConfig, SupervisorProcess
from embodied.bridge.testing.faults import FaultySender, gentle_way
from embodied.world import robots

LIMITS = "fr3-simulated"
WAIT_S = 6.0
REST_RAD_S = 0.03
"""Measured, of the fastest joint of an arm at rest; also from how far joints get meanwhile."""

_LOOKS = 6

Line = dict[str, Any]


class Rig:
    """A supervisor with a simulated arm in real time, its journal, and a way to drive the arm.

    Args:
        folder: Folder of the journal.
        faults: Faults of the arm, one for each ``enable``.
    """

    def __init__(self, folder: Path, faults: tuple[dict[str, Any], ...] = ()) -> None:
        self.limits = load_limits(shipped_limits(LIMITS))
        self.q_home = np.array(robots.load(self.limits.robot).q_home)
        self.journal = folder / f"journal-{time.monotonic_ns()}.jsonl"
        self.farewell = folder / f"farewell-{time.monotonic_ns()}.json"
        self._events: list[Line] = []
        self._read = 0
        self.process = SupervisorProcess(
            BridgeConfig(
                options={"lockstep": False, "farewell": str(self.farewell)},
                limits=shipped_limits(LIMITS),
                journal=self.journal,
                faults=faults,
            )
        )
        self.arms = children(self.process.pid)

    def events(self) -> list[Line]:
        """All lines of the journal."""
        with self.journal.open("rb") as file:
            file.seek(self._read)
            whole, _, _ = file.read().rpartition(b"\n")
        if whole:
            self._read += len(whole) + 1
            self._events += [json.loads(line) for line in whole.splitlines()]
        return self._events

    def mark(self) -> int:
        """Number of lines so far."""
        return len(self.events())

    def place(self, event: Line) -> int:
        """Number of the line of an event."""
        return self.events().index(event)

    def wait_for(self, event: str, since: int, code: str = "") -> Line | None:
        """The first event of a kind after a mark."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            for line in self.events()[since:]:
                if line["event"] == event and code in ("", line["details"].get("code")):
                    return line
            time.sleep(0.01)
        return None

    def settle(self, since: int) -> None:
        """A planner that came after a mark has gone: wait until the arm was seen at rest.

        Otherwise that rest would be taken for the one of the next moment.
        """
        gone = self.wait_for("hold", since, "heartbeat")
        if gone is not None:
            self.wait_for("at-rest", self.place(gone))
        self.drain()

    def speed_rad_s(self) -> float:
        """What the arm measures of its fastest joint over a few periods; infinite if unknown.

        The larger of the speeds that it reports, and of the way that its joints went meanwhile.
        """
        since, states = self.mark(), list[Line]()
        channel = connect(self.process.planner_path, REPORTS)
        try:
            for number in range(1, _LOOKS + 1):
                channel.send({"kind": "observe", "re": number})
                report = receive(channel)
                if report is not None and report["state"] is not None:
                    states.append(report["state"])
                time.sleep(self.limits.dt_s)
        except ChannelClosedError:
            return float("inf")
        finally:
            channel.close()
        self.wait_for("hold", since, "heartbeat")
        if len(states) < _LOOKS or states[-1]["sequence"] <= states[0]["sequence"]:
            return float("inf")
        if states[-1]["mode"] == "running":
            self.settle(since)
        q, dq = (np.array([s[name] for s in states]) for name in ("q", "dq"))
        took_s = states[-1]["source_time_s"] - states[0]["source_time_s"]
        return float(max(np.abs(dq).max(), np.abs(q[-1] - q[0]).max() / took_s))

    def starts(self, seed: int) -> bool:
        """Whether a planner may take over and move the arm, as before the fault."""
        for _ in range(5):
            since = self.mark()
            ended = swing(self, "", 0, seed, longest_s=0.1)
            self.settle(since)
            if ended == "no fault noticed":
                return any(e["event"] == "enabled" for e in self.events()[since:])
        return False

    def recover(self) -> bool:
        """An operator acknowledges; returns whether that was taken."""
        since = self.mark()
        self.process.operator.send(
            {"kind": "recover", "operator": "bench", "statement": "the fault was injected"}
        )
        self.drain()
        return self.wait_for("recovered", since) is not None

    def drain(self) -> None:
        """Read what the supervisor tells its operator."""
        with suppress(ChannelClosedError, BadFrameError):
            while self.process.operator.receive(0.0) is not None:
                pass

    def orphans(self, *pids: int) -> int:
        """Processes that should have ended: those given, and arms that nobody asked for."""
        strangers = [c for c in children(self.process.pid) if c not in self.arms]
        return sum(map(alive, [*pids, *strangers]))

    def planner(self, seed: int) -> BaseProcess:
        """A planner in a process of its own."""
        planner = multiprocessing.get_context("fork").Process(
            target=swing, args=(self, "", 0, seed, 30.0), daemon=True
        )
        planner.start()
        return planner

    def close(self) -> int:
        """End it; returns how many of its processes are left after a while.

        Python's own helper of child processes ends by itself, soon after the supervisor.
        """
        self.process.close()
        deadline = time.monotonic() + WAIT_S
        while any(map(alive, self.arms)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return sum(map(alive, [self.process.pid, *self.arms]))


def swing(rig: Rig, fault: str, after: int, seed: int, longest_s: float = 20.0) -> str:
    """Drive the arm as a planner does, with a fault in the channel; returns what ended it."""
    channel = connect(rig.process.planner_path, REPORTS)
    sender = FaultySender(channel, fault, after, seed)
    try:
        channel.send({"kind": "enable"})
        report = receive(channel)
        if report is None or not report["status"]["enabled"]:
            return "not enabled"
        q = np.array(report["state"]["q"])
        towards = np.where(q > rig.q_home, -1.0, 1.0)  # else it would get to the joints' ends
        number, begun = 0, time.monotonic()
        while time.monotonic() - begun < longest_s:
            number += 1
            sender.send(
                {
                    "kind": "setpoint",
                    "re": number,
                    "created_s": time.monotonic(),
                    "q": (q + towards * (gentle_way(q, number * rig.limits.dt_s) - q)).tolist(),
                    "gripper_width_m": None,
                    "gripper_force_n": 20.0,
                }
            )
            if sender.keeps:
                continue
            ended = _outcome(channel, number)
            if ended == "latched":
                return ended
            if ended == "rejected" or (not ended and sender.active):
                return "held" if sender.active else "disturbed"
        return "no fault noticed"
    except ChannelClosedError:
        return "closed"
    finally:
        channel.close()


def _outcome(channel: SocketChannel, number: int) -> str:
    """What became of a set-point, ``""`` if nothing is heard of it."""
    deadline = time.monotonic() + 0.3
    while (left := deadline - time.monotonic()) > 0.0:
        report = receive(channel, left)
        if report is None:
            continue
        if report["status"]["latched"]:
            return "latched"
        decision = report["decision"]
        if decision is not None and decision["verdict"] == "reject":
            return "rejected"
        if report["re"] == number:
            return "taken"
    return ""


def receive(channel: SocketChannel, timeout_s: float = 2.0) -> Any:
    """The next report, None when there is none in time, or a damaged one."""
    try:
        return channel.receive(timeout_s)
    except BadFrameError:
        return None


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    except OSError:
        return []
    return [int(c) for c in text.split()]


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
