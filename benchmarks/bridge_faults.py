"""Every injected fault at random moments of a motion: at rest in time, latched, logged, restarted?

    chrt -r 5 python benchmarks/bridge_faults.py --moments 100 --out runs/bridge_faults

A simulated arm in real time swings slowly behind the supervisor while a fault is injected: into
what the arm reports, into what the planner sends, or by killing a process. A moment is good when

* the supervisor saw the arm at rest within the stated time of noticing the fault (the arm itself,
  where the supervisor is killed), counted in periods of the arm;
* the arm, asked again by another planner, is measured at rest: by its joints' speeds, and by how
  far they get within a few periods;
* the stop is latched where it must be and nowhere else, and the journal has the fault's reason;
* no process is left behind;
* the arm can be taken over and moved again, after an acknowledgement where it was latched.

A moment counts when the arm moved as the fault came: where something else had made it hold before
(the operating system kept a process waiting), it is tried again, and tries are counted. On a busy
machine that is always so: ``chrt`` (needs the right to real-time priority) gives the processes
precedence. Ten moments share a supervisor, and are one result.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bridge_rig import LIMITS, REST_RAD_S, WAIT_S, Line, Rig, alive, swing

from embodied.bench.benchmark import Benchmark, main, option
from embodied.bench.report import grouped, listed, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.bridge.limits import load_limits, shipped_limits
from embodied.bridge.testing.faults import ARM_FAULTS, PLANNER_FAULTS, PROCESS_FAULTS

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

KINDS = (*ARM_FAULTS, *PLANNER_FAULTS, *PROCESS_FAULTS)
BATCH = 10
TRIES = 30
SPARE = 4
"""Faults of the arm for each moment."""
MOVING_RAD_S = 0.05
"""An arm that is slower when the fault comes shows nothing."""


def run_batch(payload: Payload) -> Row:
    """Moments of one fault, one after the other, with one supervisor where it is not killed."""
    kind: str = payload["fault"]
    after = {m: random.Random(f"{kind} {m}").randrange(30, 150) for m in payload["moments"]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "supervisor-kill":
            moments, left = _supervisor_kills(folder, after)
        else:
            faults: tuple[Row, ...] = ()
            if kind in ARM_FAULTS:
                faults = SPARE * tuple({"kind": kind, "after_periods": k} for k in after.values())
            rig = Rig(folder, faults)
            run = {"client-kill": _client_kill, **dict.fromkeys(ARM_FAULTS, _arm_fault)}
            moments = [run.get(kind, _planner_fault)(rig, kind, k, m) for m, k in after.items()]
            left = rig.close()
    moments = [{"moment": m, **result} for m, result in zip(after, moments, strict=True)]
    return {"fault": kind, "moments": moments, "left_behind": left}


def _arm_fault(rig: Rig, kind: str, after: int, seed: int) -> Line:
    """One fault of the arm; another one where the arm did not move as it came."""
    result: Line = {}
    tries = 0
    for _ in range(SPARE):
        since, ended = rig.mark(), "disturbed"
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
        result["latched"] = ended == "latched" and stop is not None
        result["restart"] = rig.recover() and rig.starts(seed)
        result["ok"] = result["ok"] and result["latched"] and result["restart"]
        if result.get("from_rad_s", MOVING_RAD_S) >= MOVING_RAD_S:
            break
    return {**result, "tries": tries}


def _planner_fault(rig: Rig, kind: str, after: int, seed: int) -> Line:
    """One fault of the channel."""
    result: Line = {}
    since = 0
    for tries in range(1, TRIES + 1):
        since = rig.mark()
        ended = swing(rig, kind, after, seed)
        rest = rig.wait_for("at-rest", since)
        rig.settle(since)
        if ended == "held" and not _disturbed(rest):
            result = {**_judged(rig, kind, rest, rest), "tries": tries}
            break
        result = {"ok": False, "problem": f"{ended} in every try", "tries": tries}
    result["latched"] = any(e["event"] == "stop" for e in rig.events()[since:])
    result["restart"] = rig.starts(seed)
    result["ok"] = result["ok"] and not result["latched"] and result["restart"]
    return result


def _client_kill(rig: Rig, kind: str, after: int, seed: int) -> Line:
    """The planner is killed."""
    result: Line = {}
    since = 0
    for tries in range(1, TRIES + 1):
        since = rig.mark()
        planner = rig.planner(seed)
        rig.wait_for("enabled", since)
        time.sleep(after * rig.limits.dt_s)
        killed, running = rig.mark(), planner.is_alive()
        planner.kill()
        planner.join()
        rest = rig.wait_for("at-rest", killed)
        rig.settle(since)
        if running and not _disturbed(rest):
            result = {**_judged(rig, kind, rest, rest, planner.pid or 0), "tries": tries}
            break
        result = {"ok": False, "problem": "held before in every try", "tries": tries}
    result["latched"] = any(e["event"] == "stop" for e in rig.events()[since:])
    result["restart"] = rig.starts(seed)
    result["ok"] = result["ok"] and not result["latched"] and result["restart"]
    return result


def _disturbed(rest: Line | None) -> bool:
    """Something other than the fault had made the arm hold; no rest at all is no disturbance."""
    if rest is None:
        return False
    details = rest["details"]
    return details["from_rad_s"] < MOVING_RAD_S or details["code"] == "late"


def _judged(rig: Rig, kind: str, why: Line | None, rest: Line | None, *gone: int) -> Line:
    """What the journal says, and what the arm measures now."""
    if why is None or rest is None:
        return {"ok": False, "problem": "no rest or no reason in the journal"}
    details, code = rest["details"], why["details"]["code"]
    after_s = details["after_periods"] * rig.limits.dt_s
    speed, orphans = rig.speed_rad_s(), rig.orphans(*gone)
    good = (
        details["from_rad_s"] >= MOVING_RAD_S
        and after_s <= rig.limits.rest_s
        and speed < REST_RAD_S
        and code in CODES[kind]
        and orphans == 0
    )
    return {
        "ok": good,
        "after_s": round(after_s, 4),
        "from_rad_s": details["from_rad_s"],
        "measured_rad_s": round(speed, 5),
        "wall_s": details["after_s"],
        "reason": code,
        "orphans": orphans,
    }


def _supervisor_kills(folder: Path, after: Mapping[int, int]) -> tuple[list[Line], int]:
    """The supervisor is killed; the arm must brake, end, and leave nothing behind."""
    results: list[Line] = []
    rig = Rig(folder)
    for seed, periods in after.items():
        result: Line = {}
        for tries in range(1, TRIES + 1):
            result = {**_supervisor_killed(rig, periods, seed), "tries": tries}
            rig = Rig(folder)
            if result["from_rad_s"] >= MOVING_RAD_S or result["orphans"]:
                break
        result["restart"] = rig.starts(seed)
        result["ok"] = result["ok"] and result["restart"]
        results.append(result)
    return results, rig.close()


def _supervisor_killed(rig: Rig, after: int, seed: int) -> Line:
    since = rig.mark()
    planner = rig.planner(seed)
    rig.wait_for("enabled", since)
    time.sleep(after * rig.limits.dt_s)
    rig.process.kill()
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and not (
        rig.farewell.exists() and not any(map(alive, rig.arms))
    ):
        time.sleep(0.02)
    planner.join(WAIT_S)
    orphans = sum(map(alive, [*rig.arms, planner.pid or 0]))
    said = json.loads(rig.farewell.read_text("utf-8")) if rig.farewell.exists() else {}
    rig.close()
    rested = bool(said.get("at_rest")) and said["braked_s"] <= rig.limits.rest_s
    moved = said.get("from_rad_s", 0.0) >= MOVING_RAD_S
    return {
        "ok": moved and rested and not orphans,
        "after_s": said.get("braked_s"),
        "from_rad_s": said.get("from_rad_s", 0.0),
        "reason": "the arm brakes by itself",
        "orphans": orphans,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    moments: int = option(100, "of each fault")
    fault: tuple[str, ...] = option(KINDS, choices=KINDS)
    limits: str = option(LIMITS, choices=(LIMITS,), key=True)


def cases(settings: Settings) -> list[Task]:
    """Ten moments of a fault each."""
    tasks: list[Task] = []
    for first in range(0, settings.moments, BATCH):
        moments = list(range(first, min(first + BATCH, settings.moments)))
        for kind in settings.fault:
            payload = {"fault": kind, "moments": moments}
            tasks.append(Task(id=f"{kind}-{first}-{len(moments)}", payload=payload))
    return tasks


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """All moments, and what was left behind."""
    whole = [b for b in rows if b.get("status") != "error"]
    return {
        "moments": [{"fault": b["fault"], **m} for b in whole for m in b["moments"]],
        "left_behind": sum(b["left_behind"] for b in whole),
        "errors": [f"{b['id']}: {b['error']}" for b in rows if b.get("status") == "error"],
        "rest_s": load_limits(shipped_limits(LIMITS)).rest_s,
    }


def table(report: Row) -> str:
    """The figures, one fault per line."""
    faults = grouped(report["moments"], "fault")
    rows = [_figures(kind, faults[kind,]) for kind in KINDS if (kind,) in faults]
    said = f"stated time to rest after noticing: {report['rest_s']:g} s"
    return "\n".join(
        [
            table_of(rows, {k: k for k in (rows[0] if rows else ())}),
            f"{said}; processes left behind: {report['left_behind']}",
            listed("Errors", report["errors"]),
        ]
    )


def _figures(kind: str, of: Sequence[Row]) -> Row:
    def values(name: str) -> list[float]:
        return [m[name] for m in of if m.get(name) is not None]

    times, starts = values("after_s"), values("from_rad_s")
    return {
        "fault": kind,
        "good": f"{sum(m['ok'] for m in of)}/{len(of)}",
        "tries": sum(m.get("tries", 1) for m in of),
        "to rest, median, s": f"{np.median(times):.2f}" if times else "-",
        "worst, s": f"{max(times):.2f}" if times else "-",
        "by the clock, worst, s": _most(values("wall_s")),
        "then at most, rad/s": _most(values("measured_rad_s")),
        "from, rad/s": f"{min(starts):.2f} to {max(starts):.2f}" if starts else "-",
        "reasons": ", ".join(sorted({str(m.get("reason", m.get("problem"))) for m in of})),
    }


def _most(values: Sequence[float]) -> str:
    return f"{max(values):.3f}" if values else "-"


BENCHMARK = Benchmark(
    name="bridge-faults",
    summary="Injected faults at random moments of a motion: at rest in time, latched, restarted?",
    settings=Settings,
    cases=cases,
    run=run_batch,
    report=summarise,
    table=table,
    code=lambda report: int(
        bool(report["left_behind"]) or not all(m["ok"] for m in report["moments"])
    ),
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
