"""Two folders of results beside each other: differences with their confidence intervals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embodied.bench.report import bootstrap_interval, markdown_table
from embodied.bench.runner import SETTINGS, Row, read_results
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
    rows = [[_flat(r) for r in read_results(f)] for f in (first, second)]
    for folder, found in zip((first, second), rows, strict=True):
        if not found:
            raise ConfigurationError(f"{folder} holds no results")
    a, b = ({str(r["id"]): r for r in found} for found in rows)
    names = [k for k in _numbers(rows[0]) if k in _numbers(rows[1])]
    if not names:
        raise ConfigurationError(f"{first} and {second} have no measure in common")
    return [_difference(name, a, b) for name in names]


def sides(*folders: Path) -> list[Row]:
    """What stands in each folder: the benchmark and the model of its rows."""
    found: list[Row] = []
    for folder in folders:
        said: Row = {}
        for name in (SETTINGS, "options.json"):
            if (folder / name).is_file():
                said |= json.loads((folder / name).read_text("utf-8"))
        known = {k: said.get(k) for k in ("benchmark", "model")}
        found.append({"folder": str(folder), **known})
    return found


def table(rows: Sequence[Row], about: Sequence[Row] = ()) -> str:
    """The comparison as Markdown, with what was compared above it."""
    head = "".join(
        f"{place}: {one['benchmark']} in {one['folder']}, model {one['model'] or 'none'}\n"
        for place, one in zip(("first", "second"), about, strict=False)
    )
    return f"{head}\n" * bool(head) + markdown_table(
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


def _flat(row: Row) -> Row:
    """A row with the tokens and the cost of its model's calls among its measures."""
    usage = row.get("usage")
    if not isinstance(usage, dict):
        return row
    tokens = sum(int(usage.get(k) or 0) for k in ("input_tokens", "output_tokens"))
    cost = usage.get("cost_usd")
    return {**row, "tokens": tokens, **({} if cost is None else {"cost_usd": float(cost)})}


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
