"""A benchmark of your own: a tower is turned upside down; is a plan found, and in what CPU time?

    python examples/own_benchmark.py --blocks 4 --blocks 6 --out runs/reversing

The last lines are all that a package needs to add it to ``embodied bench``: name ``BENCHMARK`` as
an entry point and ``embodied bench run reversing`` finds it::

    [project.entry-points."embodied.benchmarks"]
    reversing = "own_benchmark:BENCHMARK"
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from embodied_planners.pddl import Planner

from embodied.bench.benchmark import Benchmark, main, option
from embodied.bench.report import grouped, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.types import PddlProgram

DOMAIN = """
(define (domain towers)
  (:predicates (on ?a ?b) (floor ?a) (clear ?a))
  (:action lower :parameters (?a ?b) :precondition (and (on ?a ?b) (clear ?a))
    :effect (and (floor ?a) (clear ?b) (not (on ?a ?b))))
  (:action raise :parameters (?a ?b) :precondition (and (floor ?a) (clear ?a) (clear ?b))
    :effect (and (on ?a ?b) (not (floor ?a)) (not (clear ?b)))))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each field is an option: ``--blocks``, ``--seconds``."""

    blocks: tuple[int, ...] = option((3, 5, 7), "height of the tower")
    seconds: float = option(10.0, "for each plan", key=True)


def cases(settings: Settings) -> list[Task]:
    """One for each height; equal ids are run once in a folder of results."""
    return [
        Task(id=f"{n}", payload={"blocks": n, "seconds": settings.seconds}) for n in settings.blocks
    ]


def run(payload: Payload) -> Row:
    """Plan for one tower; what is returned is one line of ``results.jsonl``."""
    n = int(payload["blocks"])
    names = [f"b{i}" for i in range(n)]
    pairs = list(zip(names, names[1:], strict=False))
    init = " ".join(f"(on {a} {b})" for a, b in pairs) + f"(clear {names[0]}) (floor {names[-1]})"
    goal = " ".join(f"(on {b} {a})" for a, b in pairs)
    problem = (
        f"(define (problem p) (:domain towers) (:objects {' '.join(names)}) "
        f"(:init {init}) (:goal (and {goal})))"
    )
    program = PddlProgram(domain=DOMAIN, problem=problem, stages=(), source="benchmark")
    answer = Planner(engines="small").solve(program, deadline_s=float(payload["seconds"]))
    shortest = len(answer.plan) == 2 * (n - 1)
    return {"blocks": n, "found": bool(answer.plan), "shortest": shortest, "cpu_s": answer.cpu_s}


def report(rows: Sequence[Row], settings: Settings) -> list[Row]:
    """The figures, as JSON."""
    return [
        {"blocks": n, "found": sum(r["found"] for r in of), "of": len(of), "cpu_s": of[0]["cpu_s"]}
        for (n,), of in grouped(rows, "blocks").items()
    ]


BENCHMARK = Benchmark(
    name="reversing",
    summary="Towers turned upside down: plans found, and their CPU time.",
    settings=Settings,
    cases=cases,
    run=run,
    report=report,
    table=lambda rows: table_of(
        rows,
        {
            "blocks": "blocks",
            "plans found": lambda r: rate(r["found"], r["of"]),
            "CPU ms": lambda r: f"{1e3 * r['cpu_s']:.1f}",
        },
    ),
    code=lambda rows: int(any(r["found"] < r["of"] for r in rows)),
)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        arguments = sys.argv[1:] or ["--out", folder, "--executor", "serial"]
        sys.exit(main(BENCHMARK, arguments))
