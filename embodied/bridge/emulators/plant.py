"""What an emulated controller moves."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from embodied.types import Array


class Plant(Protocol):
    """Joints, and perhaps a gripper, that follow targets."""

    @property
    def q(self) -> Array:
        """Measured positions, (n,), rad."""
        ...

    @property
    def dq(self) -> Array:
        """Measured velocities, (n,), rad/s."""
        ...

    @property
    def tau(self) -> Array:
        """Estimated joint torques, (n,), N m."""
        ...

    @property
    def gripper_width_m(self) -> float:
        """Measured gap between the fingers."""
        ...

    @property
    def gripper_holds(self) -> bool:
        """Whether the fingers have stopped on something."""
        ...

    def advance(
        self, q: Array, gripper_width_m: float, gripper_force_n: float, dt_s: float
    ) -> None:
        """Let time pass while the joints' servos hold ``q``, (n,), rad."""
        ...


class RateLimited:
    """A target that moves no faster than servos can: limits of velocity and acceleration.

    Args:
        q: Positions at the start, (n,), rad.
        dq_max: Velocity limits, (n,), rad/s.
        ddq_max: Acceleration limits, (n,), rad/s^2.
    """

    def __init__(self, q: Array, dq_max: Array, ddq_max: Array) -> None:
        self.q = np.array(q, dtype=np.float64)
        self.dq = np.zeros_like(self.q)
        self._dq_max = np.asarray(dq_max, dtype=np.float64)
        self._ddq_max = np.asarray(ddq_max, dtype=np.float64)

    def follow(
        self, target: Array, dt_s: float, *, dq_max: float = math.inf, ddq_max: float = math.inf
    ) -> None:
        """Move towards ``target`` for one period, braking in time to stop there.

        Args:
            target: Positions, (n,), rad.
            dt_s: The period.
            dq_max: A lower velocity limit for this motion, rad/s.
            ddq_max: A lower acceleration limit for this motion, rad/s^2.
        """
        error = target - self.q
        # The speed from which constant braking ends at the target, seen one period ahead.
        a = np.minimum(self._ddq_max, ddq_max)
        stopping = np.sqrt((0.5 * a * dt_s) ** 2 + 2.0 * a * np.abs(error)) - 0.5 * a * dt_s
        speed = np.minimum(np.minimum(stopping, np.abs(error) / dt_s), dq_max)
        self.drive(np.sign(error) * speed, dt_s, ddq_max)

    def drive(self, dq: Array, dt_s: float, ddq_max: float = math.inf) -> None:
        """Change velocity towards ``dq`` for one period within the acceleration limits."""
        change = np.minimum(self._ddq_max, ddq_max) * dt_s
        wanted = np.clip(dq, -self._dq_max, self._dq_max)
        self.dq = self.dq + np.clip(wanted - self.dq, -change, change)
        self.q = self.q + self.dq * dt_s

    def hold(self) -> None:
        """Stand still at once."""
        self.dq = np.zeros_like(self.dq)


class IdealJoints:
    """A plant whose joints are where they are told to be, with a gripper that closes on nothing.

    Args:
        q: Positions at the start, (n,), rad.
        gripper_width_m: Gap at the start.
        gripper_speed_m_s: Rate of the gap.
    """

    def __init__(
        self, q: Array, *, gripper_width_m: float = 0.08, gripper_speed_m_s: float = 0.1
    ) -> None:
        self._q = np.array(q, dtype=np.float64)
        self._dq = np.zeros_like(self._q)
        self._width_m = gripper_width_m
        self._speed_m_s = gripper_speed_m_s

    @property
    def q(self) -> Array:
        """Measured positions, (n,), rad."""
        return self._q

    @property
    def dq(self) -> Array:
        """Measured velocities, (n,), rad/s."""
        return self._dq

    @property
    def tau(self) -> Array:
        """Zeros: nothing has mass here."""
        return np.zeros_like(self._q)

    @property
    def gripper_width_m(self) -> float:
        """Measured gap between the fingers."""
        return self._width_m

    @property
    def gripper_holds(self) -> bool:
        """Never: there is nothing to hold."""
        return False

    def advance(
        self, q: Array, gripper_width_m: float, gripper_force_n: float, dt_s: float
    ) -> None:
        """Be at ``q`` after ``dt_s``."""
        self._dq = (q - self._q) / dt_s
        self._q = np.array(q, dtype=np.float64)
        step = self._speed_m_s * dt_s
        self._width_m += float(np.clip(gripper_width_m - self._width_m, -step, step))
