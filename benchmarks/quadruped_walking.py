# pyright: reportAttributeAccessIssue=false
"""Does the quadruped walk? Sentences carried out under friction and mass that plans do not know.

    python benchmarks/quadruped_walking.py --seeds 20 --out walking.jsonl
    python benchmarks/quadruped_walking.py --only forward-0.5 --frames walk      # pictures of it

Every seed draws the friction of the floor (0.4 to 1.2 of the model's) and the mass (+-20%) of the
simulation; the plan model keeps its own. A run is judged by recorded states: mean speed after the
first second within 10%, farthest place off the path below 0.3 m across it, farthest heading off it
below 15 degrees, height within 4 cm of the asked one after the first second, and for more than 60%
of the time exactly one pair of feet that step together on the ground, a diagonal one in a trot; a
bound plans that for 80% of the time, of which the share is taken. A killed measurement goes on with
the same file.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

os.environ.setdefault("OMP_NUM_THREADS", "1")

import mujoco
import numpy as np
from embodied_controllers.mpc.gait import STANDING_M
from embodied_controllers.mpc.path import RAMP_S
from embodied_controllers.mpc.terms import StageCost
from rich.console import Console
from rich.table import Table

from embodied.bench.report import wilson_interval
from embodied.language.conversation import Conversation
from embodied.language.reward.rules import RewardRules
from embodied.routes.reward.setup import RewardSetup, build_setup
from embodied.types import Array, RewardGoal
from embodied.world.png import encode_png
from embodied.world.rendering import Painter

SENTENCES = {
    "forward-0.5": "walk forward at 0.5 m/s for 10 seconds",
    "forward-1.0": "walk forward at 1.0 m/s for 10 seconds",
    "left-0.3": "sidestep to the left at 0.3 m/s for 10 seconds",
    "turn-45": "turn left at 45 degrees/s for 10 seconds",
    "backward-0.3": "walk backward at 0.3 m/s for 10 seconds",
    "arc-0.4": "walk forward at 0.4 m/s turning left for 10 seconds",
    "pace-0.4": "pace forward at 0.4 m/s for 10 seconds",
    "bound-0.4": "bound forward at 0.4 m/s for 10 seconds",
}
UP_M = 0.01
"""A foot whose sole is higher than this is in the air."""
LIMITS = {"speed": 0.1, "drift_m": 0.3, "heading_deg": 15.0, "height_m": 0.04, "pair": 0.6}


class Run(TypedDict):
    """One run; the figures are worst values, but for the mean speed and the share of time."""

    name: str
    seed: int
    friction: float
    mass: float
    figures: dict[str, float]
    held: dict[str, bool]
    cpu_s_per_s: float


@contextmanager
def changed(model: mujoco.MjModel, friction: float, mass: float) -> Generator[None]:
    """A simulation model with other friction and mass; models are shared, so it is changed back."""
    arrays = (model.geom_friction, model.body_mass, model.body_inertia)
    before = [a.copy() for a in arrays]
    model.geom_friction[:, 0] *= friction
    model.body_mass[:] *= mass
    model.body_inertia[:] *= mass
    mujoco.mj_setConst(model, mujoco.MjData(model))
    try:
        yield
    finally:
        for array, old in zip(arrays, before, strict=True):
            array[:] = old
        mujoco.mj_setConst(model, mujoco.MjData(model))


def walk(name: str, seed: int, frames: Path | None = None) -> Run:
    """Carry out one sentence."""
    rng = np.random.default_rng([seed, 17])
    friction, mass = float(rng.uniform(0.4, 1.2)), float(rng.uniform(0.8, 1.2))
    setup = build_setup("quadruped", seed=seed)
    program = RewardRules(setup.speech).translate(SENTENCES[name], Conversation(), setup.world.spec)
    controller, states = setup.controller, []
    with changed(setup.world.model, friction, mass):
        observation = setup.world.reset(seed=seed)
        states.append(setup.world.full_state())
        control = controller.init(RewardGoal(program=program), observation)
        begin, stages = time.process_time(), len(program.stages)
        while True:
            command, control, _ = controller.step(control, observation)
            if control.stage >= stages:
                break
            observation = setup.world.step(command).observation
            states.append(setup.world.full_state())
        cpu = time.process_time() - begin
    if frames is not None:
        draw(setup.world.model, np.array(states), frames, f"{name}-{seed}")
    cost = StageCost(program.stages[0], setup.robot.view, setup.judge.layout)
    figures = measured(setup, cost, np.array(states))
    setup.close()
    return Run(
        name=name,
        seed=seed,
        friction=round(friction, 3),
        mass=round(mass, 3),
        figures={k: round(v, 4) for k, v in figures.items()},
        held={k: v > LIMITS[k] if k == "pair" else v < LIMITS[k] for k, v in figures.items()},
        cpu_s_per_s=round(cpu / observation.time, 3),
    )


def measured(setup: RewardSetup, cost: StageCost, states: Array) -> dict[str, float]:
    """The figures of a recorded run, states (T, nstate), against the path of its stage."""
    path = cost.started(states[0]).path
    if path is None:
        raise ValueError("the sentence asks for no path")
    view = setup.judge.view_of(states[None])
    x, y, heading = path.at(states[:, 0])
    turned = np.unwrap(view.heading()[0])
    off_heading = turned - turned[0] - (heading - heading[0])
    late = states[:, 0] >= states[0, 0] + 1.0
    seconds = float(np.ptp(states[late, 0]))
    # Direction of the path's own motion at every moment, to tell drift from lag.
    way = heading + np.arctan2(path.left, path.forward)
    dx, dy = view.x()[0] - x, view.y()[0] - y
    if path.forward or path.left:
        across = np.cos(way) * dy - np.sin(way) * dx
        along = np.cos(way) * np.gradient(view.x()[0]) + np.sin(way) * np.gradient(view.y()[0])
        asked, got = np.hypot(path.forward, path.left), along[late].sum() / seconds
    else:
        across = np.hypot(dx, dy)
        asked, got = path.rate, np.ptp(turned[late]) / seconds * np.sign(turned[-1] - turned[0])
    phases: dict[float, list[Array]] = {}
    planned = 1.0
    for term in cost.stage.terms:
        if term.name == "foot_stepping":
            up = view.foot_height(str(term.parameters["foot"]))[0] > UP_M
            planned = min(1.0, 2 * float(term.parameters["air_ratio"]))
            phases.setdefault(float(term.parameters["phase"]), []).append(up)
    up_each = [np.array(feet) for feet in phases.values()]
    lifted = np.array([feet.all(axis=0) for feet in up_each])
    touching = np.array([feet.any(axis=0) for feet in up_each])
    pair = (lifted.sum(axis=0) == 1) & (touching.sum(axis=0) == 1)
    height = np.abs(view.height()[0] - STANDING_M)
    return {
        "speed": abs(float(got) / float(asked) - 1),
        "drift_m": float(np.abs(across).max()),
        "heading_deg": float(np.degrees(np.abs(off_heading).max())),
        "height_m": float(height[late].max()),
        "pair": float(pair[states[:, 0] >= states[0, 0] + RAMP_S].mean()) / planned,
    }


def draw(model: mujoco.MjModel, states: Array, folder: Path, name: str) -> None:
    """Eight pictures, 80 ms apart, from the middle of a run, as one PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    painter = Painter(model, width=480, height=360)
    middle = len(states) // 2
    rows = states[middle : middle + 64 : 8, 1 : 1 + model.nq]
    images = [painter.draw(qpos) for qpos in rows]
    painter.close()
    grid = np.concatenate([np.concatenate(images[i : i + 4], axis=1) for i in (0, 4)])
    (folder / f"{name}.png").write_bytes(encode_png(grid))


