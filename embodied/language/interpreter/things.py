"""Noun phrases of a sentence and the things of the scene that they may stand for."""

from __future__ import annotations

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
