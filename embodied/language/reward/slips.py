"""Mistyped words of sentences about motions: "forwrd" is "forward"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from embodied.language.reward.frames import Frame
from embodied.language.reward.phrases import WORDS, Pattern, Phrase
from embodied.language.words.amounts import NUMBERS, UNIT_NAMES
from embodied.language.words.lexicon import CHATTER, COURTESY, POLITE
from embodied.language.words.manner import PACES

LEAST = 5
"""Letters that a word must have to be mended: short ones have too many neighbours."""


def vocabulary(phrases: Iterable[Phrase]) -> frozenset[str]:
    """Every word that the phrases, and what is read before them, know."""
    found = {*WORDS, *NUMBERS, *UNIT_NAMES, *CHATTER}
    for texts in (COURTESY, POLITE, *PACES.values()):
        found |= {word for text in texts for word in text.split()}
    for phrase in phrases:
        for expression in _expressions(phrase):
            plain = re.sub(r"\\[a-z]|\(\?P[<=]\w+[>)]", " ", expression)
            found |= set(re.findall(r"[a-z]{3,}", plain))
    return frozenset(found)


def _expressions(phrase: Phrase) -> Iterator[str]:
    if isinstance(phrase, Pattern):
        yield phrase.regex.pattern
    elif isinstance(phrase, Frame):
        yield phrase.verb.pattern
        yield from (slot.regex.pattern for slot in phrase.slots.values())


def mended(sentence: str, known: frozenset[str]) -> tuple[str, tuple[str, ...]]:
    """A sentence with its mistyped words as they were meant, and notes that say so.

    A word is only touched when it is unknown and exactly one known word with the same first letter
    is one slip away: a letter too many, too few, another one, or two that changed places.
    """
    notes: list[str] = []

    def meant(match: re.Match[str]) -> str:
        word = match[0].lower()
        if len(word) < LEAST or word in known:
            return match[0]
        near = [w for w in known if w[0] == word[0] and len(w) >= LEAST and _one_slip(word, w)]
        if len(near) != 1:
            return match[0]
        notes.append(f"'{match[0]}' is read as '{near[0]}'")
        return near[0]

    return re.sub(r"[A-Za-z]+", meant, sentence), tuple(notes)


def _one_slip(written: str, meant: str) -> bool:
    if abs(len(written) - len(meant)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(written, meant, strict=False)) if a != b), None)
    if at is None:
        return len(written) != len(meant)
    a, b = written[at:], meant[at:]
    swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or swapped
