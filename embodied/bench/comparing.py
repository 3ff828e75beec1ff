"""Two folders of results beside each other: differences with their confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embodied.bench.report import bootstrap_interval, markdown_table
from embodied.bench.runner import Row, read_results
from embodied.errors import ConfigurationError
from embodied.types import Array

RESAMPLES = 5000
NOT_MEASURED = ("seed", "index", "number", "task_wall_s")


def compare(first: Path, second: Path) -> list[Row]:
    """For each number or yes-no that both folders' rows have: means, difference, 95% interval.

    Cases with the same id are compared in pairs: the interval is that of the mean of their
    differences (percentile bootstrap). Without common cases the samples count as independent.

    Raises:
        ConfigurationError: A folder holds no results, or they have no measure in common.
    """
    rows = [read_results(f) for f in (first, second)]
    for folder, found in zip((first, second), rows, strict=True):
        if not found:
            raise ConfigurationError(f"{folder} holds no results")
    a, b = ({str(r["id"]): r for r in found} for found in rows)
    names = [k for k in _numbers(rows[0]) if k in _numbers(rows[1])]
    if not names:
        raise ConfigurationError(f"{first} and {second} have no measure in common")
    return [_difference(name, a, b) for name in names]


def table(rows: Sequence[Row]) -> str:
    """The comparison as Markdown."""
    return markdown_table(
        ("measure", "cases", "first", "second", "difference", "95% interval"),
        (
            (
                r["measure"],
                f"{r['cases']} in pairs" if r["paired"] else f"{r['cases']}",
                *(f"{r[k]:.4g}" for k in ("first", "second")),
                f"{r['difference']:+.4g}",
                f"{r['low']:+.4g} to {r['high']:+.4g}",
            )
            for r in rows
        ),
    )


def _numbers(rows: Sequence[Row]) -> list[str]:
    kinds = {k: isinstance(v, (bool, int, float)) for r in rows for k, v in r.items()}
    return [k for k, number in kinds.items() if number and k not in NOT_MEASURED]


def _difference(name: str, a: dict[str, Row], b: dict[str, Row]) -> Row:
    x, y = ({i: float(r[name]) for i, r in of.items() if r.get(name) is not None} for of in (a, b))
    rng = np.random.default_rng(0)
    common = [i for i in x if i in y]
    if common:
        before, after = (np.array([of[i] for i in common]) for of in (x, y))
        difference = float((after - before).mean())
        low, high = bootstrap_interval(list(after - before), rng, resamples=RESAMPLES)
    else:
        before, after = np.array(list(x.values())), np.array(list(y.values()))
        difference = float(after.mean() - before.mean())
        means = _means(after, rng) - _means(before, rng)
        low, high = (float(v) for v in np.quantile(means, [0.025, 0.975]))
    return {
        "measure": name,
        "paired": bool(common),
        "cases": len(common) or f"{len(before)}, {len(after)}",
        "first": float(before.mean()),
        "second": float(after.mean()),
        "difference": difference,
        "low": low,
        "high": high,
    }


def _means(values: Array, rng: np.random.Generator) -> Array:
    return rng.choice(values, size=(RESAMPLES, values.size)).mean(axis=1)
