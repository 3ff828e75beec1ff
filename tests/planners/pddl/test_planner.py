from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from embodied_planners.pddl import Planner, engines
from embodied_planners.pddl._child import Child, wait_for_any

from embodied.errors import EnvironmentMissingError
from embodied.symbolic import read_domain, read_problem, validate_plan
from embodied.types import PddlProgram, PlanStatus
from embodied.world.grounding import domain_text

DATA = Path(__file__).parents[2] / "data" / "pddl"
TYPES = "block cup - item table - surface bin - container cabinet - drawer)"


def _tabletop(goal: str | None = None) -> PddlProgram:
    domain = domain_text({})
    domain = domain.replace("drawer - container)", f"drawer - container {TYPES}")
    problem = (DATA / "tabletop_three.pddl").read_text()
    if goal is not None:
        problem = f"{problem[: problem.index('(:goal')]}(:goal {goal}))"
    return PddlProgram(domain=domain, problem=problem, stages=(), source="test")


def _lamps() -> PddlProgram:
    return PddlProgram(
        domain=(DATA / "lamps.pddl").read_text(),
        problem=(DATA / "lamps_two.pddl").read_text(),
        stages=(),
        source="test",
    )


def _hard(n: int = 9) -> PddlProgram:
    """A sliding puzzle too large for any exhaustive search within the tests' deadlines."""
    cells = [f"c{i}-{j}" for i in range(n) for j in range(n)]
    near = [
        f"(near c{i}-{j} c{i + di}-{j + dj})"
        for i in range(n)
        for j in range(n)
        for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0))
        if 0 <= i + di < n and 0 <= j + dj < n
    ]
    at = [f"(at t{k} {cell})" for k, cell in enumerate(cells[:-1])]
    goal = [f"(at t{k} {cell})" for k, cell in enumerate(reversed(cells[1:]))]
    return PddlProgram(
        domain="(define (domain slide) (:requirements :strips :typing) (:types tile cell)"
        " (:predicates (at ?t - tile ?c - cell) (free ?c - cell) (near ?a ?b - cell))"
        " (:action slide :parameters (?t - tile ?a ?b - cell)"
        " :precondition (and (at ?t ?a) (near ?a ?b) (free ?b))"
        " :effect (and (at ?t ?b) (free ?a) (not (at ?t ?a)) (not (free ?b)))))",
        problem=f"(define (problem s) (:domain slide) (:objects {' '.join(cells)} - cell "
        f"{' '.join(f't{k}' for k in range(n * n - 1))} - tile) (:init (free {cells[-1]}) "
        f"{' '.join(at + near)}) (:goal (and {' '.join(goal)})))",
        stages=(),
        source="test",
    )


GOALS = {
    "(on red blue)": 4,
    "(and (on red blue) (in mug drawer) (not (open drawer)))": 8,
    "(forall (?b - block) (in ?b bin))": 6,
    "(forall (?b - block) (imply (has-color ?b crimson) (in ?b bin)))": 6,
    "(exists (?c - container) (in mug ?c))": 2,
    "(or (in mug drawer) (in mug bin))": 2,
    "(forall (?x - item) (or (= ?x mug) (exists (?c - container) (in ?x ?c))))": 6,
    "(not (exists (?x - item) (on ?x red)))": 1,
}


@pytest.mark.parametrize("engine", ["small", "fast-downward"])
@pytest.mark.parametrize("goal", GOALS)
def test_the_goal_language_is_planned_for(engine: str, goal: str) -> None:
    program = _tabletop(goal)
    result = Planner(engines=engine).solve(program, deadline_s=20)
    assert result.status is PlanStatus.SOLVED, result.message
    assert GOALS[goal] <= len(result.plan) <= GOALS[goal] + 4
    assert result.cost == len(result.plan)
    domain = read_domain(program.domain)
    assert validate_plan(domain, read_problem(program.problem, domain), result.plan).ok
    assert not result.optimal


@pytest.mark.parametrize("goal", GOALS)
def test_optimal_plans_have_the_least_cost_and_say_so(goal: str) -> None:
    result = Planner(optimal=True).solve(_tabletop(goal), deadline_s=20)
    assert result.status is PlanStatus.SOLVED, result.message
    assert result.optimal
    assert result.cost == GOALS[goal]


UNREACHABLE = [
    "(and (on red blue) (on blue red))",
    "(on red mug)",
    "(and (holding red) (holding blue))",
]


@pytest.mark.parametrize("engine", ["small", "fast-downward", "auto"])
@pytest.mark.parametrize("goal", UNREACHABLE)
def test_unreachable_goals_are_proven_so(engine: str, goal: str) -> None:
    result = Planner(engines=engine).solve(_tabletop(goal), deadline_s=30)
    assert result.status is PlanStatus.UNSOLVABLE
    assert result.plan == ()
    assert result.message


@pytest.mark.parametrize("goal", ["(and (open bin) (not (open bin)))", "(has-color mug crimson)"])
def test_contradictions_are_seen_without_any_search(goal: str) -> None:
    result = Planner().solve(_tabletop(goal), deadline_s=5)
    assert result.status is PlanStatus.UNSOLVABLE
    assert "contradicts" in result.message


