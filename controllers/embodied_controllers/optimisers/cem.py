"""The cross-entropy method."""

from __future__ import annotations

import numpy as np

from embodied.types import Array
from embodied_controllers.optimiser import Distribution, Optimiser


class Cem(Optimiser):
    """Cross-entropy method: refit mean and spread to the elite.

    Args:
        noise: Standard deviation at the start.
        elite: Share of samples in the elite.
        noise_min: Smallest standard deviation.
        forget: Share of the starting spread mixed back in at each update, so that the search stays
            awake while the world moves on.
    """

    def __init__(
        self,
        *,
        noise: float = 0.2,
        elite: float = 0.15,
        noise_min: float = 0.05,
        forget: float = 0.1,
        correlation: float = 0.0,
    ) -> None:
        super().__init__(noise=noise, correlation=correlation)
        self.elite, self.noise_min, self.forget = elite, noise_min, forget

    def _elite(self, knots: Array, costs: Array) -> Array:
        n = max(2, round(self.elite * int(np.isfinite(costs).sum())))
        return knots[np.argsort(costs, kind="stable")[:n]]

    def update(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """Mean of the elite."""
        del distribution, scale
        return self._elite(knots, costs).mean(axis=0)

    def spread(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """Spread of the elite, not below ``noise_min``."""
        del distribution
        std = self._elite(knots, costs).std(axis=0) / scale
        return np.maximum((1 - self.forget) * std + self.forget * self.noise, self.noise_min)


OPTIMISER = Cem
