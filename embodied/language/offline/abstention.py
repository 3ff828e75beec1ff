"""Evidence against an answer: a missing number or object, an unfounded refusal.

The model's probabilities say what it finds likely, not whether the sentence says so. Each doubt
here is plain to see in the sentence, the scene and the answer, and rarely arises against a right
answer (fewer than 1 in 100 of generated ones). Its weight is how many times less likely an answer
is to be right for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from embodied.language.offline.ambiguity import may_be_unclear, unclear_nouns
from embodied.language.offline.evidence import called, left_out
from embodied.language.offline.grounding import absent_nouns, forms_of, unknown_words
from embodied.language.offline.mentions import joined, mentions
from embodied.language.offline.scene_view import SceneView, Thing
from embodied.language.offline.slots import Refusal, refusal
from embodied.language.offline.text import normalise


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing against an answer.

    Attributes:
        about: What, as a person should read it.
        weight: Times less likely to be right.
        grave: Whether to ask rather than to act on the answer.
        wanted: Words of which one would take the doubt away.
    """

    about: str
    weight: float
    grave: bool = True
    wanted: frozenset[str] = frozenset()


_TAKEN_BACK = frozenset("not no wrong sorry instead rather than mean meant wait".split())
"""Words after or before which something is named only to be left out."""

_PLACES = frozenset("left right lower upper top bottom front back small large".split())
"""Marks that are also said of directions and amounts."""

_OWN_ORDER = frozenset(
    "base bottom lowest lowermost top topmost highest between middle under underneath beneath below"
    " before after for with gets takes contains has have must should needs carries holds".split()
)
"""Words of sentences that name things in another order than slots do."""

_LATER = re.compile(r"\w.*\b(?:then|afterwards|later|next(?! to))\b")


def doubts(
    kind: str,
    sentence: str,
    slots: str,
    meaning: object,
    scene: SceneView,
    *,
    follow_up: bool = False,
) -> tuple[Doubt, ...]:
    """What speaks against an answer.

    Args:
        kind: Kind of program.
        sentence: What was said.
        slots: The answer.
        meaning: What the answer expanded to; a ``Refusal`` if it cannot be carried out.
        scene: What is there.
        follow_up: Whether a sentence before gives context.
    """
    refused = refusal(slots)
    if refused is not None:
        return tuple(_groundless(refused, sentence, scene, follow_up=follow_up))
    found: list[Doubt] = []
    if isinstance(meaning, Refusal) and not _follows(meaning, sentence):
        found.append(Doubt(f"{slots!r} cannot be carried out", 50.0))
    for number in left_out(sentence, slots):
        found.append(Doubt(f"it would leave out {number}", 50.0, wanted=frozenset({number})))
    missing = unnamed(kind, sentence, slots, scene)
    if missing:
        about = f"it would leave out {', '.join(missing)}"
        found.append(Doubt(about, 20.0, wanted=frozenset(_names(missing, scene))))
    absent = absent_nouns(sentence, scene) if scene.things else ()
    if absent:
        about = f"nothing here is called {absent[0]}"
        found.append(Doubt(about, 5.0, wanted=frozenset({"cannot", "object"})))
    several = () if follow_up else unclear_nouns(sentence, scene)
    if several:
        found.append(Doubt(f"there is more than one {several[0]}", 20.0))
    if _repeats(slots):
        found.append(Doubt("it would say the same thing twice", 10.0, grave=False))
    if not follow_up and _turned(sentence, slots, scene):
        weight = 3.0 if kind == "goal" else 8.0
        found.append(Doubt("it would take things in another order", weight, grave=False))
    later = kind != "goal" and not follow_up and _LATER.search(normalise(sentence))
    if later and " then " not in slots:
        found.append(
            Doubt("it would do everything at once", 5.0, grave=False, wanted=frozenset({"then"}))
        )
    return tuple(found)


def _follows(refused: Refusal, sentence: str) -> bool:
    """Whether what was said may be why the answer cannot be carried out."""
    if refused.reason == "range":
        return any(c.isdigit() for c in normalise(sentence))
    return refused.reason == "ambiguous"  # two things asked of one part of the robot


