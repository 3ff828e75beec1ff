"""What holds in every sensible initial state of a domain, and where a written one breaks it.

Language models that write whole problem files mostly fail in ``:init``: a neighbour missing in one
direction, a tile that is neither clear nor occupied. Regularities are derived from the domain and
one example problem that is known to be right, and are checked in the problem at hand:

- *exactly one*: a set of predicate positions of which every object of a type fills exactly one, in
  the example and, by the actions' effects, for ever (a balanced set, after Helmert, AIJ 173, 2009);
- static relations that are symmetric, inverse to each other, or connect all objects of a type;
- predicates whose facts every object of a type has;
- static predicates, and facts without arguments, that the example's ``:init`` has at all.

They are regularities, not laws: a diagnostic says what differs from the example, and nothing is
added to a problem here.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from embodied.errors import Diagnostic
from embodied.symbolic.formulas import Proposition, conjuncts
from embodied.symbolic.model import OBJECT, ActionSchema, Domain, Problem
from embodied.types import Atom

Slot: TypeAlias = tuple[str, int]
"""A predicate and an argument position."""

_WHERE = "problem, :init"
_MAX_SLOTS = 4


@dataclass(frozen=True, slots=True)
class ExactlyOne:
    """Every object of ``type_name`` fills exactly one of ``slots``."""

    type_name: str
    slots: tuple[Slot, ...]

    def describe(self, domain: Domain, name: str) -> str:
        """The alternatives for one object, e.g. ``(clear t1) or (robot-at ?r t1)``."""
        return " or ".join(_pattern(domain, slot, name) for slot in self.slots)


def init_diagnostics(
    domain: Domain, example: Problem, problem: Problem, *, limit: int = 20
) -> tuple[Diagnostic, ...]:
    """Where the initial state of ``problem`` breaks what holds in that of ``example``.

    Args:
        domain: Their common domain.
        example: A problem known to be right.
        problem: The problem to check.
        limit: Most diagnostics to return.

    Returns:
        Diagnostics, none when nothing is suspicious.
    """
    found: list[Diagnostic] = []
    for check in (_presence, _exactly_one, _symmetry, _inverses, _coverage, _connection, _costs):
        found += check(domain, example, problem)
    unique = tuple(dict.fromkeys(found))
    if len(unique) <= limit:
        return unique
    rest = Diagnostic(where=_WHERE, problem=f"and {len(unique) - limit} more of this kind")
    return (*unique[:limit], rest)


def exactly_one(domain: Domain, example: Problem) -> tuple[ExactlyOne, ...]:
    """The exactly-one invariants of a domain that hold in the example's initial state."""
    kinds = [t for t in (domain.types or {OBJECT: ""}) if _members(t, domain, example)]
    kinds = [t for t in kinds if not any(domain.types.get(k) == t for k in kinds)]  # leaves
    return tuple(
        ExactlyOne(kind, slots)
        for kind in kinds or [OBJECT]
        for slots in _balanced_sets(kind, domain, example)
    )


def _balanced_sets(kind: str, domain: Domain, example: Problem) -> Iterator[tuple[Slot, ...]]:
    fluents = domain.fluents()
    slots = [
        (name, i)
        for name, parameters in domain.predicates.items()
        if name in fluents
        for i, p in enumerate(parameters)
        if domain.accepts(p, kind)
    ]
    members = _members(kind, domain, example)
    filled = {slot: _counts(example, (slot,)) for slot in slots}
    slots = [s for s in slots if all(filled[s][m] <= 1 for m in members)]
    found: list[tuple[Slot, ...]] = []
    for size in range(1, _MAX_SLOTS + 1):
        for chosen in itertools.combinations(slots, size):
            if any(set(f) <= set(chosen) for f in found):
                continue
            once = all(sum(filled[s][m] for s in chosen) == 1 for m in members)
            if once and _is_balanced(kind, chosen, domain):
                found.append(chosen)
                yield chosen


def _is_balanced(kind: str, slots: tuple[Slot, ...], domain: Domain) -> bool:
    """Whether no action changes how many of the slots an object of the type fills."""
    return all(
        _balances(action, p.name, slots)
        for action in domain.actions.values()
        for p in action.parameters
        if domain.accepts(p, kind) or any(domain.is_subtype(t, kind) for t in p.types)
    ) and not any(
        e.variables and any(e.atom.predicate == s for s, _ in slots)
        for a in domain.actions.values()
        for e in a.effects
    )


def _balances(action: ActionSchema, variable: str, slots: tuple[Slot, ...]) -> bool:
    needed = {c for c in conjuncts(action.precondition) if isinstance(c, Proposition)}
    added = removed = 0
    for effect in action.effects:
        atom = effect.atom
        fills = sum(1 for name, i in slots if atom.predicate == name and atom.terms[i] == variable)
        if fills and conjuncts(effect.condition):
            return False  # conditional: too subtle to promise anything
        if effect.positive:
            added += fills
        elif atom in needed:
            removed += fills
    return added == removed and added <= 1


def _exactly_one(domain: Domain, example: Problem, problem: Problem) -> Iterator[Diagnostic]:
    for invariant in exactly_one(domain, example):
        count = _counts(problem, invariant.slots)
        for name in _members(invariant.type_name, domain, problem):
            if count[name] != 1:
                many = "none" if count[name] == 0 else f"{count[name]}"
                yield Diagnostic(
                    where=_WHERE,
                    problem=f"of {invariant.describe(domain, name)} exactly one must hold for "
                    f"{name}, but {many} do{'es' if count[name] == 0 else ''}",
                    hint="add the missing fact" if count[name] == 0 else "keep one of them",
                )


