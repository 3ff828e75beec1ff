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

from ruckig import ControlInterface, InputParameter, Result, Ruckig, Trajectory

from embodied.types._geometry import Array

REST_RAD_S = 1e-9
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
        result = self._solver.calculate(problem, trajectory)
        if result not in (Result.Working, Result.Finished):
            return None
        count = math.ceil(trajectory.duration / self.dt_s - 1e-9)
        if count > _ENOUGH:
            return None
        at = trajectory.at_time
        rows = [at(i * self.dt_s)[1] for i in range(1, count)]
        rows.append([0.0] * len(dq))
        return rows


class Follower:
    """Moves towards a set-point that cannot be reached within one period.

    Args:
        dq_max: Velocity limits to follow with, (n,), rad/s.
        ddq_max: Acceleration limits to follow with, (n,), rad/s^2.
        dddq_max: Jerk limits, (n,), rad/s^3.
        dt_s: The period.
    """

    def __init__(self, dq_max: Array, ddq_max: Array, dddq_max: Array, dt_s: float) -> None:
        n = len(dq_max)
        self.dt_s = dt_s
        self._solver = Ruckig(n)
        self._trajectory = Trajectory(n)
        problem = InputParameter(n)
        problem.target_velocity = [0.0] * n
        problem.target_acceleration = [0.0] * n
        problem.max_velocity = dq_max.tolist()
        problem.max_acceleration = ddq_max.tolist()
        problem.max_jerk = dddq_max.tolist()
        self._problem = problem

    def velocity(
        self, q: Sequence[float], dq: Sequence[float], ddq: Sequence[float], target: Sequence[float]
    ) -> list[float] | None:
        """Velocity of the next period on the fastest way to rest at ``target``, (n,)."""
        problem = self._problem
        problem.current_position, problem.target_position = q, target
        problem.current_velocity, problem.current_acceleration = dq, ddq
        result = self._solver.calculate(problem, self._trajectory)
        if result not in (Result.Working, Result.Finished):
            return None
        return self._trajectory.at_time(self.dt_s)[1]
