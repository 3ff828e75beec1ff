"""The planner: PDDL text in, validated plan out; every expected outcome is a value."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache

from embodied.errors import ProgramError
from embodied.symbolic import (
    Derivation,
    Domain,
    Problem,
    holds,
    read_domain,
    read_leniently,
    read_problem,
    render_domain,
    render_problem,
    repair,
    validate_plan,
)
from embodied.symbolic.formulas import FALSE
from embodied.symbolic.simplify import compile_quantifiers, simple_goal
from embodied.symbolic.steps import Stepper
from embodied.types import PddlProgram, PlanResult, PlanStatus
from embodied_planners.pddl import engines, external
from embodied_planners.pddl.engines import Outcome
from embodied_planners.pddl.external import Answer, Contender
from embodied_planners.pddl.shorten import shorten
from embodied_planners.pddl.small_search import search

ENGINES = ("auto", "small", "fast-downward", "symk")

_STATUS = {
    Outcome.SOLVED: PlanStatus.SOLVED,
    Outcome.UNSOLVABLE: PlanStatus.UNSOLVABLE,
    Outcome.OUT_OF_TIME: PlanStatus.TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Planner:
    """Classical planning on PDDL text.

    A small search of our own comes first: it answers tabletop problems within milliseconds. What
    it cannot answer within its budget goes to Fast Downward (LAMA's first iteration) in a child
    process, as the text that was given. Every plan is validated before it is returned.

    Attributes:
        engines: ``"auto"``, or one of ``"small"``, ``"fast-downward"``, ``"symk"`` alone.
        optimal: Return only proven optimal plans: Fast Downward's A* with LM-cut, raced with SymK
            where it is installed (extra ``[optimal]``).
        memory_mb: Address-space limit of each child process.
        improve: Go on improving the plan until the deadline (LAMA's anytime search).
        small_budget_s: Longest CPU time of the small search.
        lenient: Leave ill-typed and unknown facts out of the initial state, and say so in the
            message; otherwise such a text is UNSUPPORTED.
    """

    engines: str = "auto"
    optimal: bool = False
    memory_mb: int = 2048
    improve: bool = False
    small_budget_s: float = 0.1
    lenient: bool = False

    def __post_init__(self) -> None:
        if self.engines not in ENGINES:
            raise ValueError(f"unknown engines '{self.engines}'; choose from {', '.join(ENGINES)}")

    def solve(self, program: PddlProgram, *, deadline_s: float = 10.0) -> PlanResult:
        """Plan for the problem of ``program``.

        Returns within ``deadline_s`` of wall time (plus the milliseconds that ending a child
        takes). Text that cannot be read gives UNSUPPORTED with its diagnostics as the message.

        Raises:
            EnvironmentMissingError: Fast Downward is needed and not installed.
        """
        start, cpu_start = time.monotonic(), time.process_time()
        deadline = start + deadline_s
        try:
            task = read_task(program, lenient=self.lenient)
        except ProgramError as error:
            return PlanResult(
                status=PlanStatus.UNSUPPORTED,
                wall_s=time.monotonic() - start,
                cpu_s=time.process_time() - cpu_start,
                message=str(error),
            )
        domain, problem, notes = task.domain, task.problem, task.notes
        answer = self._answer(task, deadline)
        plan, cost, message = answer.plan, 0.0, answer.message
        status = _STATUS.get(answer.outcome, PlanStatus.UNSUPPORTED)
        if answer.outcome is Outcome.SOLVED:
            stepper = Stepper(domain, problem)
            checked = validate_plan(domain, problem, plan, stepper=stepper)
            if not checked.ok:
                status, plan = PlanStatus.UNSUPPORTED, ()
                message = f"the plan of {answer.engine} is wrong: {checked}"
            elif not (answer.optimal or self.optimal or domain.derived):
                shorter = shorten(stepper, problem, plan)
                if shorter != plan:
                    plan = shorter
                    checked = validate_plan(domain, problem, plan, stepper=stepper)
            cost = checked.cost if checked.ok else 0.0
        return PlanResult(
            status=status,
            plan=plan,
            cost=cost,
            optimal=answer.optimal and status is PlanStatus.SOLVED,
            engine=answer.engine,
            wall_s=time.monotonic() - start,
            cpu_s=answer.cpu_s + time.process_time() - cpu_start,
            message="; ".join([*([message] if message else []), *notes]),
        )

    def _answer(self, task: Task, deadline: float) -> Answer:
        domain, problem = task.domain, task.problem
        goal = simple_goal(domain, problem)
        facts = Derivation(domain, problem.objects).close(problem.init)
        if holds(goal, facts, domain, problem.objects):
            return Answer(
                outcome=Outcome.SOLVED,
                engine="goal check",
                optimal=True,
                message="the goal already holds: nothing to do",
            )
        if goal == FALSE:
            return Answer(
                outcome=Outcome.UNSOLVABLE,
                engine="goal check",
                message=f"the goal contradicts itself or a fact that never changes: {problem.goal}",
            )
        if self.engines == "small" or (
            self.engines == "auto" and not (self.optimal or self.improve)
        ):
            budget_s = external.seconds_left(deadline)
            if self.engines == "auto":
                budget_s = min(self.small_budget_s, budget_s)
            answer = search(domain, replace(problem, goal=goal), budget_s=budget_s)
            if answer.outcome in (Outcome.SOLVED, Outcome.UNSOLVABLE) or self.engines == "small":
                return answer
        return self._external(task, deadline)

    def _external(self, task: Task, deadline: float) -> Answer:
        """Ask the engines: about the text as it is, else about a text written from what was read.

        Grounding is much dearer with quantifiers written out over all objects, so satisficing
        search gets the text as it is. A* with LM-cut takes no quantifiers: it gets them written
        out.
        """
        domain, problem = task.domain, task.problem
        if self.optimal and not domain.derived:
            texts = _written(*compile_quantifiers(domain, problem))
        else:
            texts = task.domain_text, task.problem_text
        answers = [self._asked(*texts, deadline)]
        if answers[-1].unread:
            answers.append(self._asked(*_written(domain, problem), deadline))
        spent = [(a.cpu_s, a.search_cpu_s) for a in answers]
        cpu_s, search_cpu_s = (sum(column) for column in zip(*spent, strict=True))
        return replace(answers[-1], cpu_s=cpu_s, search_cpu_s=search_cpu_s)

    def _asked(self, domain_text: str, problem_text: str, deadline: float) -> Answer:
        contenders = self._contenders()
        if external.seconds_left(deadline) <= 0:
            return Answer(outcome=Outcome.OUT_OF_TIME, message="no time left to plan")
        try:
            return external.solve(
                contenders, domain_text, problem_text, deadline=deadline, memory_mb=self.memory_mb
            )
        except OSError as error:
            return Answer(
                outcome=Outcome.CRASHED,
                engine=contenders[0].label,
                message=f"the planner could not be run: {error}",
            )

    def _contenders(self) -> tuple[Contender, ...]:
        found: list[Contender] = []
        symk = engines.symk() if self.optimal or self.engines == "symk" else None
        if self.engines == "symk" and symk is None:
            raise engines.missing("SymK", "'embodied-stack[optimal]'")
        if symk is not None:
            config, label = symk.optimal_config, "symk bidirectional"
            found.append(Contender(engine=symk, config=config, label=label, optimal=True))
        if self.engines != "symk":
            engine = engines.fast_downward()
            if self.optimal:
                config, label = engine.optimal_config, "fast-downward A* lmcut"
            elif self.improve:
                config, label = engines.LAMA_IMPROVE, "fast-downward lama"
            else:
                config, label = engines.LAMA_FIRST, "fast-downward lama-first"
            found.append(
                Contender(
                    engine=engine,
                    config=config,
                    label=label,
                    optimal=self.optimal,
                    anytime=self.improve and not self.optimal,
                )
            )
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task with the texts that it was read from, repairs included.

    Attributes:
        domain: What was read.
        problem: What was read.
        domain_text: PDDL.
        problem_text: PDDL.
        notes: What was repaired or left out.
    """

    domain: Domain
    problem: Problem
    domain_text: str
    problem_text: str
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=8)
def _domain(text: str) -> Domain:
    return read_domain(text)  # replanning reads the same domain again and again


def read_task(program: PddlProgram, *, lenient: bool = False) -> Task:
    """Read the texts as they are, or else after unambiguous repairs, which are noted.

    Args:
        program: Domain and problem as text.
        lenient: Leave ill-typed and unknown facts out of the initial state, with a note.

    Raises:
        ProgramError: All errors of the texts, with lines and hints.
    """
    domain_text, problem_text, notes = program.domain, program.problem, tuple[str, ...]()
    try:
        domain = _domain(domain_text)
        problem = read_problem(problem_text, domain)
    except ProgramError:
        domain_text, problem_text, notes = repair(domain_text, problem_text)
        if not (notes or lenient):
            raise
        domain = read_domain(domain_text)
        if not lenient:
            problem = read_problem(problem_text, domain)
        else:
            problem, left_out = read_leniently(problem_text, domain)
            if left_out:
                notes, problem_text = (*notes, *left_out), _written(domain, problem)[1]
    return Task(
        domain=domain,
        problem=problem,
        domain_text=domain_text,
        problem_text=problem_text,
        notes=notes,
    )


def _written(domain: Domain, problem: Problem) -> tuple[str, str]:
    """A task as new texts."""
    return render_domain(domain, with_costs=problem.minimize_cost), render_problem(
        problem.name,
        domain,
        problem.objects,
        problem.init,
        [str(problem.goal)],
        values=problem.values if problem.minimize_cost else None,
        minimize_cost=problem.minimize_cost,
    )
