"""`embodied bench tools`: tasks that need tools, by a model that has them and by others.

Something is in the way, an object is ambiguous, the gripper does not close for a while, or a
sentence needs two routes. The models are scripted: the one with tools sits behind a real HTTP
endpoint and is asked through the real client libraries; those of ``plan`` and ``react`` read their
own prompts and plan with the planner. The verdict is held against the simulator's own state.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from typing import cast

import numpy as np

from embodied.bench.benchmark import Benchmark, every, option
from embodied.bench.report import grouped, listed, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.bench.strategies.scripted_model import StandIn, count_tokens
from embodied.bench.tools.scripted_model import answer
from embodied.bench.tools.wire import talk_of
from embodied.bench.world_wrapper import Wrapped
from embodied.errors import ProgramError
from embodied.language.models import FunctionModel, open_model
from embodied.language.models.logged import LoggedModel
from embodied.language.models.loopback import Act, LoopbackEndpoint, Seen
from embodied.protocols import LanguageModel, Request, Response, SymbolGrounder, Usage, World
from embodied.recovery import Question
from embodied.session import Session
from embodied.settings import Settings as RunSettings
from embodied.tables import load_toml
from embodied.types import Atom, Command, Observation, StepResult, WorldSpec

WIRES = ("openai", "openai-responses", "anthropic")
METHODS = ("tools", "plan", "react")
ABOVE_M = 0.05
MOST_LAYOUTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    method: tuple[str, ...] = option(METHODS, "who decides", choices=METHODS)
    wire: tuple[str, ...] = option((), "of the tools; by default each task has one", choices=WIRES)
    task: tuple[int, ...] = option((), "numbers of tasks; all by default")


def tasks() -> list[Mapping[str, object]]:
    """The tasks."""
    with resources.as_file(resources.files("embodied.bench.tools").joinpath("tasks.toml")) as path:
        found = load_toml(path)["task"]
    assert isinstance(found, list)
    return found


@dataclass(slots=True)
class WeakGripper(Wrapped[World]):
    """A world whose gripper does not close the first times that it is told to."""

    fails: int = 0
    closings: int = 0
    _closed: bool = False

    def step(self, command: Command) -> StepResult:
        """As the world does, with the gripper open while it fails."""
        gripper = self.world.spec.gripper
        assert gripper is not None
        widest = gripper.max_width_m
        wanted = command.gripper_width_m
        if wanted is not None:
            closed = wanted < 0.8 * widest
            self.closings += closed and not self._closed
            self._closed = closed
            if closed and self.closings <= self.fails:
                command = replace(command, gripper_width_m=widest)
        return self.world.step(command)

    def __getattr__(self, name: str) -> object:
        return getattr(self.world, name)


def play(payload: Payload) -> Row:
    """Carry out one task by one method."""
    task, method, wire = tasks()[payload["number"]], str(payload["method"]), str(payload["wire"])
    about = {"needs": task["needs"], "text": task["text"], "method": method, "wire": wire}
    settings = RunSettings(
        scene=str(task["scene"]),
        seed=_layout(task),
        strategy=method,
        model=f"{wire if method == 'tools' else 'openai'}:scripted",
        pictures=False,
    )
    with _session(settings, task, method) as (session, tokens):
        body = session.environment.body
        body.world = WeakGripper(body.world, fails=int(str(task.get("fails", 0))))
        message, reached = "", False
        try:
            outcome = session.run(str(task["text"]))
            message, reached = outcome.message, outcome.reached
        except ProgramError as error:
            message = f"not understood: {error}"
        missing = _missing(task, body.observe(), session)
        return {
            **about,
            "reached": reached,
            "true": not missing,
            "missing": missing,
            "message": message[:300],
            "calls": session.usage().calls,
            "tokens": tokens(),
            "simulated_s": round(session.time_s(), 1),
        }


def _layout(task: Mapping[str, object]) -> int:
    """A seed of the layout that the task needs."""
    from embodied.world.grounding import TabletopGrounder
    from embodied.world.mujoco import build_world
    from embodied.world.scene import load_scene

    under = str(task.get("under", ""))
    if not under:
        return 3
    world = build_world(load_scene(str(task["scene"])))
    try:
        grounder = TabletopGrounder(world.spec)
        for seed in range(MOST_LAYOUTS):
            facts = grounder.facts(world.reset(seed=seed))
            if any(a.predicate == "on" and a.args[1] == under for a in facts):
                return seed
    finally:
        world.close()
    raise RuntimeError(f"no layout has something on {under}")


@contextmanager
def _session(
    settings: RunSettings, task: Mapping[str, object], method: str
) -> Generator[tuple[Session, Callable[[], int]]]:
    """A session with the method's model, and what counts the tokens that it has cost."""
    spent: list[int] = []

    def play_and_count(seen: Seen) -> Act:
        act = answer(seen)
        spent.append(_read(seen.body) + sum(map(count_tokens, (act.text, *sum(act.calls, ())))))
        return act

    with LoopbackEndpoint(play_and_count) as endpoint:
        if method == "tools":
            kind = settings.model.partition(":")[0]
            url = endpoint.root if kind == "anthropic" else endpoint.openai_url
            model: LanguageModel | None = open_model(settings.model, base_url=url)
        else:
            model = None
        session = _opened(settings, task, model)
        try:
            yield session, lambda: sum(spent) or _tokens(session.usage())
        finally:
            session.close()


