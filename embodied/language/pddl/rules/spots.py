"""Where exactly: "next to the bin", "10 cm left of the cup", "a bit to the right"."""

from __future__ import annotations

import math

from embodied.language.pddl.rules.noun_phrases import NounPhraseParser
from embodied.language.pddl.rules.syntax import At, NounPhrase, Nouns, Spot
from embodied.language.value_map.rules.words import A_BIT, AREA_WORDS, DIRECTION_WORDS, SIDE_WORDS
from embodied.language.words.amounts import UNITS, VAGUE_M, number_at, unit_of
from embodied.language.words.cursor import Abstain
from embodied.language.words.lexer import COMMA

STEP_M = 0.05
"""How far "a bit" is, and a direction without a distance."""

_BITS = (*A_BIT, "a tad", "a hair", "a small distance", "somewhat", "a smidge", "a little way")
_NEAR = (
    "next to", "beside", "near to", "near", "close to", "closer to", "close by", "alongside",
    "adjacent to", "by the side of", "in the vicinity of", "by", "up against", "against",
    "touching", "around", "along side", "at the side of", "nearby", "next", "on the side of",
    "as close as possible to", "as near as possible to",
)  # fmt: skip
_BETWEEN = (
    "half way between", "halfway between", "midway between", "in between", "between",
    "in the middle between", "in the middle of",
)  # fmt: skip
_EACH_OTHER = ("each other", "one another")
_TOGETHER = ("together", "side by side", "close together", "closer together", "next to each other")
_ROW = (
    "in a row", "in a line", "in one row", "in one line", "in a straight line", "in line",
    "next to each other in a row", "into a row", "into a line", "lined up",
)  # fmt: skip
_TOWARDS = ("towards", "toward", "closer to", "nearer to", "nearer", "in the direction of")
_FROM = (
    "away from", "further from", "farther from", "further away from", "farther away from",
    "clear of", "well away from", "far from", "far away from", "a safe distance from",
)  # fmt: skip
_WEAK = (
    "right", "directly", "just", "immediately", "smack", "bang", "squarely", "dead", "exactly",
    "so it ends up", "so that it ends up", "so they end up", "somewhere", "anywhere", "very",
    "so it is",
    "so that it is", "such that it is", "a place", "a spot", "straight", "over", "up", "really",
    "pretty", "quite",
)  # fmt: skip
_ITSELF = (
    "of where it is", "from where it is", "of its place", "from its place", "of where it was",
    "from where it is now", "from its current position", "of its current position",
)  # fmt: skip
_NO_DIRECTION = (
    "of", "side", "edge", "corner", "hand", "half", "end", "next", "left", "right", "front",
    "back", "part", "most",
)  # fmt: skip
_CORNERS = ("corner", "a corner", "the corner", "any corner", "one corner", "one of the corners")
_EDGES = ("edge", "the edge", "an edge", "the border", "the rim", "the side", "the very edge")
_WAYS = {"left": (0, 1), "right": (0, -1), "forward": (1, 0), "back": (-1, 0)}
_FARTHEST = {
    phrase: word
    for word in ("left", "right", "back")
    for phrase in (f"as far {word} as possible", f"as far to the {word} as possible",
                   f"all the way to the {word}", f"as far {word} as you can",
                   f"as far to the {word} as you can", f"to the far {word}", f"on the far {word}")
}  # fmt: skip
_WAS = (
    "was", "used to be", "were", "had been", "stood", "lay", "sat", "is", "are", "lies", "stands",
    "sits",
)  # fmt: skip
_SIDE_OF = {"left-of": "left", "right-of": "right", "front-of": "front", "behind": "back"}
DIRECTIONS = frozenset(w for said in DIRECTION_WORDS.values() for p in said for w in p.split())
"""Words that directions are made of."""
_CLOCKWISE = ("clockwise", "to the right", "right")
_COUNTER = (
    "counter clockwise", "counterclockwise", "anti clockwise", "anticlockwise", "to the left",
    "left",
)  # fmt: skip
_TURNS = {
    "a quarter turn": 90, "a quarter of a turn": 90, "quarter of a turn": 90, "quarter turn": 90,
    "half a turn": 180, "a half turn": 180, "half turn": 180, "around": 180, "round": 180,
    "halfway around": 180, "all the way around": 360, "a full turn": 360, "a little": 15,
    "a bit": 15, "slightly": 15, "a little bit": 15, "sideways": 90, "a right angle": 90,
}  # fmt: skip


