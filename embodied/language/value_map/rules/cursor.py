"""Reads a sentence from left to right: words, numbers with units, objects, sides, areas."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from embodied.errors import Diagnostic
from embodied.language.value_map.rules.words import (
    AREA_WORDS,
    COURTESY,
    DIRECTION_WORDS,
    LENGTH_UNITS,
    NUMBER_WORDS,
    SIDE_WORDS,
    SPEED_UNITS,
    SPEED_WORDS,
    TABLES,
)
from embodied.language.value_map.vocabulary import SPEEDS_M_S
from embodied.language.words.scene_words import ITEM, SceneWords, plain

MAX_CHARACTERS = 1000
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\.\d+|[^\W\d_]+/[a-z]|[^\W\d_]+(?:'[a-z]+)?|[,;:.!?%]|\S")
_OF_THE_TABLE = tuple(
    f"{of} {the} {table}" for of in ("of", "on") for the in ("the", "your") for table in TABLES
)
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "-": " ", "\u2013": " ", "\u2014": ","})


class Abstain(Exception):  # noqa: N818 - not an error: the sentence is somebody else's
    """The sentence is outside the grammar."""

    def __init__(self, where: str, problem: str, hint: str = "") -> None:
        self.diagnostic = Diagnostic(where=where, problem=problem, hint=hint)
        super().__init__(str(self.diagnostic))


def tokens_of(sentence: str) -> tuple[str, ...]:
    """Lower-case words, numbers and commas; other stops become commas too.

    Raises:
        Abstain: Empty, too long, or with letters of no alphabet that is known here.
    """
    if len(sentence) > MAX_CHARACTERS:
        raise Abstain("text", f"it is longer than {MAX_CHARACTERS} characters")
    text = unicodedata.normalize("NFKC", sentence).lower().translate(_QUOTES)
    text = text.replace("don't", "do not").replace("it's", "it is")
    words = [w for w in _TOKEN.findall(text) if w not in "!?\"'"]
    found = ["," if w in ";:.," else w for w in words]
    while found and found[-1] == ",":
        found.pop()
    if not found:
        raise Abstain("text", "it is empty", "say what to do")
    return tuple(found)


class Cursor:
    """A position in a sentence.

    Args:
        tokens: Words.
        scene: What the objects may be called.
    """

    def __init__(self, tokens: Sequence[str], scene: SceneWords) -> None:
        self.tokens, self.scene = tuple(tokens), scene
        self.pos = 0

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.pos >= len(self.tokens)

    def rest(self) -> str:
        """The next few words, for messages."""
        return " ".join(self.tokens[self.pos : self.pos + 5]) or "the end"

    def abstain(self, problem: str, hint: str = "") -> Abstain:
        """What to raise here."""
        return Abstain(f"word {self.pos + 1}", problem, hint)

    def at(self, *phrases: str) -> str:
        """The longest of these phrases that comes next, or ``""``."""
        best = ""
        for phrase in phrases:
            words = tuple(phrase.split())
            if self.tokens[self.pos : self.pos + len(words)] == words and len(phrase) > len(best):
                best = phrase
        return best

    def eat(self, *phrases: str) -> str:
        """Like ``at``, and go past it."""
        found = self.at(*phrases)
        self.pos += len(found.split())
        return found

    def eat_all(self, *phrases: str) -> bool:
        """Go past as many of these as come next."""
        start = self.pos
        while self.eat(*phrases):
            pass
        return self.pos > start

    def skip_courtesy(self) -> None:
        """Go past words that mean nothing here."""
        self.eat_all(*COURTESY)

    def keyword(self, table: Mapping[str, Iterable[str]]) -> str:
        """Key of the longest phrase of a table that comes next, which is eaten; or ``""``."""
        owner = {phrase: key for key, phrases in table.items() for phrase in phrases}
        return owner.get(self.eat(*owner), "")

    def number(self) -> float | None:
        """A number in digits or words."""
        if self.ended:
            return None
        word = self.tokens[self.pos]
        if re.fullmatch(r"\d+(\.\d+)?|\.\d+", word):
            self.pos += 1
            return float(word)
        value, length = NUMBER_WORDS.get(word), 1
        following = self.tokens[self.pos + 1 : self.pos + 3]
        if value in (20, 30, 40) and following and NUMBER_WORDS.get(following[0], 10) < 10:
            value, length = value + NUMBER_WORDS[following[0]], 2
        unit = following[length - 1 : length]
        if value is None or not unit or not (unit[0] in LENGTH_UNITS or unit[0] in SPEED_UNITS):
            return None
        self.pos += length
        return float(value)

    def length(self) -> float | None:
        """A length in metres; ``about`` and ``at least`` in front of it are dropped."""
        start = self.pos
        self.eat("about", "around", "roughly", "approximately", "a distance of", "a point")
        value = self.number()
        unit = self.eat(*LENGTH_UNITS) if value is not None else ""
        if value is None or not unit:
            self.pos = start
            return None
        return round(value * LENGTH_UNITS[unit], 6)

    def speed(self) -> float | None:
        """A speed in m/s, in numbers or words."""
        start = self.pos
        named = self.keyword(SPEED_WORDS)
        if named:
            return SPEEDS_M_S[named]
        self.eat("at a speed of", "with a speed of", "at a velocity of", "at", "with")
        value = self.number()
        if value is not None:
            unit = self.eat(*SPEED_UNITS)
            if unit:
                return round(value * SPEED_UNITS[unit], 6)
            if self.eat("% speed", "% of the normal speed", "% of normal speed"):
                return round(value / 100 * SPEEDS_M_S["normal"], 6)
        self.pos = start
        return None

    def side(self) -> str:
        """A key of ``SIDES``, or ``""``."""
        return self.keyword(SIDE_WORDS)

    def direction(self) -> str:
        """A key of ``DIRECTIONS``, or ``""``."""
        return self.keyword(DIRECTION_WORDS)

    def area(self) -> str:
        """A key of ``AREAS`` with "of the table" behind it, or ``""``."""
        start = self.pos
        determined = self.eat("the", "a")
        owner = {phrase: key for key, phrases in AREA_WORDS.items() for phrase in phrases}
        phrase = self.eat(*owner)
        if phrase:
            if self.eat(*_OF_THE_TABLE):
                return owner[phrase]
            # "the left side" is a part of the table, "left" alone is a direction
            whole = determined and (" " in phrase or owner[phrase] == "center")
            if whole and not self.at("of"):
                return owner[phrase]
        self.pos = start
        return ""

    def noun(self) -> str | None:
        """One object's name; None if no noun comes next.

        Raises:
            Abstain: There is no such object, or more than one.
        """
        found = self.nouns(plural=False)
        return None if found is None else found[0]

    def nouns(self, *, plural: bool = True) -> tuple[str, ...] | None:
        """The objects that a noun phrase names, in the scene's order; None if none comes next.

        Raises:
            Abstain: There is no such object, or more than one where one is meant.
        """
        start = self.pos
        every = bool(plural and self.eat("all the", "all of the", "every", "each", "all"))
        self.eat("the", "a", "an", "that", "this", "your")
        named = {plain(n): n for n in self.scene.specs}
        exact = self.eat(*named)
        if exact and not self._head(self.tokens[self.pos : self.pos + 4]):
            return (named[exact],)
        self.pos -= len(exact.split())
        fitting: frozenset[str] | None = None
        begin = self.pos
        while not self.ended and self.tokens[self.pos] in self.scene.modifiers:
            after = self.tokens[self.pos + 1 : self.pos + 5]
            more = self._head(after) or (after and after[0] in self.scene.modifiers)
            if self._head(self.tokens[self.pos : self.pos + 4]) and not more:
                break
            own = self.scene.modifiers[self.tokens[self.pos]]
            fitting = own if fitting is None else fitting & own
            self.pos += 1
        head = self._head(self.tokens[self.pos : self.pos + 4])
        if head is None or (head[0] == ITEM and self.tokens[self.pos] == "one" and not fitting):
            self.pos = start
            return None
        noun, is_plural, length = head
        self.pos += length
        text = " ".join(self.tokens[begin : self.pos])
        pool = self.scene.named(noun) if noun != ITEM else frozenset(self.scene.items)
        fitting = pool if fitting is None else fitting & pool
        names = tuple(n for n in self.scene.specs if n in fitting)
        legal = ", ".join(plain(n) for n in self.scene.specs)
        if not names:
            raise self.abstain(f"there is no {text} here", f"there are: {legal}")
        if len(names) > 1 and not (plural and (every or is_plural)):
            which = ", ".join(plain(n) for n in names)
            raise self.abstain(f"'{text}' may mean {which}", "say which one")
        return names

    def _head(self, words: tuple[str, ...]) -> tuple[str, bool, int] | None:
        found = self.scene.head_at(words)
        if found is None and words[:1] in (("one",), ("ones",)):
            return ITEM, words[0] == "ones", 1
        return found
