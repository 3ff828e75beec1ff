"""On and in: where clauses put things."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from embodied.language.pddl.rules.discourse import (
    ANY,
    IN,
    ITEMS,
    ON,
    TO,
    TRAY_LIKE,
    Discourse,
    Group,
    Role,
)
from embodied.language.pddl.rules.stage import Literal, Requirement, any_of, for_all, literals
from embodied.language.pddl.rules.syntax import At, NounPhrase, Nouns, Place, Relation, Sort
from embodied.language.words.cursor import Abstain
from embodied.language.words.scene_words import plain
from embodied.symbolic import Formula, Proposition
from embodied.types import Atom, Placement

MAX_OPTIONS = 200
"""Most ways to choose objects that a goal lists."""


class Placing:
    """Requirements of "put A on B" and its like.

    Args:
        discourse: What was said before; updated by every clause.
    """

    def __init__(self, discourse: Discourse) -> None:
        self.discourse = discourse

    def sort(self, clause: Sort) -> list[Requirement]:
        """To the place of the same colour."""
        d = self.discourse
        names = [n for g in self.groups(clause.theme, ITEMS) for n in g.names]
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
                    f"there is {what} of the colour of the {plain(name)} ({color or 'none'})",
                    "say where each shall go",
                )
            inside = d.spec(matching[0]).kind != "surface"
            made.append(self.all_of(Group(names=(name,)), "in" if inside else "on", matching[0]))
        d.moved(tuple(names))
        return made

    def place(self, clause: Place) -> list[Requirement]:
        """Put things somewhere, or keep them from there.

        Raises:
            Abstain: Unclear, impossible or contradictory.
        """
        at, *more = clause.places
        if at.spot is not None and not more:
            return self.spotted(clause, at)
        if at.noun is not None and at.noun.pronoun == "there" and self.discourse.spot is not None:
            return self.again(clause, self.discourse.spot)
        if more and at.spot is not None and at.spot.each_other and more[0].noun is not None:
            at, more = more[0], [at]
        if more and more[0].spot is not None and at.noun is not None:
            group, predicate = self.spot(at, ())
            if predicate == "on" and len(group.names) == 1:
                return self.spotted(clause, more[0], group.names[0])
        if more:
            return self._several_places(clause, at, more[0])
        if at.relation == "under":
            return self._under(clause, at)
        if at.noun is not None and at.noun.same_color:
            return self.sort(Sort(theme=clause.theme, into=at))
        groups = self.groups(clause.theme, ITEMS)
        if at.noun is None:
            predicate, spots = self._impliedspot(at)
            spot_group = Group(names=spots)
        else:
            spot_group, predicate = self.spot(at, groups)
        made = [r for g in groups for r in self.put(g, predicate, spot_group, clause.negated)]
        crowded = spot_group.names[0] if len(spot_group.names) == 1 else ""
        several = sum(g.choose or len(g.names) for g in groups if not g.none) > 1
        if several and crowded and self.is_item(crowded) and not clause.negated:
            raise Abstain(
                f"'{clause.theme.text}'",
                f"only one thing rests on the {plain(crowded)}",
                "say 'build a tower of ...' to stack them",
            )
        moved = tuple(n for g in groups if g.choose is None and not g.none for n in g.names)
        self.discourse.moved(moved)
        if len(spot_group.names) == 1:
            self.discourse.went_to(predicate, spot_group.names[0])
        return made

    def spotted(self, clause: Place, at: At, support: str = "") -> list[Requirement]:
        """Put things somewhere exactly."""
        raise NotImplementedError

    def again(self, clause: Place, like: Placement) -> list[Requirement]:
        """Put other things exactly there, too."""
        raise NotImplementedError

    def groups(self, theme: Nouns, role: Role) -> list[Group]:
        """The objects of each noun phrase; "A or B" is one group to choose from."""
        groups = [self.discourse.resolve(p, role) for p in theme.parts]
        if theme.alternatives:
            if any(g.choose is not None or g.none or len(g.names) > 1 for g in groups):
                raise Abstain(f"'{theme.text}'", "'or' joins single objects only")
            names = tuple(dict.fromkeys(n for g in groups for n in g.names))
            return [Group(names=names, choose=1 if len(names) > 1 else None)]
        return groups

    def spot(self, at: At, groups: Sequence[Group]) -> tuple[Group, str]:
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
            raise Abstain(f"'{at.text}'", f"things go {right} the {plain(name)}")
        return "in" if inside else "on"

    def _impliedspot(self, at: At) -> tuple[str, tuple[str, ...]]:
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

    def put(self, group: Group, predicate: str, spots: Group, negated: bool) -> list[Requirement]:
        """Requirements that put a group's objects to a place, or keep them from it."""
        places = spots.names
        place = next(iter(places), "")
        if negated or group.none:
            return self.kept_from(group, predicate, places, twice=negated and group.none)
        if group.choose is not None:
            chosen = spots.choose is None and len(places) > 1
            if chosen and group.choose > 1:
                raise Abstain("sentence", "it is not clear how these shall be shared out")
            return [
                self._some(group, predicate, (p,))
                for p in (places if chosen else (place,))
                if spots.choose is None
            ] or [self._some(group, predicate, places)]
        if spots.choose is not None:
            return [
                self._place_requirement(
                    general=any_of([at_place(predicate, n, p)] for p in places if p != n),
                    names=(n,),
                )
                for n in group.names
            ]
        if len(places) > 1:
            listed = " and ".join(f"the {plain(p)}" for p in places)
            raise Abstain("sentence", f"nothing can be {predicate} {listed} at once", "name one")
        self._check_fit(group.names, predicate, place)
        made = [self.all_of(group, predicate, place)]
        if group.only:
            others = [n for n in self.discourse.scene.items if n not in group.names]
            made += self.kept_from(
                Group(names=tuple(o for o in others if o != place)), predicate, places
            )
        return made

    def all_of(self, group: Group, predicate: str, place: str) -> Requirement:
        """All of a group at one place."""
        general = None
        if group.category and place not in group.names:
            body = Proposition(predicate, ("?x", place))
            general = for_all([("?x", group.category)], body, positive=True)
        return Requirement(
            kind="place",
            literals=tuple(at_place(predicate, n, place) for n in group.names),
            general=general,
            names=frozenset((*group.names, place)),
            universal=len(group.names) > 1,
        )

    def kept_from(
        self, group: Group, predicate: str, places: tuple[str, ...], *, twice: bool = False
    ) -> list[Requirement]:
        """None of a group at any of the places; ``twice`` is a negated "no"."""
        if twice or group.exactly or (group.choose or 1) > 1:
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
                made.append(self.all_of(Group(names=group.excluded), predicate, place))
        return made

    def _some(self, group: Group, predicate: str, places: tuple[str, ...]) -> Requirement:
        """A number of objects of a group at one of the places, whichever they are."""
        assert group.choose is not None
        options: list[Sequence[Literal]] = []
        for place in places:
            names = [n for n in group.names if n != place and self._fits(n, predicate, place)]
            for chosen in itertools.combinations(names, group.choose):
                option = [at_place(predicate, n, place) for n in chosen]
                if group.exactly:
                    rest = [n for n in names if n not in chosen]
                    option += literals((Atom(predicate, (n, place)) for n in rest), positive=False)
                options.append(option)
                check_number(options)
        if not options:
            raise Abstain("sentence", f"none of these fits {predicate} the {plain(places[0])}")
        return self._place_requirement(general=any_of(options), names=group.names)

    def _place_requirement(self, *, general: Formula, names: tuple[str, ...]) -> Requirement:
        return Requirement(kind="place", general=general, names=frozenset(names))

    def _check_fit(self, names: Sequence[str], predicate: str, place: str) -> None:
        too_big = [n for n in names if not self._fits(n, predicate, place)]
        if too_big:
            listed = " and ".join(f"the {plain(n)}" for n in too_big)
            verb = "does" if len(too_big) == 1 else "do"
            hint = ""
            if len(names) > 1:
                hint = f"say 'everything except {listed}'"
            raise Abstain("goal", f"{listed} {verb} not fit into the {plain(place)}", hint)

    def _fits(self, name: str, predicate: str, place: str) -> bool:
        known = any(a.predicate == "fits" for a in self.discourse.facts)
        return predicate != "in" or not known or Atom("fits", (name, place)) in self.discourse.facts

    def _under(self, clause: Place, at: At) -> list[Requirement]:
        """A under B is B on A."""
        noun = at.noun or NounPhrase(text="it", pronoun="it")
        lower = self.groups(clause.theme, ITEMS)
        upper = self.discourse.resolve(noun, ANY)
        names = [n for g in lower for n in g.names]
        if len(names) != 1 or len(upper.names) != 1 or not self.is_item(upper.names[0]):
            raise Abstain(f"'{at.text}'", "'under' is covered for one item under another item only")
        self.discourse.moved(upper.names)
        self.discourse.went_to("on", names[0])
        literal = Literal(Atom("on", (upper.names[0], names[0])), not clause.negated)
        return [
            Requirement(
                kind="place", literals=(literal,), names=frozenset((*names, upper.names[0]))
            )
        ]

    def _several_places(self, clause: Place, first: At, second: At) -> list[Requirement]:
        """A on B on C: a chain when they are stacked, else one place says which A or B is meant."""
        if (clause.stacked or len(clause.places) > 2) and first.spot is None:
            return self._chain(clause)
        readings: list[tuple[Place, Discourse]] = []
        reasons: list[Abstain] = []
        for reading in self._readings(clause, first, second):
            trial = type(self)(_copy(self.discourse))
            try:
                trial.place(reading)
            except Abstain as why:
                reasons.append(why)
            else:
                readings.append((reading, trial.discourse))
        if len(readings) == 1:
            return self.place(readings[0][0])
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
        if first.spot and len(clause.theme.parts) == 1 and first.spot.relation != "moved":
            part = clause.theme.parts[0]
            if not part.pronoun:
                theme = Nouns(parts=(replace(part, beside=first.spot),))
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
            made += self.place(Place(theme=theme, places=(at,), negated=clause.negated))
            if at.noun is not None:
                theme = Nouns(parts=(at.noun,))
        if clause.negated and len(made) > 1:
            raise Abstain(f"'{clause.theme.text}'", "I do not understand this negation")
        return made

    def is_item(self, name: str) -> bool:
        """Whether an object is movable."""
        return self.discourse.spec(name).kind == "item"


def at_place(predicate: str, item: str, place: str) -> Literal:
    """An item on or in a place."""
    return Literal(Atom(predicate, (item, place)))


def check_number(options: Sequence[object]) -> None:
    """Refuse a goal with too many alternatives."""
    if len(options) > MAX_OPTIONS:
        raise Abstain("sentence", f"there are more than {MAX_OPTIONS} ways to choose", "name them")


def _located(phrase: NounPhrase, where: tuple[bool, Relation, NounPhrase]) -> NounPhrase:
    return replace(phrase, where=where)


def _copy(discourse: Discourse) -> Discourse:
    return replace(
        discourse,
        themes=list(discourse.themes),
        mentioned=list(discourse.mentioned),
        notes=list(discourse.notes),
    )
