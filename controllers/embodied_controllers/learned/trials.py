"""Trials, learning between them, and model-predictive control by random shooting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array
from embodied_controllers.learned.dynamics import EnsembleDynamics
from embodied_controllers.learned.proposals import Proposal
from embodied_controllers.learned.recall import BestTrials

Objective = Callable[[Array], Array]

NEAR_TIE = 0.05
"""Predicted openings that differ by less than this are taken for equal."""
MEMORY = 0.9
"""Share of its earlier value that the error of predictions keeps at each step."""


class ContactTask(Protocol):
    """Something that is to be opened or moved by contact.

    A state is (n_state,): its first three components are the gripper's position in the world, m.
    """

    n_state: int
    steps: int

    def reset(self, seed: int) -> Array:
        """Begin a trial; the state."""
        ...

    def step(self, action: Array) -> Array:
        """Apply an action (4,); the state measured after it."""
        ...

    def opening(self, states: Array) -> Array:
        """How far it is open in states (..., n_state): 0 closed, 1 as far as is asked for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningOptions:
    """Sizes of learning and control.

    Attributes:
        samples: Sequences of actions that are compared in each step.
        horizon: Their length.
        elites: Number of best sequences that are averaged.
        refinements: Number of times all are redrawn around the best (cross-entropy method).
        members: Networks in the ensemble.
        hidden: Their width.
        fit_steps: Steps of the optimiser after each trial.
        recalled: Share of the sequences that come from the best trials so far, once there are any;
            half of the trials that explore follow them too. Not part of the published method.
        known: Successes before which every other trial explores by drawing from the proposal.
            Before the first one all trials do: nothing has moved, and all sequences promise alike.
    """

    samples: int = 128
    horizon: int = 6
    elites: int = 12
    refinements: int = 0
    members: int = 4
    hidden: int = 64
    fit_steps: int = 100
    recalled: float = 0.0
    known: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one trial came to: whether it succeeded, its steps, and its largest opening."""

    success: bool
    steps: int
    opening: float


class OnlineLearner:
    """Learns what actions do while trying.

    Args:
        task: What is tried.
        proposal: Where actions are sampled.
        options: Sizes.
        objective: What sequences are compared by, from predicted states (n, horizon, n_state) to
            (n,); by default the mean opening.
        seed: Of sampling and of the networks.

    Raises:
        EnvironmentMissingError: torch is not installed.
    """

    def __init__(
        self,
        task: ContactTask,
        proposal: Proposal,
        options: LearningOptions | None = None,
        *,
        objective: Objective | None = None,
        seed: int = 0,
    ) -> None:
        self.task, self.proposal = task, proposal
        self.options = options or LearningOptions()
        self._objective = objective or self._mean_opening
        self._informed = objective is not None
        self._rng = np.random.default_rng(seed)
        self.dynamics = EnsembleDynamics(
            task.n_state, 4, members=self.options.members, hidden=self.options.hidden, seed=seed
        )
        self._states, self._actions, self._after = (list[Array]() for _ in range(3))
        self._best = BestTrials()
        self._successes = self._tried = 0
        self._last: Array | None = None
        self._expected: float | None = None
        self._distrust = 0.0

    def try_once(self, seed: int) -> Trial:
        """Try, with one network drawn for the whole trial (Thompson sampling); then learn."""
        self._tried += 1
        known = self._successes >= self.options.known or self._tried % 2 == 0
        explore = not (self._states and known and (self._successes or self._informed))
        member = None if explore else int(self._rng.integers(self.options.members))
        recall = explore and self._can_recall() and bool(self._rng.integers(2))
        trial = self._run(seed, explore=explore, recall=recall, member=member, keep=True)
        self._successes += trial.success
        data = (np.array(part) for part in (self._states, self._actions, self._after))
        self.dynamics.fit(*data, steps=self.options.fit_steps)
        return trial

    def evaluate(self, seed: int) -> Trial:
        """Try with the mean of all networks; nothing is learned."""
        untaught = not self._states
        return self._run(seed, explore=untaught, recall=False, member=None, keep=False)

    def _can_recall(self) -> bool:
        return self.options.recalled > 0.0 and len(self._best) > 0

    def _run(
        self, seed: int, *, explore: bool, recall: bool, member: int | None, keep: bool
    ) -> Trial:
        state = self.task.reset(seed)
        self.proposal.reset()
        self._best.reset()
        self._last = self._expected = None
        begin = len(self._states)
        best, step = 0.0, 0
        while step < self.task.steps and best < 1.0:
            if recall:
                action = self._best.sample(self._rng, state, 1, 1)[0][0, 0]
                self._best.follow(0)
            elif explore:
                action = self.proposal.draw(self._rng, state[:3])
            else:
                action = self._choose(state, member)
            after = self.task.step(action)
            if keep:
                self._states.append(state)
                self._actions.append(action)
                self._after.append(after)
            state, step = after, step + 1
            self._learn_trust(state)
            best = max(best, float(self.task.opening(state)))
        if keep:
            self._best.add(np.array(self._states[begin:]), np.array(self._actions[begin:]), best)
        return Trial(success=best >= 1.0, steps=step, opening=best)

    def _choose(self, state: Array, member: int | None) -> Array:
        """The first action of the best mode: the proposal's sequences, or a recalled trial's.

        Elites are averaged within a mode only, since the mean of two ways of doing something need
        not be one. Recalled ones win near ties, and ties are as wide as predictions were wrong in
        the last steps: recalled trials have opened something, predictions have not.
        """
        n, horizon = self.options.samples, self.options.horizon
        again = round(self.options.recalled * n) if self._can_recall() else 0
        modes = [self.proposal.sample(self._rng, state[:3], n - again, horizon)]
        if again:
            modes += self._best.sample(self._rng, state, again // len(self._best), horizon)
        if self._last is not None:  # the rest of what was chosen before competes again
            modes[0][0, :-1] = self._last[1:]
        chosen = [self._best_of(state, actions, member) for actions in modes]
        least = max(value for _, value in chosen) - NEAR_TIE - self._distrust
        best = next((k for k, (_, value) in enumerate(chosen[1:], 1) if value >= least), 0)
        if best:
            self._best.follow(best - 1)
        self._last = chosen[best][0]
        if self.options.recalled:
            predicted = self.dynamics.rollout(state, self._last[None, :1], member)[0, 0]
            self._expected = float(self.task.opening(predicted))
        return self._last[0]

    def _learn_trust(self, state: Array) -> None:
        """Compare what was predicted for this state with what was measured.

        An error e of one step's opening is one of e (h + 1) / 2 in the mean over h steps.
        """
        if self._expected is None:
            return
        error = abs(self._expected - float(self.task.opening(state)))
        scaled = error * (self.options.horizon + 1) / 2
        self._distrust = MEMORY * self._distrust + (1.0 - MEMORY) * scaled
        self._expected = None

    def _best_of(self, state: Array, actions: Array, member: int | None) -> tuple[Array, float]:
        """Mean of the elites (horizon, 4), and their mean objective."""
        for _ in range(self.options.refinements):
            _, best = self._elites(state, actions, member)
            mean, spread = actions[best].mean(axis=0), actions[best].std(axis=0)
            drawn = mean + spread * self._rng.standard_normal(actions.shape)
            actions = np.clip(drawn, actions.min(axis=(0, 1)), actions.max(axis=(0, 1)))
        values, best = self._elites(state, actions, member)
        return actions[best].mean(axis=0), float(values[best].mean())

    def _elites(
        self, state: Array, actions: Array, member: int | None
    ) -> tuple[Array, NDArray[np.intp]]:
        values = self._objective(self.dynamics.rollout(state, actions, member))
        return values, np.argsort(values)[-self.options.elites :]

    def _mean_opening(self, predicted: Array) -> Array:
        return self.task.opening(predicted).mean(axis=1)
