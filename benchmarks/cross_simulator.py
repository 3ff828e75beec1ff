"""The same layouts and goals in MuJoCo and in PyBullet: does the same program succeed in both?

    python benchmarks/cross_simulator.py --episodes 50 --out runs/cross_simulator

Layouts and goals are those of ``tabletop_motion.py``: drawn in MuJoCo from the episode's seed, then
started in both worlds from that seed. Each world has its own arm (FR3, Panda) and its own limits;
planner, skills, controller and agent are the same code. Success is the goal measured to hold at the
end of the episode in that world. Finished episodes are lines of ``episodes.jsonl`` in the output
folder; a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bench.report import wilson_interval
from embodied.symbolic import holds, read_domain, read_goal
from embodied.types import Observation
from embodied.world import mujoco, pybullet
from embodied.world.grounding import TabletopGrounder
from embodied.world.scene import load_scene

sys.path.insert(0, str(Path(__file__).parent))
from tabletop_motion import SCENE, Watched, draw_task, pursuer, whole_lines

STACKS = 0.4
WORLDS = ("mujoco", "pybullet")
BAR_POINTS = 5.0
"""PyBullet's success may be at most this much below MuJoCo's, in points."""


def run_episode(seed: int) -> dict[str, Any]:
    """One layout and one goal in both worlds."""
    scene = load_scene(SCENE)
    worlds = {
        "mujoco": mujoco.build_world(scene, stacks=STACKS),
        "pybullet": pybullet.build_world(scene, stacks=STACKS),
    }
    models = {
        "mujoco": mujoco.planning_model(scene),
        "pybullet": pybullet.planning_model(scene),
    }
    grounder = TabletopGrounder(worlds["mujoco"].spec)
    _, goal, info = draw_task(worlds["mujoco"], grounder, seed)
    starts = {n: w.reset(seed=info["layout"]) for n, w in worlds.items()}
    result: dict[str, Any] = {
        "seed": seed,
        "goal": goal,
        **info,
        "start_difference_mm": _differences(starts["mujoco"], starts["pybullet"]),
        "same_facts_at_start": grounder.facts(starts["mujoco"])
        == grounder.facts(starts["pybullet"]),
    }
    ends: dict[str, Observation] = {}
    for name, world in worlds.items():
        result[name], ends[name] = _pursue(world, models[name], starts[name], goal, seed)
        world.close()
    result["end_difference_mm"] = _differences(ends["mujoco"], ends["pybullet"])
    same = [o["actions"] for o in (result["mujoco"], result["pybullet"])]
    result["same_actions"] = same[0] == same[1]
    return result


def _pursue(
    world: Any, model: Any, start: Observation, goal: str, seed: int
) -> tuple[dict[str, Any], Observation]:
    grounder = TabletopGrounder(world.spec)
    domain = read_domain(grounder.domain_text)
    watched = Watched(world)
    agent, program = pursuer(watched, model, start, goal, seed)
    cpu, wall = time.process_time(), time.perf_counter()
    report = agent.pursue(program)
    end = world.observe()
    # Judged again from what is measured now, by nothing that the agent believes.
    reached = holds(
        read_goal(goal, domain, grounder.objects), grounder.facts(end), domain, grounder.objects
    )
    outcome = {
        "reached": reached,
        "message": report.message,
        "unmet": [u for v in report.verdicts for u in v.unmet],
        "actions": [str(a.action) for a in report.details["actions"] if a.ok],
        "failed_actions": [
            f"{a.action}: {a.reason}" for a in report.details["actions"] if not a.ok
        ],
        "replans": len(report.details["plans"]) - 1,
        "sim_s": round(end.time, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
        "dq_share": round(watched.monitor.highest_speed_share, 4),
        "tau_share": round(watched.monitor.highest_torque_share, 4),
        "violations": [str(v) for v in watched.monitor.violations[:5]],
        "limited": sorted(watched.reasons),
    }
    return outcome, end


def _differences(a: Observation, b: Observation) -> dict[str, float]:
    """Distance between the positions of every object in two worlds, mm."""
    return {
        n: round(1000 * float(np.linalg.norm(p.position - b.poses[n].position)), 2)
        for n, p in a.poses.items()
    }


# ------------------------------------------------------------------------------------ report


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """The figures, one per line."""
    n = len(results)
    for world in WORLDS:
        won = sum(r[world]["reached"] for r in results)
        low, high = wilson_interval(won, n)
        yield f"{world:9} reached by measured state  {won}/{n} (95% Wilson {low:.3f} to {high:.3f})"
    both = [r for r in results if all(r[w]["reached"] for w in WORLDS)]
    yield f"both reached                        {len(both)}/{n}"
    alike = sum(r["same_facts_at_start"] for r in results)
    yield f"same facts at the start             {alike}/{n}"
    yield f"same actions carried out            {sum(r['same_actions'] for r in results)}/{n}"
    items = [k for k in results[0]["start_difference_mm"] if k.endswith("-block")]
    for when, of in (("start", results), ("end", both)):
        values = [r[f"{when}_difference_mm"][i] for r in of for i in items]
        if values:
            yield (
                f"blocks apart at the {when:5} (mm)      median {np.median(values):.2f}, "
                f"90% {np.quantile(values, 0.9):.2f}, largest {max(values):.1f}"
            )
    same = [r for r in both if r["same_actions"]]
    values = [r["end_difference_mm"][i] for r in same for i in items]
    if values:
        yield (
            f"  after the same actions (mm)       median {np.median(values):.2f}, "
            f"90% {np.quantile(values, 0.9):.2f}, largest {max(values):.1f}"
        )
    for world in WORLDS:
        of = [r[world] for r in results]
        yield (
            f"{world:9} actions {sum(len(o['actions']) for o in of)}, failed "
            f"{sum(len(o['failed_actions']) for o in of)}, episodes with a replan "
            f"{sum(o['replans'] > 0 for o in of)}, per episode simulated "
            f"{np.mean([o['sim_s'] for o in of]):.1f} s, CPU "
            f"{np.mean([o['cpu_s'] for o in of]):.1f} s"
        )
        yield (
            f"{world:9} limit violations {sum(len(o['violations']) for o in of)}, commands limited "
            f"{sum(len(o['limited']) for o in of)}, largest share of velocity "
            f"{max(o['dq_share'] for o in of):.3f}, of torque {max(o['tau_share'] for o in of):.3f}"
        )
    for r in results:
        for world in WORLDS:
            o = r[world]
            if not o["reached"]:
                yield f"MISSED seed {r['seed']} {world}: {o['message']} {o['unmet']}"
                yield from (f"    {f}" for f in o["failed_actions"])


def main() -> int:
    """Run what is missing, print the table; 1 when PyBullet is below the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first episode")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None, help="folder to continue in")
    options = parser.parse_args()
    log = None
    done: dict[int, dict[str, Any]] = {}
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        log = options.out / "episodes.jsonl"
        if log.exists():
            done = {r["seed"]: r for r in whole_lines(log.read_text("utf-8").splitlines())}
    wanted = range(options.seed, options.seed + options.episodes)
    missing = [s for s in wanted if s not in done]
    with ProcessPoolExecutor(max_workers=options.jobs) as pool:
        for future in as_completed([pool.submit(run_episode, s) for s in missing]):
            result = future.result()
            done[result["seed"]] = result
            if log is not None:
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(result) + "\n")
            marks = ", ".join(
                f"{w} {'reached' if result[w]['reached'] else 'MISSED'}" for w in WORLDS
            )
            print(f"seed {result['seed']}: {marks}", flush=True)
    results = [done[s] for s in wanted]
    print("\n".join(table(results)))
    shares = {w: 100.0 * np.mean([r[w]["reached"] for r in results]) for w in WORLDS}
    difference = shares["pybullet"] - shares["mujoco"]
    print(f"difference of success: {difference:+.1f} points (bar: within {BAR_POINTS:g})")
    return 0 if abs(difference) <= BAR_POINTS else 1


if __name__ == "__main__":
    raise SystemExit(main())
