"""Model strategies with scripted answers on a symbolic robot."""

from __future__ import annotations

from pathlib import Path

import pytest

from embodied.bench.strategies.symbolic_robot import SymbolicRobot
from embodied.language.models import FunctionModel
from embodied.protocols import Request
from embodied.records import read_lines
from embodied.recovery import RecoveryStep
from embodied.routes.pddl.prompting import read_plans
from embodied.routes.pddl.strategies import Task
from embodied.routes.pddl.strategies.code import CodeStrategy
from embodied.routes.pddl.strategies.hiagent import HiAgentStrategy
from embodied.routes.pddl.strategies.react import ReactStrategy
from embodied.routes.pddl.strategies.rewoo import RewooStrategy
from embodied.routes.pddl.strategies.tree import TreeStrategy, merge
from embodied.symbolic import read_domain
from embodied.types import Atom, GroundAction

DOMAIN = """
(define (domain jars) (:requirements :strips :typing) (:types jar place - object)
  (:predicates (at ?j - jar ?p - place) (held ?j - jar) (free-hand))
  (:action lift :parameters (?j - jar ?p - place) :precondition (and (at ?j ?p) (free-hand))
    :effect (and (held ?j) (not (at ?j ?p)) (not (free-hand))))
  (:action set-down :parameters (?j - jar ?p - place) :precondition (held ?j)
    :effect (and (at ?j ?p) (free-hand) (not (held ?j)))))
"""
OBJECTS = {"red": "jar", "blue": "jar", "left": "place", "right": "place", "shelf": "place"}
START = frozenset(map(Atom.parse, ["(at red left)", "(at blue right)", "(free-hand)"]))
GOOD = "(lift red left)\n(set-down red shelf)\n(lift blue right)\n(set-down blue shelf)"
WRONG = "(lift red right)\n(set-down red shelf)"
SHORT = "(lift red left)\n(set-down red shelf)"


def robot(failure_rate: float = 0.0, seed: int = 0) -> SymbolicRobot:
    task = Task(
        domain=read_domain(DOMAIN),
        domain_text=DOMAIN,
        objects=OBJECTS,
        instruction="both jars on the shelf",
        goals=("(and (at red shelf) (at blue shelf))",),
    )
    return SymbolicRobot(task, START, failure_rate=failure_rate, seed=seed)


def model(*answers: str) -> FunctionModel:
    return FunctionModel.scripted(answers)


def test_plans_are_merged_where_they_begin_alike() -> None:
    plans = read_plans(f"{GOOD}\n\n{SHORT}\n\nnonsense (sing) here", read_domain(DOMAIN))
    assert [len(p) for p in plans] == [4, 2]
    root = merge(plans)
    (first,) = root.children.values()
    assert first.votes == 2 and len(list(root.everywhere())) == 5


def test_the_tree_cuts_what_is_not_applicable_and_takes_what_leads_to_the_goal() -> None:
    strategy = TreeStrategy(model(f"{WRONG}\n\n{WRONG}\n\n{GOOD}"))
    arm = robot()
    assert strategy.pursue(arm) == "" and arm.reached()
    assert strategy.usage.calls == 1 and strategy.corrections == 0


def test_without_lookahead_more_votes_win() -> None:
    strategy = TreeStrategy(
        model(f"{SHORT}\n\n{SHORT}\n\n(lift blue right)\n(set-down blue shelf)"),
        grounded=False,
        resamples=0,
    )
    arm = robot()
    assert strategy.pursue(arm) != ""
    assert str(arm.performed[0].action) == "(lift red left)"


def test_the_tree_backtracks_to_a_branch_that_is_possible_from_here() -> None:
    detour = "(lift blue right)\n(set-down blue shelf)\n(lift red left)\n(set-down red shelf)"
    strategy = TreeStrategy(model(f"{GOOD}\n\n{GOOD}\n\n{detour}"))
    arm = robot()
    act = arm.act

    def drop_once(action: GroundAction):
        done = act(action)
        if str(action) == "(set-down red shelf)" and len(arm.performed) == 2:
            arm.facts = START  # somebody puts the jar back
        return done

    arm.act = drop_once  # type: ignore[method-assign]
    assert strategy.pursue(arm) == "" and arm.reached()
    assert RecoveryStep.BACKTRACK in arm.rungs and strategy.usage.calls == 1


