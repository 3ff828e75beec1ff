"""What a strategy is: it decides which action comes next; a robot acts and measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from embodied.protocols import Usage
from embodied.recovery import Rung
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


class Robot(Protocol):
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

    def escalate(self, rung: Rung, reason: str, action: str = "") -> None:
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

    def pursue(self, robot: Robot) -> str:
        """Act until the task is reached or there is nothing left to try.

        Returns:
            ``""`` when the goals hold, else why the strategy gave up, in one line.

        Raises:
            ModelError: The model could not be reached or is out of budget.
            WorldError: The simulator or the robot failed.
        """
        ...