def _read(body: Mapping[str, object]) -> int:
    """Tokens of a request: what it says, and the tools as they are sent."""
    talk = talk_of(body)
    said = [talk.system, *talk.said, json.dumps(body.get("tools"))]
    said += [part for t in talk.turns for part in (t.name, t.arguments, t.answer)]
    return sum(map(count_tokens, said))


def _opened(
    settings: RunSettings, task: Mapping[str, object], model: LanguageModel | None
) -> Session:
    from embodied.app.wiring import driven_session, open_environment, session_of
    from embodied.opening import Opening
    from embodied.route import ROUTES

    def person(question: Question) -> bool:
        """Knows which thing is meant, and nothing else."""
        means = str(task.get("means", "-")).replace("-", " ")
        return question.kind == "choice" and question.text.rstrip("?").endswith(means)

    environment = open_environment(settings)
    entry = ROUTES.get("mixed")
    if model is not None:
        ruled = replace(settings, model="rules", strategy="plan")
        opening = Opening(environment=environment, settings=ruled, ask=person)
        return driven_session(settings, opening, entry.load().open(opening), LoggedModel(model))
    logged = LoggedModel(_planning(environment.grounder, environment.body.spec))
    opening = Opening(environment=environment, settings=settings, model=logged, ask=person)
    route = entry.load().open(opening)
    return session_of(settings, environment, route, model=logged, ask=person)


def _planning(grounder: SymbolGrounder, spec: WorldSpec) -> LanguageModel:
    """The scripted model of ``plan`` and ``react``, without errors."""
    stand_in = StandIn(grounder.domain_text, grounder.objects, spec, error_rate=0.0, seed=0)

    def complete(request: Request) -> Response | str:
        try:
            return stand_in.complete(request)
        except ProgramError as error:  # beyond its English
            if request.purpose == "pddl-goal":
                return f'{{"stages": [], "unsupported": "{str(error)[:80]}"}}'
            return "Action: (done)"

    return FunctionModel(complete, "scripted")


def _tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens


def _missing(task: Mapping[str, object], seen: Observation, session: Session) -> list[str]:
    """What of the task is not true in the simulator's own state."""
    facts = session.environment.grounder.facts(seen)
    found: list[str] = []
    for goal in cast("list[str]", task["goal"]):
        name, *args = goal.removeprefix("not ").split()
        if (Atom(name, tuple(args)) in facts) == goal.startswith("not "):
            found.append(goal)
    if above := str(task.get("above", "")):
        hand, thing = seen.pose_ee_in_world.position, seen.poses[above].position
        if np.linalg.norm((hand - thing)[:2]) > ABOVE_M or hand[2] < thing[2]:
            found.append(f"not above {above}")
    return found


def cases(settings: Settings) -> list[Task]:
    """Every task by every method, those of the tools on the wires."""
    chosen = settings.task or tuple(range(len(tasks())))
    found: list[Task] = []
    for number in chosen:
        wires = settings.wire or (WIRES[number % len(WIRES)],)
        for method in settings.method:
            name = f"{number:02d}/{method}/{{wire}}"
            about = {"number": number, "method": method}
            found += every(name, about, wire=wires if method == "tools" else ("no endpoint",))
    return found


def report(rows: Sequence[Row], settings: Settings) -> dict[str, object]:
    """Reached, calls and tokens by method and need."""
    del settings
    done = [r for r in rows if r.get("status") != "error"]
    found: list[Row] = []
    for (method, needs), some in grouped(done, "method", "needs").items():
        found.append({"method": method, "needs": needs, **_sums(some)})
    for (method,), some in grouped(done, "method").items():
        found.append({"method": method, "needs": "all", **_sums(some)})
    false = [f"{r['text']} ({r['method']}): {r['missing']}" for r in done if _false(r)]
    missed = [f"{r['text']} ({r['method']}): {r['message']}" for r in done if not r["reached"]]
    return {"rows": found, "false": false, "missed": missed}


def _sums(rows: Sequence[Row]) -> Row:
    return {
        "runs": len(rows),
        "reached": sum(bool(r["reached"]) for r in rows),
        "true": sum(bool(r["true"]) for r in rows),
        "calls": round(float(np.mean([r["calls"] for r in rows])), 1),
        "tokens": round(float(np.mean([r["tokens"] for r in rows]))),
        "false": sum(map(_false, rows)),
    }


def _false(row: Row) -> bool:
    return bool(row["reached"]) and not row["true"]


def table(found: Mapping[str, object]) -> str:
    """A line for each method and need, then what was missed."""
    rows = cast("list[Row]", found["rows"])
    names = ("method", "needs", "reached", "runs", "true", "calls", "tokens")
    lines = table_of(rows, {n: n for n in names})
    sums = [
        f"{r['method']}: reached {rate(int(r['reached']), int(r['runs']))}"
        for r in rows
        if r["needs"] == "all"
    ]
    false = cast("list[str]", found["false"])
    missed = cast("list[str]", found["missed"])
    return (
        f"{lines}\n" + "\n".join(sums) + f"\nverdicts 'reached' that the simulator's truth denies: "
        f"{len(false)}\n\n{listed('Denied', false)}{listed('Not reached', missed)}"
    )


BENCHMARK = Benchmark(
    name="tools",
    summary="Tasks that need tools: by a model that calls them, by plan and by react.",
    settings=Settings,
    cases=cases,
    run=play,
    report=report,
    table=table,
    jobs=2,
)
