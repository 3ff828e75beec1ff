"""kill -9 at random moments: does the log open, the state replay, the mission go on?

    python benchmarks/memory_kill.py [--kills 200] [--sync never] [--json]

Each kill ends a real process (forked, so that it starts in milliseconds) that writes proposals into
a memory and its log as fast as it can. The moment is drawn at random from its life, opening the log
included. Then: the log must open; hold every step whose end the process had reported; replay to the
very state that the seed of the mission prescribes for that step; and be continued. Each mission is
killed ten times, so that a continued log is killed again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.progress import track

from embodied.bench.memory_mission import Aftermath, inspect, write_for_ever
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


def main() -> int:
    """Kill and report; 0 when nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sync", choices=[s.value for s in Sync], default="always")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    found: list[Aftermath] = []
    with tempfile.TemporaryDirectory() as folder:
        for n in track(range(options.kills), "kills", disable=options.json):
            mission = n // KILLS_PER_MISSION
            path = Path(folder) / f"{mission}.jsonl"
            life_s = float(rng.uniform(0.0, LONGEST_LIFE_S))
            found.append(kill_once(path, mission, sync=Sync(options.sync), life_s=life_s))
    problems = [a.problem for a in found if a.problem]
    report = {
        "kills": len(found),
        "survived": sum(not a.problem for a in found),
        "cut_off_lines": sum(a.cut_off for a in found),
        "before_first_step": sum(a.steps == 0 for a in found),
        "longest_log_steps": max((a.steps for a in found), default=0),
        "problems": problems[:10],
    }
    sys.stdout.write(json.dumps(report, indent=None if options.json else 1) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
