"""The cross-entropy method."""

from __future__ import annotations

import numpy as np

from embodied.types import Array
from embodied_controllers.optimiser import Distribution, Optimiser

ELITE = 0.15  # share of samples in the elite
NOISE_MIN = 0.05  # smallest standard deviation
FORGET = 0.1
"""Share of the starting spread mixed back in at each update: the world moves on."""


class Cem(Optimiser):
    """Cross-entropy method: refit mean and spread to the elite.

    Args:
        noise: Standard deviation at the start.
        correlation: Of the noise of neighbouring knots.
    """

    def _elite(self, knots: Array, costs: Array) -> Array:
        n = max(2, round(ELITE * int(np.isfinite(costs).sum())))
        return knots[np.argsort(costs, kind="stable")[:n]]

    def update(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """Mean of the elite."""
        del distribution, scale
        return self._elite(knots, costs).mean(axis=0)

    def spread(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """Spread of the elite, not below ``NOISE_MIN``."""
        del distribution
        std = self._elite(knots, costs).std(axis=0) / scale
        return np.maximum((1 - FORGET) * std + FORGET * self.noise, NOISE_MIN)


OPTIMISER = Cem
