"""Reports of ``embodied bench translate``: accuracy, calibration and its thresholds, latency."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from embodied.bench.report import (
    grouped,
    markdown_table,
    new_figure,
    table_of,
    wilson_interval,
)
from embodied.bench.runner import Row
from embodied.language.offline.translator import KINDS
from embodied.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MIN_ANSWERS = 20
LEAST_THRESHOLD = 0.21
"""Every doubt that asks back divides the confidence by five or more: above 0.2 there is none."""
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95)
"""Lower ends of the ranges of confidence that are reported."""


def summarise(results: Iterable[Row]) -> Row:
    """Accuracy per suite, kind and translator, and what calibration and latency are made of."""
    rows = list(results)
    groups = grouped(rows, "suite", "kind", "translator")
    suites = list(dict.fromkeys(r["suite"] for r in rows))
    order = sorted(groups, key=lambda g: (suites.index(g[0]), KINDS.index(g[1])))
    local = _confident(rows)
    spent = [r for r in rows if r["translator"] == "local"]
    return {
        "accuracy": [_accuracy(key, groups[key]) for key in order],
        "answers": [{k: r[k] for k in ("kind", "confidence", "right")} for r in local],
        "calibration_error": round(calibration_error(local), 4) if local else None,
        "cpu_s": sorted(r["cpu_s"] for r in spent),
        "wall_s": sorted(r["wall_s"] for r in spent),
        "peak_mb": max((r["peak_mb"] for r in rows), default=0),
    }


def _accuracy(key: tuple[str, ...], part: Sequence[Row]) -> Row:
    do = [r for r in part if not r["must_refuse"]]
    return {
        **dict(zip(("suite", "kind", "translator"), key, strict=True)),
        "sentences": len(part),
        "right": _share([r["right"] for r in do]),
        "answered": _share([not r["refused"] for r in do]),
        "right of answered": _share([r["right"] for r in part if not r["refused"]]),
        "refused of those to refuse": _share([r["refused"] for r in part if r["must_refuse"]]),
    }


def table(report: Row) -> str:
    """The report as Markdown."""
    accuracy: list[Row] = report["accuracy"]
    names = list(accuracy[0]) if accuracy else ["suite"]
    parts = [table_of(accuracy, {n: n for n in names})]
    answers: list[Row] = report["answers"]
    if answers:
        parts.append(
            markdown_table(
                ("confidence of local", "answers", "right"),
                (
                    (f"{low:.2f} to {high:.2f}", len(part), _share([r["right"] for r in part]))
                    for low, high, part in binned(answers)
                ),
            )
        )
        parts.append(f"Expected calibration error {report['calibration_error']:.3f}.\n")
    if times := report["cpu_s"]:
        walls = report["wall_s"]
        parts.append(
            f"Local model: {times[len(times) // 2]:.2f} s CPU a sentence (median),"
            f" {times[int(len(times) * 0.95)]:.2f} s (95th percentile);"
            f" {walls[len(walls) // 2]:.2f} s wall (median);"
            f" peak memory of the process {report['peak_mb']} MB.\n"
        )
    return "\n".join(parts)


def _confident(rows: Iterable[Row]) -> list[Row]:
    return [r for r in rows if r["translator"] == "local" and r["confidence"] is not None]


def binned(
    rows: Sequence[Row],
) -> list[tuple[float, float, list[Row]]]:
    """Answers by confidence: lower end, upper end and the answers of each range that has any."""
    ends = zip(BINS, (*BINS[1:], 1.0), strict=True)
    parts = (
        (low, high, [r for r in rows if low <= min(r["confidence"], 0.9999) < high])
        for low, high in ends
    )
    return [part for part in parts if part[2]]


def calibration_error(rows: Sequence[Row]) -> float:
    """Mean distance of confidence and share of right answers over the ranges, by answers.

    Guo et al. 2017, "On calibration of modern neural networks", with the ranges of ``BINS``.
    """
    return sum(
        abs(sum(min(r["confidence"], 1.0) for r in part) - sum(r["right"] for r in part))
        for _, _, part in binned(rows)
    ) / max(1, len(rows))


def draw_calibration(report: Row) -> Figure | None:
    """How often the local model's answers are right, by their confidence; None without answers."""
    local: list[Row] = report["answers"]
    if not local:
        return None
    figure = new_figure(9.0, 3.2)
    for axes, kind in zip(figure.subplots(1, len(KINDS), sharey=True), KINDS, strict=True):
        own = [r for r in local if r["kind"] == kind]
        axes.plot([0, 1], [0, 100], color="0.7", linewidth=1.0, linestyle="--")
        for _, _, part in binned(own):
            x = sum(min(r["confidence"], 1.0) for r in part) / len(part)
            hits = sum(r["right"] for r in part)
            share = 100.0 * hits / len(part)
            low, high = (100.0 * end for end in wilson_interval(hits, len(part)))
            axes.errorbar(
                x, share, yerr=[[share - low], [high - share]], fmt="o", color="C0", capsize=2.0
            )
            axes.annotate(
                f"{len(part)}",
                (x, low),
                xytext=(0, -3),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=7,
            )
        title = f"{kind}: {len(own)} answers"
        if own:
            title += f", error {calibration_error(own):.3f}"
        axes.set(xlabel="confidence", title=title, xlim=(-0.05, 1.05), ylim=(-12, 105))
        axes.title.set_fontsize(9)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("right answers (%), 95% interval")
    return figure


def _share(values: Sequence[bool]) -> str:
    if not values:
        return "-"
    return f"{sum(values)}/{len(values)} ({100 * sum(values) / len(values):.0f}%)"


def calibrate(results: Iterable[Row], *, least: float = 0.75) -> Row:
    """For each kind the confidence at which an answer is right with a probability of ``least``.

    The probability is a logistic function of the confidence's log-odds, fitted to the answers of a
    kind (Platt 1999, "Probabilistic outputs for support vector machines", with his smoothed
    targets). A kind with fewer than ``MIN_ANSWERS`` answers takes the fit to all kinds together:
    its own few say little. No threshold lies below ``LEAST_THRESHOLD``.

    Args:
        results: Results of ``local`` with thresholds of 0 on sentences that are not the final test.
        least: Probability of being right below which the model asks.
    """
    rows = [r for r in results if r["confidence"] is not None]
    kinds: Row = {}
    for kind in KINDS:
        part = [r for r in rows if r["kind"] == kind]
        own = len(part) >= MIN_ANSWERS
        kinds[kind] = {
            "threshold": round(max(_threshold(part if own else rows, least), LEAST_THRESHOLD), 3),
            "answers": len(part),
            "own_curve": own,
        }
    return {"least": least, "kinds": kinds}


def _threshold(rows: Sequence[Row], least: float) -> float:
    """Confidence with a probability ``least`` of being right; 1.01 if there is none."""
    if len(rows) < MIN_ANSWERS:
        return 1.01
    x = logit(np.clip([float(r["confidence"]) for r in rows], 0.005, 0.995))
    right = np.array([bool(r["right"]) for r in rows])
    n = int(np.sum(right))
    target = np.where(right, (n + 1.0) / (n + 2.0), 1.0 / (len(rows) - n + 2.0))

    def loss(weights: Array) -> float:
        z = weights[0] * x + weights[1]
        return float(np.sum(np.logaddexp(0.0, z) - target * z))

    slope, offset = minimize(loss, (1.0, 0.0), bounds=((1e-3, None), (None, None))).x
    wanted = float(expit((logit(least) - offset) / slope))
    return wanted if wanted <= 0.995 else 1.01
