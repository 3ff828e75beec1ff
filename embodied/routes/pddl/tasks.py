"""The interface of a strategy: it chooses the next action; a robot acts and measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from embodied.errors import OptionError
from embodied.protocols import LanguageModel, Usage
from embodied.recovery import RecoveryStep
from embodied.registry import Registry
from embodied.routes.pddl.monitor import Contradiction, Effects
from embodied.symbolic import Domain
from embodied.types import Atom, GroundAction, PlanResult, SkillResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be reached.

    Attributes:
        instruction: The sentence, ``""`` where there was none.
        goals: Goals as PDDL text that must hold together.
        domain: The domain.
        domain_text: The domain as text.
        objects: Type of every object by name.
    """

    instruction: str
    goals: tuple[str, ...]
    domain: Domain
    domain_text: str
    objects: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """An action that was carried out, and what was measured of it.

    Attributes:
        action: The action.
        result: Whether its promised effects were measured.
        effects: Promised changes that are missing, changes that nobody promised.
        contradiction: What is measured against what was believed.
    """

    action: GroundAction
    result: SkillResult
    effects: Effects
    contradiction: Contradiction


class TaskInterface(Protocol):
    """What a strategy may use."""

    @property
    def task(self) -> Task:
        """What is to be reached; a later reading of the goal changes it."""
        ...

    @property
    def facts(self) -> frozenset[Atom]:
        """What is believed; measured after every action."""
        ...

    @property
    def declined(self) -> str:
        """Why a person did not allow what was planned; ``""`` as long as nobody did."""
        ...

    def reached(self) -> bool:
        """Whether all goals of the task hold in ``facts``."""
        ...

    def unmet(self, action: GroundAction) -> tuple[str, ...]:
        """Preconditions that ``facts`` do not meet."""
        ...

    def chance(self, action: GroundAction) -> float:
        """Calibrated probability that the next attempt at an action succeeds; 1 if unknown."""
        ...

    def act(self, action: GroundAction) -> Performed:
        """Carry out an action with its next candidate and measure."""
        ...

    def plan(self) -> PlanResult:
        """Plan from ``facts`` to the task's goals; asks before what cannot be undone."""
        ...

    def escalate(self, step: RecoveryStep, reason: str, action: str = "") -> None:
        """Put a step of the ladder on record."""
        ...


class Strategy(Protocol):
    """Pursues a task with a robot."""

    @property
    def name(self) -> str:
        """Name, as on the command line."""
        ...

    @property
    def usage(self) -> Usage:
        """What the model calls of this strategy have cost so far."""
        ...

    @property
    def corrections(self) -> int:
        """How often it had to depart from what it first wanted.

        A step that was not applicable or failed, an answer that could not be read.
        """
        ...

    def pursue(self, robot: TaskInterface) -> str:
        """Act until the task is reached or there is nothing left to try.

        Returns:
            ``""`` when the goals hold, else why the strategy gave up, in one line.

        Raises:
            ModelError: The model could not be reached or is out of budget.
            WorldError: The simulator or the robot failed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyEntry:
    """How a strategy is made, for those that are found by name.

    Attributes:
        make: Makes the strategy of one sentence; given the model, None where there is none.
        needs_model: Whether it asks a language model.
    """

    make: Callable[[LanguageModel], Strategy]
    needs_model: bool = True


STRATEGIES: Registry[StrategyEntry] = Registry(
    "strategy",
    group="embodied.strategies",
    package="embodied.routes.pddl.strategies",
    attribute="STRATEGY",
)
"""Ways to decide on actions by name, see docs/strategies.md."""


def open_strategy(name: str, model: LanguageModel | None) -> Callable[[], Strategy]:
    """What makes the strategy of one sentence.

    Raises:
        OptionError: There is no such strategy, or it needs a language model.
    """
    entry = STRATEGIES.get(name)
    if model is None and entry.needs_model:
        raise OptionError(
            f"the strategy {name} asks a language model: give one with --model, e.g. openai:NAME "
            "or replay:FILE"
        )
    return lambda: entry.make(cast("LanguageModel", model))
