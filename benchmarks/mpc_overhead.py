"""CPU of planning beyond bare physics, real-time factor and plan-model fidelity, for every model.

    python benchmarks/mpc_overhead.py

Overhead: CPU of a whole replan (sampling, splines, cost, update) over the CPU of the
`mujoco.rollout` calls inside it, in one thread, median of blocks. Real-time factor: simulated s
per wall second of the closed loop at 50 replans per simulated second with two worker threads.
Fidelity: the same set-points, noisy around the rest posture, in both models for one second.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import numpy as np
from embodied_controllers.mpc.plan_models import fidelity, plan_model

from embodied.bench.l2r.suite import TASKS
from embodied.routes.reward.robots import REWARD_ROBOTS
from embodied.routes.reward.setup import build_setup
from embodied.types import RewardGoal

CASES = ("sit-low", "spin-fast", "stand-on-two", "lift", "move", "turn-on-faucet", "open-drawer")


def main() -> None:
    """Print one table."""
    print("| task (model) | replan CPU ms | overhead | real-time factor, 2 threads | "
          "joint error rad | plan model speed x real time | simulation |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for name in CASES:
        task = TASKS[name]
        rig = build_setup(task.robot, scene=task.scene, layout=task.layout)
        observation = rig.world.reset(seed=0)
        state = rig.controller.init(RewardGoal(program=task.oracle), observation)
        planner = rig.controller.planner
        pool = planner.rollouts._pool
        spent, bare = 0.0, pool.rollout

        def timed(*args, bare=bare, **kwargs):
            nonlocal spent
            begin = time.thread_time()
            out = bare(*args, **kwargs)
            spent += time.thread_time() - begin
            return out

        pool.rollout = timed
        x = rig.controller.estimator.state(observation)
        plan = state.plan
        for _ in range(5):
            plan = planner.plan(x, state.costs[0], plan)
        over: list[float] = []
        whole: list[float] = []
        for _ in range(10):
            spent, begin = 0.0, time.thread_time()
            for _ in range(8):
                plan = planner.plan(x, state.costs[0], plan)
            total = time.thread_time() - begin
            over.append(total / spent - 1)
            whole.append(total / 8)
        rig.close()
        two = build_setup(
            task.robot,
            scene=task.scene,
            layout=task.layout,
            options=replace(REWARD_ROBOTS.get(task.robot).options, threads=2),
        )
        observation = two.world.reset(seed=0)
        state = two.controller.init(RewardGoal(program=task.oracle), observation)
        begin = time.perf_counter()
        while observation.time < 1.0:
            command, state, _ = two.controller.step(state, observation)
            observation = two.world.step(command).observation
        factor = observation.time / (time.perf_counter() - begin)
        two.close()
        spec = REWARD_ROBOTS.get(task.robot).model(task.scene)
        simulation = spec.compile()
        home = simulation.key_ctrl[0]
        rng = np.random.default_rng(0)
        controls = home + 0.1 * rng.standard_normal((20, simulation.nu))
        report = fidelity(simulation, plan_model(spec), controls)
        print(
            f"| {name} ({task.robot}) | {1e3 * statistics.median(whole):.1f} | "
            f"{statistics.median(over):+.1%} | {factor:.2f} | {report.joint_error_rad:.3f} | "
            f"{report.realtime:.0f} | {report.realtime_simulation:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
