"""The LLM+P benchmark: text to PDDL to plan (Liu et al. 2023, arXiv 2304.11477).

Methods:
- ``oracle``: the published problem goes to the planner: what planning alone can reach.
- ``anytime``: the same, improving the plan until the time is up: the reference for cost ratios.
- ``llm+p``: a language model writes the problem from its text, with the domain's worked example.
- ``llm+p-no-example``: the same without the example.
- ``llm``: the language model is the planner.

Every plan is validated against the *published* problem, whatever problem it was made for. For the
text methods, the written problem is also compared with the published one, up to renaming; where the
two are the same but for names, the plan is validated with the published names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from embodied.bench.asking import ModelSettings, asked_model
from embodied.bench.benchmark import About, Benchmark, option
from embodied.bench.llmp.data import Example, Instance, audit, load
from embodied.bench.report import grouped, listed, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.errors import ProgramError
from embodied.language.pddl.document_translator import DocumentTranslator, ExamplePair
from embodied.language.pddl.plan_writer import PlanWriter
from embodied.symbolic import read_domain, read_problem, repair, validate_plan
from embodied.symbolic.equivalence import differences, isomorphism
from embodied.types import GroundAction, PddlProgram, PlanStatus

METHODS = ("oracle", "anytime", "llm+p", "llm+p-no-example", "llm")
NEEDS_MODEL = ("llm+p", "llm+p-no-example", "llm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ModelSettings):
    """Options of the benchmark."""

    data: Path = option(Path("llm-pddl"), "folder in the published layout")
    method: tuple[str, ...] = option(("oracle",), choices=METHODS)
    domain: tuple[str, ...] = option((), "domain folder; all if none")
    plan_time: float = option(10.0, "seconds per task", key="time_s")


def cases(settings: Settings) -> list[Task]:
    """Every method on every problem.

    Raises:
        ConfigurationError: Unknown domain or folder, or a method needs a model.
    """
    asking = settings.asking([m for m in settings.method if m in NEEDS_MODEL])
    return [
        Task(
            id=f"{method}/{instance.id}",
            payload={
                "method": method,
                "instance": asdict(instance),
                "time_s": settings.plan_time,
                **asking,
            },
        )
        for method in settings.method
        for instance in load(settings.data, settings.domain or None)
    ]


def run_task(payload: Payload) -> Row:
    """One method on one problem."""
    raw: Row = dict(payload["instance"])
    raw["example"] = Example(**raw["example"])
    instance = Instance(**raw)
    method = str(payload["method"])
    result: Row = {
        "method": method,
        "domain": instance.domain,
        "problem": instance.name,
        "valid": False,
    }
    if instance.problem_pddl is None:
        return {**result, "status": "missing", "message": "the problem file is missing"}
    domain_text, problem_text, notes = repair(instance.domain_pddl, instance.problem_pddl)
    try:
        read_problem(problem_text, read_domain(domain_text))
    except ProgramError as error:
        return {**result, "status": "malformed", "message": str(error)}
    truth = PddlProgram(domain=domain_text, problem=problem_text, stages=(), source="published")
    result["notes"] = list(notes)
    if method not in NEEDS_MODEL:
        return {**result, **_plan(truth, truth, payload["time_s"], improve=method == "anytime")}
    if instance.problem_nl is None:
        return {**result, "status": "missing", "message": "the problem's text is missing"}
    model, example = asked_model(payload), instance.example
    words = domain_text, instance.domain_nl, instance.problem_nl
    try:
        if method == "llm":
            pair = ExamplePair(description=example.nl, problem=example.pddl, plan=example.plan)
            writer = PlanWriter(model)
            objects = read_problem(problem_text, read_domain(domain_text)).objects
            shown = pair if example.nl and example.plan else None
            plan = writer.write_plan(*words, shown, objects=objects)
            judged = _judged(truth, plan)
            usage = asdict(writer.usage)
            return {**result, **judged, "plan": [str(a) for a in plan], "usage": usage}
        pair = ExamplePair(description=example.nl, problem=example.pddl)
        given = method == "llm+p" and example.nl and example.pddl
        translator = DocumentTranslator(model)
        program = translator.translate_document(*words, pair if given else None)
    except ProgramError as error:
        return {**result, "status": "bad text", "message": str(error)}
    differs, names = _compared(program, domain_text, problem_text)
    result |= {
        "usage": asdict(translator.usage),
        "written": program.problem,
        "equivalent": not differs,
        "differences": list(differs),
        "notes": [*notes, *program.notes],
    }
    return {**result, **_plan(program, truth, payload["time_s"], improve=False, names=names)}


def _judged(truth: PddlProgram, plan: Sequence[GroundAction]) -> Row:
    """What the published problem says of a plan."""
    domain = read_domain(truth.domain)
    checked = validate_plan(domain, read_problem(truth.problem, domain), plan)
    return {
        "status": "solved" if checked.ok else "invalid",
        "valid": checked.ok,
        "cost": checked.cost if checked.ok else None,
        "message": "" if checked.ok else str(checked),
    }


def _plan(
    program: PddlProgram,
    truth: PddlProgram,
    time_s: float,
    *,
    improve: bool,
    names: Mapping[str, str] | None = None,
) -> Row:
    """Plan for a problem and judge by the true one; ``names`` are those of the true one."""
    from embodied_planners.pddl import Planner

    answer = Planner(improve=improve).solve(program, deadline_s=time_s)
    result: Row = {
        "status": answer.status.name.lower(),
        "engine": answer.engine,
        "wall_s": round(answer.wall_s, 4),
        "cpu_s": round(answer.cpu_s, 4),
        "message": answer.message,
    }
    if answer.status is not PlanStatus.SOLVED:
        return result
    called = names or {}
    plan = [GroundAction(a.name, tuple(called.get(n, n) for n in a.args)) for a in answer.plan]
    judged = _judged(truth, plan)
    said = f"on the published problem: {judged['message']}"
    return {
        **result,
        **judged,
        "steps": len(answer.plan),
        "plan": [str(action) for action in plan],
        "message": answer.message if judged["valid"] else said,
    }


def _compared(
    program: PddlProgram, domain_text: str, problem_text: str
) -> tuple[tuple[str, ...], dict[str, str] | None]:
    """How a written problem differs from the published one; else the published names."""
    domain = read_domain(domain_text)
    try:
        written = read_problem(program.problem, domain)
    except ProgramError:
        own_domain, own_problem, _ = repair(domain_text, program.problem)
        try:
            domain = read_domain(own_domain)
            written = read_problem(own_problem, domain)
        except ProgramError as error:
            return (f"the written problem cannot be read: {error}",), None
    published = read_problem(problem_text, read_domain(domain_text))
    differs = differences(written, published, domain)
    return differs, None if differs else isomorphism(written, published, domain)


def build_report(results: Sequence[Row], audited: Sequence[str]) -> Row:
    """Numbers per method and domain, what was not solved, and what is amiss in the files.

    Problems with a missing file are listed, but no part of the numbers.
    """
    best: dict[str, float] = {}
    for r in results:
        if r["valid"] and r.get("cost") is not None:
            key = f"{r['domain']}/{r['problem']}"
            best[key] = min(best.get(key, float("inf")), float(r["cost"]))
    rows: list[Row] = []
    there = [r for r in results if "method" in r and r.get("status") != "missing"]
    for (method,), own in grouped(there, "method").items():
        for (domain,), part in grouped(own, "domain").items():
            rows.append(_row(method, domain, part, best))
        rows.append(_row(method, "all", own, best))
    unsolved = [
        {"id": r["id"], "status": r["status"], "message": r.get("message") or r.get("error", "")}
        for r in results
        if not r["valid"]
    ]
    return {"rows": rows, "unsolved": unsolved, "published_files": list(audited)}


def _row(method: str, domain: str, results: Sequence[Row], best: Mapping[str, float]) -> Row:
    solved = [r for r in results if r["valid"]]
    ratios = [
        float(r["cost"]) / best[key]
        for r in solved
        if best.get(key := f"{r['domain']}/{r['problem']}", 0.0) > 0
    ]
    compared = [r for r in results if "equivalent" in r]
    return {
        "method": method,
        "domain": domain,
        "tasks": len(results),
        "solved": len(solved),
        "rate": rate(len(solved), len(results)),
        "equivalent": sum(bool(r["equivalent"]) for r in compared) if compared else None,
        "cost_ratio": round(sum(ratios) / len(ratios), 3) if ratios else None,
        "wall_s": round(sum(float(r.get("wall_s", 0.0)) for r in results), 2),
    }


def render_report(report: Row) -> str:
    """The report as Markdown."""
    table = table_of(
        report["rows"],
        {
            "method": "method",
            "domain": "domain",
            "solved (95% interval)": "rate",
            "same problem": lambda r: (
                "-" if r["equivalent"] is None else f"{r['equivalent']}/{r['tasks']}"
            ),
            "cost/best": lambda r: "-" if r["cost_ratio"] is None else f"{r['cost_ratio']:.3f}",
            "plan s": lambda r: f"{r['wall_s']:.1f}",
        },
    )
    unsolved = (f"{u['id']}: {u['status']}. {u['message']}" for u in report["unsolved"])
    files = listed("Amiss in the published files", report["published_files"])
    parts = ("# LLM+P benchmark\n", table, listed("Not solved", unsolved), files)
    return "\n".join(p for p in parts if p)


BENCHMARK = Benchmark(
    name="llmp",
    summary="LLM+P: natural-language planning problems, checked against the true ones.",
    about=About(routes=("pddl",), size="70 problems", data="--data DIR, the published problems"),
    settings=Settings,
    cases=cases,
    run=run_task,
    report=lambda rows, s: build_report(rows, audit(load(s.data, s.domain or None))),
    table=render_report,
)
