"""Clauses become requirements on the objects of the scene."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from embodied.language.rules.cursor import Abstain
from embodied.language.rules.discourse import (
    ANY,
    DRAWERS,
    IN,
    ITEMS,
    ON,
    TO,
    TRAY_LIKE,
    Discourse,
    Group,
    Role,
)
from embodied.language.rules.scene_words import ITEM
from embodied.language.rules.stage import Literal, Requirement, any_of, for_all, literals
from embodied.language.rules.syntax import (
    At,
    Clause,
    Empty,
    Hold,
    Keep,
    NounPhrase,
    Nouns,
    Place,
    Relation,
    Remove,
    SetOpen,
    Sort,
    Swap,
    Too,
    Tower,
    Towers,
)
from embodied.symbolic import And, Formula, Or, Proposition
from embodied.types import Atom

MAX_OPTIONS = 200
"""Most ways to choose objects that a goal lists."""


class GoalBuilder:
    """Turns the clauses of one stage after the other into requirements."""

    def __init__(self, discourse: Discourse) -> None:
        self.discourse = discourse
        self.towers: int | None = None

    def requirements(self, clause: Clause) -> list[Requirement]:
        """What a clause asks for.

        Raises:
            Abstain: It cannot be tied to the objects of the scene.
        """
        match clause:
            case Place():
                return self._place(clause)
            case Tower():
                return self._tower(clause)
            case Towers():
                self.towers = clause.count
                return []
            case Hold():
                return self._hold(clause)
            case Remove():
                return self._remove(clause)
            case Empty():
                return self._empty(clause)
            case SetOpen():
                return self._set_open(clause)
            case Sort():
                return self._sort(clause)
            case Swap():
                return self._swap(clause)
            case Keep():
                return self._keep(clause)
            case Too():
                return self._too(clause)

    # On and in -----------------------------------------------------------------------------------

    def _place(self, clause: Place) -> list[Requirement]:
        if len(clause.places) > 1:
            return self._several_places(clause)
        at = clause.places[0]
        if at.relation == "under":
            return self._under(clause, at)
        if at.noun is not None and at.noun.same_color:
            return self._sort(Sort(theme=clause.theme, into=at))
        groups = self._groups(clause.theme, ITEMS)
        if at.noun is None:
            predicate, spots = self._implied_spot(at)
            spot_group = Group(names=spots)
        else:
            spot_group, predicate = self._spot(at, groups)
        made = [r for g in groups for r in self._put(g, predicate, spot_group, clause.negated)]
        crowded = spot_group.names[0] if len(spot_group.names) == 1 else ""
        several = sum(g.choose or len(g.names) for g in groups if not g.none) > 1
        if several and crowded and self._is_item(crowded) and not clause.negated:
            raise Abstain(
                f"'{clause.theme.text}'",
                f"only one thing rests on the {_plain(crowded)}",
                "say 'build a tower of ...' to stack them",
            )
        moved = tuple(n for g in groups if g.choose is None and not g.none for n in g.names)
        self.discourse.moved(moved)
        if len(spot_group.names) == 1:
            self.discourse.went_to(predicate, spot_group.names[0])
        return made

    def _groups(self, theme: Nouns, role: Role) -> list[Group]:
        groups = [self.discourse.resolve(p, role) for p in theme.parts]
        if theme.alternatives:
            if any(g.choose is not None or g.none or len(g.names) > 1 for g in groups):
                raise Abstain(f"'{theme.text}'", "'or' joins single objects only")
            names = tuple(dict.fromkeys(n for g in groups for n in g.names))
            return [Group(names=names, choose=1 if len(names) > 1 else None)]
        return groups

    def _spot(self, at: At, groups: Sequence[Group]) -> tuple[Group, str]:
        """The objects of a place, and whether things are on or in them."""
        assert at.noun is not None
        role = {"on": ON, "in": IN, "to": TO}[at.relation]
        group = self.discourse.resolve(at.noun, role)
        if group.none:
            raise Abstain(f"'{at.text}'", "it is not clear which place is meant")
        predicates = {self._predicate(at, n) for n in group.names}
        if len(predicates) > 1:
            raise Abstain(f"'{at.text}'", "these are places of different kinds")
        return group, predicates.pop()

    def _predicate(self, at: At, name: str) -> str:
        spec = self.discourse.spec(name)
        inside = spec.kind in ("container", "drawer")
        wanted = {"on": False, "in": True}.get(at.relation, inside)
        if wanted != inside and spec.category not in TRAY_LIKE:
            right = "in" if inside else "on"
            raise Abstain(f"'{at.text}'", f"things go {right} the {_plain(name)}")
        return "in" if inside else "on"

    def _implied_spot(self, at: At) -> tuple[str, tuple[str, ...]]:
        """The place of "on top" and "inside"."""
        d = self.discourse
        if at.relation == "in":
            inside = [n for n in (d.place[1] if d.place else "", d.drawer, *d.mentioned[::-1]) if n]
            for name in inside:
                if d.spec(name).kind in ("container", "drawer"):
                    return "in", (name,)
        elif len(d.theme) == 1:
            return "on", d.theme
        raise Abstain(f"'{at.text}'", f"it is not clear {at.relation} what")

    def _put(self, group: Group, predicate: str, spots: Group, negated: bool) -> list[Requirement]:
        """Requirements that put a group's objects to a place, or keep them from it."""
        places = spots.names
        if negated or group.none:
            return self._kept_from(group, predicate, places, twice=negated and group.none)
        if group.choose is not None:
            chosen = spots.choose is None and len(places) > 1
            if chosen and group.choose > 1:
                raise Abstain("sentence", "it is not clear how these shall be shared out")
            return [
                self._some(group, predicate, (p,))
                for p in (places if chosen else [places[0]])
                if spots.choose is None
            ] or [self._some(group, predicate, places)]
        if spots.choose is not None:
            return [
                self._place_requirement(
                    general=any_of([_at(predicate, n, p)] for p in places if p != n), names=(n,)
                )
                for n in group.names
            ]
        if len(places) > 1:
            listed = " and ".join(f"the {_plain(p)}" for p in places)
            raise Abstain("sentence", f"nothing can be {predicate} {listed} at once", "name one")
        self._check_fit(group.names, predicate, places[0])
        made = [self._all_of(group, predicate, places[0])]
        if group.only:
            others = [n for n in self.discourse.scene.items if n not in group.names]
            made += self._kept_from(
                Group(names=tuple(o for o in others if o != places[0])), predicate, places
            )
        return made

    def _all_of(self, group: Group, predicate: str, place: str) -> Requirement:
        general = None
        if group.category and place not in group.names:
            body = Proposition(predicate, ("?x", place))
            general = for_all([("?x", group.category)], body, positive=True)
        return Requirement(
            kind="place",
            literals=tuple(_at(predicate, n, place) for n in group.names),
            general=general,
            names=frozenset((*group.names, place)),
        )

    def _kept_from(
        self, group: Group, predicate: str, places: tuple[str, ...], *, twice: bool = False
    ) -> list[Requirement]:
        if twice or group.choose is not None:
            raise Abstain("sentence", "I do not understand this negation")
        made: list[Requirement] = []
        for place in places:
            names = [n for n in group.names if n != place]
            general = None
            if group.category and len(names) == len(group.names):
                body = Proposition(predicate, ("?x", place))
                general = for_all([("?x", group.category)], body, positive=False)
            found = literals((Atom(predicate, (n, place)) for n in names), positive=False)
            kind = "empty" if group.none else "keep-out"
            made.append(
                Requirement(
                    kind=kind, literals=found, general=general, names=frozenset((*names, place))
                )
            )
            if group.none and group.excluded:
                made.append(self._all_of(Group(names=group.excluded), predicate, place))
        return made

    def _some(self, group: Group, predicate: str, places: tuple[str, ...]) -> Requirement:
        """So many of a group at one of the places, whichever they are."""
        assert group.choose is not None
        options: list[Sequence[Literal]] = []
        for place in places:
            names = [n for n in group.names if n != place and self._fits(n, predicate, place)]
            for chosen in itertools.combinations(names, group.choose):
                option = [_at(predicate, n, place) for n in chosen]
                if group.exactly:
                    rest = [n for n in names if n not in chosen]
                    option += literals((Atom(predicate, (n, place)) for n in rest), positive=False)
                options.append(option)
                _check_number(options)
        if not options:
            raise Abstain("sentence", f"none of these fits {predicate} the {_plain(places[0])}")
        return self._place_requirement(general=any_of(options), names=group.names)

    def _place_requirement(self, *, general: Formula, names: tuple[str, ...]) -> Requirement:
        return Requirement(kind="place", general=general, names=frozenset(names))

    def _check_fit(self, names: Sequence[str], predicate: str, place: str) -> None:
        too_big = [n for n in names if not self._fits(n, predicate, place)]
        if too_big:
            listed = " and ".join(f"the {_plain(n)}" for n in too_big)
            verb = "does" if len(too_big) == 1 else "do"
            hint = ""
            if len(names) > 1:
                hint = f"say 'everything except {listed}'"
            raise Abstain("goal", f"{listed} {verb} not fit into the {_plain(place)}", hint)

    def _fits(self, name: str, predicate: str, place: str) -> bool:
        known = any(a.predicate == "fits" for a in self.discourse.facts)
        return predicate != "in" or not known or Atom("fits", (name, place)) in self.discourse.facts

    def _under(self, clause: Place, at: At) -> list[Requirement]:
        """ "A under B" is B on A."""
        noun = at.noun or NounPhrase(text="it", pronoun="it")
        lower = self._groups(clause.theme, ITEMS)
        upper = self.discourse.resolve(noun, ANY)
        names = [n for g in lower for n in g.names]
        if len(names) != 1 or len(upper.names) != 1 or not self._is_item(upper.names[0]):
            raise Abstain(f"'{at.text}'", "'under' is covered for one item under another item only")
        self.discourse.moved(upper.names)
        self.discourse.went_to("on", names[0])
        literal = Literal(Atom("on", (upper.names[0], names[0])), not clause.negated)
        return [
            Requirement(
                kind="place", literals=(literal,), names=frozenset((*names, upper.names[0]))
            )
        ]

    def _several_places(self, clause: Place) -> list[Requirement]:
        """ "Put A on B on C": a chain for "stack", else one of the places says which A or B."""
        if clause.stacked or len(clause.places) > 2:
            return self._chain(clause)
        first, second = clause.places
        readings: list[tuple[Place, Discourse]] = []
        reasons: list[Abstain] = []
        for reading in self._readings(clause, first, second):
            trial = GoalBuilder(_copy(self.discourse))
            try:
                trial._place(reading)
            except Abstain as why:
                reasons.append(why)
            else:
                readings.append((reading, trial.discourse))
        if len(readings) == 1:
            return self._place(readings[0][0])
        text = f"'{first.text} {second.text}'"
        if readings:
            raise Abstain(text, "this can be read in two ways", "say it in two parts")
        raise reasons[0] if reasons else Abstain(text, "these are two places at once")

    def _readings(self, clause: Place, first: At, second: At) -> Iterator[Place]:
        if first.noun and first.relation in ("on", "in") and len(clause.theme.parts) == 1:
            part = clause.theme.parts[0]
            if not part.pronoun:
                where = (True, first.relation, first.noun)
                theme = Nouns(parts=(_located(part, where),))
                yield Place(theme=theme, places=(second,), negated=clause.negated)
        if first.noun and second.noun and second.relation in ("on", "in"):
            where = (True, second.relation, second.noun)
            noun = _located(first.noun, where)
            place = At(relation=first.relation, noun=noun, text=first.text)
            yield Place(theme=clause.theme, places=(place,), negated=clause.negated)

    def _chain(self, clause: Place) -> list[Requirement]:
        """A on B, B on C and so on."""
        made: list[Requirement] = []
        theme = clause.theme
        for at in clause.places:
            made += self._place(Place(theme=theme, places=(at,), negated=clause.negated))
            if at.noun is not None:
                theme = Nouns(parts=(at.noun,))
        if clause.negated and len(made) > 1:
            raise Abstain(f"'{clause.theme.text}'", "I do not understand this negation")
        return made

    # Towers --------------------------------------------------------------------------------------

    def _tower(self, clause: Tower) -> list[Requirement]:
        groups = [self.discourse.resolve(p, ITEMS) for p in clause.members]
        base = self._base(clause.base) if clause.base else None
        if clause.ordered and all(len(g.names) == 1 and g.choose is None for g in groups):
            names = [g.names[0] for g in groups]
            self._check_height(clause, len(names))
            pairs = [_at("on", upper, lower) for lower, upper in itertools.pairwise(names)]
            if base:
                pairs = [_at("on", names[0], base), *pairs]
            if not pairs:
                raise Abstain("sentence", "a tower needs at least two members")
            self._tower_built(names, base)
            return [Requirement(kind="place", literals=tuple(pairs), names=frozenset(names))]
        pool = tuple(dict.fromkeys(n for g in groups for n in g.names))
        size = sum(g.choose or len(g.names) for g in groups)
        if any(g.none for g in groups) or (size != len(pool) and len(groups) > 1):
            raise Abstain("sentence", "it is not clear what this tower is made of")
        self._check_height(clause, size)
        if size == 1 and base:
            self._tower_built(list(pool), base)
            return [
                Requirement(
                    kind="place", literals=(_at("on", pool[0], base),), names=frozenset(pool)
                )
            ]
        if size < 2:
            raise Abstain("sentence", "a tower needs at least two members")
        solid = [n for n in pool if self.discourse.spec(n).stackable]
        if len(pool) - len(solid) > 1 and size == len(pool):
            listed = " and ".join(f"the {_plain(n)}" for n in pool if n not in solid)
            raise Abstain("sentence", f"nothing can rest on {listed}")
        self.discourse.moved(pool)
        self.discourse.notes.append("the sentence gives no order for the tower; any order will do")
        if size == len(pool) and size > 4:
            general = _tower_of_all(pool, set(solid), base)
        else:
            general = any_of(_tower_options(pool, size, set(solid), base))
        return [Requirement(kind="place", general=general, names=frozenset(pool))]

    def _base(self, at: At) -> str:
        if at.noun is None:
            raise Abstain(f"'{at.text}'", "it is not clear on what the tower shall stand")
        group, predicate = self._spot(at, [])
        if len(group.names) != 1 or predicate != "on":
            raise Abstain(f"'{at.text}'", "a tower stands on one surface or item")
        return group.names[0]

    def _check_height(self, clause: Tower, size: int) -> None:
        if clause.count is not None and clause.count != size:
            raise Abstain(
                "sentence", f"a tower of {clause.count} is asked for, but {size} are named"
            )

    def _tower_built(self, names: list[str], base: str | None) -> None:
        self.discourse.notes.append(
            "tower from bottom to top: " + ", ".join(_plain(n) for n in names)
        )
        self.discourse.moved(tuple(names))
        self.discourse.theme = (names[-1],)
        if base:
            self.discourse.went_to("on", base)

    def check_towers(self, made: Sequence[Requirement]) -> None:
        """Compare the number of towers that was announced with those that were described."""
        if self.towers is None:
            return
        on = [x.atom for r in made for x in r.literals if x.positive and x.atom.predicate == "on"]
        stacked = {a.args[0] for a in on if self._is_item(a.args[1])}
        bases = {a.args[1] for a in on if self._is_item(a.args[1])} - stacked
        if len(bases) != self.towers:
            raise Abstain(
                "sentence", f"{self.towers} towers are announced, but {len(bases)} described"
            )
        self.towers = None

    # Other verbs ---------------------------------------------------------------------------------

    def _hold(self, clause: Hold) -> list[Requirement]:
        groups = self._groups(clause.theme, ITEMS)
        if any(g.none for g in groups):
            raise Abstain(f"'{clause.theme.text}'", "I do not understand this negation")
        names = tuple(n for g in groups if g.choose is None for n in g.names)
        self.discourse.moved(names)
        if len(groups) == 1 and groups[0].choose is not None:
            if groups[0].choose > 1:
                raise Abstain(f"'{clause.theme.text}'", "there is one hand, it holds one thing")
            options = [[Literal(Atom("holding", (n,)))] for n in groups[0].names]
            return [Requirement(kind="hold", general=any_of(options), names=frozenset(names))]
        return [
            Requirement(
                kind="hold",
                literals=(Literal(Atom("holding", (n,)), not clause.negated),),
                names=frozenset((n,)),
            )
            for n in names
        ]

    def _remove(self, clause: Remove) -> list[Requirement]:
        at = clause.source
        if at.noun is None:
            return self._remove_anywhere(clause)
        spots = self.discourse.resolve(at.noun, ANY)
        if spots.choose is not None or spots.none:
            raise Abstain(f"'{at.text}'", "it is not clear from where")
        place = Nouns(parts=clause.theme.parts)
        groups = self._groups(place, ITEMS)
        made: list[Requirement] = []
        for spot in spots.names:
            predicate = self._predicate_from(at, spot)
            for group in groups:
                if group.none:
                    raise Abstain(f"'{clause.theme.text}'", "I do not understand this negation")
                made += self._kept_from(group, predicate, (spot,))
        moved = tuple(n for g in groups for n in g.names)
        self.discourse.moved(moved)
        return [_as_kind(r, "remove") for r in made]

    def _predicate_from(self, at: At, name: str) -> str:
        inside = self.discourse.spec(name).kind in ("container", "drawer")
        wanted = {"on": False, "in": True}.get(at.relation, inside)
        loose = self.discourse.spec(name).category in TRAY_LIKE
        if wanted and not inside and not loose:
            raise Abstain(f"'{at.text}'", f"nothing is in the {_plain(name)}")
        return "in" if inside else "on"

    def _remove_anywhere(self, clause: Remove) -> list[Requirement]:
        """Off every other item, or out of every container."""
        groups = self._groups(clause.theme, ITEMS)
        names = tuple(n for g in groups if g.choose is None and not g.none for n in g.names)
        if not names:
            raise Abstain(f"'{clause.theme.text}'", "it is not clear which one")
        predicate = clause.source.relation
        kind = ITEM if predicate == "on" else "container"
        others = [
            n
            for n, o in self.discourse.scene.specs.items()
            if (o.kind == "item") == (predicate == "on")
            and (predicate == "on" or o.kind in ("container", "drawer"))
        ]
        self.discourse.moved(names)
        body = Proposition(predicate, ("?x", "?y"))
        category = groups[0].category if len(groups) == 1 else ""
        if category:
            general = for_all([("?x", category), ("?y", kind)], body, positive=False)
            found = [(n, o) for n in names for o in others if n != o]
            return [
                Requirement(
                    kind="remove",
                    literals=literals((Atom(predicate, p) for p in found), positive=False),
                    general=general,
                    names=frozenset(names),
                )
            ]
        return [
            Requirement(
                kind="remove",
                literals=literals(
                    (Atom(predicate, (n, o)) for o in others if n != o), positive=False
                ),
                general=for_all([("?y", kind)], Proposition(predicate, (n, "?y")), positive=False),
                names=frozenset((n,)),
            )
            for n in names
        ]

    def _empty(self, clause: Empty) -> list[Requirement]:
        d = self.discourse
        excluded = [n for p in clause.excluded for n in d.resolve(p, ANY).names]
        made: list[Requirement] = []
        for part in clause.places.parts:
            spots = d.resolve(_without_exceptions(part), ANY)
            if spots.choose is not None or spots.none:
                raise Abstain(f"'{part.text}'", "it is not clear which place is meant")
            for spot in spots.names:
                predicate = "in" if d.spec(spot).kind in ("container", "drawer") else "on"
                if clause.into is not None:
                    made += self._poured(spot, predicate, clause.into)
                left = tuple(n for n in d.scene.items if n not in excluded)
                everything = ITEM if not excluded and not self._is_item(spot) else ""
                group = Group(names=left, none=True, category=everything)
                made += self._kept_from(group, predicate, (spot,))
                d.went_to(predicate, spot)
        return made

    def _poured(self, spot: str, predicate: str, into: At) -> list[Requirement]:
        """What is in or on ``spot`` now goes to another place."""
        d = self.discourse
        contents = tuple(n for n in d.scene.items if Atom(predicate, (n, spot)) in d.facts)
        if not contents:
            raise Abstain(
                f"'{into.text}'", f"it is not known that anything is {predicate} the {_plain(spot)}"
            )
        group, to = self._spot(into, [])
        return self._put(Group(names=contents), to, group, negated=False)

    def _set_open(self, clause: SetOpen) -> list[Requirement]:
        made: list[Requirement] = []
        for part in clause.theme.parts:
            group = self.discourse.resolve(part, DRAWERS)
            if group.choose is not None or group.none:
                raise Abstain(f"'{part.text}'", "it is not clear which drawer")
            for name in group.names:
                self.discourse.drawer = name
                literal = Literal(Atom("open", (name,)), clause.open)
                made.append(Requirement(kind="open", literals=(literal,), names=frozenset((name,))))
        return made

    def _sort(self, clause: Sort) -> list[Requirement]:
        """To the place of the same colour."""
        d = self.discourse
        names = [n for g in self._groups(clause.theme, ITEMS) for n in g.names]
        if clause.into is not None and clause.into.noun is not None:
            noun = clause.into.noun
            places = d.scene.named(noun.head)
        else:
            places = frozenset(n for n, o in d.scene.specs.items() if o.kind != "item")
        made: list[Requirement] = []
        for name in names:
            color = d.spec(name).color
            matching = [
                n
                for n in d.scene.specs
                if n in places and color and d.spec(n).color == color and n != name
                and d.spec(n).kind != "item"
            ]  # fmt: skip
            if len(matching) != 1:
                what = "no place" if not matching else "more than one place"
                raise Abstain(
                    f"'{clause.theme.text}'",
                    f"there is {what} of the colour of the {_plain(name)} ({color or 'none'})",
                    "say where each shall go",
                )
            inside = d.spec(matching[0]).kind != "surface"
            made.append(self._all_of(Group(names=(name,)), "in" if inside else "on", matching[0]))
        d.moved(tuple(names))
        return made

    def _swap(self, clause: Swap) -> list[Requirement]:
        d = self.discourse
        names = [n for p in clause.theme.parts for n in d.resolve(p, ITEMS).names]
        if len(names) != 2:
            raise Abstain(f"'{clause.theme.text}'", "two objects are needed to swap")
        first, second = names
        at_first, at_second = d.location(first), d.location(second)
        if at_first is None or at_second is None:
            raise Abstain(f"'{clause.theme.text}'", "it is not known where they are now")
        if at_first == at_second:
            raise Abstain(
                f"'{clause.theme.text}'",
                f"both are {at_first[0]} the {_plain(at_first[1])}; where on it is not covered",
            )
        to_first = (at_second[0], second if at_second[1] == first else at_second[1])
        to_second = (at_first[0], first if at_first[1] == second else at_first[1])
        found = (_at(to_first[0], first, to_first[1]), _at(to_second[0], second, to_second[1]))
        d.moved((first, second))
        return [Requirement(kind="place", literals=found, names=frozenset(names))]

    def _keep(self, clause: Keep) -> list[Requirement]:
        """Where it is now."""
        d = self.discourse
        made: list[Requirement] = []
        for group in self._groups(clause.theme, ANY):
            for name in group.names:
                place = d.location(name)
                if d.spec(name).kind == "drawer":
                    raise Abstain(
                        f"'{clause.theme.text}'", "say whether it shall be open or closed"
                    )
                if place is None:
                    raise Abstain(
                        f"'{clause.theme.text}'", f"it is not known where the {_plain(name)} is now"
                    )
                made.append(
                    Requirement(
                        kind="place",
                        literals=(_at(place[0], name, place[1]),),
                        names=frozenset((name,)),
                    )
                )
                d.notes.append(f"the {_plain(name)} shall end up {place[0]} the {_plain(place[1])}")
        return made

    def _too(self, clause: Too) -> list[Requirement]:
        d = self.discourse
        groups = self._groups(clause.theme, ITEMS)
        if d.place is None:
            raise Abstain(f"'{clause.theme.text}'", "it is not clear what shall be done with this")
        predicate, spot = d.place
        if any(g.none for g in groups) and clause.negated:
            raise Abstain(f"'{clause.theme.text}'", "I do not understand this negation")
        if predicate == "on" and self._is_item(spot) and not clause.negated:
            raise Abstain(
                f"'{clause.theme.text}'",
                f"only one thing rests on the {_plain(spot)}",
                "name a place",
            )
        place = Group(names=(spot,))
        made = [r for g in groups for r in self._put(g, predicate, place, clause.negated)]
        d.moved(tuple(n for g in groups if g.choose is None and not g.none for n in g.names))
        return made

    def _is_item(self, name: str) -> bool:
        return self.discourse.spec(name).kind == "item"


