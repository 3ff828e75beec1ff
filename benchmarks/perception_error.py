"""Perceived against true poses over seeded layouts, with clean and with faulty cameras.

    python benchmarks/perception_error.py --scenes blocks kitchen workshop --layouts 20

Each layout is looked at ``--looks`` times per condition, nothing moves, and the percept of the last
look is compared with the simulator's own poses. "missed" counts objects without a pose, "wrong"
those more than 5 cm off. "two sigma" is the share of errors along an axis within twice the stated
standard deviation; 0.95 would be exact. Times are CPU times of one update: the first, which
searches, and a later one, which follows; each also as a ratio to a fixed piece of numpy work on the
same machine in the same minute (sorting 10^6 floats), since machines differ and are shared.
Finished conditions are lines of a JSON-lines file that a later call goes on from.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from embodied.perception import Perception, SegmentationDetector, SensorFaults, look
from embodied.perception.accuracy import compare
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.world.mujoco import MujocoWorld, build_world
from embodied.world.scene import load_scene

CONDITIONS: dict[str, SensorFaults | None] = {
    "clean": None,
    "noise 1 mm": SensorFaults(noise_std_m=0.001),
    "noise 2 mm": SensorFaults(noise_std_m=0.002),
    "noise 2 mm, 30% dropout": SensorFaults(noise_std_m=0.002, dropout=0.3),
    "noise 1 mm, 8 blind patches": SensorFaults(noise_std_m=0.001, patches=8),
    "noise 1 mm, top camera lost": SensorFaults(noise_std_m=0.001, lost=("top",)),
    "noise 1 mm, front-right only": SensorFaults(
        noise_std_m=0.001, lost=("top", "front-left", "rear-right")
    ),
    "noise 1 mm, true names": SensorFaults(noise_std_m=0.001),
}
WRONG_M = 0.05


def main() -> int:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--scenes", nargs="+", default=["blocks", "kitchen", "workshop"])
    parser.add_argument("--conditions", nargs="+", default=list(CONDITIONS), choices=CONDITIONS)
    parser.add_argument("--layouts", type=int, default=20)
    parser.add_argument("--looks", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/perception_error.jsonl"))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    done = _finished(args.out, args.layouts, args.looks)
    wanted = [(s, c) for s in args.scenes for c in args.conditions]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("conditions", total=len(wanted) * args.layouts)
        for scene in args.scenes:
            todo = [c for s, c in wanted if s == scene and (s, c) not in done]
            progress.advance(task, args.layouts * (len(args.conditions) - len(todo)))
            if not todo:
                continue
            world = build_world(load_scene(scene))
            for condition in todo:
                row = measure(
                    world, condition, args.layouts, args.looks, lambda: progress.advance(task)
                )
                done[scene, condition] = row
                with args.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
            world.close()
    rows = [done[key] for key in wanted]
    if args.json:
        print(json.dumps(rows))
    else:
        Console(width=150).print(_table(rows))
    return 0


def measure(
    world: MujocoWorld, condition: str, layouts: int, looks: int, tick: Any
) -> dict[str, Any]:
    """One row: a scene under a condition."""
    spec, faults = world.spec, CONDITIONS[condition]
    true_names = condition.endswith("true names")
    detector = SegmentationDetector(spec.objects) if true_names else None
    robot = ModelRobotFilter.of(world.model, spec)
    perception = Perception(spec, detector=detector, robot_filter=robot)
    objects = {n: o for n, o in spec.objects.items() if n != "table"}
    rng = np.random.default_rng(0)
    errors: list[Any] = []
    missed, first, later, pictures, unit = 0, [], [], [], []
    for seed in range(layouts):
        truth = world.reset(seed=seed)
        perception.reset()
        unit.append(_unit_s())
        for k in range(looks):
            started = time.process_time()
            seen = look(world, truth, segmentation=true_names, faults=faults, rng=rng)
            between = time.process_time()
            percept = perception.update(seen)
            (first if k == 0 else later).append(time.process_time() - between)
            pictures.append(between - started)
        found, lost = compare(percept, truth.poses, objects)
        errors += found
        missed += len(lost)
        tick()
    position = [e.position_m for e in errors]
    turned = [math.degrees(e.rotation_rad) for e in errors if objects[e.name].shape == "box"]
    scale = float(np.median(unit))
    return {
        "scene": spec.name,
        "condition": condition,
        "layouts": layouts,
        "looks": looks,
        "objects": len(objects) * layouts,
        "missed": missed,
        "wrong": sum(p > WRONG_M for p in position),
        "position_mm": _quantiles(position, 1e3),
        "turn_deg": _quantiles(turned, 1.0),
        "size_mm": _quantiles([e.size_m for e in errors], 1e3),
        "two_sigma": float(np.mean([e.sigmas < 2.0 for e in errors])),
        "pictures_ms": 1e3 * float(np.median(pictures)),
        "first_ms": 1e3 * float(np.median(first)),
        "later_ms": 1e3 * float(np.median(later)) if later else None,
        "first_ratio": float(np.median(first)) / scale,
        "later_ratio": float(np.median(later)) / scale if later else None,
    }


def _unit_s() -> float:
    """CPU time of a fixed piece of work."""
    values = np.random.default_rng(0).random(1_000_000)
    started = time.process_time()
    values.sort()
    return time.process_time() - started


def _quantiles(values: Sequence[float], scale: float) -> list[float]:
    """Median and 95% quantile."""
    return [round(scale * float(v), 3) for v in np.quantile(values, [0.5, 0.95])]


def _finished(path: Path, layouts: int, looks: int) -> dict[tuple[str, str], dict[str, Any]]:
    if not path.is_file():
        return {}
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    same = [r for r in rows if (r["layouts"], r["looks"]) == (layouts, looks)]
    return {(r["scene"], r["condition"]): r for r in same}


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(title="perceived against true: median / 95%", box=None, pad_edge=False)
    for name in ("scene", "cameras"):
        table.add_column(name, no_wrap=True)
    for name in (
        "missed", "wrong", "position mm", "turn °", "size mm", "2 sigma", "first ms (x)",
        "later ms (x)", "images ms",
    ):  # fmt: skip
        table.add_column(name, justify="right", no_wrap=True)
    for r in rows:
        pairs = [f"{a:.1f} / {b:.1f}" for a, b in (r["position_mm"], r["turn_deg"], r["size_mm"])]
        later = "" if r["later_ms"] is None else f"{r['later_ms']:.0f} ({r['later_ratio']:.1f})"
        table.add_row(
            r["scene"],
            r["condition"],
            f"{r['missed']}/{r['objects']}",
            f"{r['wrong']}/{r['objects']}",
            *pairs,
            f"{r['two_sigma']:.2f}",
            f"{r['first_ms']:.0f} ({r['first_ratio']:.1f})",
            later,
            f"{r['pictures_ms']:.0f}",
        )
    return table


if __name__ == "__main__":
    raise SystemExit(main())
