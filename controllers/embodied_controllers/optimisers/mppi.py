"""Model-predictive path integral control."""

from __future__ import annotations

import numpy as np

from embodied.types import Array
from embodied_controllers.optimiser import Distribution, Optimiser


class Mppi(Optimiser):
    """Model-predictive path integral control: the softmax-weighted mean (Williams et al. 2017).

    ``mean = sum_i w_i k_i`` with ``w_i ~ exp(-(J_i - min J) / (temperature * std(J)))``.

    Args:
        noise: Standard deviation of the samples.
        temperature: In units of the spread of the finite costs.
    """

    def __init__(
        self, *, noise: float = 0.2, temperature: float = 0.1, correlation: float = 0.0
    ) -> None:
        super().__init__(noise=noise, correlation=correlation)
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, got {temperature}")
        self.temperature = temperature

    def update(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """Weighted mean of the samples."""
        del distribution, scale
        finite = costs[np.isfinite(costs)]
        width = self.temperature * max(float(finite.std()), 1e-12)
        w = np.exp(-(costs - finite.min()) / width)
        w /= w.sum()
        return np.einsum("n,nku->ku", w, knots)


OPTIMISER = Mppi
