"""Code as Policies (Liang et al. 2023, arXiv 2209.07753): the model writes a program that acts.

The program runs in the sandbox of ``embodied.language.sandbox``: it reaches the robot's actions and
measured facts, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from embodied.language.sandbox import Limits, SandboxStatus, run_sandboxed
from embodied.protocols import LanguageModel
from embodied.routes.pddl.prompting import ModelStrategy, opening
from embodied.routes.pddl.tasks import StrategyEntry, TaskInterface
from embodied.types import Atom, GroundAction

_FENCE = re.compile(r"^```\w*\n|\n?```\s*$")


class CodeStrategy(ModelStrategy):
    """Asks once for a program and runs it.

    Args:
        model: Who programs.
        max_actions: Most calls of the program.
    """

    name = "code"
    max_tokens = 2048

    def __init__(self, model: LanguageModel, *, max_actions: int = 200) -> None:
        super().__init__(model)
        self._max_actions = max_actions

    def pursue(self, robot: TaskInterface) -> str:
        """Ask once, run; see ``Strategy.pursue``."""
        messages = opening("program", robot.task, robot.facts)
        text = self.ask(messages, "code-policy").text
        names = robot.task.domain.actions
        functions: dict[str, Callable[..., bool]] = {
            n.replace("-", "_"): self._function(n, robot) for n in names
        }
        functions["holds"] = lambda fact: Atom.parse(str(fact)) in robot.facts
        result = run_sandboxed(
            _FENCE.sub("", text.strip()),
            functions=functions,
            limits=Limits(host_calls=self._max_actions),
        )
        if robot.declined:
            return robot.declined
        if robot.reached():
            return ""
        if result.status is not SandboxStatus.FINISHED:
            return f"the program {result.status.value}: {result.error}"
        return "the program ended, the goal does not hold"

    def _function(self, name: str, robot: TaskInterface) -> Callable[..., bool]:
        def act(*arguments: str) -> bool:
            action = GroundAction(name, tuple(str(a) for a in arguments))
            if robot.declined or robot.unmet(action):
                return False
            return robot.act(action).result.ok

        return act


STRATEGY = StrategyEntry(make=CodeStrategy)
