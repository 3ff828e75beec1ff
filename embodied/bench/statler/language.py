"""The sentences of the Statler episodes as data: commands, statements, accidents and questions.

References stay as they were said ("the block in the golden bowl"); what they point to depends on a
state, and whoever resolves one brings its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeAlias

from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.memory import Question, read_question


@dataclass(frozen=True, slots=True)
class Tell:
    """Some blocks (``others``: all but those spoken of) are dirty or clean."""

    names: tuple[str, ...]
    word: str
    others: bool = False


@dataclass(frozen=True, slots=True)
class Ratio:
    """``x`` weighs ``factor`` times as much as ``y``."""

    x: str
    factor: Fraction
    y: str


@dataclass(frozen=True, slots=True)
class Put:
    """Move what the references point to, to what the last one points to."""

    what: tuple[str, ...]
    to: str


@dataclass(frozen=True, slots=True)
class Balance:
    """Put blocks in or take them out until two totals are equal."""

    bowl: str
    other: str
    put_in: bool
    take_out: bool


@dataclass(frozen=True, slots=True)
class Accident:
    """Somebody dropped blocks on a dirty part of the table."""

    names: tuple[str, ...]


Sentence: TypeAlias = Tell | Ratio | Put | Balance | Accident | Question

_FACTORS = {
    "twice": Fraction(2),
    "half": Fraction(1, 2),
    "two": Fraction(2),
    "three": Fraction(3),
    "four": Fraction(4),
    "five": Fraction(5),
    "one-third": Fraction(1, 3),
    "one-thrid": Fraction(1, 3),  # as published
    "one-half": Fraction(1, 2),
    "one-quarter": Fraction(1, 4),
    "one-fourth": Fraction(1, 4),
    "one-fifth": Fraction(1, 5),
}

FACTOR_WORDS = {
    Fraction(1): "the same weight as",
    Fraction(2): "twice the weight of",
    Fraction(3): "three times the weight of",
    Fraction(4): "four times the weight of",
    Fraction(1, 2): "half the weight of",
    Fraction(1, 3): "one-third the weight of",
    Fraction(1, 4): "one-quarter the weight of",
}

_NO_NAMES = ("the", "a", "an", "empty", "clean", "dirty", "which", "other")
_BLOCKS = r"(the .+? blocks?(?:,? (?:and )?the .+? block)*)"

_BALANCE = re.compile(
    r"(put blocks in and remove blocks from|put|remove)(?: the)?(?: blocks)?(?: in| from)? (.+?)"
    r" so that their total weight becomes identical to what is in (.+?)(?:\. .*)?"
)


class State(Protocol):
    """Where things are, as somebody sees it: what a description points to."""

    def names(self) -> tuple[str, ...]:
        """Names of everything, words joined by hyphens."""
        ...

    def contents(self, name: str, /) -> tuple[str, ...]:
        """What rests on or in a place, directly or not, the lowest first."""
        ...

    def those(self, word: str, /) -> tuple[str, ...]:
        """The dirty or the clean blocks."""
        ...

    def place(self, name: str, /) -> str | None:
        """What a block rests on."""
        ...

    def is_block(self, name: str, /) -> bool:
        """Whether other things than blocks have this name."""
        ...


def read_sentence(text: str, names: tuple[str, ...]) -> Sentence:
    """Read one sentence of an episode.

    Args:
        text: The sentence.
        names: Names of everything, words joined by hyphens.

    Raises:
        NotUnderstoodError: It is none of the kinds above.
    """
    said = " ".join(text.lower().strip().split()).rstrip("?. ")
    if match := re.fullmatch(r"the other blocks are (dirty|clean)", said):
        return Tell((), match[1], others=True)
    if match := re.fullmatch(_BLOCKS + r" (?:is|are) (dirty|clean)", said):
        return Tell(split_names(match[1]), match[2])
    if match := re.fullmatch(r"(.+) has the same weight (?:as|of) (.+)", said):
        return Ratio(_name(match[1]), Fraction(1), _name(match[2]))
    if match := re.fullmatch(r"(.+) is ([a-z-]+)(?: times)? the weight of (.+)", said):
        if match[2] in _FACTORS:
            return Ratio(_name(match[1]), _FACTORS[match[2]], _name(match[3]))
    if match := re.fullmatch(r"woops, somebody was moving (.+) and dropped .*dirty.*table", said):
        return Accident(split_names(match[1]))
    if match := _BALANCE.fullmatch(said):
        verb = match[1]
        return Balance(_name(match[2]), _name(match[3]), "put" in verb, "remove" in verb)
    if re.fullmatch(r"(?:put|place|move) (.+?) (?:in|into|on|onto) (the .+)", said):
        what, to = _split_put(said)
        return Put(what, to)
    return read_question(text, names)


def resolve(reference: str, state: State) -> tuple[str, ...]:
    """What a reference points to.

    Raises:
        NotUnderstoodError: It points to nothing, or a description of one thing to several.
    """
    words = reference.removeprefix("the ").strip()
    if words.replace(" ", "-") in state.names():
        return (words.replace(" ", "-"),)
    if match := re.fullmatch(r"all the (dirty|clean) blocks", reference):
        return state.those(match[1])
    if words == "empty bowl":
        bowls = [n for n in state.names() if n.endswith("-bowl")]
        found = [n for n in bowls if not state.contents(n)]
        return _one(found, reference)
    if match := re.fullmatch(r"block (?:in|on) (the .+)", words):
        (place,) = resolve(match[1], state)
        return _one([n for n in state.contents(place) if n.endswith("block")], reference)
    raise _not_understood(reference, f"nothing is called '{words}'")


def split_names(text: str) -> tuple[str, ...]:
    """``"the red block, the blue block, and the pink block"`` as names, each once."""
    parts = re.split(r",? and |, ", text)
    return tuple(dict.fromkeys(_name(p) for p in parts if p))


def names_in(text: str) -> tuple[str, ...]:
    """Everything in a text that is called a block, a bowl or the disinfector, as names."""
    found = re.findall(r"\b([a-z]+ (?:block|bowl)|disinfector)\b", text.lower())
    plain = [f for f in found if f.split()[0] not in _NO_NAMES]
    return tuple(dict.fromkeys(f.replace(" ", "-") for f in plain))


def _split_put(said: str) -> tuple[tuple[str, ...], str]:
    """Split "put A and B in C" at the preposition that makes both sides references."""
    body = said.split(" ", 1)[1]
    spots = [m for m in re.finditer(r" (?:into|in|onto|on) (?=the )", body)]
    nested = len(spots) > 1 and body.startswith("the block ")
    spot = spots[1] if nested else spots[0]
    left, right = body[: spot.start()], body[spot.end() :]
    if left.startswith("all the") or nested:
        return (left,), right
    return tuple("the " + n.replace("-", " ") for n in split_names(left)), right


def _one(found: list[str], reference: str) -> tuple[str, ...]:
    if len(found) != 1:
        what = f"{', '.join(found)}" if found else "nothing"
        raise _not_understood(reference, f"it points to {what}")
    return (found[0],)


def _name(words: str) -> str:
    return words.strip().removeprefix("the ").replace(" ", "-")


def _not_understood(text: str, problem: str) -> NotUnderstoodError:
    return NotUnderstoodError(text, [Diagnostic(where="reference", problem=problem)])
