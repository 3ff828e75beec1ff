"""Perceived against true poses over seeded layouts, with clean and with faulty cameras.

    python benchmarks/perception_error.py --layouts 20 [--scene blocks] [--condition clean]

Each layout is looked at ``--looks`` times per condition, nothing moves, and the percept of the last
look is compared with the simulator's own poses. "missed" counts objects without a pose, "wrong"
those more than 5 cm off. "two sigma" is the share of errors along an axis within twice the stated
standard deviation; 0.95 would be exact. Times are CPU times of one update: the first, which
searches, and a later one, which follows; each also as a ratio to a fixed piece of numpy work on the
same machine in the same minute (sorting 10^6 floats), since machines differ and are shared.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from measuring import fixed_work_s

from embodied.bench.benchmark import Benchmark, every, main, option
from embodied.bench.report import table_of
from embodied.bench.runner import Payload, Row
from embodied.perception import Perception, SegmentationDetector, SensorFaults, look
from embodied.perception.accuracy import ObjectError, compare
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.world.mujoco import build_world
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


SCENES = ("blocks", "kitchen", "workshop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    scene: tuple[str, ...] = option(SCENES, choices=SCENES)
    condition: tuple[str, ...] = option(tuple(CONDITIONS), choices=tuple(CONDITIONS))
    layouts: int = option(20, key=True)
    looks: int = option(3, "at each layout", key=True)


def measure(payload: Payload) -> Row:
    """One row: a scene under a condition."""
    world, condition = build_world(load_scene(str(payload["scene"]))), str(payload["condition"])
    layouts, looks = int(payload["layouts"]), int(payload["looks"])
    spec, faults = world.spec, CONDITIONS[condition]
    true_names = condition.endswith("true names")
    detector = SegmentationDetector(spec.objects) if true_names else None
    robot = ModelRobotFilter.of(world.model, spec)
    perception = Perception(spec, detector=detector, robot_filter=robot)
    objects = {n: o for n, o in spec.objects.items() if n != "table"}
    rng = np.random.default_rng(0)
    errors: list[ObjectError] = []
    missed, first, later, pictures, unit = 0, [], [], [], []
    for seed in range(layouts):
        truth = world.reset(seed=seed)
        perception.reset()
        unit.append(fixed_work_s())
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
    position = [e.position_m for e in errors]
    turned = [math.degrees(e.rotation_rad) for e in errors if objects[e.name].shape == "box"]
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
        "unit_ms": 1e3 * float(np.median(unit)),
    }


def _quantiles(values: Sequence[float], scale: float) -> list[float]:
    """Median and 95% quantile."""
    return [round(scale * float(v), 3) for v in np.quantile(values, [0.5, 0.95])]


def _times(row: Row, name: str) -> str:
    ms = row[f"{name}_ms"]
    return "" if ms is None else f"{ms:.0f} ({ms / row['unit_ms']:.1f})"


COLUMNS = {
    "scene": "scene",
    "cameras": "condition",
    "missed": lambda r: f"{r['missed']}/{r['objects']}",
    "wrong": lambda r: f"{r['wrong']}/{r['objects']}",
    "position mm": lambda r: "{:.1f} / {:.1f}".format(*r["position_mm"]),
    "turn °": lambda r: "{:.1f} / {:.1f}".format(*r["turn_deg"]),
    "size mm": lambda r: "{:.1f} / {:.1f}".format(*r["size_mm"]),
    "2 sigma": lambda r: f"{r['two_sigma']:.2f}",
    "first ms (x)": lambda r: _times(r, "first"),
    "later ms (x)": lambda r: _times(r, "later"),
    "images ms": lambda r: f"{r['pictures_ms']:.0f}",
}

BENCHMARK = Benchmark(
    name="perception-error",
    summary="Perceived against true poses over seeded layouts: median / 95%.",
    settings=Settings,
    cases=lambda s: every(
        "{scene}/{condition}",
        {"layouts": s.layouts, "looks": s.looks},
        scene=s.scene,
        condition=s.condition,
    ),
    run=measure,
    report=lambda rows, settings: [r for r in rows if r.get("status") != "error"],
    table=lambda rows: table_of(rows, COLUMNS),
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
