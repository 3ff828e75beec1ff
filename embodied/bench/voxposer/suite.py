"""`embodied bench voxposer`: instructions to motion by value maps (arXiv 2307.05973).

Methods:
- ``oracle``: the program written by hand with the task.
- ``rules``: what the rules translator makes of the instruction.
- ``json``: what a language model writes as JSON (needs ``--model``).
- ``python``: what a language model writes in Python, run in the sandbox (needs ``--model``).
- ``primitives``: a library of motion primitives: the rules' program reduced to where to and whether
  to grasp, push or let go; it knows no avoidance, speed or orientation, and does not plan again.

Objects are perceived from pixels (``--perception ground-truth`` uses the simulator's segmentation
instead and says so in the report). Success is judged by predicates on the simulator's own state.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from embodied.bench.core.plotting import new_figure
from embodied.bench.core.report import markdown_table, rate, wilson_interval
from embodied.bench.core.runner import Task, check_settings, run_tasks
from embodied.bench.voxposer.tasks import TASKS
from embodied.errors import ConfigurationError

METHODS = ("oracle", "rules", "json", "python", "primitives")
NEEDS_MODEL = ("json", "python")
CONDITIONS = ("static", "disturbed")
PERCEPTION = ("pixels", "ground-truth")


def run_voxposer(
    out: Path,
    *,
    methods: Sequence[str] = ("oracle",),
    tasks: Sequence[str] = (),
    conditions: Sequence[str] = CONDITIONS,
    episodes: int = 20,
    perception: str = "pixels",
    jobs: int = 2,
    executor: str = "process",
    model: str | None = None,
    base_url: str | None = None,
    json_output: bool = False,
    progress: bool = True,
    plot: bool = False,
) -> int:
    """Run the suite, or go on with it, and write the report.

    Args:
        out: Folder for ``results.jsonl``, ``report.md``, ``report.json`` and ``success.png``.
        methods: Some of ``METHODS``.
        tasks: Names of tasks; all if empty.
        conditions: Some of ``CONDITIONS``.
        episodes: Episodes 0 .. episodes-1 of each task.
        perception: One of ``PERCEPTION``.
        jobs: Episodes at the same time.
        executor: ``"process"``, ``"serial"`` or ``"ray"``.
        model: Model spec, e.g. ``"openai:gpt-5"``, for the methods that need one.
        base_url: Of that model.
        json_output: Write the report as JSON to the standard output instead of tables.
        progress: Show a progress bar.
        plot: Draw ``success.png`` (extra ``[bench]``).

    Returns:
        Exit code: 0 when every episode ran (whether solved or not), 3 when some ended in an error
        of the model or the environment.

    Raises:
        ConfigurationError: Unknown name; results of other settings in ``out``.
    """
    for what, given, legal in (
        ("method", methods, METHODS),
        ("task", tasks, tuple(TASKS)),
        ("condition", conditions, CONDITIONS),
        ("perception", (perception,), PERCEPTION),
    ):
        unknown = [g for g in given if g not in legal]
        if unknown:
            raise ConfigurationError(
                f"unknown {what} {', '.join(unknown)}, legal: {', '.join(legal)}"
            )
    if model is None and any(m in NEEDS_MODEL for m in methods):
        raise ConfigurationError(
            f"{', '.join(m for m in methods if m in NEEDS_MODEL)} needs a model, "
            "e.g. --model openai:NAME or --model replay:FILE"
        )
    check_settings(out, {"benchmark": "voxposer", "perception": perception, "model": model})
    work = [
        Task(
            id=f"{method}/{condition}/{task}/{index}",
            payload={
                "method": method,
                "condition": condition,
                "task": task,
                "index": index,
                "perception": perception,
                "model": model if method in NEEDS_MODEL else None,
                "base_url": base_url,
            },
        )
        for index in range(episodes)
        for method in methods
        for condition in conditions
        for task in (tasks or TASKS)
    ]
    results = run_tasks(
        work, run_task, out, jobs=jobs, executor=executor, progress=progress, title="voxposer"
    )
    report = build_report(results, perception)
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    text = render_report(report)
    (out / "report.md").write_text(text)
    if plot:
        draw_plot(report, out / "success.png")
    sys.stdout.write(json.dumps(report) + "\n" if json_output else text)
    return 3 if any(r["status"] == "error" for r in results) else 0


def run_task(payload: Mapping[str, Any]) -> dict[str, Any]:
    """One episode; see ``run_voxposer``."""
    from embodied.bench.voxposer.episode import run_episode

    return run_episode(payload)


def build_report(results: Sequence[Mapping[str, Any]], perception: str) -> dict[str, Any]:
    """Success by method, condition and task, with the reasons of failures."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for result in results:
        method, condition, task, _ = str(result["id"]).split("/")
        groups.setdefault((method, condition, task), []).append(result)
    rows: list[dict[str, Any]] = []
    for (method, condition, task), group in groups.items():
        rows.append(
            {
                "method": method,
                "condition": condition,
                "task": task,
                "episodes": len(group),
                "solved": sum(bool(r.get("solved")) for r in group),
                "errors": sum(r["status"] == "error" for r in group),
                "failures": [_why(r) for r in group if not r.get("solved")],
            }
        )
    splits: dict[str, dict[str, int]] = {}
    for result in results:
        method, condition, _, _ = str(result["id"]).split("/")
        for kind in ("wording", "attributes"):
            key = f"{method}/{condition}/{kind} {result.get(kind, '?')}"
            split = splits.setdefault(key, {"episodes": 0, "solved": 0})
            split["episodes"] += 1
            split["solved"] += bool(result.get("solved"))
    return {"perception": perception, "rows": rows, "splits": splits}


