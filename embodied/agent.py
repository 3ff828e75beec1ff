"""The whole data flow on one page: a sentence in, verified robot motion out.

    instruction -> Translator -> PddlProgram -> PddlPlanner -> ground actions
        -> Skills -> control goals -> Controller -> commands -> World
        -> observations -> StateMemory (facts) -> Monitor: continue / retry / replan / stop

Each stage of a program is pursued until its goal *holds in measured facts*. An action whose
promised effects are not measured is tried again with another candidate, then the problem is
grounded anew from what is measured and planned again, then the agent stops and says why.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from embodied.errors import Diagnostic, ProgramError
from embodied.monitor import Monitor, Verdict
from embodied.protocols import (
    Controller,
    Emit,
    Event,
    PddlPlanner,
    Skill,
    Skills,
    StateMemory,
    SymbolGrounder,
    Translator,
    World,
)
from embodied.symbolic import read_domain, render_problem
from embodied.types import (
    Command,
    ControlGoal,
    ControlStatus,
    GroundAction,
    Observation,
    PddlProgram,
    PlanResult,
    PlanStatus,
    SkillResult,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Bounds on how long the agent keeps trying.

    Attributes:
        plan_time_s: Wall time for one planner call.
        attempts: Candidates tried for one action before the problem is planned again.
        replans: How often a stage is planned again before the agent stops.
        goal_time_s: Longest simulated time for one control goal.
        settle_s: Time to hold still before the final measurement.
        tidy: A goal that the last stage is planned together with unless it contradicts what was
            asked, e.g. ``"(hand-empty)"``; it plays no part in the verdict.
    """

    plan_time_s: float = 10.0
    attempts: int = 3
    replans: int = 4
    goal_time_s: float = 30.0
    settle_s: float = 0.4
    tidy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord:
    """One action as it was carried out; times are the world's own."""

    action: GroundAction
    attempt: int
    ok: bool
    reason: str
    started_s: float
    ended_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a program ended, judged from measured state.

    Attributes:
        program: What was pursued.
        verdicts: One per stage, judged when the stage ended; what no later stage had to undo is
            judged again at the end.
        actions: Everything that was carried out, failures included.
        plans: Every planner answer, in order.
        message: One line for a person.
        timings_s: Wall time per part of the run.
    """

    program: PddlProgram
    verdicts: tuple[Verdict, ...]
    actions: tuple[ActionRecord, ...]
    plans: tuple[PlanResult, ...]
    message: str
    timings_s: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def reached(self) -> bool:
        """True when every stage's goal was measured to hold."""
        return len(self.verdicts) == len(self.program.stages) and all(
            v.reached for v in self.verdicts
        )

    @property
    def exit_code(self) -> int:
        """0 reached, 1 not reached, 2 a part of the task is not supported."""
        if self.reached:
            return 0
        last = self.plans[-1].status if self.plans else None
        return 2 if last is PlanStatus.UNSUPPORTED else 1


