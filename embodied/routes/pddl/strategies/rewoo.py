"""ReWOO (Xu et al. 2023, arXiv 2305.18323): one plan, carried out without looking."""

from __future__ import annotations

from embodied.routes.pddl.prompting import ModelStrategy, opening, read_actions
from embodied.routes.pddl.tasks import StrategyEntry, TaskInterface


class RewooStrategy(ModelStrategy):
    """Asks once for the whole plan and carries it out, whatever happens.

    Args:
        model: Who plans.
    """

    name = "rewoo"

    def pursue(self, robot: TaskInterface) -> str:
        """Ask once, act; see ``Strategy.pursue``."""
        task = robot.task
        messages = opening("blueprint", task, robot.facts)
        plan = read_actions(self.ask(messages, "rewoo-plan").text, task.domain)
        if not plan:
            return "the model wrote no plan"
        for action in plan:
            if not robot.unmet(action):
                robot.act(action)
            if robot.declined:
                return robot.declined
        return "" if robot.reached() else "the plan was carried out, the goal does not hold"


STRATEGY = StrategyEntry(make=RewooStrategy)
