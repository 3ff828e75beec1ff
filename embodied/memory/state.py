"""The state memory of one scene: the latest measured facts and the conversation so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from embodied.protocols import Grounder
from embodied.types import Atom, GroundAction, Observation, Program, SkillResult

Transition = Callable[[GroundAction, frozenset[Atom]], frozenset[Atom]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneMemory:
    """A ``StateMemory`` that believes what it measured last, and predicts in between.

    Attributes:
        grounder: Turns measurements into facts.
        transition: Successor facts of an action, e.g. ``embodied.symbolic.progress`` bound to a
            domain.
        facts: What is believed now.
        exchanges: Sentences and their programs, oldest first.
        attributes: Words that were told of objects, with the objects.
        remarks: What is told or remembered and not measured now, one line each.
    """

    grounder: Grounder
    transition: Transition
    facts: frozenset[Atom] = frozenset()
    exchanges: tuple[tuple[str, Program], ...] = ()
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    remarks: tuple[str, ...] = ()

    def observed(self, observation: Observation) -> SceneMemory:
        """Replace the belief by what is measured: every predicate of the domain is measurable."""
        return replace(self, facts=self.grounder.facts(observation))

    def executed(self, action: GroundAction, result: SkillResult) -> SceneMemory:
        """Predict the effects of an action that reported success; a failure predicts nothing."""
        if not result.ok:
            return self
        return replace(self, facts=self.transition(action, self.facts))

    def told(self, instruction: str, program: Program, meaning: str = "") -> SceneMemory:
        """Append to the conversation."""
        return replace(self, exchanges=(*self.exchanges, (instruction, program)))
