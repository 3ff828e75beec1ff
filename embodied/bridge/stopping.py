"""Coming to rest, and following a set-point, within velocity, acceleration and jerk limits.

The stream of set-points is discrete: with period h, ``v_k = (q_k - q_{k-1}) / h``,
``a_k = (v_k - v_{k-1}) / h`` and ``j_k = (a_k - a_{k-1}) / h`` are what the limits bound. A ruckig
profile is planned in velocity from ``v(0) = v_k, v'(0) = a_k``, sampled at ``v_{k+i} = v(i h)`` and
summed up, ``q_{k+i} = q_{k+i-1} + h v_{k+i}``. Then each ``a_{k+i}`` is the mean of v' over a
period, and each ``h j_{k+i}`` a difference of such means, so all three stay within the limits that
ruckig keeps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ruckig import (
    ControlInterface,
    InputParameter,
    Result,
    Ruckig,
    RuckigError,
    Synchronization,
    Trajectory,
)

from embodied.types import Array

REST_RAD_S = 1e-9
LEAST_RAD_S = 1e-3
_ENOUGH = 2000


class Stopper:
    """Plans how to come to rest.

    Args:
        dq_max: Velocity limits, (n,), rad/s.
        ddq_max: Acceleration limits, (n,), rad/s^2.
        dddq_max: Jerk limits, (n,), rad/s^3.
        dt_s: The period h.
    """

    def __init__(self, dq_max: Array, ddq_max: Array, dddq_max: Array, dt_s: float) -> None:
        n = len(dq_max)
        self.dt_s = dt_s
        self._solver = Ruckig(n)
        self._trajectory = Trajectory(n)
        problem = InputParameter(n)
        problem.control_interface = ControlInterface.Velocity
        problem.current_position = [0.0] * n
        problem.target_velocity = [0.0] * n
        problem.target_acceleration = [0.0] * n
        problem.max_velocity = dq_max.tolist()
        problem.max_acceleration = ddq_max.tolist()
        problem.max_jerk = dddq_max.tolist()
        self._problem = problem

    def velocities(self, dq: Sequence[float], ddq: Sequence[float]) -> list[list[float]] | None:
        """Velocities of the coming periods until rest, (k, n); None when ruckig finds none.

        Args:
            dq: Velocity now, (n,).
            ddq: Acceleration now, (n,).
        """
        if max(map(abs, dq)) < REST_RAD_S and max(map(abs, ddq)) < REST_RAD_S:
            return []
        problem, trajectory = self._problem, self._trajectory
        problem.current_velocity = dq
        problem.current_acceleration = ddq
        if not _solved(self._solver, problem, trajectory):
            return None
        count = math.ceil(trajectory.duration / self.dt_s - 1e-9)
        if count > _ENOUGH:
            return None
        at = trajectory.at_time
        rows = [at(i * self.dt_s)[1] for i in range(1, count)]
        rows.append([0.0] * len(dq))
        return rows


class Follower:
    """Moves towards set-points that cannot be reached within one period, and merges with them.

    Args:
        dq_max: Velocity limits, (n,), rad/s.
        ddq_max: Acceleration limits, (n,), rad/s^2.
        dddq_max: Jerk limits, (n,), rad/s^3.
        dt_s: The period.
        share: Of the velocity limits, how much faster than the set-points the arm may be.
    """

    def __init__(
        self, dq_max: Array, ddq_max: Array, dddq_max: Array, dt_s: float, share: float
    ) -> None:
        n = len(dq_max)
        self.dt_s = dt_s
        self._fastest: list[float] = dq_max.tolist()
        self._faster: list[float] = (share * dq_max).tolist()
        self._solver = Ruckig(n)
        self._trajectory = Trajectory(n)
        problem = InputParameter(n)
        problem.synchronization = Synchronization.No
        problem.target_acceleration = [0.0] * n
        problem.max_acceleration = ddq_max.tolist()
        problem.max_jerk = dddq_max.tolist()
        self._problem = problem

    def velocity(
        self,
        q: Sequence[float],
        dq: Sequence[float],
        ddq: Sequence[float],
        target: Sequence[float],
        moving: Sequence[float],
        scale: float,
    ) -> list[float] | None:
        """Velocity of the next period on the fastest way to be at ``target`` moving as it moves.

        Args:
            q: Position now, (n,).
            dq: Velocity now, (n,).
            ddq: Acceleration now, (n,).
            target: Set-point, (n,).
            moving: Velocity of the set-points, (n,).
            scale: Of ``share``, for this period.
        """
        problem = self._problem
        limits = zip(moving, dq, self._faster, self._fastest, strict=True)
        problem.max_velocity = [
            min(max(abs(v), abs(now)) + scale * more + LEAST_RAD_S, most)
            for v, now, more, most in limits
        ]
        problem.current_position, problem.target_position = q, target
        problem.current_velocity, problem.current_acceleration = dq, ddq
        problem.target_velocity = moving
        if not _solved(self._solver, problem, self._trajectory):
            return None
        return self._trajectory.at_time(self.dt_s)[1]


def _solved(solver: Ruckig, problem: InputParameter, trajectory: Trajectory) -> bool:
    try:
        return solver.calculate(problem, trajectory) in (Result.Working, Result.Finished)
    except RuckigError:  # it finds no profile from here
        return False
