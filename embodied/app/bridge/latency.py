"""Times of an arm's reports, for people: quantiles and a histogram of bars."""

from __future__ import annotations

import numpy as np

from embodied.app.show.console import Console
from embodied.types import Array


def quantiles(values: Array) -> dict[str, float]:
    """Median, 99% quantile and maximum; empty where there is nothing."""
    if len(values) == 0:
        return {}
    levels = {"median": 0.5, "p99": 0.99, "max": 1.0}
    return {k: round(float(np.quantile(values, v)), 4) for k, v in levels.items()}


def print_histogram(console: Console, title: str, values: Array, bins: int = 10) -> None:
    """Draw how often values fall into each of ``bins`` ranges; nothing for fewer than two."""
    if len(values) < 2:
        return
    console.print(f"\n{title}")
    counts, edges = np.histogram(values, bins=bins)
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        bar = "█" * round(40 * count / max(int(counts.max()), 1))
        console.print(f"  {low:9.3f} to {high:9.3f}  {count:6d} {bar}")
