"""LLM+P (arXiv 2304.11477): a goal is planned for; actions are checked by measured effects."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from embodied.errors import Diagnostic, OptionError
from embodied.files import read_text
from embodied.language.pddl.scene_translator import goal_form
from embodied.language.program_form import ProgramForm
from embodied.opening import Opening
from embodied.outcome import NOT_REACHED, NOT_UNDERSTOOD, REACHED, Outcome, ladder
from embodied.protocols import (
    AnyController,
    Critic,
    MannerSkills,
    PddlPlanner,
    Skills,
    SymbolGrounder,
    Translator,
)
from embodied.records import Record
from embodied.route import Change, Route, Run
from embodied.routes.pddl.execution import ActionExecutor
from embodied.routes.pddl.manner import MannerJudge, from_record, in_words, to_json
from embodied.routes.pddl.monitor import Monitor
from embodied.routes.pddl.planning import Explain, Planning
from embodied.routes.pddl.stage_run import Execution, PddlStageRun
from embodied.routes.pddl.strategies import PlanStrategy
from embodied.routes.pddl.tasks import Strategy, open_strategy
from embodied.routes.pddl.undo import irreversible
from embodied.symbolic import progress, read_domain, render_problem
from embodied.types import Atom, GroundAction, Observation, PddlProgram, PlanStatus, WorldSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PddlOptions:
    """Bounds of planning and acting.

    Attributes:
        plan_time_s: Wall time for one planner call.
        goal_time_s: Longest time of the world for one control goal.
        settle_s: Time to hold still before the final measurement.
        tidy: A goal that the last stage is planned together with unless it contradicts what was
            asked, e.g. ``"(hand-empty)"``; it plays no part in the verdict. A safe stop pursues it
            too.
    """

    plan_time_s: float = 10.0
    goal_time_s: float = 30.0
    settle_s: float = 0.4
    tidy: str | None = None


def _names(plan: Sequence[GroundAction], objects: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(map(str, plan))


@dataclass(kw_only=True, eq=False)
class PddlRoute(Route[PddlProgram]):
    """Plans for goals and carries out actions, one after the other.

    Attributes:
        grounder: Turns observations into facts of its domain.
        translator: Turns sentences into programs.
        planner: Turns programs into plans.
        skills: Turn ground actions into control goals.
        controller: Turns control goals into commands.
        explain: Puts plans in words.
        strategy: Makes what decides which action comes next in a program; by default a plan is
            made and followed.
        critic: Predicts how likely an action is to succeed.
        bounds: Bounds of planning and acting.
        static_facts: The facts that no action changes.
    """

    name: ClassVar[str] = "pddl"
    program = PddlProgram

    grounder: SymbolGrounder
    translator: Translator | None = None
    planner: PddlPlanner
    skills: Skills
    controller: AnyController
    explain: Explain = _names
    strategy: Callable[[], Strategy] = PlanStrategy
    critic: Critic | None = None
    bounds: PddlOptions = PddlOptions()
    static_facts: frozenset[Atom] = frozenset()

    def __post_init__(self) -> None:
        domain = read_domain(self.grounder.domain_text)
        self.monitor = Monitor(domain, self.grounder.objects)

    @classmethod
    def open(cls, opening: Opening) -> PddlRoute:
        """Open the route on a tabletop; raises as ``Route.open`` does."""
        from embodied_controllers.trajectory import TrajectoryController
        from embodied_planners.motion import MotionPlanner
        from embodied_planners.pddl import Planner, explain_plan
        from embodied_planners.skills import TabletopSkills

        from embodied.routes.pddl.critic import tabletop_critic
        from embodied.routes.pddl.translators import open_translator

        place, settings = opening.environment, opening.settings
        spec = place.body.spec
        if place.planning_model is None:
            raise OptionError(
                f"the route pddl grasps with two parallel jaws: the {spec.robot} has none"
            )
        bounds = PddlOptions(plan_time_s=settings.plan_time_s, tidy="(hand-empty)")
        if place.goal_time_s is not None:
            bounds = replace(bounds, goal_time_s=place.goal_time_s)
        motion = MotionPlanner(place.planning_model, spec, seed=settings.seed)
        return cls(
            grounder=place.grounder,
            translator=open_translator(opening),
            planner=Planner(optimal=settings.optimal),
            skills=TabletopSkills(motion, spec),
            controller=place.wrap(TrajectoryController(spec)),
            explain=explain_plan,
            strategy=open_strategy(settings.strategy, opening.model),
            critic=tabletop_critic(spec),
            bounds=bounds,
            static_facts=place.static_facts,
        )

    def stages(self, program: PddlProgram) -> tuple[str, ...]:
        """The goals, as PDDL text, and how to move on the way to them."""
        manners = (in_words(m) for m in program.manners)
        pairs = itertools.zip_longest(program.stages, manners, fillvalue="")
        return tuple(f"{goal}; {manner}" if manner else goal for goal, manner in pairs)

    def check(self, program: PddlProgram) -> tuple[Diagnostic, ...]:
        """Whether the skills can be told how to move."""
        if not program.manners or isinstance(self.skills, MannerSkills):
            return ()
        asked = "; ".join(filter(None, map(in_words, program.manners)))
        return (Diagnostic(where="manner", problem=f"the skills of this robot ignore: {asked}"),)

    def record(self, program: PddlProgram) -> Mapping[str, object]:
        """How to move; domain and problem are files."""
        if not program.manners:
            return {}
        return {"goals": program.stages, "manners": [to_json(m) for m in program.manners]}

    def files(self, program: PddlProgram) -> Mapping[str, str | bytes]:
        """Domain and problem."""
        return {"domain.pddl": program.domain, "problem.pddl": program.problem}

    def read(self, record: Record, folder: Path) -> PddlProgram:
        """The program that a run pursued; raises as ``Route.read`` does."""
        return PddlProgram(
            domain=read_text(folder / "domain.pddl"),
            problem=read_text(folder / "problem.pddl"),
            stages=record.texts("goals", record.texts("stages")),
            source=f"replay of {record.text('source')}",
            notes=record.texts("notes"),
            manners=tuple(from_record(r) for r in record.records("manners", ())),
        )

    def form(self, spec: WorldSpec) -> ProgramForm:
        """Goals as PDDL text."""
        return goal_form(self.grounder.domain_text, self.grounder.objects, spec)

    def begin(
        self, program: PddlProgram, number: int, run: Run, *, done: bool = False
    ) -> PddlStageRun:
        """Begin a stage; what was reached before is kept where it can be."""
        before = _last_goal(run)
        if before is not None:
            execution, kept = before.execution, before.kept_with_own
            if execution.program is not program:  # a later part of a mixed program
                execution = replace(execution, program=program)
        else:
            execution, kept = self._execution(program, run), ()
        judge = None
        if number < len(program.manners) and isinstance(self.skills, MannerSkills):
            judge = MannerJudge(program.manners[number], self.skills.nearness())
        placed = execution.placed(number, run)
        return PddlStageRun(execution, run, kept, number, done=done, manner=judge, placed=placed)

    def rest(self, run: Run) -> None:
        """Go home, if anything moved."""
        execution = _execution_of(run)
        if execution is not None:
            execution.executor.rest(self.bounds.settle_s)

    def preview(self, program: PddlProgram, run: Run) -> Outcome:
        """Plan stage after stage from predicted facts, without moving."""
        planning = self._planning(run)
        kept: tuple[str, ...] = ()
        facts = run.memory.facts
        for stage in program.stages:
            result, kept = planning.plan_keeping(program, kept, stage, facts)
            if result.status is not PlanStatus.SOLVED:
                break
            kept = (*kept, *self.monitor.conjuncts(stage))
            for action in result.plan:
                facts = self._after(action, facts)
        plans = planning.plans
        last, n = plans[-1], sum(len(p.plan) for p in plans)
        codes = {PlanStatus.SOLVED: REACHED, PlanStatus.UNSUPPORTED: NOT_UNDERSTOOD}
        words = (
            f"{n} action{'' if n == 1 else 's'}" if n else "nothing to do: the goal holds already"
        )
        solved = last.status is PlanStatus.SOLVED
        return Outcome(
            exit_code=codes.get(last.status, NOT_REACHED),
            message=words if solved else last.message or last.status.value,
            notes=program.notes,
            details={
                "program": self.summary(program),
                "plans": plans,
                "steps": [self.describe(str(a)) for p in plans for a in p.plan],
            },
        )

    def details(self, run: Run) -> Mapping[str, object]:
        """Plans, actions, what the strategy did, goals that were read again."""
        execution = _execution_of(run)
        if execution is None:
            return {}
        stages = [s for s in run.stages if isinstance(s, PddlStageRun)]
        return {
            "plans": tuple(execution.planning.plans),
            "actions": tuple(execution.executor.records),
            "strategy": execution.strategy.name,
            "corrections": execution.strategy.corrections,
            "ladder": ladder(run.escalations),
            "reread": tuple(s.goal for s in stages if s.goal != s.asked_for),
        }

    def take_up(self, believed: frozenset[Atom], run: Run) -> None:
        """Report what is measured against what was believed before an interruption."""
        found = self.monitor.contradiction(believed, run.memory.facts, was={}, now={}, handled=())
        if found:
            executor = self._executor(run)
            executor.report_contradiction("", found, run.body.observe().time)

    def change(
        self, program: PddlProgram, before: frozenset[Atom], after: frozenset[Atom], run: Run
    ) -> Change | None:
        """What a run changed, and which of its actions nothing takes back."""
        change = super().change(program, before, after, run)
        execution = _execution_of(run)
        if change is None or execution is None:
            return change
        good = (r.action for r in execution.executor.records if r.ok)
        final = irreversible(good, self.monitor.domain)
        return replace(change, final=tuple(map(str, final)))

    def inverse(self, change: Change, run: Run) -> PddlProgram:
        """Plan back to what was measured, of the objects concerned, before the change."""
        goal = restoring_goal(change.before, change.after, self.static_facts)
        monitor, facts = self.monitor, run.memory.facts
        return PddlProgram(
            domain=self.grounder.domain_text,
            problem=render_problem("undo", monitor.domain, monitor.objects, facts, (goal,)),
            stages=(goal,),
            source="undo",
            notes=("undo restores what was true; places on a surface may differ",),
        )

    def state(self, observation: Observation) -> tuple[str, ...]:
        """Measured facts that can change."""
        facts = self.grounder.facts(observation) - self.static_facts
        return tuple(str(f) for f in sorted(facts))

    def describe(self, action: str) -> str:
        """An action of the plan as a sentence."""
        try:
            return self.explain([GroundAction.parse(action)], self.grounder.objects)[0]
        except (ValueError, LookupError):
            return action

    # ----------------------------------------------------------------- private

    def _after(self, action: GroundAction, facts: frozenset[Atom]) -> frozenset[Atom]:
        return progress(action, facts, self.monitor.domain, self.monitor.objects)

    def _execution(self, program: PddlProgram, run: Run) -> Execution:
        return Execution(
            program=program,
            executor=self._executor(run),
            planning=self._planning(run),
            strategy=self.strategy(),
        )

    def _executor(self, run: Run) -> ActionExecutor:
        return ActionExecutor(
            run=run,
            skills=self.skills,
            controller=self.controller,
            monitor=self.monitor,
            critic=self.critic,
            goal_time_s=self.bounds.goal_time_s,
        )

    def _planning(self, run: Run) -> Planning:
        return Planning(
            run=run,
            planner=self.planner,
            monitor=self.monitor,
            domain_text=self.grounder.domain_text,
            time_s=self.bounds.plan_time_s,
            tidy=self.bounds.tidy,
            explain=self.explain,
        )


def _execution_of(run: Run) -> Execution | None:
    last = _last_goal(run)
    return last.execution if last is not None else None


def _last_goal(run: Run) -> PddlStageRun | None:
    """The last stage that was a goal; stages of other routes may have come since."""
    return next((s for s in reversed(run.stages) if isinstance(s, PddlStageRun)), None)


def restoring_goal(before: frozenset[Atom], after: frozenset[Atom], static: frozenset[Atom]) -> str:
    """The goal that makes true again what ``before`` said of the objects that changed since.

    Args:
        before: Facts measured before an instruction.
        after: Facts measured after it.
        static: Facts that never change; left out.
    """
    changed = before ^ after
    touched = {a.args[0] for a in changed if a.args}
    wanted = sorted(a for a in before - static if a.args and a.args[0] in touched)
    unwanted = sorted(a for a in after - before if a.args)
    return f"(and {' '.join([*map(str, wanted), *(f'(not {a})' for a in unwanted)])})"
