"""One stage of a PDDL program being carried out, and what the stages of a program share."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from embodied_planners.skills.relations import Layout

from embodied.protocols import MannerSkills
from embodied.recovery import RecoveryStep
from embodied.route import Run, StageRun
from embodied.routes.pddl.execution import ActionExecutor
from embodied.routes.pddl.goal_relaxation import relax, vanished
from embodied.routes.pddl.manner import MannerJudge
from embodied.routes.pddl.monitor import Contradiction, Effects, Monitor
from embodied.routes.pddl.permission import Permission
from embodied.routes.pddl.placing import PlacementJudge
from embodied.routes.pddl.planning import Planning
from embodied.routes.pddl.tasks import Performed, Strategy, Task
from embodied.symbolic import propositions, read_goal
from embodied.types import (
    Atom,
    GroundAction,
    Manner,
    PddlProgram,
    PlanResult,
    Pose,
    SkillResult,
)
from embodied.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Execution:
    """What the stages of one program share.

    Attributes:
        program: What is carried out.
        executor: Carries out actions.
        planning: Plans.
        strategy: Decides which action comes next.
        origins: Where things that a stage puts somewhere lay before they were taken.
    """

    program: PddlProgram
    executor: ActionExecutor
    planning: Planning
    strategy: Strategy
    origins: dict[str, Pose] = field(default_factory=dict[str, Pose])

    def placed(self, number: int, run: Run) -> PlacementJudge | None:
        """What judges where a stage puts things; takes note of where they lie before."""
        manners, spec = self.program.manners, run.body.spec
        now, after = (manners[n] if n < len(manners) else Manner() for n in (number, number + 1))
        if not (now.placements or now.home or after.placements):
            return None
        poses = run.perceived().poses
        taken = {p.item for p in after.placements} - {p.item for p in now.placements}
        self.origins.update({n: poses[n] for n in taken if n in poses})
        if not (now.placements or now.home):
            return None
        before = {p.item: self.origins[p.item] for p in now.placements if p.item in self.origins}
        layout = Layout(specs=spec.objects, poses={**poses, **before})
        return PlacementJudge(now, layout, spec.q_home)


class PddlStageRun(StageRun):
    """A goal that is to hold in measured facts; the ``TaskInterface`` of a strategy.

    Args:
        execution: What the stages of the program share.
        run: What may be touched.
        kept: Goals reached before, to be kept true where they can hold together with the stage's.
        number: Which stage of the program.
        done: It was measured to be reached before an interruption.
        manner: Watches how the robot moves, where the sentence says how.
        placed: Judges where exactly things are put, where the sentence says where.

    Attributes:
        asked_for: The stage's goal as it was asked for.
        goal: The same goal, or another reading of it.
        kept: Of the goals reached before, those that are still to be kept.
        permission: What the strategy may do.
    """

    def __init__(
        self,
        execution: Execution,
        run: Run,
        kept: tuple[str, ...],
        number: int,
        *,
        done: bool,
        manner: MannerJudge | None = None,
        placed: PlacementJudge | None = None,
    ) -> None:
        stages = execution.program.stages
        self.execution, self.run = execution, run
        self.manner, self.placed = manner, placed
        self.asked_for = self.goal = stages[number]
        self.kept = kept
        self.permission = Permission(
            execution.planning,
            execution.program,
            run,
            goals=(*kept, self.goal),
            later=stages[number + 1 :],
        )
        self._done = done
        self._first = run.memory.facts

    # ---------------------------------------------------------------- the stage

    def advance(self) -> str:
        """Let the strategy act until the goal holds; see ``StageRun.advance``."""
        with self._in_manner():
            problem = "" if self.reached() else self.execution.strategy.pursue(self)
            if not problem and self.manner is not None and self.manner.manner.home:
                problem = self.execution.executor.go_home().reason
        if problem:
            unseen = self._never_seen()
            return f"{problem}; {', '.join(unseen)} has not been seen" if unseen else problem
        if self.goal == self.asked_for:
            return ""
        gone = ", ".join(self.missing())
        return f"the goal holds but for {gone}: {gone} cannot be found"

    def verdict(self) -> Verdict:
        """The goal as it was asked for, judged by the facts believed now."""
        if self._done:
            return Verdict(text=self.asked_for, holds=self._monitor.conjuncts(self.asked_for))
        verdict = self._monitor.verdict(self.asked_for, self.facts)
        if self.placed is not None:
            verdict = self.placed.judged(verdict, self.run.perceived())
        return verdict if self.manner is None else self.manner.judged(verdict)

    def review(self, verdict: Verdict) -> Verdict:
        """What was to be kept and is lost is unmet; what a later stage had to undo was held."""
        judge, facts = self._monitor.verdict, self.facts
        last = self.run.stages[-1]
        kept = last.kept_with_own if isinstance(last, PddlStageRun) else ()
        verdict = verdict.without({g for g in kept if not judge(g, facts).reached})
        if not verdict.reached:
            return verdict
        moved = () if self.manner is None else self.manner.words()
        where = () if self.placed is None else self.placed.still(self.run.perceived())
        holds = (*judge(verdict.text, facts).holds, *where, *moved)
        held = tuple(part for part in verdict.holds if part not in holds)
        return replace(verdict, holds=holds, held=held)

    def revise(self, problem: str) -> bool:
        """Read the goal for what is left, once."""
        if self.goal != self.asked_for:
            return False
        monitor = self._monitor
        text = relax(self.asked_for, self.missing(), monitor.domain, monitor.objects)
        if text is None:
            return False
        self.escalate(RecoveryStep.REINTERPRET, f"{problem}; read as {text}")
        self.goal = text
        self.permission.goals = (*self.kept, text)
        return True

    def missing(self) -> tuple[str, ...]:
        """Objects that were somewhere when the stage began and are nowhere now."""
        monitor = self._monitor
        return vanished(self._first, self.facts, monitor.domain, monitor.objects)

    def helped(self) -> None:
        """Go on with the goal as it was asked for."""
        self.goal = self.asked_for
        self.permission.goals = (*self.kept, self.goal)

    def stop_safe(self, problem: str) -> None:
        """Put down what is held, if that is what tidy means and a plan for it exists."""
        del problem
        skills = self.execution.executor.skills
        if self.placed is not None and isinstance(skills, MannerSkills):
            skills.keep(Manner())  # anywhere will do now
        tidy, monitor = self.execution.planning.tidy, self._monitor
        if tidy is None or monitor.verdict(tidy, self.facts).reached:
            return
        result = self.execution.planning.plan(self.execution.program, (tidy,), self.facts)
        for action in result.plan:
            if not self.execution.executor.act(action).result.ok:
                return

    @property
    def kept_with_own(self) -> tuple[str, ...]:
        """What the next stage has to keep true."""
        return (*self.kept, *self._monitor.conjuncts(self.asked_for))

    @contextmanager
    def _in_manner(self) -> Generator[None]:
        """Move in the manner of the stage, watched."""
        skills, watchers = self.execution.executor.skills, self.run.body.watchers
        if isinstance(skills, MannerSkills):
            poses = None if self.placed is None else self.placed.poses
            skills.keep(Manner() if self.manner is None else self.manner.manner, poses)
        if self.manner is None:
            yield
            return
        watchers.append(self.manner.watch)
        try:
            yield
        finally:
            watchers.remove(self.manner.watch)

    # ------------------------------------------------------- what a strategy uses

    @property
    def task(self) -> Task:
        """What is to be reached now."""
        return Task(
            instruction=self.run.instruction,
            goals=(*self.kept, self.goal),
            domain=self._monitor.domain,
            domain_text=self.execution.planning.domain_text,
            objects=self._monitor.objects,
        )

    @property
    def facts(self) -> frozenset[Atom]:
        """What is believed."""
        return self.run.memory.facts

    @property
    def declined(self) -> str:
        """Why the strategy is to end; ``""`` as long as it may go on."""
        return self.permission.declined

    def reached(self) -> bool:
        """Whether the goal and what is to be kept hold."""
        return all(self._monitor.verdict(g, self.facts).reached for g in (*self.kept, self.goal))

    def unmet(self, action: GroundAction) -> tuple[str, ...]:
        """Preconditions that are not met."""
        return self._monitor.before(action, self.facts)

    def chance(self, action: GroundAction) -> float:
        """Predicted probability of success of the next attempt; 1 without a critic."""
        chance = self.execution.executor.chance(action)
        return 1.0 if chance is None else chance

    def act(self, action: GroundAction) -> Performed:
        """Carry out an action; what nobody asked for or can undo only with permission."""
        if refused := self.permission.refusal(action):
            return Performed(
                action=action,
                result=SkillResult(ok=False, reason=refused, retry=False),
                effects=Effects(missing=(), surprising=()),
                contradiction=Contradiction(),
            )
        return self.execution.executor.act(action)

    def plan(self) -> PlanResult:
        """Plan to the goal, keeping what can be kept; asks before what cannot be undone."""
        result, self.kept = self.execution.planning.plan_keeping(
            self.execution.program, self.kept, self.goal, self.facts
        )
        self.permission.goals = (*self.kept, self.goal)
        self.permission.follow(result.plan)
        return result

    def escalate(self, step: RecoveryStep, reason: str, action: str = "") -> None:
        """Put a recovery step on record."""
        self.run.escalate(step, reason, action)

    def _never_seen(self) -> tuple[str, ...]:
        """Objects of the goal that have no pose and that nothing is believed of."""
        monitor, spec = self._monitor, self.run.body.spec
        formula = read_goal(self.goal, monitor.domain, monitor.objects)
        named = {t for p in propositions(formula) for t in p.terms} & spec.objects.keys()
        fluents = monitor.domain.fluents()
        placed = {a.args[0] for a in self.facts if a.args and a.predicate in fluents}
        return tuple(sorted(named - placed - self.run.perceived().poses.keys()))

    @property
    def _monitor(self) -> Monitor:
        return self.execution.planning.monitor
