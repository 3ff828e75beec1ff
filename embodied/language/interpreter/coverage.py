"""Whether a program says all that a sentence says, and nothing else.

Every content word is aligned with a part of the program: with a thing, a relation, a count, a
number, a negation. What is left over is the residue, a reason to ask. Grammars read every word or
refuse, so of their programs only what they report to have left aside is unused; but a distance, a
speed or an angle must be in the goal that they write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from embodied.language.asked_for import unasked
from embodied.language.interpreter.supposing import Goals
from embodied.language.interpreter.things import Mention, mentions
from embodied.language.interpreter.wording import in_words
from embodied.language.offline.grounding import forms_of
from embodied.language.words.amounts import FACTORS, number_at, quantity_at, unit_of
from embodied.language.words.lexer import PAUSES, UnreadableTextError, tokenize
from embodied.language.words.lexicon import (
    CHATTER,
    CLOSE,
    COURTESY,
    FILLERS,
    OPEN,
    POLITE,
    REMOVE,
    STACK,
    VERB_FORMS,
)
from embodied.protocols import StateMemory
from embodied.symbolic import propositions
from embodied.types import (
    Manner,
    MixedProgram,
    ObjectSpec,
    PddlProgram,
    Program,
    RewardProgram,
    ValueMapProgram,
)

_FUNCTION = FILLERS | CHATTER | frozenset(
    "a an the this that these those my your our its their some of and or to so as be is are was "
    "been being am do does it them they him her there here you i we me us who which what by with "
    "for will would should must can could may might have has had having shall if when then at "
    "also too well thing things object objects item items one ones place way end over down up "
    "back along together first second last next finally afterwards before after while until "
    "make sure want need like please go get let".split()
)  # fmt: skip
_RELATIONS = frozenset(
    "near nearby beside besides next behind between around left right front leftmost rightmost "
    "closest nearest farthest furthest above below under beneath underneath against along past "
    "center centre middle corner edge facing upside sideways diagonal clockwise "
    "counterclockwise".split()
)
"""Words for where things are beside each other, which goals on and in cannot say."""

_OF_PLACES = frozenset(u for u in FACTORS if u.split("/")[0] in ("m", "cm", "mm", "inch", "deg"))
"""Units of what a goal's manner says: distances, speeds, angles."""

