"""The vocabulary of a memory, and what its words imply about each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from embodied.symbolic import Domain
from embodied.types import Atom

ON, IN, AT = "on", "in", "at"
HOLDING, HAND_EMPTY, CLEAR, ABOVE = "holding", "hand-empty", "clear", "above"
UNDER = "under"
"""Of an object and the cover that hides it."""

PLACES = (ON, IN, AT)
"""Predicates of two arguments that say where the first one is."""

DERIVED = (CLEAR, HAND_EMPTY, ABOVE)
"""Predicates that follow from the places."""

OPPOSITES = tuple(
    frozenset(group.split())
    for group in (
        "dirty clean",
        "wet dry",
        "hot cold",
        "broken intact",
        "fresh rotten",
        "ripe unripe",
        "raw cooked",
        "sharp blunt",
        "fragile sturdy",
        "used unused",
    )
)
"""Words of which at most one is true of an object; people tell them, no camera measures them."""

_REMEMBERED = 4096

Facts = AbstractSet[Atom]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words of one memory: a planning domain, its objects, and what PDDL has no words for.

    The names in ``PLACES`` and ``DERIVED`` and ``holding`` have their usual meaning in every
    domain that uses them.

    Attributes:
        domain: Predicates with their types, and the actions that change them.
        objects: Type of every object by name.
        quantities: Names of constant positive quantities of one object, e.g. weight.
        attributes: Names of attributes of one object with their legal words; none means any word.
        opposites: Sets of predicates of which at most one holds of the same objects.
        contagious: Predicates of one object that pass to what it touches, so that the opposite
            cannot hold there.
        any_word: Whether any plain word may be told of one object, besides the domain's predicates.
    """

    domain: Domain
    objects: Mapping[str, str]
    quantities: frozenset[str] = frozenset({"weight"})
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    opposites: tuple[frozenset[str], ...] = (frozenset({"dirty", "clean"}),)
    contagious: frozenset[str] = frozenset({"dirty"})
    any_word: bool = False
    _static: frozenset[str] = field(init=False, default=frozenset(), repr=False, compare=False)
    _places: tuple[str, ...] = field(init=False, default=(), repr=False, compare=False)
    _on_top: frozenset[str] = field(init=False, default=frozenset(), repr=False, compare=False)
    _legal: set[Atom] = field(init=False, default_factory=set[Atom], repr=False, compare=False)

    def __post_init__(self) -> None:
        static = frozenset(self.domain.predicates) - self.domain.fluents()
        object.__setattr__(self, "_static", static)
        predicates = self.domain.predicates
        places = tuple(p for p in PLACES if len(predicates.get(p, ())) == 2)
        object.__setattr__(self, "_places", places)
        upper = predicates[ON][0] if ON in places else None
        names = {**self.domain.constants, **self.objects}
        on_top = (n for n, kind in names.items() if upper and self.domain.accepts(upper, kind))
        object.__setattr__(self, "_on_top", frozenset(on_top))

    @property
    def places(self) -> tuple[str, ...]:
        """The predicates of this domain that say where their first argument is."""
        return self._places

    def is_predicate(self, name: str) -> bool:
        """Whether the domain has this predicate."""
        return name in self.domain.predicates

    def is_told(self, name: str) -> bool:
        """Whether a name is a word that people tell of one object and that nothing measures."""
        known = self.is_predicate(name) or name in self.quantities or name in self.attributes
        return self.any_word and not known and name.isalpha()

    def is_static(self, name: str) -> bool:
        """Whether no action changes this predicate."""
        return name in self._static

    def kind_of(self, name: str) -> str | None:
        """PDDL type of an object or constant, None if there is no such object."""
        return self.objects.get(name) or self.domain.constants.get(name)

    def objection(self, atom: Atom) -> str:
        """Why an atom is not in this vocabulary, naming what is; ``""`` when it is."""
        if atom in self._legal:
            return ""
        problem = self._objection(atom)
        if not problem and len(self._legal) < _REMEMBERED:
            self._legal.add(atom)
        return problem

    def _objection(self, atom: Atom) -> str:
        name = atom.predicate
        if name in self.quantities or name in self.attributes or self.is_told(name):
            if len(atom.args) != 1:
                return f"'{name}' is about one object, got {len(atom.args)}"
            return self._unknown(atom.args)
        parameters = self.domain.predicates.get(name)
        if parameters is None:
            known = [*self.domain.predicates, *self.quantities, *self.attributes]
            return f"there is no predicate, quantity or attribute '{name}'; known: " + ", ".join(
                known
            )
        if len(parameters) != len(atom.args):
            names = " ".join(p.name for p in parameters)
            return f"'{name}' takes {len(parameters)} arguments ({names}), got {len(atom.args)}"
        unknown = self._unknown(atom.args)
        if unknown:
            return unknown
        for parameter, arg in zip(parameters, atom.args, strict=True):
            kind = self.kind_of(arg) or ""
            if not self.domain.accepts(parameter, kind):
                return (
                    f"'{arg}' is a {kind}, but {parameter.name} of '{name}' must be a "
                    + " or ".join(parameter.types)
                )
        return ""

    def can_be_on_top(self, name: str) -> bool:
        """Whether an object may rest on others; such a one carries one object at most."""
        return name in self._on_top

    def opposites_of(self, atom: Atom) -> Iterator[Atom]:
        """The atoms that cannot hold together with ``atom`` because it says the opposite."""
        for group in self.opposites:
            if atom.predicate in group:
                yield from (Atom(p, atom.args) for p in sorted(group - {atom.predicate}))

    def derived(self, facts: Facts, about: Iterable[str]) -> dict[Atom, bool]:
        """What follows from the places in ``facts`` for the objects in ``about``.

        Returns:
            Every atom of a derived predicate about these objects, and whether it holds.
        """
        found: dict[Atom, bool] = {}
        names = [n for n in dict.fromkeys(about) if self.can_be_on_top(n)]
        held = {a.args[0] for a in facts if a.predicate == HOLDING}
        if self.is_predicate(HAND_EMPTY):
            found[Atom(HAND_EMPTY)] = not held
        covered = {a.args[1] for a in facts if a.predicate == ON}
        covered |= {a.args[0] for a in facts if a.predicate == UNDER}
        if self.is_predicate(CLEAR):
            for name in names:
                atom = Atom(CLEAR, (name,))
                if not self.objection(atom):
                    found[atom] = name not in covered and name not in held
        if self.is_predicate(ABOVE):
            found |= self._above(facts)
        return found

    def _above(self, facts: Facts) -> dict[Atom, bool]:
        below = {a.args[0]: a.args[1] for a in facts if a.predicate == ON}
        found = {a: False for a in facts if a.predicate == ABOVE}
        for name in below:
            seen, under = {name}, below.get(name)
            while under is not None and under not in seen:
                if self.can_be_on_top(under):
                    found[Atom(ABOVE, (name, under))] = True
                seen.add(under)
                under = below.get(under)
        return found

    def _unknown(self, names: Iterable[str]) -> str:
        for name in names:
            if self.kind_of(name) is None:
                known = ", ".join([*self.objects, *self.domain.constants])
                return f"there is no object '{name}'; objects: {known}"
        return ""


