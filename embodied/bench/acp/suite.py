"""`embodied bench acp`: ACPBench Hard (Kokel et al. 2025, arXiv 2503.24378), with PDDL given.

The questions, the grammar of answers, the evaluators and their planner are the set's, in an
environment of its own. What is measured is reasoning about actions, not the reading of sentences:
only an action that is told in words (``prog``) is read.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embodied.bench.acp import judge
from embodied.bench.acp.answers import NONE, TASKS, Question, claim
from embodied.bench.benchmark import About, Benchmark, option
from embodied.bench.outside import Suite
from embodied.bench.report import errors_of, grouped, listed, listed_errors, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.errors import ConfigurationError, ProgramError, WorldError

REQUIREMENTS = ("tarski[clingo]==0.9.1", "kstar-planner==1.6.0", "pddl==0.4.2", "lark==1.1.9")
SUITE = Suite(name="acp", requirements=REQUIREMENTS, size_mb=150)
SPLITS = ("dev", "test")
CHUNK = 10
"""Questions of a case: the judge is started once for them."""
JUDGE_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    data: Path = option(Path("ACPBench"), "the set's repository")
    task: tuple[str, ...] = option(tuple(TASKS), choices=tuple(TASKS))
    split: str = option("test", choices=SPLITS, key=True)


def records_of(data: Path, task: str, split: str) -> list[Row]:
    """Questions of a task.

    Raises:
        ConfigurationError: The file is not there.
    """
    path = data / "dataset" / task / f"{split}.gen.json{'.gz' if split == 'test' else ''}"
    if not path.is_file():
        raise ConfigurationError(f"--data {data} has no {path}: give the folder ACPBench")
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def cases(settings: Settings) -> list[Task]:
    """Every task in chunks of questions.

    Raises:
        EnvironmentMissingError: The judge's environment is not set up.
        ConfigurationError: A file is not there.
    """
    SUITE.required()
    fixed = {"data": str(settings.data.absolute()), "split": settings.split}
    return [
        Task(id=f"{task}/{first}", payload={**fixed, "task": task, "first": first})
        for task in settings.task
        for first in range(0, len(records_of(settings.data, task, settings.split)), CHUNK)
    ]


def run_chunk(payload: Payload) -> Row:
    """Some questions of one task: answered here, scored by the set's evaluator."""
    task, first = str(payload["task"]), int(payload["first"])
    records = records_of(Path(payload["data"]), task, str(payload["split"]))[first : first + CHUNK]
    answers: list[str] = []
    claims: list[tuple[str, ...]] = []
    cpu_s: list[float] = []
    for record in records:
        began = time.process_time()
        try:
            question = Question.of(record)
            answers.append(TASKS[task](question))
            claims.append(claim(task, question, answers[-1]))
        except ProgramError:
            answers.append(NONE)
            claims.append(())
        cpu_s.append(round(time.process_time() - began, 3))
    asked = {"data": payload["data"], "task": task, "records": records}
    told = subprocess.run(
        [str(SUITE.required()), str(Path(judge.__file__))],
        input=json.dumps({**asked, "answers": answers, "claims": claims}),
        capture_output=True,
        text=True,
        check=False,
        timeout=JUDGE_S,
    )
    try:
        scores = json.loads(told.stdout)
    except ValueError as error:
        raise WorldError(f"the judge told nothing: {told.stderr[-300:]}") from error
    return {
        "task": task,
        "n": len(records),
        "stock": sum(score == 1.0 for score, _ in scores),
        "corrected": sum(right for _, right in scores),
        "unscored": sum(score is None for score, _ in scores),
        "cpu_s": cpu_s,
        "lost": [
            {"id": r["id"], "answer": answer[:200], "key": str(r["answer"])[:200]}
            for r, answer, (_, right) in zip(records, answers, scores, strict=True)
            if not right
        ],
    }


def build_report(rows: Sequence[Row], settings: Settings) -> Row:
    """Scores by task."""
    good = [r for r in rows if r.get("status") != "error"]
    figures: list[Row] = []
    for (task,), group in grouped(good, "task").items():
        times = [s for r in group for s in r["cpu_s"]]
        sums = {k: sum(r[k] for r in group) for k in ("n", "stock", "corrected", "unscored")}
        mean = round(sum(times) / len(times), 3)
        figures.append({"task": task, **sums, "cpu_s": mean, "cpu_max_s": max(times)})
    return {
        "figures": figures,
        "split": settings.split,
        "lost": [{"task": r["task"], **one} for r in good for one in r["lost"]],
        "errors": errors_of(rows),
    }


def table(report: Row) -> str:
    """The report as Markdown."""
    columns = {
        "task": "task",
        "stock": lambda r: rate(r["stock"], r["n"]),
        "corrected": lambda r: rate(r["corrected"], r["n"]),
        "evaluator broke": "unscored",
        "CPU s": "cpu_s",
        "most": "cpu_max_s",
    }
    lost = (f"{r['task']} {r['id']}: {r['answer']}; key {r['key']}" for r in report["lost"])
    head = f"# ACPBench Hard, {report['split']}, PDDL given\n\n"
    parts = [head + table_of(report["figures"], columns), listed("Lost", lost)]
    return "\n".join([*parts, listed_errors(report["errors"])])


BENCHMARK = Benchmark(
    name="acp",
    summary="Eight tasks about actions and plans, PDDL given, scored by the set's evaluators.",
    about=About(
        routes=("pddl",),
        size="1040 questions",
        pins="tarski 0.9.1, kstar-planner 1.6.0, pddl 0.4.2",
        licence="CDLA-Permissive-2.0",
        data="--data ACPBench, the repository IBM/ACPBench",
        suite=SUITE,
    ),
    settings=Settings,
    cases=cases,
    run=run_chunk,
    report=build_report,
    table=table,
)
