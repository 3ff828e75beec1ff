"""Statistics of features, as LeRobot keeps them: per episode, and of all episodes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from embodied.types import Array

Stats = Mapping[str, Array]
"""``min``, ``max``, ``mean``, ``std``, ``count`` and quantiles by name."""

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}


def stats_of(values: Array) -> dict[str, Array]:
    """Statistics of values (k, width) over the k frames, each (width,), and ``count`` (1,)."""
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=0)
    return {
        "min": values.min(axis=0),
        "max": values.max(axis=0),
        "mean": values.mean(axis=0),
        "std": values.std(axis=0),
        "count": np.array([len(values)]),
        **dict(zip(QUANTILES, quantiles, strict=True)),
    }


def together(parts: Sequence[Stats]) -> dict[str, Array]:
    """Statistics of several sets of frames.

    With counts n_i, means m_i and deviations s_i, m = sum n_i m_i / n and
    s^2 = sum n_i (s_i^2 + (m_i - m)^2) / n. Quantiles are means of quantiles, weighted by n_i: near
    the true ones where the sets are alike.
    """
    n = np.array([float(p["count"][0]) for p in parts])

    def weighted(values: Sequence[Array]) -> Array:
        return np.einsum("i,i...->...", n / n.sum(), np.stack(values))

    mean = weighted([p["mean"] for p in parts])
    variance = weighted([p["std"] ** 2 + (p["mean"] - mean) ** 2 for p in parts])
    return {
        "min": np.min([p["min"] for p in parts], axis=0),
        "max": np.max([p["max"] for p in parts], axis=0),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": np.array([int(n.sum())]),
        **{q: weighted([p[q] for p in parts]) for q in QUANTILES},
    }
