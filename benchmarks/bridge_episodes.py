"""The same goals in MuJoCo directly and with the arm behind the supervisor: same success?

    python benchmarks/bridge_episodes.py --episodes 50 --out runs/bridge_episodes

Layouts and goals are those of ``tabletop_motion.py``. Planner, skills, controller and agent are the
same code in both; behind the supervisor, every set-point passes the safety filter, and motions are
slowed down to the Cartesian speeds of the signed-off limits. Success is the goal measured to hold
at the end.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from embodied_controllers.trajectory import TrajectoryController

from embodied.app.bridge.session import GOAL_TIME_S, BridgeOptions, open_supervised
from embodied.bench.benchmark import Benchmark, main, option
from embodied.bench.runner import Payload, Row, Task
from embodied.bench.tabletop import (
    SCENE,
    STACKS,
    Tabletop,
    compared_lines,
    difference_points,
    pursue,
    scene_and_model,
)
from embodied.bridge.limits import shipped_limits
from embodied.routes.pddl.route import PddlOptions
from embodied.settings import Settings as RunSettings
from embodied.world.mujoco import build_world

WORLDS = ("direct", "bridge")
BAR_POINTS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    episodes: int = option(50)
    seed: int = option(0, "seed of the first episode")
    limits: str = option("fr3-simulated", "name of shipped limits", key=True)


def run_episode(payload: Payload) -> Row:
    """One layout and one goal in both worlds."""
    seed = int(payload["seed"])
    scene, model = scene_and_model(SCENE)
    direct = build_world(scene, stacks=STACKS)
    _, goal, info = Tabletop(direct.spec).draw(direct, seed)
    result: Row = {"seed": seed, "goal": goal, **info}
    result["direct"] = pursue(direct, model, direct.reset(seed=info["layout"]), goal, seed)
    direct.close()
    supervised = open_supervised(
        RunSettings(world="bridge", scene=SCENE),
        BridgeOptions(limits=shipped_limits(str(payload["limits"])), stacks=STACKS),
        scene,
    )
    world = supervised.world
    try:
        result["bridge"] = pursue(
            world,
            model,
            world.reset(seed=info["layout"]),
            goal,
            seed,
            controller=supervised.wrap(TrajectoryController(world.spec)),
            bounds=PddlOptions(plan_time_s=30.0, goal_time_s=GOAL_TIME_S),
        )
    finally:
        world.close()
    return result


BENCHMARK = Benchmark(
    name="bridge-episodes",
    summary="The same goals in MuJoCo directly and with the arm behind the supervisor.",
    settings=Settings,
    cases=lambda s: [
        Task(id=f"{s.limits}/{i:05d}", payload={"seed": i, "limits": s.limits})
        for i in range(s.seed, s.seed + s.episodes)
    ],
    run=run_episode,
    report=lambda rows, settings: [r for r in rows if r.get("status") != "error"],
    table=lambda rows: "\n".join(compared_lines(rows, WORLDS, BAR_POINTS)),
    code=lambda rows: int(abs(difference_points(rows, WORLDS)) > BAR_POINTS),
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
