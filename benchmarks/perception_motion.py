"""Perception while the arm works: 5 looks per simulated second, against the truth.

    python benchmarks/perception_motion.py --episodes 3

The episodes are those of ``tabletop_motion.py``: layouts and goals from their seeds, pursued by the
agent with the simulator's own poses, so that perception is a spectator here. Its error is counted
apart for objects that lie still, for the one that is held, and for those that cameras do not see
just then. A look that puts an object more than 5 cm off is "wrong".
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from embodied.bench.benchmark import Benchmark, every, main, option
from embodied.bench.report import grouped, table_of
from embodied.bench.runner import Payload, Row
from embodied.bench.tabletop import SCENE, STACKS, Tabletop, pursue, scene_and_model
from embodied.bench.world_wrapper import Wrapped
from embodied.perception import Perception, SensorFaults, look
from embodied.perception.accuracy import compare
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.types import Command, StepResult
from embodied.world.mujoco import MujocoWorld, build_world

LOOK_EVERY = 20  # control periods of 10 ms
WRONG_M = 0.05


@dataclass(slots=True)
class Spectator(Wrapped[MujocoWorld]):
    """Looks at the world while somebody else moves it."""

    perception: Perception
    faults: SensorFaults
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    steps: int = 0
    rows: list[Row] = field(default_factory=list[Row])
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    episodes: int = option(3)
    noise_mm: float = option(1.0, "of the depth at 1 m", key=True)


def run_episode(payload: Payload) -> Row:
    """One episode with a spectator."""
    seed = int(payload["seed"])
    scene, model = scene_and_model(SCENE)
    world = build_world(scene, stacks=STACKS)
    spec = world.spec
    start, goal, _ = Tabletop(spec).draw(world, seed)
    spectator = Spectator(
        world,
        perception=Perception(spec, robot_filter=ModelRobotFilter.of(world.model, spec)),
        faults=SensorFaults(noise_std_m=float(payload["noise_mm"]) / 1e3),
    )
    pursue(spectator, model, start, goal, seed)
    world.close()
    return {"seed": seed, "looks": spectator.rows, "update_s": spectator.update_s}


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """Errors by what was seen of an object."""
    looks = [{"seed": r["seed"], **one} for r in rows for one in r["looks"]]
    updates = [s for r in rows for s in r["update_s"]]
    states = grouped(looks, "state")
    return {
        "states": [_errors(s, states[s,]) for s in ("seen", "held", "unseen") if (s,) in states],
        "looks": len(updates),
        "update_ms": 1e3 * float(np.median(updates)),
        "wrong": [r for r in looks if r["error_m"] > WRONG_M],
    }


def _errors(state: str, rows: Sequence[Row]) -> Row:
    errors = np.array([r["error_m"] for r in rows])
    wrong = [r for r in rows if r["error_m"] > WRONG_M]
    return {
        "state": state,
        "n": len(rows),
        "median mm": f"{1e3 * np.median(errors):.1f}",
        "95% mm": f"{1e3 * np.quantile(errors, 0.95):.1f}",
        "wrong": len(wrong),
        "wrong but sure": sum(r["error_m"] > 4 * r["std_m"] for r in wrong),
    }


def table(report: Row) -> str:
    """The errors, what an update costs, and the first wrong looks."""
    rows = report["states"]
    update = f"{report['looks']} looks, one update {report['update_ms']:.0f} ms of CPU (median)"
    return "\n".join(
        [table_of(rows, {k: k for k in rows[0]}), update, *map(str, report["wrong"][:12])]
    )


BENCHMARK = Benchmark(
    name="perception-motion",
    summary="Perception while the arm works: 5 looks per simulated second, against the truth.",
    settings=Settings,
    cases=lambda s: every("{seed:05d}", {"noise_mm": s.noise_mm}, seed=range(s.episodes)),
    run=run_episode,
    report=lambda rows, s: summarise([r for r in rows if r.get("status") != "error"], s),
    table=table,
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
