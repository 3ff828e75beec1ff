"""A second look at "that is not here": code can see whether a sentence names unknown things.

A small model tends to take every noun that it never saw in training for absent. Whether a word is
in the scene is plain to see for code, so this answer of the model only stands when the sentence has
a word that is neither in the scene nor an everyday word of instructions.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable
from importlib.resources import files

from embodied.language.local_translator.scene_view import SceneView
from embodied.language.local_translator.text import normalise

COLORS = frozenset(
    "red green blue yellow orange purple pink cyan brown white grey gray black silver"
    " wooden".split()
)
SIMILAR = 0.75
"""Least similarity (difflib ratio) of a mistyped word to the word that was meant."""


@functools.cache
def everyday_words() -> frozenset[str]:
    """Words of instructions that name no thing, collected from the corpus without its nouns."""
    path = files("embodied.language.local_translator") / "everyday_words.txt"
    return frozenset(path.read_text().split())


def scene_words(scene: SceneView) -> frozenset[str]:
    """Every word by which something in the scene may be called, colours included."""
    words: set[str] = set()
    for thing in scene.things:
        words |= {*thing.name.split("-"), *thing.category.split("-"), *thing.aliases}
        if thing.color:
            words |= {thing.color, {"grey": "gray", "gray": "grey"}.get(thing.color, thing.color)}
    for name in (*scene.handles, *scene.joints):
        words |= set(name.split("_"))
    return frozenset(words)


def unknown_words(sentence: str, scene: SceneView) -> tuple[str, ...]:
    """Words of the sentence that are neither in the scene nor everyday words, typos forgiven.

    Colours count as known only if something here has them.
    """
    here = scene_words(scene)
    return tuple(w for w in _words(sentence) if not _known(w, here))


def _words(sentence: str) -> Iterable[str]:
    for token in normalise(sentence).replace("-", " ").split():
        word = token.strip(",.'&+>")
        if word.isalpha():
            yield word


def _known(word: str, here: frozenset[str]) -> bool:
    if word in COLORS:
        return word in here
    everyday = everyday_words()
    forms = {word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ies") + "y"}
    if forms & here or word in everyday or len(word) == 1:
        return True
    if difflib.get_close_matches(word, here, n=1, cutoff=SIMILAR):
        return True
    swapped = sorted(word)
    if any(len(w) == len(word) and w[0] == word[0] and sorted(w) == swapped for w in everyday):
        return True
    return len(word) > 4 and bool(difflib.get_close_matches(word, everyday, 1, 0.85))
