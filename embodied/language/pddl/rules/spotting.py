"""Where exactly clauses put things: placements on what the things lie on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from embodied.language.pddl.rules.beside import SIDES
from embodied.language.pddl.rules.discourse import ANY, ITEMS, Group
from embodied.language.pddl.rules.placing import Placing, at_place
from embodied.language.pddl.rules.spots import STEP_M
from embodied.language.pddl.rules.stage import Requirement
from embodied.language.pddl.rules.syntax import At, Place, Spot
from embodied.language.words.cursor import Abstain
from embodied.language.words.scene_words import plain
from embodied.types import Placement

ASIDE_M = 0.03
"""Gap that a thing leaves to where it was, so that another one fits there."""


class Spotting(Placing):
    """Requirements of "put A next to B" and its like."""

    def spotted(self, clause: Place, at: At, support: str = "") -> list[Requirement]:
        """Put things somewhere exactly, on a support if that was said.

        Raises:
            Abstain: Unclear, or nothing that can be placed there.
        """
        spot = at.spot
        assert spot is not None
        if clause.negated:
            raise Abstain(f"'{at.text}'", "I can put things there, but not keep them from there")
        names = self._things(clause)
        placements = self._placements(spot, names, at.text)
        made = [self.exactly(p, support) for p in placements]
        if support and spot.each_other:
            made.insert(0, self.all_of(Group(names=tuple(names)), "on", support))
        self.discourse.moved(names)
        self.discourse.spot = placements[-1] if placements else None
        return made

    def exchanged(self, first: str, second: str) -> list[Requirement]:
        """Two things on one surface, each where the other is: the first one goes aside meanwhile.

        Raises:
            Abstain: It is not known where they are.
        """
        places = self.discourse.places()
        if first not in places or second not in places:
            raise Abstain("goal", "it is not known where exactly they are now")
        (x1, y1), (x2, y2) = (tuple(places[n][:2]) for n in (first, second))
        aside = Placement(item=first, relation="away", of=(first,), distance_m=ASIDE_M)
        over = Placement(item=second, relation="at", of=(first,), by_m=(x1, y1))
        back = Placement(item=first, relation="at", of=(second,), by_m=(x2, y2))
        support = self._support(replace(aside, of=()))
        self.discourse.moved((first, second))
        return [self.exactly(p, support) for p in (aside, over, back)]

    def again(self, clause: Place, like: Placement) -> list[Requirement]:
        """Put other things there, too."""
        made: list[Requirement] = []
        for name in self._things(clause):
            if like.item in like.of or not like.of:
                raise Abstain("'there'", "it is not clear where that is", "name the place")
            made.append(self.exactly(replace(like, item=name)))
        return made

    def exactly(self, placement: Placement, support: str = "") -> Requirement:
        """A placement, on what its things lie on.

        Raises:
            Abstain: They lie in a container.
        """
        item = placement.item
        if item in placement.of and placement.relation != "away":
            raise Abstain("goal", f"the {plain(item)} cannot be beside itself")
        support = support or self._support(placement)
        return Requirement(
            kind="spot",
            literals=(at_place("on", item, support),),
            names=frozenset((item, *placement.of)),
            placement=placement,
        )

    def _things(self, clause: Place) -> tuple[str, ...]:
        names: list[str] = []
        for group in self.groups(clause.theme, ITEMS):
            if group.none:
                raise Abstain(f"'{clause.theme.text}'", "I do not understand this negation")
            chosen = group.names[: group.choose] if group.choose is not None else group.names
            if chosen != group.names:
                listed = " and ".join(f"the {plain(n)}" for n in chosen)
                self.discourse.notes.append(f"'{clause.theme.text}' is {listed}")
            names += chosen
        return tuple(dict.fromkeys(names))

    def _placements(self, spot: Spot, names: Sequence[str], text: str) -> list[Placement]:
        if spot.each_other:
            if len(names) < 2:
                raise Abstain(f"'{text}'", "at least two things are needed for this")
            return [
                Placement(item=b, relation=spot.relation, of=(a,), distance_m=spot.distance_m)
                for a, b in zip(names, names[1:], strict=False)
            ]
        if spot.relation in ("moved", "turned"):
            return [
                Placement(item=n, relation=spot.relation, by_m=spot.by_m, angle_rad=spot.angle_rad)
                for n in names
            ]
        if spot.relation in ("corner", "edge", "part", "middle"):
            return [self._on_part(spot, n, text) for n in names]
        last, theme = self.discourse.spot, self.discourse.theme
        told = spot.of is not None and [p.pronoun for p in spot.of.parts] == ["it"]
        if told and last is not None and last.of and tuple(names) == theme == (last.item,):
            others = last.of  # "put it left of the cup" - "no, right of it"
        else:
            others = self._others(spot, text)
        if spot.relation == "at":
            return [self._left_by(n, others[0], text) for n in names]
        if spot.relation in ("towards", "from"):
            return [self._towards(spot, n, others[0], text) for n in names]
        wanted = 2 if spot.relation == "between" else 1
        if len(others) != wanted:
            listed = ", ".join(f"the {plain(n)}" for n in others)
            which = "which two things" if wanted == 2 else "which thing"
            raise Abstain(f"'{text}'", f"it is not clear {which}: {listed}", "name them")
        fixed = self.discourse.spec(others[0]).kind == "surface"
        if spot.relation in SIDES and (others[0] == "table" or (spot.on_it and fixed)):
            way = SIDES[spot.relation]
            return [Placement(item=n, relation="part", of=others, by_m=way) for n in names]
        if spot.relation != "between" and others[0] == "table":
            raise Abstain(f"'{text}'", "things stay on the table", "name a place on it")
        return [
            Placement(item=n, relation=spot.relation, of=others, distance_m=spot.distance_m)
            for n in names
            if n not in others or len(names) == 1
        ]

    def _others(self, spot: Spot, text: str) -> tuple[str, ...]:
        found: list[str] = []
        for part in spot.of.parts if spot.of is not None else ():
            group = self.discourse.resolve(part, ANY)
            if group.none or group.choose is not None:
                raise Abstain(f"'{text}'", "it is not clear beside what", "name it")
            found += group.names
        return tuple(dict.fromkeys(found))

    def _on_part(self, spot: Spot, item: str, text: str) -> Placement:
        others = self._others(spot, text) or ("table",)
        spec = self.discourse.scene.specs.get(others[0])
        if len(others) != 1 or spec is None or spec.kind != "surface":
            raise Abstain(f"'{text}'", "only tables, trays and plates have such places here")
        if spot.nearest is None:
            return Placement(item=item, relation=spot.relation, of=others, by_m=spot.by_m)
        places = self.discourse.places()
        (near,) = self.discourse.resolve(spot.nearest, ANY).names[:1]
        if spot.relation != "corner" or near not in places:
            raise Abstain(f"'{text}'", "it is not clear which part that is")
        middle = places.get(others[0], (0.0, 0.0)) if spec.category != "table" else (0.5, 0.0)
        way = [1.0 if p > m else -1.0 for p, m in zip(places[near], middle[:2], strict=False)]
        return Placement(item=item, relation="part", of=others, by_m=(way[0], way[1]))

    def _left_by(self, item: str, other: str, text: str) -> Placement:
        """The place of a thing that the sentence has moved before."""
        places, at = self.discourse.places(), self.discourse.location(other)
        if other not in self.discourse.later or other not in places:
            raise Abstain(
                f"'{text}'", f"the {plain(other)} is there, or was there too long ago", final=True
            )
        if at is None or self.discourse.spec(at[1]).kind != "surface":
            raise Abstain(f"'{text}'", "that is no place on a table, tray or plate")
        x, y = places[other][:2]
        return Placement(item=item, relation="at", of=(other,), by_m=(x, y))

    def _towards(self, spot: Spot, item: str, other: str, text: str) -> Placement:
        """Some way in the direction of another thing."""
        places = self.discourse.places()
        if item not in places or other not in places:
            raise Abstain(f"'{text}'", "it is not known where things are now")
        way = [b - a for a, b in zip(places[item][:2], places[other][:2], strict=True)]
        length = max(math.hypot(*way), 1e-6)
        share = (spot.distance_m or STEP_M) / length * (1 if spot.relation == "towards" else -1)
        by = (round(way[0] * share, 4), round(way[1] * share, 4))
        return Placement(item=item, relation="moved", by_m=by)

    def _support(self, placement: Placement) -> str:
        """What the things that a placement is told by lie on, in the end."""
        if placement.relation in ("corner", "edge", "part", "middle"):
            return placement.of[0]
        if placement.relation == "at":
            at = self.discourse.location(placement.of[0])
            return at[1] if at is not None else "table"
        for name in (*placement.of, placement.item)[:1]:
            while self.is_item(name):
                at = self.discourse.later.get(name) or self.discourse.location(name)
                if at is None or at[0] == "in":
                    where = "" if at is None else f" in the {plain(at[1])}"
                    raise Abstain(
                        "goal",
                        f"the {plain(name)} lies{where}, and exact places are covered on the "
                        "table, on trays and on plates only",
                    )
                name = at[1]
            if placement.item in placement.of or not placement.of or name != placement.of[0]:
                return name
        return "table"