def _groundless(
    refused: Refusal, sentence: str, scene: SceneView, *, follow_up: bool
) -> Iterator[Doubt]:
    if refused.reason == "object" and not unknown_words(sentence, scene):
        yield Doubt("everything that was named is here", 1000.0)
    if refused.reason == "ambiguous" and scene.things and not may_be_unclear(sentence, scene):
        yield Doubt("it is clear which things were meant", 50.0)
    if refused.reason == "chat" and follow_up and _own(scene) & set(_words(sentence)):
        yield Doubt("a thing was named after an instruction", 10.0)


def unnamed(kind: str, sentence: str, slots: str, scene: SceneView) -> tuple[str, ...]:
    """Words for things of the scene that were said and that nothing in the answer is called.

    Two words that together name a thing ("blue rake") have to be those of one thing. Nothing where
    the sentence takes something back ("not the red one").
    """
    said = _words(sentence)
    if _TAKEN_BACK & set(said):
        return ()
    own = _own(scene)
    said = joined(said, own)
    if kind == "value-map":
        # "the left corner of the table" is an area of a value map, not the table
        own -= {w for t in scene.things if t.kind == "surface" for w in called(t)}
    named = _named(slots, scene)
    covered = {w for t in named for w in called(t)}
    for word in slots.split():
        covered |= {word, *word.split("-"), *word.split("_")}
    missing: dict[str, None] = {}
    for before, word, after in zip(("", *said[:-1]), said, (*said[1:], ""), strict=True):
        known = forms_of(word) & own
        if not known or f"{before} {word}" in missing:
            continue
        both = [t for t in scene.things if known & called(t) and forms_of(after) & called(t)]
        if both and not known & forms_of(after) and not any(t in named for t in both):
            missing[f"{word} {after}"] = None
        elif not known & covered and word not in _PLACES:
            missing[word] = None
    return tuple(missing)


def _names(missing: Sequence[str], scene: SceneView) -> set[str]:
    """Names of what the missing words are for, and the words themselves ("all red")."""
    names: set[str] = set()
    for word in missing:
        meant = [forms_of(w) for w in word.split()]
        names |= {t.name for t in scene.things if all(m & called(t) for m in meant)}
        names |= set(word.split())
    return names


def _words(sentence: str) -> list[str]:
    return normalise(sentence).replace(",", " ").replace("-", " ").split()


def _own(scene: SceneView) -> set[str]:
    """Every word that something here is called."""
    own = {w for t in scene.things for w in called(t)} - {"a", "i"}
    return own | {w for n in (*scene.handles, *scene.joints) for w in n.split("_")} - {"handle"}


_ALL = re.compile(r"\ball((?: \S+)*?)(?= but | in | on | of |$)")


def _named(slots: str, scene: SceneView) -> list[Thing]:
    """The things that an answer is about, one by one or as "all red"."""
    words = set(slots.split())
    named = [t for t in scene.things if t.name in words]
    for match in _ALL.finditer(slots):
        which = match[1].split()
        named += [
            t
            for t in scene.things
            if t.kind == "item" and all(w in (t.color, t.category) for w in which)
        ]
    return named


def _turned(sentence: str, slots: str, scene: SceneView) -> bool:
    """Whether the answer names two things in the other order than the sentence does, unasked."""
    said = normalise(sentence)
    if _OWN_ORDER & set(said.replace(",", " ").split()) or slots.startswith("either"):
        return False
    single = (m for m in mentions(said, scene) if len(m) == 1)
    place = {name: k for k, name in enumerate(dict.fromkeys(n for m in single for n in m))}
    order = [place[w] for w in dict.fromkeys(slots.split()) if w in place]
    return order != sorted(order)


def _repeats(slots: str) -> bool:
    """Whether a stage holds a statement twice, or one list of items an item twice."""
    for stage in slots.split(" then "):
        statements = stage.split(" ; ")
        if len(set(statements)) < len(statements):
            return True
        for statement in statements:
            verb, *names = statement.split()
            if verb in ("put", "out", "off", "stack", "tower") and len(set(names)) < len(names):
                return True
    return False
