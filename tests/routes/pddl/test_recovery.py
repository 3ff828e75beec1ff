"""Recovery on a symbolic toy: every step is taken when it should be, and is on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from embodied_planners.pddl import Planner

from embodied.agent import Agent
from embodied.body import Body
from embodied.memory import SceneMemory
from embodied.outcome import Outcome
from embodied.protocols import Emit, Event, Skill, StateMemory
from embodied.recovery import Ask, Question, nobody
from embodied.routes.pddl.route import PddlOptions, PddlRoute
from embodied.routes.pddl.strategies import PlanStrategy
from embodied.symbolic import applicable, progress, read_domain
from embodied.types import (
    Atom,
    Command,
    ControlGoal,
    ControlStatus,
    GripperGoal,
    GroundAction,
    Observation,
    PddlProgram,
    Pose,
    Program,
    SkillResult,
    StepResult,
    WorldSpec,
)

DOMAIN = """
(define (domain shelf)
  (:requirements :strips :typing :universal-preconditions :negative-preconditions)
  (:types jar place - object)
  (:predicates (at ?j - jar ?p - place) (held ?j - jar) (free-hand) (broken ?j - jar))
  (:action lift :parameters (?j - jar ?p - place)
    :precondition (and (at ?j ?p) (free-hand))
    :effect (and (held ?j) (not (at ?j ?p)) (not (free-hand))))
  (:action put :parameters (?j - jar ?p - place)
    :precondition (held ?j)
    :effect (and (at ?j ?p) (free-hand) (not (held ?j))))
  (:action smash :parameters (?j - jar)
    :precondition (held ?j)
    :effect (broken ?j)))
"""
OBJECTS = {"red": "jar", "blue": "jar", "left": "place", "right": "place", "shelf": "place"}
START = frozenset(map(Atom.parse, ["(at red left)", "(at blue right)", "(free-hand)"]))
Facts = frozenset[Atom]
Disturb = Callable[[Facts], Facts]


def change(*, add: str = "", delete: str = "") -> Disturb:
    gone = {Atom.parse(t) for t in delete.split(";") if t}
    new = {Atom.parse(t) for t in add.split(";") if t}
    return lambda facts: frozenset((facts - gone) | new)


def take_the_other(facts: Facts) -> Facts:
    """Take away the jar that is not in the hand."""
    return frozenset(f for f in facts if f.predicate != "at")


class Toy:
    """World, grounder and skills in one; ``after`` changes what the n-th action leaves behind."""

    name = "toy"
    domain_text = DOMAIN
    objects: Mapping[str, str] = OBJECTS

    def __init__(self, after: dict[int, Disturb] | None = None) -> None:
        self.now = START
        self.after = after or {}
        self.done: list[GroundAction] = []
        self.fails: set[int] = set()
        self.time = 0.0
        z = np.zeros(1)
        self.spec = WorldSpec(
            name="toy",
            robot="toy",
            joint_names=("j",),
            q_lower=z - 1,
            q_upper=z + 1,
            dq_max=z + 1,
            ddq_max=z + 1,
            dddq_max=z + 1,
            tau_max=z + 1,
            q_home=z,
            control_dt_s=0.1,
        )

    def reset(self, *, seed: int) -> Observation:
        return self.observe()

    def observe(self) -> Observation:
        z = np.zeros(1)
        pose = Pose(position=np.zeros(3), quat_wxyz=np.array([1.0, 0, 0, 0]))
        return Observation(time=self.time, q=z, dq=z, tau=z, pose_ee_in_world=pose)

    def close(self) -> None:
        pass

    def facts(self, observation: Observation) -> Facts:
        return self.now

    def start(self, action: GroundAction, observation: Observation, *, attempt: int) -> Skill:
        n = len(self.done)
        self.done.append(action)
        yield GripperGoal(width_m=0.0, label=str(action))
        domain = read_domain(DOMAIN)
        if n not in self.fails and not applicable(action, self.now, domain, OBJECTS):
            self.now = progress(action, self.now, domain, OBJECTS)
        self.now = self.after.get(n, lambda facts: facts)(self.now)
        return SkillResult(ok=n not in self.fails, reason="slipped" if n in self.fails else "")

    def home(self, observation: Observation) -> Skill:
        yield GripperGoal(width_m=0.08, label="home")
        return SkillResult(ok=True)

    def init(self, goal: ControlGoal, observation: Observation) -> int:
        return 0

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        return PddlProgram(domain=DOMAIN, problem="", stages=(instruction,), source="toy")


class ToyWorld:
    """The part of the toy that steps; the controller's step has another signature."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.spec = toy.spec
        self.reset, self.observe, self.close = toy.reset, toy.observe, toy.close

    def step(self, command: Command) -> StepResult:
        self.toy.time += 0.1
        return StepResult(observation=self.toy.observe(), applied=command)


