"""Sentences about motions as plain words: numbers written out, units named once, no politeness."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

from embodied.language.words.amounts import (
    DIGITS,
    FACTORS,
    UNITS,
    number_at,
    quantity_at,
    unit_of,
)
from embodied.language.words.cursor import Abstain, Cursor
from embodied.language.words.lexer import COLON, COMMA, STOP, UnreadableTextError, tokenize
from embodied.language.words.lexicon import CHATTER, COURTESY, POLITE
from embodied.language.words.manner import pace_at
from embodied.types import RewardStage, RewardTerm

WORDS = {
    "foot": "paw",
    "feet": "paws",
    "leg": "paw",
    "legs": "paws",
    "hind": "rear",
    "body": "torso",
    "trunk": "torso",
    "belly": "torso",
    "chest": "torso",
    "ground": "floor",
    "forwards": "forward",
    "backwards": "backward",
    "inwards": "inward",
    "outwards": "outward",
    "ahead": "forward",
    "towards": "to",
    "toward": "to",
    "anticlockwise": "counterclockwise",
    "raise": "lift",
    "hoist": "lift",
    "rotate": "turn",
    "ur": "",
    "halfway": "half way",
    "fore": "front",
    "butt": "rear end",
    "bum": "rear end",
    "bottom": "rear end",
    "backside": "rear end",
    "behind": "rear end",
    "hindquarters": "rear end",
    "haunches": "rear end",
    "rump": "rear end",
    "snout": "nose",
    "muzzle": "nose",
    "ones": "paws",
    "rightwards": "right",
    "leftwards": "left",
    "upward": "up",
    "upwards": "up",
    "downward": "down",
    "downwards": "down",
    "forefoot": "front paw",
    "forepaw": "front paw",
    "stride": "step",
    "strides": "steps",
    "pace": "pace",
    "paces": "steps",
    "lying": "lie",
    "halt": "stop",
    STOP: ";",
    COLON: COLON,
}
"""Words of sentences, and what stands for them in phrases."""
PACE_FACTORS: Mapping[str, float] = {
    "slowest": 0.25, "slow": 0.5, "normal": 1.0, "fast": 1.5, "fastest": 2.0,
}  # fmt: skip
"""Named speeds as factors of a motion's usual one."""
_DROPPED = CHATTER | set(
    "firmly tightly securely neatly nicely properly the a an your my its of that's dog there about "
    "approximately exactly only you robot".split()
)
_PHRASES: tuple[tuple[str, str], ...] = (
    (r"^spot\b(?: ,)?|(?<!on)(?<!in)(?: ,)? spot$", ""),
    (r"\b(?:with|using) (?:hand|fingers|gripper|arm)\b(?= ,|$| and| then|;)", ""),
    (r"\bside (?=step)", "side"),
    (r"\btil\b|\btill\b", "until"),
    (r"\bgive me (?=(?:pace=\S+ |\d+ |full |left |right )*(?:spin|turn|bow|twirl))", "do "),
    (r"\bonce(?= again\b)", ""),
    (r"\b(?:couple|pair)(?: of)? (?=steps)", "2 "),
    (r"\b(?:few|some|several) (?=steps|times)", "3 "),
    (r"\bcounter clockwise\b|\banti clockwise\b", "counterclockwise"),
    (r"\bback (?=left|right|paws?\b|1s\b|end\b)", "rear "),
    (r"\b(?<=left )back\b|\b(?<=right )back\b", "rear"),
    (r"\b(two|2|both) back paws\b", "2 rear paws"),
    (r"\bon (?:the )?spot\b", "in place"),
    (r"\ball way\b", "fully"),
)
GOING = frozenset(("torso_velocity", "torso_turn_rate", "torso_heading", "foot_stepping"))
"""Terms of walking and turning."""
_QUANTITIES = {
    "LENGTH": "m", "ANGLE": "rad", "SPEED": "m/s", "RATE": "rad/s", "FREQUENCY": "Hz",
    "TIME": "s", "FRACTION": "1",
}  # fmt: skip
"""SI unit of each quantity that phrases may name."""

_GAP = re.compile(
    r"[ ,:]+|\b(?:and|with|while|but|also|too|meanwhile|as well|instead|at same time)\b"
)


