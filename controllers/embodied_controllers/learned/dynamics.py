# pyright: reportMissingImports=false
"""A small ensemble of networks that predicts the next state from state and action."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from embodied.errors import EnvironmentMissingError
from embodied.types import Array

if TYPE_CHECKING:
    import torch


class EnsembleDynamics:
    """s' = s + g(s, a): E two-layer networks of one shape, trained together.

    They differ in their initial weights and in the mini-batches that they see. Loss, as in
    VoxPoser: the squared error of the predicted next state, each component in units of its spread.

    Args:
        n_state: Length of a state.
        n_action: Length of an action.
        members: E.
        hidden: Width of both hidden layers.
        seed: Of weights and mini-batches.

    Raises:
        EnvironmentMissingError: torch is not installed.
    """

    def __init__(
        self, n_state: int, n_action: int, *, members: int = 4, hidden: int = 64, seed: int = 0
    ) -> None:
        try:
            import torch
        except ImportError as error:
            raise EnvironmentMissingError(
                "learned dynamics need the extra [learned]: pip install 'embodied-stack[learned]'"
            ) from error
        self._torch = torch
        self.members = members
        self._random = torch.Generator().manual_seed(seed)
        sizes = (n_state + n_action, hidden, hidden, n_state)
        self._weights: list[torch.Tensor] = []
        for i, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:], strict=False)):
            scale = (0.1 if i == 2 else 1.0) / math.sqrt(fan_in)
            weight = torch.randn(members, fan_in, fan_out, generator=self._random) * scale
            self._weights += [
                weight.requires_grad_(),
                torch.zeros(members, 1, fan_out, requires_grad=True),
            ]
        self._optimiser = torch.optim.Adam(self._weights, lr=2e-3, weight_decay=1e-5)
        self._shift, self._scale = torch.zeros(sizes[0]), torch.ones(sizes[0])
        self._spread = torch.ones(n_state)

    def fit(self, states: Array, actions: Array, after: Array, *, steps: int = 150) -> float:
        """Go on training on transitions (n, n_state), (n, n_action), (n, n_state).

        Transitions are drawn more often the larger their largest change is.

        Returns:
            Mean loss of the last ten steps.

        Raises:
            ValueError: There are no transitions.
        """
        if not len(states):
            raise ValueError("no transitions to learn from")
        torch = self._torch
        x = torch.tensor(np.hstack([states, actions]), dtype=torch.float32)
        y = torch.tensor(after - states, dtype=torch.float32)
        self._shift = x.mean(0)
        self._scale = x.std(0, correction=0).clamp_min(1e-3)
        self._spread = y.std(0, correction=0).clamp_min(1e-3)
        x, y = (x - self._shift) / self._scale, y / self._spread
        # What rarely happens (a bolt that is drawn back) must not drown in what always does.
        weights = 0.1 + y.square().amax(dim=1).clamp_max(9.0)
        losses: list[float] = []
        for _ in range(steps):
            n = self.members * 64
            pick = torch.multinomial(weights, n, replacement=True, generator=self._random)
            pick = pick.view(self.members, 64)
            loss = (self._net(x[pick]) - y[pick]).square().mean()
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses[-10:]))

    def rollout(self, state: Array, actions: Array, member: int | None = None) -> Array:
        """Predict the states after each action.

        Args:
            state: (n_state,).
            actions: (n, horizon, n_action).
            member: The network to ask; their mean if ``None``.

        Returns:
            (n, horizon, n_state).
        """
        torch = self._torch
        with torch.no_grad():
            a = torch.tensor(actions, dtype=torch.float32)
            s = torch.tensor(state, dtype=torch.float32).expand(self.members, len(a), -1)
            out: list[torch.Tensor] = []
            for t in range(a.shape[1]):
                x = torch.cat([s, a[:, t].expand(self.members, -1, -1)], dim=2)
                s = s + self._spread * self._net((x - self._shift) / self._scale)
                out.append(s)
            every = torch.stack(out, dim=2)
            chosen = every.mean(0) if member is None else every[member]
            return chosen.numpy().astype(np.float64)

    def _net(self, x: torch.Tensor) -> torch.Tensor:
        torch = self._torch
        w1, b1, w2, b2, w3, b3 = self._weights
        h = torch.nn.functional.silu(torch.baddbmm(b1, x, w1))
        h = torch.nn.functional.silu(torch.baddbmm(b2, h, w2))
        return torch.baddbmm(b3, h, w3)
