"""One stage of a program being pursued: what a strategy sees of the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embodied.recovery import Question, Rung
from embodied.routes.pddl.goal_relaxation import vanished
from embodied.routes.pddl.monitor import Contradiction, Effects
from embodied.routes.pddl.strategies.base import Performed, Task
from embodied.routes.pddl.undo import irreversible
from embodied.types import Atom, GroundAction, PddlProgram, PlanResult, SkillResult

if TYPE_CHECKING:
    from embodied.agent import Agent


class Pursuit:
    """Implements ``embodied.routes.pddl.strategies.Robot`` for one stage.

    Args:
        agent: Who acts.
        program: Program that the stage is from.
        kept: Goals reached before, to be kept true where they can hold together with the stage's.
        stage: Goal of the stage.

    Attributes:
        asked_for: The stage's goal as it was asked for.
        stage: The same goal, or another reading of it.
        kept: Of the goals reached before, those that are still to be kept.
        declined: Why a person did not allow what was planned.
    """

    def __init__(
        self, agent: Agent, program: PddlProgram, kept: tuple[str, ...], stage: str
    ) -> None:
        self._agent = agent
        self._allowed: set[GroundAction] = set()
        self._first = agent.memory.facts
        self.program = program
        self.kept = kept
        self.asked_for = stage
        self.stage = stage
        self.declined = ""

    @property
    def task(self) -> Task:
        """What is to be reached now."""
        agent = self._agent
        return Task(
            instruction=agent.instruction,
            goals=(*self.kept, self.stage),
            domain=agent.monitor.domain,
            domain_text=agent.grounder.domain_text,
            objects=agent.monitor.objects,
        )

    @property
    def facts(self) -> frozenset[Atom]:
        """What is believed."""
        return self._agent.memory.facts

    def reached(self) -> bool:
        """Whether the stage and what is to be kept hold."""
        verdict = self._agent.monitor.verdict
        return all(verdict(g, self.facts).reached for g in (*self.kept, self.stage))

    def unmet(self, action: GroundAction) -> tuple[str, ...]:
        """Preconditions that are not met."""
        return self._agent.monitor.before(action, self.facts)

    def chance(self, action: GroundAction) -> float:
        """Predicted probability of success of the next attempt; 1 without a critic."""
        chance = self._agent.actor.chance(action)
        return 1.0 if chance is None else chance

    def act(self, action: GroundAction) -> Performed:
        """Carry out an action; one that cannot be undone only with permission."""
        if not self._may((action,)):
            return Performed(
                action=action,
                result=SkillResult(ok=False, reason=self.declined, retry=False),
                effects=Effects(missing=(), surprising=()),
                contradiction=Contradiction(),
            )
        return self._agent.actor.act(action)

    def plan(self) -> PlanResult:
        """Plan to the stage, keeping what can be kept; asks before what cannot be undone."""
        result, self.kept = self._agent.plan_keeping(self.program, self.kept, self.stage)
        self._may(result.plan)
        return result

    def escalate(self, rung: Rung, reason: str, action: str = "") -> None:
        """Put a step of the ladder on record."""
        self._agent.escalate(rung, reason, action)

    def vanished(self) -> tuple[str, ...]:
        """Objects that were somewhere when the stage began and are nowhere now."""
        monitor = self._agent.monitor
        return vanished(self._first, self.facts, monitor.domain, monitor.objects)

    def _may(self, actions: tuple[GroundAction, ...]) -> bool:
        """Whether the actions can be undone, or a person allows those that cannot."""
        new = [
            a for a in irreversible(actions, self._agent.monitor.domain) if a not in self._allowed
        ]
        if not new:
            return True
        listed = ", ".join(map(str, new))
        question = Question(
            text=f"{listed} cannot be undone. Shall I do it?",
            kind="irreversible",
            about=tuple(map(str, new)),
        )
        allowed = not self.declined and self._agent.ask(question)
        if allowed:
            self._allowed.update(new)
        else:
            self.declined = f"not allowed: {listed} cannot be undone"
        return allowed