def test_a_goal_that_holds_needs_no_plan() -> None:
    result = Planner().solve(_tabletop("(on green red)"), deadline_s=5)
    assert (result.status, result.plan, result.cost) == (PlanStatus.SOLVED, (), 0.0)
    assert "already holds" in result.message


def test_action_costs_are_respected() -> None:
    for planner in (Planner(), Planner(engines="fast-downward"), Planner(improve=True)):
        result = planner.solve(_lamps(), deadline_s=3)
        assert result.status is PlanStatus.SOLVED, result.message
        assert result.cost == 5.0
    best = Planner(optimal=True).solve(_lamps(), deadline_s=10)
    assert (best.cost, best.optimal) == (5.0, True)


def test_unreadable_text_is_unsupported_and_says_where() -> None:
    broken = _tabletop("(on red purple)")
    result = Planner().solve(broken, deadline_s=5)
    assert result.status is PlanStatus.UNSUPPORTED
    assert "purple" in result.message
    assert "line" in result.message


def test_repairable_text_is_planned_for_and_the_repair_noted() -> None:
    program = _tabletop("(on red blue)")
    problem = program.problem.replace("(:domain tabletop)", "")
    text = problem.rstrip().removesuffix(")")
    result = Planner().solve(
        PddlProgram(domain=program.domain, problem=text, stages=(), source="t"), deadline_s=5
    )
    assert result.status is PlanStatus.SOLVED
    assert "balanced the parentheses" in result.message


@pytest.mark.parametrize("optimal", [False, True])
def test_the_deadline_is_wall_clock(optimal: bool) -> None:
    others = set(_descendants(os.getpid()))  # of earlier tests, e.g. multiprocessing's tracker
    start = time.monotonic()
    result = Planner(optimal=optimal).solve(_hard(), deadline_s=2.0)
    assert result.status is PlanStatus.TIMEOUT
    assert "ran out of time" in result.message or "no time left" in result.message
    assert result.wall_s == pytest.approx(time.monotonic() - start, abs=0.5)
    assert time.monotonic() - start < 10.0  # generous: the machine may be busy
    assert set(_descendants(os.getpid())) - others == set()


def test_the_memory_limit_ends_the_search() -> None:
    result = Planner(engines="fast-downward", memory_mb=48).solve(_hard(), deadline_s=20)
    assert result.status is PlanStatus.UNSUPPORTED
    assert "memory" in result.message


def test_a_planner_killed_from_outside_is_reported() -> None:
    results = []
    others = set(_descendants(os.getpid()))  # of earlier tests
    thread = threading.Thread(
        target=lambda: results.append(
            Planner(engines="fast-downward").solve(_hard(), deadline_s=30)
        )
    )
    thread.start()
    killed = False
    while not killed and thread.is_alive():
        for pid in set(_descendants(os.getpid())) - others:
            os.kill(pid, signal.SIGKILL)
            killed = True
        time.sleep(0.05)
    thread.join(20)
    assert killed
    (result,) = results
    assert result.status is PlanStatus.UNSUPPORTED
    assert "SIGKILL" in result.message


_SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
import importlib.util
spec = importlib.util.spec_from_file_location("t", {file!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from embodied_planners.pddl import Planner
print("started", flush=True)
Planner(engines="fast-downward").solve(module._hard(), deadline_s=60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_orphan_survives_the_parent(how: signal.Signals) -> None:
    script = _SCRIPT.format(folder=str(Path(__file__).parent), file=__file__)
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "started\n"
    children: list[int] = []
    for _ in range(200):
        children = _descendants(parent.pid)
        if children:
            break
        time.sleep(0.05)
    assert children
    time.sleep(0.3)  # past the moment between fork and the death signal being asked for
    children = _descendants(parent.pid)
    parent.send_signal(how)
    parent.communicate(timeout=20)
    for _ in range(100):
        if not any(_alive(pid) for pid in children):
            break
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in children)


def test_engines_are_never_imported() -> None:
    code = (
        "import sys\n"
        "from embodied_planners.pddl import engines\n"
        "engines.fast_downward(); engines.symk()\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in "
        "('up_fast_downward', 'up_symk', 'fast_downward', 'unified_planning', 'pddl')]\n"
        "assert not bad, bad\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_engine_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_locate", lambda package, folder: None)
    with pytest.raises(EnvironmentMissingError, match="pip install 'up-fast-downward"):
        Planner(engines="fast-downward").solve(_tabletop(), deadline_s=5)
    with pytest.raises(EnvironmentMissingError, match=r"embodied-stack\[optimal\]"):
        Planner(engines="symk").solve(_tabletop(), deadline_s=5)
    with pytest.raises(ValueError, match="auto, small, fast-downward, symk"):
        Planner(engines="fastest")


def test_children_report_their_exit_code_and_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child.start(
        [sys.executable, "-c", "print(sum(range(10**6))); raise SystemExit(7)"],
        folder=tmp_path,
        log=log,
        memory_mb=512,
    )
    assert wait_for_any([child], time.monotonic() + 20) is child
    assert child.exit_code == 7
    assert child.cpu_s > 0
    assert log.read_text() == "499999500000\n"
    child.kill()  # a second end does nothing


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(p) for p in task.read_text().split()]
        except OSError:
            continue
    return [p for p in found if _alive(p)]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
