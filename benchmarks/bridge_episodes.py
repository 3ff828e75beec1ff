"""The same goals in MuJoCo directly and with the arm behind the supervisor: same success?

    python benchmarks/bridge_episodes.py --episodes 50 --out runs/bridge_episodes

Layouts and goals are those of ``tabletop_motion.py``. Planner, skills, controller and agent are the
same code in both; behind the supervisor, every set-point passes the safety filter, and motions are
slowed down to the Cartesian speeds of the signed-off limits. Success is the goal measured to hold
at the end. Finished episodes are lines of ``episodes.jsonl`` in the output folder; a run that was
stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from embodied.app.bridge.session import BridgeOptions, open_supervised
from embodied.bench.report import wilson_interval
from embodied.bridge.limits import shipped_limits
from embodied.settings import Settings
from embodied.symbolic import holds, read_domain, read_goal
from embodied.types import Observation
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import build_world, planning_model
from embodied.world.scene import load_scene

sys.path.insert(0, str(Path(__file__).parent))
from tabletop_motion import SCENE, Watched, draw_task, pursuer, whole_lines

STACKS = 0.4
WORLDS = ("direct", "bridge")
BAR_POINTS = 2.0


def run_episode(seed: int, limits: str) -> dict[str, Any]:
    """One layout and one goal in both worlds."""
    scene = load_scene(SCENE)
    direct = build_world(scene, stacks=STACKS)
    model = planning_model(scene)
    grounder = TabletopGrounder(direct.spec)
    _, goal, info = draw_task(direct, grounder, seed)
    result: dict[str, Any] = {"seed": seed, "goal": goal, **info}
    result["direct"] = _pursue(direct, model, direct.reset(seed=info["layout"]), goal, seed)
    direct.close()
    supervised = open_supervised(
        Settings(world="bridge", scene=SCENE),
        BridgeOptions(limits=shipped_limits(limits), stacks=STACKS),
        scene,
    )
    world = supervised.world
    try:
        start = world.reset(seed=info["layout"])
        result["bridge"] = _pursue(world, model, start, goal, seed, supervised)
    finally:
        world.close()
    result["same_actions"] = result["direct"]["actions"] == result["bridge"]["actions"]
    return result


def _pursue(
    world: Any, model: Any, start: Observation, goal: str, seed: int, supervised: Any = None
) -> dict[str, Any]:
    grounder = TabletopGrounder(world.spec)
    domain = read_domain(grounder.domain_text)
    watched = Watched(world)
    agent, program = pursuer(watched, model, start, goal, seed, supervised)
    cpu, wall = time.process_time(), time.perf_counter()
    report = agent.pursue(program)
    end = world.observe()
    # Judged again from what is measured now, by nothing that the agent believes.
    reached = holds(
        read_goal(goal, domain, grounder.objects), grounder.facts(end), domain, grounder.objects
    )
    return {
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
        "violations": [str(v) for v in watched.monitor.violations[:5]],
        "periods": watched.monitor.observations,
        "reasons": _kinds(watched.reasons),
    }


def _kinds(reasons: Counter[str]) -> dict[str, int]:
    """Reasons without their numbers."""
    kinds: Counter[str] = Counter()
    for reason, count in reasons.items():
        kinds[" ".join(reason.split()[:2]).rstrip(":")] += count
    return dict(kinds)


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """The figures, one per line."""
    n = len(results)
    for world in WORLDS:
        of = [r[world] for r in results]
        won = sum(o["reached"] for o in of)
        low, high = wilson_interval(won, n)
        yield f"{world:7} reached by measured state  {won}/{n} (95% Wilson {low:.3f} to {high:.3f})"
        reasons: Counter[str] = Counter()
        for o in of:
            reasons.update(o["reasons"])
        said = ", ".join(f"{k} {v}" for k, v in reasons.most_common()) or "none"
        yield (
            f"{world:7} actions {sum(len(o['actions']) for o in of)}, failed "
            f"{sum(len(o['failed_actions']) for o in of)}; per episode "
            f"{np.mean([o['sim_s'] for o in of]):.1f} s simulated; limit violations "
            f"{sum(len(o['violations']) for o in of)}; largest share of a velocity limit "
            f"{max(o['dq_share'] for o in of):.3f}"
        )
        yield f"{world:7} {sum(o['periods'] for o in of)} periods; not passed as asked: {said}"
    yield f"same actions carried out  {sum(r['same_actions'] for r in results)}/{n}"
    for r in results:
        for world in WORLDS:
            if not r[world]["reached"]:
                yield f"MISSED seed {r['seed']} {world}: {r[world]['message']} {r[world]['unmet']}"
                yield from (f"    {f}" for f in r[world]["failed_actions"])


def main() -> int:
    """Run what is missing, print the table; 1 when the bridge is below the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first episode")
    parser.add_argument("--limits", default="fr3-simulated", help="name of shipped limits")
    parser.add_argument("--out", type=Path, default=None, help="folder to continue in")
    options = parser.parse_args()
    log = None
    done: dict[int, dict[str, Any]] = {}
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        log = options.out / f"episodes-{options.limits}.jsonl"
        if log.exists():
            done = {r["seed"]: r for r in whole_lines(log.read_text("utf-8").splitlines())}
    wanted = range(options.seed, options.seed + options.episodes)
    for seed in wanted:
        if seed in done:
            continue
        result = run_episode(seed, options.limits)
        done[seed] = result
        if log is not None:
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
        marks = ", ".join(f"{w} {'reached' if result[w]['reached'] else 'MISSED'}" for w in WORLDS)
        wall = result["bridge"]["wall_s"]
        print(f"seed {seed}: {marks} ({wall} s) {result['bridge']['reasons']}", flush=True)
    results = [done[s] for s in wanted]
    print("\n".join(table(results)))
    shares = {w: 100.0 * np.mean([r[w]["reached"] for r in results]) for w in WORLDS}
    difference = shares["bridge"] - shares["direct"]
    print(f"difference of success: {difference:+.1f} points (bar: within {BAR_POINTS:g})")
    return 0 if abs(difference) <= BAR_POINTS else 1


if __name__ == "__main__":
    raise SystemExit(main())