class SpotParser(NounPhraseParser):
    """Reads where exactly on a table or tray things are to be."""

    def spot(self, *, turns: bool = False) -> At | None:
        """A spot; None if none comes next.

        Raises:
            Abstain: It is one, of what is no thing here.
        """
        start = self.pos
        readers = (self._moved, self._beside, self._part, self._onward)
        for read in (self._turned,) if turns else readers:
            found = read()
            if found is not None:
                return At(relation="spot", noun=None, text=self.between(start), spot=found)
            self.pos = start
        return None

    def spot_here(self) -> bool:
        """Whether a spot comes next."""
        start = self.pos
        try:
            return self.spot() is not None
        except Abstain:
            return True
        finally:
            self.pos = start

    def length(self) -> float | None:
        """A length in metres."""
        start = self.pos
        self.eat("by about", "by around", "by roughly", "by", "about", "around", "roughly", "for",
                 "approximately", "at least", "exactly", "another", "a distance of")  # fmt: skip
        vague = self.eat(*VAGUE_M)
        if vague:
            return VAGUE_M[vague]
        if self.ended:
            self.pos = start
            return None
        value, used = number_at(self.words, self.pos)
        if value is None and self.peek() in ("a", "an", "one", "half"):
            value, used = (0.5 if self.peek() == "half" else 1.0), 1
            used += value == 0.5 and self.peek(1) in ("a", "an")
        factor = UNITS["m"].get(unit_of(self.peek(used)), 0.0)
        if value is None or not factor:
            self.pos = start
            return None
        self.pos += used + 1
        return round(value * factor, 6)

    def _amount(self) -> float | None:
        """A length, or "a bit"."""
        length = self.length()
        if length is None and self.eat(*_BITS):
            length = STEP_M
        return length

    def _direction(self) -> tuple[int, int] | None:
        owner = {p: key for key, phrases in DIRECTION_WORDS.items() for p in phrases}
        found = self.eat(*(p for p in owner if owner[p] in _WAYS))
        return _WAYS[owner[found]] if found else None

    def _moved(self) -> Spot | None:
        """A displacement: "10 cm to the left", "a bit closer to the bin"."""
        amount = self._amount()
        self.eat("more", "further", "farther", "straight", "over")
        towards = self.eat(*_TOWARDS)
        if towards and (amount is not None or towards not in ("closer to", "nearer to")):
            if self.eat("you", "me", "the robot", "yourself", "us"):
                return Spot(relation="moved", by_m=(-(amount or STEP_M), 0.0))
            if self.starts_noun():
                of = Nouns(parts=(self.noun_phrase(),))
                return Spot(relation="towards", of=of, distance_m=amount or self._amount())
            return None
        way = self._direction()
        if way is None or self.at(*_NO_DIRECTION):
            return None
        if amount is None:
            amount = self._amount()
        if amount is None:
            return None
        self.eat(*_ITSELF)
        return Spot(relation="moved", by_m=(way[0] * amount, way[1] * amount))

    def _onward(self) -> Spot | None:
        """A direction alone: "to the left"."""
        if self.at("back", "ahead"):
            return None
        self.eat("more", "further", "farther", "straight", "over")
        way = self._direction()
        if way is None or self.at(*_NO_DIRECTION) or self._preposition() is not None:
            return None
        return Spot(relation="moved", by_m=(way[0] * STEP_M, way[1] * STEP_M))

    def _beside(self) -> Spot | None:
        self.eat("to be", "so that they are")
        while not self.at("right of") and self.eat(*_WEAK):
            pass
        if self.eat(*_TOGETHER):
            return Spot(relation="near", each_other=True)
        if self.eat("to where", "where") and self.starts_noun():
            of = Nouns(parts=(self._quantified(),))
            used = self.eat(*_WAS)
            self.eat("before", "at first", "first", "standing", "lying", "now")
            return Spot(relation="at", of=of) if used else None
        far = self.eat(*_FARTHEST)
        if far:
            way = _WAYS[_FARTHEST[far]]
            return Spot(relation="part", by_m=(float(way[0]), float(way[1])))
        if self.eat(*_ROW):
            self.eat("from left to right", "left to right")
            return Spot(relation="right", each_other=True)
        if self.eat("apart", "apart from each other", "away from each other", "far apart"):
            return Spot(relation="away", each_other=True)
        distance = self.length()
        self.eat("away") if distance is not None and not self.at(*_FROM) else ""
        begin = self.pos
        side = self._side()
        on_it = (
            self.words[begin : begin + 1] in (("on",), ("at",))
            and "side" in self.words[begin : self.pos]
        )
        if side:
            if self.eat(*_EACH_OTHER):
                return Spot(relation=side, distance_m=distance, each_other=True)
            if not self.starts_noun():
                return None
            of = Nouns(parts=(self._reference(),))
            if distance is None:
                start = self.pos
                self.eat(COMMA)
                self.eat("with a gap of", "at a distance of", "with")
                distance = self.length()
                self.pos = start if distance is None else self.pos
                self.eat("away", "apart") if distance is not None else ""
            return Spot(relation=side, of=of, distance_m=distance, on_it=on_it)
        if self.eat(*_FROM) or (distance is not None and self.eat("from", "off")):
            if not self.starts_noun():
                return None
            return Spot(relation="away", of=Nouns(parts=(self._reference(),)), distance_m=distance)
        if distance is None and self.eat(*_BETWEEN):
            middle = self.words[self.pos - 1] == "of"
            if not self.starts_noun():
                return None
            of = self.nouns()
            if middle and len(of.parts) == 1 and not of.parts[0].plural:
                return Spot(relation="middle", of=of)
            return Spot(relation="between", of=of)
        if self.eat("within"):
            distance = self.length()
            if distance is None or not self.eat("of", "from"):
                return None
            return Spot(relation="near", of=Nouns(parts=(self._reference(),)), distance_m=distance)
        said = self.eat(*_NEAR) if distance is None else ""
        if said and self.eat(*_EACH_OTHER):
            return Spot(relation="near", each_other=True)
        if not said or not self.starts_noun() or (said == "next" and not self.at("the")):
            return None
        return Spot(relation="near", of=Nouns(parts=(self._reference(),)))

    def _reference(self) -> NounPhrase:
        """What a place is told by: "it" and nouns, without what stands on either side of it."""
        return self.noun_phrase()

    def _side(self) -> str:
        """A side of something: "left of", "to its right", "on the right hand side of"."""
        owner = {p: key for key, phrases in SIDE_WORDS.items() for p in phrases if key in _SIDE_OF}
        found = self.eat(*owner)
        return _SIDE_OF[owner[found]] if found else ""

    def _part(self) -> Spot | None:
        """A part of a surface: "in the front left corner of the table", "at the edge"."""
        self.eat("over", "right", "all the way", "up", "close", "as close as possible")
        if not self.eat("in", "at", "on", "to", "into", "onto", "near", "along", "towards", "by"):
            return None
        self.eat("the far", "the very")
        relation, by = "part", (0.0, 0.0)
        if self.eat(*_CORNERS):
            relation = "corner"
        elif self.eat(*_EDGES):
            relation = "edge"
            if self.words[self.pos - 1] == "side" and not self.at("of"):
                return None
        else:
            if not self.eat("the", "its", "a"):
                return None
            owner = {p: key for key, phrases in AREA_WORDS.items() for p in phrases}
            found = self.eat(*owner)
            alone = self.at_pause() and found in ("left", "right", "middle", "center")
            if not found or (len(found.split()) == 1 and not (alone or self.at("of"))):
                return None
            key = owner[found]
            relation = "middle" if key == "center" else "part"
            x = 1.0 if "front" in key else -1.0 if "back" in key else 0.0
            by = (x, 1.0 if "left" in key else -1.0 if "right" in key else 0.0)
        of = None
        if self.eat("of", "on"):
            if not self.starts_noun():
                return None
            of = Nouns(parts=(self._quantified(),))
        self.eat("that is", "which is")
        if self.eat("closest to", "nearest to", "nearest", "near", "close to", "next to"):
            return Spot(relation=relation, of=of, by_m=by, nearest=self.noun_phrase())
        return Spot(relation=relation, of=of, by_m=by)

    def _turned(self) -> Spot | None:
        """A turn: "by 45 degrees clockwise", "a quarter turn"."""
        angle, sign = None, 0
        while not self.at_pause():
            if self.eat("in place", "on the spot", "on its axis", "about its axis", "where it is",
                        "about the vertical axis", "around its axis", "in its place"):  # fmt: skip
                continue
            if sign == 0 and self.eat(*_COUNTER):
                sign = 1
            elif sign == 0 and self.eat(*_CLOCKWISE):
                sign = -1
            elif angle is None and (found := self._angle()) is not None:
                angle = found
            else:
                break
        if angle is None:
            return None
        return Spot(relation="turned", angle_rad=math.radians(angle) * (sign or 1))

    def _angle(self) -> float | None:
        start = self.pos
        self.eat("by about", "by", "about", "through", "an angle of", "exactly", "roughly")
        named = self.eat(*_TURNS)
        if named:
            return float(_TURNS[named])
        if not self.ended:
            value, used = number_at(self.words, self.pos)
            factor = UNITS["rad"].get(unit_of(self.peek(used)), 0.0)
            if value is not None and factor:
                self.pos += used + 1
                return math.degrees(value * factor)
        self.pos = start
        return None
