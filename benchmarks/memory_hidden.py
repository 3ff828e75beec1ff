"""Are hidden objects found by memory? Drawers and cups, with the memory and without.

In each episode a robot watches while somebody puts an object into one of two drawers and closes it,
or puts one of three cups over it and pushes cups about. It is then told to put the object in the
bowl. It has what it perceives, without the poses of what is hidden, and its memory of what it saw.
The sentence is translated and planned from that; the plan is carried out on the true facts, action
by action. The object is found when every action is possible there and the goal holds at the end.

    python benchmarks/memory_hidden.py [--episodes 50] [--seed 0] [--mujoco] [--json FILE]

With ``--mujoco`` a session carries the sentence out in MuJoCo and the simulator's own state judges
it; without, no physics: what is measured is translation, memory and planning.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from embodied_planners.pddl import Planner

from embodied.app.wiring import open_session
from embodied.bench.report import wilson_interval
from embodied.errors import EmbodiedError
from embodied.language.pddl.rules import RulesTranslator
from embodied.memory import Memory
from embodied.memory.tracing import empty_memory
from embodied.session import Session
from embodied.settings import Settings
from embodied.symbolic import applicable, holds, progress, read_domain, read_goal
from embodied.types import Atom, Observation, PlanStatus, Pose
from embodied.world.fake import FakeWorld
from embodied.world.grounding import TabletopGrounder
from embodied.world.layout import body_pose
from embodied.world.scene import Scene, parse_scene
from embodied.world.visibility import Sight

CUPS, DRAWERS = ("red-cup", "blue-cup", "white-cup"), ("left-drawer", "right-drawer")
TARGETS = ("ball", "block")
UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
SPOTS = [(x, y) for x in (0.30, 0.40, 0.50) for y in (-0.16, 0.0, 0.16)]


SCENE = """
name = "hiding"
description = "Two drawers, three upturned cups, a bowl, a ball and a block."
sentences = ["put the ball in the bowl"]

[[container]]
name = "bowl"
category = "bowl"
size_m = [0.2, 0.2, 0.055]
position_m = [0.25, -0.4]

[[drawer]]
name = "left-drawer"
category = "drawer"
cabinet_size_m = [0.22, 0.20, 0.11]
yaw_deg = 180
position_m = [0.72, 0.2]
travel_m = 0.15

[[drawer]]
name = "right-drawer"
category = "drawer"
cabinet_size_m = [0.22, 0.20, 0.11]
yaw_deg = 180
position_m = [0.72, -0.2]
travel_m = 0.15

[[item]]
name = "red-cup"
category = "cup"
color = "red"
shape = "cylinder"
stackable = false
size_m = [0.068, 0.068, 0.075]
inner_size_m = [0.060, 0.060, 0.071]

[[item]]
name = "blue-cup"
category = "cup"
color = "blue"
shape = "cylinder"
stackable = false
size_m = [0.068, 0.068, 0.075]
inner_size_m = [0.060, 0.060, 0.071]

[[item]]
name = "white-cup"
category = "cup"
color = "white"
shape = "cylinder"
stackable = false
size_m = [0.068, 0.068, 0.075]
inner_size_m = [0.060, 0.060, 0.071]

[[item]]
name = "ball"
category = "ball"
color = "green"
shape = "sphere"
size_m = [0.05, 0.05, 0.05]

[[item]]
name = "block"
category = "block"
color = "yellow"
size_m = [0.035, 0.035, 0.065]

[layout]
stack_probability = 0.0
surface_probability = 0.0
"""


@dataclass(slots=True)
class Table:
    """The true state, changed by hand, and who watches it."""

    scene: Scene
    now: Observation
    grounder: TabletopGrounder
    sight: Sight
    memory: Memory
    shown: list[Observation] = field(default_factory=list[Observation])

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
        self.shown.append(self.now)


def watched(rng: np.random.Generator, kind: str) -> tuple[Table, str]:
    """Hide an object under the eyes of the robot; returns it as well."""
    place = parse_scene(SCENE)
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
            opens = np.array(place.objects[name].opens_along)
            inside = table.now.poses[name].position + 0.03 * opens  # towards the front
            if name == drawer:
                table.change({target: (inside[0], inside[1])}, {})
                height = place.objects[name].size_m[2]
                floor = inside[2] - height / 2 + place.bodies[name].wall_m
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


def carried_out(table: Table, target: str, *, remembering: bool) -> str:
    """``""`` when a session in MuJoCo brings the target into the bowl, else what it says.

    Args:
        table: The state after hiding, and those before it.
        target: What is asked for.
        remembering: Whether the session has watched.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hiding.toml"
        path.write_text(SCENE, encoding="utf-8")
        session = open_session(Settings(scene=str(path), model="rules", pictures=False))
    try:
        for shown in table.shown if remembering else (table.now,):
            session.restore(_qpos(session, shown))
            session.memory()
        outcome = session.run(f"put the {target} in the bowl")
        place = session.environment
        inside = Atom("in", (target, "bowl")) in place.grounder.facts(place.body.world.observe())
        return "" if inside else outcome.message
    except EmbodiedError as error:
        return str(error)
    finally:
        session.close()


def _qpos(session: Session, now: Observation) -> np.ndarray:
    """The generalised positions of the model with things as they are in an observation."""
    model, _ = session.model_and_data()
    qpos = session.qpos().copy()
    for name in (*CUPS, *TARGETS):
        address = int(model.jnt_qposadr[model.joint(name).id])
        pose = now.poses[name]
        qpos[address : address + 7] = [*pose.position, *pose.quat_wxyz]
    for name in DRAWERS:
        qpos[int(model.jnt_qposadr[model.joint(name).id])] = now.openings_m[name]
    return qpos


def main() -> int:
    """Play the episodes and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mujoco", action="store_true")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for number in range(options.episodes):
        kind = ("drawer", "cup")[number % 2]
        table, target = watched(np.random.default_rng(options.seed + number), kind)
        fresh = empty_memory(table.grounder, complete=True)
        blind = fresh.observed(Sight(table.grounder)(table.now))
        if options.mujoco:
            good = carried_out(table, target, remembering=True)
            bad = carried_out(table, target, remembering=False)
        else:
            good, bad = found(table, table.memory, target), found(table, blind, target)
        rows.append(
            {
                "seed": options.seed + number,
                "kind": kind,
                "hidden": target not in table.sight(table.now).poses,
                "memory": good,
                "no memory": bad,
            }
        )
    for kind in ("drawer", "cup"):
        own = [r for r in rows if r["kind"] == kind]
        for name in ("memory", "no memory"):
            hits = sum(not r[name] for r in own)
            low, high = wilson_interval(hits, len(own)) if own else (0.0, 0.0)
            sys.stdout.write(f"{kind:7} {name:10} {hits} of {len(own)} ({low:.0%} to {high:.0%})\n")
    wrong = [r for r in rows if r["memory"] or not r["hidden"]]
    for row in wrong[:10]:
        sys.stdout.write(f"{row}\n")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
