"""Facts, proposed changes, and contradictions between belief and measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import TypeAlias

from embodied.records import Record
from embodied.types import Atom

Value: TypeAlias = bool | Fraction | str
"""True for a predicate that holds, a number for a quantity, a word for an attribute."""


class Provenance(Enum):
    """Where a fact comes from."""

    SEEN = "seen"
    TOLD = "told"
    INFERRED = "inferred"
    ASSUMED = "assumed"

    @property
    def weight(self) -> int:
        """Of two facts about the same moment the one with the larger weight stands."""
        return {"seen": 3, "told": 2, "inferred": 1, "assumed": 0}[self.value]


CONFIDENCE: Mapping[Provenance, float] = {
    Provenance.SEEN: 0.99,
    Provenance.TOLD: 0.95,
    Provenance.INFERRED: 0.9,
    Provenance.ASSUMED: 0.5,
}
"""Confidence of a fact whose source gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that is believed.

    Attributes:
        atom: What it is about: ``(on red-block green-block)``, ``(weight red-block)``.
        value: True for a predicate, a number for a quantity, a word for an attribute.
        provenance: Where it comes from.
        confidence: Probability that it is so, in (0, 1].
        time_s: Since when it is believed, by the world's own clock, s.
    """

    atom: Atom
    value: Value = True
    provenance: Provenance
    confidence: float
    time_s: float

    def __post_init__(self) -> None:
        if not 0.0 < self.confidence <= 1.0:
            raise ValueError(f"the confidence of {self.atom} must lie in (0, 1]: {self.confidence}")
        if self.value is False:
            raise ValueError(f"{self.atom} is false: what does not hold is not stored")

    def __str__(self) -> str:
        return str(self.atom) if self.value is True else f"(= {self.atom} {self.value})"

    def to_json(self) -> dict[str, object]:
        """JSON-serialisable form; ``of`` reads it back without loss."""
        kind = {"kind": "attribute" if isinstance(self.value, str) else "numeric"}
        told = {} if self.value is True else {**kind, "value": str(self.value)}
        return {
            "fact": str(self.atom),
            **told,
            "from": self.provenance.value,
            "p": self.confidence,
            "t": self.time_s,
        }

    @staticmethod
    def of(data: Record) -> Fact:
        """Read what ``to_json`` wrote; raises ValueError for anything else."""
        kind = data.text("kind", "predicate")
        if kind not in ("predicate", "numeric", "attribute"):
            raise ValueError(f"{kind!r} is no kind of fact")
        value: Value = kind == "predicate" or data.text("value")
        if kind == "numeric":
            value = Fraction(str(value))
        return Fact(
            atom=Atom.parse(data.text("fact")),
            value=value,
            provenance=Provenance(data.text("from")),
            confidence=data.number("p"),
            time_s=data.number("t"),
        )


class Op(Enum):
    """What a delta does."""

    ADD = "add"
    REMOVE = "remove"
    SET = "set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One proposed change of the memory.

    Attributes:
        op: ``ADD`` a predicate, ``SET`` a quantity or an attribute, ``REMOVE`` either.
        atom: What it is about.
        value: New value of ``SET``; True for ``ADD``.
    """

    op: Op
    atom: Atom
    value: Value = True

    def __str__(self) -> str:
        given = f" = {self.value}" if self.op is Op.SET else ""
        return f"{self.op.value} {self.atom}{given}"

    @staticmethod
    def add(text: str) -> Delta:
        """``Delta.add("(on a b)")``."""
        return Delta(op=Op.ADD, atom=Atom.parse(text))

    @staticmethod
    def remove(text: str) -> Delta:
        """``Delta.remove("(on a b)")``."""
        return Delta(op=Op.REMOVE, atom=Atom.parse(text))

    @staticmethod
    def set(text: str, value: Value | int | float) -> Delta:
        """``Delta.set("(weight a)", 2)``; raises ValueError for a number that is not finite."""
        return Delta(op=Op.SET, atom=Atom.parse(text), value=exact(value))


def exact(value: Value | float) -> Value:
    """A number as a fraction (0.1 is one tenth); words and truth values as they are.

    Raises:
        ValueError: The number is not finite.
    """
    if isinstance(value, bool | str | Fraction):
        return value
    try:
        return Fraction(repr(value))
    except ValueError as error:
        raise ValueError(f"{value} is not a finite number") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A belief that a measurement refutes.

    Attributes:
        atom: What it is about.
        believed: The fact as believed; None when it was not believed to hold.
        measured: The value as measured; None when it is measured not to hold.
        time_s: Time of the measurement, s.
    """

    atom: Atom
    believed: Fact | None
    measured: Value | None
    time_s: float

    def __str__(self) -> str:
        if self.believed is None:
            return f"{self.atom} is measured and was not believed"
        since = f"{self.believed.provenance.value} at {self.believed.time_s:g} s"
        if self.measured is None:
            return f"{self.believed} ({since}) is not measured"
        return f"{self.believed} ({since}) is measured as {self.measured}"

    def to_json(self) -> dict[str, object]:
        """JSON-serialisable form for events and logs."""
        return {
            "fact": str(self.atom),
            "believed": None if self.believed is None else self.believed.to_json(),
            "measured": self.measured if self.measured is None else str(self.measured),
            "time_s": self.time_s,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one step changed; a memory is the sum of its changes.

    Attributes:
        step: Number of the step; consecutive from 1.
        time_s: When, by the world's own clock, s.
        cause: What for: ``"observed"``, ``"executed (stack a b)"``, ``"told: ..."``.
        put: Facts that are believed from now on; each takes the place of one about the same atom.
        dropped: Atoms about which nothing is believed any more.
        relations: Arithmetic relations that were learned, in the form of ``Linear.to_json``.
        notes: Why a proposal was corrected or rejected, and what was refuted.
        exchange: Sentence that was told and what it was understood to mean, for the record.
    """

    step: int
    time_s: float
    cause: str
    put: tuple[Fact, ...] = ()
    dropped: tuple[Atom, ...] = ()
    relations: tuple[Mapping[str, object], ...] = ()
    notes: tuple[str, ...] = ()
    exchange: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """JSON-serialisable form; empty parts are left out."""
        parts: dict[str, list[object]] = {
            "put": [f.to_json() for f in self.put],
            "dropped": [str(a) for a in self.dropped],
            "relations": [dict(r) for r in self.relations],
            "notes": list(self.notes),
            "exchange": list(self.exchange),
        }
        record = {"step": self.step, "t": self.time_s, "cause": self.cause}
        return {**record, **{name: part for name, part in parts.items() if part}}

    @staticmethod
    def of(data: Record) -> Change:
        """Read what ``to_json`` wrote; raises ValueError for anything else."""
        return Change(
            step=data.integer("step"),
            time_s=data.number("t"),
            cause=data.text("cause"),
            put=tuple(map(Fact.of, data.records("put", ()))),
            dropped=tuple(map(Atom.parse, data.texts("dropped", ()))),
            relations=tuple(r.values for r in data.records("relations", ())),
            notes=data.texts("notes", ()),
            exchange=data.texts("exchange", ()),
        )
