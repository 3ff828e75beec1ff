"""A million fuzzed set-points through the safety filter: is any limit broken in what is sent?

    python benchmarks/bridge_filter.py --count 1000000 --out runs/bridge_filter

Garbage, jumps, smooth motions, drives into limits and things, silence, faults of the arm. What is
sent is looked at by code of its own: differences of set-points, positions and contacts in the
planner's model. Prints what was decided, and what a decision costs: by the clock on the wall, which
counts whatever else the machine does, and in processor time, which the bar is for. Every 2000
set-points are one line of ``results.jsonl`` in the output folder; a run that was stopped goes on
there.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bench.runner import Task, check_settings, run_tasks
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import SafetyLimits, load_limits, shipped_limits
from embodied.bridge.testing.fuzz import Look, fuzz
from embodied.world.scene import Scene, load_scene

BAR_US = 200.0
CHUNK = 2000
COSTS = ("wall_us", "cpu_us", "accepted_moving_wall_us", "accepted_moving_cpu_us")


@functools.cache
def rig(limits_name: str, scene_name: str) -> tuple[SafetyLimits, Scene, ArmGeometry, Look]:
    """What all chunks share."""
    limits, scene = load_limits(shipped_limits(limits_name)), load_scene(scene_name)
    return limits, scene, ArmGeometry(limits, scene), Look(limits, scene)


def run_chunk(payload: Mapping[str, Any]) -> dict[str, Any]:
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


def quantile(results: list[dict[str, Any]], name: str, share: float) -> int:
    """Cost that this share of all decisions does not exceed, microseconds."""
    total: Counter[int] = Counter()
    for result in results:
        total.update({int(us): n for us, n in result[name].items()})
    values = np.array(sorted(total))
    below = np.cumsum([total[int(v)] for v in values])
    return int(values[np.searchsorted(below, share * below[-1])])


def summed(results: list[dict[str, Any]], name: str) -> dict[str, int]:
    """Counts of all chunks together, the largest first."""
    total: Counter[str] = Counter()
    for result in results:
        total.update(result[name])
    return dict(total.most_common())


def main() -> int:
    """Run what is missing, print; 1 when a limit was broken or the median cost is too high."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limits", default="fr3-simulated", help="name of shipped limits")
    parser.add_argument("--scene", default="kitchen")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, default=None, help="folder to continue in")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    where = {"limits": options.limits, "scene": options.scene}
    tasks: list[Task] = []
    for chunk in range(-(-options.count // CHUNK)):
        size = min(CHUNK, options.count - chunk * CHUNK)
        seed = options.seed * 1_000_000 + chunk
        payload = {**where, "count": size, "seed": seed}
        tasks.append(Task(id=f"seed-{seed}-count-{size}", payload=payload))
    with tempfile.TemporaryDirectory() as temporary:
        out = options.out or Path(temporary)
        check_settings(out, where)
        results = run_tasks(
            tasks,
            run_chunk,
            out,
            jobs=options.jobs,
            executor="serial" if options.jobs == 1 else "process",
            progress=not options.json and sys.stderr.isatty(),
            title="chunks of set-points",
        )
    broken = [r for r in results if r.get("status") == "error"]
    results = [r for r in results if r.get("status") != "error"]
    violations = [v for r in results for v in r["violations"]]
    report = {
        "setpoints": sum(r["setpoints"] for r in results),
        "errors": [r["error"] for r in broken],
        "violations": len(violations),
        "first_violations": violations[:10],
        "contacts_looked_at": sum(r["looked"] for r in results),
        "verdicts": summed(results, "verdicts"),
        "reasons": summed(results, "reasons"),
    }
    costs = {
        f"{which}_{name}": quantile(results, name, share)
        for name in (COSTS if results else ())
        for which, share in (("median", 0.5), ("p99", 0.99))
    }
    print(json.dumps({**report, **costs}, indent=None if options.json else 2))
    if violations or broken:
        return 1
    worst = max(costs["median_cpu_us"], costs["median_accepted_moving_cpu_us"])
    return 0 if worst <= BAR_US else 1


if __name__ == "__main__":
    raise SystemExit(main())
