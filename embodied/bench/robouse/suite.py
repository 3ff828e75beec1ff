"""`embodied bench robouse`: tabletop tasks of robouse, in its simulator, judged by its server.

The simulator, the judge and the sandbox are robouse's, in an environment of their own; this side
gets the prompt and a socket. Its reference solutions (oracle) and its no-op control run beside.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embodied.bench.benchmark import About, Benchmark, every, option
from embodied.bench.outside import Suite
from embodied.bench.report import errors_of, grouped, listed, listed_errors, rate, table_of
from embodied.bench.robouse import harness
from embodied.bench.runner import Payload, Row, Task
from embodied.errors import WorldError

SUITE = Suite(
    name="robouse",
    requirements=("robouse[sim,metaworld]==0.6.1",),
    size_mb=580,
    finish=harness.install,
)
METHODS = ("embodied", "oracle", "noop")
SUITES = ("libero-style", "robo-use-families", "safety")
SPLITS = ("nominal", "interpolation", "extrapolation")
TRIAL_S = 1500
STAGES = ("language", "planner", "control", "verdict")
"""Where an episode was lost: the prompt was not understood; no plan was found; motions did not do
what was planned; it was called done, and the judge denies it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    suite: tuple[str, ...] = option(SUITES, "suites of robouse")
    task: tuple[str, ...] = option((), "only tasks with this in their name")
    method: tuple[str, ...] = option(METHODS, choices=METHODS)
    split: str = option("nominal", "where things start", choices=SPLITS, key=True)
    seeds: int = option(1, "of each task; layouts differ by seed in the other splits", at_least=1)
    model: str = option("rules", "who reads the prompts", key=True)
    route: str = option("mixed", "as for run", key=True)
    keep: Path | None = option(None, "folder for the trials: videos, requests, verdicts")


def cases(settings: Settings) -> list[Task]:
    """Every task of the suites by every method.

    Raises:
        EnvironmentMissingError: The suite is not set up.
        ConfigurationError: There is no such suite.
    """
    from embodied.registry import unknown

    python = SUITE.required()
    (tasks,) = python.parent.parent.glob("lib/python*/site-packages/robouse/bundled_tasks")
    known = sorted(p.name for p in tasks.iterdir() if p.is_dir())
    found: list[Task] = []
    for suite in settings.suite:
        if suite not in known:
            raise unknown("suite", suite, tuple(known))
        names = sorted(p.parent.name for p in (tasks / suite).glob("*/task.md"))
        wanted = settings.task
        fixed: Row = {
            "suite": suite,
            "split": settings.split,
            "model": settings.model,
            "route": settings.route,
            "keep": None if settings.keep is None else str(settings.keep.absolute()),
        }
        found += every(
            "{method}/{task}/{seed}",
            fixed,
            method=settings.method,
            task=[n for n in names if not wanted or any(w in n for w in wanted)],
            seed=range(settings.seeds),
        )
    return found


def run_trial(payload: Payload) -> Row:
    """One trial of one task, by robouse's own runner and verifier."""
    with tempfile.TemporaryDirectory(prefix="embodied-robouse-") as fresh:
        out = Path(payload["keep"] or fresh)
        method, task = str(payload["method"]), str(payload["task"])
        command = [str(SUITE.required()), "-m", "robouse.cli", "run", "--task", task]
        command += ["--harness", method, "--out", str(out), "--seed", str(payload["seed"])]
        command += ["--timeout", str(TRIAL_S)]
        if method == "embodied":
            command += ["--model", str(payload["model"])]
        if payload["split"] != "nominal":
            command += ["--split", str(payload["split"])]
        began = time.perf_counter()
        found = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=TRIAL_S + 300,
            env=_environment(payload),
        )
        try:
            told = json.loads(found.stdout[found.stdout.index("{") :])
            folder = out / str(told["trial"])
            said, wrong = (
                path.read_text("utf-8") if (path := folder / "agent" / name).is_file() else ""
                for name in ("stdout.jsonl", "stderr.txt")
            )
        except (ValueError, KeyError) as error:
            last = " ".join(found.stderr.split()[-60:])
            raise WorldError(f"robouse told no result: {last}") from error
        if told["exception"]:
            raise WorldError(f"{told['exception']} {' '.join(wrong.split()[-60:])}")
    lines = said.splitlines() if method == "embodied" else []
    if method == "embodied" and not lines:
        raise WorldError(f"the agent ended without a word: {' '.join(wrong.split()[-60:])}")
    own = json.loads(lines[-1]) if lines else {}
    return {
        **{k: payload[k] for k in ("suite", "task", "method", "seed")},
        "success": told["reward"] == 1.0,
        "outcome": told["outcome"],
        "steps": told["steps"],
        "wall_s": round(time.perf_counter() - began, 1),
        "stage": _stage(own) if own and told["reward"] != 1.0 else "",
        "claimed": own.get("exit_code") == 0,
        "message": own.get("message", ""),
        "cpu_s": own.get("cpu_s"),
        "calls": own.get("usage"),
    }


