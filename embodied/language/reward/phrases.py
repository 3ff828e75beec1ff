"""Sentences about motions as plain words: numbers written out, units named once, no politeness."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from embodied.language.rules.cursor import Abstain, Cursor
from embodied.language.rules.lexer import Token as Token
from embodied.language.rules.lexer import UnreadableTextError, expand, plain_text
from embodied.language.rules.lexicon import COURTESY, POLITE
from embodied.types import RewardTerm

_TOKEN = re.compile(
    r"(?:rad|deg|degrees?|radians?|m|cm|km)/(?:s|sec|h)\b|\d+(?:\.\d+)?|\.\d+"
    r"|[^\W\d_]+(?:'[a-z]+)?|[,;:.!?%\n]|\S"
)
_STOPS = frozenset(";.!?\n")
_WORDS = {
    "foot": "paw", "feet": "paws", "leg": "paw", "legs": "paws", "back": "back", "hind": "rear",
    "body": "torso", "trunk": "torso", "belly": "torso", "chest": "torso", "metre": "m",
    "metres": "m", "meter": "m", "meters": "m", "centimetre": "cm", "centimetres": "cm",
    "centimeter": "cm", "centimeters": "cm", "degree": "deg", "degrees": "deg", "°": "deg",
    "radian": "rad", "radians": "rad", "seconds": "s", "second": "s", "sec": "s", "secs": "s",
    "hertz": "hz", "percent": "%", "tap": "faucet", "water": "faucet", "ground": "floor",
    "forwards": "forward", "backwards": "backward", "inwards": "inward", "outwards": "outward",
    "ahead": "forward", "towards": "to", "toward": "to", "anticlockwise": "counterclockwise",
    "raise": "lift", "hoist": "lift", "rotate": "turn", "quickly": "fast", "quick": "fast",
    "slow": "slowly", "rapidly": "fast", "ur": "your", "times": "times", "halfway": "half way",
    "height": "height", "whirl": "spin", "twirl": "spin",
}  # fmt: skip
_DROPPED = frozenset(
    "the a an your my its of please now just kindly robot ok okay so well hey can you could that's "
    "there right now immediately thanks thank about approximately around exactly \" ' only".split()
) - {"right", "around", "can", "could", "you"}
_NUMBERS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "hundred": 100,
}  # fmt: skip
_PHRASES: tuple[tuple[str, str], ...] = (
    (r"\bhalf m\b", "0.5 m"),
    (r"\bquarter m\b", "0.25 m"),
    (r"\bm per s\b", "m/s"),
    (r"\bcm per s\b", "cm/s"),
    (r"\bdeg per s\b|\bdegrees?/s(?:ec)?\b", "deg/s"),
    (r"\brad per s\b|\bradians?/s(?:ec)?\b", "rad/s"),
    (r"\bkm per hour\b", "km/h"),
    (r"\btwice (?:per|every|each)? ?s\b", "2 hz"),
    (r"\bonce (?:per|every|each)? ?s\b", "1 hz"),
    (r"\b(?:steps?|times) (?:per|every|each)? ?s\b", "hz"),
    (r"\b(make|do) quarter turn\b", "turn 90 deg"),
    (r"\b(make|do) half turn\b", "turn 180 deg"),
    (r"\b(?:make |do )?u turn\b", "turn 180 deg"),
    (r"\bturn (?:all way )?(?:around|back)\b(?! (?:left|right|at|fast|slowly))", "turn 180 deg"),
    (r"\bcounter clockwise\b|\banti clockwise\b", "counterclockwise"),
    (r"\bback (?=left|right|paws?\b)", "rear "),
    (r"\b(?<=left )back\b|\b(?<=right )back\b", "rear"),
    (r"\b(two|2|both) back paws\b", "2 rear paws"),
    (r"\bas fast as (?:possible|you can|can)\b|\bat full speed\b", "fast"),
    (r"\bvery fast\b|\breally fast\b", "fast"),
    (r"\bon (?:the )?spot\b", "in place"),
    (r"\ball way\b", "fully"),
)
AMOUNT = r"(?P<number>\d+(?:\.\d+)?|\.\d+) ?(?P<unit>m/s|cm/s|km/h|rad/s|deg/s|cm|m|deg|rad|hz|s|%)"
_SCALE = {
    "m": ("length", 1.0), "cm": ("length", 0.01), "deg": ("angle", math.pi / 180),
    "rad": ("angle", 1.0), "m/s": ("speed", 1.0), "cm/s": ("speed", 0.01),
    "km/h": ("speed", 1 / 3.6), "rad/s": ("rate", 1.0), "deg/s": ("rate", math.pi / 180),
    "hz": ("frequency", 1.0), "s": ("time", 1.0), "%": ("fraction", 0.01),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one phrase asks for.

    Attributes:
        essential: Terms that the words name.
        support: Terms that a motion of this kind needs besides.
        seconds: How long, if the words say so.
        before: Stages that must come first, as terms with their ends.
        notes: How words were read.
    """

    essential: tuple[RewardTerm, ...] = ()
    support: tuple[RewardTerm, ...] = ()
    seconds: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A phrase and its meaning.

    Attributes:
        regex: Matches the phrase in normal words.
        meaning: Makes a wish of the match.
    """

    regex: re.Pattern[str]
    meaning: Callable[[re.Match[str]], Wish]


def stages_of(text: str) -> list[str]:
    """Normal words of a sentence, one text per stage; commas stay as separators of phrases.

    Raises:
        Abstain: The text is unreadable or holds no instruction.
    """
    try:
        plain = plain_text(text)
    except UnreadableTextError as why:
        raise Abstain("text", str(why)) from None
    pieces: list[str] = _TOKEN.findall(plain)
    words = [w for piece in pieces for w in _normal(piece)]
    cursor = Cursor(Token(w, 0) for w in words)
    kept: list[str] = []
    while not cursor.ended:
        if cursor.eat(*COURTESY, *(p for p in POLITE if "make sure" not in p)):
            continue
        word = cursor.peek()
        cursor.pos += 1
        if word not in _DROPPED:
            kept.append(_WORDS.get(word, word))
    joined = " ".join(_with_numbers(kept))
    for pattern, plainer in _PHRASES:
        joined = re.sub(pattern, plainer, joined)
    joined = re.sub(r"\bfirst(?: of all)?\b", ",", joined)
    found = re.split(
        r"(?:\band |, ?)?\b(?:then|after that|afterwards?|finally|next(?! to))\b|[;.]", joined
    )
    stages = [re.sub(r"^[, ]+|[, ]+$", "", re.sub(r"\s+", " ", part)) for part in found]
    stages = [s for s in stages if s]
    if not stages:
        raise Abstain("sentence", "there is no instruction in this")
    return stages


def _normal(piece: str) -> list[str]:
    if piece in _STOPS:
        return ["."]
    if piece == ":":
        return [","]
    return expand(piece)


def _with_numbers(words: Sequence[str]) -> list[str]:
    """Number words become digits; "twenty five" is 25."""
    written: list[str] = []
    for word in words:
        value = _NUMBERS.get(word)
        if value is None:
            written.append(word)
            continue
        before = written[-1] if written else ""
        tens = before.isdigit() and int(before) % 10 == 0 and 20 <= int(before) < 100
        if tens and 0 < value < 10:
            written[-1] = str(int(before) + value)
        else:
            written.append(str(value))
    return written


def amount(match: re.Match[str], quantity: str, group: str = "") -> float | None:
    """The amount of a match in SI units, None where there is none.

    Raises:
        Abstain: It is in a unit of another quantity.
    """
    number, unit = match.group(f"number{group}"), match.group(f"unit{group}")
    if number is None:
        return None
    kind, factor = _SCALE[unit]
    if kind != quantity:
        legal = ", ".join(u for u, (k, _) in _SCALE.items() if k == quantity)
        raise Abstain(f"'{number} {unit}'", f"a {quantity} is expected here", f"units: {legal}")
    return float(number) * factor


def pattern(expression: str, meaning: Callable[[re.Match[str]], Wish]) -> Pattern:
    """Compile a phrase; ``{AMOUNT}`` stands for a number with its unit."""
    numbered = expression.replace("{AMOUNT}", AMOUNT)
    for group in ("2", "3"):
        named = AMOUNT.replace("<number>", f"<number{group}>").replace("<unit>", f"<unit{group}>")
        numbered = numbered.replace(f"{{AMOUNT{group}}}", named)
    return Pattern(re.compile(rf"(?:{numbered})(?= |,|$)"), meaning)


def wishes(text: str, patterns: Sequence[Pattern]) -> list[Wish]:
    """Read a stage's phrases one after the other, the longest match first.

    Raises:
        Abstain: Words are left over; nothing is dropped silently.
    """
    found: list[Wish] = []
    pos = 0
    while pos < len(text):
        gap = re.compile(
            r"[ ,]+|\b(?:and|with|while|but|also|too|meanwhile|as well|instead|at same time)\b"
        ).match(text, pos)
        if gap:
            pos = gap.end()
            continue
        matches = [(m, p) for p in patterns if (m := p.regex.match(text, pos))]
        if not matches:
            rest = " ".join(text[pos:].split()[:5])
            raise Abstain(f"'{rest}'", f"I do not understand '{rest}'")
        match, best = max(matches, key=lambda mp: mp[0].end())
        found.append(best.meaning(match))
        pos = match.end()
    return found
