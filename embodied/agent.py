"""The whole data flow on one page: a sentence in, verified robot motion out.

    instruction -> Translator -> PddlProgram -> PddlPlanner -> ground actions
        -> Skills -> control goals -> Controller -> commands -> World
        -> observations -> StateMemory (facts) -> Monitor: continue / retry / replan / stop

Each stage of a program is pursued until its goal *holds in measured facts*. A strategy decides
which action comes next; by default it follows a plan and climbs the ladder of ``embodied.recovery``
when reality leaves it. What no strategy can mend is read again for what is there, put to a person,
and at last ended safely, with the reason.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from embodied.errors import Diagnostic, ProgramError
from embodied.protocols import (
    Controller,
    Critic,
    Emit,
    Event,
    PddlPlanner,
    Skills,
    StateMemory,
    SymbolGrounder,
    Translator,
    World,
)
from embodied.recovery import Ask, Escalation, Question, Rung, nobody
from embodied.routes.pddl.execution import ActionRecord as ActionRecord
from embodied.routes.pddl.execution import Actor
from embodied.routes.pddl.goal_relaxation import read_again
from embodied.routes.pddl.monitor import Monitor, Verdict
from embodied.routes.pddl.stage_run import Pursuit
from embodied.routes.pddl.strategies import PlanStrategy, Strategy
from embodied.symbolic import read_domain, render_problem
from embodied.types import Atom, PddlProgram, PlanResult, PlanStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Bounds on how long the agent keeps trying.

    Attributes:
        plan_time_s: Wall time for one planner call.
        attempts: Candidates tried for one action before the problem is planned again.
        replans: How often a stage is planned again before the agent stops.
        questions: How often a person is asked for help with one stage.
        goal_time_s: Longest simulated time for one control goal.
        settle_s: Time to hold still before the final measurement.
        tidy: A goal that the last stage is planned together with unless it contradicts what was
            asked, e.g. ``"(hand-empty)"``; it plays no part in the verdict. A safe stop pursues it
            too.
    """

    plan_time_s: float = 10.0
    attempts: int = 3
    replans: int = 4
    questions: int = 2
    goal_time_s: float = 30.0
    settle_s: float = 0.4
    tidy: str | None = None


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
        escalations: Every step on the ladder, in order.
        reread: Goals as they were read again for what was there, in the order of the stages.
    """

    program: PddlProgram
    verdicts: tuple[Verdict, ...]
    actions: tuple[ActionRecord, ...]
    plans: tuple[PlanResult, ...]
    message: str
    timings_s: dict[str, float] = field(default_factory=dict[str, float])
    escalations: tuple[Escalation, ...] = ()
    reread: tuple[str, ...] = ()

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
        strategy: Decides which action comes next; by default a plan is made and followed.
        critic: Predicts how likely an action is to succeed.
        ask: Puts questions to a person; nobody is there by default.
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
        strategy: Strategy | None = None,
        critic: Critic | None = None,
        ask: Ask = nobody,
    ) -> None:
        self.world = world
        self.grounder = grounder
        self.translator = translator
        self.planner = planner
        self.options = options or Options()
        self.strategy = strategy or PlanStrategy(
            attempts=self.options.attempts, replans=self.options.replans
        )
        self.ask = ask
        self.monitor = Monitor(read_domain(grounder.domain_text), grounder.objects)
        self._emit_event = emit
        self._timings: defaultdict[str, float] = defaultdict(float)
        self._plans: list[PlanResult] = []
        self._escalations: list[Escalation] = []
        self._instruction = ""
        self.actor = Actor(
            world=world,
            skills=skills,
            controller=controller,
            monitor=self.monitor,
            critic=critic,
            memory=memory,
            say=self.say,
            timed=self._timed,
            goal_time_s=self.options.goal_time_s,
        )

    @property
    def memory(self) -> StateMemory:
        """What is believed now."""
        return self.actor.memory

    @memory.setter
    def memory(self, memory: StateMemory) -> None:
        self.actor.memory = memory

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
        self._instruction = instruction
        self.say("instruction", text=instruction, translator=self.translator.name)
        with self._timed("translate"):
            program = self.translator.translate(instruction, self.memory, self.world.spec)
        if not isinstance(program, PddlProgram):
            problem = f"{type(program).__name__} is not a program that this agent carries out"
            raise ProgramError(instruction, [Diagnostic(where="program", problem=problem)])
        self.memory = self.memory.told(instruction, program)
        return program

    def pursue(self, program: PddlProgram, *, done: int = 0) -> Report:
        """Carry out a program, stage by stage; raises WorldError as ``run`` does.

        Args:
            program: The program.
            done: Stages that an earlier, interrupted pursuit has reached; they are kept true where
                possible, and judged again.
        """
        self.actor.forget()
        self._plans, self._escalations = [], []
        self.say("program", stages=program.stages, source=program.source, notes=program.notes)
        kept: tuple[str, ...] = ()
        verdicts: list[Verdict] = []
        reread: list[str] = []
        problem = ""
        for number, stage in enumerate(program.stages):
            if number < done:
                kept = (*kept, *self.monitor.conjuncts(stage))
                verdicts.append(self._reached_before(stage))
                continue
            pursuit = Pursuit(self, program, kept, stage)
            problem = self._reach_stage(pursuit)
            kept = (*pursuit.kept, *self.monitor.conjuncts(stage))
            verdicts.append(self.monitor.verdict(stage, self.memory.facts))
            reread += [pursuit.stage] if pursuit.stage != stage else []
            if problem:
                break
            self.say("milestone", stage=number, goal=stage, of=len(program.stages))
        self.actor.rest(self.options.settle_s)
        report = self._report(program, kept, verdicts, problem, tuple(reread))
        self.say(
            "verdict",
            reached=report.reached,
            message=report.message,
            goals=[{"goal": v.goal, "holds": v.holds, "unmet": v.unmet} for v in report.verdicts],
            object_source=self.world.spec.object_source,
        )
        return report

    def plan(self, program: PddlProgram, goals: tuple[str, ...] | None = None) -> PlanResult:
        """Plan from the believed facts to ``goals`` (all stages together if None)."""
        return self._note(*self._solve(program, program.stages if goals is None else goals))

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

    def remember(self, instruction: str, program: PddlProgram) -> None:
        """Take up a sentence that was translated before, e.g. by an interrupted run."""
        self._instruction = instruction
        self.memory = self.memory.told(instruction, program)
        self.say("instruction", text=instruction, translator=program.source)

    def compare(self, believed: frozenset[Atom]) -> None:
        """Report what is measured against what was believed before an interruption."""
        found = self.monitor.contradiction(believed, self.memory.facts, was={}, now={}, handled=())
        if found:
            self.actor.report_contradiction("", found, self.world.observe().time)

    @property
    def instruction(self) -> str:
        """The latest sentence."""
        return self._instruction

    def say(self, kind: str, **data: Any) -> None:
        """Emit an event."""
        self._emit_event(Event(kind=kind, data=data))

    def escalate(self, rung: Rung, reason: str, action: str = "") -> None:
        """Put a step of the ladder on record."""
        time_s = self.world.observe().time
        self._escalations.append(Escalation(rung=rung, reason=reason, action=action, time_s=time_s))
        self.say(rung.name.lower(), reason=reason, action=action, time_s=time_s)

    # ----------------------------------------------------------------- private

    def _solve(self, program: PddlProgram, goals: tuple[str, ...]) -> tuple[PlanResult, str, str]:
        """Plan from the believed facts; returns the answer, the domain and the problem."""
        problem = render_problem(
            "now", self.monitor.domain, self.monitor.objects, self.memory.facts, goals
        )
        task = replace(program, domain=self.grounder.domain_text, problem=problem, stages=goals)
        with self._timed("plan"):
            result = self.planner.solve(task, deadline_s=self.options.plan_time_s)
        return result, task.domain, problem

    def _note(self, result: PlanResult, domain: str, problem: str) -> PlanResult:
        """Report a planner answer that counts."""
        self._plans.append(result)
        self.say(
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

    def _reach_stage(self, pursuit: Pursuit) -> str:
        """Pursue one stage; returns what went wrong, or ``""``."""
        asked = 0
        while True:
            problem = "" if pursuit.reached() else self.strategy.pursue(pursuit)
            if not problem and pursuit.stage == pursuit.asked_for:
                return ""
            if problem and not pursuit.declined and self._read_again(pursuit, problem):
                continue
            gone = pursuit.vanished()
            short = problem or f"the goal holds but for {', '.join(gone)}"
            if not pursuit.declined and asked < self.options.questions:
                asked += 1
                if self._get_help(pursuit, short, gone):
                    continue
            if not problem:
                return f"{short}: {', '.join(gone)} cannot be found"
            self._stop_safe(pursuit, problem)
            return problem

    def _read_again(self, pursuit: Pursuit, problem: str) -> bool:
        """Read the goal for what is left, once; returns whether that changed anything."""
        if pursuit.stage != pursuit.asked_for:
            return False
        domain, objects = self.monitor.domain, self.monitor.objects
        text = read_again(pursuit.asked_for, pursuit.vanished(), domain, objects)
        if text is None:
            return False
        self.escalate(Rung.REINTERPRET, f"{problem}; read as {text}")
        pursuit.stage = text
        return True

    def _get_help(self, pursuit: Pursuit, problem: str, gone: tuple[str, ...]) -> bool:
        """Ask a person; returns whether something was put right."""
        missing = f"I cannot find {', '.join(gone)}. " if gone else ""
        text = f"{missing}{problem}. Can you put this right?"
        answer = self.ask(Question(text=text, kind="help", about=gone))
        if not answer and self.ask is nobody:
            return False
        self.escalate(Rung.ASK, f"{text} {'Yes.' if answer else 'No.'}")
        if answer:
            self.memory = self.memory.observed(self.world.observe())
            pursuit.stage = pursuit.asked_for
        return answer

    def _stop_safe(self, pursuit: Pursuit, problem: str) -> None:
        """Put down what is held, if that is what tidy means and a plan for it exists."""
        self.escalate(Rung.STOP, problem)
        tidy = self.options.tidy
        if tidy is None or self.monitor.verdict(tidy, self.memory.facts).reached:
            return
        result = self.plan(pursuit.program, (tidy,))
        for action in result.plan:
            if not self.actor.act(action).result.ok:
                return

    def _reached_before(self, stage: str) -> Verdict:
        """The verdict of a stage that was measured to be reached before an interruption."""
        parts = self.monitor.conjuncts(stage)
        return Verdict(goal=stage, reached=True, holds=parts, unmet=())

    def _report(
        self,
        program: PddlProgram,
        kept: tuple[str, ...],
        verdicts: list[Verdict],
        problem: str,
        reread: tuple[str, ...],
    ) -> Report:
        facts = self.memory.facts
        lost = {g for g in kept if not self.monitor.verdict(g, facts).reached}
        report = Report(
            program=program,
            verdicts=tuple(v.without(lost) for v in verdicts),
            actions=tuple(self.actor.records),
            plans=tuple(self._plans),
            message=problem or "no longer true once everything is at rest",
            timings_s=dict(self._timings),
            escalations=tuple(self._escalations),
            reread=reread,
        )
        return (
            replace(report, message="the goal holds in measured state")
            if report.reached
            else report
        )

    @contextmanager
    def _timed(self, part: str) -> Generator[None]:
        self.say("stage", part=part, state="started")
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self._timings[part] += elapsed
            self.say("stage", part=part, state="ended", wall_s=elapsed)
