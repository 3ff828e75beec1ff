"""`embodied bench l2r`: the 17 tasks of Language to Rewards (arXiv 2306.08647) in simulation.

Success comes from recorded states of the simulation. A result counts for one program and one set
of planner settings: where either changes, the episode is run again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.bench.asking import ModelSettings, asked_model
from embodied.bench.benchmark import About, Benchmark, option
from embodied.bench.l2r.arm import ARM_TASKS
from embodied.bench.l2r.quadruped import QUADRUPED_TASKS, L2rTask, Phase, View
from embodied.bench.report import grouped, rate_bars, table_of, wilson_interval
from embodied.bench.runner import Payload, Row, Task
from embodied.errors import (
    BudgetExceededError,
    ConfigurationError,
    EmbodiedError,
    ModelError,
)
from embodied.language.conversation import Conversation
from embodied.language.reward import program_to_json
from embodied.language.reward.primitives import PrimitiveTranslator
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.serialise import program_from_json
from embodied.language.reward.speech import Speech
from embodied.language.reward.translator import RewardTranslator
from embodied.protocols import Translator
from embodied.routes.reward.robots import REWARD_ROBOTS
from embodied.routes.reward.setup import RewardSetup, build_setup
from embodied.routes.reward.stage_run import JUDGED_OVER_S
from embodied.routes.reward.trace import Trace, judged
from embodied.types import RewardGoal, RewardProgram

TASKS: Mapping[str, L2rTask] = {t.name: t for t in (*QUADRUPED_TASKS, *ARM_TASKS)}
"""All 17 tasks by name."""

SENTENCE_EVERY_S = 3.5
"""Simulated time between two sentences of one conversation."""

CHECK_EVERY_STEPS = 25

Script = Sequence[tuple[float, RewardProgram]]
"""Programs with the simulated time at which each takes over."""
Method = Callable[[L2rTask], Script]


def oracle(task: L2rTask) -> Script:
    """The rewards written by hand with the task."""
    return [(0.0, task.oracle)]


def translated(task: L2rTask, translator: Translator) -> Script:
    """What a translator makes of the task's sentences, said one after the other.

    Raises:
        EmbodiedError: The translator abstains or fails.
    """
    rig = build_setup(task.robot, scene=task.scene, layout=task.layout)
    memory = Conversation()
    script: list[tuple[float, RewardProgram]] = []
    try:
        for i, sentence in enumerate(task.instructions):
            program = translator.translate(sentence, memory, rig.world.spec)
            if not isinstance(program, RewardProgram):
                raise ConfigurationError(f"{translator.name} writes no reward programs")
            memory = memory.told(sentence, program)
            script.append((i * SENTENCE_EVERY_S, program))
    finally:
        rig.close()
    return script


def method_named(name: str, settings: Settings) -> Method:
    """One of ``METHODS``; the last three need a model.

    Raises:
        ConfigurationError: No model is given, or it cannot be opened.
    """
    if name == "oracle":
        return oracle
    if name == "rules":
        return lambda task: translated(task, RewardRules(_speech(task)))
    model = asked_model(settings.asking([name]))
    if name == "primitives":
        return lambda task: translated(task, PrimitiveTranslator(model, task.robot))
    two_step = name == "two-step"
    return lambda task: translated(task, RewardTranslator(model, _speech(task), two_step=two_step))


def _speech(task: L2rTask) -> Speech:
    robot = REWARD_ROBOTS.get(task.robot)
    return robot.words(robot.things)


METHODS = ("oracle", "rules", "two-step", "one-step", "primitives")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ModelSettings):
    """Options of the benchmark."""

    seeds: int = option(10, at_least=1)
    task: tuple[str, ...] = option((), choices=tuple(TASKS))
    method: tuple[str, ...] = option(("oracle",), choices=METHODS)


def held(phases: Sequence[Phase], view: View) -> tuple[tuple[bool, ...], tuple[float, ...]]:
    """Which phases were held one after the other, and how often each predicate was true.

    Args:
        phases: Predicates with their times.
        view: Recorded states, (1, T).
    """
    begin = 0
    done: list[bool] = []
    shares: list[float] = []
    for phase in phases:
        true = phase.holds(view)
        shares.append(round(float(true.mean()), 3))
        end = None
        since = None
        if all(done):
            for i in range(begin, len(true)):
                if not true[i]:
                    since = None
                    continue
                since = i if since is None else since
                if view.time[i] - view.time[since] >= phase.hold_s - 1e-9:
                    end = i
                    break
        done.append(end is not None)
        begin = begin if end is None else end
    return tuple(done), tuple(shares)


def record_episode(
    rig: RewardSetup,
    script: Script,
    seconds: float,
    seed: int,
    phases: Sequence[Phase] = (),
) -> tuple[View, tuple[str, ...]]:
    """Run a script.

    The episode ends early when all ``phases`` have been held after the last program took over.

    Returns:
        The view (1, T) of the recorded states of the simulation, and what of the last program
        ``embodied run`` would say is not met: its last stage at the end, by the same judge.
    """
    world, controller = rig.world, rig.controller
    observation = world.reset(seed=seed)
    state = controller.init(RewardGoal(program=script[0][1]), observation)
    waiting = list(script[1:])
    states: list[np.ndarray] = []
    sensors: list[np.ndarray] = []
    program, last = script[-1][1], len(script[-1][1].stages) - 1
    trace = Trace(program, rig.judge.view, rig.judge.layout)

    def view() -> View:
        return rig.judge.view_of(np.array(states)[None], np.array(sensors)[None])

    while observation.time < seconds - 1e-9:
        if waiting and observation.time >= waiting[0][0] - 1e-9:
            state = controller.redirect(state, waiting.pop(0)[1])
        command, state, _ = controller.step(state, observation)
        observation = world.step(command).observation
        states.append(world.full_state())
        sensors.append(rig.judge.sensors_of(states[-1], world.data.ctrl))
        if not waiting and state.stage <= last:
            trace.add(state.stage, states[-1], sensors[-1])
        due = phases and not waiting and len(states) % CHECK_EVERY_STEPS == 0
        if due and all(held(phases, view())[0]):
            break
    if not trace.seconds(last):
        return view(), (f"stage {last + 1} was not entered",)
    ends = trace.view(last, JUDGED_OVER_S)
    return view(), judged(trace.asked(last), ends, trace.view(last), rig.speech.vocabulary).unmet


def digest(task: L2rTask, script: Script) -> str:
    """Short digest of what an episode depends on besides its seed."""
    text = repr((REWARD_ROBOTS.get(task.robot).options, task.limit_s)) + "".join(
        f"{at}{program_to_json(p)}" for at, p in script
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_episode(task: L2rTask, script: Script, method: str, seed: int) -> Row:
    """One episode; failures of the simulation are results, not exceptions.

    Returns:
        ``program``: digest of programs and planner settings: a change means another episode;
        ``phases`` and ``shares``: for each phase whether it was held, and the share of the time
        at which its predicate was true; ``unmet``: what ``embodied run`` would say of the last
        program is not met, which need not be what the task asks; ``physics_steps`` of the plan
        model; ``speed_ratio``: largest measured joint speed as a share of its limit (set-points are
        limited, a collision may exceed it briefly); ``error``: why it could not run, empty
        otherwise.
    """
    row = _row(task.name, method, seed, digest(task, script))
    rig = build_setup(task.robot, scene=task.scene, layout=task.layout, seed=seed)
    begin = time.process_time()
    try:
        view, unmet = record_episode(rig, script, task.limit_s, seed, task.phases)
    except (EmbodiedError, ValueError) as error:
        return {**row, "error": str(error)}
    finally:
        rig.close()
    cpu = time.process_time() - begin
    phases, shares = held(task.phases, view)
    model = rig.world.model
    joints = model.jnt_dofadr[model.actuator_trnid[:, 0]]
    speed = np.abs(view.states[0][:, 1 + model.nq + joints].T)
    return {
        **row,
        "solved": all(phases),
        "unmet": unmet,
        "phases": phases,
        "shares": shares,
        "simulated_s": round(float(view.time[-1]), 2),
        "cpu_s": round(cpu, 2),
        "physics_steps": rig.controller.planner.rollouts.steps_done,
        "speed_ratio": round(float((speed.max(axis=1) / rig.world.spec.dq_max).max()), 2),
    }


def _row(task: str, method: str, seed: int, program: str = "", error: str = "") -> Row:
    """The row of an episode that did not run."""
    about = {"task": task, "method": method, "seed": seed, "program": program, "error": error}
    numbers = dict.fromkeys(("simulated_s", "cpu_s", "speed_ratio"), 0.0)
    return {**about, **numbers, "physics_steps": 0, "solved": False, "phases": (), "shares": ()}


def cases(settings: Settings) -> list[Task]:
    """Every episode; a translator is asked here, once for each task."""
    tasks: list[Task] = []
    for name in settings.method:
        method = method_named(name, settings)
        label = f"{name} {settings.model}" if settings.model else name
        tasks += episodes(settings.task or tuple(TASKS), settings.seeds, method, label)
    return tasks


def episodes(names: Sequence[str], seeds: int, method: Method, label: str) -> list[Task]:
    """Episodes of tasks with the programs that a method writes for them."""
    tasks: list[Task] = []
    for name in names:
        about: Row = {"task": name, "method": label}
        try:
            script = method(TASKS[name])
        except EmbodiedError as error:
            key = ""
            silent = isinstance(error, ModelError) and not isinstance(error, BudgetExceededError)
            about["unanswered" if silent else "error"] = str(error)
        else:
            key = digest(TASKS[name], script)
            about["script"] = [(at, program_to_json(p)) for at, p in script]
        tasks += [
            Task(id=f"{name}/{label}/{seed}/{key}", payload={**about, "seed": seed})
            for seed in range(seeds)
        ]
    return sorted(tasks, key=lambda t: int(t.payload["seed"]))


def run_case(payload: Payload) -> Row:
    """One episode."""
    task, method, seed = TASKS[payload["task"]], str(payload["method"]), int(payload["seed"])
    if why := payload.get("unanswered", ""):
        raise ModelError(why)
    if error := payload.get("error", ""):
        return _row(task.name, method, seed, error=error)
    script = [
        (float(at), program_from_json(text, task.robot, source=method, filled=False))
        for at, text in payload["script"]
    ]
    return run_episode(task, script, method, seed)


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """For each task and method: seeds solved, and the cost of control."""
    order = {name: i for i, name in enumerate(TASKS)}
    groups = grouped([r for r in rows if "task" in r], "task", "method")
    found: list[Row] = []
    for (task, method), group in sorted(groups.items(), key=lambda g: order[g[0][0]]):
        ran = [e for e in group if e["simulated_s"]]
        cpu, simulated = (sum(e[k] for e in ran) for k in ("cpu_s", "simulated_s"))
        found.append(
            {
                "task": task,
                "method": method,
                "seeds": len(group),
                "solved": sum(e["solved"] for e in group),
                "alike": sum(e["solved"] == (not e["unmet"]) for e in ran if "unmet" in e),
                "cpu_per_s": round(cpu / simulated, 4) if ran else None,
                "errors": [e["error"] for e in group if e["error"]],
            }
        )
    return {"rows": found}


def table(report: Row) -> str:
    """Solved of tried with the 95% interval, and the real-time factor."""

    def interval(row: Row) -> str:
        low, high = wilson_interval(row["solved"], row["seeds"])
        return f"{low:.0%} to {high:.0%}"

    rows = report["rows"]
    columns: Mapping[str, str | Callable[[Row], object]] = {
        "task": "task",
        "method": "method",
        "solved": lambda r: f"{r['solved']}/{r['seeds']}",
        "95% interval": interval,
        "verdict of run alike": lambda r: f"{r['alike']}/{r['seeds']}",
        "CPU s per simulated s": lambda r: (
            "-" if r["cpu_per_s"] is None else f"{r['cpu_per_s']:.2f}"
        ),
    }
    good = sum(r["solved"] >= 0.8 * r["seeds"] for r in rows)
    return f"{table_of(rows, columns)}\n{good} of {len(rows)} at 80% or more of their seeds.\n"


BENCHMARK = Benchmark(
    name="l2r",
    summary="Language to Rewards: 17 tasks of a quadruped and a hand.",
    about=About(routes=("reward",), size="17 tasks"),
    settings=Settings,
    cases=cases,
    run=run_case,
    report=summarise,
    table=table,
    figures={
        "report.png": lambda report: rate_bars(
            {(r["method"], r["task"]): (r["solved"], r["seeds"]) for r in report["rows"]}
        )
    },
    code=lambda report: int(any(r["errors"] for r in report["rows"])),
    jobs=1,
)
