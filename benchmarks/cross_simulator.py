"""The same layouts and goals in MuJoCo and in PyBullet: does the same program succeed in both?

    python benchmarks/cross_simulator.py --episodes 50 --out runs/cross_simulator

Layouts and goals are those of ``tabletop_motion.py``: drawn in MuJoCo from the episode's seed, then
started in both worlds from that seed. Each world has its own arm (FR3, Panda) and its own limits;
planner, skills, controller and agent are the same code. Success is the goal measured to hold at the
end of the episode in that world.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.bench.benchmark import Benchmark, every, main, option
from embodied.bench.runner import Payload, Row
from embodied.bench.tabletop import (
    SCENE,
    STACKS,
    Tabletop,
    compared_lines,
    difference_points,
    pursue,
)
from embodied.types import Observation
from embodied.world import mujoco, pybullet
from embodied.world.scene import load_scene

WORLDS = ("mujoco", "pybullet")
BAR_POINTS = 5.0
"""PyBullet's success may differ at most this much from MuJoCo's, in points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    episodes: int = option(50)
    seed: int = option(0, "seed of the first episode")


def run_episode(payload: Payload) -> Row:
    """One layout and one goal in both worlds."""
    scene, seed = load_scene(SCENE), int(payload["seed"])
    simulators = dict(zip(WORLDS, (mujoco, pybullet), strict=True))
    worlds = {n: m.build_world(scene, stacks=STACKS) for n, m in simulators.items()}
    table = Tabletop(worlds["mujoco"].spec)
    _, goal, info = table.draw(worlds["mujoco"], seed)
    starts = {n: w.reset(seed=info["layout"]) for n, w in worlds.items()}
    facts = [table.grounder.facts(o) for o in starts.values()]
    result: Row = {"seed": seed, "goal": goal, **info, "same_facts_at_start": facts[0] == facts[1]}
    ends: dict[str, Observation] = {}
    for name, world in worlds.items():
        model = simulators[name].planning_model(scene)
        result[name] = pursue(world, model, starts[name], goal, seed)
        ends[name] = world.observe()
        world.close()
    for when, seen in (("start", starts), ("end", ends)):
        result[f"{when}_difference_mm"] = _differences(*seen.values())
    return result


def _differences(a: Observation, b: Observation) -> dict[str, float]:
    """Distance between the positions of every object in two worlds, mm."""
    return {
        n: round(1000 * float(np.linalg.norm(p.position - b.poses[n].position)), 2)
        for n, p in a.poses.items()
    }


def lines(results: Sequence[Row]) -> Iterator[str]:
    """The figures, one per line."""
    n = len(results)
    both = [r for r in results if all(r[w]["reached"] for w in WORLDS)]
    same = [r for r in both if r["mujoco"]["actions"] == r["pybullet"]["actions"]]
    yield f"both reached                        {len(both)}/{n}"
    alike = sum(r["same_facts_at_start"] for r in results)
    yield f"same facts at the start             {alike}/{n}"
    for label, when, of in (
        ("blocks apart at the start", "start", results),
        ("blocks apart at the end", "end", both),
        ("  after the same actions", "end", same),
    ):
        apart = [r[f"{when}_difference_mm"] for r in of]
        values = [mm for r in apart for name, mm in r.items() if name.endswith("-block")]
        if values:
            yield (
                f"{label + ' (mm)':35} median {np.median(values):.2f}, "
                f"90% {np.quantile(values, 0.9):.2f}, largest {max(values):.1f}"
            )
    yield from compared_lines(results, WORLDS, BAR_POINTS)


BENCHMARK = Benchmark(
    name="cross-simulator",
    summary="The same layouts and goals in MuJoCo and in PyBullet.",
    settings=Settings,
    cases=lambda s: every("{seed:05d}", seed=range(s.seed, s.seed + s.episodes)),
    run=run_episode,
    report=lambda rows, settings: [r for r in rows if r.get("status") != "error"],
    table=lambda rows: "\n".join(lines(rows)),
    code=lambda rows: int(abs(difference_points(rows, WORLDS)) > BAR_POINTS),
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
