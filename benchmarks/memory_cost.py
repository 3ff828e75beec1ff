"""What a step of the memory costs, and whether that grows with the length of the mission.

    python benchmarks/memory_cost.py [--steps 10000] [--fsync] [--json]

One mission of moves, statements, questions and views for a translator. At 10, 100, 1,000 and 10,000
steps the next steps are timed, in processor time, in one process: repeated blocks of 200 steps, the
median per step; the size of the memory itself and of a view is counted too. Reported beside the
figures: their ratio to the shortest mission. The log's cost per change is measured in the same way
(with ``--fsync`` on disk, in wall time, otherwise handed to the operating system).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import cpu_s, ratio_table

from embodied.bench.statler.language import read_sentence
from embodied.bench.statler.methods import RulesMethod, statler_domain
from embodied.bench.statler.score import happen
from embodied.bench.statler.sessions import Look, random_world, sentences
from embodied.bench.statler.world import BlockWorld
from embodied.memory import Memory, MemoryLog, Reader, Sync
from embodied.memory.facts import Change

LENGTHS = (10, 100, 1_000, 10_000)
BLOCK, REPEATS = 40, 9


class Mission:
    """One conversation that can be played on from where it is."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.world: BlockWorld = random_world(self.rng)
        names = (*self.world.blocks, *self.world.containers)
        self.method = RulesMethod(names, statler_domain())
        self.turn = 0
        self._sentences = sentences(self.world, self.rng, 1 << 30)
        self.changes: list[Change] = []

    def play(self, turns: int) -> None:
        """Play so many turns."""
        for _ in range(turns):
            said = next(self._sentences)
            self.turn += 1
            time_s = float(self.turn)
            if isinstance(said, Look):
                continue
            happen(read_sentence(said, self.world.names()), self.world, ())
            reply = self.method.turn(said, time_s=time_s)
            for block, place in reply.moves:
                self.world.move(block, place)
                self.method.moved(block, place, time_s=time_s)

    @property
    def memory(self) -> Memory:
        """What is believed now."""
        return self.method.memory


def measure(longest: int, seed: int, *, fsync: bool, folder: Path) -> list[dict[str, float]]:
    """One row for each length."""
    mission = Mission(seed)
    blocks = {"calls": BLOCK, "repeats": REPEATS}
    clock = time.perf_counter if fsync else time.process_time
    log = MemoryLog(folder / "memory.jsonl", sync=Sync.ALWAYS if fsync else Sync.NEVER)
    rows: list[dict[str, float]] = []
    for length in [n for n in LENGTHS if n <= longest]:
        mission.play(max(0, length - mission.turn))
        while log.step < length:
            log.append(_change(log.step + 1, mission.memory))
        start = mission.turn

        def viewed() -> object:
            return Reader(mission.memory).view(mission.world.blocks[:2], budget_tokens=400)

        def logged() -> None:
            log.append(_change(log.step + 1, mission.memory))

        view = Reader(mission.memory).view(mission.world.blocks[:2], budget_tokens=400)
        rows.append(
            {
                "steps": start,
                "write, us": 1e6 * cpu_s(lambda: mission.play(1), **blocks),
                "view, us": 1e6 * cpu_s(viewed, **blocks),
                "log, us": 1e6 * cpu_s(logged, clock=clock, **blocks),
                "facts": len(mission.memory.beliefs),
                "view tokens": view.tokens,
            }
        )
    log.close()
    return rows


def _change(step: int, memory: Memory) -> Change:
    """A change of typical size."""
    facts = tuple(memory.beliefs.values())[:3]
    return Change(step=step, time_s=float(step), cause="executed (put a b c)", put=facts)


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=LENGTHS[-1], help="longest mission")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fsync", action="store_true", help="log every change to the disk")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options.steps, options.seed, fsync=options.fsync, folder=Path(folder))
    if options.json:
        sys.stdout.write(json.dumps(rows) + "\n")
        return 0
    times = ("write, us", "view, us", "log, us")
    sys.stdout.write(ratio_table("steps", rows, times, ("facts", "view tokens")))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
