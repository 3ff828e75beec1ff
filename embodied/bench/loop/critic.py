"""`embodied bench critic`: outcomes of single actions, and how well they can be predicted.

Random actions of random scenes are carried out in MuJoCo with object positions measured as
imprecisely as a camera might; whether an action had its effects is judged from the simulator's own
state. A logistic regression is fitted on the scenes of one half of the seeds; calibration error,
Brier score and discrimination are measured on those of the other half.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from embodied_controllers.trajectory import TrajectoryController
from embodied_planners.motion import MotionPlanner
from embodied_planners.skills import TabletopSkills

from embodied.bench.core.report import markdown_table, rate
from embodied.bench.core.runner import Task, check_settings, run_tasks
from embodied.body import Body
from embodied.memory import SceneMemory
from embodied.route import Run
from embodied.routes.pddl.critic.features import GROUPS, NAMES, SKILLS, features
from embodied.routes.pddl.critic.logistic import brier_score, calibration_error, discrimination, fit
from embodied.routes.pddl.execution import ActionExecutor
from embodied.routes.pddl.monitor import Monitor
from embodied.symbolic import bindings, read_domain
from embodied.types import Command, GroundAction, Observation, Pose, StepResult, WorldSpec
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import MujocoWorld, build_world, planning_model
from embodied.world.scene import Scene, load_scene

SCENES = ("blocks", "kitchen", "workshop")
SIGMAS_M = (0.0, 0.004, 0.008, 0.012, 0.016, 0.020)
ACTIONS = 8
STACKS = 0.4
SLIDES_LEFT_OUT = 0.8
"""Drawers move alike each time: so often another kind of action is drawn instead."""

CRITIC_OUT = Path("bench/critic")


class BlurredWorld:
    """A world whose items are measured with an error that is drawn anew for every action.

    Args:
        world: The world.
        sigma_m: Standard deviation of the error in x and in y, m.
        rng: Source of randomness.
    """

    def __init__(self, world: MujocoWorld, sigma_m: float, rng: np.random.Generator) -> None:
        self.world = world
        self.sigma_m = sigma_m
        self._rng = rng
        self._items = [n for n, o in world.spec.objects.items() if o.kind == "item"]
        self._errors: dict[str, np.ndarray] = {}
        self.blink()

    @property
    def spec(self) -> WorldSpec:
        """Of the world inside."""
        return self.world.spec

    def blink(self) -> None:
        """Draw new errors."""
        self._errors = {
            n: np.array([*self._rng.normal(0.0, self.sigma_m, 2), 0.0]) for n in self._items
        }

    def reset(self, *, seed: int) -> Observation:
        """As the world inside does."""
        return self._blurred(self.world.reset(seed=seed))

    def observe(self) -> Observation:
        """As the world inside does, with errors."""
        return self._blurred(self.world.observe())

    def step(self, command: Command) -> StepResult:
        """As the world inside does, with errors."""
        result = self.world.step(command)
        return StepResult(
            observation=self._blurred(result.observation),
            applied=result.applied,
            reasons=result.reasons,
        )

    def close(self) -> None:
        """As the world inside does."""
        self.world.close()

    def _blurred(self, seen: Observation) -> Observation:
        poses = dict(seen.poses)
        for name, error in self._errors.items():
            pose = poses[name]
            poses[name] = Pose(position=pose.position + error, quat_wxyz=pose.quat_wxyz)
        return Observation(
            time=seen.time,
            q=seen.q,
            dq=seen.dq,
            tau=seen.tau,
            pose_ee_in_world=seen.pose_ee_in_world,
            gripper=seen.gripper,
            poses=poses,
            openings_m=seen.openings_m,
        )


class TrueFacts:
    """Facts of the simulator's own state, whatever was measured."""

    def __init__(self, grounder: TabletopGrounder, world: MujocoWorld) -> None:
        self._grounder = grounder
        self._world = world

    def facts(self, observation: Observation) -> frozenset[Any]:
        """Facts that truly hold now."""
        return self._grounder.facts(self._world.observe())


