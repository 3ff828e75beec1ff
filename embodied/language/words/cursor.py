"""Reading words one after the other, and abstaining at the word where that fails."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from embodied.errors import Diagnostic
from embodied.language.words.lexer import COMMA, PAUSES, Token


class Abstain(Exception):  # noqa: N818 - not a failure: the translator decides not to answer
    """Why the sentence is not translated; becomes a ``NotUnderstoodError``.

    Attributes:
        final: No other translator shall guess; it becomes a ``RefusedError``.
    """

    def __init__(self, where: str, problem: str, hint: str = "", *, final: bool = False) -> None:
        super().__init__(problem)
        self.final = final
        self.diagnostic = Diagnostic(where=where, problem=problem, hint=hint)


@lru_cache(maxsize=4096)
def _split(phrase: str) -> tuple[str, ...]:
    return tuple(phrase.split())


@lru_cache(maxsize=64)
def _longest_first(phrases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(phrases, key=lambda p: -len(p.split())))


class Cursor:
    """A position in a sentence."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        tokens = tuple(tokens)
        self.words = tuple(t.word for t in tokens)
        self.numbers = tuple(t.number for t in tokens)
        self.pos = 0

    @property
    def ended(self) -> bool:
        """No word is left."""
        return self.pos >= len(self.words)

    def peek(self, ahead: int = 0) -> str:
        """The next word, or the one ``ahead`` of it; empty beyond the end."""
        i = self.pos + ahead
        return self.words[i] if i < len(self.words) else ""

    def at(self, *phrases: str) -> bool:
        """Whether one of the phrases comes next."""
        for phrase in phrases:
            words = _split(phrase)
            if self.words[self.pos : self.pos + len(words)] == words:
                return True
        return False

    def eat(self, *phrases: str) -> str:
        """Read the longest of the phrases that comes next; empty when none does."""
        for phrase in _longest_first(phrases):
            words = _split(phrase)
            if self.words[self.pos : self.pos + len(words)] == words:
                self.pos += len(words)
                return phrase
        return ""

    def between(self, start: int, end: int | None = None) -> str:
        """The words from ``start`` up to ``end`` (the current position)."""
        return " ".join(w for w in self.words[start : self.pos if end is None else end])

    def rest(self) -> str:
        """The next few words, for messages."""
        end = self.pos
        while end < len(self.words) and end < self.pos + 4 and self.words[end] not in PAUSES:
            end += 1
        return " ".join(self.words[self.pos : max(end, self.pos + 1)])

    def at_pause(self) -> bool:
        """At a comma, a full stop or the end."""
        return self.ended or self.peek() in PAUSES

    def abstain(self, problem: str = "", hint: str = "", *, final: bool = False) -> Abstain:
        """An exception for the words here; to be raised by the caller."""
        if self.ended:
            problem = problem or "something is missing here"
            return Abstain("end of the sentence", problem, hint, final=final)
        rest = self.rest()
        where = f"word {self.numbers[self.pos]}, '{rest}'"
        problem = problem or f"I do not understand '{rest}' at this place"
        return Abstain(where, problem, hint, final=final)

    def eat_join(self) -> str:
        """Read what joins the members of a list: ``"and"``, ``"or"`` or ``","``; empty if none."""
        start = self.pos
        comma = bool(self.eat(COMMA))
        if self.eat("and also", "and"):
            return "and"
        if self.eat("or"):
            return "or"
        if self.eat("as well as", "together with", "along with", "plus"):
            return "and"
        if comma:
            return COMMA
        self.pos = start
        return ""