class ToyController:
    def init(self, goal: ControlGoal, observation: Observation) -> int:
        return 0

    def step(self, state: int, observation: Observation) -> tuple[Command, int, ControlStatus]:
        return Command(q=np.zeros(1)), state + 1, ControlStatus.REACHED


def toy_agent(
    toy: Toy,
    *,
    emit: Emit = lambda event: None,
    ask: Ask = nobody,
    strategy: PlanStrategy | None = None,
    facts: Facts = START,
    **parts: Any,
) -> Agent:
    route = PddlRoute(
        grounder=toy,
        planner=Planner(engines="small", small_budget_s=5.0),
        skills=toy,
        controller=ToyController(),
        strategy=lambda: strategy or PlanStrategy(),
        **parts,
    )
    memory = SceneMemory(
        grounder=toy, transition=partial(_progress, read_domain(DOMAIN)), facts=facts
    )
    return Agent(
        body=Body(ToyWorld(toy)), routes={PddlProgram: route}, memory=memory, emit=emit, ask=ask
    )


def pursue(
    toy: Toy,
    goal: str,
    *,
    strategy: PlanStrategy | None = None,
    ask: Callable[[Question], bool] | None = None,
    tidy: str | None = "(free-hand)",
) -> tuple[Outcome, list[Event]]:
    events: list[Event] = []
    agent = toy_agent(
        toy, emit=events.append, ask=ask or nobody, strategy=strategy, bounds=PddlOptions(tidy=tidy)
    )
    return agent.carry_out(goal, toy), events


def _progress(domain, action: GroundAction, facts: Facts) -> Facts:
    return progress(action, facts, domain, OBJECTS)


def rungs(report: Outcome) -> list[str]:
    return [e.step.name for e in report.escalations]


def test_a_failure_is_tried_again_with_another_candidate() -> None:
    toy = Toy()
    toy.fails = {0}
    report, events = pursue(toy, "(at red shelf)")
    assert report.reached and rungs(report) == ["RETRY"]
    assert [e.data["reason"] for e in events if e.kind == "retry"] == ["slipped"]


def test_a_dropped_thing_is_picked_up_again_by_the_same_plan() -> None:
    dropped = change(delete="(held red)", add="(at red left);(free-hand)")
    toy = Toy({0: dropped})
    report, events = pursue(toy, "(at red shelf)")
    assert report.reached and rungs(report) == ["RETRY"]  # the same place: the same action
    toy = Toy({1: change(delete="(at red shelf)", add="(at red left)")})
    report, _ = pursue(toy, "(at red shelf)")
    assert report.reached and rungs(report) == ["BACKTRACK"]
    assert len(report.details["plans"]) == 1, "no new plan was needed"


def test_a_contradiction_is_an_event_and_spoils_the_plan_at_once() -> None:
    goal = "(and (at red shelf) (at blue shelf))"
    moved = change(delete="(at blue right);(at red left)", add="(at blue left);(at red right)")
    toy = Toy({0: moved})
    toy.done = []
    report, events = pursue(toy, goal)
    assert report.reached
    told = [e for e in events if e.kind == "contradiction"]
    assert len(told) == 1
    names = " ".join((*told[0].data["believed"], *told[0].data["measured"]))
    assert "blue" in names or "red" in names
    order = [e.kind for e in events]
    replan = order.index("replan") if "replan" in order else order.index("backtrack")
    assert order[order.index("contradiction") : replan].count("action") == 0


def test_without_memory_the_same_thing_is_found_out_one_step_later() -> None:
    goal = "(and (at red shelf) (at blue shelf))"

    def swap(facts: Facts) -> Facts:
        """Whatever still stands on the left goes to the right, and the other way round."""
        other = {"left": "right", "right": "left", "shelf": "shelf"}
        return frozenset(
            Atom("at", (f.args[0], other[f.args[1]])) if f.predicate == "at" else f for f in facts
        )

    with_memory, seen = pursue(Toy({1: swap}), goal)
    without, events = pursue(Toy({1: swap}), goal, strategy=PlanStrategy(beliefs=False))
    assert with_memory.reached and without.reached
    assert any("was believed" in e.data["reason"] for e in seen if e.kind == "replan")
    assert any("not applicable" in e.data["reason"] for e in events if e.kind == "replan")


