"""Sampling model-predictive control: one replan is a pure function of its inputs.

``plan(state, cost, previous, n_samples)`` shifts the previous spline to the present in simulated
time, keeps it as sample 0, draws the others, simulates all of them, and hands an immutable ``Plan``
back. The random numbers of a replan come from (seed, index of the replan), so the synchronous and
the asynchronous controller make bit-identical decisions for the same inputs.
"""

# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import mujoco
import numpy as np

from embodied_controllers.mpc.norms import Array
from embodied_controllers.mpc.rollouts import Rollouts
from embodied_controllers.mpc.search_space import SearchSpace
from embodied_controllers.mpc.spline import weights
from embodied_controllers.optimiser import Distribution, Optimiser
from embodied_controllers.optimisers import PredictiveSampling


class RunningCost(Protocol):
    """Cost of every sample at every step, from what the rollouts returned."""

    def __call__(self, time: Array, states: Array, sensors: Array) -> Array:
        """Running cost (N, T).

        Args:
            time: Simulated time of the sensor data, (T,), s.
            states: (N, T, nstate); full physics: time, qpos, qvel, act.
            sensors: (N, T, nsensordata).
        """
        ...


class PlanCondition(Enum):
    """How a replan went; the value is advice for a person."""

    IMPROVED = "a better plan than the previous one was found"
    KEPT = "the previous plan was the best of the samples"
    NO_BUDGET = "no sample could be simulated: the previous plan is followed; allow more time"
    DIVERGED = "every sample diverged or cost NaN: the robot holds its last safe command"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """An immutable plan: a control spline in simulated time.

    Attributes:
        index: How many replans came before.
        time: Simulated time that the plan starts at, s.
        knot_times: (K,), s, absolute simulated time.
        knots: (K, nu).
        std: Spread of the search, (K, nu), as a share of the control scale.
        interpolation: ``"zero"``, ``"linear"`` or ``"cubic"``.
        cost: Mean running cost of the plan per step; infinite when nothing finite was found.
        nominal_cost: The same for the previous plan shifted.
        samples: Samples that were simulated.
        steps: Physics steps spent.
        condition: How it went.
        space: What the knots mean; None for the controls themselves.
    """

    index: int
    time: float
    knot_times: Array
    knots: Array
    std: Array
    interpolation: str
    cost: float
    nominal_cost: float
    samples: int
    steps: int
    condition: PlanCondition
    space: SearchSpace | None = None

    def control(self, time: float) -> Array:
        """The control (nu,) at a simulated time; knots are held constant beyond the ends."""
        times = np.array([time])
        value = weights(times, self.knot_times, self.interpolation)[0] @ self.knots
        return value if self.space is None else self.space.controls(times, value[None, None])[0, 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerOptions:
    """Settings of the planner.

    Attributes:
        horizon_s: Length of the rollouts.
        n_knots: Knots of the spline, 3 to 6 as a rule.
        interpolation: Between knots.
        n_samples: Samples of a replan, sample 0 included.
        halvings: Successive halving: shares of the horizon at which the worse half of the samples
            is dropped; empty simulates every sample to the end.
        seed: Of all random numbers.
        threads: Worker threads of the rollouts; 0 for the calling thread.
    """

    horizon_s: float = 0.4
    n_knots: int = 4
    interpolation: str = "linear"
    n_samples: int = 32
    halvings: tuple[float, ...] = ()
    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        if self.horizon_s <= 0 or self.n_knots < 1:
            raise ValueError("horizon_s must be positive and n_knots at least 1")
        if any(not 0 < h < 1 for h in self.halvings) or list(self.halvings) != sorted(
            set(self.halvings)
        ):
            raise ValueError("halvings must be increasing shares of the horizon between 0 and 1")


class SamplingPlanner:
    """Replans with a sampling optimiser on a plan model.

    Args:
        model: Plan model; its time step is the step of the rollouts, its actuator ranges bound the
            controls.
        options: Settings.
        optimiser: How samples are drawn and used.
        scale: Unit of the noise for every actuator, (nu,); half the control range by default.
        shared: Groups of actuators that share their noise, such as the fingers of a hand.
        directions: From the full physics state (nstate,), bases (nu, m) of controls to search along
            beside the optimiser's own samples, each column one standard deviation. Of B bases each
            takes one in B + 1 samples.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        options: PlannerOptions | None = None,
        optimiser: Optimiser | None = None,
        *,
        scale: Array | None = None,
        shared: tuple[tuple[int, ...], ...] = (),
        directions: Callable[[Array], Sequence[Array]] | None = None,
    ) -> None:
        self.model = model
        self._directions = directions
        self._shared = tuple(list(group) for group in shared)
        self.options = options or PlannerOptions()
        self.optimiser = optimiser or PredictiveSampling()
        self.rollouts = Rollouts(model, threads=self.options.threads)
        limited = model.actuator_ctrllimited.astype(bool)
        self.lower = np.where(limited, model.actuator_ctrlrange[:, 0], -np.inf)
        self.upper = np.where(limited, model.actuator_ctrlrange[:, 1], np.inf)
        default = np.where(limited, (self.upper - self.lower) / 2, 1.0)
        self.scale = default if scale is None else np.asarray(scale, dtype=np.float64)
        self.horizon = max(2, round(self.options.horizon_s / model.opt.timestep))
        dt = model.opt.timestep
        self._offsets = np.arange(self.horizon) * dt
        self._knot_offsets = (
            np.linspace(0.0, (self.horizon - 1) * dt, self.options.n_knots)
            if self.options.interpolation != "zero"
            else np.arange(self.options.n_knots) * self.horizon * dt / self.options.n_knots
        )
        self._weights = weights(self._offsets, self._knot_offsets, self.options.interpolation)
        self._cuts = sorted({max(1, round(h * self.horizon)) for h in self.options.halvings})
        self._control_buffer = np.empty(0)

    def start(self, control: Array, time: float) -> Plan:
        """A plan that holds ``control`` (nu,) from ``time`` on."""
        mean = np.tile(np.asarray(control, dtype=np.float64), (self.options.n_knots, 1))
        return self._plan(-1, time, self.optimiser.start(mean), PlanCondition.KEPT)

    def shifted(self, previous: Plan, time: float) -> Distribution:
        """The previous plan seen from ``time``: knots re-sampled from its spline."""
        W = weights(time + self._knot_offsets, previous.knot_times, previous.interpolation)
        return Distribution(mean=W @ previous.knots, std=previous.std)

    def _in_space(self, previous: Plan, time: float, space: SearchSpace | None) -> Distribution:
        """The previous plan shifted; what it means, where its knots meant something else."""
        if type(previous.space) is type(space):
            return self.shifted(previous, time)
        if space is not None:
            return self.optimiser.start(np.zeros((self.options.n_knots, len(space.scale))))
        knots = [previous.control(time + offset) for offset in self._knot_offsets.tolist()]
        return self.optimiser.start(np.array(knots))

    def plan(
        self,
        state: Array,
        cost: RunningCost,
        previous: Plan,
        *,
        n_samples: int | None = None,
        space: SearchSpace | None = None,
    ) -> Plan:
        """One replan from a full physics state (nstate,).

        Args:
            state: Time, qpos, qvel, act.
            cost: What to minimise.
            previous: The plan so far (from ``start`` at first).
            n_samples: Samples to use; by default those of the options. Part of the inputs: equal
                numbers give equal plans.
            space: What the knots mean; None for the controls themselves.
        """
        options = self.options
        index, time = previous.index + 1, float(state[0])
        n = options.n_samples if n_samples is None else n_samples
        if not np.isfinite(state).all():
            return self._held(index, time, previous, 0, 0)
        if space is not None:
            space = space.at(state)
        distribution = self._in_space(previous, time, space)
        before = self.rollouts.steps_done
        if n < 1:
            return self._plan(index, time, distribution, PlanCondition.NO_BUDGET, space=space)
        rng = np.random.Generator(np.random.PCG64([options.seed, index]))
        if space is None:
            knots = self._drawn(state, distribution, n, rng)
        else:
            knots = self._drawn_in(space, distribution, n, rng)
        costs = self.evaluate(state, knots, cost, space=space)
        steps = self.rollouts.steps_done - before
        finite = np.isfinite(costs)
        if not finite.any():
            return self._held(index, time, previous, n, steps)
        scale = self.scale if space is None else space.scale
        mean = self.optimiser.update(distribution, knots, costs, scale)
        std = self.optimiser.spread(distribution, knots, costs, scale)
        best = float(costs.min())
        condition = PlanCondition.IMPROVED if best < costs[0] else PlanCondition.KEPT
        if space is None:
            np.clip(mean, self.lower, self.upper, out=mean)
        else:
            mean = np.clip(mean, -space.limit, space.limit) * space.keep
        found = Distribution(mean=mean, std=std)
        return self._plan(index, time, found, condition, best, float(costs[0]), n, steps, space)

    def _drawn_in(
        self, space: SearchSpace, distribution: Distribution, n: int, rng: np.random.Generator
    ) -> Array:
        """Samples (n, K, m) within the limits of a space; sample 0 is the mean."""
        knots = self.optimiser.standard_noise(rng, n, *distribution.mean.shape)
        knots *= distribution.std * space.scale
        knots += distribution.mean
        knots[0] = distribution.mean
        return np.clip(knots, -space.limit, space.limit)

    def _drawn(
        self, state: Array, distribution: Distribution, n: int, rng: np.random.Generator
    ) -> Array:
        """Samples (n, K, nu) within the controls' ranges; sample 0 is the mean."""
        knots = self.optimiser.sample(distribution, self.scale, n, rng)
        for group in self._shared:
            noise = knots[:, :, group[:1]] - distribution.mean[:, group[:1]]
            knots[:, :, group] = distribution.mean[:, group] + noise
        bases = self._directions(state) if self._directions is not None else ()
        for i, basis in enumerate(bases, start=1):
            along = knots[i :: len(bases) + 1]
            noise = self.optimiser.standard_noise(rng, len(along), along.shape[1], basis.shape[1])
            along[:] = distribution.mean + noise @ basis.T
        knots[0] = distribution.mean
        np.clip(knots, self.lower, self.upper, out=knots)
        return knots

    def evaluate(
        self, state: Array, knots: Array, cost: RunningCost, *, space: SearchSpace | None = None
    ) -> Array:
        """Mean running cost per step (N,) of knots (N, K, nu) from a state; inf where it diverged.

        In a space the knots are (N, K, m).

        With successive halving a dropped sample costs infinity, except sample 0, which is kept to
        the end so that plans can be compared.
        """
        n, horizon, nu = knots.shape[0], self.horizon, knots.shape[2]
        size = n * horizon * nu
        if self._control_buffer.size < size:
            self._control_buffer = np.empty(size)
        control = self._control_buffer[:size].reshape(n, horizon, nu)
        np.matmul(self._weights, knots, out=control)
        if space is not None:
            control = space.controls(float(state[0]) + self._offsets, control)
        total = np.full(n, np.inf)
        alive = np.arange(n)
        running = np.zeros(n)
        states = np.repeat(state[None], n, axis=0)
        time = float(state[0])
        begin = 0
        for end in (*self._cuts, horizon):
            piece = control if end - begin == horizon else control[alive, begin:end]
            out_states, sensors, ok = self.rollouts.run(states, np.ascontiguousarray(piece))
            step_cost = cost(time + self._offsets[begin:end], out_states, sensors)
            running = running + step_cost.sum(axis=1)
            running[np.logical_not(ok & np.isfinite(running))] = np.inf
            if end == horizon:
                break
            keep = np.sort(np.argsort(running, kind="stable")[: max(2, (len(alive) + 1) // 2)])
            if keep[0] != 0:
                keep = np.concatenate([[0], keep])
            states = out_states[keep, -1].copy()
            alive, running, begin = alive[keep], running[keep], end
        total[alive] = running / horizon
        return total

    def _held(self, index: int, time: float, previous: Plan, n: int, steps: int) -> Plan:
        """Hold the control that was in force when the trouble began."""
        when = time if np.isfinite(time) else previous.time
        mean = np.tile(previous.control(when), (self.options.n_knots, 1))
        start = self.optimiser.start(mean)
        return self._plan(index, when, start, PlanCondition.DIVERGED, samples=n, steps=steps)

    def _plan(
        self,
        index: int,
        time: float,
        distribution: Distribution,
        condition: PlanCondition,
        cost: float = np.inf,
        nominal_cost: float = np.inf,
        samples: int = 0,
        steps: int = 0,
        space: SearchSpace | None = None,
    ) -> Plan:
        return Plan(
            index=index,
            time=time,
            knot_times=time + self._knot_offsets,
            knots=distribution.mean,
            std=distribution.std,
            interpolation=self.options.interpolation,
            cost=cost,
            nominal_cost=nominal_cost,
            samples=samples,
            steps=steps,
            condition=condition,
            space=space,
        )

    def close(self) -> None:
        """End the worker threads."""
        self.rollouts.close()
