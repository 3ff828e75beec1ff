# pyright: reportAttributeAccessIssue=false
"""What benchmarks on a table have in common: goals over facts, a route to them, layouts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from embodied_controllers.trajectory import TrajectoryController
from embodied_planners.motion import MotionPlanner
from embodied_planners.pddl import Planner
from embodied_planners.skills import TabletopSkills

from embodied.agent import Agent
from embodied.bench.report import wilson_interval
from embodied.bench.runner import Row
from embodied.bench.world_wrapper import Wrapped
from embodied.body import Body
from embodied.memory import SceneMemory
from embodied.protocols import World
from embodied.routes.pddl.route import PddlOptions, PddlRoute
from embodied.symbolic import Domain, holds, progress, read_domain, read_goal, render_problem
from embodied.types import (
    Atom,
    Command,
    GroundAction,
    Observation,
    PddlProgram,
    StepResult,
    WorldSpec,
)
from embodied.world.grounding import TabletopGrounder
from embodied.world.limits import LimitMonitor
from embodied.world.mujoco import MujocoWorld, planning_model
from embodied.world.scene import Scene, load_scene

if TYPE_CHECKING:
    import mujoco

    from embodied.outcome import Outcome

SCENE, STACKS = "blocks", 0.4
"""Scene of the random goals, and the probability that an item begins on another one."""


@lru_cache(maxsize=4)
def scene_and_model(name: str, robot: str = "fr3") -> tuple[Scene, mujoco.MjModel]:
    """A scene of the package and the model that motions are planned in."""
    scene = load_scene(name)
    return scene, planning_model(scene, robot)


@dataclass(frozen=True, slots=True)
class Tabletop:
    """Facts and goals of one world.

    Attributes:
        spec: Of the world.
        grounder: Measures facts.
        domain: The planning domain.
    """

    spec: WorldSpec
    grounder: TabletopGrounder = field(init=False)
    domain: Domain = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "grounder", TabletopGrounder(self.spec))
        object.__setattr__(self, "domain", read_domain(self.grounder.domain_text))

    @property
    def items(self) -> list[str]:
        """Names of what can be moved."""
        return [n for n, o in self.spec.objects.items() if o.kind == "item"]

    def program(self, facts: frozenset[Atom], *goals: str) -> PddlProgram:
        """The program that makes goals true, as one stage each."""
        objects = self.grounder.objects
        return PddlProgram(
            domain=self.grounder.domain_text,
            problem=render_problem("task", self.domain, objects, facts, goals),
            stages=goals,
            source="benchmark",
        )

    def holds(self, goal: str, facts: frozenset[Atom]) -> bool:
        """Whether a goal holds in facts."""
        objects = self.grounder.objects
        return holds(read_goal(goal, self.domain, objects), facts, self.domain, objects)

    def progress(self, action: GroundAction, facts: frozenset[Atom]) -> frozenset[Atom]:
        """Facts after an action, as the domain says."""
        return progress(action, facts, self.domain, self.grounder.objects)

    def memory(self, facts: frozenset[Atom]) -> SceneMemory:
        """A memory that begins with facts."""
        return SceneMemory(grounder=self.grounder, transition=self.progress, facts=facts)

    def skills(self, model: mujoco.MjModel, seed: int) -> TabletopSkills:
        """Skills that plan motions in a model."""
        return TabletopSkills(MotionPlanner(model, self.spec, seed=seed), self.spec)

    def route(self, model: mujoco.MjModel, seed: int, **more: Any) -> PddlRoute:
        """The route that pursues goals here; ``more`` are arguments of ``PddlRoute``."""
        more.setdefault("controller", TrajectoryController(self.spec))
        skills = self.skills(model, seed)
        return PddlRoute(grounder=self.grounder, planner=Planner(), skills=skills, **more)

    # ------------------------------------------------------------------- random goals

    def draw(self, world: MujocoWorld, seed: int) -> tuple[Observation, str, Row]:
        """Layout and goal of a seed, over 3 to 6 objects.

        Two in five goals cannot be reached without moving an object that the goal does not name.
        """
        clearing = seed % 5 < 2
        for trial in range(1000):
            layout = 1000 * seed + trial // 20
            observation = world.reset(seed=layout)
            facts = self.grounder.facts(observation)
            rng = np.random.default_rng([seed, trial])
            count = int(rng.integers(3, 7))
            if clearing:
                count = min(count, 5)  # six would name every block
            goal = random_goal(rng, [str(i) for i in rng.permutation(self.items)[:count]])
            text = f"(and {' '.join(goal)})"
            if self._needs_clearing(goal, facts) == clearing and not self.holds(text, facts):
                return observation, text, {"objects": count, "clearing": clearing, "layout": layout}
        raise RuntimeError(f"no task found for seed {seed}")

    def _needs_clearing(self, goal: Sequence[str], facts: frozenset[Atom]) -> bool:
        """Whether an item that the goal does not name lies on one that must move."""
        atoms = [Atom.parse(g) for g in goal]
        named = {n for a in atoms for n in a.args}
        busy = {n for a in atoms if a not in facts for n in a.args} & set(self.items)
        return any(set(_above(facts, n)) - named for n in busy)


def random_goal(rng: np.random.Generator, items: Sequence[str]) -> list[str]:
    """Conjuncts over some items: a tower, and a place for each of the others."""
    named = [str(i) for i in rng.permutation(items)]
    height = int(rng.integers(2, min(4, len(named)) + 1))
    tower, rest = named[:height], named[height:]
    goal = [f"(on {a} {b})" for b, a in zip(tower, tower[1:], strict=False)]
    base = rng.choice(["", "table", "tray"])
    if base:
        goal.append(f"(on {tower[0]} {base})")
    for item in rest:
        where = rng.choice(["(in {} bin)", "(on {} tray)", "(on {} table)", "(clear {})"])
        goal.append(str(where).format(item))
    return goal


def _above(facts: frozenset[Atom], below: str) -> Iterator[str]:
    """Everything that rests on ``below``, directly or not."""
    for atom in facts:
        if atom.predicate == "on" and atom.args[1] == below:
            yield atom.args[0]
            yield from _above(facts, atom.args[0])


def outcome_row(report: Outcome) -> Row:
    """What benchmarks keep of a pursuit."""
    return {
        "message": report.message,
        "unmet": [u for v in report.verdicts for u in v.unmet],
        "failed_actions": [
            f"{a.action}: {a.reason}" for a in report.details["actions"] if not a.ok
        ],
        "replans": len(report.details["plans"]) - 1,
        "timings_s": {k: round(v, 3) for k, v in report.timings_s.items()},
    }


class Watched(Wrapped[World]):
    """A world whose observations are compared with its limits, and whose reasons are counted."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.monitor = LimitMonitor(world.spec)
        self.reasons: Counter[str] = Counter()

    def step(self, command: Command) -> StepResult:
        """As the watched world does, and compare."""
        result = self.world.step(command)
        self.monitor.observe(result.observation)
        self.reasons.update(result.reasons)
        return result


