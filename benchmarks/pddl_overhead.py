"""CPU time around Fast Downward's own search, and that of the small search, on small problems.

    python benchmarks/pddl_overhead.py [--repeats 5]

The bar: at most 0.3 s CPU around Fast Downward's search for a small problem. "around" is all CPU
time of the call, translator and process starts included, less the search process's own.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time

from embodied_planners.pddl import Planner, engines, external

from embodied.bench.report import table_of
from embodied.symbolic import Domain, read_domain, read_problem, render_domain, render_problem
from embodied.symbolic.simplify import compile_quantifiers
from embodied.types import Atom, PddlProgram, PlanResult, PlanStatus
from embodied.world.grounding import domain_text

TYPES = "block - item table - surface bin - container cabinet - drawer)"


def random_problem(domain: Domain, rng: random.Random, n_blocks: int) -> str:
    """Random towers on a table, a bin and a closed drawer, and two goals."""
    blocks = [f"block{i}" for i in range(n_blocks)]
    facts = {Atom("hand-empty"), Atom("open", ("bin",))}
    towers: list[list[str]] = []
    for block in rng.sample(blocks, n_blocks):
        if towers and rng.random() < 0.5:
            tower = rng.choice(towers)
            facts.add(Atom("on", (block, tower[-1])))
            tower.append(block)
        else:
            facts.add(Atom("on", (block, "table")))
            towers.append([block])
    facts |= {Atom("clear", (tower[-1],)) for tower in towers}
    for block in blocks:
        facts |= {Atom("stackable", (block,)), Atom("fits", (block, "bin"))}
        facts |= {
            Atom("fits", (block, "drawer")),
            Atom("has-color", (block, rng.choice(["red", "blue"]))),
        }
    objects = {
        **dict.fromkeys(blocks, "block"),
        "table": "table",
        "bin": "bin",
        "drawer": "cabinet",
        "red": "color",
        "blue": "color",
    }
    a, b, c = rng.sample(blocks, 3)
    goals = rng.choice(
        [
            [f"(on {a} {b})", f"(in {c} bin)"],
            [f"(on {a} {b})", f"(on {b} {c})"],
            ["(forall (?b - block) (imply (has-color ?b red) (in ?b bin)))"],
            [f"(in {a} drawer)", "(not (open drawer))"],
        ]
    )
    return render_problem("random", domain, objects, facts, goals)


def around_fast_downward(program: PddlProgram) -> tuple[float, float, float]:
    """(CPU seconds around the search, CPU seconds of the search, wall seconds of the call)."""
    cpu, wall = time.process_time(), time.monotonic()
    domain = read_domain(program.domain)
    problem = read_problem(program.problem, domain)
    own_domain, own_problem = compile_quantifiers(domain, problem)
    engine = engines.fast_downward()
    answer = external.solve(
        (external.Contender(engine=engine, config=engines.LAMA_FIRST, label="lama-first"),),
        render_domain(own_domain),
        render_problem("p", own_domain, problem.objects, problem.init, [str(own_problem.goal)]),
        deadline=time.monotonic() + 30,
        memory_mb=2048,
    )
    own = time.process_time() - cpu
    around = own + answer.cpu_s - answer.search_cpu_s
    return around, answer.search_cpu_s, time.monotonic() - wall


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="random problems per row")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    text = domain_text({})
    text = text.replace("drawer - container)", f"drawer - container {TYPES}")
    domain = read_domain(text)
    rows: list[dict[str, object]] = []
    for n_blocks in (3, 4, 5, 6):
        rng = random.Random(options.seed)
        outer: list[tuple[float, float, float]] = []
        small: list[PlanResult] = []
        for _ in range(options.repeats):
            program = PddlProgram(
                domain=text,
                problem=random_problem(domain, rng, n_blocks),
                stages=(),
                source="benchmark",
            )
            outer.append(around_fast_downward(program))
            small.append(Planner(engines="small").solve(program, deadline_s=1.0))
        around, search, wall = ([1e3 * t for t in times] for times in zip(*outer, strict=True))
        cpu = [1e3 * r.cpu_s for r in small]
        answered = sum(r.status is PlanStatus.SOLVED for r in small)
        rows.append(
            {
                "tabletop": f"{n_blocks} blocks",
                "around FD, CPU ms": f"{statistics.median(around):.0f}",
                "max": f"{max(around):.0f}",
                "FD search, CPU ms": f"{statistics.median(search):.1f}",
                "FD call, wall ms": f"{statistics.median(wall):.0f}",
                "small search, CPU ms": f"{statistics.median(cpu):.1f}",
                "max ": f"{max(cpu):.1f}",
                "solved": f"{answered}/{options.repeats}",
                "steps": f"{statistics.mean(len(r.plan) for r in small):.1f}",
            }
        )
    print(table_of(rows, {name: name for name in rows[0]}))


if __name__ == "__main__":
    main()
