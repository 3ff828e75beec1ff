"""Dynamics learned online, with the value-map plan as prior for exploration and without it.

After the comparison of VoxPoser (Huang et al. 2023, arXiv 2307.05973) on doors, windows, fridges,
and a box that is pushed along a line.

Methods: the value-map plan alone (``zero-shot``), the plan with the noise that exploration adds but
without learning (``plan + noise``), learning around it (``with prior``), the same where the best
trials are recalled (``prior + recall``), and the learner with uniform actions (``no prior``). For
each seed: trials until the budget is spent, learning after each; then five evaluations without
learning, in scenes that were not tried. Success is a measured opening. Reported: evaluations that
succeeded, and trials, steps and simulated seconds until the first success while learning. Needs
the extras [learned] and [value-map].
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embodied.bench.benchmark import About, Benchmark, every, option
from embodied.bench.contact.push import BOX, GOAL_M, HALF_M, PushWorld
from embodied.bench.contact.scenes import HANDLE, SCENES, START, STEP_S, ContactWorld
from embodied.bench.report import grouped, rate, table_of
from embodied.bench.runner import Payload, Row
from embodied.errors import EnvironmentMissingError
from embodied.language.value_map.building import target
from embodied.types import Array, Pose, Region, ValueMapStage

if TYPE_CHECKING:
    from embodied_controllers.learned import PlanStage

METHODS = ("zero-shot", "plan + noise", "with prior", "prior + recall", "no prior")
UNTAUGHT = METHODS[:2]
TASKS = (*SCENES, "push")
EVALUATIONS = 5
NOISE_M, HELD_NOISE_M = 0.003, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    seeds: int = option(5, at_least=1)
    first_seed: int = option(0)
    trials: int = option(16, "trials with learning per seed")
    task: tuple[str, ...] = option(TASKS, choices=TASKS)


def value_map_plan(task: str) -> list[PlanStage]:
    """Maps to where contact begins and straight on from there, planned by the planner."""
    from embodied_controllers.learned import PlanStage
    from embodied_planners.value_map import Mover, ValueMapPlanner, VoxelGrid

    grid = VoxelGrid(
        origin_in_world=np.array([-0.2, -0.5, 0.0]), resolution_m=0.01, shape=(100, 100, 100)
    )
    planner = ValueMapPlanner(grid)
    if task == "push":
        first = BOX - [HALF_M[0] + 0.035, 0.0, 0.0]
        last = first + [GOAL_M + 0.06, 0.0, 0.0]
    else:
        first, last = HANDLE, HANDLE + np.array(SCENES[task].pull_in_world)
    paths: list[Array] = []
    for start, end in ((START, first), (first, last)):
        place = dict(zip("xyz", map(float, end), strict=True))
        region = Region(shape="point", frame="world", parameters=place)
        stage = ValueMapStage(moving="gripper", operations=(target(region),))
        pose = Pose(position=start, quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))
        plan = planner.plan(stage, {}, pose, mover=Mover.point(0.01))
        if not plan.found:
            raise RuntimeError(f"no value-map plan for {task}: {plan.reason}")
        paths.append(np.asarray(plan.path_in_world, np.float64))
    on = PlanStage(path_in_world=paths[1], opening=0.0, noise_m=HELD_NOISE_M)
    if task == "push":
        return [PlanStage(path_in_world=paths[0], opening=0.0, noise_m=NOISE_M), on]
    grasp = np.stack([HANDLE, HANDLE + [0.001, 0.0, 0.0]])
    return [
        PlanStage(path_in_world=paths[0], opening=1.0, noise_m=NOISE_M),
        PlanStage(path_in_world=grasp, opening=0.0, noise_m=NOISE_M, arrival_m=0.03, hold=2),
        on,
    ]


def run(payload: Payload) -> Row:
    """One seed of one method on one task."""
    try:
        import torch  # pyright: ignore[reportMissingImports]
        from embodied_controllers.learned import (
            ContactTask,
            LearningOptions,
            OnlineLearner,
            PlanProposal,
            UniformProposal,
        )
    except ImportError as error:
        raise EnvironmentMissingError(
            "learned dynamics need torch: pip install 'embodied-stack[learned]'"
        ) from error

    torch.set_num_threads(1)
    task, method = str(payload["task"]), str(payload["method"])
    seed, trials = int(payload["seed"]), int(payload["trials"])
    begin = time.process_time()
    world: ContactTask = PushWorld() if task == "push" else ContactWorld(SCENES[task])
    stages = value_map_plan(task)
    noise = {"noise": 0.0} if method == "zero-shot" else {}
    proposal = UniformProposal() if method == "no prior" else PlanProposal(stages, **noise)
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


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """For each task and method: evaluations that succeed, and what learning took."""
    found: list[Row] = []
    groups = grouped([r for r in rows if r.get("status") != "error"], "task", "method")
    for task, method in sorted(groups, key=lambda g: (TASKS.index(g[0]), METHODS.index(g[1]))):
        those = groups[task, method]
        won = [r for r in those if r["first_success_trial"]]
        found.append(
            {
                "task": task,
                "method": method,
                "seeds": len(those),
                "successes": sum(r["successes"] for r in those),
                "won": len(won),
                "trials": _median([r["first_success_trial"] for r in won]),
                "first_steps": _median([r["first_success_steps"] for r in won]),
                "steps": statistics.mean(r["steps"] for r in those),
                "cpu_s": sum(r["cpu_s"] for r in those),
            }
        )
    return {"rows": found}


def _median(values: Sequence[int]) -> float | None:
    return statistics.median(values) if values else None


def _learned(show: Callable[[Row], object]) -> Callable[[Row], object]:
    return lambda r: "-" if r["method"] in UNTAUGHT else show(r)


COLUMNS: Mapping[str, str | Callable[[Row], object]] = {
    "task": "task",
    "method": "method",
    "evaluations that succeed": lambda r: rate(r["successes"], EVALUATIONS * r["seeds"]),
    "seeds with a success while learning": _learned(lambda r: f"{r['won']}/{r['seeds']}"),
    "trials to it (median)": lambda r: "-" if r["trials"] is None else r["trials"],
    "steps to it (simulated)": lambda r: (
        "-"
        if r["first_steps"] is None
        else f"{r['first_steps']:.0f} ({r['first_steps'] * STEP_S:.0f} s)"
    ),
    "steps tried (mean)": _learned(lambda r: f"{r['steps']:.0f}"),
    "CPU s": lambda r: f"{r['cpu_s']:.0f}",
}


def prior_helps(report: Row) -> int:
    """0 where the prior makes for more successes on each task."""
    won = {(r["task"], r["method"]): r["successes"] for r in report["rows"]}
    tasks = {t for t, _ in won}
    return int(any(won[t, "with prior"] <= won[t, "no prior"] for t in tasks))


BENCHMARK = Benchmark(
    name="contact",
    summary="Dynamics learned online, with the value-map plan as prior and without it.",
    about=About(routes=("value-map",)),
    settings=Settings,
    cases=lambda s: every(
        "{task}/{method}/{seed}/{trials}",
        {"trials": s.trials},
        seed=range(s.first_seed, s.first_seed + s.seeds),
        task=s.task,
        method=METHODS,
    ),
    run=run,
    report=summarise,
    table=lambda report: table_of(report["rows"], COLUMNS),
    code=prior_helps,
)