def inconsistencies(vocabulary: Vocabulary, facts: Facts) -> tuple[str, ...]:
    """Everything in which a set of facts contradicts itself; empty when it does not.

    One place per object; no object on, in or above itself; an object that can rest on others
    carries one at most; nothing on, and no place for, what is held; one hand; what rests on a thing
    is in the same container; no opposites, nor next to each other where one of them is contagious;
    derived facts only where they follow. Written
    independently of the writer, whose work it judges.
    """
    found: list[str] = [f"{a}: {p}" for a in sorted(facts) if (p := vocabulary.objection(a))]
    if found:
        return tuple(found)
    places: dict[str, dict[str, list[str]]] = {p: {} for p in PLACES}
    for atom in sorted(facts):
        if atom.predicate in vocabulary.places:
            places[atom.predicate].setdefault(atom.args[0], []).append(atom.args[1])
    for predicate, where in places.items():
        found += [
            f"{x} is {predicate} {' and '.join(ys)} at once" for x, ys in where.items() if ys[1:]
        ]
    on, inside, at = places[ON], places[IN], places[AT]
    held = sorted(a.args[0] for a in facts if a.predicate == HOLDING)
    if held[1:]:
        found.append(f"the hand holds {' and '.join(held)} at once")
    found += [f"{x} is held and has a place" for x in held if x in on or x in inside or x in at]
    found += [f"{x} is in two kinds of places" for x in at if x in on or x in inside]
    carried: dict[str, list[str]] = {}
    for x, ys in on.items():
        carried.setdefault(ys[0], []).append(x)
    for y, xs in carried.items():
        if vocabulary.can_be_on_top(y) and xs[1:]:
            found.append(f"{y} carries {' and '.join(xs)} at once")
        if y in held:
            found.append(f"{y} is held and carries {xs[0]}")
        if vocabulary.can_be_on_top(y):
            found += [
                f"{x} rests on {y}, but they are not in the same container"
                for x in xs
                if inside.get(x) != inside.get(y)
            ]
    found += [
        f"{x} is on {on[x][0]} and in {inside[x][0]} at once"
        for x in on
        if x in inside and not vocabulary.can_be_on_top(on[x][0])
    ]
    found += _cycles({x: {*on.get(x, ()), *inside.get(x, ())} for x in (*on, *inside)})
    found += [
        f"{a} and {b} cannot both hold"
        for a in sorted(facts)
        for b in vocabulary.opposites_of(a)
        if b in facts and a < b
    ]
    found += [
        f"{a} touches {b}"
        for x, ys in on.items()
        for p in vocabulary.contagious
        for a, b in ((Atom(p, (x,)), Atom(p, (ys[0],))), (Atom(p, (ys[0],)), Atom(p, (x,))))
        if a in facts
        for b in vocabulary.opposites_of(b)
        if b in facts
    ]
    derived = vocabulary.derived(facts, vocabulary.objects)
    found += [f"{a} does not follow" for a, so in derived.items() if a in facts and not so]
    found += [
        f"{a} follows and is missing"
        for a, so in derived.items()
        if so and a not in facts and a.predicate == ABOVE
    ]
    return tuple(found)


def _cycles(parents: Mapping[str, AbstractSet[str]]) -> Iterator[str]:
    for start in parents:
        seen: set[str] = set()
        todo = set(parents[start])
        while todo:
            x = todo.pop()
            if x == start:
                yield f"{start} rests on itself"
                break
            if x not in seen:
                seen.add(x)
                todo |= parents.get(x, set())
