"""What an emulated controller moves."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod

import numpy as np

from embodied.types import Array


class Plant(ABC):
    """Joints, and perhaps a gripper, that follow targets.

    Attributes:
        q: Measured positions, (n,), rad.
        dq: Measured velocities, (n,), rad/s.
        tau: Estimated joint torques, (n,), N m.
        gripper_width_m: Measured gap between the fingers.
        gripper_holds: The fingers have stopped on something.
    """

    def __init__(self, q: Array, gripper_width_m: float) -> None:
        self.q = np.array(q, dtype=np.float64)
        self.dq = np.zeros_like(self.q)
        self.tau = np.zeros_like(self.q)
        self.gripper_width_m = gripper_width_m
        self.gripper_holds = False

    @abstractmethod
    def advance(
        self, q: Array, gripper_width_m: float, gripper_force_n: float, dt_s: float
    ) -> None:
        """Let time pass while the joints' servos hold ``q``, (n,), rad."""


class Clock:
    """When an emulator's periods are due by this machine's clock, and which are owed in steps.

    Time lost to a busy machine is made up for, but for more than ``late_s``, which is skipped: an
    arm cannot jump.

    Args:
        period_s: The period.
        stepped: Time passes with set-points only: each owes one period.
    """

    def __init__(self, period_s: float, *, stepped: bool = False, late_s: float = 0.25) -> None:
        self.period_s, self.stepped = period_s, stepped
        self.owed = 0
        self._late_s = late_s
        self._due_s = time.monotonic()

    def step(self) -> bool:
        """Whether a period may pass: always, or if it is owed in stepped time."""
        if self.stepped:
            if self.owed == 0:
                return False
            self.owed -= 1
        return True

    def wait_s(self) -> float:
        """Until the next period is due."""
        return max(0.0, self._due_s - time.monotonic())

    def next(self, period_s: float | None = None) -> None:
        """One has passed."""
        self._due_s += self.period_s if period_s is None else period_s
        self._due_s = max(self._due_s, time.monotonic() - self._late_s)

    def restart(self) -> None:
        """The next one is due now."""
        self._due_s = time.monotonic()


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


class IdealJoints(Plant):
    """A plant whose joints are where they are told to be, with a gripper that closes on nothing.

    Args:
        q: Positions at the start, (n,), rad.
        gripper_width_m: Gap at the start.
        gripper_speed_m_s: Rate of the gap.
    """

    def __init__(
        self, q: Array, *, gripper_width_m: float = 0.08, gripper_speed_m_s: float = 0.1
    ) -> None:
        super().__init__(q, gripper_width_m)
        self._speed_m_s = gripper_speed_m_s

    def advance(
        self, q: Array, gripper_width_m: float, gripper_force_n: float, dt_s: float
    ) -> None:
        """Be at ``q`` after ``dt_s``."""
        self.dq, self.q = (q - self.q) / dt_s, np.array(q, dtype=np.float64)
        step = self._speed_m_s * dt_s
        self.gripper_width_m += float(np.clip(gripper_width_m - self.gripper_width_m, -step, step))
