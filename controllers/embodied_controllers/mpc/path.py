"""The path that a steady walk follows: velocities of a program add up to places.

Nothing in a velocity brings a robot back to where it should be by now; every step's error stays.
MuJoCo MPC's quadruped walks towards a goal that moves for the same reason. Here it is derived:

    p(t) = p_0 + R(psi_0) int_0^tau(t) R(rate s) (forward, left) ds    psi(t) = psi_0 + rate tau(t)

with a clock tau that starts at the share of the asked speed that the robot has already and runs at
full speed after ``RAMP_S``. The path waits for a robot that is held up: it is never more than
``LAG_M`` away, nor more than ``LAG_RAD`` ahead in a turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from embodied_controllers.mpc.norms import Array

RAMP_S = 0.5
LAG_M = 0.4
LAG_RAD = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose2:
    """Place on the floor and heading, m and rad."""

    x: float
    y: float
    heading: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A path at constant speeds in the walker's own frame.

    Attributes:
        begin_s: Simulated time at which it starts.
        begin: Where.
        forward: m/s.
        left: m/s.
        rate: Turn to the left, rad/s.
        share: Share of the asked speed at the start, 0 to 1.
    """

    begin_s: float
    begin: Pose2
    forward: float
    left: float
    rate: float
    share: float = 0.0

    def at(self, time: Array) -> tuple[Array, Array, Array]:
        """x, y and heading (not wrapped) at times (T,)."""
        t = np.maximum(time - self.begin_s, 0.0)
        early = np.minimum(t, RAMP_S)
        clock = t - (1 - self.share) * (early - 0.5 * early * early / RAMP_S)
        turned = self.rate * clock
        along = clock * np.sinc(turned / np.pi)
        across = clock * np.sin(turned / 2) * np.sinc(turned / (2 * np.pi))
        dx = self.forward * along - self.left * across
        dy = self.forward * across + self.left * along
        c, s = math.cos(self.begin.heading), math.sin(self.begin.heading)
        x = self.begin.x + c * dx - s * dy
        y = self.begin.y + s * dx + c * dy
        return x, y, self.begin.heading + turned

    def waiting(self, time: float, pose: Pose2) -> Path:
        """The path moved so that it is at most a lag ahead of a measured pose."""
        x, y, heading = (float(v[0]) for v in self.at(np.array([time])))
        distance = math.hypot(x - pose.x, y - pose.y)
        turn = (heading - pose.heading + math.pi) % (2 * math.pi) - math.pi
        over = turn - max(-LAG_RAD, min(LAG_RAD, turn)) if self.rate else 0.0
        if distance <= LAG_M and over == 0.0:
            return self
        share, begin = min(1.0, LAG_M / max(distance, 1e-9)), self.begin
        # The path turns about where it should be by now, then it is moved back.
        c, s = math.cos(-over), math.sin(-over)
        rx, ry = begin.x - x, begin.y - y
        moved = Pose2(
            x=pose.x + share * (x - pose.x) + c * rx - s * ry,
            y=pose.y + share * (y - pose.y) + s * rx + c * ry,
            heading=begin.heading - over,
        )
        return replace(self, begin=moved)
