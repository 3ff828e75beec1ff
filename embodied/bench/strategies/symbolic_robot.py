"""A robot without physics: actions do what the domain says, or nothing, at a given rate."""

from __future__ import annotations

import numpy as np
from embodied_planners.pddl import Planner

from embodied.recovery import RecoveryStep
from embodied.routes.pddl.monitor import Contradiction, Effects, Monitor
from embodied.routes.pddl.simulation import goal_holds
from embodied.routes.pddl.strategies import Performed, Task
from embodied.symbolic import render_problem
from embodied.types import Atom, GroundAction, PddlProgram, PlanResult, SkillResult


class SymbolicRobot:
    """Implements ``strategies.TaskInterface``: the execution is the domain's, not the world's.

    Args:
        task: The sentence, what it means, and the domain.
        facts: What holds at first.
        failure_rate: Probability that an action has no effect.
        seed: Of the failures.

    Attributes:
        performed: Everything that was carried out.
        rungs: Steps of the ladder.
    """

    declined = ""

    def __init__(
        self, task: Task, facts: frozenset[Atom], *, failure_rate: float, seed: int
    ) -> None:
        self.task, self.facts = task, facts
        self.performed: list[Performed] = []
        self.rungs: list[RecoveryStep] = []
        self._monitor = Monitor(task.domain, task.objects)
        self._failure_rate = failure_rate
        self._rng = np.random.default_rng([seed, 53])

    def reached(self) -> bool:
        """Whether the goals hold."""
        return goal_holds(self.facts, self.task)

    def unmet(self, action: GroundAction) -> tuple[str, ...]:
        """Preconditions that do not hold."""
        return self._monitor.before(action, self.facts)

    def chance(self, action: GroundAction) -> float:
        """One less the rate of failures."""
        return 1.0 - self._failure_rate

    def act(self, action: GroundAction) -> Performed:
        """Change the facts, unless the action fails or is not applicable."""
        before = self.facts
        fails = bool(self.unmet(action)) or self._rng.random() < self._failure_rate
        if not fails:
            self.facts = self._monitor.expected(action, before)
        done = Performed(
            action=action,
            result=SkillResult(ok=not fails, reason="it had no effect" if fails else ""),
            effects=self._monitor.after(action, before, self.facts)
            if not fails
            else Effects(missing=(), surprising=()),
            contradiction=Contradiction(),
        )
        self.performed.append(done)
        return done

    def plan(self) -> PlanResult:
        """Plan from the facts."""
        task = self.task
        problem = render_problem("now", task.domain, task.objects, self.facts, task.goals)
        program = PddlProgram(
            domain=task.domain_text, problem=problem, stages=task.goals, source="symbolic"
        )
        return Planner().solve(program, deadline_s=10.0)

    def escalate(self, step: RecoveryStep, reason: str, action: str = "") -> None:
        """Take down a step of the ladder."""
        self.rungs.append(step)
