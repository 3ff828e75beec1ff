"""Predictive sampling: the best sample becomes the plan."""

from __future__ import annotations

import numpy as np

from embodied.types import Array
from embodied_controllers.optimiser import Distribution, Optimiser

NARROW = 0.3
"""Every second sample uses so much of the noise: wide ones explore, narrow ones polish."""


class PredictiveSampling(Optimiser):
    """The best sample becomes the plan (Howell et al. 2022, arXiv 2212.00541).

    Args:
        noise: Standard deviation of the wide samples.
        correlation: Of the noise of neighbouring knots.
    """

    def sample(
        self, distribution: Distribution, scale: Array, n: int, rng: np.random.Generator
    ) -> Array:
        """Gaussian around the mean, alternately wide and narrow."""
        knots = super().sample(distribution, scale, n, rng)
        knots[::2] += (NARROW - 1.0) * (knots[::2] - distribution.mean)
        return knots

    def update(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """The cheapest sample; the mean (sample 0) wins ties."""
        del distribution, scale
        return knots[int(np.argmin(costs))].copy()


OPTIMISER = PredictiveSampling
