"""`embodied bench e2wm`: where things were, how many (Xiang et al. 2023, arXiv 2305.10626).

The sets ``obj_move`` (where a thing was before or after a room) and ``obj_move_path`` (the order of
its rooms) test memory, ``count`` the reading of free prose. The answer itself has to be the set's;
the set scores language models by the most probable of its options, and paths by the longest common
part, which is given besides.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embodied.bench.benchmark import About, Benchmark, option
from embodied.bench.e2wm.story import answer
from embodied.bench.report import errors_of, grouped, listed, listed_errors, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.errors import ConfigurationError, NotUnderstoodError

SETS = {"obj_move": ("qa", "answer"), "obj_move_path": ("gen", "ref"), "count": ("qa", "answer")}
"""Folder and key of the answer by set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    data: Path = option(Path("world-model-for-language-model"), "the set's repository")
    set: tuple[str, ...] = option(tuple(SETS), "sets of stories", choices=tuple(SETS))


def cases(settings: Settings) -> list[Task]:
    """Every story.

    Raises:
        ConfigurationError: A file is not there.
    """
    found: list[Task] = []
    for name in settings.set:
        folder, key = SETS[name]
        path = settings.data / "data" / "eval" / folder / f"{name}.json"
        if not path.is_file():
            raise ConfigurationError(f"--data {settings.data} has no {path}: give the repository")
        for number, line in enumerate(path.read_text("utf-8").splitlines()):
            told = json.loads(line)
            payload = {"set": name, "prompt": told["input"], "key": told[key]}
            found.append(Task(id=f"{name}/{number}", payload=payload))
    return found


def run_story(payload: Payload) -> Row:
    """One story: read, remembered, asked about."""
    began, why, said = time.process_time(), "", ""
    try:
        said = answer(str(payload["prompt"]))
    except NotUnderstoodError as error:
        why = str(error)
    rooms, key = (str(t).strip().split(", ") for t in (said, payload["key"]))
    return {
        "set": payload["set"],
        "right": rooms == key,
        "common": round(common_part(rooms, key), 3),
        "answer": said,
        "key": payload["key"],
        "why": why,
        "cpu_s": round(time.process_time() - began, 4),
    }


def common_part(a: Sequence[str], b: Sequence[str]) -> float:
    """Longest common run of two lists as a share of the longer one: the set's score of paths."""
    runs = (
        n
        for i in range(len(a))
        for j in range(len(b))
        for n in range(min(len(a) - i, len(b) - j) + 1)
        if list(a[i : i + n]) == list(b[j : j + n])
    )
    return max(runs, default=0) / max(len(a), len(b), 1)


def build_report(rows: Sequence[Row], settings: Settings) -> Row:
    """Right answers by set."""
    good = [r for r in rows if r.get("status") != "error"]
    return {
        "figures": [
            {
                "set": name,
                "right": sum(r["right"] for r in group),
                "n": len(group),
                "common": round(sum(r["common"] for r in group) / len(group), 3),
                "cpu_s": round(sum(r["cpu_s"] for r in group) / len(group), 4),
            }
            for (name,), group in grouped(good, "set").items()
        ],
        "lost": [{k: r[k] for k in ("id", "answer", "key", "why")} for r in good if not r["right"]],
        "errors": errors_of(rows),
    }


def table(report: Row) -> str:
    """The report as Markdown."""
    columns = {
        "set": "set",
        "right": lambda r: rate(r["right"], r["n"]),
        "common part": "common",
        "CPU s": "cpu_s",
    }
    lost = (f"{r['id']}: {r['answer'] or r['why']}; key {r['key']}" for r in report["lost"])
    parts = ["# E2WM\n\n" + table_of(report["figures"], columns), listed("Lost", lost)]
    return "\n".join([*parts, listed_errors(report["errors"])])


BENCHMARK = Benchmark(
    name="e2wm",
    summary="Where things were and how many lie there, from short stories.",
    about=About(
        size="594 stories",
        licence="none stated; nothing is copied",
        data="--data DIR, the repository szxiangjn/world-model-for-language-model",
    ),
    settings=Settings,
    cases=cases,
    run=run_story,
    report=build_report,
    table=table,
)
