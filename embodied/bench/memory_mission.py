"""A mission that writes a memory log until its process is killed, and the check of what is left.

The writer draws proposals from a seed and its own step number alone, so that the state after any
step is known without the log: whoever kills it can say what the log must hold.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from embodied.memory import (
    Delta,
    Linear,
    Memory,
    MemoryLog,
    Provenance,
    Sync,
    Vocabulary,
    Writer,
    inconsistencies,
    read_changes,
    replay,
)
from embodied.memory.log import encode
from embodied.symbolic import read_domain
from embodied.types import Atom

_BLOCKS = tuple(f"b{n}" for n in range(6))
_PLACES = (*_BLOCKS, "bowl", "table")


def empty_memory() -> Memory:
    """The memory before the first step."""
    text = (resources.files("embodied_assets") / "domains" / "statler.pddl").read_text("utf-8")
    objects = {b: "block" for b in _BLOCKS} | {"bowl": "bowl", "table": "table"}
    return Memory(vocabulary=Vocabulary(domain=read_domain(text), objects=objects))


def next_state(memory: Memory, seed: int) -> Memory:
    """One step of the mission: random proposals, some of them impossible."""
    rng = np.random.default_rng((seed, memory.step))
    time_s = float(memory.step + 1)
    x, y = (_BLOCKS[int(i)] for i in rng.choice(len(_BLOCKS), size=2, replace=False))
    if rng.random() < 0.15:
        relation = Linear.ratio(Atom("weight", (x,)), int(rng.integers(1, 4)), Atom("weight", (y,)))
        return Writer().relate(memory, relation, time_s=time_s).memory
    place = _PLACES[int(rng.integers(len(_PLACES)))]
    deltas = [Delta.add(f"(on {x} {place})"), Delta.add(f"({rng.choice(['dirty', 'clean'])} {y})")]
    return Writer().propose(memory, deltas, provenance=Provenance.TOLD, time_s=time_s).memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What a kill left behind.

    Attributes:
        steps: Steps that the log still holds.
        cut_off: Whether the last line was incomplete.
        problem: What is wrong, ``""`` if nothing.
    """

    steps: int
    cut_off: bool
    problem: str


def inspect(path: Path, seed: int, *, acknowledged: int, go_on: int = 5) -> Aftermath:
    """Open a log after a kill, check it and continue it.

    Args:
        path: The log.
        seed: Seed of the mission.
        acknowledged: Steps that were reported as written before the kill.
        go_on: Steps to continue for.
    """
    cut_off = path.exists() and bool(raw := path.read_bytes()) and not raw.endswith(b"\n")
    with MemoryLog(path) as log:
        steps = log.step
        memory = replay(empty_memory(), path)
        truth = empty_memory()
        for change in read_changes(path):
            truth = next_state(truth, seed)
            if truth.change is None or encode(truth.change) != encode(change):
                return Aftermath(
                    steps=steps, cut_off=cut_off, problem=f"step {change.step} differs"
                )
        if steps < acknowledged:
            problem = f"{acknowledged} steps were acknowledged, {steps} are left"
            return Aftermath(steps=steps, cut_off=cut_off, problem=problem)
        if dict(memory.beliefs) != dict(truth.beliefs) or memory.quantities != truth.quantities:
            return Aftermath(steps=steps, cut_off=cut_off, problem="the replayed state differs")
        for _ in range(go_on):
            memory = next_state(memory, seed)
            if memory.change is not None:
                log.append(memory.change)
    again = replay(empty_memory(), path)
    problem = "" if dict(again.beliefs) == dict(memory.beliefs) else "continuing did not work"
    found = inconsistencies(memory.vocabulary, memory.facts)
    return Aftermath(steps=steps, cut_off=cut_off, problem=problem or "; ".join(found))


def write_for_ever(path: Path, seed: int, *, sync: Sync, acknowledge: int) -> None:
    """Continue the mission until the process is killed.

    Args:
        path: The log.
        seed: Seed of the mission.
        sync: As for ``MemoryLog``.
        acknowledge: File descriptor to which the number of each written step goes, one a line.
    """
    memory = replay(empty_memory(), path) if path.exists() else empty_memory()
    with MemoryLog(path, sync=sync) as log:
        while True:
            memory = next_state(memory, seed)
            if memory.change is not None:
                log.append(memory.change)
                os.write(acknowledge, b"%d\n" % memory.step)


if __name__ == "__main__":
    write_for_ever(Path(sys.argv[1]), int(sys.argv[2]), sync=Sync(sys.argv[3]), acknowledge=1)
