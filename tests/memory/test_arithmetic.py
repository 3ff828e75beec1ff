"""The solver of relations between quantities, against numbers that are known."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.memory import Linear, Quantities
from embodied.types import Atom

A, B, C, D = (Atom("weight", (n,)) for n in "abcd")


def known(*relations: Linear) -> Quantities:
    quantities = Quantities()
    for relation in relations:
        quantities = quantities.learned(relation)
    return quantities


def test_ratios_follow_through_a_chain() -> None:
    q = known(Linear.ratio(A, 2, B), Linear.ratio(C, Fraction(1, 3), B))
    assert q.ratio(A, C) == 6
    assert q.ratio(A, D) is None
    assert q.value(A) is None
    q = q.learned(Linear.value(C, 5))
    assert q.value(A) == 30


def test_what_follows_adds_no_row() -> None:
    q = known(Linear.ratio(A, 2, B), Linear.ratio(B, 2, C))
    assert q.learned(Linear.ratio(A, 4, C)) is q
    assert len(q.rows) == 2


def test_what_cannot_be_is_refused_with_what_is_known() -> None:
    q = known(Linear.ratio(A, 2, B))
    off_by_one = Linear(terms={A: Fraction(2), B: Fraction(-4)}, constant=Fraction(1))
    with pytest.raises(ValueError, match=r"contradicts \(weight a\) = 2 \(weight b\)"):
        q.learned(off_by_one)
    with pytest.raises(ValueError, match="positive"):
        q.learned(Linear.ratio(A, 3, B))


def test_quantities_are_positive_even_where_no_single_row_says_so() -> None:
    # a + c = 1 and b - c = -2 leave no positive a, b, c together, though each alone does
    q = known(Linear(terms={A: Fraction(1), C: Fraction(1)}, constant=Fraction(1)))
    assert q.objection(Linear(terms={B: Fraction(1), C: Fraction(-1)}, constant=Fraction(-2)))
    assert not q.objection(Linear(terms={B: Fraction(1), C: Fraction(-1)}, constant=Fraction(2)))


def test_balance() -> None:
    q = known(Linear.ratio(A, 2, B), Linear.ratio(C, 1, B))
    assert q.balanced([A], [B, C]) is True
    assert q.balanced([A], [B]) is False
    assert q.balanced([A], [D]) is None
    assert next(q.balancing([B], [A], [C, D])) == (C,)
    assert next(q.balancing([A, C], [A], [A, C])) == (C,)
    assert list(q.balancing([], [D], [A, B, C])) == []
    with pytest.raises(ValueError, match="at most 16"):
        next(q.balancing([], [], [Atom("weight", (str(n),)) for n in range(17)]))


def test_a_quantity_can_be_forgotten() -> None:
    q = known(Linear.ratio(A, 2, B), Linear.ratio(B, 3, C))
    assert q.without(B).ratio(A, C) == 6
    assert q.without(A).ratio(B, C) == 3
    assert q.without(A).ratio(A, C) is None
    assert q.without(D) is q


def test_relations_survive_json() -> None:
    relation = Linear(terms={A: Fraction(2, 3), B: Fraction(-1)}, constant=Fraction(5))
    assert Linear.from_json(relation.to_json()) == relation
    with pytest.raises(ValueError, match="'terms' must be an object"):
        Linear.from_json({"terms": []})


weights = st.fractions(min_value=Fraction(1, 4), max_value=8, max_denominator=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(weights, min_size=4, max_size=4), st.data())
def test_nothing_true_is_refused_and_nothing_false_is_implied(
    truth: list[Fraction], data: st.DataObject
) -> None:
    names = (A, B, C, D)
    value = dict(zip(names, truth, strict=True))
    q = Quantities()
    for _ in range(data.draw(st.integers(1, 6))):
        terms = data.draw(
            st.dictionaries(st.sampled_from(names), st.integers(-3, 3), min_size=1, max_size=3)
        )
        exact = {x: Fraction(c) for x, c in terms.items() if c}
        constant = sum((c * value[x] for x, c in exact.items()), Fraction(0))
        q = q.learned(Linear(terms=exact, constant=constant))
        assert len(q.rows) <= len(names)
    for x in names:
        found = q.value(x)
        assert found is None or found == value[x]
        for y in names:
            ratio = q.ratio(x, y)
            assert ratio is None or ratio == value[x] / value[y]
    balanced = q.balanced([A, B], [C])
    assert balanced is None or balanced == (value[A] + value[B] == value[C])
