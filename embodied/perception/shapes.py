"""Known shapes fitted to points: signed distance, Gauss-Newton, and what that leaves uncertain.

With the signed distance d of the shape in its own frame, the pose (R, t) minimises

    sum_i w_i d(R^T (p_i - t))^2 + |xi - xi_0|^2_P ,

w_i Tukey's biweight, xi a small motion in the world frame and P a weak prior that keeps the
rotations which the shape or the visible side does not show. The covariance is that of the normal
equations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, ObjectSpec, Pose

_CUTOFF_M = 0.010
_ITERATIONS = 8
_STEP_DONE = 3e-4
_PRIOR_STD = np.array([0.03, 0.03, 0.03, 0.12, 0.12, 0.6])
"""Prior of one fit: m and rad; tilting is less likely than turning."""

_POINT_STD_M = 0.0015
_LEAST_STD_M = 0.001
_TALLER_M = 0.006
_SLICE_M = 0.002
_EDGES = (0.02, 0.98)
"""Quantiles that count as the edges of a thing: beyond them noise adds more than is missing."""

_CORRELATION = 4.0
"""Neighbouring points err together: so many count as one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A shape in place.

    Attributes:
        pose: Its pose in the world frame.
        rms_m: Root mean square distance of the points that were not rejected, m.
        inliers: Share of the points that were not rejected.
        position_std_m: (3,), m.
    """

    pose: Pose
    rms_m: float
    inliers: float
    position_std_m: Array

    @property
    def cost_m(self) -> float:
        """How badly it fits: RMS distance with rejected points at the cut-off, m."""
        return math.sqrt(self.inliers * self.rms_m**2 + (1.0 - self.inliers) * _CUTOFF_M**2)


def signed_distance(spec: ObjectSpec, local: Array) -> tuple[Array, Array]:
    """Distance (n,) and its gradient (n, 3) at points (n, 3) in the object's frame.

    Containers and drawers are hollow: open on top, with the inside of ``inner_size_m``.
    """
    half = np.array(spec.size_m) / 2
    distance, gradient = _solid(spec.shape, half, local)
    inner = np.array(spec.inner_size_m)
    if not inner.any():
        return distance, gradient
    cavity, middle = _cavity(half, inner)
    inside, inside_gradient = _solid(spec.shape, cavity, local - middle)
    hollow = -inside > distance
    return (
        np.where(hollow, -inside, distance),
        np.where(hollow[:, None], -inside_gradient, gradient),
    )


def in_cube(points: Array, center: Array, reach_m: float) -> NDArray[np.intp]:
    """Indices of the points (n, 3) in a cube around a centre (3,), ``reach_m`` to each side."""
    index = np.flatnonzero(np.abs(points[:, 0] - center[0]) < reach_m)
    for axis in (1, 2):
        index = index[np.abs(points[index, axis] - center[axis]) < reach_m]
    return index


def distance(spec: ObjectSpec, local: Array) -> Array:
    """The distance (n,) of :func:`signed_distance` alone, in a third of the time."""
    half = np.array(spec.size_m) / 2
    solid = _solid_distance(spec.shape, half, local)
    inner = np.array(spec.inner_size_m)
    if not inner.any():
        return solid
    cavity, middle = _cavity(half, inner)
    return np.maximum(solid, -_solid_distance(spec.shape, cavity, local - middle))


def near(spec: ObjectSpec, pose: Pose, points_in_world: Array, reach_m: float) -> NDArray[np.bool_]:
    """Which of the points (n, 3) lie within ``reach_m`` of a shape's surface."""
    return np.abs(distance(spec, (points_in_world - pose.position) @ pose.rotation)) < reach_m


def on_surface(
    spec: ObjectSpec, pose: Pose, points: Array, unclaimed: NDArray[np.bool_], reach_m: float
) -> NDArray[np.intp]:
    """Indices of unclaimed points (n, 3) within ``reach_m`` of a shape's surface."""
    around = 0.5 * float(np.linalg.norm(spec.size_m)) + reach_m
    index = in_cube(points, pose.position, around)
    index = index[unclaimed[index]]
    return index[near(spec, pose, points[index], reach_m)]


def _cavity(half: Array, inner: Array) -> tuple[Array, Array]:
    """Half size and centre of the inside: from its bottom far up, so that the rim is open."""
    cavity = np.array([inner[0] / 2, inner[1] / 2, (inner[2] + 2 * half[2]) / 2])
    return cavity, np.array([0.0, 0.0, half[2] - inner[2] + cavity[2]])


