"""Stages 3 to 8 of the safety filter: what a motion must keep.

This runs every period. For a handful of joints, plain floats are faster than arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embodied.types._geometry import Array
from embodied.world.bridge._types import Reason
from embodied.world.bridge.geometry import ArmGeometry
from embodied.world.bridge.limits import SafetyLimits
from embodied.world.bridge.reasons import reason

_ROUNDING = 1.0 + 1e-9
_SLACK = 1e-9
_GAP_M = 1e-3
_WORSE_M = 1e-5

Floats = Sequence[float]


class MotionChecks:
    """Checks set-points and the ways to rest that start from them.

    Distances are exact at the *centre* of a bubble. A configuration whose parts have moved, by
    ``sum_i reach_i |q_i - centre_i|`` at most, less than the margin there needs no look. Where the
    margin is smaller than one period's motion, each set-point of the way is looked at.

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
        self._steps_m = np.array([limits.ee_speed_m_s, limits.elbow_speed_m_s]) * limits.dt_s
        self._box_middle = (limits.workspace_lower + limits.workspace_upper) / 2
        self._box_half = (limits.workspace_upper - limits.workspace_lower) / 2
        self._slope = 1.0 + float(geometry.reach_m[0])
        n = len(limits.joints)
        self._centre: Array = np.zeros(n)
        self._margin_m = -np.inf
        self._gap_m = -1.0
        self._singular_centre: Array = np.zeros(n)
        self._singular_value = -np.inf

    def start(self, q: Array) -> None:
        """Begin at ``q`` (n,)."""
        self._centre = q.copy()
        self._margin_m = self.geometry.nearest(q).margin_m
        self._singular_value = -np.inf

    def gripper(self, gap_m: float) -> None:
        """The fingers are this far open."""
        if abs(gap_m - self._gap_m) > _GAP_M:
            self.geometry.set_gap(gap_m)
            self._gap_m = gap_m
            self._margin_m = -np.inf

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
        shares = np.abs(dq) / limits.dq_max
        if shares.max() > _ROUNDING:
            row, i = np.unravel_index(int(shares.argmax()), shares.shape)
            joint, limit = limits.joints[int(i)], limits.dq_max[i]
            return reason("velocity_limit", joint, abs(dq[row, i]), limit, "rad/s")
        return self._cartesian(way) or self._collision(way) or self._singularity(way[0], way[-1])

    # ----------------------------------------------------------------- private

    def _cartesian(self, way: Array) -> Reason | None:
        """Stages 5 and 6: speeds of end effector and elbow, workspace."""
        limits = self.limits
        points = self.geometry.paths(way)
        steps = points[:, 1:] - points[:, :-1]
        longest = np.sqrt(np.einsum("bki,bki->bk", steps, steps).max(axis=1))
        over = longest / self._steps_m
        if over.max() > _ROUNDING:
            i = int(over.argmax())
            code, name, limit = (
                ("ee_speed_limit", "end effector", limits.ee_speed_m_s),
                ("elbow_speed_limit", "elbow", limits.elbow_speed_m_s),
            )[i]
            return reason(code, name, longest[i] / limits.dt_s, limit, "m/s")
        outside = (np.abs(points[0] - self._box_middle) - self._box_half).max(axis=1)
        farthest = float(outside.max())
        if farthest > 0.0 and farthest > float(outside[0]) + _SLACK:
            return reason("workspace", "end effector", farthest, 0.0, "m")
        return None

    def _collision(self, way: Array) -> Reason | None:
        """Stage 7: distances along the way."""
        reach = self.geometry.reach_m
        if (np.abs(way - self._centre) @ reach).max() < self._margin_m:
            return None
        first = self.geometry.nearest(way[0])
        here = min(0.0, first.margin_m) - _WORSE_M
        centre, margin = way[0], first.margin_m
        for row in way[1:]:
            if float(np.abs(row - centre) @ reach) < margin:
                continue
            near = self.geometry.nearest(row)
            if near.margin_m < here:
                pair = f"{near.first} with {near.second}"
                return reason("collision", pair, near.margin_m, 0.0, "m")
            centre, margin = row, near.margin_m
        self._centre, self._margin_m = way[0], first.margin_m
        return None

    def _singularity(self, here: Array, end: Array) -> Reason | None:
        """Stage 8.

        ``|sigma(q) - sigma(p)| <= slope |q - p|_1`` for the least singular value sigma, since a
        joint's motion turns and shifts the columns of the Jacobian by no more; this spares most
        decompositions.
        """
        least = self.limits.least_singular_value
        moved = self._slope * float(np.abs(end - self._singular_centre).sum())
        if self._singular_value - moved > least:
            return None
        value = self.geometry.least_singular_value(end)
        self._singular_centre, self._singular_value = end, value
        if value >= least or value >= self.geometry.least_singular_value(here) - _SLACK:
            return None
        return reason("singularity", "end effector", value, least, "m")
