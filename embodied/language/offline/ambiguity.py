"""Whether a sentence is ambiguous here: a noun of several objects without a distinction."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from embodied.language.offline.grounding import SIMILAR, everyday_words, forms_of
from embodied.language.offline.mentions import joined, marks, marks_before, nouns
from embodied.language.offline.scene_view import SceneView, Thing
from embodied.language.offline.text import normalise

_VAGUE = frozenset(
    "it that this something anything one ones thing things object objects some any either there"
    " them they somewhere another".split()
)

_OF_SEVERAL = frozenset(
    "a an any every each some one other another no either whichever which next same both all two"
    " three four five of".split()
)
"""Words before a noun of which it may be whichever one, or all."""


def may_be_unclear(sentence: str, scene: SceneView) -> bool:
    """False only if everything that is named is singled out and nothing else is referred to.

    A noun of several things is singled out by a colour or another mark of exactly one of them in
    the two words before it or the word behind it ("the purple garlic", "lever a"). A plural means
    all of them.
    """
    words = _words(sentence)
    called: dict[str, list[Thing]] = {}
    for thing in scene.things:
        for noun in nouns(thing):
            called.setdefault(noun, []).append(thing)
    known = {w for t in scene.things for w in marks(t)}
    named = False
    for k, word in enumerate(words):
        if word in _VAGUE:
            return True
        noun = _noun(word, called, known)
        if noun == "":
            return True
        named |= noun is not None or word in known
        if noun is None or (word != noun and word.endswith("s")):
            continue
        near = {*words[max(0, k - 2) : k], *words[k + 1 : k + 2]}
        if len(called[noun]) > 1 and sum(bool(marks(t) & near) for t in called[noun]) != 1:
            return True
    return not named


def unclear_nouns(sentence: str, scene: SceneView) -> tuple[str, ...]:
    """Nouns of several things, said as if there were one ("the drawer"), with no mark beside them.

    Not where one of the things has the bare noun for its name.
    """
    words = _words(sentence)
    known = {w for t in scene.things for w in marks(t)}
    words = joined(words, known)
    found: dict[str, None] = {}
    for k, word in enumerate(words):
        group = [t for t in scene.things if word in nouns(t)]
        if len(group) < 2 or word.endswith("s") or any(t.name == word for t in group):
            continue
        near = {*words[max(0, k - 2) : k], *words[k + 1 : k + 2]}
        if not near & known and (k == 0 or words[k - 1] not in _OF_SEVERAL):
            found[word] = None
    return tuple(found)


def _words(sentence: str) -> list[str]:
    return marks_before(normalise(sentence)).replace(",", " , ").replace("-", " ").split()


def _noun(word: str, called: Mapping[str, Sequence[Thing]], known: set[str]) -> str | None:
    """The noun that a word is, typing mistakes forgiven; ``""`` if it may be anything."""
    forms = sorted(forms_of(word) & set(called), key=len, reverse=True)
    if forms:
        return forms[0]
    if len(word) < 3 or not word.isalpha() or word in everyday_words() or word in known:
        return None
    return next(iter(difflib.get_close_matches(word, called, 1, SIMILAR)), "")
