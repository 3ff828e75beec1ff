"""Dynamics learned online, with the value-map plan as prior for exploration and without it.

    python benchmarks/learned_dynamics.py [--seeds 5] [--trials 16] [--tasks NAMES] [--json]

After the comparison of VoxPoser (Huang et al. 2023, arXiv 2307.05973) on doors, windows, fridges.
Methods: the value-map plan alone (``zero-shot``), learning around it (``with prior``), and the same
learner with uniform actions (``no prior``). For each seed: trials until the budget is spent,
learning after each; then five evaluations without learning, in scenes that were not tried. Success
is a measured opening. Reported: evaluations that succeeded, and trials, steps and simulated seconds
until the first success while learning. Needs the extras [learned] and [value-map].
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from embodied_controllers.learned import OnlineLearner, PlanProposal, PlanStage, UniformProposal
from embodied_planners.value_map import Mover, ObjectGeometry, ValueMapPlanner, VoxelGrid

from embodied.bench.contact_scenes import HANDLE, SCENES, STEP_S, ContactScene, ContactWorld
from embodied.bench.report import markdown_table, rate
from embodied.types import MapOperation, Pose, Region, ValueMapStage

METHODS = ("zero-shot", "with prior", "no prior")
EVALUATIONS = 5
START = np.array([0.18, 0.0, 0.5])
NOISE_M, HELD_NOISE_M = 0.003, 0.035


def value_map_plan(scene: ContactScene) -> list[PlanStage]:
    """Two stages of maps, to the handle and straight along the pull, planned by the planner."""
    grid = VoxelGrid(
        origin_in_world=np.array([-0.2, -0.5, 0.0]), resolution_m=0.01, shape=(100, 100, 100)
    )
    planner = ValueMapPlanner(grid)
    handle = ObjectGeometry(pose=_pose(HANDLE), size_m=(0.016, 0.016, 0.016), obstacle=False)
    ends = (np.zeros(3), np.array(scene.pull_in_world))
    paths, start = [], START
    for end in ends:
        place = dict(zip("xyz", (float(v) for v in HANDLE + end), strict=True))
        region = Region(shape="point", frame="world", parameters=place)
        stage = ValueMapStage(
            moving="gripper",
            operations=(MapOperation(map="affordance", region=region, value=1.0),),
        )
        plan = planner.plan(stage, {"handle": handle}, _pose(start), mover=Mover.point(0.01))
        if not plan.found:
            raise RuntimeError(f"no value-map plan for {scene.name}: {plan.reason}")
        paths.append(np.asarray(plan.path_in_world, np.float64))
        start = HANDLE + end
    grasp = np.stack([HANDLE, HANDLE + [0.001, 0.0, 0.0]])
    return [
        PlanStage(path_in_world=paths[0], opening=1.0, noise_m=NOISE_M),
        PlanStage(path_in_world=grasp, opening=0.0, noise_m=NOISE_M, arrival_m=0.03, hold=2),
        PlanStage(path_in_world=paths[1], opening=0.0, noise_m=HELD_NOISE_M),
    ]


def _pose(position: Any) -> Pose:
    return Pose(position=np.array(position), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))


def run(job: tuple[str, str, int, int]) -> dict[str, Any]:
    """One seed of one method on one task."""
    import torch

    torch.set_num_threads(1)
    task, method, seed, trials = job
    begin = time.process_time()
    scene = SCENES[task]
    world = ContactWorld(scene)
    stages = value_map_plan(scene)
    proposal = {
        "zero-shot": PlanProposal(stages, noise=0.0),
        "with prior": PlanProposal(stages),
        "no prior": UniformProposal(),
    }[method]
    learner = OnlineLearner(world, proposal, seed=seed)
    tried = [
        learner.try_once(1000 * seed + i) for i in range(0 if method == "zero-shot" else trials)
    ]
    first = next((i + 1 for i, t in enumerate(tried) if t.success), None)
    judged = [learner.evaluate(1000 * seed + 500 + i) for i in range(EVALUATIONS)]
    return {
        "task": task,
        "method": method,
        "seed": seed,
        "first_success_trial": first,
        "first_success_steps": sum(t.steps for t in tried[:first]) if first else None,
        "steps": sum(t.steps for t in tried),
        "openings": [round(t.opening, 3) for t in tried],
        "evaluated": [round(t.opening, 3) for t in judged],
        "successes": sum(t.success for t in judged),
        "cpu_s": round(time.process_time() - begin, 1),
    }


def table(results: list[dict[str, Any]]) -> str:
    """One row for each task and method."""
    rows = []
    for task in SCENES:
        for method in METHODS:
            those = [r for r in results if (r["task"], r["method"]) == (task, method)]
            if not those:
                continue
            won = [r for r in those if r["first_success_trial"]]
            steps = statistics.median([r["first_success_steps"] for r in won]) if won else 0
            learned = method != "zero-shot"
            rows.append(
                (
                    task,
                    method,
                    rate(sum(r["successes"] for r in those), EVALUATIONS * len(those)),
                    f"{len(won)}/{len(those)}" if learned else "-",
                    statistics.median([r["first_success_trial"] for r in won]) if won else "-",
                    f"{steps:.0f} ({steps * STEP_S:.0f} s)" if won else "-",
                    f"{statistics.mean(r['steps'] for r in those):.0f}" if learned else "-",
                    f"{sum(r['cpu_s'] for r in those):.0f}",
                )
            )
    return markdown_table(
        (
            "task", "method", "evaluations that succeed", "seeds with a success while learning",
            "trials to it (median)", "steps to it (simulated)", "steps tried (mean)", "CPU s",
        ),
        rows,
    )  # fmt: skip


def main() -> int:
    """Measure and report; 0 where the prior makes for more successes on each task."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=16, help="trials with learning per seed")
    parser.add_argument("--tasks", default=",".join(SCENES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tasks = options.tasks.split(",")
    if unknown := sorted(set(tasks) - set(SCENES)):
        parser.error(f"unknown tasks {', '.join(unknown)}; known: {', '.join(SCENES)}")
    jobs = [(t, m, s, options.trials) for s in range(options.seeds) for t in tasks for m in METHODS]
    results: list[dict[str, Any]] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for result in pool.map(run, jobs):
            results.append(result)
            print(f"{len(results)}/{len(jobs)} {json.dumps(result)}", file=sys.stderr, flush=True)
    print(json.dumps(results) if options.json else table(results))
    won = {(t, m): sum(r["successes"] for r in results if (r["task"], r["method"]) == (t, m))
           for t in tasks for m in METHODS}  # fmt: skip
    return 0 if all(won[t, "with prior"] > won[t, "no prior"] for t in tasks) else 1


if __name__ == "__main__":
    sys.exit(main())
