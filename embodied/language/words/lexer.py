"""A sentence becomes plain lower-case words and two kinds of pause."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass

MAX_CHARACTERS = 1000
"""Longest sentence that is read at all; nobody asks a robot more in one breath."""

COMMA, STOP, COLON = ",", ".", ":"
PAUSES = frozenset({COMMA, STOP, COLON})

_CONTRACTIONS = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "let's": "let us",
    "i'd": "i would",
    "i'm": "i am",
    "i've": "i have",
    "we'd": "we would",
    "you'd": "you would",
    "you've": "you have",
    "you're": "you are",
    "you'll": "you will",
    "it's": "it is",
    "that's": "that is",
    "there's": "there is",
    "what's": "what is",
    "where's": "where is",
    "they're": "they are",
    "dont": "do not",
    "doesnt": "does not",
    "isnt": "is not",
    "whatever's": "whatever is",
    "everything's": "everything is",
    "gimme": "give me",
    "wanna": "want to",
    "gonna": "going to",
    "gotta": "have to",
    "pls": "please",
    "plz": "please",
    "thx": "thanks",
}
_IS = re.compile(
    r"\b(\w+)'s(?= (?:\w+ing|not|already|on|in|at|under|inside|too|a|an|the|so|very|full|empty"
    r"|dirty|wet|hot|cold|clean|open|closed|shut|broken|done|over|ready|gone|out|still|really)\b)"
)
"""A verb that looks like a possessive: "the tray's empty"."""
_QUOTES = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u00b4": "'", "`": "'", "\u2013": ",", "\u2014": ","}
)
_TOKEN = re.compile(
    r"(?:rad(?:ian)?s?|deg(?:ree)?s?|mm|cm|km|m)/(?:sec|s|h)\b|\d+(?:\.\d+)?|\.\d+"
    r"|[^\W\d_]+(?:'[a-z]+)?|->|=>|\S|\n"
)
"""A unit of a rate, a number, a word, or one other character."""
_SIGNS = {"&": "and", "+": "and", "->": "to", "=>": "to", "\u2192": "to"}
_DROPPED = frozenset("\"'\u201c\u201d\u00ab\u00bb*_")
_PAUSE_OF = {
    ",": COMMA,
    "(": COMMA,
    ")": COMMA,
    ":": COLON,
    ";": STOP,
    ".": STOP,
    "!": STOP,
    "?": STOP,
    "\n": STOP,
}


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a pause.

    Attributes:
        word: The word in lower case, or one of ``PAUSES``.
        number: Number of the word in the sentence, counted from 1 without the pauses.
    """

    word: str
    number: int


class UnreadableTextError(Exception):
    """The text is no sentence; the message says why."""


def _plain(text: str) -> str:
    """The text in lower case with plain quotation marks and no hyphens."""
    if len(text) > MAX_CHARACTERS:
        raise UnreadableTextError(
            f"the sentence has {len(text)} characters; I read at most {MAX_CHARACTERS}: "
            "say it in several sentences"
        )
    bad = sorted({c for c in text if unicodedata.category(c)[0] == "C" and c not in "\n\r\t"})
    if bad:
        names = ", ".join(f"U+{ord(c):04X}" for c in bad[:5])
        raise UnreadableTextError(f"the sentence holds control characters ({names})")
    plain = unicodedata.normalize("NFKC", text).lower().translate(_QUOTES)
    plain = _IS.sub(r"\1 is", plain)
    plain = re.sub(r"\s+-+(?!>)\s*", ", ", plain)
    return (
        re.sub(r"-(?!>)", " ", plain)
        .replace("\r", "\n")
        .replace("w/o ", "without ")
        .replace("w/ ", "with ")
    )


def tokenize(text: str) -> tuple[Token, ...]:
    """Split a sentence into words and pauses, in time linear in its length.

    Contractions are written out, hyphens separate words, quotation marks are dropped; "0.5" and
    "cm/s" are one word each.

    Raises:
        UnreadableTextError: Empty, too long, or with characters that no sentence has.
    """
    words: list[str] = []
    pieces: list[str] = _TOKEN.findall(_plain(text))
    for piece in pieces:
        if piece in _DROPPED:
            continue
        if piece in _PAUSE_OF:
            pause = _PAUSE_OF[piece]
            if words and words[-1] in PAUSES:
                words[-1] = max(words[-1], pause, key=(COMMA, COLON, STOP).index)
            elif words:
                words.append(pause)
            continue
        words += _expand(_SIGNS.get(piece, piece))
    while words and words[-1] in PAUSES:
        words.pop()
    if not words:
        raise UnreadableTextError("the sentence is empty")
    numbers = itertools.accumulate(int(word not in PAUSES) for word in words)
    return tuple(Token(word, number) for word, number in zip(words, numbers, strict=True))


def _expand(piece: str) -> list[str]:
    """Write out a contraction."""
    if piece in _CONTRACTIONS:
        return _CONTRACTIONS[piece].split()
    if piece.endswith("n't"):
        return [piece[:-3], "not"]
    if "'" in piece:
        stem, tail = piece.split("'", 1)
        return {
            "ll": [stem, "will"],
            "re": [stem, "are"],
            "ve": [stem, "have"],
            "d": [stem, "would"],
        }.get(tail, [stem] if tail == "s" else [stem, tail])
    return [piece]
