"""Every injected fault at random moments of a motion: at rest in time, latched, logged, restarted?

    python benchmarks/bridge_faults.py --moments 100 --out runs/bridge_faults

A simulated arm in real time swings slowly behind the supervisor while a fault is injected: into
what the arm reports, into what the planner sends, or by killing a process. Measured by the
supervisor (by the arm itself where the supervisor is killed): the time from noticing the fault to
rest, in periods of the arm and by the wall clock, and the speed that the arm had. A moment counts
when the arm moved as the fault came: where something else had made it hold before (the operating
system kept a process waiting), it is tried again, and tries are counted. Finished moments are
lines of ``moments.jsonl`` in the output folder; a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from embodied.world.bridge.channel import REPORTS, BadFrameError, ChannelClosedError, connect
from embodied.world.bridge.faults import (
    ARM_FAULTS,
    PLANNER_FAULTS,
    PROCESS_FAULTS,
    FaultySender,
    gentle_way,
)
from embodied.world.bridge.limits import load_limits, shipped_limits
from embodied.world.bridge.process import BridgeConfig, SupervisorProcess

LIMITS = "fr3-simulated"
CODES = {
    "frozen-state": ("state_frozen",),
    "clock-jump": ("clock_jump",),
    "protective-stop": ("protective_stop",),
    "torque-spike": ("torque_limit",),
    "wrong-joint-count": ("wrong_joint_count",),
    "latency": ("missing", "stale"),
    "jitter": ("missing", "stale", "sequence"),
    "loss": ("missing",),
    "reorder": ("sequence", "missing"),
    "duplication": ("sequence",),
    "corrupt": ("corrupt", "missing"),
    "client-kill": ("heartbeat", "missing", "holding"),
}
"""Reasons that may be given; what comes first depends on the phase of both clocks."""

WAIT_S = 6.0
TRIES = 30
SPARE = 4
"""Faults of the arm for each moment."""
MOVING_RAD_S = 0.05
"""An arm that is slower when the fault comes shows nothing."""


class Rig:
    """A supervisor with a simulated arm in real time, its journal, and a way to drive the arm.

    Args:
        folder: Folder of the journal.
        faults: Faults of the arm, one for each ``enable``.
    """

    def __init__(self, folder: Path, faults: tuple[dict[str, Any], ...] = ()) -> None:
        self.limits = load_limits(shipped_limits(LIMITS))
        self.journal = folder / f"journal-{time.monotonic_ns()}.jsonl"
        self.farewell = folder / f"farewell-{time.monotonic_ns()}.json"
        self._events: list[dict[str, Any]] = []
        self._read = 0
        self.process = SupervisorProcess(
            BridgeConfig(
                options={"lockstep": False, "farewell": str(self.farewell)},
                limits=shipped_limits(LIMITS),
                journal=self.journal,
                faults=faults,
            )
        )

    def events(self) -> list[dict[str, Any]]:
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

    def place(self, event: dict[str, Any]) -> int:
        """Number of the line of an event."""
        return self.events().index(event)

    def wait_for(self, event: str, since: int, code: str = "") -> dict[str, Any] | None:
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

    def starts(self, seed: int) -> bool:
        """Whether a planner may take over and move the arm, as before the fault."""
        since = self.mark()
        swing(self, "", 0, seed, longest_s=0.3)
        self.settle(since)
        return any(e["event"] == "enabled" for e in self.events()[since:])

    def recover(self) -> bool:
        """An operator acknowledges; returns whether that was taken."""
        since = self.mark()
        self.process.operator.send(
            {"kind": "recover", "operator": "bench", "statement": "the fault was injected"}
        )
        while self.process.operator.receive(0.0) is not None:
            pass
        return self.wait_for("recovered", since) is not None

    def drain(self) -> None:
        """Read what the supervisor tells its operator."""
        with suppress(ChannelClosedError, BadFrameError):
            while self.process.operator.receive(0.0) is not None:
                pass


def swing(rig: Rig, fault: str, after: int, seed: int, longest_s: float = 20.0) -> str:
    """Drive the arm as a planner does, with a fault in the channel; returns what ended it."""
    channel = connect(rig.process.planner_path, REPORTS)
    sender = FaultySender(channel, fault, after, seed)
    try:
        channel.send({"kind": "enable"})
        report = _next(channel)
        if report is None or not report["status"]["enabled"]:
            return "not enabled"
        q = np.array(report["state"]["q"])
        number, begun = 0, time.monotonic()
        while time.monotonic() - begun < longest_s:
            number += 1
            sender.send(
                {
                    "kind": "setpoint",
                    "re": number,
                    "created_s": time.monotonic(),
                    "q": gentle_way(q, number * rig.limits.dt_s).tolist(),
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


def _outcome(channel: Any, number: int) -> str:
    """What became of a set-point, ``""`` if nothing is heard of it."""
    deadline = time.monotonic() + 0.3
    while (left := deadline - time.monotonic()) > 0.0:
        report = _next(channel, left)
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


def _next(channel: Any, timeout_s: float = 2.0) -> dict[str, Any] | None:
    try:
        return channel.receive(timeout_s)
    except BadFrameError:
        return None


def moment_of_arm_fault(rig: Rig, kind: str, after: int, seed: int) -> dict[str, Any]:
    """One fault of the arm; another one where the arm did not move as it came."""
    result: dict[str, Any] = {}
    tries = 0
    for _ in range(SPARE):
        result = _arm_fault(rig, kind, seed)
        tries += result["tries"]
        if result.get("from_rad_s", MOVING_RAD_S) >= MOVING_RAD_S:
            break
    return {**result, "tries": tries}


def _arm_fault(rig: Rig, kind: str, seed: int) -> dict[str, Any]:
    since, ended, tries = rig.mark(), "disturbed", 0
    while ended in ("disturbed", "not enabled") and tries < TRIES:
        tries += 1
        begun = rig.mark()
        ended = swing(rig, "", 0, seed)
        if ended != "latched":
            rig.settle(begun)
    rig.drain()
    stop = rig.wait_for("stop", since)
    rest = None if stop is None else rig.wait_for("at-rest", rig.place(stop))
    result = _judged(rig, kind, stop, rest)
    result["tries"] = tries
    result["latched"] = ended == "latched" and stop is not None
    result["restart"] = rig.recover()
    result["ok"] = result["ok"] and result["latched"] and result["restart"]
    return result


def moment_of_planner_fault(rig: Rig, kind: str, after: int, seed: int) -> dict[str, Any]:
    """One fault of the channel."""
    result: dict[str, Any] = {}
    since = 0
    for tries in range(1, TRIES + 1):
        since = rig.mark()
        ended = swing(rig, kind, after, seed)
        rest = rig.wait_for("at-rest", since)
        rig.settle(since)
        result = {**_judged(rig, kind, rest, rest), "tries": tries, "ended": ended}
        if ended == "held" and result.get("from_rad_s", 0.0) >= MOVING_RAD_S:
            break
    result["latched"] = any(e["event"] == "stop" for e in rig.events()[since:])
    result["restart"] = rig.starts(seed)
    result["ok"] = result["ok"] and not result["latched"] and result["restart"]
    return result


def moment_of_client_kill(rig: Rig, kind: str, after: int, seed: int) -> dict[str, Any]:
    """The planner is killed."""
    result: dict[str, Any] = {}
    for tries in range(1, TRIES + 1):
        since = rig.mark()
        planner = _planner(rig, seed)
        rig.wait_for("enabled", since)
        time.sleep(after * rig.limits.dt_s)
        killed, alive = rig.mark(), planner.is_alive()
        planner.kill()
        planner.join()
        rest = rig.wait_for("at-rest", killed)
        rig.settle(since)
        result = {**_judged(rig, kind, rest, rest), "tries": tries}
        if alive and result.get("from_rad_s", 0.0) >= MOVING_RAD_S:
            break
    result["restart"] = rig.starts(seed)
    result["ok"] = result["ok"] and result["restart"]
    return result


def moment_of_supervisor_kill(folder: Path, after: int, seed: int) -> dict[str, Any]:
    """The supervisor is killed; the arm must brake, end, and leave nothing behind."""
    result: dict[str, Any] = {}
    for tries in range(1, TRIES + 1):
        result = {**_supervisor_killed(folder, after, seed), "tries": tries}
        if result["from_rad_s"] >= MOVING_RAD_S:
            break
    again = Rig(folder)
    result["restart"] = again.starts(seed)
    again.process.close()
    result["ok"] = result["ok"] and result["restart"]
    return result


def _supervisor_killed(folder: Path, after: int, seed: int) -> dict[str, Any]:
    rig = Rig(folder)
    planner = _planner(rig, seed)
    rig.wait_for("enabled", 0)
    time.sleep(after * rig.limits.dt_s)
    children = _children(rig.process.pid)
    rig.process.kill()
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and not (
        rig.farewell.exists() and not any(_alive(c) for c in children)
    ):
        time.sleep(0.02)
    planner.join(WAIT_S)
    orphans = [c for c in children if _alive(c)]
    said = json.loads(rig.farewell.read_text("utf-8")) if rig.farewell.exists() else {}
    rig.process.close()
    moved = said.get("from_rad_s", 0.0) >= MOVING_RAD_S
    rested = bool(said.get("at_rest")) and said["braked_s"] <= rig.limits.rest_s
    return {
        "ok": moved and rested and not orphans,
        "after_s": said.get("braked_s"),
        "wall_s": None,
        "from_rad_s": said.get("from_rad_s", 0.0),
        "reason": "the arm brakes by itself",
        "orphans": len(orphans),
    }


def _planner(rig: Rig, seed: int) -> BaseProcess:
    """A planner in a process of its own."""
    planner = multiprocessing.get_context("fork").Process(
        target=swing, args=(rig, "", 0, seed, 30.0), daemon=True
    )
    planner.start()
    return planner


def _judged(
    rig: Rig, kind: str, why: dict[str, Any] | None, rest: dict[str, Any] | None
) -> dict[str, Any]:
    if why is None or rest is None:
        return {"ok": False, "problem": "no rest or no reason in the journal"}
    after_s = rest["details"]["after_periods"] * rig.limits.dt_s
    code = why["details"]["code"]
    from_rad_s = rest["details"]["from_rad_s"]
    moved = from_rad_s >= MOVING_RAD_S
    return {
        "ok": moved and after_s <= rig.limits.rest_s and code in CODES[kind],
        "after_s": round(after_s, 4),
        "from_rad_s": from_rad_s,
        "wall_s": rest["details"]["after_s"],
        "reason": code,
    }


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    except OSError:
        return []
    return [int(c) for c in text.split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def run_moments(
    kind: str, moments: list[int], folder: Path
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The moments of one fault that are still to be done."""
    draws = {m: random.Random(f"{kind} {m}").randrange(30, 150) for m in moments}
    if kind == "supervisor-kill":
        for m in moments:
            yield m, moment_of_supervisor_kill(folder, draws[m], m)
        return
    faults: tuple[dict[str, Any], ...] = ()
    if kind in ARM_FAULTS:
        faults = SPARE * tuple({"kind": kind, "after_periods": draws[m]} for m in moments)
    rig = Rig(folder, faults)
    children = [rig.process.pid, *_children(rig.process.pid)]
    run = {
        "client-kill": moment_of_client_kill,
        **dict.fromkeys(ARM_FAULTS, moment_of_arm_fault),
        **dict.fromkeys(PLANNER_FAULTS, moment_of_planner_fault),
    }[kind]
    try:
        for m in moments:
            yield m, run(rig, kind, draws[m], m)
    finally:
        rig.process.close()
        orphans = [c for c in children if _alive(c)]
        if orphans:
            print(f"{kind}: processes left behind: {orphans}", file=sys.stderr)