_ON, _IN = frozenset("on onto upon top atop".split()), frozenset("in into inside within".split())
_NEGATIONS = frozenset(
    "not never no nothing none without except excluding unless avoid avoiding neither nor "
    "away".split()
)
_LEAVING = frozenset("off out from remove empty clear unload unstack take away".split())
_ALL = frozenset("all every everything each both".split())
_BESIDE = re.compile(r"\b(?:next to|close to|in front of|away from|at the side of)\b")
_VAGUE = frozenset("several few many some most various couple any".split())
_QUOTED = re.compile(r"'([^']+)' was left aside")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was used of a sentence.

    Attributes:
        used: Content words that are aligned with the program.
        unused: Those that are not.
        residue: What speaks against acting without a question, in words.
    """

    used: tuple[str, ...]
    unused: tuple[str, ...]
    residue: tuple[str, ...] = ()


def covered(
    text: str, program: Program, specs: Mapping[str, ObjectSpec], memory: StateMemory
) -> Coverage:
    """Align a sentence with the program that somebody made of it.

    Args:
        text: The sentence.
        program: The program.
        specs: The scene's things.
        memory: What is believed.
    """
    words = _content(text)
    if program.source == "rules":
        left = {w for n in program.notes for m in _QUOTED.findall(n) for w in m.split()}
        lost = _amounts_missing(text, program) if isinstance(program, PddlProgram) else ()
        return Coverage(
            used=tuple(w for w in words if w not in left),
            unused=tuple(w for w in words if w in left),
            residue=tuple(f"I did not use: {amount}" for amount in lost),
        )
    view = _View.of(program, memory)
    follow_up = bool(memory.exchanges)
    residue: list[str] = []
    used: set[str] = set()
    named: set[str] = set()
    said = mentions(" ".join(_words(text)), specs)
    for mention in said:
        problem = _unaligned(mention, view, words)
        if problem:
            residue.append(problem)
        else:
            used.update(mention.words)
            named |= mention.names & view.things
    in_mentions = {w for m in said for w in m.words}
    unknown: list[str] = []
    for word in words:
        if word in in_mentions:
            continue
        if _aligned(word, view, named):
            used.add(word)
        else:
            unknown.append(word)
    spare = len(view.things - named)
    strange = [w for w in unknown if not _grammatical(w)]
    if spare and strange and not follow_up and len(strange) <= 2 * spare:
        # a word that is new here is taken to name what the program acts on
        used.update(strange)
        unknown = [w for w in unknown if w not in strange]
    if view.goals:
        unknown += [p for p in _BESIDE.findall(" ".join(_words(text))) if p not in unknown]
    residue += [f"number {n} is not in it" for n in _numbers_missing(text, view, named)]
    sentences = [*(sentence for sentence, _ in memory.exchanges), text]
    if more := unasked(sentences, program, specs, memory.facts):
        residue.append(f"it acts on {', '.join(more)}, which the sentence does not name")
    if unknown:
        residue.append(f"I did not use: {' '.join(dict.fromkeys(unknown))}")
    return Coverage(
        used=tuple(w for w in words if w in used),
        unused=tuple(w for w in words if w not in used),
        residue=tuple(dict.fromkeys(residue)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What a program speaks of.

    Attributes:
        things: Things.
        predicates: Predicates of goals, ``"not open"`` for negated ones; maps of value maps.
        numbers: Numbers in SI units.
        text: The program in words.
        goals: Whether it consists of goals.
    """

    things: frozenset[str]
    predicates: frozenset[str]
    numbers: frozenset[float]
    text: str
    goals: bool

    @staticmethod
    def of(program: Program, memory: StateMemory) -> _View:
        if isinstance(program, MixedProgram):
            parts = [_View.of(part, memory) for part in program.parts]
            return _View(
                things=frozenset[str]().union(*(v.things for v in parts)),
                predicates=frozenset[str]().union(*(v.predicates for v in parts)),
                numbers=frozenset[float]().union(*(v.numbers for v in parts)),
                text="; then ".join(v.text for v in parts),
                goals=all(v.goals for v in parts),
            )
        text = in_words(program, memory)
        things: set[str] = set()
        predicates: set[str] = set()
        numbers: set[float] = set()
        match program:
            case PddlProgram():
                goals = Goals.of(program, memory.facts)
                for stage in goals.stages:
                    things |= {t for p in propositions(stage) for t in p.terms}
                    negated = set(re.findall(r"\(not \(([\w-]+)", str(stage)))
                    predicates |= {p.predicate for p in propositions(stage)} | {
                        f"not {n}" for n in negated
                    }
                for manner in program.manners:
                    things |= {n for n, _ in manner.apart}
                    numbers |= _amounts(manner)
                    predicates |= {"avoidance"} if manner.apart else set()
                    predicates |= {"velocity"} if manner.max_speed_m_s else set()
            case RewardProgram():
                for stage in program.stages:
                    numbers.add(stage.duration_s or 0.0)
                    for term in stage.terms:
                        predicates.add(term.name)
                        for value in term.parameters.values():
                            if isinstance(value, str):
                                things |= {value, *value.split("_")}
                            else:
                                numbers.add(abs(float(value)))
            case ValueMapProgram():
                for stage in program.stages:
                    things.add(stage.moving)
                    for o in stage.operations:
                        things.add(o.region.frame)
                        predicates.add(o.map)
                        numbers |= {abs(v) for v in o.region.parameters.values()}
                        numbers |= {o.value} if isinstance(o.value, float | int) else set()
                things -= {"world", "gripper"}
            case _:
                pass
        return _View(
            things=frozenset(things),
            predicates=frozenset(predicates),
            numbers=frozenset(numbers),
            text=text,
            goals=isinstance(program, PddlProgram),
        )


def _unaligned(mention: Mention, view: _View, words: Sequence[str]) -> str:
    """What speaks against a noun phrase being in the program; ``""`` for nothing."""
    said = " ".join(mention.words)
    meant = mention.names & view.things
    if not mention.names:
        return f"there is no '{said}' here"
    if not meant:
        negated = bool(_NEGATIONS & set(words))
        return "" if negated and view.goals and _ALL & set(words) else f"I did not use: {said}"
    count = next((int(n) for w in words if (n := _number(w)) is not None and n > 1), None)
    wanted = len(mention.names) if count is None else min(count, len(mention.names))
    if mention.plural and len(meant) < wanted:
        return f"'{said}' is more than {', '.join(sorted(meant))}"
    if not mention.plural and len(mention.names) > 1 and not _ALL & set(words):
        return f"'{said}' can be {' or '.join(sorted(mention.names))}"
    return ""


def _aligned(word: str, view: _View, named: set[str]) -> bool:
    """Whether a word outside of noun phrases is in the program."""
    forms = forms_of(word)
    if word in _VAGUE:
        return False
    if word in _ALL:
        return len(view.things) > 1
    if word in _NEGATIONS or word in _LEAVING:
        return bool(
            any(p.startswith("not ") for p in view.predicates)
            or "avoidance" in view.predicates
            or (word in _LEAVING and view.predicates & {"on", "in", "holding", "affordance"})
        )
    if word in _ON:
        return not view.goals or "on" in view.predicates
    if word in _IN:
        return not view.goals or "in" in view.predicates or "on" in view.predicates
    if word in _RELATIONS:
        return not view.goals and (word in view.text or _directed(word, view))
    verb = next((VERB_FORMS[f][0] for f in (word, *forms) if f in VERB_FORMS), "")
    if view.goals and verb:
        needed = {OPEN: "open", CLOSE: "not open", STACK: "on"}.get(verb)
        return (
            needed in view.predicates
            if needed
            else bool(view.predicates - {"open", "not open"})
            or (verb == REMOVE and any(p.startswith("not ") for p in view.predicates))
        )
    if verb or _number(word) is not None or unit_of(word):
        return True
    if forms & set(re.findall(r"[a-z]+", view.text.lower())):
        return True
    return any(_says(pattern, view.text) for w in forms for pattern in _MOTIONS.get(w, ()))


