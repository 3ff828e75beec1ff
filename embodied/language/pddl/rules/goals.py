"""Clauses become requirements on the objects of the scene."""

from __future__ import annotations

from dataclasses import replace

from embodied.language.pddl.rules.discourse import ANY, DRAWERS, ITEMS, TRAY_LIKE, Group
from embodied.language.pddl.rules.placing import at_place
from embodied.language.pddl.rules.stage import Literal, Requirement, any_of, for_all, literals
from embodied.language.pddl.rules.syntax import (
    Asked,
    At,
    Clause,
    Empty,
    Hold,
    Home,
    Keep,
    NounPhrase,
    Nouns,
    Place,
    Remove,
    SetOpen,
    Sort,
    Spot,
    Swap,
    Too,
    Tower,
    Towers,
)
from embodied.language.pddl.rules.towers import TowerBuilding
from embodied.language.words.cursor import Abstain
from embodied.language.words.scene_words import ITEM, plain
from embodied.symbolic import Proposition
from embodied.types import Atom


class GoalBuilder(TowerBuilding):
    """Turns one clause after the other into requirements."""

    def requirements(self, clause: Clause) -> list[Requirement]:
        """What a clause asks for.

        Raises:
            Abstain: It cannot be tied to the objects of the scene.
        """
        match clause:
            case Place():
                return self.place(clause)
            case Tower():
                return self.tower(clause)
            case Towers():
                self.announced = clause.count
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
                return self.sort(clause)
            case Swap():
                return self._swap(clause)
            case Keep():
                return self._keep(clause)
            case Home():
                return [Requirement(kind="home")]
            case Too():
                return self._too(clause)
            case Asked():
                return self._asked(clause)

    def _asked(self, clause: Asked) -> list[Requirement]:
        """What a skill's sentence asks for, of each object that it speaks of."""
        made: list[Requirement] = []
        for group in self.groups(clause.theme, DRAWERS if clause.kind == "drawer" else ITEMS):
            if group.none or group.choose is not None:
                raise Abstain(f"'{clause.theme.text}'", "it is not clear which one")
            for name in group.names:
                atom = Atom.parse(clause.goal.replace("{x}", name))
                wanted = (Literal(atom),)
                made.append(Requirement(kind="skill", literals=wanted, names=frozenset((name,))))
        return made

    def _hold(self, clause: Hold) -> list[Requirement]:
        groups = self.groups(clause.theme, ITEMS)
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
        groups = self._groups_at(clause.theme, at)
        made: list[Requirement] = []
        if at.text.startswith("away from") and not self._lie_there(groups, spots.names):
            noun = Nouns(parts=(at.noun,))
            away = At(relation="spot", noun=None, text=at.text, spot=Spot(relation="away", of=noun))
            return self.spotted(Place(theme=clause.theme, places=(away,)), away)
        for spot in spots.names:
            predicate = self._predicate_from(at, spot)
            for group in groups:
                if group.none:
                    raise Abstain(f"'{clause.theme.text}'", "I do not understand this negation")
                made += self.kept_from(group, predicate, (spot,))
        moved = tuple(n for g in groups for n in g.names)
        self.discourse.moved(moved)
        return [replace(r, kind="remove") for r in made]

    def _lie_there(self, groups: list[Group], spots: tuple[str, ...]) -> bool:
        """Whether a thing of the groups is on or in one of the spots."""
        places = [self.discourse.location(n) for g in groups for n in g.names]
        return any(p is not None and p[1] in spots for p in places)

    def _groups_at(self, theme: Nouns, at: At) -> list[Group]:
        """The theme's objects; where several fit, those that are at the place now."""
        try:
            return self.groups(theme, ITEMS)
        except Abstain:
            if at.noun is None or not self.discourse.facts:
                raise
            where = (True, at.relation, at.noun)
            parts = tuple(p if p.pronoun else replace(p, where=where) for p in theme.parts)
            return self.groups(replace(theme, parts=parts), ITEMS)

    def _predicate_from(self, at: At, name: str) -> str:
        inside = self.discourse.spec(name).kind in ("container", "drawer")
        wanted = {"on": False, "in": True}.get(at.relation, inside)
        loose = self.discourse.spec(name).category in TRAY_LIKE
        if wanted and not inside and not loose:
            raise Abstain(f"'{at.text}'", f"nothing is in the {plain(name)}")
        return "in" if inside else "on"

    def _remove_anywhere(self, clause: Remove) -> list[Requirement]:
        """Off every other item, or out of every container."""
        groups = self.groups(clause.theme, ITEMS)
        names = tuple(n for g in groups if g.choose is None and not g.none for n in g.names)
        if not names:
            raise Abstain(f"'{clause.theme.text}'", "it is not clear which one")
        predicate = clause.source.relation
        places = [self.discourse.location(n) for n in names]
        fixed = [p for p in places if p and p[0] == predicate and not self.is_item(p[1])]
        if len(fixed) == len(names) and all(p[1] != "table" for p in fixed):
            self.discourse.moved(names)
            off = [Atom(*p[:1], (n, p[1])) for n, p in zip(names, fixed, strict=True)]
            return [
                Requirement(
                    kind="remove", literals=literals(off, positive=False), names=frozenset(names)
                )
            ]
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
            spots = d.resolve(replace(part, excluded=()), ANY)
            if spots.choose is not None or spots.none:
                raise Abstain(f"'{part.text}'", "it is not clear which place is meant")
            for spot in spots.names:
                predicate = "in" if d.spec(spot).kind in ("container", "drawer") else "on"
                if clause.into is not None:
                    made += self._poured(spot, predicate, clause.into)
                left = tuple(n for n in d.scene.items if n not in excluded)
                everything = ITEM if not excluded and not self.is_item(spot) else ""
                group = Group(names=left, none=True, category=everything)
                made += self.kept_from(group, predicate, (spot,))
                d.went_to(predicate, spot)
        return made

    def _poured(self, spot: str, predicate: str, into: At) -> list[Requirement]:
        """What is in or on ``spot`` now goes to another place."""
        d = self.discourse
        contents = tuple(n for n in d.scene.items if Atom(predicate, (n, spot)) in d.facts)
        if not contents:
            raise Abstain(
                f"'{into.text}'", f"it is not known that anything is {predicate} the {plain(spot)}"
            )
        group, to = self.spot(into, [])
        return self.put(Group(names=contents), to, group, negated=False)

    def _set_open(self, clause: SetOpen) -> list[Requirement]:
        made: list[Requirement] = []
        if clause.taken_out and not self.discourse.theme and self.discourse.earlier:
            self.discourse.theme = self.discourse.earlier[-1:]
        if clause.taken_out and self.discourse.theme:
            out = At(relation="in", noun=None, text="out")
            return self._remove(Remove(theme=clause.theme, source=out))
        for part in clause.theme.parts:
            group = self.discourse.resolve(part, DRAWERS)
            if group.choose is not None or group.none:
                raise Abstain(f"'{part.text}'", "it is not clear which drawer")
            for name in group.names:
                self.discourse.drawer = name
                literal = Literal(Atom("open", (name,)), clause.open)
                made.append(Requirement(kind="open", literals=(literal,), names=frozenset((name,))))
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
        if at_first == at_second and self.discourse.spec(at_first[1]).kind == "surface":
            return self.exchanged(first, second)
        if at_first == at_second:
            raise Abstain(
                f"'{clause.theme.text}'",
                f"both are {at_first[0]} the {plain(at_first[1])}; where on it is not covered",
            )
        to_first = (at_second[0], second if at_second[1] == first else at_second[1])
        to_second = (at_first[0], first if at_first[1] == second else at_first[1])
        found = (
            at_place(to_first[0], first, to_first[1]),
            at_place(to_second[0], second, to_second[1]),
        )
        d.moved((first, second))
        return [Requirement(kind="place", literals=found, names=frozenset(names))]

    def _keep(self, clause: Keep) -> list[Requirement]:
        """Where it is now."""
        d = self.discourse
        made: list[Requirement] = []
        if any(p.other for p in clause.theme.parts) and not (d.themes or d.earlier):
            raise Abstain(f"'{clause.theme.text}'", "it is not clear of what that is the rest")
        for group in self.groups(clause.theme, ANY):
            for name in group.names:
                place = d.location(name)
                if d.spec(name).kind == "drawer" and d.facts:
                    opened = Literal(Atom("open", (name,)), Atom("open", (name,)) in d.facts)
                    made.append(
                        Requirement(kind="open", literals=(opened,), names=frozenset((name,)))
                    )
                    d.notes.append(f"the {plain(name)} shall end up as open or closed as it is")
                    continue
                if d.spec(name).kind == "drawer":
                    raise Abstain(f"'{clause.theme.text}'", "say whether open or closed")
                if d.spec(name).kind != "item":
                    raise Abstain(f"'{clause.theme.text}'", f"the {plain(name)} is fixed anyway")
                if place is None:
                    raise Abstain(
                        f"'{clause.theme.text}'", f"it is not known where the {plain(name)} is now"
                    )
                made.append(
                    Requirement(
                        kind="place",
                        literals=(at_place(place[0], name, place[1]),),
                        names=frozenset((name,)),
                    )
                )
                d.notes.append(f"the {plain(name)} shall end up {place[0]} the {plain(place[1])}")
        return made

    def _too(self, clause: Too) -> list[Requirement]:
        d = self.discourse
        if d.theme and not clause.negated and len(clause.theme.parts) == 1:
            group = d.resolve(clause.theme.parts[0], ANY)
            if len(group.names) == 1 and d.spec(group.names[0]).kind != "item":  # "the crate"
                to = At(relation="to", noun=clause.theme.parts[0], text=clause.theme.text)
                same = NounPhrase(text="the same", pronoun="same")
                return self.place(Place(theme=Nouns(parts=(same,)), places=(to,)))
        groups = self.groups(clause.theme, ITEMS)
        if d.place is None:
            raise Abstain(f"'{clause.theme.text}'", "it is not clear what shall be done with this")
        predicate, spot = d.place
        if any(g.none for g in groups) and clause.negated:
            raise Abstain(f"'{clause.theme.text}'", "I do not understand this negation")
        if predicate == "on" and self.is_item(spot) and not clause.negated:
            raise Abstain(
                f"'{clause.theme.text}'",
                f"only one thing rests on the {plain(spot)}",
                "name a place",
            )
        place = Group(names=(spot,))
        made = [r for g in groups for r in self.put(g, predicate, place, clause.negated)]
        d.moved(tuple(n for g in groups if g.choose is None and not g.none for n in g.names))
        return made
