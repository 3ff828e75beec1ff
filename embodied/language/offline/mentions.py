"""Objects that a sentence can refer to: "the blue rake" is one, "the blue one" any blue one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Mapping, Sequence

from embodied.language.offline.grounding import COLORS, SIMILAR, everyday_words, forms_of
from embodied.language.offline.scene_view import SceneView, Thing

_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?|[,+&>]")
_COLOR = "|".join(sorted(COLORS))
_BEHIND = (
    "a|above|and|as|at|away|before|behind|belongs?|below|beneath|but|by|can|does|from|goes|has|have"
    r"|in|inside|into|is|left|must|near|needs?|off|on|onto|out|over|plus|right|should|sits?|stays?"
    r"|the|then|to|under|until|will|with|within|without|would|\d+"
)
"""What may follow "the cup on the left", but not "the cup on the left shelf"."""


def nouns(thing: Thing) -> frozenset[str]:
    """Common nouns for a thing."""
    return frozenset({thing.category, *thing.category.split("-"), *thing.aliases})


_SAID_FOR: Mapping[str, frozenset[str]] = {
    "gray": frozenset({"grey"}),
    "grey": frozenset({"gray"}),
    "small": frozenset("little tiny smaller smallest".split()),
    "large": frozenset("big bigger biggest larger largest".split()),
    "left": frozenset({"leftmost"}),
    "right": frozenset({"rightmost"}),
    "1": frozenset({"first"}),
    "2": frozenset({"second"}),
    "3": frozenset({"third"}),
}
"""Other words for a mark."""


def marks(thing: Thing) -> frozenset[str]:
    """Words that tell a thing from others of its kind: colours, sizes, letters, numbers."""
    parts = {*thing.name.split("-"), *re.findall(r"\d+", thing.name)}
    if thing.color:
        parts |= {thing.color}
    own = frozenset(parts) - nouns(thing)
    return own.union(*(_SAID_FOR.get(mark, frozenset[str]()) for mark in own))


def marks_before(text: str) -> str:
    """The normalised text with marks that are said behind a noun put before it.

    "the rake that is blue", "the rake in blue", "the blue colored rake" become "the blue rake", and
    likewise "rake number 2", "the rake on the left" and "the left-hand rake".
    """
    text = re.sub(r"\b(left|right)[ -]hand (?!side)", r"\1 ", text)
    text = re.sub(rf"\b({_COLOR}) colou?red ", r"\1 ", text)
    text = re.sub(r"\bnumber one\b", "number 1", text)
    text = re.sub(r"\b(\w+) number (\d+)\b", r"\1 \2", text)
    text = re.sub(rf"\b(\w+) that is ({_COLOR})\b", r"\2 \1", text)
    return re.sub(
        rf"\b([a-z]{{3,}}) (?:on the (left|right)|in ({_COLOR}))(?= (?:{_BEHIND})\b|,|$)",
        lambda m: f"{m[2] or m[3]} {m[1]}",
        text,
    )


def mentioned(texts: Iterable[str], scene: SceneView) -> frozenset[str]:
    """Names of the things that normalised texts may speak of."""
    return frozenset[str]().union(*(m for text in texts for m in mentions(text, scene)))


def mentions(text: str, scene: SceneView) -> list[set[str]]:
    """What a normalised text speaks of, in its order: for each mention the names it may mean.

    A noun with marks before it, or one behind it ("rake 2"), means the things that are all of
    this, if there are any; alone it means everything called so. A mark without a noun means
    everything that has it. A word that was typed wrong may be any that is like it.
    """
    by_noun: dict[str, set[str]] = {}
    by_mark: dict[str, set[str]] = {}
    for thing in scene.things:
        for word in nouns(thing):
            by_noun.setdefault(word, set()).add(thing.name)
        for word in marks(thing):
            by_mark.setdefault(word, set()).add(thing.name)
    words = joined(_WORD.findall(marks_before(text).replace("-", " ")), by_mark)
    called = [_meant(w, by_noun) for w in words]
    marked = [_meant(w, by_mark) for w in words]
    found = [
        _with_marks(k, words, called[k], called, marked) if called[k] else _alone(k, called, marked)
        for k in range(len(words))
    ]
    return [names for names in found if names]


def joined(words: Sequence[str], known: Container[str]) -> list[str]:
    """The words with "p 2" in one where something here is marked "p2"."""
    result: list[str] = []
    for word in words:
        if result and word.isdigit() and result[-1] + word in known:
            result[-1] += word
        else:
            result.append(word)
    return result


def _with_marks(
    k: int,
    words: Sequence[str],
    things: set[str],
    called: Sequence[set[str]],
    marked: Sequence[set[str]],
) -> set[str]:
    """What the noun at ``k`` means with the marks beside it."""
    before = k
    while before > 0 and marked[before - 1] and not called[before - 1]:
        before -= 1
    each = [things & m for m in marked[before:k] if things & m]
    if words[k].endswith("s"):
        # "the cyan and yellow seeds" are those of either colour
        meant = set[str]().union(*each) or things
    else:
        meant = things
        for those in each:
            meant = meant & those or meant
    after = k + 1
    if after < len(words) and marked[after] and re.fullmatch(r"[a-z]\d*|\d+", words[after]):
        meant = meant & marked[after] or meant
    # something may be called a noun and a mark at once, as is the rake among coloured rakes
    return meant | (marked[k] if marked[k] != things else set())


def _alone(k: int, called: Sequence[set[str]], marked: Sequence[set[str]]) -> set[str]:
    """What the mark at ``k`` means unless it belongs to the noun behind it or before it."""
    if not marked[k]:
        return set()
    behind = k
    while behind < len(called) and marked[behind] and not called[behind]:
        behind += 1
    if behind < len(called) and called[behind] and called[behind] & marked[k]:
        return set()
    if k and called[k - 1] & marked[k]:
        return set()
    return marked[k]


def _meant(word: str, things: Mapping[str, set[str]]) -> set[str]:
    """Everything that goes by a word or, if it is no word of instructions, by one like it."""
    found: set[str] = set()
    for form in forms_of(word):
        found |= things.get(form, set())
    if not found and len(word) > 2 and word.isalpha() and word not in everyday_words():
        for close in difflib.get_close_matches(word, things, n=3, cutoff=SIMILAR):
            found |= things[close]
    return found
