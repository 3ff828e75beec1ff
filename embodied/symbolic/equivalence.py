"""Whether two problems of a domain are equal up to the names of their objects.

An exact check: objects are coloured by type and by the facts and goals that they take part in,
colours are refined until stable (Weisfeiler and Leman 1968), and a backtracking search over equally
coloured objects then decides. Constants of the domain keep their names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from embodied.symbolic.formulas import Formula, Not, Proposition, conjuncts
from embodied.symbolic.model import Domain, Problem
from embodied.symbolic.simplify import TooLargeError, simplify

Relation: TypeAlias = tuple[str, tuple[str, ...]]
"""A label and the objects it relates, e.g. ``("init on", ("a", "b"))``."""


@dataclass(frozen=True, slots=True)
class _Structure:
    objects: Mapping[str, str]
    fixed: frozenset[str]
    relations: Counter[Relation]


class UndecidedError(Exception):
    """The backtracking search exceeded its budget (highly symmetric problems)."""


def equivalent(a: Problem, b: Problem, domain: Domain, *, max_nodes: int = 200_000) -> bool:
    """Whether objects, initial state, values, metric and goal agree up to renaming of objects.

    Goals are compared after quantifiers are expanded, as sets of conjuncts; two goals that are
    logically equal but written as different disjunctions count as different.

    Raises:
        UndecidedError: More than ``max_nodes`` search nodes were needed.
    """
    return isomorphism(a, b, domain, max_nodes=max_nodes) is not None


def isomorphism(
    a: Problem, b: Problem, domain: Domain, *, max_nodes: int = 200_000
) -> dict[str, str] | None:
    """A renaming of ``a``'s objects that turns it into ``b``; None where there is none.

    Raises:
        UndecidedError: More than ``max_nodes`` search nodes were needed.
    """
    if a.minimize_cost != b.minimize_cost:
        return None
    left, right = _structure(a, domain), _structure(b, domain)
    if Counter(left.objects.values()) != Counter(right.objects.values()):
        return None
    if Counter(k for k, _ in left.relations.elements()) != Counter(
        k for k, _ in right.relations.elements()
    ):
        return None
    colours = _refine((left, right))
    if colours is None:
        return None
    return _match(left, right, colours, max_nodes)


def differences(a: Problem, b: Problem, domain: Domain, *, limit: int = 20) -> tuple[str, ...]:
    """What distinguishes problem ``a`` from ``b``; empty exactly when they are equivalent.

    Objects are compared by name where both problems use the name, which tells what is missing;
    where the names agree nowhere, only counts can be given.
    """
    try:
        if equivalent(a, b, domain):
            return ()
    except UndecidedError:
        return ("undecided: the problems are too symmetric to compare up to renaming",)
    found: list[str] = []
    if a.minimize_cost != b.minimize_cost:
        found.append("only one of them minimises total-cost")
    for kind in sorted({*a.objects.values(), *b.objects.values()}):
        own = {n for n, t in a.objects.items() if t == kind}
        theirs = {n for n, t in b.objects.items() if t == kind}
        if len(own) != len(theirs):
            found.append(f"{len(own)} objects of type {kind} instead of {len(theirs)}")
    found += _set_differences("init", map(str, a.init), map(str, b.init))
    goals = [[str(g) for g in _goal_parts(p, domain)] for p in (a, b)]
    found += _set_differences("goal", *goals)
    values = [[f"(= {k} {v:g})" for k, v in p.values.items()] for p in (a, b)]
    found += _set_differences("value", *values)
    if not found:
        found.append("same objects, facts and goals by number, but related differently")
    rest = len(found) - limit
    return (*found[:limit], f"and {rest} more") if rest > 0 else tuple(found)


def _set_differences(what: str, a: Iterable[str], b: Iterable[str]) -> list[str]:
    own, theirs = set(a), set(b)
    return [f"{what}: missing {x}" for x in sorted(theirs - own)] + [
        f"{what}: extra {x}" for x in sorted(own - theirs)
    ]


def _goal_parts(problem: Problem, domain: Domain) -> tuple[Formula, ...]:
    try:
        goal = simplify(problem.goal, domain, problem.objects, lambda _: None)
    except TooLargeError:
        goal = problem.goal
    return tuple(dict.fromkeys(conjuncts(goal)))


def _structure(problem: Problem, domain: Domain) -> _Structure:
    relations: list[Relation] = [(f"init {a.predicate}", a.args) for a in problem.init]
    relations += [(f"value {a.predicate} {v:g}", a.args) for a, v in problem.values.items()]
    objects = {**problem.objects, **domain.constants}
    for part in _goal_parts(problem, domain):
        body = part.body if isinstance(part, Not) else part
        sign = "not " if isinstance(part, Not) else ""
        if isinstance(body, Proposition):
            relations.append((f"goal {sign}{body.predicate}", body.terms))
        else:
            relations.append(_abstract(body, sign, objects))
    return _Structure(
        objects=objects, fixed=frozenset(domain.constants), relations=Counter(relations)
    )


def _abstract(formula: Formula, sign: str, objects: Mapping[str, str]) -> Relation:
    """A composite goal as a relation over the objects it names, in order of occurrence."""
    names: list[str] = []
    words = str(formula).replace("(", " ( ").replace(")", " ) ").split()
    for i, word in enumerate(words):
        if word in objects and words[i - 1] != "(":
            if word not in names:
                names.append(word)
            words[i] = f"#{names.index(word)}"
    return f"goal {sign}{' '.join(words)}", tuple(names)


def _refine(pair: tuple[_Structure, _Structure]) -> tuple[dict[str, int], dict[str, int]] | None:
    """Stable colourings with common colour numbers; None once their histograms differ."""
    start = [{n: (t, n if n in s.fixed else "") for n, t in s.objects.items()} for s in pair]
    colours = _numbered(start)
    while True:
        described: list[dict[str, object]] = []
        for structure, own in zip(pair, colours, strict=True):
            seen: dict[str, list[object]] = defaultdict(list)
            for (label, args), count in structure.relations.items():
                row = tuple(own.get(x, -1) for x in args)
                for position, name in enumerate(args):
                    seen[name].append((label, position, row, count))
            described.append(
                {n: (own[n], tuple(sorted(seen[n], key=repr))) for n in structure.objects}
            )
        new = _numbered(described)
        if Counter(new[0].values()) != Counter(new[1].values()):
            return None
        if len(set(new[0].values())) == len(set(colours[0].values())):
            return new[0], new[1]
        colours = new


def _numbered(described: Sequence[Mapping[str, object]]) -> list[dict[str, int]]:
    numbers: dict[object, int] = {}
    return [{n: numbers.setdefault(d, len(numbers)) for n, d in m.items()} for m in described]


def _match(
    left: _Structure,
    right: _Structure,
    colours: tuple[dict[str, int], dict[str, int]],
    max_nodes: int,
) -> dict[str, str] | None:
    members: dict[int, list[str]] = defaultdict(list)
    for name, colour in colours[1].items():
        members[colour].append(name)
    touching: dict[str, list[Relation]] = defaultdict(list)
    for relation in left.relations:
        for name in set(relation[1]):
            touching[name].append(relation)
    order = _connected_order(left, colours[0], members, touching)
    mapping: dict[str, str] = {}
    used: set[str] = set()
    nodes = 0

    def fits(name: str) -> bool:
        for relation in touching[name]:
            label, args = relation
            if all(x in mapping for x in args):
                image = (label, tuple(mapping[x] for x in args))
                if right.relations.get(image, 0) != left.relations[relation]:
                    return False
        return True

    tried: list[Iterator[str]] = []
    while True:
        if len(mapping) == len(order):
            # relations of both sides are equally many, so a map into them is a map onto them
            return dict(mapping)
        if len(tried) == len(mapping):
            tried.append(iter(members[colours[0][order[len(mapping)]]]))
        name = order[len(mapping)]
        advanced = False
        for candidate in tried[-1]:
            if candidate in used:
                continue
            nodes += 1
            if nodes > max_nodes:
                raise UndecidedError
            mapping[name] = candidate
            if fits(name):
                used.add(candidate)
                advanced = True
                break
            del mapping[name]
        if advanced:
            continue
        tried.pop()
        if not tried:
            return None
        last = order[len(tried) - 1]
        used.discard(mapping.pop(last))


def _connected_order(
    structure: _Structure,
    colours: Mapping[str, int],
    members: Mapping[int, list[str]],
    touching: Mapping[str, list[Relation]],
) -> list[str]:
    """Objects so that each comes soon after one that it is related to, rare colours first."""
    rest = set(structure.objects)
    order: list[str] = []
    frontier: set[str] = set()
    while rest:
        pool = frontier & rest or rest
        name = min(pool, key=lambda n: (len(members[colours[n]]), n))
        order.append(name)
        rest.discard(name)
        frontier.update(x for _, args in touching[name] for x in args)
    return order
