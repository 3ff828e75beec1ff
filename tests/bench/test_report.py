from __future__ import annotations

import numpy as np
import pytest

from embodied.bench.report import bootstrap_interval, markdown_table, rate, wilson_interval


def test_wilson_interval_matches_published_values() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81/263 and 15/148
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert rate(20, 20) == "20/20 (84-100%)"
    with pytest.raises(ValueError, match="greater than n"):
        wilson_interval(4, 3)


def test_bootstrap_interval_covers_the_mean() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        low, high = bootstrap_interval(rng.normal(2.0, 1.0, 40).tolist(), rng, resamples=400)
        covered += low <= 2.0 <= high
    assert 85 <= covered <= 99
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_interval([], rng)


def test_markdown_table() -> None:
    assert markdown_table(("a", "n"), [("long name", 1), ("b", 20)]).splitlines() == [
        "| a         |   n |",
        "| --------- | --: |",
        "| long name |   1 |",
        "| b         |  20 |",
    ]


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(10, 10, 0.722, 1.0), (0, 10, 0.0, 0.278), (8, 10, 0.490, 0.943), (0, 0, 0.0, 1.0)],
)
def test_wilson_interval_of_small_samples(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=0.001)
