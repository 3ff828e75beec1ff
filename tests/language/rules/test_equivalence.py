"""Comparison of goals."""

from __future__ import annotations

from typing import Any

import pytest

from embodied.errors import ProgramError
from embodied.language.pddl.rules.equivalence import goals_equivalent


def same(benches: dict[str, Any], first: str, second: str) -> bool:
    bench = benches["kitchen"]
    return goals_equivalent(first, second, bench.domain, bench.grounder.objects)


def test_order_and_nesting_do_not_matter(benches: dict[str, Any]) -> None:
    first = "(and (in apple bowl) (and (not (open drawer)) (in lime bowl)))"
    assert same(benches, first, "(and (in lime bowl) (in apple bowl) (not (open drawer)))")


def test_quantifiers_are_expanded(benches: dict[str, Any]) -> None:
    every = "(forall (?f - fruit) (in ?f bowl))"
    assert same(benches, every, "(and (in apple bowl) (in lime bowl))")
    assert not same(benches, every, "(in apple bowl)")
    assert same(
        benches,
        "(exists (?f - fruit) (in ?f bowl))",
        "(or (in apple bowl) (in lime bowl) (and (in apple bowl) (open drawer)))",
    )


def test_implied_negations_do_not_matter(benches: dict[str, Any]) -> None:
    assert same(benches, "(and (on apple plate) (not (on apple shelf)))", "(on apple plate)")
    assert not same(benches, "(and (on apple plate) (not (on lime shelf)))", "(on apple plate)")


@pytest.mark.parametrize(
    "other",
    [
        "(in lime bowl)",
        "(in apple basket)",
        "(not (in apple bowl))",
        "(or (in apple bowl) (open drawer))",
    ],
)
def test_different_goals_differ(benches: dict[str, Any], other: str) -> None:
    assert not same(benches, "(in apple bowl)", other)


def test_implication_and_equality(benches: dict[str, Any]) -> None:
    all_but = "(forall (?f - fruit) (imply (not (= ?f lime)) (in ?f bowl)))"
    assert same(benches, all_but, "(in apple bowl)")


def test_foreign_objects_are_an_error(benches: dict[str, Any]) -> None:
    with pytest.raises(ProgramError):
        same(benches, "(in banana bowl)", "(in apple bowl)")