_MOTIONS: Mapping[str, tuple[str, ...]] = {
    "forward": (r"torso_(?:velocity|position) 0?\.?[1-9]",),
    "ahead": (r"torso_(?:velocity|position) 0?\.?[1-9]",),
    "backward": (r"torso_(?:velocity|position) -",),
    "walk": (r"torso_(?:velocity|position|turn_rate)",),
    "run": (r"torso_(?:velocity|position)",),
    "trot": (r"foot_stepping",),
    "step": (r"foot_stepping",),
    "turn": (r"torso_(?:turn_rate|heading) -?(?:0\.)?0*[1-9]", r"rotation|turned|pointing"),
    "rotate": (r"torso_(?:turn_rate|heading) -?(?:0\.)?0*[1-9]", r"rotation|turned|pointing"),
    "spin": (r"torso_turn_rate -?(?:0\.)?0*[1-9]",),
    "sit": (r"torso_(?:height 0\.1|pitch)",),
    "crouch": (r"torso_height 0\.1",),
    "stand": (r"torso_height",),
    "slowly": (r"slow|velocity -?0\.[0-3]|at most",),
    "slow": (r"slow|velocity -?0\.[0-3]|at most",),
    "fast": (r"fast|velocity -?(?:0\.[5-9]|[1-9])",),
    "quickly": (r"fast|velocity -?(?:0\.[5-9]|[1-9])",),
    **dict.fromkeys(("higher", "taller", "lower"), (r"(?:torso|object)_height|foot_lift",)),
    **dict.fromkeys(("faster", "slower", "quicker"), (r"velocity|turn_rate|at most",)),
}
"""Words for motions, and what a program that has them says."""


def _directed(word: str, view: _View) -> bool:
    if word not in ("left", "right"):
        return False
    sign = "" if word == "left" else "-"
    turning = rf"torso_(?:turn_rate|heading) {sign}(?:0\.)?0*[1-9]"
    sideways = rf"torso_(?:velocity|position) \S+ {sign}(?:0\.)?0*[1-9]"
    return _says(f"{turning}|{sideways}|_{word}", view.text)


def _says(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def _words(text: str) -> list[str]:
    try:
        return [t.word for t in tokenize(text)]
    except UnreadableTextError:
        return []


def _content(text: str) -> tuple[str, ...]:
    """The words that ask for something."""
    said = f" {' '.join(_words(text))} "
    for phrase in sorted((*COURTESY, *POLITE), key=len, reverse=True):
        said = said.replace(f" {phrase} ", " ")
    return tuple(w for w in said.split() if w not in _FUNCTION and w not in PAUSES)


def _grammatical(word: str) -> bool:
    """Whether a word cannot be the name of a thing."""
    known = _RELATIONS | _NEGATIONS | _VAGUE | _ALL | _LEAVING
    return word in known or word in VERB_FORMS or _number(word) is not None


def _number(word: str) -> float | None:
    return number_at([word], 0)[0]


def _amounts(manner: Manner) -> set[float]:
    """Speeds, distances and angles of a manner, SI."""
    found = {d for _, d in manner.apart} | {manner.max_speed_m_s or 0.0}
    for place in manner.placements:
        found |= {place.distance_m or 0.0, abs(place.angle_rad), math.hypot(*place.by_m)}
        found |= {abs(by) for by in place.by_m}
    return found


def _amounts_missing(text: str, program: PddlProgram) -> Iterator[str]:
    """Speeds, distances and angles of the sentence that the manners of a program lack."""
    words = _words(text)
    found = set[float]().union(*map(_amounts, program.manners))
    at = 0
    while at < len(words):
        amount = quantity_at(words, at)
        if amount is None or amount[1] not in _OF_PLACES:
            at += 1 if amount is None else amount[2]
            continue
        value, unit, used = amount
        wanted = value * FACTORS[unit]
        if not any(abs(wanted - n) <= 0.02 * wanted + 1e-6 for n in found):
            yield " ".join(words[at : at + used])
        at += used


def _numbers_missing(text: str, view: _View, named: set[str]) -> Iterator[str]:
    """Numbers of the sentence that are neither in the program nor the count of its things."""
    words = _words(text)
    at = 0
    while at < len(words):
        value, used = number_at(words, at)
        if value is None:
            at += 1
            continue
        unit = unit_of(words[at + used]) if at + used < len(words) else ""
        wanted = value * FACTORS.get(unit, 1.0)
        counted = not unit and value in (1.0, float(len(named)), float(len(named) - 1))
        found = any(abs(wanted - n) <= 0.02 * max(abs(wanted), 0.1) for n in view.numbers)
        if not counted and not found:
            yield f"{value:g} {unit}".strip()
        at += used
