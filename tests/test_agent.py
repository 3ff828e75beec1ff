"""The agent's loop on a symbolic toy: facts instead of physics, failures on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from embodied.agent import Agent
from embodied.body import Body
from embodied.errors import NotUnderstoodError, ProgramError
from embodied.memory import SceneMemory
from embodied.outcome import Outcome
from embodied.protocols import Event, Skill, StateMemory
from embodied.routes.pddl.route import PddlRoute
from embodied.routes.pddl.strategies import PlanStrategy
from embodied.symbolic import progress, read_domain, read_problem
from embodied.types import (
    Atom,
    Command,
    ControlGoal,
    ControlStatus,
    GripperGoal,
    GroundAction,
    Observation,
    PddlProgram,
    PlanResult,
    PlanStatus,
    Pose,
    Program,
    RewardProgram,
    SkillResult,
    StepResult,
    WorldSpec,
)

DOMAIN = """
(define (domain cups)
  (:requirements :strips :typing)
  (:types cup place - object)
  (:predicates (at ?c - cup ?p - place) (free ?p - place))
  (:action move :parameters (?c - cup ?a - place ?b - place)
    :precondition (and (at ?c ?a) (free ?b))
    :effect (and (at ?c ?b) (free ?a) (not (at ?c ?a)) (not (free ?b)))))
