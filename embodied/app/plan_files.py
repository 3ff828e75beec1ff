"""``embodied plan --domain D --problem P``: a plan for PDDL files, without robot or simulator."""

from __future__ import annotations

import sys
from pathlib import Path

from embodied_planners.pddl.planner import Planner, read_task

from embodied.types import PddlProgram, PlanResult, PlanStatus

EXIT_CODES = {
    PlanStatus.SOLVED: 0,
    PlanStatus.UNSOLVABLE: 1,
    PlanStatus.UNSUPPORTED: 3,
    PlanStatus.TIMEOUT: 4,
}
"""A plan; proven that there is none; the planner failed or ran out of memory; out of time."""


def plan_files(
    domain: Path, problem: Path, *, optimal: bool, plan_time_s: float, json: bool
) -> int:
    """Plan, and print the validated plan or why there is none.

    Args:
        domain: PDDL file.
        problem: PDDL file; may be the same where it holds both.
        optimal: Return a cheapest plan only.
        plan_time_s: Wall time limit.
        json: Print one line of JSON.

    Returns:
        Exit code, see ``EXIT_CODES``.

    Raises:
        OSError: A file cannot be read.
        ProgramError: Its text cannot be used; exit code 2.
    """
    texts = (_text(domain), _text(problem))
    program = PddlProgram(domain=texts[0], problem=texts[1], stages=(), source=str(problem))
    task = read_task(program)
    result = Planner(optimal=optimal).solve(program, deadline_s=plan_time_s)
    code = EXIT_CODES[result.status]
    if json:
        from embodied.app.show.terminal import print_json

        print_json(_fields(result, code, task.problem.minimize_cost))
    else:
        sys.stdout.write("\n".join(_lines(result)) + "\n")
    return code


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")  # old files have other comments


def _fields(result: PlanResult, code: int, with_costs: bool) -> dict[str, object]:
    return {
        "exit_code": code,
        "status": result.status.name.lower(),
        "plan": [str(action) for action in result.plan],
        "steps": len(result.plan),
        "cost": result.cost if result.status is PlanStatus.SOLVED else None,
        "cost_is": "total-cost" if with_costs else "steps",
        "optimal": result.optimal,
        "engine": result.engine,
        "wall_s": round(result.wall_s, 3),
        "cpu_s": round(result.cpu_s, 3),
        "message": result.message,
    }


def _lines(result: PlanResult) -> list[str]:
    """The plan as planners write it, remarks behind semicolons."""
    notes = [f"; {result.message}"] if result.message else []
    used = f"{result.engine or 'no engine'}, {result.cpu_s:.2f} s CPU, {result.wall_s:.2f} s"
    if result.status is not PlanStatus.SOLVED:
        words = {PlanStatus.UNSOLVABLE: "no plan exists", PlanStatus.TIMEOUT: "out of time"}
        return [f"; {words.get(result.status, 'the planner failed')}", *notes, f"; {used}"]
    kind = "optimal" if result.optimal else "not proven optimal"
    head = f"; valid: {len(result.plan)} steps, cost {result.cost:g}, {kind}"
    return [*map(str, result.plan), head, *notes, f"; {used}"]
