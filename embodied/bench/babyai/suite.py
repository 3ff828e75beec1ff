"""`embodied bench babyai`: levels of BabyAI (Chevalier-Boisvert et al. 2019, arXiv 1810.08272).

MiniGrid's environment runs in an environment of its own and is the judge: success is its reward.
"""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embodied.bench.babyai import judge
from embodied.bench.benchmark import About, Benchmark, every, option
from embodied.bench.outside import Suite
from embodied.bench.report import errors_of, grouped, listed, listed_errors, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.errors import WorldError

SUITE = Suite(name="babyai", requirements=("minigrid==3.2.0",), size_mb=140)
METHODS = ("full", "partial", "bot", "random")
LEVELS = (
    *("GoToObj", "GoToRedBallGrey", "GoToRedBall", "GoToLocal", "GoTo", "GoToImpUnlock"),
    *("PutNextLocal", "PutNextS7N4", "PickupLoc", "Pickup", "Open", "Unlock", "UnlockPickup"),
    *("BlockedUnlockPickup", "UnblockPickup", "Synth", "SynthLoc", "GoToSeq", "SynthSeq"),
    "BossLevel",
)
STAGES = ("language", "perception", "planner", "control", "verdict", "steps")
"""Where an episode was lost: the mission was not understood; something was not found; no plan; the
actions changed nothing; it was taken for done; the environment's steps ran out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    level: tuple[str, ...] = option(LEVELS, "levels", choices=LEVELS)
    method: tuple[str, ...] = option(METHODS, choices=METHODS)
    seeds: int = option(10, "of each level", at_least=1)
    first_seed: int = option(1000, "first of them", at_least=0)


def cases(settings: Settings) -> list[Task]:
    """Every seed of every level by every method.

    Raises:
        EnvironmentMissingError: The suite is not set up.
    """
    SUITE.required()
    first = settings.first_seed
    seeds = range(first, first + settings.seeds)
    name = "{method}/{level}/{seed}"
    return every(name, method=settings.method, level=settings.level, seed=seeds)


def run_episode(payload: Payload) -> Row:
    """One episode; ``cpu_s`` is that of this side with its planners, or of the judge's player."""
    from embodied.bench.babyai.agent import play

    method, level, seed = (str(payload[k]) for k in ("method", "level", "seed"))
    command = [str(SUITE.required()), str(Path(judge.__file__)), level, seed, method]
    cpu, own = _cpu_s(), Row()
    with (
        tempfile.TemporaryFile("w+") as wrong,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=wrong, text=True
        ) as process,
    ):
        if process.stdin is None or process.stdout is None:
            raise WorldError("the judge has no pipes")

        def heard(action: int | None = None) -> Row:
            if action is not None and process.stdin is not None:
                process.stdin.write(f"{action}\n")
                process.stdin.flush()
            line = process.stdout.readline() if process.stdout is not None else ""
            if not line:
                process.wait()
                wrong.seek(0)
                last = " ".join(wrong.read().split()[-40:])
                raise WorldError(f"the judge ended without a result: {last}")
            return json.loads(line)

        told = heard()
        if method in ("full", "partial"):
            own, told = play(told, heard)
            own["cpu_s"] = round(_cpu_s() - cpu, 3)
    if not own:
        own = {"why": told["why"], "cpu_s": told["cpu_s"]}
    own["why"] = "" if told["success"] else own["why"] or "steps: none were left"
    stage = str(own["why"]).partition(":")[0]
    return {
        **{k: payload[k] for k in ("method", "level", "seed")},
        **{k: told[k] for k in ("success", "steps")},
        "stage": stage if stage in STAGES or not stage else "control",
        **own,
    }


def _cpu_s() -> float:
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def build_report(rows: Sequence[Row], settings: Settings) -> Row:
    """Successes by level and method and of each method, and where the others were lost."""
    good = [r for r in rows if r.get("status") != "error"]
    figures: list[Row] = []
    for (method,), group in grouped(good, "method").items():
        lost = Counter(r["stage"] for r in group if r["stage"])
        won = [r for r in group if r["success"]]
        figures.append(
            {
                "method": method,
                "successes": len(won),
                "n": len(group),
                "lost": {s: lost[s] for s in STAGES if lost[s]},
                "steps": round(sum(r["steps"] for r in won) / max(len(won), 1), 1),
                "cpu_s": round(sum(r["cpu_s"] for r in group) / len(group), 2),
                "cpu_max_s": max(r["cpu_s"] for r in group),
            }
        )
    levels = grouped(good, "level")
    return {
        "figures": figures,
        "levels": [
            {
                "level": level,
                **{
                    m: f"{sum(r['success'] for r in group if r['method'] == m)}/"
                    f"{sum(r['method'] == m for r in group)}"
                    for m in settings.method
                },
            }
            for (level,), group in levels.items()
        ],
        "lost": [
            {k: r[k] for k in ("method", "level", "seed", "why")}
            for r in good
            if not r["success"] and r["method"] in ("full", "partial")
        ],
        "errors": errors_of(rows),
    }


def table(report: Row) -> str:
    """The report as Markdown."""
    columns = {
        "method": "method",
        "success": lambda r: rate(r["successes"], r["n"]),
        "lost at": lambda r: ", ".join(f"{k} {n}" for k, n in r["lost"].items()) or "-",
        "steps of a success": "steps",
        "CPU s": "cpu_s",
        "most": "cpu_max_s",
    }
    by_level = {k: k for k in (report["levels"] or [{}])[0]}
    lost = (f"{r['method']}/{r['level']}/{r['seed']}: {r['why']}" for r in report["lost"])
    parts = ["# BabyAI\n\n" + table_of(report["figures"], columns)]
    parts += [table_of(report["levels"], by_level)] if by_level else []
    return "\n".join([*parts, listed("Lost", lost), listed_errors(report["errors"])])


BENCHMARK = Benchmark(
    name="babyai",
    summary="Missions in a grid by sentence, full and partial view, judged by MiniGrid.",
    about=About(
        routes=("pddl",),
        size="20 levels, any number of seeds",
        pins="minigrid 3.2.0",
        suite=SUITE,
    ),
    settings=Settings,
    cases=cases,
    run=run_episode,
    report=build_report,
    table=table,
)
