"""Optimisers of a plan: each writes at most two methods, the planner writes the loop.

The problem is ``min_k J(k)`` over knots k (K, nu), where J is the cost of the rollout. An optimiser
keeps a distribution N(mean, std^2) over knots: ``sample`` draws from it, ``update`` moves it by the
costs. Distributions are values, so equal inputs give bit-identical decisions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from embodied.registry import Registry
from embodied.types import Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distribution:
    """Independent Gaussians over knots.

    Attributes:
        mean: (K, nu), in units of the control.
        std: (K, nu), as a share of ``scale``.
    """

    mean: Array
    std: Array


@lru_cache
def _mixing(correlation: float, n_knots: int) -> Array:
    """(K, K) that gives white noise of unit variance the covariance of an AR(1) process."""
    knots = np.arange(n_knots, dtype=np.float64)
    covariance = np.power(correlation, np.abs(knots[:, None] - knots))
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)


class Optimiser(ABC):
    """Draws knots and learns from their costs.

    Args:
        noise: Standard deviation at the start, as a share of the control scale.
        correlation: Of the noise of neighbouring knots, 0 to below 1. White noise (0) mostly
            shakes; correlated noise proposes motions that go on, as the coloured noise of Pinneri
            et al. 2020 (arXiv 2008.06389), and leaves a robot that has arrived at rest.
    """

    def __init__(self, *, noise: float = 0.2, correlation: float = 0.0) -> None:
        if not noise > 0:
            raise ValueError(f"noise must be positive, got {noise}")
        if not 0.0 <= correlation < 1.0:
            raise ValueError(f"correlation must be at least 0 and below 1, got {correlation}")
        self.noise = noise
        self.correlation = correlation

    def start(self, mean: Array) -> Distribution:
        """The distribution to begin with."""
        return Distribution(mean=mean, std=np.full_like(mean, self.noise))

    def sample(
        self, distribution: Distribution, scale: Array, n: int, rng: np.random.Generator
    ) -> Array:
        """Draw knots (n, K, nu), Gaussian unless overridden; the planner makes sample 0 the mean.

        Args:
            distribution: Around which mean, how wide.
            scale: Unit of the noise for every actuator, (nu,).
            n: How many.
            rng: Source of all randomness.
        """
        noise = self.standard_noise(rng, n, *distribution.mean.shape)
        noise *= distribution.std * scale
        noise += distribution.mean
        return noise

    def standard_noise(
        self, rng: np.random.Generator, n: int, n_knots: int, n_controls: int
    ) -> Array:
        """(n, K, n_controls) standard normal numbers, along the knots an AR(1) process."""
        noise = rng.standard_normal((n, n_knots, n_controls))
        if self.correlation > 0:
            noise = _mixing(self.correlation, n_knots) @ noise
        return noise

    @abstractmethod
    def update(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """The new mean (K, nu) from knots (n, K, nu) and costs (n,), at least one of them finite.

        Optimisers that adapt their spread override ``spread`` as well.
        """

    def spread(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """The new standard deviation (K, nu); unchanged unless overridden."""
        del knots, costs, scale
        return distribution.std


OPTIMISERS: Registry[Callable[..., Optimiser]] = Registry(
    "optimiser",
    group="embodied.optimisers",
    package="embodied_controllers.optimisers",
    attribute="OPTIMISER",
)
"""What makes a sampling optimiser, by name; takes ``noise`` and ``correlation``."""
