"""What the scripts here share: CPU seconds of a call, a fixed piece of work, tables with ratios.

Machines differ and are shared, so times are CPU times, and are also given as ratios within one run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from embodied.bench.report import markdown_table


def cpu_s(
    work: Callable[[], object],
    *,
    repeats: int = 1,
    calls: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """Median over ``repeats`` blocks of the CPU time of one of ``calls`` calls, s."""
    samples: list[float] = []
    for _ in range(repeats):
        began = clock()
        for _ in range(calls):
            work()
        samples.append((clock() - began) / calls)
    return statistics.median(samples)


def fixed_work_s() -> float:
    """CPU time of sorting 10^6 floats, s: a unit for times of the same minute."""
    values = np.random.default_rng(0).random(1_000_000)
    return cpu_s(values.sort)


def ratio_table(
    name: str, rows: Sequence[Mapping[str, float]], timed: Sequence[str], others: Sequence[str]
) -> str:
    """Each time beside its ratio to that of the first row.

    Args:
        name: Field that names a row.
        rows: The rows.
        timed: Fields that are shown with their ratios.
        others: Fields that are shown as they are.
    """
    header = [name, *(h for t in timed for h in (t, "ratio")), *others]
    cells = (
        [
            f"{row[name]:.0f}",
            *(c for t in timed for c in (f"{row[t]:.0f}", f"{row[t] / rows[0][t]:.2f}")),
            *(f"{row[o]:.0f}" for o in others),
        ]
        for row in rows
    )
    return markdown_table(header, cells)