"""
OBJECTS = {"red": "cup", "blue": "cup", "p1": "place", "p2": "place", "p3": "place"}
START = frozenset(map(Atom.parse, ["(at red p1)", "(at blue p2)", "(free p3)"]))
Disturbance = Callable[[frozenset[Atom]], frozenset[Atom]]


class ToyWorld:
    """Holds facts; time passes with each step."""

    def __init__(self) -> None:
        self.facts = START
        self.time = 0.0
        n = np.zeros(1)
        self.spec = WorldSpec(
            name="cups",
            robot="toy",
            joint_names=("j",),
            q_lower=n - 1,
            q_upper=n + 1,
            dq_max=n + 1,
            ddq_max=n + 1,
            dddq_max=n + 1,
            tau_max=n + 1,
            q_home=n,
            control_dt_s=0.1,
        )

    def reset(self, *, seed: int) -> Observation:
        self.facts = START
        return self.observe()

    def observe(self) -> Observation:
        z = np.zeros(1)
        pose = Pose(position=np.zeros(3), quat_wxyz=np.array([1.0, 0, 0, 0]))
        return Observation(time=self.time, q=z, dq=z, tau=z, pose_ee_in_world=pose)

    def step(self, command: Command) -> StepResult:
        self.time += self.spec.control_dt_s
        return StepResult(observation=self.observe(), applied=command)

    def close(self) -> None:
        pass


class ToyGrounder:
    domain_text = DOMAIN
    objects: Mapping[str, str] = OBJECTS

    def __init__(self, world: ToyWorld) -> None:
        self.world = world

    def facts(self, observation: Observation) -> frozenset[Atom]:
        return self.world.facts


class ToySkills:
    """Moves cups symbolically; ``outcomes`` maps the n-th action to another outcome."""

    def __init__(self, world: ToyWorld, outcomes: dict[int, Disturbance] | None = None) -> None:
        self.world = world
        self.outcomes = outcomes or {}
        self.attempts: list[int] = []
        self.claims_success = True

    def start(self, action: GroundAction, observation: Observation, *, attempt: int) -> Skill:
        number = len(self.attempts)
        self.attempts.append(attempt)
        yield GripperGoal(width_m=0.0, label=str(action))
        facts = self.world.facts
        normal = progress(action, facts, read_domain(DOMAIN), OBJECTS)
        self.world.facts = self.outcomes.get(number, lambda _: normal)(facts)
        return SkillResult(ok=self.claims_success, reason="" if self.claims_success else "slipped")

    def home(self, observation: Observation) -> Skill:
        yield GripperGoal(width_m=0.08, label="home")
        return SkillResult(ok=True)


class ToyController:
    def __init__(self, stuck: bool = False) -> None:
        self.stuck = stuck

    def init(self, goal: ControlGoal, observation: Observation) -> int:
        return 0

    def step(self, state: int, observation: Observation) -> tuple[Command, int, ControlStatus]:
        end = ControlStatus.STUCK if self.stuck else ControlStatus.REACHED
        return Command(q=np.zeros(1)), state + 1, end if state else ControlStatus.RUNNING


class BreadthFirst:
    """Exact for these three places."""

    def __init__(self) -> None:
        self.calls = 0

    def solve(self, program: PddlProgram, *, deadline_s: float) -> PlanResult:
        from embodied.symbolic import applicable, holds

        self.calls += 1
        domain = read_domain(program.domain)
        problem = read_problem(program.problem, domain)
        frontier: list[tuple[frozenset[Atom], tuple[GroundAction, ...]]] = [(problem.init, ())]
        seen = {problem.init}
        moves = [
            GroundAction("move", (c, a, b))
            for c in ("red", "blue")
            for a in ("p1", "p2", "p3")
            for b in ("p1", "p2", "p3")
        ]
        while frontier:
            facts, plan = frontier.pop(0)
            if holds(problem.goal, facts, domain, problem.objects):
                return PlanResult(status=PlanStatus.SOLVED, plan=plan, cost=len(plan))
            for move in moves:
                if applicable(move, facts, domain, problem.objects):
                    continue
                after = progress(move, facts, domain, problem.objects)
                if after not in seen:
                    seen.add(after)
                    frontier.append((after, (*plan, move)))
        return PlanResult(status=PlanStatus.UNSOLVABLE)


class Fixed:
    """A translator that always answers the same."""

    name = "fixed"

    def __init__(self, *stages: str) -> None:
        self.stages = stages

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        return PddlProgram(domain=DOMAIN, problem="", stages=self.stages, source=self.name)


class ToyAgent(Agent):
    """An agent with one translator."""

    translator: Fixed

    def do(self, sentence: str) -> Outcome:
        return self.carry_out(sentence, self.translator)

    @property
    def route(self) -> PddlRoute:
        return cast("PddlRoute", self.routes[PddlProgram])


def _agent(
    *stages: str, outcomes: dict[int, Disturbance] | None = None, stuck: bool = False
) -> tuple[ToyAgent, ToySkills, list[Event]]:
    world = ToyWorld()
    skills = ToySkills(world, outcomes)
    events: list[Event] = []
    grounder = ToyGrounder(world)
    domain = read_domain(DOMAIN)
    route = PddlRoute(
        grounder=grounder,
        planner=BreadthFirst(),
        skills=skills,
        controller=ToyController(stuck),
        strategy=lambda: PlanStrategy(attempts=2, replans=2),
    )
    agent = ToyAgent(
        body=Body(world),
        routes={PddlProgram: route},
        memory=SceneMemory(
            grounder=grounder, transition=lambda a, f: progress(a, f, domain, OBJECTS)
        ),
        emit=events.append,
    )
    agent.translator = Fixed(*stages)
    return agent, skills, events


def test_a_goal_is_reached_and_judged_by_measured_facts() -> None:
    agent, _, events = _agent("(and (at red p2) (at blue p1))")
    report = agent.do("swap the cups")
    assert report.reached and report.exit_code == 0
    assert len(report.details["actions"]) == 3
    assert set(report.verdicts[0].holds) == {"(at red p2)", "(at blue p1)"}
    assert [e.kind for e in events][:1] == ["instruction"]
    assert events[-1].kind == "verdict" and events[-1].data["reached"]


def test_nothing_moves_when_the_goal_already_holds() -> None:
    agent, skills, _ = _agent("(at red p1)")
    assert agent.do("leave it").reached
    assert skills.attempts == []


def test_an_action_without_its_effects_is_tried_again_with_another_candidate() -> None:
    agent, skills, events = _agent("(at red p3)", outcomes={0: lambda facts: facts})
    report = agent.do("move red")
    assert report.reached
    assert skills.attempts == [0, 1]
    assert [a.ok for a in report.details["actions"]] == [False, True]
    assert "expected" in report.details["actions"][0].reason
    assert any(e.kind == "retry" for e in events)


def test_success_claimed_by_a_skill_counts_for_nothing() -> None:
    never = {i: (lambda facts: facts) for i in range(20)}
    agent, skills, _ = _agent("(at red p3)", outcomes=never)
    report = agent.do("move red")
    assert not report.reached and report.exit_code == 1
    assert "gave up after 2 replans" in report.message
    assert len(skills.attempts) == 6  # two attempts for each of three plans


def test_failure_claimed_by_a_skill_is_overruled_by_measured_effects() -> None:
    agent, skills, _ = _agent("(at red p3)")
    skills.claims_success = False
    assert agent.do("move red").reached


def test_a_disturbance_is_answered_by_a_new_plan() -> None:
    moved = frozenset(map(Atom.parse, ["(at red p1)", "(at blue p3)", "(free p2)"]))
    agent, _, events = _agent("(at red p2)", outcomes={0: lambda _: moved})
    report = agent.do("move red to p2")
    assert report.reached
    assert len(report.details["plans"]) == 1  # blue ended up out of the way all the same

    other = frozenset(map(Atom.parse, ["(at red p3)", "(at blue p2)", "(free p1)"]))
    agent, _, events = _agent("(at red p2)", outcomes={0: lambda _: other})
    report = agent.do("move red to p2")
    assert report.reached
    assert len(report.details["plans"]) == 2
    assert any(e.kind == "replan" for e in events)


def test_stages_are_reached_in_order_and_kept_where_possible() -> None:
    agent, _, _ = _agent("(at red p3)", "(at blue p1)")
    report = agent.do("first red to p3, then blue to p1")
    assert report.reached
    assert [a.action.args[0] for a in report.details["actions"]] == ["red", "blue"]
    assert Atom.parse("(at red p3)") in agent.memory.facts


def test_a_later_stage_that_contradicts_an_earlier_one_replaces_it() -> None:
    agent, _, _ = _agent("(at red p3)", "(at red p1)")
    report = agent.do("red to p3, then back to p1")
    assert report.reached
    assert len(report.details["actions"]) == 2
    assert Atom.parse("(at red p1)") in agent.memory.facts


def test_what_a_later_stage_need_not_undo_is_kept_and_counts_at_the_end() -> None:
    stages = ("(and (at red p3) (at blue p1))", "(at red p2)")
    agent, _, _ = _agent(*stages)
    report = agent.do("red to p3 and blue to p1, then red to p2")
    assert report.reached
    assert Atom.parse("(at blue p1)") in agent.memory.facts

    agent, skills, _ = _agent(*stages)

    def blown_away() -> Skill:
        yield GripperGoal(width_m=0.08, label="home")
        gone = map(Atom.parse, ["(at red p2)", "(at blue p3)", "(free p1)"])
        skills.world.facts = frozenset(gone)
        return SkillResult(ok=True)

    skills.home = lambda observation: blown_away()  # type: ignore[method-assign]
    report = agent.do("the same, but a gust of wind at the end")
    assert not report.reached
    assert report.verdicts[0].unmet == ("(at blue p1)",)
    assert report.verdicts[0].holds == ("(at red p3)",)  # undone by design
    assert report.verdicts[1].reached


def test_the_end_is_tidied_unless_that_contradicts_what_was_asked() -> None:
    agent, _, _ = _agent("(at red p3)")
    agent.route.bounds = replace(agent.route.bounds, tidy="(at blue p1)")
    report = agent.do("move red")
    assert report.reached and len(report.details["plans"]) == 1
    assert Atom.parse("(at blue p1)") in agent.memory.facts

    agent, _, _ = _agent("(at red p3)")
    agent.route.bounds = replace(agent.route.bounds, tidy="(at red p2)")
    report = agent.do("move red")
    assert report.reached
    assert Atom.parse("(at red p3)") in agent.memory.facts


def test_an_unsolvable_goal_is_an_answer() -> None:
    agent, skills, _ = _agent("(and (at red p1) (at blue p1))")
    report = agent.do("both in one place")
    assert not report.reached and report.exit_code == 1
    assert "no plan exists" in report.message
    assert skills.attempts == []


def test_a_stuck_controller_ends_the_action() -> None:
    agent, _, _ = _agent("(at red p3)", stuck=True)
    report = agent.do("move red")
    assert not report.reached
    assert all("stuck during" in a.reason for a in report.details["actions"])


def test_a_program_of_another_kind_is_refused() -> None:
    agent, _, _ = _agent("(at red p3)")

    class Other(Fixed):
        def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
            return RewardProgram(robot="arm", stages=(), source="other")

    agent.translator = Other()
    with pytest.raises(ProgramError, match="RewardProgram"):
        agent.do("sit")


def test_abstention_reaches_the_caller() -> None:
    agent, _, _ = _agent("(at red p3)")

    class Abstains(Fixed):
        def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
            raise NotUnderstoodError(instruction, [])

    agent.translator = Abstains()
    with pytest.raises(NotUnderstoodError):
        agent.do("???")