def table(done: dict[tuple[str, int], dict[str, Any]], rest_s: float) -> Iterator[str]:
    """The figures, one fault per line."""
    head = "to rest, arm time: median, worst"
    yield (
        f"{'fault':18} {'ok':>9} {'tries':>5}  {head:33} {'wall: worst':>11}"
        f"  {'from: least, most rad/s':24} why"
    )
    for kind in (*ARM_FAULTS, *PLANNER_FAULTS, *PROCESS_FAULTS):
        of = [r for (k, _), r in done.items() if k == kind]
        if not of:
            continue
        times = [r["after_s"] for r in of if r.get("after_s") is not None]
        walls = [r["wall_s"] for r in of if r.get("wall_s") is not None]
        reasons = sorted({str(r.get("reason", r.get("problem"))) for r in of})
        figures = f"{np.median(times):.2f} s, {max(times):.2f} s" if times else "none"
        wall = f"{max(walls):.2f} s" if walls else "-"
        won = f"{sum(r['ok'] for r in of)}/{len(of)}"
        speeds = [r["from_rad_s"] for r in of if "from_rad_s" in r]
        speed = f"{min(speeds):.2f}, {max(speeds):.2f}" if speeds else "-"
        tries = sum(r.get("tries", 1) for r in of)
        yield (
            f"{kind:18} {won:>9} {tries:>5}  {figures:33} {wall:>11}"
            f"  {speed:24} {', '.join(reasons)}"
        )
    yield f"stated time to rest after noticing: {rest_s:g} s"