def _environment(payload: Payload) -> dict[str, str]:
    """Of the runner: who the harness starts, and what of this side the sandbox leaves readable."""
    root = Path(__file__).resolve().parents[3]
    paths = [root, *(Path(p) for p in sys.path if p and Path(p).exists()), Path(sys.prefix)]
    return {
        **os.environ,
        "ROBOUSE_RECORD_SIZE": "64x64",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(str(p) for p in paths[:-1])),
        harness.PYTHON: sys.executable,
        harness.PATHS: os.pathsep.join(dict.fromkeys(str(p) for p in [*paths, sys.base_prefix])),
        harness.SETTINGS: json.dumps({"route": payload["route"], "seed": payload["seed"]}),
    }


def _stage(own: Mapping[str, object]) -> str:
    """The stage at which an episode was lost."""
    code = own.get("exit_code")
    if code == 2:
        return "language"
    if code == 0:
        return "verdict"
    events = own.get("events")
    acted = isinstance(events, list) and any(e.get("kind") == "effects" for e in events)
    return "control" if acted else "planner"


def build_report(rows: Sequence[Row], settings: Settings) -> Row:
    """Successes by suite and method, and where the others were lost."""
    good = [r for r in rows if r.get("status") != "error"]
    figures: list[Row] = []
    for (suite, method), group in grouped(good, "suite", "method").items():
        lost = Counter(r["stage"] for r in group if r["stage"])
        won = sum(r["success"] for r in group)
        figures.append(
            {
                "suite": suite,
                "method": method,
                "successes": won,
                "given_up": sum(r["success"] and r["outcome"] == "gave_up" for r in group),
                "n": len(group),
                "false_claims": sum(r["claimed"] and not r["success"] for r in group),
                "lost": {s: lost[s] for s in STAGES if lost[s]},
                "wall_s": round(sum(r["wall_s"] for r in group) / len(group), 1),
            }
        )
    ours = [r for r in good if r["method"] == "embodied" and not r["success"]]
    return {
        "figures": figures,
        "split": settings.split,
        "model": settings.model,
        "lost": [{k: r[k] for k in ("task", "seed", "stage", "message")} for r in ours],
        "errors": errors_of(rows),
    }


def table(report: Row) -> str:
    """The report as Markdown."""
    columns = {
        "suite": "suite",
        "method": "method",
        "success": lambda r: rate(r["successes"], r["n"]),
        "of them given up": "given_up",
        "called done, denied": "false_claims",
        "lost at": lambda r: ", ".join(f"{k} {n}" for k, n in r["lost"].items()) or "-",
        "wall s": "wall_s",
    }
    lost = (f"{r['task']} ({r['stage']}): {r['message']}" for r in report["lost"])
    head = f"# robouse, {report['split']} layouts, read by {report['model']}\n\n"
    parts = [head + table_of(report["figures"], columns), listed("Lost", lost)]
    return "\n".join([*parts, listed_errors(report["errors"])])


BENCHMARK = Benchmark(
    name="robouse",
    summary="Tabletop tasks by prompt in another simulator, judged by its own server.",
    about=About(
        routes=("mixed", "pddl", "value-map"),
        size="28 tasks with states, more suites by --suite",
        pins="robouse 0.6.1 (mujoco 3.3)",
        suite=SUITE,
    ),
    settings=Settings,
    cases=cases,
    run=run_trial,
    report=build_report,
    table=table,
    jobs=1,
)
