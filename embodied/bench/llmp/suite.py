"""The LLM+P benchmark: text to PDDL to plan (Liu et al. 2023, arXiv 2304.11477).

Methods:
- ``oracle``: the published problem goes to the planner: what planning alone can reach.
- ``anytime``: the same, improving the plan until the time is up: the reference for cost ratios.
- ``llm+p``: a language model writes the problem from its text, with the domain's worked example.
- ``llm+p-no-example``: the same without the example.
- ``llm``: the language model is the planner.

Every plan is validated against the *published* problem, whatever problem it was made for. For the
text methods, the written problem is also compared with the published one, up to renaming.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from embodied.bench.core.report import markdown_table, rate
from embodied.bench.core.runner import Task, check_settings, run_tasks
from embodied.bench.llmp.data import Example, Instance, audit, load
from embodied.errors import ConfigurationError, ModelError, ProgramError
from embodied.protocols import LanguageModel, Usage
from embodied.symbolic import read_domain, read_problem, repair, validate_plan
from embodied.symbolic.equivalence import differences
from embodied.types import GroundAction, PddlProgram, PlanStatus

METHODS = ("oracle", "anytime", "llm+p", "llm+p-no-example", "llm")
NEEDS_MODEL = ("llm+p", "llm+p-no-example", "llm")


def run_llmp(
    data: Path,
    out: Path,
    *,
    methods: Sequence[str] = ("oracle",),
    domains: Sequence[str] | None = None,
    time_s: float = 10.0,
    jobs: int = 2,
    executor: str = "process",
    model: str | None = None,
    json_output: bool = False,
    progress: bool = True,
    model_options: Mapping[str, Any] | None = None,
) -> int:
    """Run the benchmark, or go on with it, and write the report.

    Args:
        data: Folder in the published layout.
        out: Folder for ``results.jsonl``, ``report.md`` and ``report.json``.
        methods: Some of ``METHODS``.
        domains: Folder names; None for all.
        time_s: Planning time per task, wall seconds.
        jobs: Tasks at the same time.
        executor: ``"process"``, ``"serial"`` or ``"ray"``.
        model: Model spec for the text methods, e.g. ``"openai:gpt-5"``.
        json_output: Write the report as JSON to the standard output instead of tables.
        progress: Show a progress bar.
        model_options: Keyword arguments of ``open_model``, JSON-serialisable.

    Returns:
        Exit code: 0 when every task ran (whether solved or not), 3 when some ended in an error of
        the model or the environment.

    Raises:
        ConfigurationError: Unknown method, domain or folder; results of other settings in ``out``.
    """
    unknown = [m for m in methods if m not in METHODS]
    if unknown or not methods:
        raise ConfigurationError(
            f"unknown method {', '.join(unknown) or '(none)'}; methods: {', '.join(METHODS)}"
        )
    if model is None and any(m in NEEDS_MODEL for m in methods):
        raise ConfigurationError(
            f"{', '.join(m for m in methods if m in NEEDS_MODEL)} needs a model, "
            "e.g. --model openai:NAME or --model replay:FILE"
        )
    instances = load(data, domains)
    settings = {"benchmark": "llmp", "time_s": time_s, "model": model}
    check_settings(out, settings)
    tasks = [
        Task(
            id=f"{method}/{instance.id}",
            payload={
                "method": method,
                "instance": asdict(instance),
                "time_s": time_s,
                "model": model,
                "model_options": dict(model_options or {}),
            },
        )
        for method in methods
        for instance in instances
    ]
    results = run_tasks(
        tasks, run_task, out, jobs=jobs, executor=executor, progress=progress, title="llmp"
    )
    report = build_report(results, audit(instances))
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    text = render_report(report)
    (out / "report.md").write_text(text)
    sys.stdout.write(json.dumps(report) + "\n" if json_output else text)
    return 3 if any(r["status"] == "error" for r in results) else 0


def run_task(payload: Mapping[str, Any]) -> dict[str, Any]:
    """One method on one problem; see ``run_llmp``."""
    raw: dict[str, Any] = dict(payload["instance"])
    raw["example"] = Example(**raw["example"])
    instance = Instance(**raw)
    method = str(payload["method"])
    result: dict[str, Any] = {
        "method": method,
        "domain": instance.domain,
        "problem": instance.name,
        "valid": False,
    }
    if instance.problem_pddl is None:
        return {**result, "status": "missing", "message": "the problem file is missing"}
    domain_text, problem_text, notes = repair(instance.domain_pddl, instance.problem_pddl)
    try:
        domain = read_domain(domain_text)
        problem = read_problem(problem_text, domain)
    except ProgramError as error:
        return {**result, "status": "malformed", "message": str(error)}
    truth = PddlProgram(domain=domain_text, problem=problem_text, stages=(), source="published")
    result["notes"] = list(notes)
    if method not in NEEDS_MODEL:
        return {**result, **_plan(truth, truth, payload["time_s"], improve=method == "anytime")}
    if instance.problem_nl is None:
        return {**result, "status": "missing", "message": "the problem's text is missing"}
    model = _open_model(str(payload["model"]), payload["model_options"])
    try:
        if method == "llm":
            plan, usage = _plan_by_model(model, domain_text, instance)
            checked = validate_plan(domain, problem, plan)
            return {
                **result,
                "status": "solved" if checked.ok else "invalid",
                "valid": checked.ok,
                "cost": checked.cost if checked.ok else None,
                "plan": [str(a) for a in plan],
                "message": "" if checked.ok else str(checked),
                "usage": asdict(usage),
            }
        program, usage = _translate(model, domain_text, instance, with_example=method == "llm+p")
    except ProgramError as error:
        return {**result, "status": "bad text", "message": str(error)}
    except ModelError as error:
        return {**result, "status": "error", "error": f"{type(error).__name__}: {error}"}
    result["usage"] = asdict(usage)
    result["written"] = program.problem
    differs = _differences(program, domain_text, problem_text)
    result["equivalent"] = not differs
    result["differences"] = list(differs)
    result["notes"] = [*notes, *program.notes]
    return {**result, **_plan(program, truth, payload["time_s"], improve=False)}


def _plan(
    program: PddlProgram, truth: PddlProgram, time_s: float, *, improve: bool
) -> dict[str, Any]:
    from embodied_planners.pddl import Planner

    answer = Planner(improve=improve).solve(program, deadline_s=time_s)
    result: dict[str, Any] = {
        "status": answer.status.name.lower(),
        "engine": answer.engine,
        "wall_s": round(answer.wall_s, 4),
        "cpu_s": round(answer.cpu_s, 4),
        "message": answer.message,
    }
    if answer.status is not PlanStatus.SOLVED:
        return result
    domain = read_domain(truth.domain)
    checked = validate_plan(domain, read_problem(truth.problem, domain), answer.plan)
    return {
        **result,
        "status": "solved" if checked.ok else "invalid",
        "valid": checked.ok,
        "cost": checked.cost if checked.ok else None,
        "steps": len(answer.plan),
        "plan": [str(action) for action in answer.plan],
        "message": answer.message if checked.ok else f"on the published problem: {checked}",
    }


def _open_model(spec: str, options: Mapping[str, Any]) -> LanguageModel:
    from embodied.language.models import open_model

    return open_model(spec, **options)


def _translate(
    model: LanguageModel, domain_text: str, instance: Instance, *, with_example: bool
) -> tuple[PddlProgram, Usage]:
    from embodied.language.pddl.document_translator import DocumentTranslator, ExamplePair

    example = None
    if with_example and instance.example.nl and instance.example.pddl:
        example = ExamplePair(description=instance.example.nl, problem=instance.example.pddl)
    translator = DocumentTranslator(model)
    program = translator.translate_document(
        domain_text, instance.domain_nl, instance.problem_nl or "", example
    )
    return program, translator.usage


def _plan_by_model(
    model: LanguageModel, domain_text: str, instance: Instance
) -> tuple[tuple[GroundAction, ...], Usage]:
    from embodied.language.pddl.document_translator import ExamplePair
    from embodied.language.pddl.plan_writer import PlanWriter

    example = None
    if instance.example.nl and instance.example.plan:
        example = ExamplePair(
            description=instance.example.nl,
            problem=instance.example.pddl,
            plan=instance.example.plan,
        )
    writer = PlanWriter(model)
    plan = writer.write_plan(domain_text, instance.domain_nl, instance.problem_nl or "", example)
    return plan, writer.usage


def _differences(program: PddlProgram, domain_text: str, problem_text: str) -> tuple[str, ...]:
    domain = read_domain(domain_text)
    try:
        written = read_problem(program.problem, domain)
    except ProgramError:
        own_domain, own_problem, _ = repair(domain_text, program.problem)
        try:
            domain = read_domain(own_domain)
            written = read_problem(own_problem, domain)
        except ProgramError as error:
            return (f"the written problem cannot be read: {error}",)
    return differences(written, read_problem(problem_text, read_domain(domain_text)), domain)


def build_report(results: Sequence[Mapping[str, Any]], audited: Sequence[str]) -> dict[str, Any]:
    """Numbers per method and domain, what was not solved, and what is amiss in the files."""
    best: dict[str, float] = {}
    for r in results:
        if r["valid"] and r.get("cost") is not None:
            key = f"{r['domain']}/{r['problem']}"
            best[key] = min(best.get(key, float("inf")), float(r["cost"]))
    rows: list[dict[str, Any]] = []
    for method in dict.fromkeys(str(r["method"]) for r in results if "method" in r):
        own = [r for r in results if r.get("method") == method]
        for domain in dict.fromkeys(str(r["domain"]) for r in own):
            rows.append(_row(method, domain, [r for r in own if r["domain"] == domain], best))
        rows.append(_row(method, "all", own, best))
    unsolved = [
        {
            "id": str(r["id"]),
            "status": str(r["status"]),
            "message": str(r.get("message") or r.get("error", "")),
        }
        for r in results
        if not r["valid"]
    ]
    return {"rows": rows, "unsolved": unsolved, "published_files": list(audited)}


def _row(
    method: str, domain: str, results: Sequence[Mapping[str, Any]], best: Mapping[str, float]
) -> dict[str, Any]:
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


def render_report(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    header = ("method", "domain", "solved (95% interval)", "same problem", "cost/best", "plan s")
    rows = [
        (
            row["method"],
            row["domain"],
            row["rate"],
            "-" if row["equivalent"] is None else f"{row['equivalent']}/{row['tasks']}",
            "-" if row["cost_ratio"] is None else f"{row['cost_ratio']:.3f}",
            f"{row['wall_s']:.1f}",
        )
        for row in report["rows"]
    ]
    parts = ["# LLM+P benchmark\n", markdown_table(header, rows)]
    if report["unsolved"]:
        parts.append("## Not solved\n")
        parts.append(
            "\n".join(f"- {u['id']}: {u['status']}. {u['message']}" for u in report["unsolved"])
            + "\n"
        )
    if report["published_files"]:
        parts.append("## Amiss in the published files\n")
        parts.append("\n".join(f"- {line}" for line in report["published_files"]) + "\n")
    return "\n".join(parts)
