"""Relations between quantities, such as "a is twice as heavy as b", solved exactly.

A *relation* is an equation ``sum_i c_i x_i = b`` over positive quantities. All relations together
are kept in reduced row echelon form over exact fractions (Gauss-Jordan), so that each new relation
is either implied, or new, or impossible together with what is known:

    x_p = b - sum_j c_j x_j        for each pivot p; x_j free

There are never more rows than quantities, however many sentences are told.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from embodied.records import Record
from embodied.types import Atom

Terms = Mapping[Atom, Fraction]
_MAX_CHOICE = 16
_MAX_INEQUALITIES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """``sum of coefficient * quantity = constant``.

    Attributes:
        terms: Coefficient of each quantity, zeros left out.
        constant: Right-hand side.
    """

    terms: Terms
    constant: Fraction = Fraction(0)

    @staticmethod
    def ratio(x: Atom, factor: Fraction | int, y: Atom) -> Linear:
        """``x = factor * y``."""
        return Linear(terms=_sum({x: Fraction(1)}, {y: Fraction(1)}, -Fraction(factor)))

    @staticmethod
    def value(x: Atom, value: Fraction | int) -> Linear:
        """``x = value``."""
        return Linear(terms={x: Fraction(1)}, constant=Fraction(value))

    def __str__(self) -> str:
        left = [f"{_times(c)}{x}" for x, c in self.terms.items() if c > 0]
        right = [f"{_times(-c)}{x}" for x, c in self.terms.items() if c < 0]
        if self.constant or not right:
            right.append(str(self.constant))
        return f"{' + '.join(left) or '0'} = {' + '.join(right)}"

    def to_json(self) -> dict[str, object]:
        """JSON-serialisable form."""
        return {
            "terms": {str(x): str(c) for x, c in self.terms.items()},
            "constant": str(self.constant),
        }

    @staticmethod
    def from_json(data: Mapping[str, object]) -> Linear:
        """Read what ``to_json`` wrote; raises ValueError for anything else."""
        relation = Record(data, "the relation")
        terms = relation.record("terms")
        try:
            given = {Atom.parse(x): Fraction(terms.text(x)) for x in terms.values}
            constant = Fraction(relation.text("constant", "0"))
        except ZeroDivisionError as error:
            raise ValueError(f"not a relation: {data}") from error
        return Linear(terms={x: c for x, c in given.items() if c}, constant=constant)


@dataclass(frozen=True, slots=True)
class Quantities:
    """What is known about positive quantities; immutable.

    Attributes:
        rows: Reduced relations by their pivot: the pivot has coefficient 1 and occurs in no other
            row.
    """

    rows: Mapping[Atom, Linear] = field(default_factory=dict[Atom, Linear])

    def reduced(self, relation: Linear) -> Linear:
        """The relation with every pivot replaced by what is known of it."""
        terms, constant = dict(relation.terms), relation.constant
        for x in list(terms):
            row = self.rows.get(x)
            factor = terms.get(x, Fraction(0))
            if row is not None and factor:
                terms = _sum(terms, row.terms, -factor)
                constant -= factor * row.constant
        return Linear(terms=terms, constant=constant)

    def implies(self, relation: Linear) -> bool:
        """Whether the relation follows from what is known."""
        rest = self.reduced(relation)
        return not rest.terms and not rest.constant

    def objection(self, relation: Linear) -> str:
        """Why the relation cannot hold, ``""`` when it can."""
        rest = self.reduced(relation)
        if not rest.terms:
            return f"{relation} contradicts {self._about(relation)}" if rest.constant else ""
        positive = _positive_solution_exists(self._with(rest))
        if positive:
            return ""
        known = self._about(relation)
        given = f" together with {known}" if known else ""
        if positive is None:
            return f"{relation}{given} is too entangled to be decided"
        return f"{relation}{given} leaves no positive value for every quantity"

    def learned(self, relation: Linear) -> Quantities:
        """With one more relation; the same object when it was implied.

        Raises:
            ValueError: It cannot hold; the message says why.
        """
        problem = self.objection(relation)
        if problem:
            raise ValueError(problem)
        rest = self.reduced(relation)
        return self if not rest.terms else Quantities(self._with(rest))

    def without(self, x: Atom) -> Quantities:
        """Everything that is known without ``x``: ``x`` is eliminated."""
        rows = dict(self.rows)
        if x in rows:
            del rows[x]
            return Quantities(rows)
        using = [p for p, row in rows.items() if x in row.terms]
        if not using:
            return self
        first = rows.pop(using[0])
        kept = Quantities({p: r for p, r in rows.items() if x not in r.terms})
        factor = first.terms[x]
        for p in using[1:]:
            row = rows[p]
            scale = -row.terms[x] / factor
            terms = _sum(row.terms, first.terms, scale)
            kept = kept.learned(Linear(terms=terms, constant=row.constant + scale * first.constant))
        return kept

    def value(self, x: Atom) -> Fraction | None:
        """The value of a quantity, None when it is not determined."""
        row = self.rows.get(x)
        return row.constant if row is not None and len(row.terms) == 1 else None

    def ratio(self, x: Atom, y: Atom) -> Fraction | None:
        """``x / y``, None when it is not determined."""
        if x == y:
            return Fraction(1)
        a, b = self.value(x), self.value(y)
        if a is not None and b is not None:
            return a / b
        over_x = self.reduced(Linear(terms={x: Fraction(1)}))
        over_y = self.reduced(Linear(terms={y: Fraction(1)}))
        if over_x.constant or over_y.constant or len(over_x.terms) != 1:
            return None
        if over_x.terms.keys() != over_y.terms.keys():
            return None
        (base,) = over_x.terms
        return over_x.terms[base] / over_y.terms[base]

    def balanced(self, left: Sequence[Atom], right: Sequence[Atom]) -> bool | None:
        """Whether two totals are equal; None when what is known does not settle it."""
        terms: dict[Atom, Fraction] = {}
        for x in left:
            terms = _sum(terms, {x: Fraction(1)}, Fraction(1))
        for x in right:
            terms = _sum(terms, {x: Fraction(1)}, Fraction(-1))
        rest = self.reduced(Linear(terms=terms))
        if not rest.terms:
            return not rest.constant
        signs = {c > 0 for c in rest.terms.values()}
        if len(signs) == 1:  # sum of positive quantities against a constant of the other sign
            sign = 1 if signs == {True} else -1
            return False if sign * rest.constant <= 0 else None
        return None

    def balancing(
        self, left: Sequence[Atom], right: Sequence[Atom], choice: Sequence[Atom]
    ) -> Iterator[tuple[Atom, ...]]:
        """Subsets of ``choice`` that toggle membership of ``left`` and make the totals equal.

        Args:
            left: Quantities on the side that may change.
            right: Quantities on the side that stays.
            choice: Quantities that may be put in (not in ``left``) or taken out (in ``left``).

        Yields:
            Sets to toggle, smallest first.

        Raises:
            ValueError: More than 16 quantities to choose from.
        """
        if len(choice) > _MAX_CHOICE:
            raise ValueError(f"at most {_MAX_CHOICE} quantities to choose from, got {len(choice)}")
        inside = set(left)
        for size in range(len(choice) + 1):
            for toggled in itertools.combinations(choice, size):
                if self.balanced(sorted(inside ^ set(toggled)), right):
                    yield toggled

    def _with(self, rest: Linear) -> dict[Atom, Linear]:
        """All rows once the reduced, not empty relation ``rest`` is one of them."""
        pivot = min(rest.terms)
        scale = 1 / rest.terms[pivot]
        new = Linear(
            terms={x: c * scale for x, c in rest.terms.items()}, constant=rest.constant * scale
        )
        rows = {pivot: new}
        for p, row in self.rows.items():
            factor = row.terms.get(pivot)
            if factor:
                row = Linear(
                    terms=_sum(row.terms, new.terms, -factor),
                    constant=row.constant - factor * new.constant,
                )
            rows[p] = row
        return rows

    def _about(self, relation: Linear) -> str:
        """The rows that say something about the relation's quantities."""
        names = set(relation.terms)
        return "; ".join(str(r) for r in self.rows.values() if names & set(r.terms))


