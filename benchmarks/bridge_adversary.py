"""An adversary who knows the code: does anything that is sent to the arm break a limit?

    python benchmarks/bridge_adversary.py --out runs/bridge_adversary

Ways to get more than is allowed, each with many seeds: creeping, resonance, grazing contact, gaps
of the gripper, taking over again and again on a sagging arm, approvals given and refused in turn,
refused plans, clocks that step, and everything the fuzz has. What was sent is judged by
``bridge_checker``, which shares no code with the filter. Then supervisors in real time are flooded
while an operator presses stop: how long until the stop is acted on, and how late a period of the
supervisor begins at worst. Finished cases are not run
again.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from bridge_attacks import STRATEGIES, Attack
from bridge_checker import TOLERANCE_M, Checker
from bridge_floods import FLOODS, run_flood

from embodied.bench.benchmark import Benchmark, main, option
from embodied.bench.runner import Payload, Row, Task
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import KeepOut, SafetyLimits, load_limits, shipped_limits
from embodied.world.scene import load_scene

CHUNK = 5000
TAKEN_M = 1e-3
"""How much nearer than allowed a sagging arm may be when it is taken over, as stated."""


@functools.cache
def rig(limits_name: str, scene_name: str) -> tuple[SafetyLimits, ArmGeometry, Checker]:
    """What all cases share; a box that must not be entered stands in the scene."""
    limits, scene = load_limits(shipped_limits(limits_name)), load_scene(scene_name)
    box = KeepOut(name="box", lower=np.array([0.3, -0.65, 0.2]), upper=np.array([0.7, -0.35, 0.6]))
    limits = replace(limits, keep_out=(box,), scenes=())
    return limits, ArmGeometry(limits, scene), Checker(limits, scene)


def run_case(payload: Payload) -> Row:
    """One strategy and seed, or one flood."""
    if payload["kind"] == "flood":
        return run_flood(payload["name"], payload["seed"])
    limits, geometry, checker = rig(payload["limits"], payload["scene"])
    name, rng = payload["name"], np.random.default_rng(payload["seed"])
    attack = Attack(limits, geometry, rng, confirm=name == "confirm")
    beyond = STRATEGIES[name](attack, payload["count"]) or 0.0
    attack.end_run()
    found: list[str] = []
    for sent, _ in attack.runs:
        found += [*checker.motion(sent), *checker.places(sent)]
    sent, gaps = (np.concatenate(parts) for parts in zip(*attack.runs, strict=True))
    worst, which = checker.depth(sent, gaps)
    if worst > TOLERANCE_M + (TAKEN_M if name == "take-over" else 0.0):
        found.append(f"{which}: {1000 * worst:.3f} mm too near")
    if beyond > 0.0:
        found.append(f"{beyond:.4f} rad beyond what was approved")
    return {
        "strategy": name,
        "setpoints": len(sent),
        "violations": len(found),
        "first_violations": found[:5],
        "deepest_m": worst,
        "verdicts": attack.verdicts,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    count: int = option(1_000_000, "set-points in all")
    seeds: int = option(10, "seeds of each strategy, at least")
    limits: str = option("fr3-simulated", "name of shipped limits", key=True)
    scene: str = option("kitchen", key=True)
    filter_only: bool = option(False, "measure no reaction times under floods")


def cases(settings: Settings) -> list[Task]:
    """Every strategy with as many seeds as the count takes, and the floods."""
    of_each = max(settings.seeds, -(-settings.count // (CHUNK * len(STRATEGIES))))
    each = {"limits": settings.limits, "scene": settings.scene, "count": CHUNK}
    tasks = [
        Task(id=f"{n}-{seed}", payload={"kind": "filter", "name": n, "seed": seed, **each})
        for seed in range(of_each)
        for n in STRATEGIES
    ]
    floods = () if settings.filter_only else FLOODS
    tasks += [
        Task(id=f"flood-{n}", payload={"kind": "flood", "name": n, "seed": 0}) for n in floods
    ]
    return tasks


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """What was tried, what broke, and how fast stops were."""
    del settings
    good = [r for r in rows if r.get("status") != "error"]
    strategies: dict[str, Row] = {}
    for name in STRATEGIES:
        mine = [r for r in good if r.get("strategy") == name]
        strategies[name] = {
            "setpoints": sum(r["setpoints"] for r in mine),
            "passed": sum(r["verdicts"].get(v, 0) for r in mine for v in ("pass", "clamp")),
            "violations": sum(r["violations"] for r in mine),
            "first_violations": [v for r in mine for v in r["first_violations"]][:5],
            "deepest_mm": 1000 * max((r["deepest_m"] for r in mine), default=0.0),
        }
    floods = {
        r["flood"]: {
            "stops": len(r["reactions_s"]),
            "median_ms": 1000 * float(np.median(r["reactions_s"])),
            "worst_ms": 1000 * max(r["reactions_s"]),
            "latest_ms": 1000 * r["latest_s"],
            "alive": r["alive"],
        }
        for r in good
        if "flood" in r
    }
    return {
        "setpoints": sum(s["setpoints"] for s in strategies.values()),
        "violations": sum(s["violations"] for s in strategies.values()),
        "strategies": strategies,
        "floods": floods,
        "errors": [r["error"] for r in rows if r.get("status") == "error"],
    }


def table(report: Row) -> str:
    """As a table for a terminal."""
    lines = [
        "| strategy | set-points | passed | violations | deepest, mm |",
        "|---|---|---|---|---|",
    ]
    for name, s in report["strategies"].items():
        cells = (name, s["setpoints"], s["passed"], s["violations"], f"{s['deepest_mm']:.3f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
        lines += [f"  {v}" for v in s["first_violations"]]
    head = ("flood", "stops", "median, ms", "worst, ms", "period late by at most, ms")
    lines += ["", "| " + " | ".join(head) + " |", "|---|---|---|---|---|"]
    for name, f in report["floods"].items():
        times = " | ".join(f"{f[k]:.1f}" for k in ("median_ms", "worst_ms", "latest_ms"))
        lines.append(f"| {name} | {f['stops']} | {times} |")
    lines += ["", f"{report['setpoints']} set-points, {report['violations']} violations"]
    lines += [f"error: {e}" for e in report["errors"][:5]]
    return "\n".join(lines)


def code(report: Row) -> int:
    """1 when a limit was broken, a case failed, or a supervisor did not outlive a flood."""
    dead = any(not f["alive"] for f in report["floods"].values())
    return int(bool(report["violations"] or report["errors"]) or dead)


BENCHMARK = Benchmark(
    name="bridge-adversary",
    summary="An adversary who knows the code: does anything that is sent break a limit?",
    settings=Settings,
    cases=cases,
    run=run_case,
    report=summarise,
    table=table,
    code=code,
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
