"""A million fuzzed set-points through the safety filter: is any limit broken in what is sent?

    python benchmarks/bridge_filter.py --count 1000000 --out runs/bridge_filter

Garbage, jumps, smooth motions, drives into limits and things, silence, faults of the arm. What is
sent is looked at by code of its own: differences of set-points, positions and contacts in the
planner's model. Prints what was decided, and what a decision costs: by the clock on the wall, which
counts whatever else the machine does, and in processor time, which the bar is for. Every 2000
set-points are one result.
"""

from __future__ import annotations

import functools
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from bridge_proposals import Look, fuzz

from embodied.bench.benchmark import Benchmark, main, option
from embodied.bench.runner import Payload, Row, Task
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import SafetyLimits, load_limits, shipped_limits
from embodied.world.scene import Scene, load_scene

BAR_US = 200.0
CHUNK = 2000
COSTS = ("wall_us", "cpu_us", "accepted_moving_wall_us", "accepted_moving_cpu_us")


@functools.cache
def rig(limits_name: str, scene_name: str) -> tuple[SafetyLimits, Scene, ArmGeometry, Look]:
    """What all chunks share."""
    limits, scene = load_limits(shipped_limits(limits_name)), load_scene(scene_name)
    return limits, scene, ArmGeometry(limits, scene), Look(limits, scene)


def run_chunk(payload: Payload) -> Row:
    """One random start and the set-points from there."""
    limits, scene, geometry, look = rig(payload["limits"], payload["scene"])
    count, seed = payload["count"], payload["seed"]
    result = fuzz(limits, scene, count=count, seed=seed, geometry=geometry, look=look)
    costs = (result.cost_us, result.cpu_us, result.moving_us, result.moving_cpu_us)
    return {
        "setpoints": len(result.cost_us),
        "violations": result.violations,
        "looked": result.looked,
        "verdicts": result.verdicts,
        "reasons": result.codes,
        **{name: counted(values) for name, values in zip(COSTS, costs, strict=True)},
    }


def counted(values: Iterable[float]) -> dict[str, int]:
    """How often each cost occurred, rounded up to a microsecond."""
    return {str(us): n for us, n in sorted(Counter(int(np.ceil(v)) for v in values).items())}


def quantile(results: Sequence[Row], name: str, share: float) -> int:
    """Cost that this share of all decisions does not exceed, microseconds."""
    total: Counter[int] = Counter()
    for result in results:
        total.update({int(us): n for us, n in result[name].items()})
    values = np.array(sorted(total))
    below = np.cumsum([total[int(v)] for v in values])
    return int(values[np.searchsorted(below, share * below[-1])])


def summed(results: Sequence[Row], name: str) -> dict[str, int]:
    """Counts of all chunks together, the largest first."""
    total: Counter[str] = Counter()
    for result in results:
        total.update(result[name])
    return dict(total.most_common())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    count: int = option(1_000_000, "set-points")
    seed: int = option(0)
    limits: str = option("fr3-simulated", "name of shipped limits", key=True)
    scene: str = option("kitchen", key=True)


def cases(settings: Settings) -> list[Task]:
    """Chunks of set-points."""
    tasks: list[Task] = []
    for chunk in range(-(-settings.count // CHUNK)):
        size = min(CHUNK, settings.count - chunk * CHUNK)
        seed = settings.seed * 1_000_000 + chunk
        payload = {"limits": settings.limits, "scene": settings.scene, "count": size, "seed": seed}
        tasks.append(Task(id=f"seed-{seed}-count-{size}", payload=payload))
    return tasks


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """What was decided, what was broken, and what a decision costs."""
    results = [r for r in rows if r.get("status") != "error"]
    violations = [v for r in results for v in r["violations"]]
    costs = {
        f"{which}_{name}": quantile(results, name, share)
        for name in (COSTS if results else ())
        for which, share in (("median", 0.5), ("p99", 0.99))
    }
    return {
        "setpoints": sum(r["setpoints"] for r in results),
        "errors": [r["error"] for r in rows if r.get("status") == "error"],
        "violations": len(violations),
        "first_violations": violations[:10],
        "contacts_looked_at": sum(r["looked"] for r in results),
        "verdicts": summed(results, "verdicts"),
        "reasons": summed(results, "reasons"),
        **costs,
    }


def code(report: Row) -> int:
    """1 when a limit was broken or the median cost is too high."""
    names = ("median_cpu_us", "median_accepted_moving_cpu_us")
    dear = any(report.get(name, 0) > BAR_US for name in names)
    return int(bool(report["violations"]) or dear)


BENCHMARK = Benchmark(
    name="bridge-filter",
    summary="Fuzzed set-points through the safety filter: is any limit broken in what is sent?",
    settings=Settings,
    cases=cases,
    run=run_chunk,
    report=summarise,
    table=lambda report: json.dumps(report, indent=2),
    code=code,
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
