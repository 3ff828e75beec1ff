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
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from embodied.agent import Agent
from embodied.bench.benchmark import Benchmark, main, option
from embodied.bench.report import wilson_interval
from embodied.bench.runner import Payload, Row, Task
from embodied.bench.tabletop import SCENE, STACKS, Tabletop, outcome_row, scene_and_model
from embodied.bench.world_wrapper import Wrapped
from embodied.body import Body
from embodied.routes.pddl.route import PddlOptions
from embodied.types import Command, PddlProgram, StepResult
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


@dataclass(slots=True)
class Watch(Wrapped[MujocoWorld]):
    """A world that measures what the arm does to its limits and to its surroundings.

    Attributes:
        dq_share: Largest measured joint velocity as a share of its limit.
        tau_share: Largest measured joint torque as a share of its limit.
        q_margin_rad: Least distance of a joint to its position limit.
        touches: Deepest contact per pair of bodies that should not touch, m.
        limited: Reasons that the world gave for limiting a command.
    """

    dq_share: float = 0.0
    tau_share: float = 0.0
    q_margin_rad: float = math.inf
    touches: dict[str, float] = field(default_factory=dict[str, float])
    limited: set[str] = field(default_factory=set[str])

    def step(self, command: Command) -> StepResult:
        """As the watched world does, and measure."""
        result = self.world.step(command)
        seen, spec = result.observation, self.spec
        self.dq_share = max(self.dq_share, float(np.max(np.abs(seen.dq) / spec.dq_max)))
        self.tau_share = max(self.tau_share, float(np.max(np.abs(seen.tau) / spec.tau_max)))
        margin = float(np.min(np.minimum(seen.q - spec.q_lower, spec.q_upper - seen.q)))
        self.q_margin_rad = min(self.q_margin_rad, margin)
        self.limited.update(result.reasons)
        self._look_at_contacts()
        return result

    def _look_at_contacts(self) -> None:
        model, data = self.world.model, self.world.data
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
        found = [f"command limited: {r}" for r in sorted(self.limited)]
        if self.dq_share > 1.0:
            found.append(f"joint velocity at {self.dq_share:.3f} of its limit")
        if self.tau_share > 1.0 + 1e-6:
            found.append(f"joint torque at {self.tau_share:.3f} of its limit")
        if self.q_margin_rad < 0.0:
            found.append(f"joint position {-self.q_margin_rad:.4f} rad beyond its limit")
        return found


def run_episode(payload: Payload) -> Row:
    """One layout, one goal."""
    seed, robot = int(payload["seed"]), str(payload["robot"])
    scene, model = scene_and_model(SCENE, robot)
    world = build_world(scene, robot=robot, stacks=STACKS)
    table = Tabletop(world.spec)
    observation, goal, info = table.draw(world, seed)
    facts = table.grounder.facts(observation)
    watch = Watch(world)
    agent = Agent(
        body=Body(watch),
        routes={PddlProgram: table.route(model, seed, bounds=PddlOptions(plan_time_s=30.0))},
        memory=table.memory(facts),
    )
    cpu, wall = time.process_time(), time.perf_counter()
    report = agent.pursue(table.program(facts, goal))
    actions = report.details["actions"]
    named = set(goal.replace("(", " ").replace(")", " ").split())
    result = {
        "seed": seed,
        "goal": goal,
        **info,
        "reached": report.reached,
        **outcome_row(report),
        "actions": len(actions),
        "moves_unnamed": any(a.action.args[0] not in named for a in actions),
        "sim_s": round(world.observe().time, 2),
        "cpu_s": round(time.process_time() - cpu, 3),
        "wall_s": round(time.perf_counter() - wall, 3),
        "timings_s": {k: round(v, 3) for k, v in report.timings_s.items()},
        "dq_share": round(watch.dq_share, 4),
        "tau_share": round(watch.tau_share, 4),
        "q_margin_rad": round(watch.q_margin_rad, 4),
        "violations": watch.violations,
        "touches": watch.touches,
    }
    world.close()
    return result


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """The rows, and whether the bars are kept."""
    good = [r for r in rows if r.get("status") != "error"]
    clean = not any(r["violations"] or r["touches"] for r in good)
    enough = sum(r["reached"] for r in good) >= settings.require * len(good)
    return {"kept": clean and enough, "episodes": good}


def lines(results: Sequence[Row]) -> Iterator[str]:
    """The figures, one per line."""
    n = len(results)
    reached = sum(r["reached"] for r in results)
    low, high = wilson_interval(reached, n)
    yield f"reached by measured state     {reached}/{n}  (95% Wilson {low:.3f} to {high:.3f})"
    for objects in sorted({r["objects"] for r in results}):
        group = [r for r in results if r["objects"] == objects]
        won = sum(r["reached"] for r in group)
        yield f"  goals over {objects} objects        {won}/{len(group)}"
    unnamed = [r for r in results if r["moves_unnamed"]]
    yield (
        f"  moved an unnamed object out of the way  "
        f"{sum(r['reached'] for r in unnamed)}/{len(unnamed)}"
    )
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
    cases=lambda s: [
        Task(id=f"{s.robot}/{i:05d}", payload={"seed": i, "robot": s.robot})
        for i in range(s.seed, s.seed + s.episodes)
    ],
    run=run_episode,
    report=summarise,
    table=lambda report: "\n".join(lines(report["episodes"])),
    code=lambda report: int(not report["kept"]),
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
