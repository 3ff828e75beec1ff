"""Sampling MPC of this project and of judo-rai 0.1.0: CPU per plan, overhead, cost per CPU-second.

    python -m venv JUDO && JUDO/bin/pip install judo-rai==0.1.0
    python benchmarks/mpc_vs_peers.py --judo JUDO/bin/python

Both run the same MJCF, the same samples x horizon and the same cost, alternating in one run, each
in its own process (judo pins an older MuJoCo). CPU is process time of all threads. The floor is
``mujoco.rollout`` alone on the same controls. Closed loop: 20 replans per simulated second from the
same starts; the achieved cost is the mean over time, and its drop below doing nothing is divided by
the CPU time of planning. ``--only-ours`` needs no judo.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from mujoco import rollout as mujoco_rollout

Row = dict[str, Any]

CONTROL_DT_S = 0.05
HOME = np.array([0.0, 0.9, -1.8] * 4)
TASKS: dict[str, Row] = {
    "cylinder_push": {"samples": 32, "horizon_s": 1.0, "knots": 4, "noise": 0.3, "seconds": 4.0},
    "quadruped_rise": {"samples": 32, "horizon_s": 0.4, "knots": 4, "noise": 0.15, "seconds": 2.0},
}


def cylinder_cost(x: np.ndarray) -> np.ndarray:
    """Pusher behind the cart, cart at the origin: the cost of MuJoCo MPC's task, (N, T)."""
    cart_x, cart_y = x[..., 2], x[..., 3]
    square = cart_x * cart_x + cart_y * cart_y
    stretch = 1.0 + 0.25 / (np.sqrt(square) + 1e-9)  # the point 0.25 m behind the cart
    near_x, near_y = x[..., 0] - stretch * cart_x, x[..., 1] - stretch * cart_y
    return 0.25 * (near_x * near_x + near_y * near_y) + 0.05 * square


def quadruped_cost(x: np.ndarray) -> np.ndarray:
    """Stand at 0.27 m, level, near the home stance, at rest, (N, T)."""
    up = 1 - 2 * (x[..., 4] ** 2 + x[..., 5] ** 2)
    joints = x[..., 7:19] - HOME
    height = x[..., 2] - 0.27
    speed = x[..., 19:25]
    return (
        20 * height * height
        + 2 * (1 - up)
        + 0.05 * np.einsum("ntk,ntk->nt", joints, joints)
        + 0.02 * np.einsum("ntk,ntk->nt", speed, speed)
    )


COSTS = {"cylinder_push": cylinder_cost, "quadruped_rise": quadruped_cost}


def start_state(model: mujoco.MjModel, task: str, seed: int) -> mujoco.MjData:
    """The same start for both, from a seed."""
    rng = np.random.default_rng(seed)
    data = mujoco.MjData(model)
    if task == "cylinder_push":
        a, b = 2 * np.pi * rng.random(2)
        data.qpos[:] = [np.cos(a), np.sin(a), 2 * np.cos(b), 2 * np.sin(b)]
    else:
        folded = np.array([0.0, 1.4, -2.6] * 4) + 0.05 * rng.standard_normal(12)
        data.qpos[:3], data.qpos[3:7], data.qpos[7:] = (0, 0, 0.12), (1, 0, 0, 0), folded
    mujoco.mj_forward(model, data)
    return data


class Ours:
    """This project's planner."""

    def __init__(self, path: str, task: str, halvings: tuple[float, ...] = ()) -> None:
        from embodied_controllers.mpc import Mppi, PlannerOptions, SamplingPlanner

        self.model = mujoco.MjModel.from_xml_path(path)
        given = TASKS[task]
        cost = COSTS[task]
        self.cost = lambda time, states, sensors: cost(states[..., 1:])
        options = PlannerOptions(
            horizon_s=given["horizon_s"],
            n_knots=given["knots"],
            n_samples=given["samples"],
            interpolation="linear",
            halvings=halvings,
        )
        self.planner = SamplingPlanner(
            self.model,
            options,
            Mppi(noise=given["noise"], temperature=0.1),
            scale=np.ones(self.model.nu),
        )

    def begin(self, hold: np.ndarray, seed: int) -> None:
        """Start from holding a control."""
        del seed
        self.current = self.planner.start(hold, 0.0)

    def plan(self, data: mujoco.MjData) -> None:
        """One replan."""
        from embodied_controllers.mpc.rollouts import full_state

        self.current = self.planner.plan(full_state(self.model, data), self.cost, self.current)

    def action(self, time: float) -> np.ndarray:
        """Control at a time."""
        return self.current.control(time)

    def finite(self) -> bool:
        """Whether the plan is finite."""
        return bool(np.isfinite(self.current.knots).all())