def table(runs: list[Run]) -> Table:
    """Runs that keep every limit, and the worst figures."""
    shown = Table(title="10 s of walking", box=None, pad_edge=False)
    for column in ("run", "all kept", "95% interval", *LIMITS, "CPU s per s"):
        shown.add_column(column, justify="right", no_wrap=True)
    for name in SENTENCES:
        mine = [r for r in runs if r["name"] == name]
        if not mine:
            continue
        good = sum(all(r["held"].values()) for r in mine)
        low, high = wilson_interval(good, len(mine))
        cells = []
        for key in LIMITS:
            values = [r["figures"][key] for r in mine]
            worst = min(values) if key == "pair" else max(values)
            kept = sum(r["held"][key] for r in mine)
            cells.append(f"{np.median(values):.2f}, {worst:.2f} ({kept}/{len(mine)})")
        cpu = float(np.median([r["cpu_s_per_s"] for r in mine]))
        shown.add_row(name, f"{good}/{len(mine)}", f"{low:.0%} to {high:.0%}", *cells, f"{cpu:.2f}")
    return shown


def main() -> int:
    """Run what is missing, then print the table: median, worst value and how many kept a limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", choices=SENTENCES, action="append")
    parser.add_argument("--out", type=Path, help="file of finished runs, one JSON object a line")
    parser.add_argument("--frames", type=Path, help="folder for pictures of the runs")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    runs: list[Run] = []
    if args.out is not None and args.out.exists():
        lines = args.out.read_text(encoding="utf-8").splitlines()
        runs = [json.loads(line) for line in lines if line.endswith("}")]
    done = {(r["name"], r["seed"]) for r in runs}
    for seed in range(args.seeds):
        for name in args.only or SENTENCES:
            if (name, seed) in done:
                continue
            runs.append(walk(name, seed, args.frames))
            if args.out is not None:
                with args.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(runs[-1]) + "\n")
    if args.json:
        print(json.dumps(runs))
    else:
        Console(width=160).print(table(runs))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
