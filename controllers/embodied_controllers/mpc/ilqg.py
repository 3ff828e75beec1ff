# pyright: reportAttributeAccessIssue=false, reportConstantRedefinition=false
"""Iterative linear-quadratic Gaussian control with batched finite differences.

Follows Tassa, Erez and Todorov 2012 (IROS): around a trajectory (x_t, u_t) of the plan model

    dx_{t+1} = A_t dx_t + B_t du_t,    l(x, u) ~ l + l_x dx + l_u du + second order,

a Riccati sweep gives ``du_t = alpha k_t + K_t (x - x_t)``, Q_uu regularised after Levenberg. A
line search over alpha simulates all candidates at once; A and B come from one batch of single-step
rollouts, forward in the 2 nv + nu directions of the tangent space. The cost's
gradient and curvature come from differences of the residuals that the caller's cost is made of
(Gauss-Newton), so the cost must be given as residuals r with ``l = |r|^2 / 2``.

The control of a plan is piecewise constant, one knot per step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import mujoco
import numpy as np

from embodied_controllers.mpc.norms import Array
from embodied_controllers.mpc.rollouts import Rollouts
from embodied_controllers.optimiser import Distribution, Optimiser


class Residuals(Protocol):
    """Residuals of a least-squares cost."""

    def __call__(self, states: Array, controls: Array) -> Array:
        """Residuals (..., k) of full physics states (..., nstate) and controls (..., nu)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory:
    """A trajectory of the plan model.

    Attributes:
        states: Full physics states, (T + 1, nstate).
        controls: (T, nu).
        cost: Sum of the running cost over T steps; infinite when it diverged.
        iterations: Riccati sweeps spent.
    """

    states: Array
    controls: Array
    cost: float
    iterations: int = 0