def _positive_solution_exists(rows: Mapping[Atom, Linear]) -> bool | None:
    """Whether all quantities can be positive; None when that is too much to decide.

    Fourier-Motzkin elimination of the free quantities from ``b - sum_j c_j x_j > 0`` (one for each
    pivot) and ``x_j > 0``.
    """
    free = sorted({x for p, row in rows.items() for x in row.terms if x != p})
    above_zero = {
        _normal({x: -c for x, c in row.terms.items() if x != p}, row.constant)
        for p, row in rows.items()
    }
    above_zero |= {_normal({x: Fraction(1)}, Fraction(0)) for x in free}
    for x in free:
        if len(above_zero) > _MAX_INEQUALITIES:
            return None
        signed = [(dict(terms).get(x, Fraction(0)), terms, b) for terms, b in above_zero]
        above_zero = {(terms, b) for c, terms, b in signed if not c}
        for c, upper, b in signed:
            for d, lower, e in signed:
                if c > 0 > d:
                    terms = _sum({k: v * -d for k, v in upper}, dict(lower), c)
                    above_zero.add(_normal(terms, b * -d + e * c))
    return all(b > 0 for _, b in above_zero)


def _normal(terms: Terms, constant: Fraction) -> tuple[tuple[tuple[Atom, Fraction], ...], Fraction]:
    """An inequality scaled so that equal ones compare equal."""
    scale = max((abs(c) for c in terms.values()), default=Fraction(1))
    return tuple(sorted((x, c / scale) for x, c in terms.items())), constant / scale


def _sum(a: Terms, b: Terms, factor: Fraction) -> dict[Atom, Fraction]:
    """``a + factor * b`` without zeros."""
    total = dict(a)
    for x, c in b.items():
        total[x] = total.get(x, Fraction(0)) + factor * c
    return {x: c for x, c in total.items() if c}


def _times(c: Fraction) -> str:
    return "" if c == 1 else f"{c} "
