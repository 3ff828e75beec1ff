"""Actions of the best trials, from the step whose state is most similar to the current one.

A learned model cannot rate what it has hardly seen. Where success needs several things in a row (a
lever is pressed, kept down, and pulled), sequences that once led to it are offered to the model
again beside the proposal's own, so that it learns from more of them; the same idea as keeping the
elites of the cross-entropy method across trials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.types import Array

WINDOW, WAIT = 4, 2
"""A recalled trial goes on at most so many steps ahead of where it was, or waits for so long."""

KEEP = 2  # number of trials kept
LEAST = 0.3  # opening (0 to 1) below which a trial is not worth recalling
REACH_M = 0.06  # longest displacement along each axis


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Trace:
    states: Array
    actions: Array
    opening: float


class BestTrials:
    """The trials that opened most, and sequences of their actions from the most similar state on.

    Args:
        noise_m: Standard deviation of the noise on recalled displacements, m.
    """

    def __init__(self, *, noise_m: float = 0.006) -> None:
        self.noise_m = noise_m
        self._traces: list[_Trace] = []
        self._at: list[_Place] = []

    def __len__(self) -> int:
        return len(self._traces)

    def add(self, states: Array, actions: Array, opening: float) -> None:
        """Keep a trial if it is among the best.

        Args:
            states: Before each action, (t, n_state).
            actions: (t, 4).
            opening: The largest that was measured.
        """
        if opening < LEAST:
            return
        self._traces.append(_Trace(states=states, actions=actions, opening=opening))
        # Among equals the shorter trial is the better one: it succeeded in fewer steps.
        self._traces.sort(key=lambda t: (-t.opening, len(t.actions)))
        del self._traces[KEEP:]

    def reset(self) -> None:
        """Begin a trial."""
        self._at = [_Place() for _ in self._traces]

    def sample(self, rng: np.random.Generator, state: Array, n: int, horizon: int) -> list[Array]:
        """Draw ``n`` sequences (n, horizon, 4) of each kept trial, best trial first.

        Call it once per step, and ``follow`` when one was followed. The first displacement leads to
        where the recalled set-point was, not merely as far.
        """
        if not self._traces:
            return []
        scale = np.vstack([t.states for t in self._traces]).std(axis=0) + 1e-3
        drawn: list[Array] = []
        for trace, place in zip(self._traces, self._at, strict=True):
            i = place.next((trace.states - state) / scale)
            steps = np.minimum(i + np.arange(horizon), len(trace.actions) - 1)
            actions = np.repeat(trace.actions[None, steps], n, axis=0)
            actions[:, 0, :3] += trace.states[i, :3] - state[:3]
            actions[..., :3] += self.noise_m * rng.standard_normal((n, 1, 3))
            actions[..., :3] = np.clip(actions[..., :3], -REACH_M, REACH_M)
            drawn.append(actions)
        return drawn

    def follow(self, k: int) -> None:
        """The action that is taken now is one of the ``k``-th best trial's."""
        self._at[k].waited += 1


@dataclass(slots=True)
class _Place:
    """Where in a recalled trial we are; it never goes back."""

    index: int = -1
    waited: int = 0

    def next(self, differences: Array) -> int:
        """The step (of t) to go on from, by the differences (t, n_state) to the state now."""
        if self.index < 0:
            low, high = 0, len(differences)
        else:
            low = min(self.index + (self.waited > WAIT), len(differences) - 1)
            high = self.index + WINDOW
        nearest = low + int(np.argmin(np.sum(differences[low:high] ** 2, axis=1)))
        if nearest != self.index:
            self.index, self.waited = nearest, 0
        return nearest
