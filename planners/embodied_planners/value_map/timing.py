"""From configurations along a path to a joint trajectory that keeps the speeds of the maps.

A way is measured in ell: metres moved, or radians turned times ``TURN_M``, whichever is more. The
speed along ell obeys, at every sample, the velocity map, the largest turning speed, and the joint
limits ``|q'| v <= dq_max``, ``|q''| v^2 <= ddq_max``; a forward and a backward pass keep the
acceleration. The time law is then smoothed, so that acceleration is continuous.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from embodied.types import Array, JointTrajectory
from embodied_planners.motion import JointLimits
from embodied_planners.value_map.arm import ArmPath

TURN_M = 0.25
"""Metres that one radian of turning counts as."""

TURN_RAD_S = 1.2
"""Largest turning speed of the hand."""

ACCELERATION_M_S2 = 0.8
SMOOTHING_S = 0.08
FINE_M = 0.0025


def along(path: Array, quats: Array) -> tuple[Array, Array]:
    """The length ell at each sample, (n,), and metres moved per ell in each piece, (n - 1,)."""
    moved = np.linalg.norm(np.diff(path, axis=0), axis=1)
    cosine = np.minimum(1.0, np.abs(np.sum(quats[1:] * quats[:-1], axis=1)))
    turned = 2 * np.arccos(np.where(cosine > 1 - 1e-12, 1.0, cosine))
    step = np.maximum(np.maximum(moved, TURN_M * turned), 1e-9)
    return np.concatenate([[0.0], np.cumsum(step)]), moved / step


def time_way(
    path: Array,
    quats: Array,
    speeds_m_s: Array,
    arm: ArmPath,
    limits: JointLimits,
    *,
    dt: float,
    speed_now_m_s: float = 0.0,
) -> JointTrajectory:
    """Fastest trajectory along a way that keeps its speeds.

    Args:
        path: Positions, (n, 3).
        quats: Orientations, (n, 4).
        speeds_m_s: Largest speeds, (n,).
        arm: Configurations along it; it ends where they end.
        limits: Limits of the joints.
        dt: Spacing of the samples of the result, s.
        speed_now_m_s: Speed at the start.

    Returns:
        A trajectory that ends at rest.
    """
    ell, share = along(path, quats)
    knots = ell[arm.at]
    keep = np.concatenate([[True], np.diff(knots) > 1e-6])
    knots, q = knots[keep], arm.q[keep]
    if len(knots) < 2:
        rest = np.zeros((1, q.shape[1]))
        return JointTrajectory(time=np.zeros(1), q=q[:1], dq=rest, ddq=rest)
    curve = PchipInterpolator(knots, q)
    end = float(knots[-1])
    count = max(int(np.ceil(end / FINE_M)) + 1, 41)
    s = np.linspace(0.0, end, count)
    slope = np.abs(curve(s, 1))
    bend = np.abs(np.gradient(_smoothed(curve(s, 1)), s, axis=0))
    piece = np.clip(np.searchsorted(ell, s, side="right") - 1, 0, len(share) - 1)
    asked = np.minimum(speeds_m_s[piece], speeds_m_s[np.minimum(piece + 1, len(speeds_m_s) - 1)])
    top = np.minimum(asked / np.maximum(share[piece], 1e-3), TURN_RAD_S * TURN_M)
    only_moving = share[piece] > 0.999
    top[only_moving] = asked[only_moving]
    top = np.minimum(top, np.min(limits.dq / np.maximum(slope, 1e-6), axis=1))
    top = np.minimum(top, np.sqrt(np.min(limits.ddq / np.maximum(bend, 1e-6), axis=1)))
    push = np.min(limits.ddq / np.maximum(slope, 1e-6), axis=1)
    push = np.clip(0.7 * push, 0.05, ACCELERATION_M_S2)
    v = _passes(s, top, push, speed_now_m_s)
    ds = s[1] - s[0]
    time = np.concatenate([[0.0], np.cumsum(2 * ds / np.maximum(v[1:] + v[:-1], 1e-4))])
    return _sampled(curve, s, v, time, dt)


def _passes(s: Array, top: Array, push: Array, now: float) -> Array:
    """Forward and backward pass; starting too fast, it brakes as hard as it may."""
    ds = s[1] - s[0]
    v = top.copy()
    v[-1] = 0.0
    for i in range(len(s) - 2, -1, -1):
        v[i] = min(v[i], np.sqrt(v[i + 1] ** 2 + 2 * push[i] * ds))
    braking = now
    v[0] = min(v[0], now) if now <= v[0] else now
    for i in range(1, len(s)):
        braking = np.sqrt(max(braking**2 - 2 * 1.5 * push[i] * ds, 0.0))
        v[i] = max(min(v[i], np.sqrt(v[i - 1] ** 2 + 2 * push[i - 1] * ds)), min(braking, now))
    v[-1] = 0.0
    return v


def _sampled(
    curve: PchipInterpolator, s: Array, v: Array, time: Array, dt: float
) -> JointTrajectory:
    """Sample the time law evenly, smooth it, and read the joints along it."""
    n = max(int(np.ceil(time[-1] / dt)), 1)
    t = np.arange(n + 1) * dt
    law = np.interp(t, time, s)
    i = np.clip(np.searchsorted(time, t, side="right") - 1, 0, len(s) - 2)
    h = time[i + 1] - time[i]
    x = np.clip(t - time[i], 0.0, h)
    law = np.clip(s[i] + v[i] * x + 0.5 * (v[i + 1] - v[i]) / h * x**2, 0.0, s[-1])
    half = max(int(round(SMOOTHING_S / dt / 2)), 1)
    if v[0] < 0.02:  # from rest: begin exactly there, half a window later
        before = np.full(2 * half, law[0])
    else:
        before = law[0] - v[0] * dt * np.arange(half, 0, -1)
    padded = np.concatenate([before, law, np.full(2 * half, s[-1])])
    law = np.clip(np.convolve(padded, np.ones(2 * half + 1) / (2 * half + 1), "valid"), 0, s[-1])
    rate = np.gradient(law, dt) if len(law) > 1 else np.zeros(1)
    rate[0], rate[-1] = v[0], 0.0
    q = curve(law)
    dq = curve(law, 1) * rate[:, None]
    ddq = np.gradient(dq, dt, axis=0) if len(law) > 1 else np.zeros_like(dq)
    return JointTrajectory(time=dt * np.arange(len(law), dtype=np.float64), q=q, dq=dq, ddq=ddq)


def _smoothed(values: Array) -> Array:
    """Moving average over five samples: slopes of piecewise cubics have kinks."""
    if len(values) < 7:
        return values
    padded = np.vstack([values[:1], values[:1], values, values[-1:], values[-1:]])
    return np.mean([padded[k : k + len(values)] for k in range(5)], axis=0)
