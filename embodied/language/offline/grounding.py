"""Checks "that is not here": whether a sentence names unknown objects.

A small model tends to take every noun that it never saw in training for absent. Whether a word is
in the scene is plain to see for code, so this answer of the model only stands when the sentence has
a word that is neither in the scene nor an everyday word of instructions.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable
from importlib.resources import files

from embodied.language.offline.english import english
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.text import normalise

COLORS = frozenset(
    "red green blue yellow orange purple pink cyan brown white grey gray black silver"
    " wooden".split()
)
SIMILAR = 0.75
"""Least similarity (difflib ratio) of a mistyped word to the word that was meant."""


@functools.cache
def everyday_words() -> frozenset[str]:
    """Words of instructions that name no thing, collected from the corpus without its nouns."""
    path = files("embodied.language.offline") / "everyday_words.txt"
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

    Colours count as known only if something here has them; a colour with a noun ("red mug") only if
    one thing here has both.
    """
    here = scene_words(scene)
    words = tuple(_words(sentence))
    single = tuple(w for w in words if not _known(w, here))
    pairs = zip(words, words[1:], strict=False)
    return (*single, *(f"{a} {b}" for a, b in pairs if _never_together(a, b, scene)))


_IDIOMS = re.compile(
    r"\b(?:off|from|of|above|at|towards?) the table\b|\bmake a ball\b|\barrange the blocks\b"
)
"""Where a noun names no thing of its own."""

_DETERMINERS = frozenset("the a an that this my your every each in into on onto to".split())


def absent_nouns(sentence: str, scene: SceneView) -> tuple[str, ...]:
    """Unknown words that stand where a thing is named: "in the bowl" where no bowl is here."""
    here = scene_words(scene)
    text = _IDIOMS.sub(" , ", normalise(sentence)).replace(",", " , ").replace("-", " ")
    words = text.split()
    return tuple(
        word
        for before, word in zip(words, words[1:], strict=False)
        if before in _DETERMINERS and word.isalpha() and not _known(word, here)
    )


def _never_together(color: str, noun: str, scene: SceneView) -> bool:
    """Whether things of this colour and things called so are here, but none that is both."""
    if color not in COLORS:
        return False
    called = [t for t in scene.things if forms_of(noun) & {t.category, *t.aliases}]
    colored = [t for t in scene.things if color == t.color or color in t.name.split("-")]
    return bool(called and colored) and not any(t in colored for t in called)


def _words(sentence: str) -> Iterable[str]:
    for token in normalise(sentence).replace("-", " ").split():
        word = token.strip(",.'&+>")
        if word.isalpha():
            yield word


def forms_of(word: str) -> set[str]:
    """A word and what it may be the plural of."""
    forms = {word, word.removesuffix("s"), word.removesuffix("es")}
    if word.endswith("ies"):
        forms.add(word.removesuffix("ies") + "y")
    if word.endswith("ves"):
        forms |= {word.removesuffix("ves") + "f", word.removesuffix("ves") + "fe"}
    return forms


def _known(word: str, here: frozenset[str]) -> bool:
    if word in COLORS:
        return word in here
    everyday = everyday_words()
    if forms_of(word) & here or word in everyday or len(word) == 1:
        return True
    if word in english():
        return False  # no mistyped one: "crate" is not "create"
    if difflib.get_close_matches(word, here, n=1, cutoff=SIMILAR):
        return True
    swapped = sorted(word)
    if any(len(w) == len(word) and w[0] == word[0] and sorted(w) == swapped for w in everyday):
        return True
    return len(word) > 4 and bool(difflib.get_close_matches(word, everyday, 1, 0.85))
