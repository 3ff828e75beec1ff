"""Towers: what stands on what, from bottom to top."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from embodied.language.pddl.rules.discourse import ITEMS
from embodied.language.pddl.rules.placing import at_place, check_number
from embodied.language.pddl.rules.spotting import Spotting
from embodied.language.pddl.rules.stage import Literal, Requirement, any_of
from embodied.language.pddl.rules.syntax import At, NounPhrase, Tower
from embodied.language.words.cursor import Abstain
from embodied.language.words.scene_words import plain

SHORT_LIST = 24
"""Up to so many orders of a tower of given members are listed; of more, one is taken."""


class TowerBuilding(Spotting):
    """Requirements of "build a tower of A, B and C"."""

    announced: int | None = None

    def tower(self, clause: Tower) -> list[Requirement]:
        """A tower, in the order given or in any."""
        groups = [self.discourse.resolve(p, ITEMS) for p in clause.members]
        base = self._base(clause.base) if clause.base else None
        if clause.ordered and all(len(g.names) == 1 and g.choose is None for g in groups):
            names = [g.names[0] for g in groups]
            self._check_height(clause, len(names))
            pairs = [at_place("on", upper, lower) for lower, upper in itertools.pairwise(names)]
            if base:
                pairs = [at_place("on", names[0], base), *pairs]
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
                    kind="place", literals=(at_place("on", pool[0], base),), names=frozenset(pool)
                )
            ]
        if size < 2:
            raise Abstain("sentence", "a tower needs at least two members")
        solid = [n for n in pool if self.discourse.spec(n).stackable]
        if len(pool) - len(solid) > 1 and size == len(pool):
            listed = " and ".join(f"the {plain(n)}" for n in pool if n not in solid)
            raise Abstain("sentence", f"nothing can rest on {listed}")
        bottom, top = self._member(clause.bottom, pool), self._member(clause.top, pool)
        self.discourse.moved(pool)
        self.discourse.notes.append("the sentence gives no full order; any that fits it will do")
        if size == len(pool) and math.perm(len(pool), size) > SHORT_LIST:
            return [self._some_order(pool, set(solid), base, bottom, top)]
        general = any_of(_tower_options(pool, size, set(solid), base, bottom, top))
        return [Requirement(kind="place", general=general, names=frozenset(pool))]

    def _some_order(
        self,
        pool: tuple[str, ...],
        solid: set[str],
        base: str | None,
        bottom: str | None,
        top: str | None,
    ) -> Requirement:
        """One order out of very many: the lowest now come first, then as the scene lists them."""

        def key(name: str) -> tuple[bool, bool, bool, int]:
            depth, place = 0, self.discourse.location(name)
            while place and place[1] in pool and depth < len(pool):
                depth, place = depth + 1, self.discourse.location(place[1])
            return name != bottom, name == top, name not in solid, depth

        names = sorted(pool, key=key)
        pairs = [at_place("on", upper, lower) for lower, upper in itertools.pairwise(names)]
        if base:
            pairs = [at_place("on", names[0], base), *pairs]
        self.discourse.notes.append(
            "of all orders this one was taken: " + ", ".join(plain(n) for n in names)
        )
        return Requirement(kind="place", literals=tuple(pairs), names=frozenset(pool))

    def _member(self, phrase: NounPhrase | None, pool: tuple[str, ...]) -> str | None:
        if phrase is None:
            return None
        group = self.discourse.resolve(phrase, ITEMS)
        if len(group.names) != 1 or group.names[0] not in pool:
            raise Abstain(f"'{phrase.text}'", "it is not one of the tower's members")
        return group.names[0]

    def _base(self, at: At) -> str:
        if at.noun is None:
            raise Abstain(f"'{at.text}'", "it is not clear on what the tower shall stand")
        group, predicate = self.spot(at, [])
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
            "tower from bottom to top: " + ", ".join(plain(n) for n in names)
        )
        self.discourse.moved(tuple(names))
        self.discourse.theme = (names[-1],)
        if base:
            self.discourse.went_to("on", base)

    def check_towers(self, made: Sequence[Requirement]) -> None:
        """Compare the number of towers that was announced with those that were described."""
        if self.announced is None:
            return
        on = [x.atom for r in made for x in r.literals if x.positive and x.atom.predicate == "on"]
        stacked = {a.args[0] for a in on if self.is_item(a.args[1])}
        bases = {a.args[1] for a in on if self.is_item(a.args[1])} - stacked
        if len(bases) != self.announced:
            raise Abstain(
                "sentence", f"{self.announced} towers are announced, but {len(bases)} described"
            )
        self.announced = None


def _tower_options(
    pool: tuple[str, ...],
    size: int,
    solid: set[str],
    base: str | None,
    bottom: str | None,
    top: str | None,
) -> Iterator[list[Literal]]:
    """Every fitting order of every choice of ``size`` members, from bottom to top."""
    for number, order in enumerate(itertools.permutations(pool, size)):
        check_number(range(number))
        if bottom not in (None, order[0]) or top not in (None, order[-1]):
            continue
        if all(n in solid for n in order[:-1]):
            pairs = [at_place("on", upper, lower) for lower, upper in itertools.pairwise(order)]
            yield [at_place("on", order[0], base), *pairs] if base else pairs
