"""`embodied bench strategies`: the same tasks, the same model, different ways to use it.

``plan`` (LLM+P) asks for the goal and plans; ``tree`` samples plans once and decides on their
tree; ``react`` asks again at every step; ``rewoo`` asks once and never looks; ``code`` asks for a
program. Tasks are sentences about the ``blocks`` scene with goals over several blocks. Success and
goal-condition recall are judged on the final state by the goal that the sentence was made from.

The model is scripted (``scripted_model``): a planner with errors at a known rate, which reads the
real prompts; or any model, with ``--model``. Execution is physics (``--physics``), or what the
domain says with failures at a known rate. Tokens are compared with ``react``, whose conversation
grows, and with as many requests of the opening prompt alone ("fresh").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.agent import Agent, Options
from embodied.bench.asking import ModelSettings, asked_model
from embodied.bench.benchmark import About, Benchmark, every, option
from embodied.bench.report import bootstrap_interval, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.bench.strategies.scripted_model import StandIn, count_tokens
from embodied.bench.strategies.symbolic_robot import SymbolicRobot
from embodied.bench.tabletop import SCENE, STACKS, Tabletop, scene_and_model
from embodied.body import Body
from embodied.errors import ProgramError
from embodied.language.pddl.scene_translator import SceneTranslator
from embodied.protocols import LanguageModel, StateMemory, Usage
from embodied.routes.pddl.prompting import opening
from embodied.routes.pddl.strategies import PlanStrategy, Strategy
from embodied.routes.pddl.strategies import Task as StrategyTask
from embodied.routes.pddl.strategies.code import CodeStrategy
from embodied.routes.pddl.strategies.hiagent import HiAgentStrategy
from embodied.routes.pddl.strategies.react import ReactStrategy
from embodied.routes.pddl.strategies.rewoo import RewooStrategy
from embodied.routes.pddl.strategies.tree import TreeStrategy
from embodied.types import Atom, PddlProgram, WorldSpec
from embodied.world.mujoco import MujocoWorld, build_world

ASKING: Mapping[str, Callable[[LanguageModel], Strategy]] = {
    "tree": TreeStrategy,
    "react": ReactStrategy,
    "hiagent": HiAgentStrategy,
    "rewoo": RewooStrategy,
    "code": CodeStrategy,
}
NAMES = ("plan", *ASKING)
_PLACES = ("table", "tray")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ModelSettings):
    """Options of the benchmark."""

    tasks: int = option(60, at_least=1)
    strategy: tuple[str, ...] = option(NAMES, choices=NAMES)
    physics: bool = option(False, "carry out in MuJoCo", key=True)
    error_rate: float = option(0.04, "of the stand-in, where no model is given", key=True)
    failure_rate: float = option(0.05, "of symbolic actions", key=True)


def cases(settings: Settings) -> list[Task]:
    """Every strategy on every task."""
    s = settings
    about = {n: getattr(s, n) for n in ("physics", "error_rate", "failure_rate")} | s.asking()
    return every("{seed:04d}/{strategy}", about, seed=range(s.tasks), strategy=s.strategy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A task: a sentence, what it means, and where the world starts."""

    sentence: str
    goal: str
    table: Tabletop
    facts: frozenset[Atom]
    world: MujocoWorld

    def task(self, *goals: str) -> StrategyTask:
        """The task of a strategy, for what somebody takes the sentence to mean."""
        return StrategyTask(
            instruction=self.sentence,
            goals=goals,
            domain=self.table.domain,
            domain_text=self.table.grounder.domain_text,
            objects=self.table.grounder.objects,
        )


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
    world = build_world(scene_and_model(SCENE)[0], stacks=STACKS)
    table = Tabletop(world.spec)
    for trial in range(100):
        facts = table.grounder.facts(world.reset(seed=1000 * seed + trial))
        rng = np.random.default_rng([seed, trial, 3])
        goals = _goals([str(n) for n in rng.permutation(table.items)], rng)
        if sum(Atom.parse(g) not in facts for g in goals) >= 3:
            sentence = ", ".join(_words(g) for g in goals[:-1]) + f" and {_words(goals[-1])}"
            goal = f"(and {' '.join(goals)})"
            return Case(sentence=sentence, goal=goal, table=table, facts=facts, world=world)
    raise RuntimeError(f"no task found for seed {seed}")


