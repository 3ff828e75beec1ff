"""The planner against Fast Downward alone, in CPU seconds, task by task.

    python benchmarks/planning_vs_fast_downward.py [--data DIR] [--only WORD] [--json FILE]

"alone" is Fast Downward with the same search on the same text: the CPU time of its translator and
its search. "planner" is all CPU time of one call of ``Planner``: reading, the small search,
validation and child processes. The bar: at most 1.3 times as much, and no task lost.

Tasks are made from a seed: 20, 40 and 80 blocks on the tabletop, and three domains with
quantifiers, conditional effects and derived predicates. ``--data`` adds every task of a folder,
e.g. of the International Planning Competitions (not part of this project). Exit code 1 where the
bar is missed.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from embodied_planners.pddl import Planner, engines, external
from embodied_planners.pddl.engines import Outcome
from planning_tasks import Task, made_tasks, tasks_in

from embodied.bench.report import table_of
from embodied.types import PddlProgram, PlanStatus

BAR = 1.3


def alone(task: Task, time_s: float, memory_mb: int) -> external.Answer:
    """Fast Downward on the text as it is."""
    contender = external.Contender(
        engine=engines.fast_downward(), config=engines.LAMA_FIRST, label="lama-first"
    )
    deadline = time.monotonic() + time_s
    return external.solve(
        (contender,), task.domain, task.problem, deadline=deadline, memory_mb=memory_mb
    )


def measured(task: Task, time_s: float, memory_mb: int, repeats: int) -> dict[str, object]:
    """One row: both on one task, in turns; of each the cheapest call."""
    program = PddlProgram(domain=task.domain, problem=task.problem, stages=(), source="benchmark")
    planner = Planner(memory_mb=memory_mb)
    pairs = [
        (alone(task, time_s, memory_mb), planner.solve(program, deadline_s=time_s))
        for _ in range(repeats)
    ]
    reference = min((a for a, _ in pairs), key=lambda a: a.cpu_s)
    own = min((r for _, r in pairs), key=lambda r: r.cpu_s)
    decided = reference.outcome in (Outcome.SOLVED, Outcome.UNSOLVABLE)
    agreed = own.status.name == reference.outcome.name
    ratio = own.cpu_s / reference.cpu_s
    return {
        "task": task.name,
        "alone": reference.outcome.name.lower(),
        "alone_cpu_s": round(reference.cpu_s, 3),
        "alone_steps": len(reference.plan),
        "planner": own.status.name.lower(),
        "planner_cpu_s": round(own.cpu_s, 3),
        "planner_steps": len(own.plan),
        "engine": own.engine,
        "ratio": round(ratio, 2) if decided else None,
        "lost": decided and not agreed,
        "message": "" if own.status is PlanStatus.SOLVED else own.message[:200],
    }


def main() -> int:
    """Measure, print the table, and say whether the bar is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of folders of PDDL files")
    parser.add_argument("--only", default="", help="tasks whose name contains this word")
    parser.add_argument("--time", type=float, default=60.0, help="wall limit of each call, s")
    parser.add_argument("--memory", type=int, default=2048, help="limit of each process, MB")
    parser.add_argument("--repeats", type=int, default=1, help="calls of each; the cheapest counts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--require-plans", action="store_true", help="exit code 1 for lost tasks only, not for CPU"
    )
    parser.add_argument("--json", type=Path, help="file for the rows")
    options = parser.parse_args()
    tasks = [*made_tasks(options.seed), *(tasks_in(options.data) if options.data else ())]
    rows: list[dict[str, object]] = []
    for task in tasks:
        if options.only in task.name:
            rows.append(measured(task, options.time, options.memory, options.repeats))
            if options.json:
                options.json.write_text(json.dumps(rows, indent=1))
    names = ("task", "alone", "alone_cpu_s", "planner", "planner_cpu_s", "ratio", "engine")
    print(table_of(rows, {n.replace("_", " "): n for n in names}))
    compared = [r for r in rows if isinstance(r["ratio"], float)]
    dear = [f"{r['task']} ({r['ratio']})" for r in compared if float(str(r["ratio"])) > BAR]
    lost = [f"{r['task']} ({r['planner']}: {r['message']})" for r in rows if r["lost"]]
    print(f"{len(compared)} of {len(rows)} tasks decided by Fast Downward alone")
    print(f"above {BAR} times its CPU time: {len(dear)} {', '.join(dear)}")
    print(f"lost: {len(lost)} {', '.join(lost)}")
    return 1 if lost or (dear and not options.require_plans) else 0


if __name__ == "__main__":
    raise SystemExit(main())