def main() -> int:
    """Run what is missing, print the table; 1 when a moment did not end as it must."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = (*ARM_FAULTS, *PLANNER_FAULTS, *PROCESS_FAULTS)
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--fault", action="append", choices=kinds, help="repeatable; all if none")
    parser.add_argument("--out", type=Path, default=None, help="folder to continue in")
    options = parser.parse_args()
    done: dict[tuple[str, int], dict[str, Any]] = {}
    log = None
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        log = options.out / "moments.jsonl"
        if log.exists():
            for line in log.read_text("utf-8").splitlines():
                with suppress(json.JSONDecodeError):
                    r = json.loads(line)
                    done[r["fault"], r["moment"]] = r
    with tempfile.TemporaryDirectory() as name:
        for kind in options.fault or kinds:
            missing = [m for m in range(options.moments) if (kind, m) not in done]
            if not missing:
                continue
            for moment, result in run_moments(kind, missing, Path(name)):
                done[kind, moment] = {"fault": kind, "moment": moment, **result}
                if log is not None:
                    with log.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(done[kind, moment]) + "\n")
            print(f"{kind}: done", flush=True)
    print("\n".join(table(done, load_limits(shipped_limits(LIMITS)).rest_s)))
    return 0 if all(r["ok"] for r in done.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