def run_case(payload: Payload) -> Row:
    """Run one strategy on one task."""
    seed, name = int(payload["seed"]), str(payload["strategy"])
    case = draw_case(seed)
    model = _model(payload, case)
    strategy, translator = _strategy(name, model, case)
    run = _physically if payload["physics"] else _symbolically
    facts, actions, note = case.facts, 0, ""
    try:
        facts, actions = run(case, strategy, translator, payload)
    except ProgramError as error:  # an answer that stayed unusable after all repairs
        note = str(error)
    parts = [Atom.parse(g) for g in case.goal[5:-1].replace(") (", ")|(").split("|")]
    usage = strategy.usage + (translator.usage if translator else Usage())
    return {
        "status": "ok",
        "seed": seed,
        "strategy": name,
        "sentence": case.sentence,
        "success": case.table.holds(case.goal, facts),
        "recall": round(sum(p in facts for p in parts) / len(parts), 4),
        "calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "corrections": strategy.corrections,
        "actions": actions,
        "opening_tokens": sum(
            count_tokens(m.text) for m in opening("step", case.task(case.goal), case.facts)
        ),
        "note": note,
    }


def summarise(results: Sequence[Row]) -> list[Row]:
    """One row for each strategy; tokens beside those of asking at every step."""
    rows: list[Row] = []
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


def _percent(name: str) -> Callable[[Row], str]:
    return lambda r: f"{100 * r[name]:.1f}%"


COLUMNS: Mapping[str, str | Callable[[Row], object]] = {
    "strategy": "strategy",
    "success": lambda r: rate(r["success"], r["tasks"]),
    "goal-condition recall": lambda r: f"{r['recall']:.3f}",
    "tokens": "tokens",
    "fewer than react": _percent("fewer_tokens_than_react"),
    "than fresh prompts": _percent("fewer_tokens_than_fresh_prompts"),
    "calls": "calls",
    "corrections": "corrections",
    "actions": "actions",
}

BENCHMARK = Benchmark(
    name="strategies",
    summary="Ways to use a model on the same tasks: success, recall, tokens, calls.",
    about=About(routes=("pddl",)),
    settings=Settings,
    cases=cases,
    run=run_case,
    report=lambda rows, settings: summarise([r for r in rows if r["status"] == "ok"]),
    table=lambda rows: table_of(rows, COLUMNS),
)

# ------------------------------------------------------------------------- private


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _tokens(result: Row) -> int:
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


def _model(payload: Payload, case: Case) -> LanguageModel:
    if payload["model"]:
        return asked_model(payload)
    return StandIn(
        case.table.grounder.domain_text,
        case.table.grounder.objects,
        case.world.spec,
        error_rate=float(payload["error_rate"]),
        seed=int(payload["seed"]),
    )


def _strategy(
    name: str, model: LanguageModel, case: Case
) -> tuple[Strategy, SceneTranslator | None]:
    """The strategy, and for ``plan`` the translator whose calls it costs."""
    if name == "plan":
        grounder = case.table.grounder
        return PlanStrategy(), SceneTranslator(model, grounder.domain_text, grounder.objects)
    return ASKING[name](model), None


def _physically(
    case: Case, strategy: Strategy, translator: SceneTranslator | None, payload: Payload
) -> tuple[frozenset[Atom], int]:
    world, table = case.world, case.table
    model = scene_and_model(SCENE)[1]
    route = table.route(model, int(payload["seed"]), strategy=lambda: strategy)
    agent = Agent(
        body=Body(world),
        routes={PddlProgram: route},
        memory=table.memory(case.facts),
        options=Options(questions=0),
    )
    given = GoalGiven(table.program(case.facts, case.goal))
    report = agent.carry_out(case.sentence, translator or given)
    facts = table.grounder.facts(world.observe())
    world.close()
    return facts, len(report.details["actions"])


def _symbolically(
    case: Case, strategy: Strategy, translator: SceneTranslator | None, payload: Payload
) -> tuple[frozenset[Atom], int]:
    goals: tuple[str, ...] = (case.goal,)
    if translator is not None:
        memory = case.table.memory(case.facts)
        goals = translator.translate(case.sentence, memory, case.world.spec).stages
    case.world.close()
    failing, seed = float(payload["failure_rate"]), int(payload["seed"])
    robot = SymbolicRobot(case.task(*goals), case.facts, failure_rate=failing, seed=seed)
    strategy.pursue(robot)
    return robot.facts, len(robot.performed)
