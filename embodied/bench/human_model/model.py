"""Models of a person: how likely is it that the person steps in?

The interface is that of "Large Language Models as Zero-Shot Human Models for Human-Robot
Interaction" (Zhang and Soh 2023, arXiv 2303.03548): the planner asks a model what the person would
do, without data about this person. A table answers as well as a language model does.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import Any, Protocol

from embodied.errors import Diagnostic, ProgramError
from embodied.protocols import LanguageModel, Message, Request, Usage

RISKS = ("harmless", "annoying", "costly")
"""Words for what a failure would be, from 0 to 1 in equal parts."""

_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"intervenes": {"type": "number", "minimum": 0, "maximum": 1}},
    "required": ["intervenes"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """The robot is about to do something in front of a person.

    Attributes:
        item: What it reaches for.
        risk: How bad a failure would be, 0 to 1.
        seen: Items that the person has seen the robot handle well, in order.
    """

    item: str
    risk: float
    seen: tuple[str, ...] = ()


class HumanModel(Protocol):
    """Predicts what a person does."""

    def intervenes(self, encounter: Encounter) -> float:
        """Probability that the person steps in.

        Raises:
            ModelError: The model behind it could not be reached.
            ProgramError: Its answer is no probability.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TableHuman:
    """Trust grows with every success that was seen, and is weighed against the risk.

        p = 1 / (1 + exp(-steepness (risk - trust))),  trust = 1 - (1 - first) decay^n

    for n successes seen.

    Attributes:
        first: Trust before anything was seen, 0 to 1.
        decay: Share of the distrust that is left after each success.
        steepness: How sharply the person decides.
    """

    first: float = 0.3
    decay: float = 0.6
    steepness: float = 8.0

    def intervenes(self, encounter: Encounter) -> float:
        """Probability that the person steps in."""
        trust = 1.0 - (1.0 - self.first) * self.decay ** len(encounter.seen)
        return 1.0 / (1.0 + math.exp(-self.steepness * (encounter.risk - trust)))


class LanguageHuman:
    """Asks a language model what the person would do; the same question is asked once.

    Args:
        model: Who predicts.

    Attributes:
        usage: What the calls have cost.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._known: dict[Encounter, float] = {}
        self.usage = Usage()

    def intervenes(self, encounter: Encounter) -> float:
        """Probability that the person steps in, as the model says."""
        if encounter not in self._known:
            response = self._model.complete(self.build_request(encounter))
            self.usage = self.usage + response.usage
            self._known[encounter] = _probability(response.text)
        return self._known[encounter]

    def build_request(self, encounter: Encounter) -> Request:
        """The question about an encounter."""
        path = resources.files("embodied.bench.human_model").joinpath("prompts", "reaction.md")
        history = ", ".join(f"cleared the {item}" for item in encounter.seen) or "nothing yet"
        word = RISKS[min(int(encounter.risk * len(RISKS)), len(RISKS) - 1)]
        text = Template(path.read_text("utf-8").strip()).substitute(
            history=history, item=encounter.item, risk=word
        )
        return Request(
            messages=(Message(role="user", text=text),),
            schema=_SCHEMA,
            max_tokens=32,
            purpose="human-reaction",
        )


def _probability(text: str) -> float:
    try:
        value = float(json.loads(text)["intervenes"])
    except (ValueError, KeyError, TypeError) as error:
        problem = 'it is not {"intervenes": <number>}'
        raise ProgramError(text, [Diagnostic(where="answer", problem=problem)]) from error
    if not 0.0 <= value <= 1.0:
        problem = f"{value} is no probability"
        raise ProgramError(text, [Diagnostic(where="answer", problem=problem, hint="0 to 1")])
    return value
