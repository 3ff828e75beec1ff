"""Inverse actions, derived from the domain.

An action is the inverse of another when its unconditional effects are exactly the other's, turned
round, under some assignment of its parameters. An action without an inverse is *irreversible*:
whoever carries it out asks first (after the undo and damage confinement of GoEX, Patil et al. 2024,
arXiv 2404.06921).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from embodied.symbolic import ActionSchema, Domain, conjuncts
from embodied.types import GroundAction


def inverses(domain: Domain) -> Mapping[str, str | None]:
    """Name of the inverse of every action type of a domain, None for one that has none."""
    return {name: _inverse(schema, domain) for name, schema in domain.actions.items()}


def irreversible(actions: Iterable[GroundAction], domain: Domain) -> tuple[GroundAction, ...]:
    """Those of the actions that nothing takes back."""
    known = inverses(domain)
    return tuple(a for a in actions if known.get(a.name) is None)


_Literals = frozenset[tuple[str, tuple[str, ...], bool]]


def _inverse(schema: ActionSchema, domain: Domain) -> str | None:
    wanted = frozenset((p, terms, not positive) for p, terms, positive in _literals(schema, None))
    if not wanted:
        return None
    names = [p.name for p in schema.parameters]
    for other in domain.actions.values():
        for order in itertools.permutations(range(len(names)), len(other.parameters)):
            own = [p.name for p in other.parameters]
            renamed = dict(zip(own, (names[i] for i in order), strict=True))
            if _literals(other, renamed) == wanted:
                return other.name
    return None


def _literals(schema: ActionSchema, renamed: Mapping[str, str] | None) -> _Literals:
    """The unconditional effects as (predicate, terms, positive)."""
    names = renamed or {}
    return frozenset(
        (e.atom.predicate, tuple(names.get(t, t) for t in e.atom.terms), e.positive)
        for e in schema.effects
        if not e.variables and not conjuncts(e.condition)
    )
