"""From waypoints to a smooth, time-parametrised joint trajectory.

The polyline is sampled evenly in s, the time that the fastest joint of each piece would need at
full speed, and smoothed with a B-spline kernel, which rounds corners and leaves straight parts
and end points where they are. Time comes from one scalar, jerk-limited profile s(t)::

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

from embodied.types import Array, JointTrajectory, WorldSpec
from embodied_planners.motion._profile import Profiles, profiles
from embodied_planners.motion._spline import QuinticSpline


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
    spline = QuinticSpline(float(s[1]), points)
    slopes = [spline(s, k) for k in (1, 2, 3)]
    length = float(s[-1])
    fastest, acceleration, jerk = (
        1.0 / max(float(np.max(np.abs(slopes[0]) / limit)), 1e-9)
        for limit in (limits.dq, limits.ddq, limits.dddq)
    )
    cruise, push = np.repeat(_CRUISES, len(_PUSHES)), np.tile(_PUSHES, len(_CRUISES))
    v, a, j = fastest * cruise, acceleration * push, jerk * push
    family = profiles(length, v, a, j)
    slowdowns = _slowdowns(family, v / a + a / j, s, slopes, limits) / speed
    durations = family.duration * slowdowns
    best = int(np.argmin(durations))
    duration, slowdown = float(durations[best]), float(slowdowns[best])
    time = np.linspace(0.0, duration, max(int(np.ceil(duration / dt)), 1) + 1)
    position, velocity, push, _ = (x[0] for x in family.only(best).at(time[None] / slowdown))
    position = np.clip(position, 0.0, length)
    velocity, push = velocity[:, None] / slowdown, push[:, None] / slowdown**2
    q, first, second = (spline(position, k) for k in (0, 1, 2))
    q[0], q[-1] = points[0], points[-1]
    dq = first * velocity
    dq[0] = dq[-1] = 0.0
    return JointTrajectory(time=time, q=q, dq=dq, ddq=second * velocity**2 + first * push)


_CRUISES = np.array([1.0, 0.7, 0.5, 0.35, 0.25])
_PUSHES = np.array([1.0, 0.6, 0.35])


def _slowdowns(
    family: Profiles, ramp_s: Array, s: Array, slopes: list[Array], limits: JointLimits
) -> Array:
    """Factor on time at which each profile just keeps all limits.

    The ramps at both ends may be a small part of the whole: they get samples of their own.
    """
    end = family.duration[:, None]
    ramp = np.linspace(0.0, 1.0, 40)[1:] * np.minimum(end / 2, ramp_s[:, None])
    time = np.concatenate([ramp, np.linspace(0.0, 1.0, 160) * end, end - ramp], axis=1)
    time.sort(axis=1)
    x, v, a, j = family.at(time)
    j = _slopes(time, a, j)
    index = np.clip(np.rint(x / s[-1] * (len(s) - 1)).astype(int), 0, len(s) - 1)
    v, a, j = v[:, :, None], a[:, :, None], j[:, :, None]
    d1, d2, d3 = (slope[index] for slope in slopes)
    dq, ddq, dddq = (
        np.max(np.abs(x) / limit, axis=(1, 2))
        for x, limit in (
            (d1 * v, limits.dq),
            (d2 * v**2 + d1 * a, limits.ddq),
            (d3 * v**3 + 3 * d2 * v * a + d1 * j, limits.dddq),
        )
    )
    return np.maximum(np.maximum(dq, np.sqrt(ddq)), np.cbrt(dddq))


def _slopes(time: Array, values: Array, exact: Array) -> Array:
    """Central differences in time, (m, k); ``exact`` is the slope where two times coincide."""
    dt = np.diff(time, axis=1)
    apart = dt > 1e-9 * time[:, -1:]
    slope = np.where(apart, np.diff(values, axis=1) / np.where(apart, dt, 1.0), exact[:, :-1])
    before, after = dt[:, :-1], dt[:, 1:]
    total = np.maximum(before + after, 1e-300)
    inner = (after * slope[:, :-1] + before * slope[:, 1:]) / total
    return np.concatenate([slope[:, :1], inner, slope[:, -1:]], axis=1)
