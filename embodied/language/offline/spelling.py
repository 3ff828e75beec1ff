"""Corrects misspelled words before the model reads a sentence: "frnot" is "front".

A word is only touched if it is no English word, nothing in the scene is called so, and a word one
letter away is the only one of the scene, else of instructions, else of English, that is so near;
two letters that changed places go before other slips. Names of the scene are also known by two
slips. A real word stays as it is, however it came to be there: "goat" is no mistyped "boat".
"""

from __future__ import annotations

import functools
import re

from embodied.language.offline.english import english
from embodied.language.offline.grounding import everyday_words, forms_of, scene_words
from embodied.language.offline.scene_view import SceneView
from embodied.language.words.amounts import NUMBERS, UNIT_NAMES

_WORD = re.compile(r"(?<![\w'-])[A-Za-z]{3,}(?![\w'-])")


def corrected(sentence: str, scene: SceneView) -> str:
    """The sentence with mistyped words as they were meant, everything else as it is.

    Args:
        sentence: What was said.
        scene: What is there; its words come before other English ones.

    Raises:
        EnvironmentMissingError: A word is not known and pyspellchecker is not installed.
    """
    own = scene_words(scene)
    return _WORD.sub(lambda match: _meant(match[0], own), sentence)


def _meant(word: str, own: frozenset[str]) -> str:
    lower = word.lower()
    if forms_of(lower) & (own | _instruction_words()):
        return word
    dictionary = english()
    if lower in dictionary:
        return word
    once = set(dictionary.edit_distance_1(lower))
    near = {w for w in once if w.isalpha() and len(w) > 2}
    near = {w for w in near if w[0] == lower[0]} or (near if len(word) > 3 else set())
    for known in (
        {w for w in near if forms_of(w) & own},
        near & _instruction_words(),
        set(dictionary.known(near)) if len(word) > 4 else set[str](),
    ):
        swapped = {w for w in known if sorted(w) == sorted(lower)}
        for likely in (swapped, known):
            if len(likely) == 1:
                return min(likely)
        if known:
            return word  # which of them was meant is not known
    twice = {
        w
        for w in own
        if len(w) > 4 and w[0] == lower[0] and once & set(dictionary.edit_distance_1(w))
    }
    return min(twice) if len(twice) == 1 and len(word) > 4 else word


@functools.cache
def _instruction_words() -> frozenset[str]:
    return everyday_words() | set(NUMBERS) | set(UNIT_NAMES)
