"""Draws what `embodied bench statler` measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embodied.bench.core.plotting import new_figure


def draw(report: Mapping[str, Any], path: Path) -> None:
    """Belief accuracy against the length of a session, and shell games against swaps.

    Args:
        report: Of ``embodied.bench.statler.suite.build_report``.
        path: File to write; its suffix names the format.

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """
    figure = new_figure(9.0, 3.4)
    left, right = figure.subplots(1, 2)
    for row in report["sessions"]:
        tenths = row["by_tenth"]
        turns = row["turns"] / max(1, row["sessions"])
        x = [turns * (n + 0.5) / len(tenths) for n in range(len(tenths))]
        label = f"{row['method']} ({row['sessions']} sessions)"
        left.plot(x, [100 * a for a in tenths], marker="o", label=label)
    left.set(xlabel="turn", ylabel="belief that is right (%)", ylim=(-3, 104))
    for name, label in (("right", "with memory"), ("memoryless", "without memory")):
        rows = [r for r in report["shell"] if r["games"]]
        share = [100 * r[name] / r["games"] for r in rows]
        right.plot([r["swaps"] for r in rows], share, marker="o", label=label)
    right.set(xlabel="swaps", ylabel="ball found (%)", ylim=(-3, 104))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