class Judo:
    """judo's controller with one of its own optimisers and the same settings."""

    def __init__(self, path: str, task: str, optimiser: str) -> None:
        import judo.tasks.base as judo_base

        judo_base.download_and_extract_meshes = lambda **_: None  # these tasks use no meshes
        from judo.controller import Controller, ControllerConfig
        from judo.optimizers import get_registered_optimizers
        from judo.tasks.base import Task

        cost = COSTS[task]
        given = TASKS[task]

        class Same(Task):  # type: ignore[misc]
            config_t = judo_base.TaskConfig

            def reward(
                self, states: Any, sensors: Any, controls: Any, system_metadata: Any = None
            ) -> Any:
                return -cost(states).sum(-1)

        self.task = Same(model_path=path)
        self.model = self.task.model
        kind, config = get_registered_optimizers()[optimiser]
        settings = config()
        settings.num_rollouts, settings.num_nodes = given["samples"], given["knots"]
        if hasattr(settings, "sigma"):
            settings.sigma = given["noise"]
        if hasattr(settings, "sigma_max"):
            settings.sigma_max = given["noise"]
        self.controller = Controller(
            ControllerConfig(horizon=given["horizon_s"], spline_order="linear"),
            self.task,
            kind(settings, self.task.nu),
        )

    def begin(self, hold: np.ndarray, seed: int) -> None:
        """Start from holding a control."""
        np.random.seed(seed)
        controller = self.controller
        controller.reset()
        self.task.data.time = 0.0
        controller.nominal_knots = np.tile(hold, (controller.optimizer_cfg.num_nodes, 1))
        controller.times = controller.spline_timesteps
        controller.update_spline(controller.times, controller.nominal_knots)

    def plan(self, data: mujoco.MjData) -> None:
        """One replan."""
        self.controller.current_state = np.concatenate([data.qpos, data.qvel])
        self.controller.time = data.time
        self.controller.update_action()

    def action(self, time: float) -> np.ndarray:
        """Control at a time."""
        return self.controller.action(time)

    def finite(self) -> bool:
        """Whether the plan is finite."""
        return bool(np.isfinite(self.controller.nominal_knots).all())


def make(kind: str, path: str, task: str) -> Any:
    """A planner by its name; ``ours-halved`` halves the samples while the horizon grows."""
    if kind.startswith("judo-"):
        return Judo(path, task, kind.removeprefix("judo-"))
    return Ours(path, task, halvings=(0.1, 0.2, 0.4) if kind == "ours-halved" else ())


def floor(model: mujoco.MjModel, task: str, data: mujoco.MjData, hold: np.ndarray) -> float:
    """CPU s of the bare physics of one plan: the same samples x horizon, noisy controls."""
    given = TASKS[task]
    n, steps = given["samples"], round(given["horizon_s"] / model.opt.timestep)
    kind = mujoco.mjtState.mjSTATE_FULLPHYSICS
    state = np.empty(mujoco.mj_stateSize(model, kind.value))
    mujoco.mj_getState(model, data, state, kind.value)
    rng = np.random.default_rng(0)
    control = hold + given["noise"] * rng.standard_normal((n, 1, model.nu))
    control = np.ascontiguousarray(np.repeat(control, steps, axis=1))
    states = np.repeat(state[None], n, axis=0)
    out = np.empty((n, steps, len(state)))
    sensors = np.empty((n, steps, model.nsensordata))
    with mujoco_rollout.Rollout(nthread=0) as pool:
        scratch = mujoco.MjData(model)
        begin = time.process_time()
        for _ in range(5):
            pool.rollout([model] * n, [scratch], states, control, nstep=steps, skip_checks=True,
                         control_spec=mujoco.mjtState.mjSTATE_CTRL.value, state=out,
                         sensordata=sensors)  # fmt: skip
        return (time.process_time() - begin) / 5


def timed(planner: Any, task: str, data: mujoco.MjData, hold: np.ndarray, asked: Row) -> Row:
    """CPU time of a plan and of the physics in it."""
    planner.plan(data)
    base = floor(planner.model, task, data, hold)
    planner.begin(hold, asked["seed"])
    begin = time.process_time()
    for _ in range(asked["plans"]):
        planner.plan(data)
    cpu = (time.process_time() - begin) / asked["plans"]
    return {"cpu_ms": 1e3 * cpu, "floor_ms": 1e3 * base, "finite": planner.finite()}


