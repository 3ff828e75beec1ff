"""ReAct (Yao et al. 2023, arXiv 2210.03629): ask the model again at every step."""

from __future__ import annotations

import re

from embodied.language.prompting import data
from embodied.protocols import LanguageModel, Message
from embodied.routes.pddl.prompting import ModelStrategy, fact_lines, opening, read_actions
from embodied.routes.pddl.tasks import Performed, StrategyEntry, TaskInterface
from embodied.types import Atom

_DONE = re.compile(r"action:\s*\(?\s*done\b", re.IGNORECASE)


class ReactStrategy(ModelStrategy):
    """Thought, action, observation, and again, with the whole conversation each time.

    Args:
        model: Who decides.
        max_steps: Most requests.
    """

    name = "react"
    max_tokens = 256

    def __init__(self, model: LanguageModel, *, max_steps: int = 40) -> None:
        super().__init__(model)
        self._max_steps = max_steps

    def pursue(self, robot: TaskInterface) -> str:
        """Ask, act, tell; see ``Strategy.pursue``."""
        task = robot.task
        messages = [*opening("step", task, robot.facts)]
        for _ in range(self._max_steps):
            if robot.reached():
                return ""
            answer = self.ask(messages, "react-step").text
            if self.took_for_done(answer):
                return "the model took the goal for reached"
            messages += [
                Message(role="assistant", text=answer),
                Message(role="user", text=f"Observation:\n{data(self._carry_out(answer, robot))}"),
            ]
            if robot.declined:
                return robot.declined
        return "" if robot.reached() else f"not reached within {self._max_steps} steps"

    @staticmethod
    def took_for_done(answer: str) -> bool:
        """Whether the model says that there is nothing left to do."""
        return _DONE.search(answer) is not None

    def _carry_out(self, answer: str, robot: TaskInterface) -> str:
        actions = read_actions(answer, robot.task.domain)
        if not actions:
            self.corrections += 1
            return f"no action found; the actions are {', '.join(robot.task.domain.actions)}"
        action = actions[-1]
        unmet = robot.unmet(action)
        if unmet:
            self.corrections += 1
            return f"{action} is not possible: {', '.join(unmet)} does not hold"
        before = robot.facts
        done = robot.act(action)
        self.corrections += not done.result.ok
        return _told(done, before, robot)


def _told(done: Performed, before: frozenset[Atom], robot: TaskInterface) -> str:
    new = " ".join(fact_lines(robot.task.domain, robot.facts - before))
    gone = " ".join(fact_lines(robot.task.domain, before - robot.facts))
    how = "done" if done.result.ok else f"failed: {done.result.reason}"
    return f"{how}. Now true: {new or 'nothing new'}. No longer true: {gone or 'nothing'}"


STRATEGY = StrategyEntry(make=ReactStrategy)