def _solid_distance(shape: str, half: Array, local: Array) -> Array:
    x, y, z = local.T
    if shape == "sphere":
        return np.sqrt(x * x + y * y + z * z) - half[0]
    flat = [np.hypot(x, y) - half[0], np.abs(z) - half[2]]
    if shape != "cylinder":
        flat = [np.abs(x) - half[0], np.abs(y) - half[1], np.abs(z) - half[2]]
    deepest, outside = flat[0], np.square(np.maximum(flat[0], 0.0))
    for beyond in flat[1:]:
        deepest = np.maximum(deepest, beyond)
        outside += np.square(np.maximum(beyond, 0.0))
    return np.where(deepest > 0.0, np.sqrt(outside), deepest)


def _solid(shape: str, half: Array, local: Array) -> tuple[Array, Array]:
    if shape == "sphere":
        radius = np.maximum(np.sqrt(np.einsum("ij,ij->i", local, local)), 1e-9)
        return radius - half[0], local / radius[:, None]
    if shape == "cylinder":
        radial = np.maximum(np.hypot(local[:, 0], local[:, 1]), 1e-9)
        flat = np.column_stack([radial, local[:, 2]])
        distance, g = _box(np.array([half[0], half[2]]), flat)
        direction = local[:, :2] / radial[:, None]
        return distance, np.column_stack([direction * g[:, :1], g[:, 1]])
    return _box(half, local)


def _box(half: Array, local: Array) -> tuple[Array, Array]:
    """Signed distance of a box in any dimension."""
    beyond = np.abs(local) - half
    outside = np.maximum(beyond, 0.0)
    length = np.sqrt(np.einsum("ij,ij->i", outside, outside))
    gradient = outside / np.maximum(length, 1e-9)[:, None]
    within = np.flatnonzero(length <= 1e-9)
    face = beyond[within].argmax(axis=1)
    gradient[within] = 0.0
    gradient[within, face] = 1.0
    length[within] = beyond[within, face]
    return length, gradient * np.sign(local)


def fit(spec: ObjectSpec, points_in_world: Array, start: Pose, *, upright: bool = False) -> Fit:
    """Fit a shape of known size to points (n, 3), n > 0, from a start pose.

    Args:
        spec: The shape.
        points_in_world: Points on its surface, some of them perhaps not.
        start: Where to start; also the mean of the prior.
        upright: Keep its z axis vertical as in ``start``.
    """
    points = np.asarray(points_in_world, dtype=np.float64)
    rotation, position = start.rotation, np.array(start.position)
    free = np.array([0, 1, 2, 5]) if upright else np.arange(6)
    weight = _CORRELATION * _POINT_STD_M**2
    prior = np.diag(weight / _PRIOR_STD[free] ** 2)
    moved = np.zeros(6)
    cutoff = 3.0 * _CUTOFF_M
    normal = prior
    for i in range(_ITERATIONS):
        arm = points - position
        d, g_local = signed_distance(spec, arm @ rotation)
        g = g_local @ rotation.T
        jacobian = np.concatenate([-g, _cross(g, arm)], axis=1)[:, free]
        w = np.maximum(0.0, 1.0 - (d / cutoff) ** 2) ** 2
        weighted = jacobian * w[:, None]
        normal = weighted.T @ jacobian + prior
        step = np.linalg.solve(normal, -(weighted.T @ d) - prior @ moved[free])
        moved[free] += step
        full = np.zeros(6)
        full[free] = step
        position = position + full[:3]
        rotation = _exp(full[3:]) @ rotation
        cutoff = max(_CUTOFF_M, 0.6 * cutoff)
        if float(np.abs(step).max()) < _STEP_DONE and i > 1:
            break
    d, _ = signed_distance(spec, (points - position) @ rotation)
    good = np.abs(d) < _CUTOFF_M
    rms = float(np.sqrt(np.mean(d[good] ** 2))) if good.any() else _CUTOFF_M
    noise = _CORRELATION * max(rms, _POINT_STD_M) ** 2
    covariance = noise * np.linalg.inv(normal)
    std = np.sqrt(np.diag(covariance)[:3] + _LEAST_STD_M**2)
    pose = Pose.from_rotation(rotation, position)
    return Fit(pose=pose, rms_m=rms, inliers=float(good.mean()), position_std_m=std)


