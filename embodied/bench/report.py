"""Tables, confidence intervals and figures for benchmark results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from embodied.bench.runner import Row
from embodied.errors import EnvironmentMissingError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95% confidence interval of a success rate (Wilson, JASA 22, 1927).

    Args:
        successes: Number of successes k.
        n: Number of trials.

    Returns:
        Lower and upper bound in [0, 1]; (0, 1) for n = 0.

    Raises:
        ValueError: k is not within 0..n.
    """
    from scipy.stats import binomtest

    if n == 0 and successes == 0:
        return 0.0, 1.0
    low, high = binomtest(successes, n).proportion_ci(method="wilson")
    return float(low), float(high)


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


def grouped(rows: Iterable[Row], *keys: str) -> dict[tuple[str, ...], list[Row]]:
    """Rows by the values of some of their fields, in the order in which these occur."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row[k]) for k in keys), []).append(row)
    return groups


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
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


def table_of(rows: Iterable[Row], columns: Mapping[str, str | Callable[[Row], object]]) -> str:
    """Rows as a table.

    Args:
        rows: The rows.
        columns: For each column what it shows: a field, or what a function makes of the row.
    """
    makers = [c if callable(c) else (lambda r, k=c: r[k]) for c in columns.values()]
    return markdown_table(list(columns), ([make(r) for make in makers] for r in rows))


def listed(title: str, lines: Iterable[str]) -> str:
    """A heading and a list; ``""`` where there is nothing to list."""
    text = "\n".join(f"- {line}" for line in lines)
    return f"## {title}\n\n{text}\n" if text else ""


def errors_of(rows: Iterable[Row]) -> list[Row]:
    """Identity and message of the rows that are no results."""
    return [{"id": r["id"], "error": r["error"]} for r in rows if r.get("status") == "error"]


def listed_errors(errors: Iterable[Row]) -> str:
    """The errors of a report as a list; ``""`` where there are none."""
    return listed("Errors", (f"{r['id']}: {r['error']}" for r in errors))


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure, inches, drawn without a screen.

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise EnvironmentMissingError(
            "the plot needs matplotlib: pip install 'embodied-stack[bench]'"
        ) from error
    return Figure(figsize=(width_in, height_in), layout="constrained")


def rate_bars(rates: Mapping[tuple[str, str], tuple[int, int]]) -> Figure:
    """Bars of success rates with their 95% intervals.

    Args:
        rates: Successes and trials by (what is coloured alike, what stands on one line).

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """
    series, names = (list(dict.fromkeys(key[i] for key in rates)) for i in (0, 1))
    figure = new_figure(9, 0.3 * len(names) * len(series) + 1.4)
    axes = figure.subplots()
    height = 0.8 / len(series)
    for k, one in enumerate(series):
        kept = [(i, *rates[one, n]) for i, n in enumerate(names) if rates.get((one, n), (0, 0))[1]]
        shares = [k_ / n for _, k_, n in kept]
        ends = [wilson_interval(k_, n) for _, k_, n in kept]
        off = [[s - e[0] for s, e in zip(shares, ends, strict=True)]]
        off += [[e[1] - s for s, e in zip(shares, ends, strict=True)]]
        axes.barh(
            [i + k * height for i, *_ in kept],
            shares,
            height=0.9 * height,
            color=f"C{k}",
            xerr=off,
            error_kw={"ecolor": "0.4", "capsize": 2},
            label=one,
        )
    axes.set_yticks([i + 0.4 - height / 2 for i in range(len(names))], names)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.02), xlabel="share of successes, 95% Wilson interval")
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize="small")
    return figure
