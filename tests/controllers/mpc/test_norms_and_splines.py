from __future__ import annotations

import numpy as np
import pytest
from embodied_controllers.mpc.norms import NORMS
from embodied_controllers.mpc.spline import INTERPOLATIONS, weights
from hypothesis import given
from hypothesis import strategies as st

from embodied.language.reward.vocabulary import NORMS as WORDS


def evaluate(knots: np.ndarray, knot_times: np.ndarray, time: float, kind: str) -> np.ndarray:
    return weights(np.array([time]), knot_times, kind)[0] @ knots


def test_every_norm_of_the_vocabulary_exists() -> None:
    assert set(NORMS) == set(WORDS)


@pytest.mark.parametrize("name", [n for n in NORMS if n != "rectify"])
@given(x=st.lists(st.floats(-30, 30), min_size=1, max_size=4), grow=st.floats(1.01, 3))
def test_norms_are_zero_at_zero_even_and_growing(name: str, x: list[float], grow: float) -> None:
    norm = NORMS[name]
    r = np.array(x)
    assert norm(np.zeros_like(r)) == pytest.approx(0.0)
    assert norm(r) == pytest.approx(norm(-r))
    assert norm(grow * r) >= norm(r) >= 0


def test_rectify_costs_only_above_zero() -> None:
    assert NORMS["rectify"](np.array([-5.0])) < 1e-12
    assert NORMS["rectify"](np.array([5.0])) == pytest.approx(5.0)


def test_norms_keep_leading_axes() -> None:
    x = np.random.default_rng(0).normal(size=(3, 7, 2))
    for norm in NORMS.values():
        assert norm(x).shape == (3, 7)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_splines_pass_through_their_knots_and_hold_the_ends(interpolation: str) -> None:
    knot_times = np.array([0.0, 0.1, 0.25, 0.3])
    knots = np.random.default_rng(0).normal(size=(4, 2))
    W = weights(knot_times, knot_times, interpolation)
    assert np.allclose(W @ knots, knots)
    assert np.allclose(evaluate(knots, knot_times, -1.0, interpolation), knots[0])
    assert np.allclose(evaluate(knots, knot_times, 9.0, interpolation), knots[-1])
    times = np.linspace(-0.1, 0.5, 50)
    assert np.allclose(weights(times, knot_times, interpolation).sum(axis=1), 1.0)


def test_cubic_is_smooth_where_linear_is_not() -> None:
    knot_times = np.array([0.0, 1.0, 2.0])
    knots = np.array([[0.0], [1.0], [0.0]])
    h = 1e-5
    for interpolation, smooth in (("linear", False), ("cubic", True)):
        left = evaluate(knots, knot_times, 1.0, interpolation) - evaluate(
            knots, knot_times, 1.0 - h, interpolation
        )
        right = evaluate(knots, knot_times, 1.0 + h, interpolation) - evaluate(
            knots, knot_times, 1.0, interpolation
        )
        assert (abs(left - right) < 1e-6).all() == smooth


def test_unknown_interpolation_names_the_legal_ones() -> None:
    with pytest.raises(ValueError, match="zero, linear, cubic"):
        weights(np.zeros(1), np.zeros(2), "quintic")