def closed_loop(planner: Any, task: str, data: mujoco.MjData, *, acts: bool) -> Row:
    """Mean cost and CPU time of planning; without ``acts`` nothing is planned."""
    model, cost, cpu = planner.model, 0.0, 0.0
    steps = round(CONTROL_DT_S / model.opt.timestep)
    periods = round(TASKS[task]["seconds"] / CONTROL_DT_S)
    for _ in range(periods):
        if acts:
            begin = time.process_time()
            planner.plan(data)
            cpu += time.process_time() - begin
        for _ in range(steps):
            if acts:
                data.ctrl[:] = planner.action(data.time)
            mujoco.mj_step(model, data)
            x = np.concatenate([data.qpos, data.qvel])[None, None]
            cost += float(COSTS[task](x)[0, 0])
    return {"cost": cost / (periods * steps), "cpu_s": cpu}


def serve() -> None:
    """Worker: one JSON request per line in, one JSON answer per line out."""
    planner = functools.cache(make)
    for line in sys.stdin:
        asked = json.loads(line)
        task, one = asked["task"], planner(asked["kind"], asked["path"], asked["task"])
        data = start_state(one.model, task, asked["seed"])
        hold = data.qpos[:2].copy() if task == "cylinder_push" else data.qpos[7:].copy()
        data.ctrl[:] = hold
        one.begin(hold, asked["seed"])
        if asked["do"] == "time":
            answer = timed(one, task, data, hold, asked)
        else:
            answer = closed_loop(one, task, data, acts=asked["do"] == "loop")
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class Worker:
    """A process of this file that answers requests."""

    def __init__(self, python: str) -> None:
        self.process = subprocess.Popen(
            [python, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **request: Any) -> Row:
        """One request; raises RuntimeError when the worker has ended."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"the worker ended on {request}")


def models(folder: Path, judo_python: str | None) -> dict[str, str]:
    """Paths of the MJCF files that both load."""
    from embodied_controllers.mpc.plan_models import plan_spec, robot_spec

    quadruped = folder / "quadruped_rise.xml"
    text = plan_spec(robot_spec("quadruped")).to_xml()
    quadruped.write_text(re.sub(r' input="[^"]*"', "", text))  # unknown to judo's older MuJoCo
    paths = {"quadruped_rise": str(quadruped)}
    if judo_python:
        found = subprocess.run(
            [judo_python, "-c", "import judo; print(judo.MODEL_PATH)"],
            capture_output=True,
            text=True,
            check=True,
        )
        root = found.stdout.strip().splitlines()[-1]
        paths["cylinder_push"] = str(Path(root) / "xml" / "cylinder_push.xml")
    return paths


def main() -> None:
    """Alternate the planners and print one table per task."""
    from embodied.bench.report import table_of  # what serves in judo's environment lacks it

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--judo", default=None, help="Python of the virtual environment of judo")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--plans", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    if given.serve:
        serve()
        return
    workers = {"ours": Worker(sys.executable)}
    kinds = ["ours", "ours-halved"]
    if given.judo:
        workers["judo"] = Worker(given.judo)
        kinds += ["judo-ps", "judo-cem", "judo-mppi"]
    with tempfile.TemporaryDirectory() as folder:
        for task, path in models(Path(folder), given.judo).items():

            def ask(kind: str, do: str, seed: int, task: str = task, path: str = path) -> Row:
                about = {"task": task, "path": path, "seed": seed, "plans": given.plans}
                return workers[kind.partition("-")[0]].ask(do=do, kind=kind, **about)

            timing = [{k: ask(k, "time", seed) for k in kinds} for seed in range(given.rounds)]
            loops = [
                {"idle": ask("ours", "idle", seed), **{k: ask(k, "loop", seed) for k in kinds}}
                for seed in range(given.seeds)
            ]
            idle = statistics.mean(x["idle"]["cost"] for x in loops)
            rows = [figures(k, [t[k] for t in timing], [x[k] for x in loops], idle) for k in kinds]
            print(f"\n{task}: {TASKS[task]}; cost of doing nothing {idle:.4f}\n")
            print(table_of(rows, {name: name for name in rows[0]}), flush=True)


def figures(kind: str, timing: Sequence[Row], loops: Sequence[Row], idle: float) -> Row:
    """One line of the table."""
    cost, spent = (statistics.mean(x[k] for x in loops) for k in ("cost", "cpu_s"))
    over = statistics.median(t["cpu_ms"] / t["floor_ms"] - 1 for t in timing)
    return {
        "planner": kind if all(t["finite"] for t in timing) else f"{kind} (not finite)",
        "CPU ms a plan (median)": f"{statistics.median(t['cpu_ms'] for t in timing):.2f}",
        "floor ms": f"{statistics.median(t['floor_ms'] for t in timing):.2f}",
        "overhead": f"{over:+.1%}",
        "mean cost": f"{cost:.4f}",
        "plan CPU s": f"{spent:.2f}",
        "cost drop per CPU s": f"{(idle - cost) / spent:.3f}",
    }


if __name__ == "__main__":
    main()
