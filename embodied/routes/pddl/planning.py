"""Plans for the stages of a program, from what is believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from embodied.protocols import PddlPlanner
from embodied.route import Run
from embodied.routes.pddl.monitor import Monitor
from embodied.symbolic import render_problem
from embodied.types import Atom, GroundAction, PddlProgram, PlanResult, PlanStatus

Explain = Callable[[Sequence[GroundAction], Mapping[str, str]], tuple[str, ...]]
"""A plan and the types of the objects -> one sentence per action."""


@dataclass(slots=True, kw_only=True, eq=False)
class Planning:
    """Asks the planner, and puts on record the answers that count.

    Attributes:
        run: What may be touched.
        planner: Turns tasks into plans.
        monitor: The domain and the objects.
        domain_text: The domain as the planner gets it.
        time_s: Wall time for one planner call.
        tidy: A goal that the last stage is planned together with unless it contradicts what was
            asked; None for none.
        explain: Puts plans in words.
        plans: Every answer that counted, in order.
    """

    run: Run
    planner: PddlPlanner
    monitor: Monitor
    domain_text: str
    time_s: float
    tidy: str | None
    explain: Explain
    plans: list[PlanResult] = field(init=False, default_factory=list[PlanResult])
    _explained: list[str] = field(init=False, default_factory=list[str])

    def plan(
        self, program: PddlProgram, goals: tuple[str, ...], facts: frozenset[Atom]
    ) -> PlanResult:
        """Plan from ``facts`` to ``goals``, which must hold together."""
        return self._note(*self._solve(program, goals, facts))

    def plan_keeping(
        self, program: PddlProgram, kept: tuple[str, ...], stage: str, facts: frozenset[Atom]
    ) -> tuple[PlanResult, tuple[str, ...]]:
        """Plan to a stage's goal and to as much of what was reached before as can stay true.

        Args:
            program: Program that the stage is from.
            kept: Goals reached before.
            stage: Goal of the stage.
            facts: What is believed.

        Returns:
            The planner's answer, and those of ``kept`` that it keeps: all of them unless the
            planner proves that they cannot hold together with the stage's goal.
        """
        if self.tidy is not None and stage == program.stages[-1]:
            answer = self._solve(program, (*kept, stage, self.tidy), facts)
            if answer[0].status is PlanStatus.SOLVED:
                return self._note(*answer), kept
        result = self.plan(program, (*kept, stage), facts)
        if result.status is not PlanStatus.UNSOLVABLE or not kept:
            return result, kept
        compatible: tuple[str, ...] = ()
        for goal in kept:
            trial = self._solve(program, (*compatible, goal, stage), facts)[0]
            if trial.status is PlanStatus.SOLVED:
                compatible = (*compatible, goal)
        return self.plan(program, (*compatible, stage), facts), compatible

    def needed(
        self, program: PddlProgram, goals: tuple[str, ...], facts: frozenset[Atom]
    ) -> tuple[GroundAction, ...]:
        """A plan to ``goals``, and to a tidy end where they allow one; not put on record."""
        for more in ((self.tidy,), ()) if self.tidy is not None else ((),):
            result = self._solve(program, (*goals, *more), facts)[0]
            if result.status is PlanStatus.SOLVED:
                return result.plan
        return ()

    def _solve(
        self, program: PddlProgram, goals: tuple[str, ...], facts: frozenset[Atom]
    ) -> tuple[PlanResult, str, str]:
        """The planner's answer, the domain and the problem."""
        monitor = self.monitor
        problem = render_problem("now", monitor.domain, monitor.objects, facts, goals)
        task = replace(program, domain=self.domain_text, problem=problem, stages=goals)
        with self.run.timed("plan"):
            result = self.planner.solve(task, deadline_s=self.time_s)
        return result, task.domain, problem

    def _note(self, result: PlanResult, domain: str, problem: str) -> PlanResult:
        """Report a planner answer that counts."""
        self.plans.append(result)
        data: dict[str, object] = {
            "status": result.status.name,
            "plan": [str(a) for a in result.plan],
            "cost": result.cost,
            "optimal": result.optimal,
            "engine": result.engine,
            "wall_s": result.wall_s,
            "cpu_s": result.cpu_s,
            "message": result.message,
        }
        self.run.say("plan", **data, domain=domain, problem=problem)
        self.run.unsupported = result.status is PlanStatus.UNSUPPORTED
        self._explained.append(self._in_words(result))
        self.run.write("plan.txt", "\n".join(self._explained))
        return result

    def _in_words(self, result: PlanResult) -> str:
        """One planner answer for ``plan.txt``."""
        kind = "optimal" if result.optimal else "satisficing"
        head = f"; {result.status.name}, cost {result.cost:g}, {kind}, {result.engine}\n"
        if result.status is not PlanStatus.SOLVED:
            return f"{head}; {result.message}\n"
        actions = [str(a) for a in result.plan]
        words = self.explain(result.plan, self.monitor.objects)
        width = max(map(len, actions), default=0)
        return head + "".join(f"{a:<{width}}  ; {w}\n" for a, w in zip(actions, words, strict=True))