_LABEL = re.compile(r"(?:\w+ ){1,4}:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one phrase asks for.

    Attributes:
        essential: Terms that the words name.
        support: Terms that a motion of this kind needs besides.
        stages: A whole sequence instead, for the arm.
        seconds: How long, if the words say so.
        notes: How words were read.
        turn: Angle to turn by from the heading before, rad, left positive.
        travel: Distance to go, forward and left of the place before, m.
        factor: How much faster than usual, for ``turn`` and ``travel``; None where nothing is said.
        exact: The words give the speed, so no "slowly" changes it.
    joined: What stood before the phrase: "and", "with", a comma.
        pose: It is about the whole body at rest, so no walking or turning goes on meanwhile.
        back: It undoes the turn before.
        over: How long getting there shall take; None for as long as it takes.
        held: What has to be in the hand before, ``""`` for nothing.
        waits: It only says how long what was asked before, or standing still, lasts.
    """

    essential: tuple[RewardTerm, ...] = ()
    support: tuple[RewardTerm, ...] = ()
    stages: tuple[RewardStage, ...] = ()
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    turn: float | None = None
    travel: tuple[float, float] | None = None
    factor: float | None = None
    exact: bool = False
    joined: str = ""
    pose: bool = False
    back: bool = False
    over: float | None = None
    held: str = ""
    waits: bool = False

    @property
    def moves(self) -> bool:
        """Whether it is a walk or a turn."""
        going = any(t.name in GOING for t in self.essential)
        return self.turn is not None or self.travel is not None or going

    @property
    def asks(self) -> bool:
        """Whether it asks for anything at all."""
        moves = self.turn is not None or self.travel is not None
        return bool(self.essential or self.support or self.stages or self.seconds) or moves


@dataclass(frozen=True, slots=True)
class Pattern:
    """A phrase and its meaning.

    Attributes:
        expression: The phrase in normal words, written as for ``compiled``.
        meaning: Makes a wish of the match.
    """

    expression: str
    meaning: Callable[[re.Match[str]], Wish]

    @property
    def regex(self) -> re.Pattern[str]:
        """Matches the phrase; compiled when it is first looked for."""
        return compiled(self.expression)

    def read(self, text: str, start: int) -> tuple[int, list[Callable[[], Wish]]] | None:
        """The end of the phrase that begins at ``start``, and its wish; None where none does."""
        match = self.regex.match(text, start)
        return None if match is None else (match.end(), [lambda: self.meaning(match)])


class Phrase(Protocol):
    """What reads a phrase: a ``Pattern``, or a frame with slots."""

    def read(self, text: str, start: int) -> tuple[int, list[Callable[[], Wish]]] | None:
        """The end of the phrase that begins at ``start``, and its wishes in order."""
        ...


def motion(terms: Sequence[RewardTerm], *named: str, notes: tuple[str, ...] = ()) -> Wish:
    """A wish of the terms of a motion, of which the words name those called ``named``."""
    return Wish(
        essential=tuple(t for t in terms if t.name in named and not _on_ground(t)),
        support=tuple(t for t in terms if t.name not in named or _on_ground(t)),
        notes=notes,
    )


def _on_ground(term: RewardTerm) -> bool:
    return term.name == "foot_lift" and term.parameters.get("height") == 0.0


def stages_of(text: str, synonyms: Mapping[str, str]) -> list[str]:
    """Normal words of a sentence, one text per stage; commas stay as separators of phrases.

    Args:
        text: The sentence.
        synonyms: Words of the robot that stand for others, besides those of every robot.

    Raises:
        Abstain: The text is unreadable or holds no instruction.
    """
    try:
        tokens = tokenize(text)
    except UnreadableTextError as why:
        raise Abstain("text", str(why)) from None
    known = {**WORDS, **synonyms}
    cursor = Cursor(tokens)
    kept: list[str] = []
    while not cursor.ended:
        begins = not kept or kept[-1] in (COMMA, ";")
        if cursor.eat(*COURTESY) or (begins and cursor.eat(*POLITE, "so")):
            continue
        pace, used = pace_at(cursor.words, cursor.pos)
        if pace is not None:
            factor = PACE_FACTORS[pace] if isinstance(pace, str) else pace
            kept.append(f"pace={factor:g}")
            cursor.pos += used
            continue
        amount_ = quantity_at(cursor.words, cursor.pos)
        if amount_ is not None:
            kept.append(f"{amount_[0]:g} {amount_[1]}")
            cursor.pos += amount_[2]
            continue
        number, used = number_at(cursor.words, cursor.pos)
        word = cursor.peek() if number is None else f"{number:g}"
        cursor.pos += used or 1
        word = unit_of(word) or known.get(word, word)
        if word and word not in _DROPPED:
            kept.append(word)
    joined = " ".join(kept)
    for pattern, plainer in _PHRASES:
        joined = re.sub(pattern, plainer, joined)
    joined = re.sub(r"^first(?: of all)?\b|(?<=[,;]) first\b|\bfirst of all\b", ",", joined)
    joined = re.sub(r"\bfirst\b ?", "", joined)
    joined = _timed_each(joined)
    found = re.split(
        r"(?:\band |, ?)?\b(?:then|after that|afterwards?|finally|next(?! to))\b|;", joined
    )
    stages = [re.sub(r"^[, ]+|[, ]+$", "", re.sub(r"\s+", " ", part)) for part in found]
    stages = [s for s in stages if s]
    if not stages:
        raise Abstain("sentence", "there is no instruction in this")
    return stages


def _timed_each(text: str) -> str:
    """``each for 1 s`` behind several stages is a time of every one of them."""
    each = re.search(r"(?: ,)? (?:each|both)(?: \w+)? for ([\d.]+ (?:s|min))|"
                     r"(?: ,)? for ([\d.]+ (?:s|min)) each", text)  # fmt: skip
    if each is None:
        return text
    text = text[: each.start()] + text[each.end() :]
    parts = re.split(r"( ?(?:\band |, ?)?\bthen\b|;)", text)
    seconds = f" for {each[1] or each[2]}"
    return "".join(p + seconds if i % 2 == 0 and p.strip() else p for i, p in enumerate(parts))


def without_pace(text: str) -> tuple[str, float | None]:
    """A stage's text without "slowly" and the like, and the factor of speed that they mean.

    Raises:
        Abstain: Two different speeds.
    """
    said = {float(f) for f in re.findall(r"pace=([\d.]+)", text)}
    if len(said) > 1:
        raise Abstain("sentence", "two different speeds are asked for", "say one")
    plain = re.sub(r"(?: and|,)* ?\bpace=[\d.]+", "", text).strip(" ,")
    plain = re.sub(r"^(?:and|with|but) ", "", plain)
    return plain, next(iter(said), None)


def amount(match: re.Match[str], which: str = "") -> float | None:
    """The amount of a match in SI units, None where there is none; ``which`` is "" or "2"."""
    groups = match.groupdict()
    number, unit = groups.get(f"number{which}"), groups.get(f"unit{which}")
    if number is None or unit is None:
        return None
    return float(number) * FACTORS[unit]


@cache
def compiled(expression: str) -> re.Pattern[str]:
    """Compile a phrase; ``{LENGTH}``, ``{ANGLE2}`` and so on stand for numbers with their units."""

    def quantity(found: re.Match[str]) -> str:
        units = "|".join(sorted(UNITS[_QUANTITIES[found.group(1)]], key=len, reverse=True))
        which = found.group(2)
        return rf"(?P<number{which}>{DIGITS.pattern}) ?(?P<unit{which}>{units})(?![\w/])"

    written = re.sub(r"\{([A-Z]+)(2?)\}", quantity, expression)
    return re.compile(rf"(?:{written})(?= |,|$)")


def pattern(expression: str, meaning: Callable[[re.Match[str]], Wish]) -> Pattern:
    """A phrase, written as for ``compiled``, with its meaning."""
    return Pattern(expression, meaning)


def wishes(text: str, patterns: Sequence[Phrase]) -> list[Wish]:
    """Read a stage's phrases one after the other, the longest match first.

    Raises:
        Abstain: Words are left over; nothing is dropped silently.
    """
    found: list[Wish] = []
    pos, gaps = 0, ""
    while pos < len(text):
        gap = _GAP.match(text, pos)
        if gap:
            pos = gap.end()
            gaps += gap.group()
            continue
        matches = [m for p in patterns if (m := p.read(text, pos))]
        if not matches and not found and (label := _LABEL.match(text, pos)):
            pos = label.end()  # "wiggle: roll left, then right" says what is meant behind it
            continue
        if not matches:
            rest = " ".join(text[pos:].split()[:5])
            raise Abstain(f"'{rest}'", f"I do not understand '{rest}' here")
        pos, meanings = max(matches, key=lambda m: m[0])
        for meaning in meanings:
            found.append(replace(meaning(), joined=gaps))
            gaps = ","
        gaps = ""
    return found
