"""One planning task given to one or several external engines, under a wall-clock deadline."""

from __future__ import annotations

import signal
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from embodied.types import GroundAction
from embodied_planners.pddl._child import Child, wait_for_any
from embodied_planners.pddl.engines import BLIND, Engine, Outcome, outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the engines said.

    Attributes:
        outcome: Outcome of the engine that decided.
        plan: Its plan; empty unless solved.
        engine: Its name and configuration.
        optimal: No cheaper plan exists.
        cpu_s: CPU time of all engines together.
        search_cpu_s: CPU time of the search processes among it.
        unread: The engine's translator rejected the text.
        message: Detail for a person.
    """

    outcome: Outcome
    plan: tuple[GroundAction, ...] = ()
    engine: str = ""
    optimal: bool = False
    cpu_s: float = 0.0
    search_cpu_s: float = 0.0
    unread: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """An engine with a search configuration.

    Attributes:
        engine: The program.
        config: Search configuration.
        label: Name for the result.
        optimal: A plan it finds is optimal.
        anytime: It goes on after its first plan; the last one counts.
    """

    engine: Engine
    config: str
    label: str
    optimal: bool = False
    anytime: bool = False


@dataclass(slots=True)
class _Run:
    contender: Contender
    folder: Path
    child: Child
    searching: bool = False
    config: str = ""
    ended: list[tuple[bool, float]] = field(default_factory=list[tuple[bool, float]])


def solve(
    contenders: tuple[Contender, ...],
    domain_text: str,
    problem_text: str,
    *,
    deadline: float,
    memory_mb: int,
) -> Answer:
    """Race engines; the first that decides ends the others.

    Args:
        contenders: At least one.
        domain_text: Domain in PDDL.
        problem_text: Problem in PDDL.
        deadline: Wall-clock deadline as ``time.monotonic()``.
        memory_mb: Address-space limit of each process.
    """
    with tempfile.TemporaryDirectory(prefix="embodied-plan-") as name:
        folder = Path(name)
        domain, problem = folder / "domain.pddl", folder / "problem.pddl"
        domain.write_text(domain_text)
        problem.write_text(problem_text)
        runs: list[_Run] = []
        try:
            for i, contender in enumerate(contenders):
                own = folder / str(i)
                own.mkdir()
                command = contender.engine.translate_command(domain, problem, own / "task.sas")
                child = Child.start(
                    command,
                    folder=own,
                    log=own / "translate.log",
                    memory_mb=memory_mb,
                    python_path=contender.engine.python_path,
                )
                runs.append(_Run(contender, own, child, config=contender.config))
            return _race(runs, deadline, memory_mb)
        finally:
            for run in runs:
                run.child.kill()


def _race(runs: list[_Run], deadline: float, memory_mb: int) -> Answer:
    active = list(runs)
    undecided: list[Answer] = []
    while active:
        ended = wait_for_any([r.child for r in active], deadline)
        if ended is None:
            break
        run = next(r for r in active if r.child is ended)
        run.ended.append((run.searching, ended.cpu_s))
        follow_up = _follow_up(run, ended)
        if follow_up is not None:
            run.config, run.searching = follow_up, True
            run.child = Child.start(
                run.contender.engine.search_command(follow_up, run.folder / "plan"),
                folder=run.folder,
                log=run.folder / "search.log",
                memory_mb=memory_mb,
                stdin=run.folder / "task.sas",
            )
            continue
        answer = _answer(run, ended)
        active.remove(run)
        if answer.outcome in (Outcome.SOLVED, Outcome.UNSOLVABLE):
            _stop(active)
            return _with_usage(answer, runs)
        undecided.append(answer)
    _stop(active)
    for run in active:
        plan = _last_plan(run.folder) if run.contender.anytime else None
        if plan is not None:
            answer = Answer(outcome=Outcome.SOLVED, plan=plan, engine=run.contender.label)
            return _with_usage(answer, runs)
    if active or not undecided:
        names = ", ".join(r.contender.label for r in active)
        answer = Answer(
            outcome=Outcome.OUT_OF_TIME, engine=names, message=f"{names} ran out of time"
        )
    else:
        answer = undecided[-1]
    return _with_usage(answer, runs)


def _stop(active: list[_Run]) -> None:
    for run in active:
        if run.child.exit_code is None:
            run.child.kill()
            run.ended.append((run.searching, run.child.cpu_s))


def _follow_up(run: _Run, ended: Child) -> str | None:
    """The next search configuration to start, None when this run is over."""
    result = outcome(ended.exit_code or 0)
    if not run.searching:
        return run.config if result is Outcome.SOLVED else None
    if run.config == BLIND or run.contender.anytime:
        return None
    # a heuristic that lacks a feature, or a search that ends without proof, leaves the question
    # open: blind search answers it, given time
    lacks = result is Outcome.UNSUPPORTED and run.contender.config.startswith("astar")
    return BLIND if lacks or result is Outcome.INCOMPLETE else None


def _answer(run: _Run, ended: Child) -> Answer:
    code = ended.exit_code or 0
    result, label = outcome(code), run.contender.label
    if run.config == BLIND:
        label = f"{run.contender.engine.name} blind A*"
    plan = _last_plan(run.folder)
    if plan is not None and (result is Outcome.SOLVED or run.contender.anytime):
        proven = run.contender.optimal or run.config == BLIND
        return Answer(outcome=Outcome.SOLVED, plan=plan, engine=label, optimal=proven)
    if result is Outcome.SOLVED:
        result = Outcome.CRASHED  # a successful exit without a plan file
    stage = "search" if run.searching else "translate"
    unread = result is Outcome.CRASHED and code > 0 and not run.searching
    message = _explain(run, result, code, stage)
    return Answer(outcome=result, engine=label, unread=unread, message=message)


def _explain(run: _Run, result: Outcome, code: int, stage: str) -> str:
    label = run.contender.label
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return (
            f"{label} was ended from outside by {name} while it "
            f"{'searched' if stage == 'search' else 'grounded the task'} "
            "(often the system running out of memory)"
        )
    match result:
        case Outcome.UNSOLVABLE:
            return f"{label} proved that no plan exists"
        case Outcome.OUT_OF_MEMORY:
            return f"{label} ran out of memory in its {stage} step"
        case Outcome.INCOMPLETE | Outcome.OUT_OF_TIME:
            return f"{label}: {result.value}"
        case _:
            return f"{label} failed with exit code {code}: {_last_line(run.folder, stage)}"


def _last_line(folder: Path, stage: str) -> str:
    try:
        text = (folder / f"{stage}.log").read_text(errors="replace")
    except OSError:
        return "no output"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-300:] or "no output"


def _last_plan(folder: Path) -> tuple[GroundAction, ...] | None:
    """The newest complete plan file; anytime searches number theirs."""
    numbered = {int(f.suffix[1:]) if f.suffix[1:].isdigit() else 0: f for f in folder.glob("plan*")}
    for _, file in sorted(numbered.items(), reverse=True):
        lines = file.read_text().splitlines()
        if lines and lines[-1].startswith(";"):  # the cost comes last: the file is complete
            return tuple(GroundAction.parse(x) for x in lines if x.startswith("("))
    return None


def _with_usage(answer: Answer, runs: list[_Run]) -> Answer:
    ended = [e for run in runs for e in run.ended]
    searched = sum(cpu for searching, cpu in ended if searching)
    return replace(answer, cpu_s=sum(cpu for _, cpu in ended), search_cpu_s=searched)


def seconds_left(deadline: float) -> float:
    """Time until a ``time.monotonic()`` deadline, never negative."""
    return max(0.0, deadline - time.monotonic())