class Ilqg:
    """Trajectory optimisation on a plan model without activations.

    Args:
        model: Plan model.
        residuals: Least-squares cost.
        horizon: Steps T.
        epsilon: Step of the finite differences.
        alphas: Step lengths of the line search.
        threads: Worker threads.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        residuals: Residuals,
        *,
        horizon: int,
        epsilon: float = 1e-5,
        alphas: tuple[float, ...] = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01),
        threads: int = 0,
    ) -> None:
        if model.na:
            raise ValueError("iLQG here handles models without actuator activations")
        self.model, self.residuals, self.horizon = model, residuals, horizon
        self.epsilon, self.alphas = epsilon, np.array(alphas)
        self.rollouts = Rollouts(model, threads=threads)
        limited = model.actuator_ctrllimited.astype(bool)
        self.lower = np.where(limited, model.actuator_ctrlrange[:, 0], -np.inf)
        self.upper = np.where(limited, model.actuator_ctrlrange[:, 1], np.inf)

    def rollout(self, state: Array, controls: Array) -> Trajectory:
        """Simulate controls (T, nu) from a state."""
        states, _, ok = self.rollouts.run(state[None], np.ascontiguousarray(controls[None]))
        path = np.concatenate([state[None], states[0]])
        cost = self._cost(path[None, :-1], controls[None])[0] if ok[0] else np.inf
        return Trajectory(states=path, controls=controls.copy(), cost=float(cost))

    def optimise(self, state: Array, controls: Array, *, iterations: int = 10) -> Trajectory:
        """Improve controls (T, nu) from a state (nstate,); never returns a worse trajectory."""
        best = self.rollout(state, np.clip(controls, self.lower, self.upper))
        damping = 1e-3
        done = 0
        for _ in range(iterations):
            if not np.isfinite(best.cost):
                break
            done += 1
            k, gains = self.sweep(best, damping)
            candidate = self._line_search(best, k, gains)
            if candidate is None:
                damping *= 10.0
                if damping > 1e6:
                    break
                continue
            gain = best.cost - candidate.cost
            best, damping = candidate, max(damping / 3.0, 1e-9)
            if gain < 1e-7 * abs(best.cost):
                break
        return Trajectory(
            states=best.states, controls=best.controls, cost=best.cost, iterations=done
        )

    def _cost(self, states: Array, controls: Array) -> Array:
        r = self.residuals(states, controls)
        return 0.5 * np.einsum("ntk,ntk->n", r, r)

    def _moved(self, states: Array, directions: Array) -> Array:
        """States (..., nstate) moved in the tangent space by (..., 2 nv)."""
        model = self.model
        nq, nv = model.nq, model.nv
        out = states.copy()
        out[..., 1 + nq :] += directions[..., nv:]
        if nq == nv:
            out[..., 1 : 1 + nq] += directions[..., :nv]
            return out
        flat, moves = out.reshape(-1, out.shape[-1]), directions.reshape(-1, 2 * nv)
        for row, move in zip(flat, moves, strict=True):
            q = row[1 : 1 + nq].copy()
            mujoco.mj_integratePos(model, q, np.ascontiguousarray(move[:nv]), 1.0)
            row[1 : 1 + nq] = q
        return out

    def _difference(self, a: Array, b: Array) -> Array:
        """Tangent vectors (..., 2 nv) from states a to states b."""
        model = self.model
        nq, nv = model.nq, model.nv
        out = np.empty((*a.shape[:-1], 2 * nv))
        out[..., nv:] = b[..., 1 + nq :] - a[..., 1 + nq :]
        if nq == nv:
            out[..., :nv] = b[..., 1 : 1 + nq] - a[..., 1 : 1 + nq]
            return out
        rows = zip(
            a.reshape(-1, a.shape[-1]),
            b.reshape(-1, b.shape[-1]),
            out.reshape(-1, 2 * nv),
            strict=True,
        )
        for x, y, target in rows:
            d = np.empty(nv)
            mujoco.mj_differentiatePos(
                model,
                d,
                1.0,
                np.ascontiguousarray(x[1 : 1 + nq]),
                np.ascontiguousarray(y[1 : 1 + nq]),
            )
            target[:nv] = d
        return out

    def derivatives(self, path: Trajectory) -> tuple[Array, Array, Array, Array, Array]:
        """A (T, 2nv, 2nv), B (T, 2nv, nu), residuals (T, k), their Jacobians by x and by u."""
        T, nu, nx, e = self.horizon, self.model.nu, 2 * self.model.nv, self.epsilon
        x, u = path.states[:-1], path.controls
        directions = np.zeros((T, nx + nu + 1, nx))
        directions[:, np.arange(nx), np.arange(nx)] = e
        controls = np.repeat(u[:, None], nx + nu + 1, axis=1)
        controls[:, nx + np.arange(nu), np.arange(nu)] += e
        start = self._moved(np.repeat(x[:, None], nx + nu + 1, axis=1), directions)
        n = T * (nx + nu + 1)
        after, _, _ = self.rollouts.run(
            np.ascontiguousarray(start.reshape(n, -1)),
            np.ascontiguousarray(controls.reshape(n, 1, nu)),
        )
        ends = after[:, 0].reshape(T, nx + nu + 1, -1)
        d = self._difference(np.repeat(ends[:, -1:], nx + nu, axis=1), ends[:, :-1]) / e
        A, B = d[:, :nx].transpose(0, 2, 1), d[:, nx:].transpose(0, 2, 1)
        r = self.residuals(start, controls)
        r0 = r[:, -1]
        jac = (r[:, :-1] - r0[:, None]) / e
        return A, B, r0, jac[:, :nx].transpose(0, 2, 1), jac[:, nx:].transpose(0, 2, 1)

    def sweep(self, path: Trajectory, damping: float) -> tuple[Array, Array]:
        """Riccati recursion: open-loop steps k (T, nu) and gains K (T, nu, 2nv)."""
        A, B, r, rx, ru = self.derivatives(path)
        T, nu, nx = self.horizon, self.model.nu, 2 * self.model.nv
        k, K = np.zeros((T, nu)), np.zeros((T, nu, nx))
        vx, vxx = np.zeros(nx), np.zeros((nx, nx))
        for t in range(T - 1, -1, -1):
            qx = rx[t].T @ r[t] + A[t].T @ vx
            qu = ru[t].T @ r[t] + B[t].T @ vx
            qxx = rx[t].T @ rx[t] + A[t].T @ vxx @ A[t]
            quu = ru[t].T @ ru[t] + B[t].T @ vxx @ B[t]
            qux = ru[t].T @ rx[t] + B[t].T @ vxx @ A[t]
            solved = np.linalg.solve(
                quu + damping * np.eye(nu), np.concatenate([qu[:, None], qux], axis=1)
            )
            k[t], K[t] = -solved[:, 0], -solved[:, 1:]
            vx = qx + K[t].T @ quu @ k[t] + K[t].T @ qu + qux.T @ k[t]
            vxx = qxx + K[t].T @ quu @ K[t] + K[t].T @ qux + qux.T @ K[t]
            vxx = 0.5 * (vxx + vxx.T)
        return k, K

    def followed(
        self, path: Trajectory, k: Array, gains: Array, alphas: Array
    ) -> tuple[Array, Array, Array]:
        """Simulate step lengths alphas (n,) side by side, with feedback.

        Returns:
            States (n, T + 1, nstate), controls (n, T, nu) and a mask (n,) of what stayed finite.
        """
        n, T = len(alphas), self.horizon
        x = np.repeat(path.states[:1], n, axis=0)
        states = np.empty((n, T + 1, x.shape[1]))
        states[:, 0] = x
        controls = np.empty((n, T, self.model.nu))
        good = np.ones(n, dtype=bool)
        for t in range(T):
            dx = self._difference(np.repeat(path.states[t][None], n, axis=0), states[:, t])
            u = path.controls[t] + alphas[:, None] * k[t] + dx @ gains[t].T
            controls[:, t] = np.clip(u, self.lower, self.upper)
            after, _, ok = self.rollouts.run(
                np.ascontiguousarray(states[:, t]), np.ascontiguousarray(controls[:, t : t + 1])
            )
            states[:, t + 1] = after[:, 0]
            good &= ok
        return states, controls, good

    def _line_search(self, path: Trajectory, k: Array, gains: Array) -> Trajectory | None:
        """The best of all step lengths if it is better."""
        states, controls, good = self.followed(path, k, gains, self.alphas)
        costs = np.where(good, self._cost(states[:, :-1], controls), np.inf)
        best = int(np.argmin(costs))
        if not costs[best] < path.cost:
            return None
        return Trajectory(
            states=states[best].copy(), controls=controls[best].copy(), cost=float(costs[best])
        )

    def close(self) -> None:
        """End the worker threads."""
        self.rollouts.close()


class IlqgSearch(Optimiser):
    """iLQG as an optimiser of the sampling planner: the samples are the line search.

    A replan spends one Riccati sweep around the plan so far; sample i > 0 goes a share of the step,
    from all of it to ``shortest``, with feedback. The planner's own cost picks the best, so the
    residuals need only give the direction. Knots are the controls themselves: one for every step of
    the horizon, interpolation ``"zero"``.

    Args:
        solver: Model and residuals; its horizon is the planner's.
        damping: Added to Q_uu, after Levenberg.
        shortest: Shortest step length of the line search.
    """

    def __init__(self, solver: Ilqg, *, damping: float = 1e-3, shortest: float = 0.01) -> None:
        super().__init__()
        self.solver, self.damping, self.shortest = solver, damping, shortest

    def sample(
        self,
        state: Array,
        distribution: Distribution,
        scale: Array,
        n: int,
        rng: np.random.Generator,
    ) -> Array:
        """Controls (n, T, nu) along the improved feedback law; draws nothing at random.

        Raises:
            ValueError: The plan has not one knot per step of the solver's horizon.
        """
        del scale, rng
        solver, mean = self.solver, distribution.mean
        if mean.shape[0] != solver.horizon:
            raise ValueError(
                f"iLQG needs one knot per step, {solver.horizon} in all, got {mean.shape[0]}"
            )
        knots = np.repeat(mean[None], n, axis=0)
        path = solver.rollout(state, np.clip(mean, solver.lower, solver.upper))
        if n < 2 or not np.isfinite(path.cost):
            return knots
        k, gains = solver.sweep(path, self.damping)
        alphas = np.geomspace(1.0, self.shortest, n - 1)
        _, controls, good = solver.followed(path, k, gains, alphas)
        knots[1:] = np.where(good[:, None, None], controls, mean)
        return knots

    def update(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """The cheapest sample; the plan so far (sample 0) wins ties."""
        del distribution, scale
        return knots[int(np.argmin(costs))].copy()
