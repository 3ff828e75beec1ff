"""Strategies by name, questions on a terminal, the record of the ladder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from embodied.app.settings import STRATEGIES, Settings
from embodied.errors import ConfigurationError
from embodied.protocols import LanguageModel
from embodied.recovery import Ask, Question, nobody

if TYPE_CHECKING:
    from embodied.agent import Agent, Report
    from embodied.routes.pddl.strategies import Strategy


def open_strategy(settings: Settings, model: LanguageModel | None) -> Callable[[], Strategy] | None:
    """What makes the strategy of one instruction; None for following plans.

    Raises:
        ConfigurationError: There is no such strategy, or it needs a language model.
    """
    name = settings.strategy
    if name not in STRATEGIES:
        raise ConfigurationError(f"unknown strategy {name!r}: choose from {', '.join(STRATEGIES)}")
    if name == "plan":
        return None
    if model is None:
        raise ConfigurationError(
            f"the strategy {name} asks a language model: give one with --model, e.g. openai:NAME "
            "or replay:FILE"
        )
    if name == "tree":
        from embodied.routes.pddl.strategies.tree import TreeStrategy as Made
    elif name == "react":
        from embodied.routes.pddl.strategies.react import ReactStrategy as Made
    elif name == "hiagent":
        from embodied.routes.pddl.strategies.hiagent import HiAgentStrategy as Made
    elif name == "rewoo":
        from embodied.routes.pddl.strategies.rewoo import RewooStrategy as Made
    else:
        from embodied.routes.pddl.strategies.code import CodeStrategy as Made
    return lambda: Made(model)


def asker(yes: bool) -> Ask:
    """Who answers questions: the person at the terminal, or nobody.

    Args:
        yes: Allow what cannot be undone without asking.
    """
    person = _on_terminal if sys.stdin.isatty() and sys.stdout.isatty() else nobody
    if not yes:
        return person

    def answer(question: Question) -> bool:
        return question.kind == "irreversible" or person(question)

    return answer


def strategy_details(report: Report, agent: Agent) -> dict[str, Any]:
    """Fields of ``run.json``: the strategy, what it departed from, every step of the ladder."""
    return {
        "strategy": agent.strategy.name,
        "corrections": agent.strategy.corrections,
        "ladder": [
            {
                "rung": e.rung.name.lower(),
                "reason": e.reason,
                "action": e.action,
                "time_s": round(e.time_s, 2),
            }
            for e in report.escalations
        ],
        "reread": report.reread,
    }


def _on_terminal(question: Question) -> bool:
    import typer

    return typer.confirm(question.text, default=False, err=True)
