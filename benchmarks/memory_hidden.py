"""Are hidden objects found by memory? Drawers and cups, with the memory and without.

In each episode a robot watches while somebody puts an object into one of two drawers and closes it,
or puts one of three cups over it and pushes cups about. It is then told to put the object in the
bowl. It has what it perceives, without the poses of what is hidden, and its memory of what it saw.
The sentence is translated and planned from that; the plan is carried out on the true facts, action
by action. The object is found when every action is possible there and the goal holds at the end.

    python benchmarks/memory_hidden.py [--episodes 50] [--seed 0] [--json FILE]

No physics: what is measured is translation, memory and planning, not whether a grasp holds.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace

import numpy as np
from embodied_planners.pddl import Planner

from embodied.bench.report import wilson_interval
from embodied.errors import EmbodiedError
from embodied.language.pddl.rules import RulesTranslator
from embodied.memory import Memory
from embodied.memory.tracing import empty_memory
from embodied.symbolic import applicable, holds, progress, read_domain, read_goal
from embodied.types import Observation, PlanStatus, Pose
from embodied.world.fake import FakeWorld
from embodied.world.grounding import TabletopGrounder
from embodied.world.layout import body_pose
from embodied.world.scene import Scene, parse_scene
from embodied.world.visibility import Sight

CUPS, DRAWERS = ("red-cup", "blue-cup", "white-cup"), ("left-drawer", "right-drawer")
TARGETS = ("ball", "block")
UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
SPOTS = [(x, y) for x in (0.30, 0.42, 0.54) for y in (-0.16, 0.0, 0.16)]


def scene() -> Scene:
    """Two drawers, three upturned cups, a bowl, a ball and a block."""
    cup = {"category": "cup", "shape": "cylinder", "size_m": [0.068, 0.068, 0.075]}
    hollow = {"inner_size_m": [0.060, 0.060, 0.071], "stackable": False}
    drawer = {"category": "drawer", "cabinet_size_m": [0.22, 0.20, 0.11], "yaw_deg": 180}
    return parse_scene(
        {
            "name": "hiding",
            "description": "Drawers and cups.",
            "sentences": ["put the ball in the bowl"],
            "container": [
                {
                    "name": "bowl",
                    "category": "bowl",
                    "size_m": [0.2, 0.2, 0.055],
                    "position_m": [0.2, -0.42],
                }
            ],
            "drawer": [
                {"name": n, **drawer, "position_m": [0.75, y], "travel_m": 0.15}
                for n, y in zip(DRAWERS, (0.2, -0.2), strict=True)
            ],
            "item": [
                *({"name": n, "color": n.split("-")[0], **cup, **hollow} for n in CUPS),
                {"name": "ball", "category": "ball", "shape": "sphere", "size_m": [0.04] * 3},
                {"name": "block", "category": "block", "size_m": [0.04] * 3},
            ],
            "layout": {"stack_probability": 0.0, "surface_probability": 0.0},
        }
    )


@dataclass(slots=True)
class Table:
    """The true state, changed by hand, and who watches it."""

    scene: Scene
    now: Observation
    grounder: TabletopGrounder
    sight: Sight
    memory: Memory

    def change(self, poses: dict[str, tuple[float, float]], openings: dict[str, float]) -> None:
        """Move things, then look."""
        opened = {**self.now.openings_m, **openings}
        moved = dict(self.now.poses)
        for name in DRAWERS:
            moved[name] = body_pose(self.scene, name, opened)
        for name, (x, y) in poses.items():
            height = self.scene.objects[name].size_m[2] / 2
            moved[name] = Pose(position=np.array([x, y, height]), quat_wxyz=UPRIGHT)
        self.now = replace(self.now, time=self.now.time + 1.0, poses=moved, openings_m=opened)
        self.memory = self.memory.observed(self.sight(self.now))


def watched(rng: np.random.Generator, kind: str) -> tuple[Table, str]:
    """Hide an object under the eyes of the robot; returns it as well."""
    place = scene()
    world = FakeWorld(place)
    start = world.reset(seed=0)
    grounder = TabletopGrounder(world.spec)
    sight = Sight(grounder)
    spots = [SPOTS[int(i)] for i in rng.permutation(len(SPOTS))]
    table = Table(place, start, grounder, sight, empty_memory(grounder, complete=True))
    table.change(dict(zip((*CUPS, *TARGETS), spots, strict=False)), {})
    target = TARGETS[int(rng.integers(len(TARGETS)))]
    if kind == "drawer":
        drawer = DRAWERS[int(rng.integers(len(DRAWERS)))]
        for name in (drawer, *(d for d in DRAWERS if d != drawer)):  # the other one too, for show
            table.change({}, {name: 0.15})
            inside = table.now.poses[name].position
            if name == drawer:
                table.change({target: (inside[0], inside[1])}, {})
                floor = table.now.poses[name].position[2] - 0.02
                _set_down(table, target, inside, floor)
            _close(table, name, [target] if name == drawer else [])
        return table, target
    cup = CUPS[int(rng.integers(len(CUPS)))]
    x, y, _ = table.now.poses[target].position
    table.change({cup: (x, y)}, {})
    for _ in range(int(rng.integers(1, 6))):
        pushed = CUPS[int(rng.integers(len(CUPS)))]
        taken = [p.position[:2] for n, p in table.now.poses.items() if n in (*CUPS, *TARGETS)]
        free = [s for s in SPOTS if all(np.linalg.norm(np.array(s) - t) > 0.05 for t in taken)]
        spot = free[int(rng.integers(len(free)))]
        table.change({pushed: spot, **({target: spot} if pushed == cup else {})}, {})
    return table, target


def _set_down(table: Table, name: str, at: np.ndarray, floor: float) -> None:
    half = table.scene.objects[name].size_m[2] / 2
    pose = Pose(position=np.array([at[0], at[1], floor + half]), quat_wxyz=UPRIGHT)
    table.now = replace(table.now, poses={**table.now.poses, name: pose})
    table.change({}, {})


def _close(table: Table, drawer: str, inside: list[str]) -> None:
    before = table.now.poses[drawer].position
    closed = body_pose(table.scene, drawer, {**table.now.openings_m, drawer: 0.0}).position
    moved = {
        n: replace(table.now.poses[n], position=table.now.poses[n].position + closed - before)
        for n in inside
    }
    table.now = replace(table.now, poses={**table.now.poses, **moved})
    table.change({}, {drawer: 0.0})


def found(table: Table, memory: Memory, target: str) -> str:
    """``""`` when the plan from a memory works in the true state, else what does not."""
    grounder, spec = table.grounder, FakeWorld(table.scene).spec
    domain = read_domain(grounder.domain_text)
    objects = dict(grounder.objects)
    try:
        translator = RulesTranslator(grounder.domain_text, objects)
        program = translator.translate(f"put the {target} in the bowl", memory, spec)
        result = Planner().solve(program)
    except EmbodiedError as error:
        return str(error)
    if result.status is not PlanStatus.SOLVED:
        return f"no plan: {result.status.value}"
    facts = grounder.facts(table.now)
    for action in result.plan:
        unmet = applicable(action, facts, domain, objects)
        if unmet:
            return f"{action} is not possible: {', '.join(map(str, unmet))}"
        facts = progress(action, facts, domain, objects)
    goal = read_goal(f"(in {target} bowl)", domain, objects)
    return "" if holds(goal, facts, domain, objects) else "the goal does not hold"


def main() -> int:
    """Play the episodes and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for number in range(options.episodes):
        kind = ("drawer", "cup")[number % 2]
        table, target = watched(np.random.default_rng(options.seed + number), kind)
        fresh = empty_memory(table.grounder, complete=True)
        blind = fresh.observed(Sight(table.grounder)(table.now))
        rows.append(
            {
                "seed": options.seed + number,
                "kind": kind,
                "hidden": target not in table.sight(table.now).poses,
                "memory": found(table, table.memory, target),
                "no memory": found(table, blind, target),
            }
        )
    for kind in ("drawer", "cup"):
        own = [r for r in rows if r["kind"] == kind]
        for name in ("memory", "no memory"):
            good = sum(not r[name] for r in own)
            low, high = wilson_interval(good, len(own)) if own else (0.0, 0.0)
            sys.stdout.write(f"{kind:7} {name:10} {good} of {len(own)} ({low:.0%} to {high:.0%})\n")
    wrong = [r for r in rows if r["memory"] or not r["hidden"]]
    for row in wrong[:10]:
        sys.stdout.write(f"{row}\n")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
