"""Perception while the arm works: 5 looks per simulated second, against the truth.

    python benchmarks/perception_motion.py --episodes 3

The episodes are those of ``tabletop_motion.py``: layouts and goals from their seeds, pursued by the
agent with the simulator's own poses, so that perception is a spectator here. Its error is counted
apart for objects that lie still, for the one that is held, and for those that cameras do not see
just then. A look that puts an object more than 5 cm off is "wrong".
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from rich.console import Console
from rich.table import Table
from tabletop_motion import SCENE, draw_task, pursuer

from embodied.bench.world_wrapper import Wrapped
from embodied.perception import Perception, SensorFaults, look
from embodied.perception.accuracy import compare
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.types import Command, StepResult
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import build_world, planning_model
from embodied.world.scene import load_scene

LOOK_EVERY = 20  # control periods of 10 ms
WRONG_M = 0.05


@dataclass(slots=True)
class Spectator(Wrapped):
    """Looks at the world while somebody else moves it."""

    perception: Any = None
    faults: SensorFaults | None = None
    rng: Any = field(default_factory=lambda: np.random.default_rng(0))
    steps: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    update_s: list[float] = field(default_factory=list[float])

    def step(self, command: Command) -> StepResult:
        """Hand on, then look now and then."""
        result = self.world.step(command)
        self.steps += 1
        if self.steps % LOOK_EVERY == 0:
            self._look(result)
        return result

    def _look(self, result: StepResult) -> None:
        truth = result.observation
        seen = look(self.world, truth, faults=self.faults, rng=self.rng)
        started = time.process_time()
        percept = self.perception.update(seen)
        self.update_s.append(time.process_time() - started)
        objects = {n: o for n, o in self.spec.objects.items() if n != "table"}
        for error in compare(percept, truth.poses, objects)[0]:
            one = percept.objects[error.name]
            state = "held" if one.held else "seen" if one.seen else "unseen"
            self.rows.append(
                {
                    "state": state,
                    "name": error.name,
                    "time_s": round(truth.time, 2),
                    "error_m": error.position_m,
                    "std_m": error.std_m,
                }
            )


def main() -> int:
    """Run the episodes and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--episodes", type=int, default=3)
    parser.add_argument("--noise-mm", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    updates: list[float] = []
    for seed in range(args.episodes):
        world = build_world(load_scene(SCENE), stacks=0.4)
        spec = world.spec
        start, goal, _ = draw_task(world, TabletopGrounder(spec), seed)
        spectator = Spectator(
            world,
            perception=Perception(spec, robot_filter=ModelRobotFilter.of(world.model, spec)),
            faults=SensorFaults(noise_std_m=args.noise_mm / 1e3),
        )
        agent, program = pursuer(spectator, planning_model(load_scene(SCENE)), start, goal, seed)
        agent.pursue(program)
        rows += [{"seed": seed, **r} for r in spectator.rows]
        updates += spectator.update_s
        world.close()
    if args.json:
        print(json.dumps(rows))
        return 0
    table = Table(title="perception while the arm works", box=None, pad_edge=False)
    for column in ("state", "n", "median mm", "95% mm", "wrong", "wrong but sure"):
        table.add_column(column, justify="right")
    for state in ("seen", "held", "unseen"):
        mine = [r for r in rows if r["state"] == state]
        if not mine:
            continue
        errors = np.array([r["error_m"] for r in mine])
        wrong = [r for r in mine if r["error_m"] > WRONG_M]
        table.add_row(
            state,
            str(len(mine)),
            f"{1e3 * np.median(errors):.1f}",
            f"{1e3 * np.quantile(errors, 0.95):.1f}",
            str(len(wrong)),
            str(sum(r["error_m"] > 4 * r["std_m"] for r in wrong)),
        )
    console = Console(width=120)
    console.print(table)
    update = 1e3 * np.median(updates)
    console.print(f"{len(updates)} looks, one update {update:.0f} ms of CPU (median)")
    for r in [r for r in rows if r["error_m"] > WRONG_M][:12]:
        console.print(f"[dim]{r}[/]")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
