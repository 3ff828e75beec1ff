"""Checks between intention and measurement: preconditions before, effects after, the verdict.

All checks work on *measured* facts. Nothing here looks at what was commanded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from embodied.symbolic import (
    And,
    Domain,
    applicable,
    expected_effects,
    holds,
    progress,
    read_goal,
    unmet,
)
from embodied.types import Array, Atom, GroundAction
from embodied.verdict import Verdict

MOVED_M = 0.03
"""Something that nobody handled and that is measured this far from where it was has been moved."""

Positions = Mapping[str, Array]
"""Position of every object in the world frame, (3,), m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What an action changed, as measured, against what its effects promise.

    Attributes:
        missing: Promised changes that were not measured, as PDDL literals.
        surprising: Measured changes that were not promised, as PDDL literals.
    """

    missing: tuple[str, ...]
    surprising: tuple[str, ...]

    @property
    def as_promised(self) -> bool:
        """True when every promised change was measured."""
        return not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """What is measured against what was believed; false when they agree.

    Attributes:
        believed: Facts that were believed and are not measured.
        measured: Facts that are measured and were not believed.
        moved: Objects that nobody handled and that are measured elsewhere.
    """

    believed: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.believed or self.measured or self.moved)

    def __str__(self) -> str:
        parts = [f"{', '.join(self.believed)} was believed"] if self.believed else []
        parts += [f"{', '.join(self.measured)} is measured"] if self.measured else []
        parts += [f"{', '.join(self.moved)} is not where it was"] if self.moved else []
        return "; ".join(parts)

    @property
    def objects(self) -> frozenset[str]:
        """Every name that it is about."""
        facts = (Atom.parse(f) for f in (*self.believed, *self.measured))
        return frozenset(self.moved).union(*(f.args for f in facts))


class Monitor:
    """Judges actions and goals of one domain and one set of objects.

    Args:
        domain: The planning domain.
        objects: Type of every object by name.
    """

    def __init__(self, domain: Domain, objects: Mapping[str, str]) -> None:
        self.domain = domain
        self.objects = dict(objects)

    def before(self, action: GroundAction, facts: frozenset[Atom]) -> tuple[str, ...]:
        """Return the preconditions of ``action`` that ``facts`` do not meet."""
        return applicable(action, facts, self.domain, self.objects)

    def after(
        self, action: GroundAction, earlier: frozenset[Atom], later: frozenset[Atom]
    ) -> Effects:
        """Compare the measured change from ``earlier`` to ``later`` with the promised one."""
        added, deleted = expected_effects(action, earlier, self.domain, self.objects)
        missing = [str(a) for a in sorted(added - later)]
        missing += [f"(not {a})" for a in sorted(deleted & later)]
        surprising = [str(a) for a in sorted(later - earlier - added)]
        surprising += [f"(not {a})" for a in sorted(earlier - later - deleted)]
        return Effects(missing=tuple(missing), surprising=tuple(surprising))

    def expected(self, action: GroundAction, facts: frozenset[Atom]) -> frozenset[Atom]:
        """What holds after ``action`` when it does what its effects promise."""
        return progress(action, facts, self.domain, self.objects)

    def contradiction(
        self,
        believed: frozenset[Atom],
        measured: frozenset[Atom],
        *,
        was: Positions,
        now: Positions,
        handled: Collection[str],
    ) -> Contradiction:
        """Compare a belief with a measurement.

        Args:
            believed: Facts as predicted.
            measured: Facts as measured.
            was: Where everything was.
            now: Where everything is.
            handled: Objects that were meant to move, or were touched.
        """
        moved = [
            name
            for name, position in now.items()
            if name in was
            and name not in handled
            and float(np.linalg.norm(position - was[name])) > MOVED_M
        ]
        return Contradiction(
            believed=tuple(str(a) for a in sorted(believed - measured)),
            measured=tuple(str(a) for a in sorted(measured - believed)),
            moved=tuple(moved),
        )

    def conjuncts(self, goal: str) -> tuple[str, ...]:
        """The parts of a goal that must all hold, as PDDL text; raises as ``verdict`` does."""
        formula = read_goal(goal, self.domain, self.objects)
        return tuple(map(str, formula.parts)) if isinstance(formula, And) else (str(formula),)

    def verdict(self, goal: str, facts: frozenset[Atom]) -> Verdict:
        """Judge ``goal`` (PDDL text) by ``facts``.

        Raises:
            ProgramError: The goal is not a formula of this domain.
        """
        formula = read_goal(goal, self.domain, self.objects)
        conjuncts = formula.parts if isinstance(formula, And) else (formula,)
        reached = holds(formula, facts, self.domain, self.objects)
        return Verdict(
            text=goal,
            holds=tuple(str(c) for c in conjuncts if holds(c, facts, self.domain, self.objects)),
            unmet=() if reached else unmet(formula, facts, self.domain, self.objects) or (goal,),
        )
