"""What a ROS 2 ``joint_trajectory_controller`` does with trajectories, without its topics.

After the behaviour of ros2_controllers: positions and velocities are interpolated by cubics from
where the controller is; a new trajectory takes the place of the old one; the last point is held.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embodied.bridge.emulators.plant import Clock, Plant
from embodied.types import Array

PERIOD_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Knot:
    """A point of a trajectory.

    Attributes:
        time_s: After the trajectory's start.
        q: Positions, (n,), rad.
        dq: Velocities, (n,), rad/s.
    """

    time_s: float
    q: Array
    dq: Array


class TrajectoryController:
    """Moves a plant along trajectories.

    Args:
        plant: What it moves.
        joints: Names of the plant's joints, in its order.
        stepped: Time passes with trajectories handed over by ``take`` only, one period each, and
            while a goal is pursued.
    """

    def __init__(self, plant: Plant, joints: Sequence[str], *, stepped: bool = False) -> None:
        self.plant = plant
        self.joints = tuple(joints)
        self.time_s = 0.0
        self.q = np.array(plant.q)
        self.dq = np.zeros_like(self.q)
        self.gripper_width_m = plant.gripper_width_m
        self.gripper_force_n = 20.0
        self._knots: list[Knot] = []
        self._since_s = 0.0
        self.clock = Clock(PERIOD_S, stepped=stepped)

    @property
    def moving(self) -> bool:
        """Whether a trajectory is under way."""
        return bool(self._knots) and self._since_s < self._knots[-1].time_s - 1e-9

    def take(
        self,
        joints: Sequence[str],
        points: Sequence[tuple[float, Sequence[float], Sequence[float]]],
        *,
        owes: bool = True,
    ) -> str:
        """Take a trajectory: times, positions and velocities; returns why not, "" if it does."""
        if sorted(joints) != sorted(self.joints):
            return f"joints are {', '.join(self.joints)}"
        if not points:
            return "no points"
        n, last = len(self.joints), 0.0
        order = [list(joints).index(j) for j in self.joints]
        knots = [Knot(time_s=0.0, q=self.q, dq=self.dq)]
        for time_s, q, dq in points:
            if len(q) != n or (dq and len(dq) != n):
                return f"a point without {n} positions, or velocities"
            if not all(math.isfinite(v) for v in (time_s, *q, *dq)):
                return "values that are not finite"
            if time_s < last or (time_s == last and last > 0.0):
                return "times do not grow"
            last = time_s
            speed = np.array(dq)[order] if dq else np.zeros(n)
            knots.append(Knot(time_s=time_s, q=np.array(q)[order], dq=speed))
        self._knots = knots
        self._since_s = 0.0
        self.clock.owed += owes
        return ""

    def hold(self) -> None:
        """Stay where it is."""
        self._knots = []
        self.dq = np.zeros_like(self.q)

    def advance(self, *, running: bool = False) -> bool:
        """Let a period pass if time goes on (in stepped time also when ``running``)."""
        if not running and not self.clock.step():
            return False
        self._since_s += PERIOD_S
        if self._knots:
            self.q, self.dq = sample(self._knots, self._since_s)
        self.plant.advance(self.q, self.gripper_width_m, self.gripper_force_n, PERIOD_S)
        self.time_s += PERIOD_S
        return True


def sample(knots: Sequence[Knot], time_s: float) -> tuple[Array, Array]:
    """Position and velocity on the cubics through the knots; the last knot is held."""
    for a, b in zip(knots, knots[1:], strict=False):
        if time_s < b.time_s - 1e-9:
            h = b.time_s - a.time_s
            s = (time_s - a.time_s) / h
            q = (
                (1 + 2 * s) * (1 - s) ** 2 * a.q
                + s * (1 - s) ** 2 * h * a.dq
                + s**2 * (3 - 2 * s) * b.q
                - s**2 * (1 - s) * h * b.dq
            )
            dq = (
                6 * s * (1 - s) * (b.q - a.q) / h
                + (1 - s) * (1 - 3 * s) * a.dq
                - s * (2 - 3 * s) * b.dq
            )
            return q, dq
        if abs(time_s - b.time_s) <= 1e-9:
            return b.q, b.dq
    return knots[-1].q, np.zeros_like(knots[-1].q)
