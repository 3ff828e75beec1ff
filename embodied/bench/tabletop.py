# pyright: reportAttributeAccessIssue=false
"""What benchmarks on a table have in common: goals over facts, a route to them, layouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from embodied_controllers.trajectory import TrajectoryController
from embodied_planners.motion import MotionPlanner
from embodied_planners.pddl import Planner
from embodied_planners.skills import TabletopSkills

from embodied.memory import SceneMemory
from embodied.routes.pddl.route import PddlRoute
from embodied.symbolic import Domain, holds, progress, read_domain, read_goal, render_problem
from embodied.types import Atom, GroundAction, Observation, PddlProgram, WorldSpec
from embodied.world.grounding import TabletopGrounder
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

    def draw(self, world: MujocoWorld, seed: int) -> tuple[Observation, str, dict[str, object]]:
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


def outcome_row(report: Outcome) -> dict[str, Any]:
    """What benchmarks keep of a pursuit."""
    actions = report.details["actions"]
    return {
        "message": report.message,
        "unmet": [u for v in report.verdicts for u in v.unmet],
        "failed_actions": [f"{a.action}: {a.reason}" for a in actions if not a.ok],
        "replans": len(report.details["plans"]) - 1,
    }


def missed_lines(results: Sequence[Mapping[str, Any]], worlds: Sequence[str]) -> Iterator[str]:
    """Episodes of each world that did not reach their goal, with what failed."""
    for r in results:
        for world in worlds:
            of = r[world]
            if not of["reached"]:
                yield f"MISSED seed {r['seed']} {world}: {of['message']} {of['unmet']}"
                yield from (f"    {f}" for f in of["failed_actions"])
