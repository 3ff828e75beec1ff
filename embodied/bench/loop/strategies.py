"""`embodied bench strategies`: the same tasks, the same model, different ways to use it.

``plan`` (LLM+P) asks for the goal and plans; ``tree`` samples plans once and decides on their
tree; ``react`` asks again at every step; ``rewoo`` asks once and never looks; ``code`` asks for a
program. Tasks are sentences about the ``blocks`` scene with goals over several blocks. Success and
goal-condition recall are judged on the final state by the goal that the sentence was made from.

The model is scripted (``embodied.bench.loop.scripted_model``): a planner with errors at a known
rate, which reads the real prompts; or any model, with ``--model``. Execution is physics
(``--physics``), or what the domain says with failures at a known rate. Tokens are compared with
``react``, whose
conversation grows, and with as many requests of the opening prompt alone ("fresh").
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from embodied_controllers.trajectory import TrajectoryController
from embodied_planners.motion import MotionPlanner
from embodied_planners.pddl import Planner
from embodied_planners.skills import TabletopSkills

from embodied.agent import Agent, Options
from embodied.bench.core.report import bootstrap_interval, markdown_table, rate
from embodied.bench.core.runner import Task, check_settings, run_tasks
from embodied.bench.loop.scripted_model import StandIn, count_tokens
from embodied.bench.loop.symbolic_robot import SymbolicRobot
from embodied.body import Body
from embodied.errors import ProgramError
from embodied.language.pddl.scene_translator import SceneTranslator
from embodied.memory import SceneMemory
from embodied.protocols import LanguageModel, StateMemory, Usage
from embodied.routes.pddl.prompting import opening
from embodied.routes.pddl.route import PddlRoute
from embodied.routes.pddl.strategies import PlanStrategy, Strategy
from embodied.routes.pddl.strategies import Task as StrategyTask
from embodied.routes.pddl.strategies.code import CodeStrategy
from embodied.routes.pddl.strategies.hiagent import HiAgentStrategy
from embodied.routes.pddl.strategies.react import ReactStrategy
from embodied.routes.pddl.strategies.rewoo import RewooStrategy
from embodied.routes.pddl.strategies.tree import TreeStrategy
from embodied.symbolic import Domain, holds, progress, read_domain, read_goal, render_problem
from embodied.types import Atom, GroundAction, PddlProgram, WorldSpec
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import MujocoWorld, build_world, planning_model
from embodied.world.scene import Scene, load_scene

NAMES = ("plan", "tree", "react", "hiagent", "rewoo", "code")
OUT = Path("bench/strategies")
STACKS = 0.4
_PLACES = ("table", "tray")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A task: a sentence, what it means, and where the world starts."""

    sentence: str
    goal: str
    domain: Domain
    grounder: TabletopGrounder
    facts: frozenset[Atom]
    world: MujocoWorld


class GoalGiven:
    """A translator that knows the answer: only a strategy's own calls are to be counted."""

    name = "given"

    def __init__(self, program: PddlProgram) -> None:
        self._program = program

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> PddlProgram:
        """The program, whatever the sentence."""
        return self._program


def draw_case(seed: int) -> Case:
    """A layout and a goal over four to six blocks, as a sentence."""
    scene, _ = _scene()
    world = build_world(scene, stacks=STACKS)
    grounder = TabletopGrounder(world.spec)
    domain = read_domain(grounder.domain_text)
    items = [n for n, o in world.spec.objects.items() if o.kind == "item"]
    for trial in range(100):
        facts = grounder.facts(world.reset(seed=1000 * seed + trial))
        rng = np.random.default_rng([seed, trial, 3])
        goals = _goals([str(n) for n in rng.permutation(items)], rng)
        goal = f"(and {' '.join(goals)})"
        missing = [g for g in goals if Atom.parse(g) not in facts]
        if len(missing) >= 3:
            sentence = ", ".join(_words(g) for g in goals[:-1]) + f" and {_words(goals[-1])}"
            return Case(
                sentence=sentence,
                goal=goal,
                domain=domain,
                grounder=grounder,
                facts=facts,
                world=world,
            )
    raise RuntimeError(f"no task found for seed {seed}")


