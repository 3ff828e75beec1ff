"""Noun phrases of a sentence and the things of the scene that they may stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from embodied.language.words.lexicon import COLORS, GRAMMAR_WORDS, SPELLINGS, VERB_FORMS
from embodied.language.words.scene_words import SceneWords
from embodied.types import ObjectSpec

_NO_MODIFIERS = (GRAMMAR_WORDS | VERB_FORMS.keys()) - COLORS
"""Words that describe nothing, even where the name of a thing holds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A noun with its modifiers.

    Attributes:
        words: As they were said.
        start: Number of the first word.
        names: Things that it may stand for; empty where nothing here is called so.
        plural: Whether the noun is a plural.
    """

    words: tuple[str, ...]
    start: int
    names: frozenset[str]
    plural: bool


def mentions(text: str, specs: Mapping[str, ObjectSpec]) -> tuple[Mention, ...]:
    """The noun phrases of a text in lower case whose nouns or modifiers are known here."""
    scene = SceneWords(specs)
    words = tuple(SPELLINGS.get(w, w) for w in text.replace(",", " , ").split())
    found: list[Mention] = []
    before: list[str] = []
    at = 0
    while at < len(words):
        head = scene.head_at(words[at : at + 4])
        if head is not None:
            noun, plural, length = head
            names = scene.named(noun)
            for modifier in before:
                names &= scene.modifiers[modifier]
            said = (*before, *words[at : at + length])
            start = at - len(before)
            found.append(Mention(words=said, start=start, names=names, plural=plural))
            before, at = [], at + length
            continue
        if words[at] in ("one", "ones") and before:
            names = frozenset(scene.specs)
            for modifier in before:
                names &= scene.modifiers[modifier]
            said, start = (*before, words[at]), at - len(before)
            plural = words[at] == "ones"
            found.append(Mention(words=said, start=start, names=names, plural=plural))
            before = []
        elif words[at] in scene.modifiers and words[at] not in _NO_MODIFIERS:
            before.append(words[at])
        else:
            found += _bare(before, at, scene)
            before = []
        at += 1
    return (*found, *_bare(before, at, scene))


def things_named(text: str, specs: Mapping[str, ObjectSpec]) -> frozenset[str]:
    """Everything that the noun phrases of a text may stand for."""
    return frozenset[str]().union(*(m.names for m in mentions(text, specs)))


def _bare(modifiers: list[str], end: int, scene: SceneWords) -> list[Mention]:
    """Modifiers without a noun ("the red and the blue block")."""
    return [
        Mention(words=(m,), start=end - len(modifiers) + i, names=scene.modifiers[m], plural=False)
        for i, m in enumerate(modifiers)
    ]


_ANSWER = re.compile(
    r"(?:(?:no|oh|sorry|ok|okay|well|i mean|i meant|please|just)[ ,]+)*(?:the |that )?"
    r"(?P<which>[a-z]+(?: [a-z]+){0,2}?)(?P<one> one)?(?: please)?[.! ]*"
)


def with_answer(sentence: str, phrase: str, said: str, specs: Mapping[str, ObjectSpec]) -> str:
    """A sentence with its unclear phrase made clear, where what was said next does that.

    Args:
        sentence: What was asked about, e.g. "put the cup on the plate".
        phrase: Its unclear words, e.g. "the cup".
        said: What was said next, e.g. "the red one".
        specs: The scene's things.

    Returns:
        The sentence made clear, or ``said`` where it is no answer.
    """
    match = _ANSWER.fullmatch(said.strip().lower())
    if match is None or phrase not in sentence.lower():
        return said
    noun = phrase.split()[-1]
    scene = SceneWords(specs)
    which = match["which"].split()
    if any(w not in scene.modifiers and scene.head_at((w,)) is None for w in which):
        return said
    named = scene.head_at((which[-1],)) is not None
    clear = " ".join(("the", *which, *(() if named else (noun,))))
    at = sentence.lower().index(phrase)
    return sentence[:at] + clear + sentence[at + len(phrase) :]
