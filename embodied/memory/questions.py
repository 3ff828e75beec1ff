"""Questions about a memory in plain English: read into data, answered by the reader."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.memory.reader import Reader

YES, NO, UNKNOWN = "yes", "no", "not known"


@dataclass(frozen=True, slots=True)
class Question:
    """A question as data; ``kind`` is one of the keys of ``FORMS``."""

    kind: str
    args: tuple[str, ...] = ()


FORMS = {
    "above": r"what (?:is|lies|stands)(?: the colou?r of the \w+)?(?: right| directly)?"
    r" (?:above|on|on top of) (?P<x>.+)",
    "under": r"what (?:is|lies)(?: the colou?r of the \w+)?(?: right| directly)?"
    r" (?:under|beneath|below) (?P<x>.+)",
    "in": r"what is (?:in|inside) (?P<x>.+)",
    "where": r"where is (?P<x>.+)",
    "highest": r"which (?P<x>\w+) is (?:in the highest position|highest)",
    "higher": r"is (?P<x>.+) (?:in a higher position|higher) than (?P<y>.+)",
    "right-above": r"is (?P<x>.+) (?:right|directly) (?:above|on) (?P<y>.+)",
    "in-some": r"is (?P<x>.+) (?:in|on) an? (?P<y>\w+)",
    "inside": r"is (?P<x>.+) (?:in|inside|on|above) (?P<y>.+)",
    "heavier": r"is (?P<x>.+) heavier than (?P<y>.+)",
    "ratio": r"how (?:heavy|many times as heavy) is (?P<x>.+)"
    r" (?:compared (?:with|to)|in units of|as) (?P<y>.+)",
    "which": r"which (?:\w+ are|\w+ is|are|is) (?P<x>\w+)",
    "is": r"is (?P<x>.+) (?P<y>\w+)",
}
"""Regular expression of every kind of question, tried in this order."""


def read_question(text: str, names: Iterable[str]) -> Question:
    """Turn a sentence into a question about known objects.

    Args:
        text: The sentence; case and the question mark do not matter.
        names: Names of the objects, words joined by hyphens.

    Raises:
        NotUnderstoodError: No form of question fits, or it names an unknown object.
    """
    known = set(names)
    sentence = " ".join(text.lower().strip().rstrip("?.! ").split())
    for kind, pattern in FORMS.items():
        match = re.fullmatch(pattern, sentence)
        if match is None:
            continue
        words = tuple(w for w in match.groups() if w)
        free = {"highest": {0}, "in-some": {1}, "which": {0}, "is": {1}}.get(kind, set[int]())
        args = [w if n in free else _name(w, known, text) for n, w in enumerate(words)]
        return Question(kind, tuple(args))
    examples = "where is X, what is on/under/in X, is X on/in Y, is X higher than Y, is X dirty"
    raise _not_understood(text, "I do not understand this question", f"you can ask: {examples}")


def answer(reader: Reader, question: Question) -> tuple[str, ...]:
    """Answer from what is believed: names, or one word; empty when there is nothing.

    "Not known" is an answer: what is not believed either way is neither yes nor no.
    """
    kind, args = question.kind, question.args
    x, y = args[0], args[-1]
    match kind:
        case "above":
            return reader.directly_on(x)
        case "in":
            return tuple(sorted(reader.contents(x)))
        case "under":
            place = reader.place(x)
            return (UNKNOWN,) if place is None else (place,)
        case "where":
            if reader.held() == x:
                return ("in the hand",)
            return reader.whereabouts(x) or (UNKNOWN,)
        case "highest":
            kinds = reader.memory.vocabulary.objects
            return reader.highest(n for n, k in kinds.items() if k == x)
        case "which":
            return reader.those(x)
        case "ratio":
            ratio = reader.ratio("weight", x, y)
            return (UNKNOWN,) if ratio is None else (str(ratio),)
        case _:
            return (_yes_or_no(reader, kind, x, y),)


def _yes_or_no(reader: Reader, kind: str, x: str, y: str) -> str:
    kinds = reader.memory.vocabulary
    match kind:
        case "higher":
            a, b = reader.height(x), reader.height(y)
            return UNKNOWN if a is None or b is None else _word(a > b)
        case "heavier":
            ratio = reader.ratio("weight", x, y)
            return UNKNOWN if ratio is None else _word(ratio > 1)
        case "is":
            if reader.holds(f"({y} {x})"):
                return YES
            opposites = {p for g in kinds.opposites if y in g for p in g - {y}}
            if any(reader.holds(f"({p} {x})") for p in opposites):
                return NO
            return UNKNOWN if opposites or not kinds.is_predicate(y) else NO
        case _:
            chain = reader.whereabouts(x)
            if not chain:
                return NO if reader.held() == x else UNKNOWN
            if kind == "right-above":
                return _word(chain[0] == y)
            if kind == "in-some":
                return _word(any(kinds.kind_of(p) == y for p in chain))
            return _word(y in chain)


def _word(value: bool) -> str:
    return YES if value else NO


def _name(words: str, known: set[str], sentence: str) -> str:
    name = words.removeprefix("the ").strip().replace(" ", "-")
    if name not in known:
        raise _not_understood(
            sentence, f"there is no '{name}'", f"objects: {', '.join(sorted(known))}"
        )
    return name


def _not_understood(text: str, problem: str, hint: str) -> NotUnderstoodError:
    return NotUnderstoodError(text, [Diagnostic(where="question", problem=problem, hint=hint)])
