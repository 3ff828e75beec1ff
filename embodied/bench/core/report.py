"""Tables and confidence intervals for benchmark results."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_Z95 = 1.959963984540054


def wilson_interval(successes: int, n: int, *, z: float = _Z95) -> tuple[float, float]:
    """Confidence interval of a success rate (Wilson, JASA 22, 1927).

    Args:
        successes: Number of successes k.
        n: Number of trials.
        z: Normal quantile; the default gives 95%.

    Returns:
        Lower and upper bound in [0, 1]; (0, 1) for n = 0.

    Raises:
        ValueError: k is not within 0..n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie in 0..{n}, got {successes}")
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (
        0.0 if successes == 0 else max(0.0, centre - half),
        1.0 if successes == n else min(1.0, centre + half),
    )


def bootstrap_interval(
    values: Sequence[float],
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    resamples: int = 2000,
) -> tuple[float, float]:
    """Percentile-bootstrap interval of the mean (Efron, Ann. Statist. 7, 1979).

    Args:
        values: Measurements, at least one.
        rng: Source of randomness.
        level: Confidence level.
        resamples: Number of resamples.

    Raises:
        ValueError: There are no values.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        raise ValueError("a bootstrap interval needs at least one value")
    means = rng.choice(data, size=(resamples, data.size)).mean(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def rate(successes: int, n: int) -> str:
    """``"17/20 (64-95%)"``: a rate with its 95% interval."""
    low, high = wilson_interval(successes, n)
    return f"{successes}/{n} ({100 * low:.0f}-{100 * high:.0f}%)" if n else "0/0"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A GitHub-flavoured table with padded columns; all but the first are right-aligned."""
    cells = [[str(c) for c in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        padded = [
            c.ljust(w) if i == 0 else c.rjust(w)
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join([line(cells[0]), line(rule), *(line(row) for row in cells[1:])]) + "\n"
