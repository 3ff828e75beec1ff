"""Reports of ``embodied bench translate``: accuracy, calibration and its thresholds, latency."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from embodied.bench.core.plotting import new_figure
from embodied.bench.core.report import wilson_interval
from embodied.language.offline.translator import KINDS
from embodied.types import Array

MIN_ANSWERS = 20
LEAST_THRESHOLD = 0.21
"""Every doubt that asks back divides the confidence by five or more: above 0.2 there is none."""
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95)
"""Lower ends of the ranges of confidence that are reported."""


def report(results: Iterable[Mapping[str, Any]]) -> str:
    """Accuracy per suite, kind and translator, calibration and latency, as Markdown tables."""
    rows = list(results)
    lines = [
        "| suite | kind | translator | sentences | right | answered | right of answered |"
        " refused of those to refuse |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for suite in dict.fromkeys(r["suite"] for r in rows):
        for kind in KINDS:
            for name in dict.fromkeys(r["translator"] for r in rows):
                part = [
                    r
                    for r in rows
                    if (r["suite"], r["kind"], r["translator"]) == (suite, kind, name)
                ]
                if not part:
                    continue
                do = [r for r in part if not r["must_refuse"]]
                answered = [r for r in part if not r["refused"]]
                refuse = [r for r in part if r["must_refuse"]]
                lines.append(
                    f"| {suite} | {kind} | {name} | {len(part)} |"
                    f" {_share([r['right'] for r in do])} |"
                    f" {_share([not r['refused'] for r in do])} |"
                    f" {_share([r['right'] for r in answered])} |"
                    f" {_share([r['refused'] for r in refuse])} |"
                )
    lines += ["", "| confidence of local | answers | right |", "|---|---:|---:|"]
    local = _confident(rows)
    for low, high, part in binned(local):
        lines.append(
            f"| {low:.2f} to {high:.2f} | {len(part)} | {_share([r['right'] for r in part])} |"
        )
    if local:
        lines += ["", f"Expected calibration error {calibration_error(local):.3f}."]
    times = sorted(r["cpu_s"] for r in rows if r["translator"] == "local")
    if times:
        walls = sorted(r["wall_s"] for r in rows if r["translator"] == "local")
        lines += [
            "",
            f"Local model: {times[len(times) // 2]:.2f} s CPU a sentence (median),"
            f" {times[int(len(times) * 0.95)]:.2f} s (95th percentile);"
            f" {walls[len(walls) // 2]:.2f} s wall (median);"
            f" peak memory of the process {max(r['peak_mb'] for r in rows)} MB.",
        ]
    return "\n".join(lines) + "\n"


def _confident(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [r for r in rows if r["translator"] == "local" and r["confidence"] is not None]


def binned(
    rows: Sequence[Mapping[str, Any]],
) -> list[tuple[float, float, list[Mapping[str, Any]]]]:
    """Answers by confidence: lower end, upper end and the answers of each range that has any."""
    ends = zip(BINS, (*BINS[1:], 1.0), strict=True)
    parts = (
        (low, high, [r for r in rows if low <= min(r["confidence"], 0.9999) < high])
        for low, high in ends
    )
    return [part for part in parts if part[2]]


def calibration_error(rows: Sequence[Mapping[str, Any]]) -> float:
    """Mean distance of confidence and share of right answers over the ranges, by answers.

    Guo et al. 2017, "On calibration of modern neural networks", with the ranges of ``BINS``.
    """
    return sum(
        abs(sum(min(r["confidence"], 1.0) for r in part) - sum(r["right"] for r in part))
        for _, _, part in binned(rows)
    ) / max(1, len(rows))


def draw_calibration(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Draw how often the local model's answers are right, by their confidence.

    Nothing is drawn where it answered nothing.

    Args:
        rows: Results of the benchmark.
        path: File to write; its suffix names the format.

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """
    local = _confident(rows)
    if not local:
        return
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
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _share(values: Sequence[bool]) -> str:
    if not values:
        return "-"
    return f"{sum(values)}/{len(values)} ({100 * sum(values) / len(values):.0f}%)"


def calibrate(results: Iterable[Mapping[str, Any]], *, least: float = 0.75) -> dict[str, Any]:
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
    kinds: dict[str, Any] = {}
    for kind in KINDS:
        part = [r for r in rows if r["kind"] == kind]
        own = len(part) >= MIN_ANSWERS
        kinds[kind] = {
            "threshold": round(max(_threshold(part if own else rows, least), LEAST_THRESHOLD), 3),
            "answers": len(part),
            "own_curve": own,
        }
    return {"least": least, "kinds": kinds}


def _threshold(rows: Sequence[Mapping[str, Any]], least: float) -> float:
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


def write_calibration(path: Path, data: Mapping[str, Any]) -> None:
    """Write the thresholds that ``LocalTranslator`` reads."""
    path.write_text(json.dumps(data, indent=2) + "\n")