def _at(predicate: str, item: str, place: str) -> Literal:
    return Literal(Atom(predicate, (item, place)))


def _as_kind(requirement: Requirement, kind: str) -> Requirement:
    return Requirement(
        kind=kind,
        literals=requirement.literals,
        general=requirement.general,
        names=requirement.names,
    )


def _located(phrase: NounPhrase, where: tuple[bool, Relation, NounPhrase]) -> NounPhrase:
    return replace(phrase, where=where)


def _without_exceptions(phrase: NounPhrase) -> NounPhrase:
    return replace(phrase, excluded=())


def _copy(discourse: Discourse) -> Discourse:
    return replace(
        discourse,
        themes=list(discourse.themes),
        mentioned=list(discourse.mentioned),
        notes=list(discourse.notes),
    )


def _check_number(options: Sequence[object]) -> None:
    if len(options) > MAX_OPTIONS:
        raise Abstain("sentence", f"there are more than {MAX_OPTIONS} ways to choose", "name them")


def _tower_options(
    pool: tuple[str, ...], size: int, solid: set[str], base: str | None
) -> Iterator[list[Literal]]:
    """Every order of every choice of ``size`` members, from bottom to top."""
    for number, order in enumerate(itertools.permutations(pool, size)):
        _check_number(range(number))
        if all(n in solid for n in order[:-1]):
            pairs = [_at("on", upper, lower) for lower, upper in itertools.pairwise(order)]
            yield [_at("on", order[0], base), *pairs] if base else pairs


def _tower_of_all(pool: tuple[str, ...], solid: set[str], base: str | None) -> Formula:
    """One member at the bottom, and every other one on some member.

    Since one thing at most rests on an item, that is one tower.
    """
    options: list[Formula] = []
    for bottom in pool:
        others = [
            Or(
                tuple(
                    _at("on", n, below).formula for below in pool if below != n and below in solid
                )
            )
            for n in pool
            if n != bottom
        ]
        stands = [_at("on", bottom, base).formula] if base else []
        options.append(And((*stands, *others)))
    return Or(tuple(options))


def _plain(name: str) -> str:
    return name.replace("-", " ")