def starts(spec: ObjectSpec, points_in_world: Array) -> tuple[Pose, ...]:
    """Upright start poses from the tightest rectangle around points (n, 3) seen from above."""
    points = np.asarray(points_in_world)
    low, top = np.quantile(points[:, 2], [0.01, 0.99])
    height, z = spec.size_m[2], points[:, 2]
    if top - low <= height + _TALLER_M:
        return (_around(spec, points[:, :2], float(top) - height / 2),)
    # Something else of its colour is on it, or it is on that: hang it from the top, or put it on
    # the bottom.
    upper, lower = z > top - height - _SLICE_M, z < low + height - _SLICE_M
    return tuple(
        _around(spec, points[part, :2], middle)
        for part, middle in ((upper, float(top) - height / 2), (lower, float(low) + height / 2))
        if np.count_nonzero(part) > 3
    ) or (_around(spec, points[:, :2], float(top) - height / 2),)


def _around(spec: ObjectSpec, xy: Array, z: float) -> Pose:
    """Upright, around points (n, 2) seen from above."""
    if spec.shape != "box":
        corners = np.quantile(xy, [0.01, 0.99], axis=0)
        return _upright(corners.mean(axis=0), z, 0.0)
    center, yaw, span = tightest_rectangle(xy)
    if (span[0] < span[1]) != (spec.size_m[0] < spec.size_m[1]):
        yaw += math.pi / 2
    return _upright(center, z, (yaw + math.pi / 2) % math.pi - math.pi / 2)


def tightest_rectangle(xy: Array) -> tuple[Array, float, Array]:
    """Smallest rectangle around points (n, 2): centre (2,), yaw and extents (2,)."""
    angles = np.radians(np.arange(0.0, 90.0, 3.0))
    axes = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    along = xy @ axes.T
    across = xy @ np.stack([-axes[:, 1], axes[:, 0]], axis=1).T
    a, b = np.quantile(along, [0.01, 0.99], axis=0), np.quantile(across, [0.01, 0.99], axis=0)
    best = int(np.argmin((a[1] - a[0]) * (b[1] - b[0])))
    yaw = float(angles[best])
    c, s = math.cos(yaw), math.sin(yaw)
    middle = np.array([a[:, best].mean(), b[:, best].mean()])
    center = np.array([c * middle[0] - s * middle[1], s * middle[0] + c * middle[1]])
    return center, yaw, np.array([a[1, best] - a[0, best], b[1, best] - b[0, best]])


def lying(spec: ObjectSpec, pose: Pose) -> tuple[Pose, ...]:
    """The same place with another axis of the object vertical, for things that fell over."""
    if spec.shape == "sphere":
        return ()
    half = math.sqrt(0.5)
    turns = [(half, half, 0.0, 0.0), (half, 0.0, half, 0.0)]
    if spec.shape == "cylinder":
        turns.reverse()
    zero = np.zeros(3)
    return tuple(pose @ Pose(position=zero, quat_wxyz=np.array(t)) for t in turns)


def extents(spec: ObjectSpec, pose: Pose, points_in_world: Array, support_m: float) -> Array:
    """Size (3,) along the object's axes as the points show it.

    What stands near its support is measured down to it: the lowest edge is never seen. Round
    things are measured by the distance of the points from the centre or the axis.
    """
    points = np.asarray(points_in_world)
    if spec.shape == "sphere":
        diameter = 2.0 * float(np.median(np.linalg.norm(points - pose.position, axis=1)))
        return np.full(3, diameter)
    low = float(points[:, 2].min())
    if support_m < low < support_m + 0.02:
        feet = points[points[:, 2] < low + 0.004].copy()
        feet[:, 2] = support_m
        points = np.vstack([points, feet])
    local = (points - pose.position) @ pose.rotation
    low_high = np.quantile(local, _EDGES, axis=0)
    size = low_high[1] - low_high[0]
    if spec.shape == "cylinder":
        size[:2] = 2.0 * float(np.quantile(np.hypot(local[:, 0], local[:, 1]), 0.9))
    return size


def _upright(center: Array, z: float, yaw: float) -> Pose:
    return Pose(
        position=np.array([center[0], center[1], z]),
        quat_wxyz=np.array([math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]),
    )


def _cross(a: Array, b: Array) -> Array:
    """Row-wise cross product of (n, 3) arrays; a third of the time of ``np.cross``."""
    x, y, z = a.T
    u, v, w = b.T
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=1)


def _exp(w: Array) -> Array:
    """Rotation matrix of a rotation vector (3,)."""
    angle = float(np.linalg.norm(w))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = w / angle
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + math.sin(angle) * k + (1.0 - math.cos(angle)) * (k @ k)