def test_the_open_loop_does_not_notice() -> None:
    toy = Toy()
    toy.fails = {0}
    blind = PlanStrategy(checks=False, beliefs=False)
    report, _ = pursue(toy, "(at red shelf)", strategy=blind, tidy=None)
    assert not report.reached
    assert [str(a) for a in toy.done] == ["(lift red left)", "(put red shelf)"]
    assert rungs(report) == ["STOP"]


def test_all_jars_are_those_that_are_left() -> None:
    toy = Toy({0: take_the_other})
    report, _ = pursue(toy, "(forall (?j - jar) (at ?j shelf))")
    left = toy.done[0].args[0]
    gone = "blue" if left == "red" else "red"
    assert not report.reached, "the goal as asked does not hold"
    assert "REINTERPRET" in rungs(report)
    assert report.details["reread"] == (f"(and (at {left} shelf))",)
    assert Atom("at", (left, "shelf")) in toy.now
    assert f"{gone} cannot be found" in report.message


def test_a_person_is_asked_and_what_is_given_back_counts() -> None:
    toy = Toy({0: take_the_other})
    asked: list[Question] = []

    def person(question: Question) -> bool:
        asked.append(question)
        toy.now = toy.now | {Atom("at", (question.about[0], "left"))}
        return True

    report, _ = pursue(toy, "(and (at red shelf) (at blue shelf))", ask=person)
    assert report.reached
    assert [q.kind for q in asked] == ["help"]
    assert asked[0].about[0] != toy.done[0].args[0]
    assert "ASK" in rungs(report)


def test_when_nobody_can_help_the_arm_stops_with_an_empty_hand() -> None:
    toy = Toy({0: take_the_other})
    report, _ = pursue(toy, "(and (at red shelf) (at blue shelf))", ask=lambda q: False)
    assert not report.reached
    assert rungs(report)[-2:] == ["ASK", "STOP"]
    assert Atom.parse("(free-hand)") in toy.now, "what was held has been put down"


def test_what_cannot_be_undone_is_asked_for_before_anything_moves() -> None:
    toy = Toy()
    report, _ = pursue(toy, "(broken red)")
    assert not report.reached and toy.done == []
    assert "cannot be undone" in report.message

    questions: list[Question] = []
    toy = Toy()

    def yes(question: Question) -> bool:
        questions.append(question)
        return True

    report, _ = pursue(toy, "(broken red)", ask=yes)
    assert report.reached
    assert [q.kind for q in questions] == ["irreversible"]
    assert questions[0].about == ("(smash red)",)


@pytest.mark.parametrize("least, tries", [(0.5, 1), (0.0, 3)])
def test_no_further_candidate_where_the_critic_sees_no_chance(least: float, tries: int) -> None:
    class Pessimist:
        def chance(self, action: GroundAction, seen: Observation, *, attempt: int) -> float:
            return 0.2

    toy = Toy()
    toy.fails = set(range(3))
    strategy = PlanStrategy(least_chance=least)
    events: list[Event] = []
    agent = toy_agent(toy, emit=events.append, strategy=strategy, critic=Pessimist())
    report = agent.carry_out("(at red shelf)", toy)
    first = next(i for i, e in enumerate(events) if e.kind == "replan")
    assert sum(e.kind == "action" for e in events[:first]) == tries
    assert report.details["actions"][0].chance == 0.2


def test_a_stage_that_was_reached_before_an_interruption_is_not_pursued_again() -> None:
    toy = Toy()
    toy.now = frozenset(map(Atom.parse, ["(at red shelf)", "(at blue right)", "(free-hand)"]))
    agent = toy_agent(toy, facts=toy.now)
    program = PddlProgram(
        domain=DOMAIN, problem="", stages=("(at red shelf)", "(at blue left)"), source="toy"
    )
    report = agent.pursue(program, done=1)
    assert report.reached
    assert {a.action.args[0] for a in report.details["actions"]} == {"blue"}
    toy.now = START
    assert not agent.pursue(program, done=2).reached, "what no longer holds is not claimed"
