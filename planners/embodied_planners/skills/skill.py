"""A skill: what it needs and brings about, how it moves, and how people speak of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from embodied.protocols import Skill
from embodied.registry import Registry
from embodied.types import Atom, ObjectSpec, Observation, Saying
from embodied_planners.skills.workcell import Workcell

Generate = Callable[[Workcell, tuple[str, ...], Observation, int], Skill]
"""Work cell, names of the objects, latest measurement, number of the attempt -> control goals."""

Measure = Callable[[Mapping[str, ObjectSpec], Observation], Iterable[Atom]]
"""Objects, measurement -> the atoms of the skill's own predicates that hold."""


def _anywhere(objects: Mapping[str, ObjectSpec]) -> bool:
    del objects
    return True


def _nothing(objects: Mapping[str, ObjectSpec], observation: Observation) -> Iterable[Atom]:
    del objects, observation
    return ()


@dataclass(frozen=True, kw_only=True)
class TabletopSkill:
    """One skill of an arm with a parallel gripper at a table.

    Attributes:
        action: The action in PDDL, as in a domain file; its effects are what is measured of it.
        generate: Plans from the latest observation, yields one control goal at a time, and judges
            itself by what is measured afterwards; each attempt is another way to do it.
        explanation: A step of a plan as a sentence; ``{0}`` and ``{1}`` are its objects.
        sayings: Sentences that ask for what it brings about, beyond those of the goal grammar.
        predicates: Predicates in PDDL that the tabletop domain lacks, e.g. ``"(far ?x - item)"``.
        measure: Which atoms of these predicates hold.
        needs: Whether it is any use among some objects; otherwise the domain goes without it.
        rank: Place of the action in the domain: planners break ties by it.
    """

    action: str
    generate: Generate
    explanation: str
    sayings: tuple[Saying, ...] = ()
    predicates: str = ""
    measure: Measure = _nothing
    needs: Callable[[Mapping[str, ObjectSpec]], bool] = _anywhere
    rank: int = 100

    @cached_property
    def name(self) -> str:
        """Name of the action."""
        found = re.search(r"\(:action\s+([\w-]+)", self.action)
        if found is None:
            raise ValueError(f"no (:action NAME ...) in {self.action!r}")
        return found[1]

    @cached_property
    def arity(self) -> int:
        """Number of its objects."""
        found = re.search(r":parameters\s*\(([^)]*)\)", self.action)
        return 0 if found is None else found[1].count("?")


SKILLS: Registry[TabletopSkill] = Registry(
    "skill", group="embodied.skills", package="embodied_planners.skills.actions", attribute="SKILL"
)
"""Every skill by the name of its file; another package's entry point names a ``TabletopSkill``."""


def all_skills() -> tuple[TabletopSkill, ...]:
    """All skills, in the order in which a domain lists their actions.

    Raises:
        ConfigurationError: One cannot be loaded.
    """
    return tuple(sorted((SKILLS.get(name) for name in SKILLS.names), key=lambda s: s.rank))


def with_skills(domain: str, objects: Mapping[str, ObjectSpec]) -> str:
    """A domain without actions, as PDDL text, with the skills' predicates and actions."""
    skills = [s for s in all_skills() if s.needs(objects)]
    predicates = "".join(f"\n    {s.predicates}" for s in skills if s.predicates)
    head, brace, rest = domain.partition("(:predicates")
    body = f"{head}{brace}{predicates}{rest}".rstrip().removesuffix(")").rstrip()
    return "\n\n".join([body, *(s.action.strip("\n").rstrip() for s in skills)]) + ")\n"
