"""What the arm's planner makes of the same number of samples, by how they are drawn.

    python benchmarks/mpc_search.py

Two reward programs of one stage for 2.5 simulated seconds: the open hand 16 cm above the apple, and
around it. Mean weighted cost of what was measured in the first second and after it, and how far the
palm still wanders after it (largest standard deviation of an axis).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from embodied_controllers.mpc import Mppi

from embodied.bench.report import markdown_table
from embodied.language.reward.building import stage
from embodied.language.reward.hand_building import (
    ARM_CALM,
    DOWN,
    OPEN,
    a,
    near,
)
from embodied.routes.reward.robots import REWARD_ROBOTS
from embodied.routes.reward.setup import build_setup
from embodied.types import RewardGoal, RewardProgram, RewardStage

PROGRAMS = {
    "hover": stage(
        a("distance", a="palm", b="apple", distance=0.16, weight=10.0), OPEN, DOWN, *ARM_CALM
    ),
    "enclose": stage(near("palm", "apple", 30.0), OPEN, DOWN, *ARM_CALM),
}
VARIANTS = {
    "white noise, 4 knots": (4, 0.0, False),
    "white noise, 3 knots": (3, 0.0, False),
    "correlated 0.7, 3 knots": (3, 0.7, False),
    "correlated 0.7, 3 knots, straight lines of the hand": (3, 0.7, True),
}
SEEDS = (100, 101, 102)
SECONDS = 2.5


def trial(only: RewardStage, knots: int, correlation: float, lines: bool, seed: int) -> list[float]:
    """Cost in the first second, cost after it, wander of the palm in mm."""
    rig = build_setup(
        "fr3-hand",
        scene=("apple",),
        seed=seed,
        options=replace(REWARD_ROBOTS.get("fr3-hand").options, n_knots=knots),
        optimiser=Mppi(noise=0.15, temperature=0.1, correlation=correlation),
    )
    controller = rig.controller
    if not lines:
        controller.planner._directions = None
    observation = rig.world.reset(seed=seed)
    program = RewardProgram(robot="fr3-hand", stages=(only,), source="benchmark")
    state = controller.init(RewardGoal(program=program), observation)
    costs, palms = [], []
    while observation.time < SECONDS:
        command, state, _ = controller.step(state, observation)
        observation = rig.world.step(command).observation
        x = controller.estimator.state(observation, state.observation)
        sensors = controller.estimator.sensors_of(x, rig.world.data.ctrl)
        time = np.array([observation.time])
        costs.append(state.costs[0].by_term(time, x[None, None], sensors[None, None]).sum())
        palms.append(
            controller.estimator.measure(observation, state.observation).point("palm")[0, 0]
        )
    rig.close()
    wander = np.array(palms[100:]).std(axis=0).max()
    return [float(np.mean(costs[:100])), float(np.mean(costs[100:])), 1e3 * float(wander)]


def main() -> None:
    """Print one table."""
    rows: list[list[str]] = []
    for label, (knots, correlation, lines) in VARIANTS.items():
        for name, only in PROGRAMS.items():
            trials = [trial(only, knots, correlation, lines, seed) for seed in SEEDS]
            first, later, wander = np.mean(trials, axis=0)
            rows.append([label, name, f"{first:.2f}", f"{later:.3f}", f"{wander:.0f} mm"])
    header = ("search", "program", "cost in the first second", "cost after it", "palm wanders")
    print(markdown_table(header, rows))


if __name__ == "__main__":
    main()
