"""What a sentence says, before anything is looked up in the scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Quantity: TypeAlias = Literal["the", "all", "some", "no"]
Relation: TypeAlias = Literal["on", "in", "to", "under", "spot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NounPhrase:
    """Words that stand for objects.

    Attributes:
        text: The words themselves, for messages.
        quantity: ``"the"`` (one, or all of them in the plural), ``"all"``, ``"some"`` (any
            ``count`` of them) or ``"no"``.
        count: Number word, if there was one.
        exactly: ``count`` is meant exactly.
        plural: The noun is in the plural.
        modifiers: Colours and other words of names, each of which must fit.
        superlative: A value of ``lexicon.SUPERLATIVES``, e.g. ``"largest"`` or ``"left"``.
        superlative_of: What "closest to" and "farthest from" are told by; None for the robot.
        head: Noun as the scene knows it, ``"item"`` for "thing", ``""`` where it is left out
            ("the red one").
        pronoun: ``"it"``, ``"them"``, ``"there"`` or ``""``.
        other: "the other", "the rest", "else": without those mentioned so far.
        only: "only the ...".
        excluded: After "except".
        included: Further phrases joined with "and" inside "both ... and ...".
        where: Place that they are at now, with its polarity ("that is (not) on the tray").
        beside: The same of a spot beside other things ("next to the bin").
        not_a: "that is not a brick".
        same_color: "of the same colour" as what is put there.
        listed: One of several that share a noun ("the red and green blocks"), which is why the
            noun is in the plural.
    """

    text: str
    quantity: Quantity = "the"
    count: int | None = None
    exactly: bool = False
    plural: bool = False
    modifiers: tuple[str, ...] = ()
    superlative: str = ""
    superlative_of: NounPhrase | None = None
    head: str = ""
    pronoun: str = ""
    other: bool = False
    only: bool = False
    excluded: tuple[NounPhrase, ...] = ()
    where: tuple[bool, Relation, NounPhrase] | None = None
    beside: Spot | None = None
    not_a: NounPhrase | None = None
    same_color: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Nouns:
    """Noun phrases joined by "and", or by "or"."""

    parts: tuple[NounPhrase, ...]
    alternatives: bool = False

    @property
    def text(self) -> str:
        """The words."""
        return (" or " if self.alternatives else " and ").join(p.text for p in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where exactly, as ``types.Placement`` says it.

    Attributes:
        relation: As there; also ``"towards"`` and ``"from"``, by ``distance_m`` from where it is.
        of: What it is told by; None for the thing itself, for each other, and for the table.
        distance_m: As there.
        by_m: As there.
        angle_rad: As there.
        each_other: Beside each other.
        nearest: Which corner: the one nearest to this.
        on_it: "On the left side of", which of a tray is a part.
    """

    relation: str
    of: Nouns | None = None
    distance_m: float | None = None
    by_m: tuple[float, float] = (0.0, 0.0)
    angle_rad: float = 0.0
    each_other: bool = False
    on_it: bool = False
    nearest: NounPhrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """A place: a relation and what it is to; no noun for "on top" and "inside".

    ``spot`` says where exactly, with the relation ``"spot"``.
    """

    relation: Relation
    noun: NounPhrase | None
    text: str
    spot: Spot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere these shall be, or (negated) shall not be.

    ``places`` has more than one member in "on the green block on the table", which is a chain or
    says which green block.
    """

    theme: Nouns
    places: tuple[At, ...]
    negated: bool = False
    stacked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """A tower.

    Attributes:
        members: From bottom to top; in any order when ``ordered`` is false.
        ordered: Whether the order of the members counts.
        bottom: Of unordered members, the one at the bottom.
        top: Of unordered members, the one on top.
        base: What the tower stands on.
        count: Its height, if the sentence says it.
    """

    members: tuple[NounPhrase, ...]
    ordered: bool = True
    bottom: NounPhrase | None = None
    top: NounPhrase | None = None
    base: At | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Towers:
    """How many towers the list that follows makes ("two towers: ...")."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Have this in the hand (or, ``negated``, let go of it)."""

    theme: Nouns
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Away from a place; from wherever it is on or in when there is no place."""

    theme: Nouns
    source: At


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """Nothing on or in these; ``into`` is where the contents go."""

    places: Nouns
    excluded: tuple[NounPhrase, ...] = ()
    into: At | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOpen:
    """Open or closed.

    ``taken_out``: "take it out", which opens a drawer or takes a thing out of one.
    """

    theme: Nouns
    open: bool
    taken_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """To the container or surface of the same colour."""

    theme: Nouns
    into: At | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Each to where the other is now."""

    theme: Nouns


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Where it is now."""

    theme: Nouns


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The arm at rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Too:
    """These as the ones before."""

    theme: Nouns
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An atom of each of these; ``goal`` has ``{x}`` in their place."""

    theme: Nouns
    goal: str
    kind: str


Clause: TypeAlias = (
    Place
    | Tower
    | Towers
    | Hold
    | Remove
    | Empty
    | SetOpen
    | Sort
    | Swap
    | Keep
    | Home
    | Too
    | Asked
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence.

    Attributes:
        stages: Numbers of the clauses of each stage.
        clauses: All clauses in the order in which they were said, which is that in which pronouns
            are to be understood.
        exceptions: Numbers of clauses that "but" makes exceptions from what "all" said before.
        ignored: Words that were left aside on purpose.
    """

    stages: tuple[tuple[int, ...], ...]
    clauses: tuple[Clause, ...]
    exceptions: frozenset[int] = frozenset()
    ignored: tuple[str, ...] = ()
