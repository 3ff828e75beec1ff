"""Dynamics learned online, with the value-map plan as prior for exploration and without it.

    python benchmarks/learned_dynamics.py [--seeds 5] [--trials 16] [--tasks NAMES] [--out DIR]

After the comparison of VoxPoser (Huang et al. 2023, arXiv 2307.05973) on doors, windows, fridges,
and a box that is pushed along a line.

Methods: the value-map plan alone (``zero-shot``), the plan with the noise that exploration adds but
without learning (``plan + noise``), learning around it (``with prior``), the same where the best
trials are recalled (``prior + recall``), and the learner with uniform actions (``no prior``). For
each seed: trials until the budget is spent, learning after each; then five evaluations without
learning, in scenes that were not tried. Success is a measured opening. Reported: evaluations that
succeeded, and trials, steps and simulated seconds until the first success while learning. A run
with ``--out`` goes on where it was stopped. Needs the extras [learned] and [value-map].
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from embodied_controllers.learned import (
    ContactTask,
    LearningOptions,
    OnlineLearner,
    PlanProposal,
    PlanStage,
    UniformProposal,
)
from embodied_planners.value_map import Mover, ValueMapPlanner, VoxelGrid

from embodied.bench.contact.contact_push import BOX, GOAL_M, HALF_M, PushWorld
from embodied.bench.contact.contact_scenes import HANDLE, SCENES, START, STEP_S, ContactWorld
from embodied.bench.core.report import markdown_table, rate
from embodied.bench.core.runner import Task, run_tasks
from embodied.types import MapOperation, Pose, Region, ValueMapStage

METHODS = ("zero-shot", "plan + noise", "with prior", "prior + recall", "no prior")
UNTAUGHT = METHODS[:2]
TASKS = (*SCENES, "push")
EVALUATIONS = 5
NOISE_M, HELD_NOISE_M = 0.003, 0.05


def value_map_plan(task: str) -> list[PlanStage]:
    """Maps to where contact begins and straight on from there, planned by the planner."""
    grid = VoxelGrid(
        origin_in_world=np.array([-0.2, -0.5, 0.0]), resolution_m=0.01, shape=(100, 100, 100)
    )
    planner = ValueMapPlanner(grid)
    if task == "push":
        first = BOX - [HALF_M[0] + 0.035, 0.0, 0.0]
        last = first + [GOAL_M + 0.06, 0.0, 0.0]
    else:
        first, last = HANDLE, HANDLE + np.array(SCENES[task].pull_in_world)
    paths, start = [], START
    for end in (first, last):
        place = dict(zip("xyz", (float(v) for v in end), strict=True))
        region = Region(shape="point", frame="world", parameters=place)
        stage = ValueMapStage(
            moving="gripper",
            operations=(MapOperation(map="affordance", region=region, value=1.0),),
        )
        plan = planner.plan(stage, {}, _pose(start), mover=Mover.point(0.01))
        if not plan.found:
            raise RuntimeError(f"no value-map plan for {task}: {plan.reason}")
        paths.append(np.asarray(plan.path_in_world, np.float64))
        start = end
    on = PlanStage(path_in_world=paths[1], opening=0.0, noise_m=HELD_NOISE_M)
    if task == "push":
        return [PlanStage(path_in_world=paths[0], opening=0.0, noise_m=NOISE_M), on]
    grasp = np.stack([HANDLE, HANDLE + [0.001, 0.0, 0.0]])
    return [
        PlanStage(path_in_world=paths[0], opening=1.0, noise_m=NOISE_M),
        PlanStage(path_in_world=grasp, opening=0.0, noise_m=NOISE_M, arrival_m=0.03, hold=2),
        on,
    ]


def _pose(position: Any) -> Pose:
    return Pose(position=np.array(position), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))


def run(payload: Mapping[str, Any]) -> dict[str, Any]:
    """One seed of one method on one task."""
    import torch

    torch.set_num_threads(1)
    task, method = str(payload["task"]), str(payload["method"])
    seed, trials = int(payload["seed"]), int(payload["trials"])
    begin = time.process_time()
    world: ContactTask = PushWorld() if task == "push" else ContactWorld(SCENES[task])
    stages = value_map_plan(task)
    proposal = {
        "zero-shot": PlanProposal(stages, noise=0.0),
        "plan + noise": PlanProposal(stages),
        "with prior": PlanProposal(stages),
        "prior + recall": PlanProposal(stages),
        "no prior": UniformProposal(),
    }[method]
    options = LearningOptions(recalled=0.5 if method == "prior + recall" else 0.0)
    learner = OnlineLearner(world, proposal, options, seed=seed)
    tried = [learner.try_once(1000 * seed + i) for i in range(0 if method in UNTAUGHT else trials)]
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
    for task in TASKS:
        for method in METHODS:
            those = [r for r in results if (r["task"], r["method"]) == (task, method)]
            if not those:
                continue
            won = [r for r in those if r["first_success_trial"]]
            steps = statistics.median([r["first_success_steps"] for r in won]) if won else 0
            learned = method not in UNTAUGHT
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
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=16, help="trials with learning per seed")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="folder of results; one that has some goes on")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tasks = options.tasks.split(",")
    if unknown := sorted(set(tasks) - set(TASKS)):
        parser.error(f"unknown tasks {', '.join(unknown)}; known: {', '.join(TASKS)}")
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    jobs = [
        Task(
            id=f"{task}/{method}/{seed}/{options.trials}",
            payload={"task": task, "method": method, "seed": seed, "trials": options.trials},
        )
        for seed in seeds
        for task in tasks
        for method in METHODS
    ]
    with tempfile.TemporaryDirectory(prefix="learned-") as spare:
        out = options.out or Path(spare)
        results = run_tasks(jobs, run, out, jobs=options.jobs, title="learned dynamics")
    if failed := [r for r in results if r.get("status") == "error"]:
        print(f"{failed[0]['id']}: {failed[0]['error']}", file=sys.stderr)
        return 3
    print(json.dumps(results) if options.json else table(results))
    won = {(t, m): sum(r["successes"] for r in results if (r["task"], r["method"]) == (t, m))
           for t in tasks for m in METHODS}  # fmt: skip
    return 0 if all(won[t, "with prior"] > won[t, "no prior"] for t in tasks) else 1


if __name__ == "__main__":
    sys.exit(main())