def _why(result: Mapping[str, Any]) -> str:
    unmet = "; ".join(result.get("unmet", ()))
    reason = str(result.get("error") or result.get("message") or "")
    return f"{result['id'].rsplit('/', 1)[1]}: {unmet or 'error'} ({reason})"


def render_report(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    rows: list[Mapping[str, Any]] = report["rows"]
    columns = sorted({(r["method"], r["condition"]) for r in rows}, key=_order)
    header = ["task", *(f"{m}, {c}" for m, c in columns)]
    table: list[list[str]] = []
    for task in [t for t in TASKS if any(r["task"] == t for r in rows)]:
        cells = {(r["method"], r["condition"]): r for r in rows if r["task"] == task}
        table.append([task, *(_cell(cells.get(column)) for column in columns)])
    totals = [[r for r in rows if (r["method"], r["condition"]) == column] for column in columns]
    table.append(
        ["all", *(rate(sum(r["solved"] for r in t), sum(r["episodes"] for r in t)) for t in totals)]
    )
    named = "pixels" if report["perception"] == "pixels" else "ground-truth segmentation"
    lines = [
        f"Objects perceived from {named}; success judged on the simulator's own state.\n",
        markdown_table(header, table),
        markdown_table(
            ["split", "solved"],
            [[k, rate(v["solved"], v["episodes"])] for k, v in sorted(report["splits"].items())],
        ),
    ]
    failures = [
        f"- {r['method']}, {r['condition']}, {r['task']} {why}"
        for r in rows
        for why in r["failures"]
    ]
    if failures:
        lines.append("Not solved:\n\n" + "\n".join(failures) + "\n")
    return "\n".join(lines)


def _order(column: tuple[str, str]) -> tuple[int, int]:
    return METHODS.index(column[0]), CONDITIONS.index(column[1])


def _cell(row: Mapping[str, Any] | None) -> str:
    return "" if row is None else f"{row['solved']}/{row['episodes']}"


def draw_plot(report: Mapping[str, Any], path: Path) -> None:
    """Success of each method and condition with its 95% interval.

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """
    rows: list[Mapping[str, Any]] = report["rows"]
    columns = sorted({(r["method"], r["condition"]) for r in rows}, key=_order)
    names = [t for t in TASKS if any(r["task"] == t for r in rows)]
    figure = new_figure(8, 0.28 * len(names) * len(columns) + 1.5)
    axes = figure.subplots()
    height = 0.8 / len(columns)
    for k, column in enumerate(columns):
        for i, name in enumerate([*names, "all"]):
            group = [
                r
                for r in rows
                if (r["method"], r["condition"]) == column and name in (r["task"], "all")
            ]
            n, solved = sum(r["episodes"] for r in group), sum(r["solved"] for r in group)
            if n == 0:
                continue
            low, high = wilson_interval(solved, n)
            value = solved / n
            axes.barh(
                i + k * height,
                value,
                height=0.9 * height,
                color=f"C{k}",
                xerr=[[value - low], [high - value]],
                error_kw={"elinewidth": 0.8, "alpha": 0.6},
                label=", ".join(column) if i == 0 else None,
            )
    axes.set_yticks([i + 0.4 - height / 2 for i in range(len(names) + 1)], [*names, "all"])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("success, with 95% interval")
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize="small")
    figure.savefig(path, dpi=130)


def main(arguments: Sequence[str]) -> int:
    """Command line of the suite."""
    parser = argparse.ArgumentParser(
        prog="embodied bench voxposer", description="Instructions to motion by value maps."
    )
    parser.add_argument("--out", type=Path, default=Path("bench/voxposer"))
    parser.add_argument("--method", action="append", choices=METHODS, help="repeatable; oracle")
    parser.add_argument("--task", action="append", choices=tuple(TASKS), help="repeatable; all")
    parser.add_argument("--condition", action="append", choices=CONDITIONS, help="both")
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--perception", choices=PERCEPTION, default="pixels")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--executor", choices=("process", "serial", "ray"), default="process")
    parser.add_argument("--model", help="as for run, for the methods json and python")
    parser.add_argument("--base-url")
    parser.add_argument("--plot", action="store_true", help="draw success.png")
    parser.add_argument("--json", action="store_true", help="report as JSON")
    given = parser.parse_args(arguments)
    return run_voxposer(
        given.out,
        methods=given.method or ["oracle"],
        tasks=given.task or (),
        conditions=given.condition or CONDITIONS,
        episodes=given.episodes,
        perception=given.perception,
        jobs=given.jobs,
        executor=given.executor,
        model=given.model,
        base_url=given.base_url,
        json_output=given.json,
        progress=not given.json,
        plot=given.plot,
    )
