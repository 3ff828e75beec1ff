"""LLM+P (arXiv 2304.11477): the goal is planned for, the plan is followed as long as it holds."""

from __future__ import annotations

from dataclasses import dataclass

from embodied.protocols import Usage
from embodied.recovery import RecoveryStep
from embodied.routes.pddl.simulation import leads_to_goal
from embodied.routes.pddl.tasks import Performed, StrategyEntry, TaskInterface
from embodied.types import GroundAction, PlanStatus

_BACKTRACKS = 2
"""How often one plan is entered again at another step."""


@dataclass(slots=True, kw_only=True, eq=False)
class PlanStrategy:
    """Follows plans, and climbs the ladder as far as planning goes.

    Args:
        attempts: Candidates tried for one action before the plan is left.
        replans: How often the task is planned again.
        least_chance: No further candidate is tried below this probability of success.
        checks: Check preconditions before and effects after every action.
        beliefs: Check what is left of the plan whenever a measurement contradicts a belief.

    Without ``checks`` and ``beliefs`` the plan is carried out blindly: the open loop that closed
    ones are compared with.
    """

    name = "plan"
    attempts: int = 3
    replans: int = 4
    least_chance: float = 0.1
    checks: bool = True
    beliefs: bool = True
    usage: Usage = Usage()
    corrections: int = 0

    def pursue(self, robot: TaskInterface) -> str:
        """Plan, follow, plan again; see ``Strategy.pursue``."""
        if not self.checks and not self.beliefs:
            return self._blindly(robot)
        problem = ""
        for _ in range(self.replans + 1):
            if robot.reached():
                return ""
            result = robot.plan()
            if robot.declined:
                return robot.declined
            if result.status is not PlanStatus.SOLVED:
                return f"no plan: {result.message or result.status.value}"
            problem = self.follow(result.plan, robot)
            if robot.declined:
                return robot.declined
            if problem:
                self.corrections += 1
                robot.escalate(RecoveryStep.REPLAN, problem)
        if robot.reached():
            return ""
        return f"gave up after {self.replans} replans: {problem}"

    def follow(self, plan: tuple[GroundAction, ...], robot: TaskInterface) -> str:
        """Act until the plan ends or reality leaves it; returns why it left, or ``""``."""
        step, backtracks = 0, 0
        while step < len(plan):
            action = plan[step]
            problem = self._do(action, plan[step + 1 :], robot)
            if not problem:
                step += 1
                continue
            again = self._entry(plan, step, robot)
            if again is None or backtracks == _BACKTRACKS or robot.declined:
                return problem
            backtracks += 1
            self.corrections += 1
            going_on = str(plan[again]) if again < len(plan) else "the goal holds already"
            robot.escalate(RecoveryStep.BACKTRACK, problem, going_on)
            step = again
        return ""

    def _do(
        self, action: GroundAction, rest: tuple[GroundAction, ...], robot: TaskInterface
    ) -> str:
        """Carry out one step; returns why the plan cannot go on as it is, or ``""``."""
        unmet = robot.unmet(action) if self.checks else ()
        if unmet:
            return f"{action} is not applicable: {', '.join(unmet)} does not hold"
        tried = 0
        while True:
            done = robot.act(action)
            tried += 1
            if done.result.ok or not self.checks:
                return self._contradicted(done, rest, robot)
            worse = self._not_again(done, robot)
            if tried == self.attempts or worse:
                return (
                    f"{action} failed {tried} times: {done.result.reason}{worse and f'; {worse}'}"
                )
            self.corrections += 1
            robot.escalate(RecoveryStep.RETRY, done.result.reason, str(action))

    def _not_again(self, done: Performed, robot: TaskInterface) -> str:
        """Why another candidate is no use; ``""`` when it may be."""
        if not done.result.retry:
            return "another candidate would not help"
        if gone := robot.unmet(done.action):
            return f"{', '.join(gone)} holds no longer"
        chance = robot.chance(done.action)
        if chance < self.least_chance:
            return f"the next candidate's chance is {chance:.2f}"
        return ""

    def _contradicted(
        self, done: Performed, rest: tuple[GroundAction, ...], robot: TaskInterface
    ) -> str:
        """Whether a contradiction spoils the rest of the plan, which is then named."""
        if not self.beliefs or not done.contradiction:
            return ""
        if leads_to_goal(rest, robot.facts, robot.task):
            return ""
        return f"after {done.action}: {done.contradiction}"

    def _entry(
        self, plan: tuple[GroundAction, ...], failed: int, robot: TaskInterface
    ) -> int | None:
        """The latest other step from which the plan leads from here to the goal."""
        for step in range(len(plan), -1, -1):
            if step != failed and leads_to_goal(plan[step:], robot.facts, robot.task):
                return step
        return None

    def _blindly(self, robot: TaskInterface) -> str:
        if robot.reached():
            return ""
        result = robot.plan()
        if result.status is not PlanStatus.SOLVED:
            return f"no plan: {result.message or result.status.value}"
        for action in result.plan:
            robot.act(action)
        return "" if robot.reached() else "the plan was carried out, the goal does not hold"


STRATEGY = StrategyEntry(make=lambda model: PlanStrategy(), needs_model=False)