def test_an_empty_tree_is_sampled_anew_and_then_given_up() -> None:
    strategy = TreeStrategy(model(WRONG, WRONG, GOOD), resamples=2)
    arm = robot()
    assert strategy.pursue(arm) == "" and arm.rungs == [RecoveryStep.REPLAN, RecoveryStep.REPLAN]
    strategy = TreeStrategy(model(WRONG, WRONG), resamples=1)
    assert "gave up after 1 new samples" in strategy.pursue(robot())


def test_react_is_told_what_happened_and_corrects_itself() -> None:
    seen: list[Request] = []
    answers = iter(["hm", f"Action: {WRONG.splitlines()[0]}", *GOOD.splitlines()])

    def answer(request: Request) -> str:
        seen.append(request)
        return next(answers)

    strategy = ReactStrategy(FunctionModel(answer))
    arm = robot()
    assert strategy.pursue(arm) == "" and arm.reached()
    assert strategy.corrections == 2 and strategy.usage.calls == 6
    assert "no action found" in seen[1].messages[-1].text
    assert "(at red right) does not hold" in seen[2].messages[-1].text
    assert "Now true: (held red)" in seen[3].messages[-1].text
    assert len(seen[5].messages) == 2 + 2 * 5, "the whole conversation goes along each time"


def test_react_ends_when_the_model_says_so_or_steps_run_out() -> None:
    assert "took the goal for reached" in ReactStrategy(model("Action: (done)")).pursue(robot())
    assert "within 2 steps" in ReactStrategy(model("?", "?"), max_steps=2).pursue(robot())


def test_rewoo_carries_out_what_it_can_and_does_not_look() -> None:
    strategy = RewooStrategy(model(GOOD))
    assert strategy.pursue(robot()) == ""
    arm = robot(failure_rate=1.0)
    assert "goal does not hold" in RewooStrategy(model(GOOD)).pursue(arm)
    assert len(arm.performed) == 2, "what a failure made impossible is left out"
    assert RewooStrategy(model("no")).pursue(robot()) == "the model wrote no plan"


def test_a_program_acts_through_its_functions_alone() -> None:
    pytest.importorskip("pydantic_monty")
    program = """
for jar in ["red", "blue"]:
    for place in ["left", "right"]:
        if holds("(at " + jar + " " + place + ")"):
            lift(jar, place)
            set_down(jar, "shelf")
"""
    arm = robot()
    assert CodeStrategy(model(f"```python\n{program}\n```")).pursue(arm) == ""
    assert arm.reached()
    for bad in (
        "open('/etc/passwd').read()",
        "lift('red'",
        "while True:\n    holds('(free-hand)')",
    ):
        arm = robot()
        assert CodeStrategy(model(bad), max_actions=20).pursue(arm).startswith("the program")
        assert arm.facts == START


def test_of_what_is_finished_the_model_sees_one_line(tmp_path: Path) -> None:
    shown: list[str] = []
    answers = [f"Thought: go\nAction: {a}" for a in GOOD.splitlines()]

    def answer(request: Request) -> str:
        assert len(request.messages) == 2  # no conversation that grows
        shown.append(request.messages[-1].text)
        return answers[len(shown) - 1]

    arm = robot()
    strategy = HiAgentStrategy(FunctionModel(answer), folder=tmp_path)
    assert strategy.pursue(arm) == ""
    assert arm.reached()
    assert "now: (at red shelf)" in shown[0] and "now: (at red shelf)" in shown[1]
    assert "now: (at blue shelf)" in shown[2] and "now: (at blue shelf)" in shown[3]
    assert "(lift red left)" not in shown[3].partition("So far:")[2].partition("now:")[0]
    assert "reached (2 steps, see subgoal-0001.jsonl)" in shown[3]
    assert len(read_lines(tmp_path / "tokens.jsonl")[0]) == 4
    assert len((tmp_path / "subgoal-0001.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "strategy", [TreeStrategy, ReactStrategy, HiAgentStrategy, RewooStrategy, CodeStrategy]
)
def test_all_have_a_name_and_show_the_scene(strategy) -> None:
    shown: list[str] = []

    def answer(request: Request) -> str:
        shown.append(request.messages[-1].text)
        return "pass"

    made = strategy(FunctionModel(answer))
    made.pursue(robot())
    assert made.name == strategy.name
    assert "(lift ?j - jar ?p - place) needs" in shown[0]
    assert "(at blue right) (at red left)" in shown[0]
    assert "Instruction: both jars on the shelf" in shown[0]
