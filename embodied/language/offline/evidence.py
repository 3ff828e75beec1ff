"""What a sentence gives evidence of: only numbers and objects that it mentions.

A small model sometimes writes a number or a name that nobody spoke of. Code can see which numbers a
sentence holds and which objects share a word with it, so the grammar of an answer is narrowed to
those before the model decodes. Where the sentence is silent, the grammar is left as it is; a word
that is not known here may be another name for anything, so then no name is struck.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from embodied.language.offline import amounts
from embodied.language.offline.directions import (
    apart_from_feet,
    order_struck,
    struck,
    vertical,
    without,
)
from embodied.language.offline.grammar import Grammar, Symbols, lit, reachable
from embodied.language.offline.grounding import SIMILAR, forms_of, unknown_words
from embodied.language.offline.mentions import mentioned
from embodied.language.offline.scene_view import SceneView, Thing
from embodied.language.offline.text import normalise
from embodied.language.words.amounts import NUMBERS

IN_WORDS: Mapping[str, tuple[str, ...]] = {
    "once": ("1 hz",),
    "twice": ("2 hz",),
    "thrice": ("3 hz",),
    "half": ("50 %", "45 deg", "180 deg", "0.5 m"),
    "halfway": ("50 %",),
    "midway": ("50 %",),
    "quarter": ("25 %", "75 %", "90 deg", "45 deg"),
    "quarters": ("75 %",),
    "third": ("33 %", "66 %", "67 %"),
    "thirds": ("66 %", "67 %"),
    "eighth": ("45 deg",),
    "angle": ("90 deg",),
}
"""Words that stand for a number with its unit."""

NAMES = ("thing", "item", "support", "place", "container", "drawer", "object", "target", "joint")
"""Rules whose alternatives are names of the scene."""

SIDED = ("side", "direction", "pointing", "area", "way", "feet", "foot")
"""Rules whose alternatives are directions."""

_OTHERS = frozenset("other others another same rest remaining opposite else instead".split())
"""Words of a follow-up that point beside what was named."""

_QUANTITY = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?) (cm/s|m/s|rad/s|deg/s|cm|mm|m|deg|rad|hz|s|%)(?![\w/])"
)
_PER_S = ("m", "cm", "rad", "deg")
_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")


def narrowed(
    grammar: Grammar, sentence: str, scene: SceneView, previous: tuple[str, str] | None = None
) -> Grammar:
    """The grammar without numbers that were not said and names that nothing points to.

    Args:
        grammar: Grammar of the scene's answers.
        sentence: What was said.
        scene: What is there.
        previous: Sentence before and its slots; what they hold may be spoken of again.
    """
    texts = [normalise(sentence)]
    if previous is not None:
        texts += [normalise(previous[0]), previous[1]]
    rules = dict(grammar.rules)
    said = None if _garbled_number(texts[0]) else quantities(texts)
    if said is not None:
        for rule, units in amounts.QUANTITIES.items():
            if rule in rules:
                rules[rule] = tuple((lit(f" {q}"),) for q in said if q.split()[1] in units)
        if "pace" in rules:
            rules["pace"] = _with_numbers(rules["pace"], said, amounts.QUANTITIES["speed"])
    if not unknown_words(sentence, scene):
        rules = _without_unnamed(rules, texts, scene)
    if previous is not None:
        rules = without(rules, NAMES, taken_back(texts[0], scene))
    rules = without(rules, ("statement",), order_struck(texts[0]))
    heard = frozenset(texts[0].replace(",", " ").replace("-", " ").split())
    quadruped = scene.robot == "quadruped"
    named_so = any({"left", "right"} & called(t) for t in scene.things)
    if previous is None and not named_so:
        sides = struck(heard, texts[0], quadruped=quadruped)
        rules = without(rules, SIDED, sides)
        if quadruped:
            turning = apart_from_feet(texts[0])
            words = frozenset(turning.replace(",", " ").split())
            rules = without(rules, ("side",), struck(words, turning, quadruped=True))
        if quadruped:
            rules = without(rules, ("updown",), vertical(heard))
    return Grammar(_without_empty(rules))


def taken_back(text: str, scene: SceneView) -> frozenset[str]:
    """Names of things that a correction says were not meant: "not the red cup, the blue one".

    Args:
        text: The normalised correction.
        scene: What is there.
    """
    found: set[str] = set()
    for match in re.finditer(r"\b(?:not|instead of|rather than) (?:the |that )?([^,]+)", text):
        words = re.split(r" (?:but|rather|and|the) ", match[1])[0].split()[:3]
        for n in range(len(words), 0, -1):
            told = set(words[:n]) - {"one", "thing", "object"}
            meant = [t.name for t in scene.things if told and told <= called(t)]
            if meant:
                found |= set(meant) if len(meant) == 1 else set()
                break
    return frozenset(found)


def _without_unnamed(
    rules: dict[str, tuple[Symbols, ...]], texts: list[str], scene: SceneView
) -> dict[str, tuple[Symbols, ...]]:
    """Only names, kinds and colours that the texts share a word with, if there are any."""
    rules = dict(rules)
    mentioned = names(texts, scene)
    if mentioned:
        for rule in NAMES:
            if rule in rules:
                kept = tuple(a for a in rules[rule] if a[0][1:] in mentioned)
                rules[rule] = kept or rules[rule]
    spoken = _words(texts)
    for rule in ("color", "category"):
        if rule in rules:
            rules[rule] = tuple(a for a in rules[rule] if _said(a[0][1:], rule, spoken, scene))
    return rules


def quantities(texts: Iterable[str]) -> tuple[str, ...]:
    """Every ``NUMBER UNIT`` that normalised texts hold; any unit where none was said."""
    found: dict[str, None] = {}
    for text in texts:
        tokens = text.replace(",", " ").split()
        for i, token in enumerate(tokens):
            for quantity in IN_WORDS.get(token, ()):
                found[quantity] = None
            number = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z%/]*)", token)
            if number is None:
                continue
            unit = number[2] or (tokens[i + 1] if i + 1 < len(tokens) else "")
            units = (unit,) if unit in amounts.FACTORS else tuple(amounts.FACTORS)
            behind = tokens[i + 2 : i + 4]
            if unit in _PER_S and any(word.startswith("s") for word in behind):
                units = (*units, f"{unit}/s")  # "m per secnod"
            for each in units:
                found[f"{number[1]} {each}"] = None
    return tuple(found)


def left_out(sentence: str, slots: str) -> tuple[str, ...]:
    """Numbers with a unit that were said and are not in the answer; half a turn has other words."""
    said = [q for q in _QUANTITY.findall(normalise(sentence)) if q != ("180", "deg")]
    written = f" {slots} "
    return tuple(
        f"{n} {unit}"
        for n, unit in said
        # a mistyped "m per secnod" is read as a length
        if f" {n} {unit} " not in written and f" {n} {unit}/s " not in written
    )


def names(texts: list[str], scene: SceneView) -> frozenset[str]:
    """Names of all that the texts may speak of, typos forgiven; "the other one" is of that kind."""
    spoken = _words(texts)
    found = set(mentioned(texts, scene))
    if len(texts) > 1 and any(difflib.get_close_matches(w, _OTHERS, 1, 0.8) for w in spoken):
        for thing in scene.things:
            if any(thing.name in text.split() for text in texts[2:]):
                spoken |= {thing.category}
        found |= {t.name for t in scene.things if _heard(called(t), spoken)}
    for name in (*scene.handles, *scene.joints):
        if _heard(set(name.split("_")) - {"handle"} | _also(name), spoken):
            found.add(name)
    return frozenset(found)


def _also(name: str) -> set[str]:
    return {"tap", "water"} if "faucet" in name else set()


def called(thing: Thing) -> set[str]:
    """Words of the names that a thing goes by."""
    parts = {*thing.name.split("-"), *thing.category.split("-"), *thing.aliases}
    if thing.color:
        parts.add(thing.color)
    marked = re.fullmatch(r"([a-z])(\d+)", thing.name)
    return parts | ({marked[2]} if marked else set())


def _words(texts: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for text in texts:
        for word in _WORD.findall(text):
            found |= forms_of(word)
        found |= set(text.replace(",", " ").split())
    return found


def _heard(called: set[str], spoken: set[str]) -> bool:
    if called & spoken:
        return True
    if {"gray", "grey"} & called and {"gray", "grey"} & spoken:
        return True
    return any(
        len(word) > 2 and difflib.get_close_matches(word, spoken, n=1, cutoff=SIMILAR)
        for word in called
    )


def _said(word: str, rule: str, spoken: set[str], scene: SceneView) -> bool:
    if rule == "color":
        return _heard({word}, spoken)
    aliases = {a for t in scene.things if t.category == word for a in t.aliases}
    return _heard({word, *word.split("-")} | aliases, spoken)


def _garbled_number(text: str) -> bool:
    """Whether a word may be a mistyped number: then which numbers were said is not known."""
    known = NUMBERS
    for word in _WORD.findall(text):
        if word.isalpha() and len(word) > 3 and word not in known:
            close = difflib.get_close_matches(word, known, n=1, cutoff=0.8)
            if close and len(close[0]) > 3:
                return True
    return False


def _with_numbers(
    alternatives: tuple[Symbols, ...], said: Iterable[str], units: tuple[str, ...]
) -> tuple[Symbols, ...]:
    plain = tuple(a for a in alternatives if "number" not in a)
    return (*plain, *((lit(q),) for q in said if q.split()[1] in units))


def _without_empty(rules: dict[str, tuple[Symbols, ...]]) -> dict[str, tuple[Symbols, ...]]:
    """Rules that can still be completed, less the alternatives that cannot; all reachable."""
    while True:
        empty = {name for name, alternatives in rules.items() if not alternatives}
        if not empty:
            break
        rules = {
            name: tuple(a for a in alternatives if not empty & set(a))
            for name, alternatives in rules.items()
            if name not in empty
        }
    return reachable(rules)
