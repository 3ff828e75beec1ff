"""Reads a sentence from left to right: words, numbers with units, objects, sides, areas."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from embodied.language.value_map.building import PACES_M_S
from embodied.language.value_map.rules.words import (
    AREA_WORDS,
    AT_MOST,
    COURTEOUS,
    DIRECTION_WORDS,
    HAND,
    HAND_OF,
    SIDE_WORDS,
    SUPERLATIVES,
    TABLES,
    TURNS,
    WIDTHS_M,
)
from embodied.language.words.amounts import UNITS, quantity_at
from embodied.language.words.cursor import Abstain, Cursor
from embodied.language.words.extremes import measure
from embodied.language.words.lexer import COMMA, PAUSES, Token, UnreadableTextError, tokenize
from embodied.language.words.manner import pace_at
from embodied.language.words.scene_words import ITEM, SceneWords, plain

Places = Mapping[str, Sequence[float]]
"""Where things are seen: x, y, z by name, world frame, m."""

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
    words = [t.word for t in tokens]
    kept = [
        t
        for i, t in enumerate(tokens)
        if not (
            t.word == "hand"
            and words[i - 1 : i] in (["left"], ["right"])
            and words[i + 1 : i + 2] == ["side"]
        )
    ]  # "the right hand side"
    return tuple(replace(t, word=COMMA) if t.word in PAUSES else t for t in kept)


class SceneCursor(Cursor):
    """A position in a sentence about a scene.

    Args:
        tokens: Words.
        scene: What the objects may be called.
        places: Says where things are seen now, for "the leftmost block".

    Attributes:
        last: The things that were named last: what "it" stands for on the way.
        seen: All things that were named so far.
        notes: How words were read that leave something open.
        stacked: Things that lie on each other: "the stack".
    """

    stacked: tuple[str, ...] = ()

    def __init__(
        self, tokens: Iterable[Token], scene: SceneWords, places: Callable[[], Places] = dict
    ) -> None:
        super().__init__(tokens)
        self.scene, self.places = scene, places
        self.last: tuple[str, ...] = ()
        self.seen: list[str] = []
        self.notes: list[str] = []

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

    def quantity(self, of: str) -> float | None:
        """An amount of a unit in ``UNITS[of]``, as its SI value; None if none comes next."""
        found = None if self.ended else quantity_at(self.words, self.pos, feet=True)
        if found is None or found[1] not in UNITS[of]:
            return None
        self.pos += found[2]
        return round(found[0] * UNITS[of][found[1]], 6)

    def length(self) -> float | None:
        """A length in metres; ``about`` and ``at least`` in front of it are dropped."""
        start = self.pos
        self.eat("about", "around", "roughly", "approximately", "a distance of", "a point",
                 "another", "just", "only")  # fmt: skip
        value = self.quantity("m")
        if value is None:
            word = self.eat(*WIDTHS_M)
            value = WIDTHS_M.get(word)
        if value is None:
            self.pos = start
        return value

    def angle(self) -> float | None:
        """An angle in radians, also "a quarter turn"."""
        start = self.pos
        turns = self.keyword(TURNS)
        if turns:
            return round(2 * math.pi * float(turns), 6)
        self.eat("about", "around", "roughly", "an angle of")
        value = self.quantity("rad")
        if value is None:
            self.pos = start
        return value

    def duration(self) -> float | None:
        """A time in seconds, with "for" in front of it or not."""
        start = self.pos
        self.eat("for", "lasting")
        self.eat("about", "around", "roughly", "at least", "another", "just")
        value = self.quantity("s")
        if value is None:
            self.pos = start
        return value

    def speed(self) -> float | None:
        """A speed in m/s, in numbers or words."""
        start = self.pos
        pace, used = pace_at(self.words, start)
        if pace is not None:
            self.pos += used
            if isinstance(pace, str):
                return PACES_M_S[pace]
            value = round(pace * PACES_M_S["normal"], 6)
            if value in PACES_M_S.values():
                return value
            said = self.between(start)
            self.notes.append(f"{said}: {pace:g} times the usual {PACES_M_S['normal']:g} m/s")
            return value
        self.eat(*AT_MOST)
        self.eat("at a speed of", "with a speed of", "at a velocity of", "at", "with")
        self.eat("at most", "no more than")
        value = self.quantity("m/s")
        if value is None:
            self.pos = start
        return value

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
        if self.eat(*(f"the {table}" for table in TABLES)):  # "the table's center"
            phrase = self.eat(*owner)
            if phrase and not self.at("of"):
                return owner[phrase]
        self.pos = start
        return ""

    def hand(self) -> bool:
        """Go past a phrase for the hand: "the gripper", "your robot arm", "the ee"."""
        start = self.pos
        self.eat("the", "your", "its", "my", "a")
        robot = self.eat(*HAND_OF)
        if not self.eat(*HAND) and not robot:
            self.pos = start
            return False
        return True

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
        every = bool(
            plural
            and self.eat(
                "all of the", "all the", "both of the", "both the", "the two", "any of the",
                "every", "each", "all", "both", "any",
            )
        )  # fmt: skip
        if len(self.last) == 1 and self.eat("it", "that one", "this one", "the same one"):
            return self.last
        if self.stacked and self.eat("the stack", "the tower", "the pile", "the stacks"):
            return self._noted(self.stacked)
        self.eat("the", "a", "an", "that", "this", "your", "these", "those")
        best = self.keyword(SUPERLATIVES)
        named = {plain(n): n for n in self.scene.specs}
        exact = "" if best else self.eat(*named)
        if exact and not self._head(self.words[self.pos : self.pos + 4]):
            return self._noted((named[exact],))
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
        bare = head is not None and head[0] == ITEM and self.words[self.pos] == "one"
        if head is None or (bare and not fitting and not best):
            self.pos = start
            return None
        noun, is_plural, length = head
        self.pos += length
        text = " ".join(self.words[begin : self.pos])
        pool = self.scene.named(noun) if noun != ITEM else frozenset(self.scene.items)
        fitting = pool if fitting is None else fitting & pool
        names = tuple(n for n in self.scene.specs if n in fitting)
        if not names:
            legal = ", ".join(plain(n) for n in self.scene.specs)
            raise self.abstain(f"there is no {text} here", f"there are: {legal}", final=True)
        if len(names) > 1 and not (plural and (every or is_plural)):
            best = best or self._told_apart()
            if not best:
                which = ", ".join(plain(n) for n in names)
                raise self.abstain(f"'{text}' may mean {which}", "say which one", final=True)
        return self._noted((self._best(best, names),) if best else names)

    def listed(self) -> tuple[str, ...] | None:
        """The objects of one noun phrase or of several with "and" between them."""
        found = self.nouns() or self._sharing_noun()
        while found is not None:
            start = self.pos
            more = self.nouns() if self.eat_join() else None
            if more is None:
                self.pos = start
                return found
            found = tuple(dict.fromkeys((*found, *more)))
        return None

    def _sharing_noun(self) -> tuple[str, ...] | None:
        """``the red and the green block``: two that share the noun of the last."""
        start = self.pos
        self.eat("the", "a")
        fitting: list[frozenset[str]] = []
        while not self.ended and self.peek() in self.scene.modifiers:
            fitting.append(self.scene.modifiers[self.peek()])
            self.pos += 1
        if not fitting or not self.eat_join():
            self.pos = start
            return None
        more = self.nouns()
        if more is None or len(more) != 1:
            self.pos = start
            return None
        kind = self.scene.specs[more[0]].category
        pool = frozenset(n for n, o in self.scene.specs.items() if o.category == kind)
        names = tuple(n for n in pool.intersection(*fitting))
        if len(names) != 1:
            self.pos = start
            return None
        return self._noted((*names, *more))

    def _noted(self, names: tuple[str, ...]) -> tuple[str, ...]:
        self.last = names
        self.seen += names
        return names

    def _told_apart(self) -> str:
        """What follows a noun and picks one of several: "on the left", "closest to you"."""
        start = self.pos
        self.eat("that is", "which is")
        side = self.eat("on the left", "on the right", "to the left", "to the right")
        if side and not self.at("of", "side", "hand", "half", "edge", "corner", "by"):
            return side.split()[-1]
        self.pos = start
        self.eat("that is", "which is", "that lies", "that stands")
        found = self.keyword(SUPERLATIVES)
        if not found:
            self.pos = start
        return found

    def _best(self, what: str, names: tuple[str, ...]) -> str:
        """The one of several things that a superlative means.

        Raises:
            Abstain: It is not seen where they are, or two are too much alike.
        """
        key: Callable[[str], float]
        if what in ("largest", "smallest"):
            sign = 1 if what == "largest" else -1
            sizes = {n: self.scene.specs[n].size_m for n in names}
            key = lambda n: sign * sizes[n][0] * sizes[n][1] * sizes[n][2]  # noqa: E731
        elif what in ("tallest", "shortest"):
            key = lambda n: (1 if what == "tallest" else -1) * self.scene.specs[n].size_m[2]  # noqa: E731
        else:
            places = self.places()
            names = tuple(n for n in names if n in places)
            if not names:
                word = SUPERLATIVES[what][0]
                raise self.abstain(
                    f"I do not see where things are now, so not which one is {word}",
                    "say its colour or its name",
                    final=True,
                )
            origin: Sequence[float] = (0.0, 0.0, 0.0)
            if what in ("nearest", "farthest") and self.eat("to", "from"):
                if not self.eat("you", "yourself", "me", "the robot", "the base", "us"):
                    other = self.noun()
                    if other is None or other not in places:
                        raise self.abstain(
                            "I do not see what it is to be near to or far from", final=True
                        )
                    origin, names = places[other], tuple(n for n in names if n != other)
            key = measure(what, places, origin)
        first, *others = sorted(names, key=key, reverse=True)
        if others and abs(key(first) - key(others[0])) < 1e-9:
            raise self.abstain(
                f"the {plain(first)} and the {plain(others[0])} are alike in this",
                "say which one",
                final=True,
            )
        self.notes.append(f"the {SUPERLATIVES[what][0]} one of these is the {plain(first)}")
        return first

    def _head(self, words: tuple[str, ...]) -> tuple[str, bool, int] | None:
        found = self.scene.head_at(words)
        if found is None and words[:1] in (("one",), ("ones",)):
            return ITEM, words[0] == "ones", 1
        return found
