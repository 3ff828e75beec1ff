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

from embodied.bench.report import markdown_table
from embodied.symbolic import Domain, read_domain, read_problem, render_domain, render_problem
from embodied.symbolic.simplify import compile_quantifiers
from embodied.types import Atom, PddlProgram, PlanStatus
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
    rows: list[tuple[object, ...]] = []
    for n_blocks in (3, 4, 5, 6):
        rng = random.Random(options.seed)
        around, search, wall, small, small_wall, lengths = [], [], [], [], [], []
        answered = 0
        for _ in range(options.repeats):
            program = PddlProgram(
                domain=text,
                problem=random_problem(domain, rng, n_blocks),
                stages=(),
                source="benchmark",
            )
            a, s, w = around_fast_downward(program)
            around.append(a)
            search.append(s)
            wall.append(w)
            result = Planner(engines="small").solve(program, deadline_s=1.0)
            answered += result.status is PlanStatus.SOLVED
            small.append(result.cpu_s)
            small_wall.append(result.wall_s)
            lengths.append(len(result.plan))
        rows.append(
            (
                f"{n_blocks} blocks",
                f"{statistics.median(around) * 1e3:.0f}",
                f"{max(around) * 1e3:.0f}",
                f"{statistics.median(search) * 1e3:.1f}",
                f"{statistics.median(wall) * 1e3:.0f}",
                f"{statistics.median(small) * 1e3:.1f}",
                f"{max(small) * 1e3:.1f}",
                f"{answered}/{options.repeats}",
                f"{statistics.mean(lengths):.1f}",
            )
        )
    header = (
        "tabletop",
        "around FD, CPU ms",
        "max",
        "FD search, CPU ms",
        "FD call, wall ms",
        "small search, CPU ms",
        "max",
        "solved",
        "steps",
    )
    print(markdown_table(header, rows))


if __name__ == "__main__":
    main()