def _counts(problem: Problem, slots: tuple[Slot, ...]) -> Counter[str]:
    return Counter(
        fact.args[i] for fact in problem.init for name, i in slots if fact.predicate == name
    )


def _static(domain: Domain) -> list[str]:
    fluents = domain.fluents()
    return [p for p in domain.predicates if p not in fluents]


def _pairs(problem: Problem, predicate: str) -> set[tuple[str, str]]:
    return {
        (f.args[0], f.args[1])
        for f in problem.init
        if f.predicate == predicate and len(f.args) == 2
    }


def _symmetry(domain: Domain, example: Problem, problem: Problem) -> Iterator[Diagnostic]:
    for name in _static(domain):
        seen = _pairs(example, name)
        if len(seen) < 2 or any((b, a) not in seen for a, b in seen):
            continue
        here = _pairs(problem, name)
        for a, b in sorted(here):
            if (b, a) not in here:
                yield Diagnostic(
                    where=_WHERE,
                    problem=f"({name} {a} {b}) is given without ({name} {b} {a})",
                    hint=f"in the example '{name}' always holds in both directions",
                )


def _inverses(domain: Domain, example: Problem, problem: Problem) -> Iterator[Diagnostic]:
    names = [n for n in _static(domain) if len(domain.predicates[n]) == 2]
    for p, q in itertools.permutations(names, 2):
        seen = _pairs(example, p)
        if len(seen) < 2 or seen != {(b, a) for a, b in _pairs(example, q)}:
            continue
        here, there = _pairs(problem, p), _pairs(problem, q)
        for a, b in sorted(here):
            if (b, a) not in there:
                yield Diagnostic(
                    where=_WHERE,
                    problem=f"({p} {a} {b}) is given without ({q} {b} {a})",
                    hint=f"in the example '{p}' and '{q}' are each other's inverse",
                )


def _coverage(domain: Domain, example: Problem, problem: Problem) -> Iterator[Diagnostic]:
    for name in _static(domain):
        for i, parameter in enumerate(domain.predicates[name]):
            members = [m for t in parameter.types for m in _members(t, domain, example)]
            count = _counts(example, ((name, i),))
            if len(members) < 2 or any(not count[m] for m in members):
                continue
            here = _counts(problem, ((name, i),))
            kinds = parameter.types
            for m in (m for t in kinds for m in _members(t, domain, problem)):
                if not here[m]:
                    yield Diagnostic(
                        where=_WHERE,
                        problem=f"there is no {_pattern(domain, (name, i), m)}",
                        hint=f"in the example every {' or '.join(kinds)} has such a fact",
                    )


def _connection(domain: Domain, example: Problem, problem: Problem) -> Iterator[Diagnostic]:
    for name in _static(domain):
        parameters = domain.predicates[name]
        if len(parameters) != 2 or parameters[0].types != parameters[1].types:
            continue
        kind = parameters[0].types[0]
        members = _members(kind, domain, example)
        if len(members) < 3 or len(_parts(members, _pairs(example, name))) != 1:
            continue
        parts = _parts(_members(kind, domain, problem), _pairs(problem, name))
        for part in sorted(parts, key=len)[:-1]:
            yield Diagnostic(
                where=_WHERE,
                problem=f"'{name}' does not connect {', '.join(sorted(part))} to the rest",
                hint=f"in the example every {kind} is connected to every other by '{name}'",
            )


def _parts(members: tuple[str, ...], pairs: set[tuple[str, str]]) -> list[set[str]]:
    parts: list[set[str]] = []
    for member in members:
        linked = {member} | {x for pair in pairs if member in pair for x in pair}
        touching = [p for p in parts if p & linked]
        parts = [p for p in parts if not p & linked] + [linked.union(*touching)]
    return parts


def _presence(domain: Domain, example: Problem, problem: Problem) -> Iterator[Diagnostic]:
    used = {f.predicate for f in example.init}
    here = {f.predicate for f in problem.init}
    fluents = domain.fluents()
    for name, parameters in domain.predicates.items():
        if name not in used or name in here:
            continue
        if name in fluents and (parameters or (here & fluents) - used):
            continue  # a fluent may well be false everywhere
        facts = [str(f) for f in sorted(example.init) if f.predicate == name]
        yield Diagnostic(
            where=_WHERE,
            problem=f"there is no fact of '{name}'",
            hint=f"the example has {len(facts)}, such as {facts[0]}",
        )


def _costs(domain: Domain, example: Problem, problem: Problem) -> Iterator[Diagnostic]:
    total = Atom("total-cost")
    if total in example.values and total not in problem.values:
        yield Diagnostic(
            where=_WHERE, problem="total-cost has no value", hint="add (= (total-cost) 0)"
        )
    if example.minimize_cost and not problem.minimize_cost:
        yield Diagnostic(
            where="problem", problem="no metric", hint="add (:metric minimize (total-cost))"
        )


def _members(kind: str, domain: Domain, problem: Problem) -> tuple[str, ...]:
    return tuple(
        n for n, t in {**problem.objects, **domain.constants}.items() if domain.is_subtype(t, kind)
    )


def _pattern(domain: Domain, slot: Slot, name: str) -> str:
    predicate, i = slot
    terms = [name if k == i else p.name for k, p in enumerate(domain.predicates[predicate])]
    return f"({' '.join([predicate, *terms])})"