def pursue(
    world: World, model: mujoco.MjModel, start: Observation, goal: str, seed: int, **more: Any
) -> Row:
    """Pursue a goal in a world that is watched; ``more`` are arguments of ``PddlRoute``.

    Success is judged again from what is measured at the end, by nothing that the agent believes.
    """
    table = Tabletop(world.spec)
    watched = world if isinstance(world, Watched) else Watched(world)
    more.setdefault("bounds", PddlOptions(plan_time_s=30.0))
    facts = table.grounder.facts(start)
    agent = Agent(
        body=Body(watched),
        routes={PddlProgram: table.route(model, seed, **more)},
        memory=table.memory(facts),
    )
    cpu, wall = time.process_time(), time.perf_counter()
    report = agent.pursue(table.program(facts, goal))
    end = world.observe()
    return {
        "reached": table.holds(goal, table.grounder.facts(end)),
        **outcome_row(report),
        "actions": [str(a.action) for a in report.details["actions"] if a.ok],
        "sim_s": round(end.time, 2),
        "cpu_s": round(time.process_time() - cpu, 3),
        "wall_s": round(time.perf_counter() - wall, 3),
        "dq_share": round(watched.monitor.highest_speed_share, 4),
        "tau_share": round(watched.monitor.highest_torque_share, 4),
        "violations": [str(v) for v in watched.monitor.violations[:5]],
        "periods": watched.monitor.observations,
        "reasons": dict(watched.reasons),
    }


def compared_lines(results: Sequence[Row], worlds: tuple[str, str], bar: float) -> Iterator[str]:
    """What two worlds have in common in a comparison: successes, costs, limits, misses.

    Args:
        results: Rows with what ``pursue`` gives for each world.
        worlds: Their names; the second is measured against the first.
        bar: Points by which success may differ.
    """
    n = len(results)
    for world in worlds:
        of = [r[world] for r in results]
        won = sum(o["reached"] for o in of)
        low, high = wilson_interval(won, n)
        yield f"{world:9} reached by measured state  {won}/{n} (95% Wilson {low:.3f} to {high:.3f})"
        yield (
            f"{world:9} actions {sum(len(o['actions']) for o in of)}, failed "
            f"{sum(len(o['failed_actions']) for o in of)}, episodes with a replan "
            f"{sum(o['replans'] > 0 for o in of)}, per episode simulated "
            f"{np.mean([o['sim_s'] for o in of]):.1f} s, CPU "
            f"{np.mean([o['cpu_s'] for o in of]):.1f} s"
        )
        yield (
            f"{world:9} limit violations {sum(len(o['violations']) for o in of)}, largest share of "
            f"velocity {max(o['dq_share'] for o in of):.3f}, "
            f"of torque {max(o['tau_share'] for o in of):.3f}"
        )
        kinds: Counter[str] = Counter()
        for o in of:
            for reason, count in o["reasons"].items():
                kinds[" ".join(reason.split()[:2]).rstrip(":")] += count
        said = ", ".join(f"{k} {v}" for k, v in kinds.most_common()) or "none"
        yield f"{world:9} {sum(o['periods'] for o in of)} periods; not passed as asked: {said}"
    same = sum(r[worlds[0]]["actions"] == r[worlds[1]]["actions"] for r in results)
    yield f"same actions carried out  {same}/{n}"
    for r in results:
        for world in worlds:
            of = r[world]
            if not of["reached"]:
                yield f"MISSED seed {r['seed']} {world}: {of['message']} {of['unmet']}"
                yield from (f"    {f}" for f in of["failed_actions"])
    points = difference_points(results, worlds)
    yield f"difference of success: {points:+.1f} points (bar: within {bar:g})"


def difference_points(results: Sequence[Row], worlds: tuple[str, str]) -> float:
    """Success in the second world less that in the first, in points."""
    first, second = (float(np.mean([r[w]["reached"] for r in results])) for w in worlds)
    return 100.0 * (second - first)
