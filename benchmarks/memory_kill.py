"""kill -9 at random moments: does the log open, the state replay, the mission go on?

    python benchmarks/memory_kill.py [--kills 200] [--sync never] [--json]

Each kill ends a real process (forked, so that it starts in milliseconds) that writes proposals into
a memory and its log as fast as it can. The moment is drawn at random from its life, opening the log
included. Then: the log must open; hold every step whose end the process had reported; replay to the
very state that the seed of the mission prescribes for that step; and be continued. Each mission is
killed ten times, so that a continued log is killed again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from embodied.bench.benchmark import Benchmark, main, option
from embodied.bench.memory_mission import Aftermath, inspect, write_for_ever
from embodied.bench.runner import Payload, Row, Task
from embodied.memory import Sync

KILLS_PER_MISSION = 10
LONGEST_LIFE_S = 0.15


def kill_once(path: Path, seed: int, *, sync: Sync, life_s: float) -> Aftermath:
    """Start a process on a log, kill it, and look at what it leaves behind."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write_for_ever(path, seed, sync=sync, acknowledge=writing)
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(life_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        lines = pipe.read().split(b"\n")[:-1]
    if not os.WIFSIGNALED(status):
        return Aftermath(steps=0, cut_off=False, problem=f"it ended by itself: status {status}")
    return inspect(path, seed, acknowledged=int(lines[-1]) if lines else 0)


SYNCS = tuple(s.value for s in Sync)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    kills: int = option(200)
    seed: int = option(0, key=True)
    sync: str = option("always", choices=SYNCS, key=True)


def cases(settings: Settings) -> list[Task]:
    """Missions, each killed ten times."""
    rng = np.random.default_rng(settings.seed)
    lives = [float(rng.uniform(0.0, LONGEST_LIFE_S)) for _ in range(settings.kills)]
    return [
        Task(
            id=f"{first // KILLS_PER_MISSION}/{len(some)}",
            payload={"mission": first // KILLS_PER_MISSION, "lives": some, "sync": settings.sync},
        )
        for first in range(0, settings.kills, KILLS_PER_MISSION)
        if (some := lives[first : first + KILLS_PER_MISSION])
    ]


def kill_mission(payload: Payload) -> Row:
    """The kills of one mission, one after the other, on one log."""
    mission, sync = int(payload["mission"]), Sync(payload["sync"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.jsonl"
        found = [kill_once(path, mission, sync=sync, life_s=s) for s in payload["lives"]]
    return {"kills": [asdict(a) for a in found]}


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """What was left of the logs."""
    found: list[Row] = [a for r in rows for a in r.get("kills", ())]
    problems = [a["problem"] for a in found if a["problem"]]
    return {
        "kills": len(found),
        "survived": len(found) - len(problems),
        "cut_off_lines": sum(a["cut_off"] for a in found),
        "before_first_step": sum(a["steps"] == 0 for a in found),
        "longest_log_steps": max((a["steps"] for a in found), default=0),
        "problems": problems[:10],
    }


BENCHMARK = Benchmark(
    name="memory-kill",
    summary="kill -9 at random moments: does the log open, the state replay, the mission go on?",
    settings=Settings,
    cases=cases,
    run=kill_mission,
    report=summarise,
    table=lambda report: json.dumps(report, indent=1),
    code=lambda report: int(bool(report["problems"])),
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
