"""HiAgent (Hu et al. 2024, arXiv 2408.09559): of what is finished, the model sees one line each."""

from __future__ import annotations

import tempfile
from pathlib import Path

from embodied.language.prompting import data
from embodied.memory import WorkingMemory
from embodied.protocols import LanguageModel, Message, Response
from embodied.routes.pddl.monitor import Monitor
from embodied.routes.pddl.prompting import opening
from embodied.routes.pddl.strategies.react import ReactStrategy
from embodied.routes.pddl.tasks import StrategyEntry, TaskInterface


class HiAgentStrategy(ReactStrategy):
    """ReAct whose conversation is a working memory instead of everything that was said.

    The sub-goals are the parts of the task's goals. The trace of the current one is shown whole; a
    part that is measured to hold becomes a line, with a file that keeps its full trace. A step's
    token use is a line of ``tokens.jsonl`` beside the traces.

    Args:
        model: Who decides.
        max_steps: Most requests.
        folder: Where traces go; by default a temporary folder that is gone afterwards.
    """

    name = "hiagent"

    def __init__(
        self, model: LanguageModel, *, max_steps: int = 40, folder: Path | None = None
    ) -> None:
        super().__init__(model, max_steps=max_steps)
        self._folder = folder

    def pursue(self, robot: TaskInterface) -> str:
        """Ask, act, note, sum up; see ``Strategy.pursue``."""
        if self._folder is not None:
            return self._pursue(robot, WorkingMemory(folder=self._folder))
        with tempfile.TemporaryDirectory(prefix="embodied-traces-") as folder:
            return self._pursue(robot, WorkingMemory(folder=Path(folder)))

    def _pursue(self, robot: TaskInterface, memory: WorkingMemory) -> str:
        for step in range(1, self._max_steps + 1):
            memory = _next_goal(robot, memory)
            if robot.reached():
                return ""
            answer = self._ask(robot, memory)
            if self.took_for_done(answer.text):
                return "the model took the goal for reached"
            seen = self._carry_out(answer.text, robot)
            memory = memory.noted(f"{answer.text} {seen}", time_s=step, usage=answer.usage)
            if robot.declined:
                return robot.declined
        memory = _next_goal(robot, memory)
        return "" if robot.reached() else f"not reached within {self._max_steps} steps"

    def _ask(self, robot: TaskInterface, memory: WorkingMemory) -> Response:
        system, scene = opening("step", robot.task, robot.facts)
        shown = Message(role="user", text=f"{scene.text}\n\nSo far:\n{data(memory.text())}")
        return self.ask((system, shown), "react-step")


def _next_goal(robot: TaskInterface, memory: WorkingMemory) -> WorkingMemory:
    """End the sub-goal if it is measured to hold, and start the first one that does not."""
    unmet = _unmet(robot)
    if memory.goal and memory.goal not in unmet:
        memory = memory.ended(reached=True)
    if not memory.goal and unmet:
        memory = memory.started(unmet[0])
    return memory


def _unmet(robot: TaskInterface) -> tuple[str, ...]:
    monitor = Monitor(robot.task.domain, robot.task.objects)
    return tuple(p for g in robot.task.goals for p in monitor.verdict(g, robot.facts).unmet)


STRATEGY = StrategyEntry(make=HiAgentStrategy)
