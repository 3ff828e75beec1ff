"""Random layouts x multi-step goals given as PDDL: how often does the arm reach them?

    python benchmarks/tabletop_motion.py --episodes 100 --jobs 2 --out runs/tabletop_motion

Each episode draws a layout of the ``blocks`` scene and a goal over 3 to 6 objects from its seed;
two in five of the goals cannot be reached without moving an object that the goal does not name.
The agent plans, acts, checks, retries and replans; success is its goal measured to hold at the end.

At every control period (10 ms) the joints are compared with the published limits, and all contacts
are looked through for links that touch anything, and for fingers that go into anything.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.bench.benchmark import Benchmark, every, main, option
from embodied.bench.report import grouped, rate
from embodied.bench.runner import Payload, Row
from embodied.bench.tabletop import SCENE, STACKS, Tabletop, Watched, pursue, scene_and_model
from embodied.types import Command, GroundAction, StepResult
from embodied.world.mujoco import MujocoWorld, build_world

LINK_DEPTH_M = 0.0005
FINGER_DEPTH_M = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    episodes: int = option(100)
    seed: int = option(0, "seed of the first episode")
    robot: str = option("fr3", "an arm: fr3, ur5e", key=True)
    require: float = option(0.0, "least share of goals reached")


class Watch(Watched):
    """A world that measures what the arm does to its limits and to its surroundings.

    Attributes:
        q_margin_rad: Least distance of a joint to its position limit.
        touches: Deepest contact per pair of bodies that should not touch, m.
    """

    def __init__(self, world: MujocoWorld) -> None:
        super().__init__(world)
        self.simulator = world
        self.q_margin_rad = math.inf
        self.touches: dict[str, float] = {}

    def step(self, command: Command) -> StepResult:
        """As the watched world does, and measure."""
        result = super().step(command)
        seen, spec = result.observation, self.spec
        margin = float(np.min(np.minimum(seen.q - spec.q_lower, spec.q_upper - seen.q)))
        self.q_margin_rad = min(self.q_margin_rad, margin)
        self._look_at_contacts()
        return result

    def _look_at_contacts(self) -> None:
        model, data = self.simulator.model, self.simulator.data
        for geoms, distance in zip(data.contact.geom, data.contact.dist, strict=True):
            bodies = [model.body(int(model.geom_bodyid[g])).name for g in geoms]
            links = any(b.startswith("link") or b == "hand" for b in bodies)
            fingers = any(b.endswith("_finger") for b in bodies)
            depth = -float(distance)
            if (links and depth > LINK_DEPTH_M) or (fingers and depth > FINGER_DEPTH_M):
                pair = " - ".join(sorted(bodies))
                self.touches[pair] = max(self.touches.get(pair, 0.0), round(depth, 5))

    @property
    def violations(self) -> list[str]:
        """Limits that were exceeded."""
        speed, torque = self.monitor.highest_speed_share, self.monitor.highest_torque_share
        found = [f"command limited: {r}" for r in sorted(self.reasons)]
        if speed > 1.0:
            found.append(f"joint velocity at {speed:.3f} of its limit")
        if torque > 1.0 + 1e-6:
            found.append(f"joint torque at {torque:.3f} of its limit")
        if self.q_margin_rad < 0.0:
            found.append(f"joint position {-self.q_margin_rad:.4f} rad beyond its limit")
        return found


def run_episode(payload: Payload) -> Row:
    """One layout, one goal."""
    seed, robot = int(payload["seed"]), str(payload["robot"])
    scene, model = scene_and_model(SCENE, robot)
    world = build_world(scene, robot=robot, stacks=STACKS)
    observation, goal, info = Tabletop(world.spec).draw(world, seed)
    watch = Watch(world)
    row = pursue(watch, model, observation, goal, seed)
    world.close()
    actions = [*row["actions"], *(f.partition(":")[0] for f in row["failed_actions"])]
    named = set(goal.replace("(", " ").replace(")", " ").split())
    return {
        "seed": seed,
        "goal": goal,
        **info,
        **row,
        "actions": len(actions),
        "moves_unnamed": any(GroundAction.parse(a).args[0] not in named for a in actions),
        "q_margin_rad": round(watch.q_margin_rad, 4),
        "violations": watch.violations,
        "touches": watch.touches,
    }


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """The rows, and whether the bars are kept."""
    good = [r for r in rows if r.get("status") != "error"]
    clean = not any(r["violations"] or r["touches"] for r in good)
    enough = sum(r["reached"] for r in good) >= settings.require * len(good)
    return {"kept": clean and enough, "episodes": good}


def lines(results: Sequence[Row]) -> Iterator[str]:
    """The figures, one per line."""

    def reached(label: str, some: Sequence[Row]) -> str:
        return f"{label:37} {rate(sum(r['reached'] for r in some), len(some))}"

    yield reached("reached by measured state", results)
    for (objects,), group in sorted(grouped(results, "objects").items()):
        yield reached(f"  goals over {objects} objects", group)
    unnamed = [r for r in results if r["moves_unnamed"]]
    yield reached("  moved an unnamed object away", unnamed)
    yield f"episodes with a replan        {sum(r['replans'] > 0 for r in results)}"
    actions = sum(r["actions"] for r in results)
    failed = sum(len(r["failed_actions"]) for r in results)
    yield f"actions, of which failed      {actions}, {failed}"
    yield f"limit violations              {sum(len(r['violations']) for r in results)}"
    yield f"links or fingers in something {sum(len(r['touches']) for r in results)}"
    yield f"largest velocity share        {max(r['dq_share'] for r in results):.3f}"
    yield f"largest torque share          {max(r['tau_share'] for r in results):.3f}"
    yield f"least position margin         {min(r['q_margin_rad'] for r in results):.3f} rad"
    for key, label in (("sim_s", "simulated"), ("cpu_s", "CPU"), ("wall_s", "wall")):
        values = [r[key] for r in results]
        yield (
            f"{label:9} s per episode       mean {np.mean(values):.1f}, "
            f"95% {np.quantile(values, 0.95):.1f}"
        )
    for r in results:
        if not r["reached"] or r["violations"] or r["touches"]:
            yield f"seed {r['seed']}: {r['message']} {r['unmet']} {r['violations']} {r['touches']}"


BENCHMARK = Benchmark(
    name="tabletop-motion",
    summary="Random layouts x multi-step goals given as PDDL: how often does the arm reach them?",
    settings=Settings,
    cases=lambda s: every(
        "{robot}/{seed:05d}", {"robot": s.robot}, seed=range(s.seed, s.seed + s.episodes)
    ),
    run=run_episode,
    report=summarise,
    table=lambda report: "\n".join(lines(report["episodes"])),
    code=lambda report: int(not report["kept"]),
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
