"""Inverse actions, derived from the domain.

An action is the inverse of another when its unconditional effects are exactly the other's, turned
round, under some assignment of its parameters. An action without an inverse is *irreversible*:
whoever carries it out asks first (after the undo and damage confinement of GoEX, Patil et al. 2024,
arXiv 2404.06921).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from embodied.symbolic import ActionSchema, Domain, conjuncts
from embodied.types import GroundAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse:
    """What takes back an action.

    Attributes:
        action: Name of the inverse action.
        order: For each of its parameters the position of the argument of the action taken back.
    """

    action: str
    order: tuple[int, ...]

    def of(self, action: GroundAction) -> GroundAction:
        """The inverse of a ground action."""
        return GroundAction(self.action, tuple(action.args[i] for i in self.order))


def inverses(domain: Domain) -> Mapping[str, Inverse | None]:
    """The inverse of every action type of a domain, None for one that has none."""
    return {name: _inverse(schema, domain) for name, schema in domain.actions.items()}


def irreversible(actions: Iterable[GroundAction], domain: Domain) -> tuple[GroundAction, ...]:
    """Those of the actions that nothing takes back."""
    known = inverses(domain)
    return tuple(a for a in actions if known.get(a.name) is None)


def backwards(actions: Iterable[GroundAction], domain: Domain) -> tuple[GroundAction, ...]:
    """The actions that take back ``actions``, in the order in which to carry them out.

    Raises:
        ValueError: One of the actions has no inverse; the message names it.
    """
    known = inverses(domain)
    found: list[GroundAction] = []
    for action in actions:
        inverse = known.get(action.name)
        if inverse is None:
            legal = ", ".join(n for n, i in known.items() if i is not None) or "none"
            raise ValueError(f"{action} cannot be taken back; actions with an inverse: {legal}")
        found.insert(0, inverse.of(action))
    return tuple(found)


_Literals = frozenset[tuple[str, tuple[str, ...], bool]]


def _inverse(schema: ActionSchema, domain: Domain) -> Inverse | None:
    wanted = frozenset((p, terms, not positive) for p, terms, positive in _literals(schema, None))
    if not wanted:
        return None
    names = [p.name for p in schema.parameters]
    for other in domain.actions.values():
        for order in itertools.permutations(range(len(names)), len(other.parameters)):
            own = [p.name for p in other.parameters]
            renamed = dict(zip(own, (names[i] for i in order), strict=True))
            if _literals(other, renamed) == wanted:
                return Inverse(action=other.name, order=order)
    return None


def _literals(schema: ActionSchema, renamed: Mapping[str, str] | None) -> _Literals:
    """The unconditional effects as (predicate, terms, positive)."""
    names = renamed or {}
    return frozenset(
        (e.atom.predicate, tuple(names.get(t, t) for t in e.atom.terms), e.positive)
        for e in schema.effects
        if not e.variables and not conjuncts(e.condition)
    )