class Agent:
    """Wires a translator, a planner, skills and a controller to a world.

    Args:
        world: Already reset; wrap it to record what happens in it.
        grounder: Turns observations into facts of its domain.
        translator: Turns sentences into programs.
        planner: Turns programs into plans.
        skills: Turn ground actions into control goals.
        controller: Turns control goals into commands.
        memory: What is believed; updated by every observation and action.
        emit: Receives every event.
        options: Bounds.
    """

    def __init__(
        self,
        *,
        world: World,
        grounder: SymbolGrounder,
        translator: Translator,
        planner: PddlPlanner,
        skills: Skills,
        controller: Controller[Any],
        memory: StateMemory,
        emit: Emit = lambda event: None,
        options: Options | None = None,
    ) -> None:
        self.world = world
        self.grounder = grounder
        self.translator = translator
        self.planner = planner
        self.skills = skills
        self.controller = controller
        self.memory = memory
        self.options = options or Options()
        self.monitor = Monitor(read_domain(grounder.domain_text), grounder.objects)
        self._emit_event = emit
        self._timings: defaultdict[str, float] = defaultdict(float)
        self._actions: list[ActionRecord] = []
        self._plans: list[PlanResult] = []
        self._failures: Counter[GroundAction] = Counter()

    def run(self, instruction: str) -> Report:
        """Translate a sentence and pursue it.

        Raises:
            NotUnderstoodError: The translator abstains.
            ProgramError: The program stayed unusable after the allowed repairs.
            ModelError: The model could not be reached or is out of budget.
            WorldError: The simulator or the robot failed.
        """
        return self.pursue(self.translate(instruction))

    def translate(self, instruction: str) -> PddlProgram:
        """Translate a sentence about the world as it is measured now; raises as ``run`` does."""
        self.memory = self.memory.observed(self.world.observe())
        self._emit("instruction", text=instruction, translator=self.translator.name)
        with self._timed("translate"):
            program = self.translator.translate(instruction, self.memory, self.world.spec)
        if not isinstance(program, PddlProgram):
            problem = f"{type(program).__name__} is not a program that this agent carries out"
            raise ProgramError(instruction, [Diagnostic(where="program", problem=problem)])
        self.memory = self.memory.told(instruction, program)
        return program

    def pursue(self, program: PddlProgram) -> Report:
        """Carry out a program, stage by stage; raises WorldError as ``run`` does."""
        self._actions, self._plans, self._failures = [], [], Counter()
        self._emit("program", stages=program.stages, source=program.source, notes=program.notes)
        kept: tuple[str, ...] = ()
        verdicts: list[Verdict] = []
        problem = ""
        for stage in program.stages:
            kept, problem = self._reach_stage(program, kept, stage)
            verdicts.append(self.monitor.verdict(stage, self.memory.facts))
            if problem:
                break
        self._rest()
        lost = {g for g in kept if not self.monitor.verdict(g, self.memory.facts).reached}
        verdicts = [v.without(lost) for v in verdicts]
        report = Report(
            program=program,
            verdicts=tuple(verdicts),
            actions=tuple(self._actions),
            plans=tuple(self._plans),
            message=problem or "no longer true once everything is at rest",
            timings_s=dict(self._timings),
        )
        if report.reached:
            report = replace(report, message="the goal holds in measured state")
        self._emit(
            "verdict",
            reached=report.reached,
            message=report.message,
            goals=[{"goal": v.goal, "holds": v.holds, "unmet": v.unmet} for v in verdicts],
            object_source=self.world.spec.object_source,
        )
        return report

    def plan(self, program: PddlProgram, goals: tuple[str, ...] | None = None) -> PlanResult:
        """Plan from the believed facts to ``goals`` (all stages together if None)."""
        return self._note(*self._solve(program, program.stages if goals is None else goals))

    def _note(self, result: PlanResult, domain: str, problem: str) -> PlanResult:
        """Report a planner answer that counts."""
        self._plans.append(result)
        self._emit(
            "plan",
            status=result.status.name,
            plan=[str(a) for a in result.plan],
            cost=result.cost,
            optimal=result.optimal,
            engine=result.engine,
            wall_s=result.wall_s,
            cpu_s=result.cpu_s,
            message=result.message,
            domain=domain,
            problem=problem,
        )
        return result

    def plan_keeping(
        self, program: PddlProgram, kept: tuple[str, ...], stage: str
    ) -> tuple[PlanResult, tuple[str, ...]]:
        """Plan to a stage's goal and to as much of what was reached before as can stay true.

        Args:
            program: Program that the stage is from.
            kept: Goals reached before.
            stage: Goal of the stage.

        Returns:
            The planner's answer, and those of ``kept`` that it keeps: all of them unless the
            planner proves that they cannot hold together with the stage's goal.
        """
        tidy = self.options.tidy
        if tidy is not None and stage == program.stages[-1]:
            answer = self._solve(program, (*kept, stage, tidy))
            if answer[0].status is PlanStatus.SOLVED:
                return self._note(*answer), kept
        result = self.plan(program, (*kept, stage))
        if result.status is not PlanStatus.UNSOLVABLE or not kept:
            return result, kept
        compatible: tuple[str, ...] = ()
        for goal in kept:
            trial = self._solve(program, (*compatible, goal, stage))[0]
            if trial.status is PlanStatus.SOLVED:
                compatible = (*compatible, goal)
        return self.plan(program, (*compatible, stage)), compatible

    def _solve(self, program: PddlProgram, goals: tuple[str, ...]) -> tuple[PlanResult, str, str]:
        """Plan from the believed facts; returns the answer, the domain and the problem."""
        problem = render_problem(
            "now", self.monitor.domain, self.monitor.objects, self.memory.facts, goals
        )
        task = replace(program, domain=self.grounder.domain_text, problem=problem, stages=goals)
        with self._timed("plan"):
            result = self.planner.solve(task, deadline_s=self.options.plan_time_s)
        return result, task.domain, problem

    def _reach_stage(
        self, program: PddlProgram, kept: tuple[str, ...], stage: str
    ) -> tuple[tuple[str, ...], str]:
        """Pursue one stage; returns the goals that must hold from now on, and what went wrong."""
        own = self.monitor.conjuncts(stage)
        problem = ""
        for _ in range(self.options.replans + 1):
            if self._all_hold((*kept, stage)):
                return (*kept, *own), ""
            result, kept = self.plan_keeping(program, kept, stage)
            if result.status is not PlanStatus.SOLVED:
                return (*kept, *own), f"no plan: {result.message or result.status.value}"
            problem = self._carry_out(result.plan)
            if problem:
                self._emit("replan", reason=problem)
        if self._all_hold((*kept, stage)):
            return (*kept, *own), ""
        return (*kept, *own), f"gave up after {self.options.replans} replans: {problem}"

    def _all_hold(self, goals: tuple[str, ...]) -> bool:
        return all(self.monitor.verdict(g, self.memory.facts).reached for g in goals)

    def _carry_out(self, plan: tuple[GroundAction, ...]) -> str:
        """Act until the plan ends or reality leaves it; returns why it left, or ``""``."""
        for action in plan:
            unmet = self.monitor.before(action, self.memory.facts)
            if unmet:
                return f"{action} is not applicable: {', '.join(unmet)} does not hold"
            tried = 0
            while not (result := self._act(action)).ok:
                tried += 1
                self._failures[action] += 1
                gone = self.monitor.before(action, self.memory.facts)
                if tried == self.options.attempts or not result.retry or gone:
                    return f"{action} failed {tried} times: {result.reason}"
                self._emit("retry", action=str(action), reason=result.reason)
        return ""

    def _act(self, action: GroundAction) -> SkillResult:
        """Carry out one action and judge it by its measured effects."""
        attempt = self._failures[action]
        started = self.world.observe()
        self._emit("action", action=str(action), attempt=attempt, time_s=started.time)
        earlier = self.memory.facts
        with self._timed("act"):
            skill = self.skills.start(action, started, attempt=attempt)
            result = self._drive(skill, started)
        ended = self.world.observe()
        self.memory = self.memory.executed(action, result).observed(ended)
        effects = self.monitor.after(action, earlier, self.memory.facts)
        if result.ok and not effects.as_promised:
            missing = ", ".join(effects.missing)
            result = SkillResult(ok=False, reason=f"expected {missing}, not measured")
        elif not result.ok and effects.as_promised:
            result = SkillResult(ok=True, reason=f"effects measured although: {result.reason}")
        self._emit(
            "effects",
            action=str(action),
            ok=result.ok,
            reason=result.reason,
            missing=effects.missing,
            surprising=effects.surprising,
            time_s=ended.time,
        )
        self._actions.append(
            ActionRecord(
                action=action,
                attempt=attempt,
                ok=result.ok,
                reason=result.reason,
                started_s=started.time,
                ended_s=ended.time,
            )
        )
        return result

    def _drive(self, skill: Skill, observation: Observation) -> SkillResult:
        """Run a skill: each control goal is computed from the latest observation."""
        try:
            goal = next(skill)
            while True:
                observation, status = self._control(goal, observation)
                if status is not ControlStatus.REACHED:
                    skill.close()
                    return SkillResult(ok=False, reason=f"stuck during {goal.label or 'a motion'}")
                goal = skill.send(observation)
        except StopIteration as end:
            return end.value

    def _control(
        self, goal: ControlGoal, observation: Observation
    ) -> tuple[Observation, ControlStatus]:
        """Run the controller on one goal."""
        self._emit("goal", type=type(goal).__name__, label=goal.label, time_s=observation.time)
        deadline = observation.time + self.options.goal_time_s
        state = self.controller.init(goal, observation)
        limited: set[str] = set()
        while observation.time < deadline:
            command, state, status = self.controller.step(state, observation)
            result = self.world.step(command)
            limited.update(result.reasons)
            observation = result.observation
            if status is not ControlStatus.RUNNING:
                break
        else:
            status = ControlStatus.STUCK
        if limited:
            self._emit("limited", label=goal.label, reasons=sorted(limited))
        return observation, status

    def _rest(self) -> None:
        """Go home if anything moved, hold still, measure."""
        observation = self.world.observe()
        if self._actions:
            with self._timed("rest"):
                self._drive(self.skills.home(observation), observation)
                observation = self.world.observe()
                hold = Command(q=observation.q)
                end = observation.time + self.options.settle_s
                while observation.time < end:
                    observation = self.world.step(hold).observation
        self.memory = self.memory.observed(observation)
        self._emit(
            "observation",
            time_s=observation.time,
            facts=[str(f) for f in sorted(self.memory.facts)],
            positions={
                n: [round(float(x), 4) for x in p.position] for n, p in observation.poses.items()
            },
        )

    def _emit(self, kind: str, **data: Any) -> None:
        self._emit_event(Event(kind=kind, data=data))

    @contextmanager
    def _timed(self, part: str) -> Generator[None]:
        self._emit("stage", part=part, state="started")
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self._timings[part] += elapsed
            self._emit("stage", part=part, state="ended", wall_s=elapsed)
