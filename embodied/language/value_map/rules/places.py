"""Places: beside, above, between and near objects, and parts of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from embodied.language.value_map.building import (
    NEXT_TO_M,
    SIDE_DISTANCE_M,
    area_region,
    near,
    obstacle,
    point,
)
from embodied.language.value_map.rules.cursor import Places, SceneCursor
from embodied.language.value_map.rules.words import BETWEEN, NEXT_TO, OWN_SIDES, SIDE_WORDS, TABLES
from embodied.language.value_map.vocabulary import SIDES
from embodied.language.words.lexer import Token
from embodied.language.words.scene_words import SceneWords, plain
from embodied.types import MapOperation, Region, WorldSpec

RING_M = 0.025
"""How much nearer than "10 cm away from the cup" a place may be."""


OWN_SHARE = 0.7
"""How far towards its edge "the shelf's far side" is."""


class PlaceReader(SceneCursor):
    """Reads places.

    Args:
        tokens: The sentence.
        scene: What its objects may be called.
        spec: The workspace.
        places: Says where things are seen now.

    Attributes:
        kept_off: What "10 cm away from the cup" keeps the place from, besides being near.
    """

    kept_off: list[MapOperation]

    def __init__(
        self,
        tokens: Iterable[Token],
        scene: SceneWords,
        spec: WorldSpec,
        places: Callable[[], Places] = dict,
    ) -> None:
        super().__init__(tokens, scene, places)
        self.spec, self.kept_off = spec, []

    def area_region(self, area: str) -> Region:
        """Box over a part of the workspace."""
        lower = (float(self.spec.workspace_lower[0]), float(self.spec.workspace_lower[1]))
        upper = (float(self.spec.workspace_upper[0]), float(self.spec.workspace_upper[1]))
        return area_region(area, lower, upper)

    def place(self, *, onto: bool = False, close_m: float = NEXT_TO_M) -> Region | None:
        """A place; None if none comes next.

        Args:
            onto: A bare object means a point above it, where a thing can be let go.
            close_m: Distance from a surface that "next to" means.
        """
        start = self.pos
        self.eat("over to", "up to", "back to")
        inside = bool(self.eat("inside of", "inside", "into", "in", "back in"))
        self.eat("to", "inside of", "inside", "into", "onto", "on", "at", "towards", "toward",
                 "down on", "back in", "back on", "against")  # fmt: skip
        self.eat("a point", "a spot", "a place", "a position", "somewhere", "the point", "the spot")
        self.eat("that is", "which is")
        if self.eat("where"):
            name = self.noun()
            if name is None or not self.eat("is now", "is", "are", "lies", "stands"):
                self.pos = start
                return None
            return point(name, SIDES["above"], SIDE_DISTANCE_M if onto else 0.0)
        area = self.area()
        if area:
            return self.area_region(area)
        if self.eat(*BETWEEN):
            return self._between()
        if self.eat("within"):
            distance = self.length()
            self.eat("of", "from")
            name = None if distance is None else self.noun()
            if name is not None and distance is not None:
                return near(name, distance)
            self.pos = start
            return None
        if not onto and self.eat(*NEXT_TO):
            return self._beside(close_m)
        return self._at_object(start, onto=onto, inside=inside)

    def _at_object(self, start: int, *, onto: bool, inside: bool) -> Region | None:
        distance = self.length()
        if distance is not None:
            if self.eat("short of", "away from", "from", "off"):
                name = self.noun()
                if name is not None:
                    self.kept_off = [obstacle(near(name, max(distance - RING_M, 0.0)))]
                    return near(name, distance)
                self.pos = start
                return None
            self.eat("away")
        side = self.side()
        if not side:
            start_of_the = self.pos
            self.eat("to", "on")
            self.eat("the")
            side = self._plain_side()
            if not side:
                self.pos = start_of_the
        if not side and onto and self.eat(*NEXT_TO):
            side = "left-of"
            self.notes.append("next to: on the left, since no side is said")
        name = self.noun()
        if name is None and side:
            raise self.abstain(f"'{self.rest()}' is no object that I know", self.known())
        if name is None or (distance is not None and not side):
            self.pos = start
            return None
        kind = self.scene.specs[name]
        if kind.category in TABLES:
            raise self.abstain(
                "this does not say where on the table",
                "say beside what, or which part of it",
                final=True,
            )
        if onto and kind.kind == "drawer" and (not side and inside):
            raise self.abstain(
                "a closed drawer takes nothing, and this route cannot pull one open",
                "take the route pddl",
                final=True,
            )
        if not side and distance is None:
            side = self.keyword(OWN_SIDES)
            if side and kind.kind != "item":
                half = kind.size_m[0 if side in ("front-of", "behind") else 1] / 2
                return point(name, SIDES[side], round(OWN_SHARE * half, 3))
        if side and distance is None:
            before = self.pos
            self.eat(",")
            if self.eat("by", "at a distance of", "with a gap of", "at"):
                distance = self.length()
            else:
                distance = self.length()
                self.eat("away", "off")
            if distance is None:
                self.pos = before
        if side:
            length = SIDE_DISTANCE_M if distance is None else distance
            return point(name, SIDES[side], length)
        return point(name, SIDES["above"], SIDE_DISTANCE_M if onto else 0.0)

    def _beside(self, close_m: float) -> Region:
        """``next to the cup``, ``next to the cup, on its left``."""
        name = self.noun()
        if name is None:
            raise self.abstain(f"'{self.rest()}' is no object that I know", self.known())
        start = self.pos
        self.eat(",")
        if self.eat("on its", "to its", "on the", "at its"):
            side = self._plain_side() or {
                "left": "left-of", "right": "right-of", "front": "front-of", "back": "behind",
            }.get(self.eat("left", "right", "front", "back"), "")  # fmt: skip
            if side and not self.at("of"):
                self.eat("side", ",")
                self.eat(",")
                distance = self.length()
                self.eat("away")
                return point(name, SIDES[side], distance or SIDE_DISTANCE_M)
        self.pos = start
        return near(name, close_m)

    def _between(self) -> Region:
        """The place midway between two things, from where both are seen now.

        Raises:
            Abstain: They are not two, or not seen.
        """
        names = self.listed() or ()
        if len(names) != 2:
            raise self.abstain("between which two things?", self.known(), final=True)
        places = self.places()
        if any(n not in places for n in names):
            raise self.abstain(
                f"I do not see where the {plain(names[0])} and the {plain(names[1])} are now, so "
                "not what is between them",
                "say a place beside one of them",
                final=True,
            )
        a, b = (places[n] for n in names)
        middle = dict(
            zip("xyz", (round((q - p) / 2, 4) for p, q in zip(a, b, strict=True)), strict=True)
        )
        return Region(shape="point", frame=names[0], parameters=middle)

    def _plain_side(self) -> str:
        """``left side of``, ``right of`` after a "the" that was eaten."""
        short = {
            k: [p.removeprefix("to the ").removeprefix("on the ") for p in v if " the " in p]
            for k, v in SIDE_WORDS.items()
        }
        return self.keyword(short)

    def known(self) -> str:
        """For messages."""
        return "there are: " + ", ".join(plain(n) for n in self.scene.specs)
