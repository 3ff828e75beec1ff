"""`embodied bench critic`: outcomes of single actions, and how well they can be predicted.

Random actions of random scenes are carried out in MuJoCo with object positions measured as
imprecisely as a camera might; whether an action had its effects is judged from the simulator's own
state. A logistic regression is fitted on the scenes of one half of the seeds; calibration error,
Brier score and discrimination are measured on those of the other half.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from embodied_controllers.trajectory import TrajectoryController

from embodied.bench.benchmark import About, Benchmark, every, option
from embodied.bench.report import markdown_table, rate
from embodied.bench.runner import Payload, Row
from embodied.bench.tabletop import STACKS, Tabletop, scene_and_model
from embodied.bench.world_wrapper import Wrapped
from embodied.body import Body
from embodied.memory import SceneMemory
from embodied.route import Run
from embodied.routes.pddl.critic.features import GROUPS, NAMES, SKILLS, features
from embodied.routes.pddl.critic.logistic import brier_score, calibration_error, discrimination, fit
from embodied.routes.pddl.execution import ActionExecutor
from embodied.routes.pddl.monitor import Monitor
from embodied.symbolic import bindings
from embodied.types import Array, Atom, Command, GroundAction, Observation, Pose, StepResult
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import MujocoWorld, build_world

SCENES = ("blocks", "kitchen", "workshop")
SIGMAS_M = (0.0, 0.004, 0.008, 0.012, 0.016, 0.020)
ACTIONS = 8
SLIDES_LEFT_OUT = 0.8
"""Drawers move alike each time: so often another kind of action is drawn instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    episodes: int = option(144, "a multiple of 36 is balanced", at_least=1)
    weights: Path | None = option(None, "file to write the fitted weights to")


@dataclass(slots=True)
class BlurredWorld(Wrapped[MujocoWorld]):
    """A world whose items are measured with an error that is drawn anew for every action.

    Attributes:
        sigma_m: Standard deviation of the error in x and in y, m.
        rng: Source of randomness.
    """

    sigma_m: float
    rng: np.random.Generator
    _errors: dict[str, Array] = field(default_factory=dict[str, Array])

    def __post_init__(self) -> None:
        self.blink()

    def blink(self) -> None:
        """Draw new errors."""
        items = [n for n, o in self.spec.objects.items() if o.kind == "item"]
        self._errors = {n: np.array([*self.rng.normal(0.0, self.sigma_m, 2), 0.0]) for n in items}

    def reset(self, *, seed: int) -> Observation:
        """As the world inside does, with errors."""
        return self._blurred(self.world.reset(seed=seed))

    def observe(self) -> Observation:
        """As the world inside does, with errors."""
        return self._blurred(self.world.observe())

    def step(self, command: Command) -> StepResult:
        """As the world inside does, with errors."""
        result = self.world.step(command)
        return replace(result, observation=self._blurred(result.observation))

    def _blurred(self, seen: Observation) -> Observation:
        poses = dict(seen.poses)
        for name, error in self._errors.items():
            pose = poses[name]
            poses[name] = Pose(position=pose.position + error, quat_wxyz=pose.quat_wxyz)
        return replace(seen, poses=poses)


class TrueFacts:
    """Facts of the simulator's own state, whatever was measured."""

    def __init__(self, grounder: TabletopGrounder, world: MujocoWorld) -> None:
        self._grounder = grounder
        self._world = world

    def facts(self, observation: Observation) -> frozenset[Atom]:
        """Facts that truly hold now."""
        return self._grounder.facts(self._world.observe())


def run_episode(payload: Payload) -> Row:
    """Carry out random actions in one scene; each gives features and an outcome."""
    seed = int(payload["seed"])
    rng = np.random.default_rng([seed, 41])
    scene, model = scene_and_model(SCENES[seed % len(SCENES)])
    sigma_m = float(SIGMAS_M[seed // len(SCENES) % len(SIGMAS_M)])
    true = build_world(scene, stacks=STACKS)
    true.reset(seed=seed)
    world = BlurredWorld(true, sigma_m, rng)
    table = Tabletop(world.spec)
    grounder, domain = table.grounder, table.domain
    monitor = Monitor(domain, grounder.objects)
    facts = grounder.facts(true.observe())
    memory = SceneMemory(
        grounder=TrueFacts(grounder, true),
        transition=lambda action, before: monitor.expected(action, before),
        facts=facts,
    )
    run = Run(body=Body(world), memory=memory)
    actor = ActionExecutor(
        run=run,
        skills=table.skills(model, seed),
        controller=TrajectoryController(world.spec),
        monitor=monitor,
        goal_time_s=30.0,
    )
    every = [
        GroundAction(a.name, tuple(b[p.name] for p in a.parameters))
        for a in domain.actions.values()
        for b in bindings(a.parameters, domain, grounder.objects)
    ]
    outcomes: list[Row] = []
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


def summarise(results: Sequence[Row]) -> Row:
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
        "wall_s": round(sum(r.get("task_wall_s", 0.0) for r in results), 1),
        "fitted_on": int((~test).sum()),
        "measured_on": int(test.sum()),
        "succeeded": {s: rate(int(y[groups == s].sum()), int((groups == s).sum())) for s in SKILLS},
        "calibration_error": round(calibration_error(p, y[test]), 4),
        "brier": round(brier_score(p, y[test]), 4),
        "brier_of_the_mean": round(brier_score(constant, y[test]), 4),
        "discrimination": round(discrimination(p, y[test]), 4),
        "weights": fit(x, y, NAMES).as_json(),
    }


def report_of(results: Sequence[Row], settings: Settings) -> Row:
    """The figures; the fitted weights go to a file where one is asked for."""
    report = summarise(results)
    if settings.weights is not None:
        settings.weights.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def table_of_measures(report: Row) -> str:
    """The figures for a person."""
    rows = [[k, v] for k, v in report.items() if k not in ("succeeded", "weights")]
    rows += [[f"succeeded: {k}", v] for k, v in report["succeeded"].items()]
    return markdown_table(["measure", "value"], rows)


BENCHMARK = Benchmark(
    name="critic",
    summary="Outcomes of single actions, and how well the critic predicts them.",
    about=About(routes=("pddl",)),
    settings=Settings,
    cases=lambda s: every("{seed:05d}", seed=range(s.episodes)),
    run=run_episode,
    report=report_of,
    table=table_of_measures,
)
