"""Slips of the finger: a letter too few, one too many, or two that changed places."""

from __future__ import annotations

from collections.abc import Iterator

from embodied.language.words.lexicon import COLORS, FILLERS, GRAMMAR_WORDS, VERB_FORMS
from embodied.language.words.scene_words import SceneWords

_SHORTEST = 5
"""Shorter words are one letter away from too many others."""


def corrected(sentence: str, scene: SceneWords) -> str:
    """A sentence with words that nobody knows written as the only known word so near to them.

    A letter in place of another one is left alone: what is meant by "smack" is not "stack".
    """
    known = GRAMMAR_WORDS | VERB_FORMS.keys() | COLORS | FILLERS | scene.words
    return " ".join(_meant(word, known) for word in sentence.split(" "))


def _meant(word: str, known: frozenset[str]) -> str:
    bare = word.strip(".,")
    if len(bare) < _SHORTEST or not bare.isalpha() or bare in known:
        return word
    near = {k for k in known if abs(len(k) - len(bare)) <= 1 and k in set(_slips(bare, k))}
    return word.replace(bare, near.pop()) if len(near) == 1 else word


def _slips(word: str, meant: str) -> Iterator[str]:
    """What the word may have been, as far as it is like what is meant."""
    if len(meant) == len(word) + 1:
        yield from (word[:i] + meant[i] + word[i:] for i in range(len(meant)))
    elif len(meant) == len(word) - 1:
        yield from (word[:i] + word[i + 1 :] for i in range(len(word)))
    else:
        yield from (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))
