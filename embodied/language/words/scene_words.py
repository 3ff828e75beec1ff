"""What the objects of a scene may be called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from embodied.language.words.lexicon import COLORS, GENERIC, SPELLINGS
from embodied.language.words.synonyms import COLOR_KINDS, KINDS, QUALITIES, SHAPES, SYNONYMS
from embodied.types import ObjectSpec

ITEM = "item"
"""The noun phrase head that stands for any movable object."""

_IRREGULAR_PLURALS = {"shelf": "shelves", "knife": "knives", "mouse": "mice", "loaf": "loaves"}


def plural_of(noun: str) -> str:
    """The regular English plural of a noun's last word (a few irregular ones are known)."""
    *before, last = noun.split()
    if last in _IRREGULAR_PLURALS:
        plural = _IRREGULAR_PLURALS[last]
    elif last.endswith("y") and last[-2:-1] not in ("a", "e", "i", "o", "u", ""):
        plural = last[:-1] + "ies"
    else:
        plural = last + ("es" if last.endswith(("s", "sh", "ch", "x")) else "s")
    return " ".join((*before, plural))


def plain(name: str) -> str:
    """An object's name as people say it."""
    return name.replace("-", " ")


@dataclass(frozen=True, slots=True)
class SceneWords:
    """Nouns and modifiers of a scene, read off its objects' names, categories and aliases.

    The last word of a name is a noun and the words before it are modifiers, so that
    ``long-brick`` is "the long brick", "the long one", and "a brick" along with others.

    Attributes:
        specs: The scene's objects.
        told: Words that a person told of objects, e.g. "dirty", with the objects.
        heads: Noun (several words joined by spaces) to the objects that it may stand for.
        plurals: Plural to its singular.
        modifiers: Modifier to the objects that it fits.
    """

    specs: Mapping[str, ObjectSpec]
    told: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    heads: Mapping[str, frozenset[str]] = field(init=False)
    plurals: Mapping[str, str] = field(init=False)
    modifiers: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        heads: dict[str, set[str]] = {}
        modifiers: dict[str, set[str]] = {color: set() for color in COLORS}
        for name, spec in self.specs.items():
            words = name.replace("_", "-").split("-")
            last = words[-1]
            if len(last) == 1 and last in self.specs and last != name:
                last = name  # "a" is the object called a, not also vial-a
            for noun in {spec.category, *spec.aliases, last}:
                heads.setdefault(noun.lower().replace("-", " "), set()).add(name)
            own = {words[-1]} if words[-1] not in spec.category.split("-") else set[str]()
            extra = own if len(words) > 1 else set[str]()
            for word in {*words[:-1], *extra, *spec.color.split("-")} - {""}:
                modifiers.setdefault(word, set()).add(name)
                modifiers.setdefault(SPELLINGS.get(word, word), set()).add(name)
        for word, names in self.told.items():
            modifiers.setdefault(word, set()).update(names)
        _add_synonyms(heads, modifiers, self.specs)
        object.__setattr__(self, "heads", {k: frozenset(v) for k, v in heads.items()})
        object.__setattr__(self, "plurals", {plural_of(h): h for h in heads})
        object.__setattr__(self, "modifiers", {k: frozenset(v) for k, v in modifiers.items()})

    @property
    def words(self) -> frozenset[str]:
        """Every single word that occurs in the scene's nouns and modifiers."""
        phrases: Iterable[str] = (*self.heads, *self.plurals, *self.modifiers)
        return frozenset(word for phrase in phrases for word in phrase.split())

    @property
    def items(self) -> tuple[str, ...]:
        """Movable objects in the scene's order."""
        return tuple(n for n, o in self.specs.items() if o.kind == "item")

    def head_at(self, words: tuple[str, ...]) -> tuple[str, bool, int] | None:
        """The longest noun that ``words`` begin with: (noun, in the plural, number of words)."""
        if words[:2] == ("counter", "clockwise"):
            return None
        for length in range(min(4, len(words)), 0, -1):
            phrase = " ".join(words[:length])
            if phrase in self.heads:
                return phrase, False, length
            if phrase in self.plurals:
                return self.plurals[phrase], True, length
            if phrase in GENERIC:
                return ITEM, GENERIC[phrase], length
        return None

    def named(self, head: str) -> frozenset[str]:
        """Objects that a noun may stand for."""
        found = self.heads.get(head, frozenset())
        return found | frozenset(self.items) if head == ITEM else found


def _add_synonyms(
    heads: dict[str, set[str]], modifiers: dict[str, set[str]], specs: Mapping[str, ObjectSpec]
) -> None:
    """Add everyday words for the scene's nouns, and for kinds of its items."""
    taken = {*heads, *(plural_of(h) for h in heads), *modifiers} - COLORS
    own = {noun: set(names) for noun, names in heads.items()}
    for group in SYNONYMS:
        names = set[str]().union(*(own.get(noun, ()) for noun in group))
        for noun in group - taken if names else ():
            heads.setdefault(noun, set()).update(names)
    items = {n for n, o in specs.items() if o.kind == "item"}
    for word, colors in COLOR_KINDS.items():
        names = {n for n in items if specs[n].color in colors}
        if names and word not in taken:
            modifiers.setdefault(word, set()).update(names)
    for word, shapes in SHAPES.items():
        names = {n for n in items if specs[n].shape in shapes}
        if names and word not in taken:
            modifiers.setdefault(word, set()).update(names)
    for kinds, into in ((KINDS, heads), (QUALITIES, modifiers)):
        for word, nouns in kinds.items():
            names = items & set[str]().union(*(own.get(n, ()) for n in nouns))
            if names and word not in taken:
                into.setdefault(word, set()).update(names)
