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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embodied.bench.asking import ModelSettings
from embodied.bench.benchmark import About, Benchmark, every, option
from embodied.bench.report import grouped, listed, markdown_table, rate, rate_bars
from embodied.bench.runner import Payload, Row, Task
from embodied.bench.voxposer.tasks import TASKS

METHODS = ("oracle", "rules", "json", "python", "primitives")
CONDITIONS = ("static", "disturbed")
PERCEPTION = ("pixels", "ground-truth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ModelSettings):
    """Options of the benchmark."""

    method: tuple[str, ...] = option(("oracle",), choices=METHODS)
    task: tuple[str, ...] = option((), "all if none", choices=tuple(TASKS))
    condition: tuple[str, ...] = option(CONDITIONS, choices=CONDITIONS)
    episodes: int = option(20, "of each task", at_least=1)
    perception: str = option("pixels", choices=PERCEPTION, key=True)


def cases(settings: Settings) -> list[Task]:
    """Every episode of every method, condition and task.

    Raises:
        ConfigurationError: A method needs a model.
    """
    s = settings
    asking = s.asking([m for m in s.method if m in ("json", "python")])
    return every(
        "{method}/{condition}/{task}/{index}",
        {"perception": s.perception, **asking},
        index=range(s.episodes),
        method=s.method,
        condition=s.condition,
        task=s.task or TASKS,
    )


def run_task(payload: Payload) -> Row:
    """One episode."""
    from embodied.bench.voxposer.episode import run_episode

    return run_episode(payload)


def build_report(results: Sequence[Row], perception: str) -> Row:
    """Success by method, condition and task, with the reasons of failures."""
    named = [
        {**r, **dict(zip(("method", "condition", "task"), r["id"].split("/"), strict=False))}
        for r in results
    ]
    rows = [
        {
            "method": method,
            "condition": condition,
            "task": task,
            **_count(group),
            "errors": sum(r["status"] == "error" for r in group),
            "failures": [_why(r) for r in group if not r.get("solved")],
        }
        for (method, condition, task), group in grouped(
            named, "method", "condition", "task"
        ).items()
    ]
    splits = {
        f"{method}/{condition}/{kind} {value}": _count(group)
        for kind in ("wording", "attributes")
        for (method, condition, value), group in grouped(
            [{kind: "?", **r} for r in named], "method", "condition", kind
        ).items()
    }
    return {"perception": perception, "rows": rows, "splits": splits}


def _count(group: Sequence[Row]) -> Row:
    return {"episodes": len(group), "solved": sum(bool(r.get("solved")) for r in group)}


def _why(result: Row) -> str:
    unmet = "; ".join(result.get("unmet", ()))
    reason = str(result.get("error") or result.get("message") or "")
    return f"{result['id'].rsplit('/', 1)[1]}: {unmet or 'error'} ({reason})"


def render_report(report: Row) -> str:
    """The report as Markdown."""
    rates = _rates(report)
    columns, tasks = (list(dict.fromkeys(key[i] for key in rates)) for i in (0, 1))

    def cell(column: str, task: str) -> str:
        if (column, task) not in rates:
            return ""
        return rate(*rates[column, task]) if task == "all" else "{}/{}".format(*rates[column, task])

    named = "pixels" if report["perception"] == "pixels" else "ground-truth segmentation"
    lines = [
        f"Objects perceived from {named}; success judged on the simulator's own state.\n",
        markdown_table(["task", *columns], ([t, *(cell(c, t) for c in columns)] for t in tasks)),
        markdown_table(
            ["split", "solved"],
            [[k, rate(v["solved"], v["episodes"])] for k, v in sorted(report["splits"].items())],
        ),
        listed(
            "Not solved",
            (
                f"{r['method']}, {r['condition']}, {r['task']} {why}"
                for r in report["rows"]
                for why in r["failures"]
            ),
        ),
    ]
    return "\n".join(line for line in lines if line)


def _rates(report: Row) -> Mapping[tuple[str, str], tuple[int, int]]:
    """(solved, episodes) by column and task, with a line for all tasks."""
    rows: list[Row] = report["rows"]
    rates: dict[tuple[str, str], tuple[int, int]] = {}
    tasks = [t for t in TASKS if any(r["task"] == t for r in rows)]
    columns = sorted(
        grouped(rows, "method", "condition").items(),
        key=lambda c: (METHODS.index(c[0][0]), CONDITIONS.index(c[0][1])),
    )
    for task in (*tasks, "all"):
        for names, group in columns:
            own = [r for r in group if task in (r["task"], "all")]
            if own:
                counts = sum(r["solved"] for r in own), sum(r["episodes"] for r in own)
                rates[", ".join(names), task] = counts
    return rates


BENCHMARK = Benchmark(
    name="voxposer",
    summary="VoxPoser: 13 simulated and 5 real-task analogues by value maps.",
    about=About(routes=("value-map",), size="18 tasks"),
    settings=Settings,
    cases=cases,
    run=run_task,
    report=lambda rows, s: build_report(rows, s.perception),
    table=render_report,
    figures={"success.png": lambda report: rate_bars(_rates(report))},
)