def run_episode(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out random actions in one scene; each gives features and an outcome."""
    seed = int(payload["seed"])
    rng = np.random.default_rng([seed, 41])
    scene, model = _scene(SCENES[seed % len(SCENES)])
    sigma_m = float(SIGMAS_M[seed // len(SCENES) % len(SIGMAS_M)])
    true = build_world(scene, stacks=STACKS)
    true.reset(seed=seed)
    world = BlurredWorld(true, sigma_m, rng)
    grounder = TabletopGrounder(world.spec)
    domain = read_domain(grounder.domain_text)
    monitor = Monitor(domain, grounder.objects)
    facts = grounder.facts(true.observe())
    memory = SceneMemory(
        grounder=TrueFacts(grounder, true),
        transition=lambda action, before: monitor.expected(action, before),
        facts=facts,
    )
    run = Run(body=Body(world), memory=memory)
    actor = ActionExecutor(
        run,
        skills=TabletopSkills(MotionPlanner(model, world.spec, seed=seed), world.spec),
        controller=TrajectoryController(world.spec),
        monitor=monitor,
        goal_time_s=30.0,
    )
    every = [
        GroundAction(a.name, tuple(b[p.name] for p in a.parameters))
        for a in domain.actions.values()
        for b in bindings(a.parameters, domain, grounder.objects)
    ]
    outcomes: list[dict[str, Any]] = []
    for _ in range(ACTIONS):
        possible = [a for a in every if not monitor.before(a, run.memory.facts)]
        groups = sorted({GROUPS[a.name] for a in possible})
        if not groups:
            break
        if "slide" in groups and len(groups) > 1 and rng.random() < SLIDES_LEFT_OUT:
            groups.remove("slide")
        group = str(rng.choice(groups))
        own = [a for a in possible if GROUPS[a.name] == group]
        action = own[int(rng.integers(len(own)))]
        attempt = int(rng.choice([0, 0, 0, 1, 2]))
        world.blink()
        seen = world.observe()
        x = features(action, seen, world.spec, attempt=attempt, pose_sigma_m=sigma_m)
        actor.tried(action, attempt)
        done = actor.act(action)
        outcomes.append(
            {
                "action": str(action),
                "group": group,
                "x": {n: round(float(v), 4) for n, v in zip(NAMES, x, strict=True) if v},
                "ok": done.result.ok,
                "reason": done.result.reason,
            }
        )
    world.close()
    return {"status": "ok", "seed": seed, "sigma_m": sigma_m, "outcomes": outcomes}


def summarise(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Fit on even halves of the seeds, measure on odd ones, then fit on all for the weights."""
    rows = [
        (int(r["seed"]) // (len(SCENES) * len(SIGMAS_M)) % 2, o)
        for r in results
        if r["status"] == "ok"
        for o in r["outcomes"]
    ]
    x = np.array([[o["x"].get(n, 0.0) for n in NAMES] for _, o in rows])
    y = np.array([float(o["ok"]) for _, o in rows])
    test = np.array([half == 1 for half, _ in rows])
    model = fit(x[~test], y[~test], NAMES)
    p = model.probability(x[test])
    constant = np.full(int(test.sum()), y[~test].mean())
    groups = np.array([o["group"] for _, o in rows])
    return {
        "outcomes": len(rows),
        "fitted_on": int((~test).sum()),
        "measured_on": int(test.sum()),
        "succeeded": {s: rate(int(y[groups == s].sum()), int((groups == s).sum())) for s in SKILLS},
        "calibration_error": round(calibration_error(p, y[test]), 4),
        "brier": round(brier_score(p, y[test]), 4),
        "brier_of_the_mean": round(brier_score(constant, y[test]), 4),
        "discrimination": round(discrimination(p, y[test]), 4),
        "weights": fit(x, y, NAMES).as_json(),
    }


def main(arguments: Sequence[str]) -> int:
    """Collect what is missing, fit, measure, report; 0 when every episode ran, else 3."""
    parser = argparse.ArgumentParser(prog="embodied bench critic", description=__doc__)
    parser.add_argument("--episodes", type=int, default=144, help="a multiple of 36 is balanced")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=CRITIC_OUT)
    parser.add_argument("--weights", type=Path, help="file to write the fitted weights to")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(list(arguments))
    check_settings(options.out, {"benchmark": "critic", "actions": ACTIONS})
    started = time.perf_counter()
    results = run_tasks(
        [Task(id=f"{s:05d}", payload={"seed": s}) for s in range(options.episodes)],
        run_episode,
        options.out,
        jobs=options.jobs,
        progress=not options.json,
        title="episodes",
    )
    report = summarise(results)
    report["wall_s"] = round(time.perf_counter() - started, 1)
    if options.weights is not None:
        options.weights.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    shown = {k: v for k, v in report.items() if k != "weights"}
    if options.json:
        sys.stdout.write(json.dumps(shown) + "\n")
    else:
        rows = [[k, v] for k, v in shown.items() if k != "succeeded"]
        rows += [[f"succeeded: {k}", v] for k, v in report["succeeded"].items()]
        sys.stdout.write(markdown_table(["measure", "value"], rows))
    return 0 if all(r["status"] == "ok" for r in results) else 3


@lru_cache(maxsize=3)
def _scene(name: str) -> tuple[Scene, Any]:
    scene = load_scene(name)
    return scene, planning_model(scene)
