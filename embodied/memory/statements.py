"""Statements in plain English, read into data: "the box is twice as heavy as the can"."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction

from embodied.language.words.amounts import DIGITS, NUMBERS, UNIT_NAMES, number_at
from embodied.language.words.scene_words import SceneWords
from embodied.memory.descriptions import Condition, DescriptionReader, Thing

EXAMPLES = (
    "the blue block is dirty, the box is twice as heavy as the can, I moved the ball into the "
    "toolbox, I closed the drawer"
)
"""What can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What somebody says is so.

    Attributes:
        things: Of what it is said.
        conditions: What is said of each of them.
        factor: How many times as heavy they are as ``other``; alone, their weight.
        other: What they are compared with; None where a weight is said.
    """

    things: tuple[Thing, ...]
    conditions: tuple[Condition, ...] = ()
    factor: Fraction | None = None
    other: Thing | None = None


_WHO = (
    "i", "we", "you", "he", "she", "they", "it", "somebody", "someone", "my colleague",
    "a colleague", "my friend", "a friend", "the cat", "the dog", "a child", "the children",
    "a person", "a visitor", "the cleaner", "a customer", "another person",
)  # fmt: skip
_OPENINGS = (
    "please note that", "note that", "by the way", "remember that", "keep in mind that",
    "you should know that", "you know that", "for your information", "fyi", "actually", "well",
    "oops", "woops", "whoops", "ok", "okay", "hey", "listen", "attention", "sorry", "so", "now",
    "and", "also", "let me tell you that", "i tell you that", "it seems that", "be aware that",
    "remember", "note", "unfortunately", "robot", "meanwhile", "oh", "oh no",
)  # fmt: skip
_ADVERBS = (
    "have", "has", "had", "just", "accidentally", "already", "unfortunately", "also", "was", "were",
    "am", "been", "quickly", "carelessly", "by accident", "by mistake", "secretly",
)  # fmt: skip
_PUT = (
    "moved", "put", "placed", "moving", "laid", "set", "dropped", "stored", "hid", "hidden",
    "stacked", "brought", "left", "returned", "took", "taken", "transferred", "threw", "thrown",
    "carried", "stowed", "pushed", "stuck", "inserted", "stashed", "shifted",
)  # fmt: skip
_MADE = {
    "dirty": "polluted soiled dirtied stained contaminated smeared spilled smudged polluting",
    "clean": "cleaned washed wiped rinsed disinfected scrubbed cleaning washing",
    "dry": "dried drying",
    "wet": "wetted soaked moistened",
    "broken": "broke smashed cracked damaged",
    "intact": "repaired fixed mended",
    "hot": "heated warmed",
    "cold": "cooled chilled",
    "sharp": "sharpened",
    "cooked": "cooked boiled fried",
}
_MAKES = {verb: word for word, verbs in _MADE.items() for verb in verbs.split()}
_ORDINALS = {
    **{
        word: n
        for n, word in enumerate(
            "half third quarter fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), 2
        )
    },
    "fourth": 4, "halves": 2, "twentieth": 20, "fiftieth": 50, "hundredth": 100,
}  # fmt: skip
_MULTIPLES = {"twice": 2, "double": 2, "thrice": 3, "triple": 3, "quadruple": 4}
_IT = ("it", "them", "they")


def read_statement(text: str, scene: SceneWords, told: Collection[str] = ()) -> Statement:
    """Turn a sentence into a statement about the objects of a scene.

    Args:
        text: The sentence.
        scene: What the objects may be called.
        told: Words that were told of objects so far.

    Raises:
        NotUnderstoodError: It is no statement, or it names an unknown object.
    """
    reader = _StatementReader(text, scene, told)
    found = reader.statement()
    if found is None:
        raise reader.refusal("I do not understand this statement", f"you can tell me: {EXAMPLES}")
    reader.finish()
    return found


class _StatementReader(DescriptionReader):
    def statement(self) -> Statement | None:
        while self.eat(*_OPENINGS, ","):
            pass
        if self.at("there is", "there are"):
            return self._there_is()
        if self.eat("the weight of"):
            return self._weight_of()
        start = self.pos
        if self.eat(*_WHO):
            found = self._deed()
            if found is not None or not self.starts_thing():
                return found
            self.pos = start
        if not self.starts_thing():
            return None
        things = self.things()
        if found := self._heavy(things):
            return found
        if self.eat("has been", "have been", "was", "were", "got"):
            return self._passive(things)
        if not self.eat("is", "are", "became", "becomes", "stays", "lies", "lie", "stands"):
            things, said = _without_last(things)
            return None if said is None else Statement(things=things, conditions=(said,))
        return self._said_of(things)

    def _said_of(self, things: tuple[Thing, ...]) -> Statement | None:
        """Read what follows "is": a condition, or a comparison of weights."""
        start = self.pos
        factor = self._factor()
        if factor is not None and self.eat("as heavy as", "the weight of", "heavier than",
                                           "the weight as", "as much as"):  # fmt: skip
            return Statement(things=things, factor=factor, other=self.thing())
        self.pos = start
        conditions: list[Condition] = []
        while found := self._asserted():
            conditions.append(found)
            if not self.eat("and", ", and", "but"):
                break
        return Statement(things=things, conditions=tuple(conditions)) if conditions else None

    def _asserted(self) -> Condition | None:
        if self.eat("no longer", "not any longer", "not any more"):
            found = self.condition()
            return None if found is None else replace(found, negated=not found.negated)
        return self.condition()

    def _passive(self, things: tuple[Thing, ...]) -> Statement | None:
        """Read "was moved into the box", "were cleaned"."""
        while self.eat(*_ADVERBS):
            pass
        verb = self.peek()
        if verb in _MAKES:
            self.pos += 1
            return Statement(things=things, conditions=(_made(verb),))
        if verb in ("opened", "closed", "shut"):
            self.pos += 1
            closed = verb != "opened"
            return Statement(
                things=things, conditions=(Condition(relation="open", negated=closed),)
            )
        if self.eat(*_PUT):
            where = self._relation()
            return None if where is None else Statement(things=things, conditions=(where,))
        return self._said_of(things)

    def _deed(self) -> Statement | None:
        """Read "moved the ball into the box" after "I"."""
        while self.eat(*_ADVERBS):
            pass
        verb = self.peek()
        if verb in _MAKES:
            self.pos += 1
            return Statement(things=self.things(), conditions=(_made(verb),))
        if verb in ("opened", "closed", "shut", "opening", "closing"):
            self.pos += 1
            negated = verb not in ("opened", "opening")
            things = self.things()
            return Statement(
                things=things, conditions=(Condition(relation="open", negated=negated),)
            )
        if not self.eat(*_PUT):
            return None
        things = self.things()
        things, where = _without_last(things)
        while self.eat("out of", "from", "off", "away from", "out", "up", "away", "down", "back"):
            if self.starts_thing():
                self.thing()
        where = self._relation() or where
        if self.eat("and", ", and"):
            while self.eat(*_ADVERBS):
                pass
            if not self.eat(*_PUT):
                return None
            self.eat(*_IT)
            return self._dropped(things, where)
        return None if where is None else Statement(things=things, conditions=(where,))

    def _dropped(self, things: tuple[Thing, ...], where: Condition | None) -> Statement | None:
        """Read "on some dirty region on the table" after "dropped them"."""
        start = self.pos
        self.eat("on", "onto", "in", "into")
        self.eat("some", "a", "the", "an")
        word = self.peek()
        if word in self.told:
            self.pos += 1
            if self.eat("region", "regions", "part", "area", "spot", "place", "patch"):
                self.eat("of")
                place = self._relation() or Condition(relation="on", other=self.thing())
                said = Condition(relation="is", word=word)
                return Statement(things=things, conditions=(place, said))
        self.pos = start
        where = self._relation() or where
        return None if where is None else Statement(things=things, conditions=(where,))

    def _there_is(self) -> Statement | None:
        self.pos += 2
        things, where = _without_last(self.things())
        return None if where is None else Statement(things=things, conditions=(where,))

    def _weight_of(self) -> Statement | None:
        things = self.things()
        if not self.eat("is", "equals", "are"):
            return None
        self.eat("equal to", "exactly")
        start = self.pos
        factor = self._factor()
        if factor is not None and self.eat("that of", "the weight of", "the one of", "as that of"):
            return Statement(things=things, factor=factor, other=self.thing())
        self.pos = start
        if self.eat("the same as that of", "that of", "the weight of", "the same as the weight of"):
            return Statement(things=things, factor=Fraction(1), other=self.thing())
        return self._measure(things)

    def _heavy(self, things: tuple[Thing, ...]) -> Statement | None:
        """Read "has the same weight as x", "weighs twice as much as x", "weigh 200 g"."""
        if self.eat("has", "have"):
            same = ("the same weight", "the weight", "a weight", "equal weight", "the equal weight")
            factor = Fraction(1) if self.eat(*same) else None
            if factor is None:
                factor = self._factor()
                if factor is None or not self.eat("the weight", "as much weight"):
                    return None
            if self.eat("of that of", "as", "of", "like", "with"):
                factor = self._factor() or factor
                self.eat("that of", "the weight of")
                return Statement(things=things, factor=factor, other=self.thing())
            if len(things) > 1 and self.ended:
                return Statement(things=things[:-1], factor=factor, other=things[-1])
            return None
        if not self.eat("weighs", "weigh", "weighed"):
            return None
        if self.eat("the same", "as much") and self.ended and len(things) > 1:
            return Statement(things=things[:-1], factor=Fraction(1), other=things[-1])
        if self.words[self.pos - 1] in ("same", "much"):
            self.eat("as")
            return Statement(things=things, factor=Fraction(1), other=self.thing())
        start = self.pos
        factor = self._factor()
        if factor is not None and self.eat("as much as", "the weight of", "more than", "what"):
            return Statement(things=things, factor=factor, other=self.thing())
        self.pos = start
        return self._measure(things)

    def _measure(self, things: tuple[Thing, ...]) -> Statement | None:
        """Read a weight in grams or kilograms; kept in kilograms."""
        if self.ended:
            return None
        number, used = number_at(self.words, self.pos)
        if number is None:
            return None
        self.pos += used
        unit = self.eat("kg", "kilograms", "kilogram", "kilos", "kilo", "g", "grams", "gram")
        value = Fraction(str(number)) / (1000 if unit.startswith("g") else 1)
        return Statement(things=things, factor=value)

    def _factor(self) -> Fraction | None:
        """Read "twice", "three times", "half", "one third", "1.5 times"."""
        self.eat("about", "exactly", "only", "roughly")
        word = self.peek()
        if self.at("as heavy as", "as much as"):
            return Fraction(1)
        if self.eat("the same weight as", "just as heavy as", "equally heavy as"):
            self.pos -= 1 if self.words[self.pos - 1] == "as" else 0
            return None
        if word in _MULTIPLES:
            self.pos += 1
            return Fraction(_MULTIPLES[word])
        if below := _ordinal(word):
            self.pos += 1
            self.eat("of")
            return Fraction(1, below)
        if word in ("a", "an") and (below := _ordinal(self.peek(1))):
            self.pos += 2
            self.eat("of")
            return Fraction(1, below)
        if self.ended or word in UNIT_NAMES:
            return None
        number, used = number_at(self.words, self.pos)
        if number is None:
            return None
        self.pos += used
        value = Fraction(str(number))
        if self.peek() == "/" and DIGITS.fullmatch(self.peek(1) or ""):
            value /= Fraction(self.peek(1)) or 1
            self.pos += 2
        elif below := _ordinal(self.peek().removesuffix("s")) or _ordinal(self.peek()):
            value /= below
            self.pos += 1
        elif self.at("and a half"):
            self.eat("and a half")
            value += Fraction(1, 2)
        self.eat("times", "of", "fold")
        return value if value > 0 else None


def _ordinal(word: str) -> int:
    """The number of parts that "third" or "ninth" speaks of, also misspelt; 0 if none."""
    if word in _ORDINALS:
        return _ORDINALS[word]
    if len(word) < 5 or word in NUMBERS or not word.isalpha():
        return 0
    close = difflib.get_close_matches(word, _ORDINALS, n=1, cutoff=0.75)
    return _ORDINALS[close[0]] if close and sorted(close[0]) == sorted(word) else 0


def _made(verb: str) -> Condition:
    return Condition(relation="is", word=_MAKES[verb])


def _without_last(things: tuple[Thing, ...]) -> tuple[tuple[Thing, ...], Condition | None]:
    """Take what was read as part of the last noun, "the ball in the box", off it again."""
    *before, last = things
    if not last.conditions or last.conditions[-1].relation not in ("on", "in", "under", "above"):
        return things, None
    *kept, where = last.conditions
    return (*before, replace(last, conditions=tuple(kept))), where
