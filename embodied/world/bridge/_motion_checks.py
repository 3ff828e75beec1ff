"""Stages 3 to 8 of the safety filter: what a motion must keep.

This runs every period. For a handful of joints, plain floats are faster than arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embodied.types._geometry import Array
from embodied.world.bridge._types import Reason
from embodied.world.bridge.geometry import ArmGeometry, Nearest
from embodied.world.bridge.limits import SafetyLimits
from embodied.world.bridge.reasons import reason

_ROUNDING = 1.0 + 1e-9
_SLACK = 1e-9
_GAP_M = 1e-3
_WORSE_M = 1e-5

Floats = Sequence[float]


class MotionChecks:
    """Checks set-points and the ways to rest that start from them.

    Distance to what is near, distance to singularity and room in the workspace are exact at a
    *centre*. From there to q, with joints turned by ``d_i = |q_i - centre_i|``, no part moves
    farther than ``sum_i reach_i d_i``, the end effector no farther than ``sum_i r_i d_i`` (r_i:
    the length of the chain beyond joint i), and the least singular value changes by at most
    ``slope sum_i d_i``. While all three leave room, nothing needs a look. Where the distance is
    smaller than one period's motion, each set-point of the way is looked at.

    Args:
        limits: What is allowed.
        geometry: Where the arm's parts are.
    """

    def __init__(self, limits: SafetyLimits, geometry: ArmGeometry) -> None:
        self.limits = limits
        self.geometry = geometry
        self._lower: list[float] = (limits.q_lower - limits.clamp_rad).tolist()
        self._upper: list[float] = (limits.q_upper + limits.clamp_rad).tolist()
        self._middle = (limits.q_lower + limits.q_upper) / 2
        self._half = (limits.q_upper - limits.q_lower) / 2 + _SLACK
        self._dq_max: list[float] = (limits.dq_max * _ROUNDING).tolist()
        self._ddq_max: list[float] = (limits.ddq_max * _ROUNDING).tolist()
        self._dddq_max: list[float] = (limits.dddq_max * _ROUNDING).tolist()
        self._dq_max_inverse = 1.0 / limits.dq_max
        self._speeds = np.array([limits.ee_speed_m_s, limits.elbow_speed_m_s]) * _ROUNDING
        self._point_reach = geometry.point_reach_m
        slope = np.full_like(geometry.reach_m, 1.0 + geometry.reach_m[0])
        self._reaches = np.stack([geometry.point_reach_m[:, 0], geometry.reach_m, slope], axis=1)
        self._centre: Array = np.zeros(len(limits.joints))
        self._room: Array = np.full(3, -np.inf)
        self._gap_m = -1.0
        self._nearest_allowed_m = -np.inf

    def start(self, q: Array) -> None:
        """Begin at ``q`` (n,)."""
        self._nearest_allowed_m = -np.inf
        self._take_centre(q.copy())

    def gripper(self, gap_m: float) -> None:
        """The fingers are this far open."""
        if abs(gap_m - self._gap_m) > _GAP_M:
            self.geometry.set_gap(gap_m)
            self._gap_m = gap_m
            self._room = np.full(3, -np.inf)
            self._nearest_allowed_m = -np.inf

    def beyond_position(self, q: Floats) -> Reason | None:
        """Why ``q`` is too far beyond the position limits, if it is."""
        for i, (x, low, high) in enumerate(zip(q, self._lower, self._upper, strict=True)):
            if not low <= x <= high:
                limits = self.limits
                limit = limits.q_upper[i] if x > high else limits.q_lower[i]
                return reason("position_limit", limits.joints[i], x, limit, "rad")
        return None

    def beyond_dynamics(self, dq: Floats, ddq: Floats, dddq: Floats) -> Reason | None:
        """A joint beyond its limit of velocity, acceleration or jerk."""
        checks = (
            ("velocity_limit", dq, self._dq_max, "rad/s"),
            ("acceleration_limit", ddq, self._ddq_max, "rad/s^2"),
            ("jerk_limit", dddq, self._dddq_max, "rad/s^3"),
        )
        for code, values, maxima, unit in checks:
            for i, (x, limit) in enumerate(zip(values, maxima, strict=True)):
                if not -limit <= x <= limit:
                    return reason(code, self.limits.joints[i], abs(x), limit, unit)
        return None

    def check(self, q: Array, dq: Array) -> Reason | None:
        """Look along a motion that ends at rest; returns what it would break first.

        Args:
            q: Last set-point, (n,), rad.
            dq: Velocities of the coming periods, (k, n), rad/s; the first is the proposal's and
                keeps the limits.
        """
        limits = self.limits
        way = np.empty((len(dq) + 1, len(q)))
        way[0] = q
        np.cumsum(dq, axis=0, out=way[1:])
        way[1:] *= limits.dt_s
        way[1:] += q
        outside = np.abs(way - self._middle) - self._half
        if outside.max() > 0.0:
            row, i = np.unravel_index(int(outside.argmax()), outside.shape)
            value = float(way[row, i])
            limit = limits.q_upper[i] if value > self._middle[i] else limits.q_lower[i]
            return reason("position_limit", limits.joints[int(i)], value, limit, "rad")
        sizes = np.abs(dq)
        shares = sizes * self._dq_max_inverse
        if shares.max() > _ROUNDING:
            row, i = np.unravel_index(int(shares.argmax()), shares.shape)
            joint, limit = limits.joints[int(i)], limits.dq_max[i]
            return reason("velocity_limit", joint, sizes[row, i], limit, "rad/s")
        too_fast = self._too_fast(way, sizes)
        if too_fast is not None:
            return too_fast
        if ((np.abs(way - self._centre) @ self._reaches).max(axis=0) < self._room).all():
            return None
        return self._look(way)

    # ----------------------------------------------------------------- private

    def _too_fast(self, way: Array, sizes: Array) -> Reason | None:
        """Stage 5: speeds of end effector and elbow; exact where a bound does not settle it."""
        doubtful = sizes @ self._point_reach > self._speeds
        if not doubtful.any():
            return None
        limits = self.limits
        rows = int(np.flatnonzero(doubtful.any(axis=1))[-1]) + 2
        points = self.geometry.paths(way[:rows])
        steps = points[:, 1:] - points[:, :-1]
        speeds = np.sqrt(np.einsum("bki,bki->bk", steps, steps).max(axis=1)) / limits.dt_s
        over = speeds / self._speeds
        if over.max() <= 1.0:
            return None
        i = int(over.argmax())
        code, name, limit = (
            ("ee_speed_limit", "end effector", limits.ee_speed_m_s),
            ("elbow_speed_limit", "elbow", limits.elbow_speed_m_s),
        )[i]
        return reason(code, name, speeds[i], limit, "m/s")

    def _look(self, way: Array) -> Reason | None:
        """Stages 6 to 8 along a way, exactly, and a new centre at its beginning."""
        near = self._take_centre(way[0])
        needed = (np.abs(way - self._centre) @ self._reaches).max(axis=0) >= self._room
        found: Reason | None = None
        if needed[0]:
            found = self._workspace(way)
        if found is None and needed[1]:
            found = self._collision(way, near.margin_m)
        if found is None and needed[2]:
            found = self._singularity(way[0], way[-1])
        return found

    def _take_centre(self, q: Array) -> Nearest:
        """Make ``q`` (n,) the centre; returns what is nearest there."""
        limits = self.limits
        near, ee, singular = self.geometry.around(q)
        box = min((ee - limits.workspace_lower).min(), (limits.workspace_upper - ee).min())
        self._centre = q
        self._room = np.array([box, near.margin_m, singular - limits.least_singular_value])
        return near

    def _workspace(self, way: Array) -> Reason | None:
        """Stage 6: outside the box, the end effector may only come nearer to it."""
        limits = self.limits
        ee = self.geometry.paths(way)[0]
        outside = np.maximum(limits.workspace_lower - ee, ee - limits.workspace_upper).max(axis=1)
        farthest = float(outside.max())
        if farthest > 0.0 and farthest > float(outside[0]) + _SLACK:
            return reason("workspace", "end effector", farthest, 0.0, "m")
        return None

    def _collision(self, way: Array, margin_m: float) -> Reason | None:
        """Stage 7: parts that are too near may only get farther from each other.

        How near they may be never falls while the arm moves on: else the slack that rounding needs
        would add up, period by period.
        """
        reach = self.geometry.reach_m
        here = max(self._nearest_allowed_m, min(0.0, margin_m) - _WORSE_M)
        self._nearest_allowed_m = here
        centre, margin = way[0], margin_m
        for row in way[1:]:
            if float(np.abs(row - centre) @ reach) < margin:
                continue
            near = self.geometry.nearest(row)
            if near.margin_m < here:
                pair = f"{near.first} with {near.second}"
                return reason("collision", pair, near.margin_m, 0.0, "m")
            centre, margin = row, near.margin_m
        return None

    def _singularity(self, here: Array, end: Array) -> Reason | None:
        """Stage 8: near a singularity, the arm may only get away from it."""
        least = self.limits.least_singular_value
        value = self.geometry.least_singular_value(end)
        if value >= least or value >= self.geometry.least_singular_value(here) - _SLACK:
            return None
        return reason("singularity", "end effector", value, least, "m")
