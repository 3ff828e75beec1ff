"""Sentences of BabyAI's language to stages of clauses; every word has to be accounted for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from embodied.errors import Diagnostic, NotUnderstoodError

KINDS = ("ball", "box", "key", "door")
COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
PLACES = {
    "in front of you": "front",
    "behind you": "behind",
    "on your left": "left",
    "on your right": "right",
}
VERBS = {"go to": "go-to", "pick up": "pick-up", "open": "open-up", "put": "put-next"}

_THING = re.compile(
    rf"(?:the|an?) (?:(?P<colour>{'|'.join(COLOURS)}) )?(?P<kind>{'|'.join(KINDS)}|object)"
    rf"(?: (?P<place>{'|'.join(PLACES)}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a thing is called.

    Attributes:
        kind: One of ``KINDS``; empty for any.
        colour: One of ``COLOURS``; empty for any.
        place: Where it was, seen from the first pose and in its room: ``"front"``, ``"behind"``,
            ``"left"`` or ``"right"``; empty for anywhere.
    """

    kind: str = ""
    colour: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One thing to be done.

    Attributes:
        name: Its PDDL object.
        verb: Predicate of the domain that says what is asked: one of the values of ``VERBS``.
        things: What it is done to; of ``put-next`` first what is moved.
    """

    name: str
    verb: str
    things: tuple[Description, ...]


Stages = tuple[tuple[Clause, ...], ...]


def read_mission(sentence: str) -> Stages:
    """Stages in the order in which they are to be done, each of clauses in any order.

    Raises:
        NotUnderstoodError: Some word has no meaning here; it names the part.
    """
    text = " ".join(sentence.lower().rstrip(".").split())
    if " after you " in text:
        parts = text.split(" after you ")[::-1]
    else:
        parts = re.split(r",? then ", text)
    stages: list[tuple[Clause, ...]] = []
    for part in parts:
        first = sum(map(len, stages))
        clauses = enumerate(part.split(" and "), first)
        stages.append(tuple(_clause(words, f"clause-{i}") for i, words in clauses))
    return tuple(stages)


def _clause(words: str, name: str) -> Clause:
    for start, verb in VERBS.items():
        if words.startswith(start + " "):
            rest = words.removeprefix(start + " ")
            asked = rest.split(" next to ") if verb == "put-next" else [rest]
            if len(asked) == (2 if verb == "put-next" else 1):
                return Clause(name=name, verb=verb, things=tuple(map(_thing, asked)))
    hint = f"sentences start with {', '.join(VERBS)}"
    raise NotUnderstoodError(words, (Diagnostic(where=words, problem="no such clause", hint=hint),))


def _thing(words: str) -> Description:
    found = _THING.fullmatch(words)
    if found is None:
        hint = f"things are {', '.join(KINDS)}; colours {', '.join(COLOURS)}; {', '.join(PLACES)}"
        told = Diagnostic(where=words, problem="no such thing", hint=hint)
        raise NotUnderstoodError(words, (told,))
    kind, colour = found["kind"], found["colour"] or ""
    place = PLACES[found["place"]] if found["place"] else ""
    return Description(kind="" if kind == "object" else kind, colour=colour, place=place)
