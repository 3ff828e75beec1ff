"""Frames: a verb with slots that may be filled in any order, read from plain words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from embodied.language.reward.phrases import Wish, amount, compiled

_LINK = re.compile(r" (?:to|at|by|in|with|for|over|through|from|into|on|along|of)(?= )")
"""Words that may stand before what fills a slot."""
_JOIN = re.compile(r"(?: ,| and| ,? ?but)+(?= )")
_ONCE = frozenset(("way", "spin", "length", "angle", "time", "speed", "rate"))
"""Slots that are filled once only."""


@dataclass(slots=True)
class Said:
    """A frame that was filled.

    Attributes:
        verb: The words that began it.
        head: Named parts of these words.
        amounts: Numbers in SI units by slot.
        words: Other slots with the words that filled them.
    """

    verb: str
    head: Mapping[str, str | None]
    amounts: dict[str, float] = field(default_factory=dict[str, float])
    words: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def has(self, *slots: str) -> bool:
        """Whether one of the slots is filled."""
        return any(s in self.words or s in self.amounts for s in slots)

    def word(self, slot: str) -> str:
        """What filled a slot last, ``""`` for nothing."""
        return (self.words.get(slot) or [""])[-1]

    def part(self, name: str) -> str:
        """A named part of the verb's words, ``""`` where it is missing."""
        return self.head.get(name) or ""


class Slot:
    """What may stand in a frame, as a phrase written for ``phrases.compiled``.

    Args:
        expression: The phrase; the amount that it holds is what fills the slot.
        factor: What an amount is multiplied by.
        into: The slot that it fills, where that is another one.
    """

    def __init__(self, expression: str, factor: float = 1.0, into: str = "") -> None:
        self.expression, self.factor, self.into = expression, factor, into

    @property
    def regex(self) -> re.Pattern[str]:
        """Matches the phrase; compiled when it is first looked for."""
        return compiled(rf" (?:{self.expression})")

    def fill(self, said: Said, name: str, match: re.Match[str]) -> None:
        """Note what a match says."""
        name = self.into or name
        value = amount(match)
        value = amount(match, "2") if value is None else value
        if value is None and match.groupdict().get("count"):
            value = float(match["count"])
        if value is not None:
            said.amounts[name] = value * self.factor
        else:
            said.words.setdefault(name, []).append(match.group(0).strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A verb, the slots that it may have, and what it asks for.

    Attributes:
        verb: Matches the words that begin it.
        slots: By name.
        meaning: Makes a wish of it.
        together: Slots whose second filling belongs to the same motion, e.g. "forward and left".
    """

    verb: re.Pattern[str]
    slots: Mapping[str, Slot]
    meaning: Callable[[Said], Wish]
    together: Callable[[Said, str], bool] = lambda said, name: False

    def read(self, text: str, start: int) -> tuple[int, list[Callable[[], Wish]]] | None:
        """The end of what is read from ``start``, and the wishes; None where the verb is not.

        A slot that is filled again behind a comma or "and" begins the same frame anew: "walk 1 m
        forward and 2 m to the left".
        """
        begin = self.verb.match(text, start)
        if begin is None:
            return None
        found, pos = [Said(begin.group(0), begin.groupdict())], begin.end()
        while True:
            joined = _JOIN.match(text, pos)
            starts = [joined.end() if joined else pos]
            while link := _LINK.match(text, starts[-1]):
                starts.append(link.end())
            said = found[-1]
            matches = [
                (m, n)
                for n, slot in self.slots.items()
                if joined or not ((slot.into or n) in _ONCE and said.has(slot.into or n))
                for at in starts
                if (m := slot.regex.match(text, at))
            ]
            if not matches:
                break
            match, name = max(matches, key=lambda mn: mn[0].end())
            into = self.slots[name].into or name
            if said.has(into) and joined and not self.together(said, name):
                said = Said(begin.group(0), begin.groupdict())
                found.append(said)
            self.slots[name].fill(said, name, match)
            pos = match.end()
        return pos, [lambda s=s: self.meaning(s) for s in found]


def frame(
    verb: str,
    slots: Sequence[str],
    table: Mapping[str, Slot],
    meaning: Callable[[Said], Wish],
    together: Callable[[Said, str], bool] = lambda said, name: False,
) -> Frame:
    """A frame with slots of a table."""
    return Frame(
        verb=re.compile(rf"(?:{verb})(?= |,|$)"),
        slots={n: table[n] for n in slots},
        meaning=meaning,
        together=together,
    )
