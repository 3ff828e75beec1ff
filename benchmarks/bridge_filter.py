"""A million fuzzed set-points through the safety filter: is any limit broken in what is sent?

    python benchmarks/bridge_filter.py --count 1000000

Garbage, jumps, smooth motions, drives into limits and things, silence, faults of the arm. What is
sent is looked at by code of its own: differences of set-points, positions and contacts in the
planner's model. Prints what was decided, and what a decision costs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

import numpy as np
from rich.progress import track

from embodied.world.bridge.fuzz import Look, fuzz
from embodied.world.bridge.geometry import ArmGeometry
from embodied.world.bridge.limits import load_limits, shipped_limits
from embodied.world.scene import load_scene

BAR_US = 200.0
CHUNK = 2000


def main() -> int:
    """Run, print; 1 when a limit was broken or the median cost is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limits", default="fr3-simulated", help="name of shipped limits")
    parser.add_argument("--scene", default="kitchen")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    limits, scene = load_limits(shipped_limits(options.limits)), load_scene(options.scene)
    geometry, look = ArmGeometry(limits, scene), Look(limits, scene)
    verdicts, codes = Counter[str](), Counter[str]()
    cost: list[float] = []
    moving: list[float] = []
    violations: list[str] = []
    looked = 0
    chunks = -(-options.count // CHUNK)
    hidden = options.json or not sys.stderr.isatty()
    for chunk in track(range(chunks), description="set-points", disable=hidden):
        size = min(CHUNK, options.count - chunk * CHUNK)
        seed = options.seed * 1_000_000 + chunk
        result = fuzz(limits, scene, count=size, seed=seed, geometry=geometry, look=look)
        verdicts += result.verdicts
        codes += result.codes
        cost += result.cost_us
        moving += result.moving_us
        violations += result.violations
        looked += result.looked
    report = {
        "setpoints": len(cost),
        "violations": len(violations),
        "first_violations": violations[:10],
        "contacts_looked_at": looked,
        "verdicts": dict(verdicts.most_common()),
        "reasons": dict(codes.most_common()),
        "median_us": round(float(np.median(cost)), 1),
        "p99_us": round(float(np.quantile(cost, 0.99)), 1),
        "accepted_moving": len(moving),
        "median_accepted_moving_us": round(float(np.median(moving)), 1),
        "p99_accepted_moving_us": round(float(np.quantile(moving, 0.99)), 1),
    }
    print(json.dumps(report, indent=None if options.json else 2))
    worst = max(report["median_us"], report["median_accepted_moving_us"])
    return 0 if not violations and worst <= BAR_US else 1


if __name__ == "__main__":
    raise SystemExit(main())
