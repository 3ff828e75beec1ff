"""Logistic regression and its calibration, in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.errors import ConfigurationError
from embodied.records import Record
from embodied.types import Array

_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogisticModel:
    """p = 1 / (1 + exp(-w x)).

    Attributes:
        names: Names of the features.
        weights: w, (n,).
    """

    names: tuple[str, ...]
    weights: Array

    def probability(self, x: Array) -> Array:
        """Probability for feature vectors (..., n)."""
        return 1.0 / (1.0 + np.exp(-np.clip(x @ self.weights, -30.0, 30.0)))

    def as_json(self) -> dict[str, float]:
        """Weights by name."""
        return {n: round(float(w), 5) for n, w in zip(self.names, self.weights, strict=True)}

    @staticmethod
    def from_json(data: Mapping[str, object], names: Sequence[str]) -> LogisticModel:
        """Read weights; every feature must have one, and no other.

        Raises:
            ConfigurationError: Features are missing or unknown.
        """
        wrong = sorted(set(names) ^ set(data))
        if wrong:
            raise ConfigurationError(f"weights of other features: {', '.join(wrong)}")
        record = Record(data, "the weights")
        weights = np.array([record.number(n) for n in names])
        return LogisticModel(names=tuple(names), weights=weights)


def fit(x: Array, y: Array, names: Sequence[str], *, l2: float = 1.0) -> LogisticModel:
    """Penalised maximum likelihood by Newton's method.

    minimise  sum_i log(1 + exp(-s_i w x_i)) + l2/2 |w|^2,  s_i = 2 y_i - 1

    Args:
        x: Features, (m, n).
        y: Outcomes 0 or 1, (m,).
        names: Names of the features.
        l2: Strength of the penalty.
    """
    n = x.shape[1]
    w = np.zeros(n)
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ w, -30.0, 30.0)))
        gradient = x.T @ (p - y) + l2 * w
        hessian = (x * (p * (1 - p))[:, None]).T @ x + l2 * np.eye(n)
        step = np.linalg.solve(hessian, gradient)
        w = w - step
        if float(np.max(np.abs(step))) < 1e-8:
            break
    return LogisticModel(names=tuple(names), weights=w)


def calibration_error(p: Array, y: Array, *, bins: int = 10) -> float:
    """Expected calibration error over bins of equal count (Naeini et al., AAAI 2015).

    Args:
        p: Predicted probabilities, (m,).
        y: Outcomes 0 or 1, (m,).
        bins: Number of bins.
    """
    order = np.argsort(p, kind="stable")
    total = 0.0
    for part in np.array_split(order, bins):
        if part.size:
            total += part.size * abs(float(p[part].mean() - y[part].mean()))
    return total / max(len(p), 1)


def brier_score(p: Array, y: Array) -> float:
    """Mean squared error of the probabilities (Brier 1950)."""
    return float(np.mean((p - y) ** 2))


def discrimination(p: Array, y: Array) -> float:
    """Chance that a success was given a higher probability than a failure (area under ROC)."""
    won, lost = p[y > 0.5], p[y < 0.5]
    if not won.size or not lost.size:
        return float("nan")
    higher = (won[:, None] > lost[None]).mean() + 0.5 * (won[:, None] == lost[None]).mean()
    return float(higher)
