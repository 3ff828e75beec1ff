"""From waypoints to a smooth, time-parametrised joint trajectory.

The polyline is sampled evenly in s, the time that the fastest joint of each piece would need at
full speed, and smoothed with a B-spline kernel, which rounds corners and leaves straight parts
and end points where they are. Time comes from one scalar, jerk-limited profile s(t) (``ruckig``,
between two states: its way-point mode, which calls a remote service, is not used)::

    dq   = q'(s) ds
    ddq  = q''(s) ds^2 + q'(s) dds
    dddq = q'''(s) ds^3 + 3 q''(s) ds dds + q'(s) ddds

Slowing time down by r divides these by r, r^2 and r^3. So every profile of a small family is
slowed (or sped up) by the one r at which some joint touches some limit and none exceeds any, and
the shortest is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ruckig import InputParameter, Result, Ruckig, Trajectory
from scipy.interpolate import make_interp_spline

from embodied.types import Array, JointTrajectory, WorldSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointLimits:
    """Limits that a trajectory keeps, each (n,): rad/s, rad/s^2, rad/s^3."""

    dq: Array
    ddq: Array
    dddq: Array

    @staticmethod
    def of(
        spec: WorldSpec, *, velocity: float = 0.7, acceleration: float = 0.6, jerk: float = 0.1
    ) -> JointLimits:
        """Fractions of the published limits, so that measured values stay inside them too."""
        return JointLimits(
            dq=spec.dq_max * velocity, ddq=spec.ddq_max * acceleration, dddq=spec.dddq_max * jerk
        )


def resample(path: Array, scale: Array, count: int) -> tuple[Array, Array]:
    """Points evenly spaced in s along a polyline.

    Args:
        path: Corner points, (m, n).
        scale: Joint velocities that count as full speed, (n,), rad/s.
        count: Number of points.

    Returns:
        s (count,), seconds at full speed, and points (count, n).
    """
    steps = np.max(np.abs(np.diff(path, axis=0)) / scale, axis=1)
    keep = np.concatenate([[True], steps > 1e-9])
    corner_s = np.concatenate([[0.0], np.cumsum(steps)])[keep]
    corners = path[keep]
    if len(corners) == 1:
        return np.array([0.0]), corners
    s = np.linspace(0.0, corner_s[-1], count)
    points = np.stack([np.interp(s, corner_s, column) for column in corners.T], axis=1)
    points[-1] = path[-1]
    return s, points


def round_corners(points: Array, half_width: int) -> Array:
    """Convolve evenly spaced points with a B-spline kernel of a given half width.

    Straight parts are reproduced exactly, and so are both end points (odd reflection). A corner
    is replaced by a curve that leaves the polyline ``half_width`` samples before it.

    Args:
        points: (count, n).
        half_width: Half width of the kernel in samples; 0 leaves the points as they are.
    """
    third = half_width // 3
    if third < 1 or len(points) < 3:
        return points
    box = np.ones(2 * third + 1) / (2 * third + 1)
    kernel = np.convolve(np.convolve(box, box), box)
    pad = len(kernel) // 2
    pad_by = min(pad, len(points) - 1)
    head = 2 * points[0] - points[pad_by:0:-1]
    tail = 2 * points[-1] - points[-2 : -2 - pad_by : -1]
    if pad_by < pad:  # a path shorter than the kernel
        return round_corners(points, 3 * (pad_by // 3))
    padded = np.vstack([head, points, tail])
    return np.stack([np.convolve(c, kernel, mode="valid") for c in padded.T], axis=1)


def time_parametrise(
    s: Array, points: Array, limits: JointLimits, *, dt: float, speed: float = 1.0
) -> JointTrajectory:
    """Fastest of a family of jerk-limited profiles along evenly sampled points.

    Args:
        s: Path parameter, (count,), evenly spaced from 0.
        points: Joint positions at ``s``, (count, n), rad, smooth.
        limits: Limits that every joint keeps.
        dt: Spacing of the samples of the result, s.
        speed: Factor on the speed, at most 1.

    Returns:
        A trajectory that starts and ends at rest.
    """
    if not 0.0 < speed <= 1.0:
        raise ValueError(f"speed must be in (0, 1], got {speed}")
    if len(points) < 2:
        rest = np.zeros((1, points.shape[1]))
        return JointTrajectory(time=np.zeros(1), q=points[:1], dq=rest, ddq=rest)
    count = max(len(points), 8)
    if count != len(points):
        fine = np.linspace(0.0, s[-1], count)
        points = np.stack([np.interp(fine, s, c) for c in points.T], axis=1)
        s = fine
    spline = make_interp_spline(s, points, k=5)
    slopes = [spline.derivative(k)(s) for k in (1, 2, 3)]
    best: tuple[float, float, Trajectory] | None = None
    length = float(s[-1])
    fastest = 1.0 / max(float(np.max(np.abs(slopes[0]) / limits.dq)), 1e-9)
    acceleration = 1.0 / max(float(np.max(np.abs(slopes[0]) / limits.ddq)), 1e-9)
    jerk = 1.0 / max(float(np.max(np.abs(slopes[0]) / limits.dddq)), 1e-9)
    for cruise in (1.0, 0.7, 0.5, 0.35, 0.25):
        for push in (1.0, 0.6, 0.35):
            v, a, j = fastest * cruise, acceleration * push, jerk * push
            profile = _profile(length, v, a, j)
            ramp_s = min(profile.duration / 2, v / a + a / j)
            slowdown = _slowdown(profile, ramp_s, s, slopes, limits) / speed
            duration = profile.duration * slowdown
            if best is None or duration < best[0]:
                best = (duration, slowdown, profile)
    assert best is not None
    duration, slowdown, profile = best
    samples = max(int(np.ceil(duration / dt)), 1)
    time = np.linspace(0.0, duration, samples + 1)
    states = np.array([profile.at_time(t / slowdown) for t in time])[:, :, 0]
    position, velocity, push = states.T
    position = np.clip(position, 0.0, length)[:, None]
    velocity, push = velocity[:, None] / slowdown, push[:, None] / slowdown**2
    first = spline.derivative(1)(position[:, 0])
    second = spline.derivative(2)(position[:, 0])
    q = spline(position[:, 0])
    q[0], q[-1] = points[0], points[-1]
    dq = first * velocity
    dq[0] = dq[-1] = 0.0
    return JointTrajectory(time=time, q=q, dq=dq, ddq=second * velocity**2 + first * push)


def _profile(length: float, velocity: float, acceleration: float, jerk: float) -> Trajectory:
    """Rest-to-rest profile over ``length`` for one degree of freedom."""
    problem = InputParameter(1)
    problem.current_position, problem.target_position = [0.0], [length]
    problem.max_velocity, problem.max_acceleration = [velocity], [acceleration]
    problem.max_jerk = [jerk]
    trajectory = Trajectory(1)
    result = Ruckig(1).calculate(problem, trajectory)
    if result not in (Result.Working, Result.Finished):
        raise ValueError(f"no profile over {length} with limits {velocity, acceleration, jerk}")
    return trajectory


def _slowdown(
    profile: Trajectory, ramp_s: float, s: Array, slopes: list[Array], limits: JointLimits
) -> float:
    """Factor on time at which the profile just keeps all limits.

    The ramps at both ends may be a small part of the whole: they get samples of their own.
    """
    end = profile.duration
    ramp = np.linspace(0.0, ramp_s, 40)
    time = np.unique(np.concatenate([ramp, np.linspace(0.0, end, 160), end - ramp]))
    states = np.array([profile.at_time(t) for t in time])[:, :, 0]
    x, v, a = (states[:, k, None] for k in range(3))
    j = np.gradient(states[:, 2], time)[:, None]
    index = np.clip(np.rint(x[:, 0] / s[-1] * (len(s) - 1)).astype(int), 0, len(s) - 1)
    d1, d2, d3 = (slope[index] for slope in slopes)
    dq = np.max(np.abs(d1 * v) / limits.dq)
    ddq = np.max(np.abs(d2 * v**2 + d1 * a) / limits.ddq)
    dddq = np.max(np.abs(d3 * v**3 + 3 * d2 * v * a + d1 * j) / limits.dddq)
    return float(max(dq, np.sqrt(ddq), np.cbrt(dddq)))
