"""Objects, conditions and questions as data."""

from __future__ import annotations

from dataclasses import dataclass

from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.memory.vocabulary import Vocabulary
from embodied.types import ObjectSpec

KINDS = {
    "where": "where is the red block?",
    "was": "where was the red block?",
    "which": "what is in the drawer? which blocks are dirty?",
    "count": "how many blocks are in the box?",
    "colour": "what colour is the block on the plate?",
    "is": "is the drawer open? is the red block on the green one?",
    "any": "is there anything in the box?",
    "ratio": "how heavy is a compared with b?",
    "holding": "what are you holding?",
    "last": "what did you do last?",
    "all": "what have you done?",
    "asked": "what did I ask?",
    "did": "did you move the cup?",
    "why": "why did you do that?",
    "when": "when did you move the cup?",
    "seen": "when did you last see the cup?",
    "source": "how do you know where the cup is?",
}
"""Every kind of question, with an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question as data.

    Attributes:
        kind: One of ``KINDS``.
        things: What it is about.
        condition: What is asked of them.
        alternatives: Further conditions after "or".
    """

    kind: str
    things: tuple[Thing, ...] = ()
    condition: Condition | None = None
    alternatives: tuple[Condition, ...] = ()

    @property
    def thing(self) -> Thing:
        """The first thing that it is about."""
        return self.things[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What is said of an object.

    Attributes:
        relation: ``"on"``, ``"in"``, ``"under"``, ``"above"``, ``"higher"``, ``"lower"``,
            ``"heavier"``, ``"lighter"`` than ``other``; it ``"contains"`` that; ``"is"`` a
            ``word``; ``"held"``,
            ``"open"``, ``"empty"``, ``"exists"``; ``"most"``, by ``word``.
        other: What it is related to.
        word: The word that is said of it; for ``"most"``, ``"+higher"`` or ``"-heavier"``.
        direct: "right above", "directly under".
        negated: It is said not to be so.
    """

    relation: str
    other: Thing | None = None
    word: str = ""
    direct: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Objects as they are spoken of.

    Attributes:
        text: The words.
        names: What the noun and its scene words may stand for.
        quantity: ``"the"``, ``"a"``, ``"all"``, ``"any"``, ``"no"``, or ``""``.
        count: How many, where a number is said.
        plural: Whether several are spoken of.
        conditions: What else is said of them.
        other: "the other blocks": all but those that were spoken of before.
        excluded: What "except" leaves out.
    """

    text: str
    names: tuple[str, ...]
    quantity: str = ""
    count: int | None = None
    plural: bool = False
    conditions: tuple[Condition, ...] = ()
    other: bool = False
    excluded: tuple[Thing, ...] = ()


def not_understood(text: str, problem: str, hint: str = "", where: str = "sentence") -> Exception:
    """The error for a sentence or a description that cannot be read."""
    return NotUnderstoodError(text, [Diagnostic(where=where, problem=problem, hint=hint)])


def specs_of(vocabulary: Vocabulary) -> dict[str, ObjectSpec]:
    """What objects may be called where nothing but their names and types is known."""
    return {
        name: ObjectSpec(name=name, kind=_kind(vocabulary, name, category), category=category)
        for name, category in vocabulary.objects.items()
        if category != "color"
    }


def _kind(vocabulary: Vocabulary, name: str, category: str) -> str:
    for kind in ("drawer", "container", "surface", "item"):
        if vocabulary.domain.is_subtype(category, kind):
            return kind
    if vocabulary.can_be_on_top(name):
        return "item"
    return "surface" if category in ("table", "support") else "container"
