"""Reads a sentence from left to right: words, numbers with units, objects, sides, areas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from embodied.language.value_map.rules.words import (
    AREA_WORDS,
    COURTEOUS,
    DIRECTION_WORDS,
    SIDE_WORDS,
    SPEED_WORDS,
    TABLES,
)
from embodied.language.value_map.vocabulary import SPEEDS_M_S
from embodied.language.words.amounts import DIGITS, UNITS, number_at, unit_of
from embodied.language.words.cursor import Abstain, Cursor
from embodied.language.words.lexer import COMMA, PAUSES, Token, UnreadableTextError, tokenize
from embodied.language.words.scene_words import ITEM, SceneWords, plain

_OF_THE_TABLE = tuple(
    f"{of} {the} {table}" for of in ("of", "on") for the in ("the", "your") for table in TABLES
)


def tokens_of(sentence: str) -> tuple[Token, ...]:
    """Words, numbers and commas; other stops become commas too.

    Raises:
        Abstain: Empty, too long, or with characters that no sentence has.
    """
    try:
        tokens = tokenize(sentence)
    except UnreadableTextError as why:
        raise Abstain("text", str(why), "say what to do") from None
    return tuple(replace(t, word=COMMA) if t.word in PAUSES else t for t in tokens)


class SceneCursor(Cursor):
    """A position in a sentence about a scene.

    Args:
        tokens: Words.
        scene: What the objects may be called.
    """

    def __init__(self, tokens: Iterable[Token], scene: SceneWords) -> None:
        super().__init__(tokens)
        self.scene = scene

    def eat_all(self, *phrases: str) -> bool:
        """Go past as many of these as come next."""
        start = self.pos
        while self.eat(*phrases):
            pass
        return self.pos > start

    def skip_courtesy(self) -> None:
        """Go past words that mean nothing here."""
        self.eat_all(*COURTEOUS)

    def keyword(self, table: Mapping[str, Iterable[str]]) -> str:
        """Key of the longest phrase of a table that comes next, which is eaten; or ``""``."""
        owner = {phrase: key for key, phrases in table.items() for phrase in phrases}
        return owner.get(self.eat(*owner), "")

    def number(self) -> float | None:
        """A number in digits, or in words with a unit behind it."""
        if self.ended:
            return None
        value, used = number_at(self.words, self.pos)
        if value is None and self.peek() in ("a", "an"):
            value, used = 1.0, 1
        if value is None or not (DIGITS.fullmatch(self.peek()) or unit_of(self.peek(used))):
            return None
        self.pos += used
        return value

    def unit(self, of: str) -> float:
        """Factor of a unit of ``"m"`` or ``"m/s"`` that comes next, or 0."""
        unit, used = unit_of(self.peek()), 1
        if self.peek(1) in ("per", "a") and unit_of(self.peek(2)) == "s":
            unit, used = f"{unit}/s", 3
        factor = UNITS[of].get(unit, 0.0)
        self.pos += used if factor else 0
        return factor

    def length(self) -> float | None:
        """A length in metres; ``about`` and ``at least`` in front of it are dropped."""
        start = self.pos
        self.eat("about", "around", "roughly", "approximately", "a distance of", "a point")
        value = self.number()
        factor = self.unit("m") if value is not None else 0.0
        if value is None or not factor:
            self.pos = start
            return None
        return round(value * factor, 6)

    def speed(self) -> float | None:
        """A speed in m/s, in numbers or words."""
        start = self.pos
        named = self.keyword(SPEED_WORDS)
        if named:
            return SPEEDS_M_S[named]
        self.eat("at a speed of", "with a speed of", "at a velocity of", "at", "with")
        value = self.number()
        if value is not None:
            factor = self.unit("m/s")
            if factor:
                return round(value * factor, 6)
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
        if exact and not self._head(self.words[self.pos : self.pos + 4]):
            return (named[exact],)
        self.pos -= len(exact.split())
        fitting: frozenset[str] | None = None
        begin = self.pos
        while not self.ended and self.words[self.pos] in self.scene.modifiers:
            after = self.words[self.pos + 1 : self.pos + 5]
            more = self._head(after) or (after and after[0] in self.scene.modifiers)
            if self._head(self.words[self.pos : self.pos + 4]) and not more:
                break
            own = self.scene.modifiers[self.words[self.pos]]
            fitting = own if fitting is None else fitting & own
            self.pos += 1
        head = self._head(self.words[self.pos : self.pos + 4])
        if head is None or (head[0] == ITEM and self.words[self.pos] == "one" and not fitting):
            self.pos = start
            return None
        noun, is_plural, length = head
        self.pos += length
        text = " ".join(self.words[begin : self.pos])
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