def run_case(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Run one strategy on one task."""
    seed, name = int(payload["seed"]), str(payload["strategy"])
    case = draw_case(seed)
    model = _model(payload, case)
    strategy, translator = _strategy(name, model, case)
    physical = bool(payload["physics"])
    try:
        facts, actions = (_physically if physical else _symbolically)(
            case, strategy, translator, payload
        )
    except ProgramError as error:  # an answer that stayed unusable after all repairs
        facts, actions = case.facts, 0
        note = str(error)
    else:
        note = ""
    parts = [Atom.parse(g) for g in case.goal[5:-1].replace(") (", ")|(").split("|")]
    usage = strategy.usage + (translator.usage if translator else Usage())
    return {
        "status": "ok",
        "seed": seed,
        "strategy": name,
        "sentence": case.sentence,
        "success": _holds(case, case.goal, facts),
        "recall": round(sum(p in facts for p in parts) / len(parts), 4),
        "calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "corrections": strategy.corrections,
        "actions": actions,
        "opening_tokens": _opening_tokens(case),
        "note": note,
    }


def summarise(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each strategy; tokens beside those of asking at every step."""
    rows: list[dict[str, Any]] = []
    per_step = [r for r in results if r.get("strategy") == "react"]
    base = _mean([_tokens(r) for r in per_step])
    fresh = _mean([r["calls"] * r["opening_tokens"] + r["output_tokens"] for r in per_step])
    for name in NAMES:
        own = [r for r in results if r.get("strategy") == name and r["status"] == "ok"]
        if not own:
            continue
        recall = [r["recall"] for r in own]
        tokens = _mean([_tokens(r) for r in own])
        rows.append(
            {
                "strategy": name,
                "tasks": len(own),
                "success": sum(r["success"] for r in own),
                "recall": round(float(np.mean(recall)), 4),
                "recall_95": bootstrap_interval(recall, np.random.default_rng(0)),
                "tokens": round(tokens, 1),
                "calls": round(_mean([r["calls"] for r in own]), 2),
                "corrections": round(_mean([r["corrections"] for r in own]), 2),
                "actions": round(_mean([r["actions"] for r in own]), 2),
                "fewer_tokens_than_react": round(1.0 - tokens / base, 4),
                "fewer_tokens_than_fresh_prompts": round(1.0 - tokens / fresh, 4),
            }
        )
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows for a person."""
    header = (
        "strategy",
        "success",
        "goal-condition recall",
        "tokens",
        "fewer than react",
        "than fresh prompts",
        "calls",
        "corrections",
        "actions",
    )
    cells = [
        [
            r["strategy"],
            rate(r["success"], r["tasks"]),
            f"{r['recall']:.3f}",
            r["tokens"],
            f"{100 * r['fewer_tokens_than_react']:.1f}%",
            f"{100 * r['fewer_tokens_than_fresh_prompts']:.1f}%",
            r["calls"],
            r["corrections"],
            r["actions"],
        ]
        for r in rows
    ]
    return markdown_table(header, cells)


def main(arguments: Sequence[str]) -> int:
    """Run what is missing and report; 0 when every task ran, else 3."""
    parser = argparse.ArgumentParser(prog="embodied bench strategies", description=__doc__)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--strategy", action="append", choices=NAMES, help="repeatable")
    parser.add_argument("--physics", action="store_true", help="carry out in MuJoCo")
    parser.add_argument("--error-rate", type=float, default=0.04, help="of the stand-in model")
    parser.add_argument("--failure-rate", type=float, default=0.05, help="of symbolic actions")
    parser.add_argument("--model", default="", help="a model instead of the stand-in")
    parser.add_argument("--base-url", default=None, help="of that model")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(list(arguments))
    settings = {
        "physics": options.physics,
        "error_rate": options.error_rate,
        "failure_rate": options.failure_rate,
        "model": options.model,
        "base_url": options.base_url,
    }
    check_settings(options.out, {"benchmark": "strategies", **settings})
    tasks = [
        Task(id=f"{seed:04d}/{name}", payload={"seed": seed, "strategy": name, **settings})
        for seed in range(options.tasks)
        for name in options.strategy or NAMES
    ]
    results = run_tasks(
        tasks,
        run_case,
        options.out,
        jobs=options.jobs,
        progress=not options.json,
        title="tasks",
    )
    rows = summarise([r for r in results if r["status"] == "ok"])
    (options.out / "report.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(rows) + "\n" if options.json else table(rows))
    return 3 if any(r["status"] == "error" for r in results) else 0


# ------------------------------------------------------------------------- private


def _opening_tokens(case: Case) -> int:
    task = StrategyTask(
        instruction=case.sentence,
        goals=(case.goal,),
        domain=case.domain,
        domain_text=case.grounder.domain_text,
        objects=case.grounder.objects,
    )
    return sum(count_tokens(m.text) for m in opening("step", task, case.facts))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _tokens(result: Mapping[str, Any]) -> int:
    return int(result["input_tokens"]) + int(result["output_tokens"])


def _goals(items: Sequence[str], rng: np.random.Generator) -> list[str]:
    """A tower of three or four blocks somewhere, and a place for each of two others."""
    height = int(rng.integers(3, 5))
    tower, others = items[:height], items[height : height + 2]
    goals = [f"(on {tower[0]} {rng.choice(_PLACES)})"]
    goals += [f"(on {a} {b})" for b, a in zip(tower, tower[1:], strict=False)]
    for item in others:
        goals.append(f"(in {item} bin)" if rng.random() < 0.7 else f"(on {item} tray)")
    return goals


def _words(goal: str) -> str:
    atom = Atom.parse(goal)
    item, place = (n.replace("-", " ") for n in atom.args)
    return f"put the {item} {atom.predicate} the {place}"


def _model(payload: Mapping[str, Any], case: Case) -> LanguageModel:
    if payload["model"]:
        from embodied.language.models import open_model

        return open_model(str(payload["model"]), base_url=payload["base_url"])
    return StandIn(
        case.grounder.domain_text,
        case.grounder.objects,
        case.world.spec,
        error_rate=float(payload["error_rate"]),
        seed=int(payload["seed"]),
    )


def _strategy(
    name: str, model: LanguageModel, case: Case
) -> tuple[Strategy, SceneTranslator | None]:
    """The strategy, and for ``plan`` the translator whose calls it costs."""
    if name == "plan":
        grounder = case.grounder
        return PlanStrategy(), SceneTranslator(model, grounder.domain_text, grounder.objects)
    others = {
        "tree": TreeStrategy,
        "react": ReactStrategy,
        "hiagent": HiAgentStrategy,
        "rewoo": RewooStrategy,
        "code": CodeStrategy,
    }
    return others[name](model), None


def _program(case: Case) -> PddlProgram:
    return PddlProgram(
        domain=case.grounder.domain_text,
        problem=render_problem(
            "task", case.domain, case.grounder.objects, case.facts, (case.goal,)
        ),
        stages=(case.goal,),
        source="benchmark",
    )


def _memory(case: Case) -> SceneMemory:
    return SceneMemory(
        grounder=case.grounder, transition=partial(_progress, case), facts=case.facts
    )


def _progress(case: Case, action: GroundAction, facts: frozenset[Atom]) -> frozenset[Atom]:
    return progress(action, facts, case.domain, case.grounder.objects)


def _physically(
    case: Case, strategy: Strategy, translator: SceneTranslator | None, payload: Mapping[str, Any]
) -> tuple[frozenset[Atom], int]:
    _, model = _scene()
    world = case.world
    route = PddlRoute(
        grounder=case.grounder,
        planner=Planner(),
        skills=TabletopSkills(
            MotionPlanner(model, world.spec, seed=int(payload["seed"])), world.spec
        ),
        controller=TrajectoryController(world.spec),
        strategy=lambda: strategy,
    )
    agent = Agent(
        body=Body(world),
        routes={PddlProgram: route},
        memory=_memory(case),
        options=Options(questions=0),
    )
    report = agent.carry_out(case.sentence, translator or GoalGiven(_program(case)))
    facts = case.grounder.facts(world.observe())
    world.close()
    return facts, len(report.details["actions"])


def _symbolically(
    case: Case, strategy: Strategy, translator: SceneTranslator | None, payload: Mapping[str, Any]
) -> tuple[frozenset[Atom], int]:
    goals: tuple[str, ...] = (case.goal,)
    if translator is not None:
        goals = translator.translate(case.sentence, _memory(case), case.world.spec).stages
    case.world.close()
    robot = SymbolicRobot(
        domain=case.domain,
        domain_text=case.grounder.domain_text,
        objects=case.grounder.objects,
        facts=case.facts,
        instruction=case.sentence,
        goals=goals,
        failure_rate=float(payload["failure_rate"]),
        seed=int(payload["seed"]),
    )
    strategy.pursue(robot)
    return robot.facts, len(robot.performed)


def _holds(case: Case, goal: str, facts: frozenset[Atom]) -> bool:
    objects = case.grounder.objects
    return holds(read_goal(goal, case.domain, objects), facts, case.domain, objects)


@lru_cache(maxsize=1)
def _scene() -> tuple[Scene, Any]:
    scene = load_scene("blocks")
    return scene, planning_model(scene)
