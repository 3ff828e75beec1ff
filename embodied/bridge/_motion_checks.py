"""Checks 3 to 8 of the safety filter: limits of a motion.

This runs every period. For a handful of joints, plain floats are faster than arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import le, mul

import numpy as np

from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import SafetyLimits
from embodied.bridge.messages import Reason
from embodied.bridge.reasons import reason
from embodied.types import Array

_ROUNDING = 1.0 + 1e-9
_SLACK = 1e-9
_GAP_M = 1e-3
_WORSE_M = 1e-5
_SAG_M = 1e-3
_SHARES = (1.0, 0.75, 0.5, 0.25)
_POINTS = np.repeat(np.eye(2), 3, axis=0)
"""Sums the squares of six numbers by threes."""

Floats = Sequence[float]


class MotionChecks:
    """Checks set-points and the ways to rest that start from them.

    What is near, and what the arm's kinematics are, is exact at *centres*. From a centre c to q,
    with joints turned by ``d_i = |q_i - c_i|``,

    * no part moves farther than ``sum_i reach_i d_i``, the end effector no farther than
      ``sum_i r_i d_i``, where r_i is its largest distance from axis i;
    * the least singular value changes by at most ``sum_i slope_i d_i``;
    * the velocity of end effector or elbow differs from ``J(c) dq`` by at most
      ``sum_i R_i |dq_i| sum_j d_j``, since ``|d^2 p / dq_i dq_j|`` is at most the distance from
      the more distal one of both axes, and R_i is the largest r from joint i on.

    While these leave room, nothing needs a look. Where the distance is smaller than one period's
    motion, each set-point of the way is looked at.

    Args:
        limits: What is allowed.
        geometry: Where the arm's parts are.
    """

    def __init__(self, limits: SafetyLimits, geometry: ArmGeometry) -> None:
        self.limits = limits
        self.geometry = geometry
        self._lower: list[float] = (limits.q_lower - limits.clamp_rad).tolist()
        self._upper: list[float] = (limits.q_upper + limits.clamp_rad).tolist()
        self._lowest: list[float] = (limits.q_lower - _SLACK).tolist()
        self._highest: list[float] = (limits.q_upper + _SLACK).tolist()
        self._dq_max: list[float] = (limits.dq_max * _ROUNDING).tolist()
        self._ddq_max: list[float] = (limits.ddq_max * _ROUNDING).tolist()
        self._dddq_max: list[float] = (limits.dddq_max * _ROUNDING).tolist()
        self._speeds = (limits.ee_speed_m_s * _ROUNDING, limits.elbow_speed_m_s * _ROUNDING)
        self._reach: list[float] = geometry.reach_m.tolist()
        self._ee_reach, self._elbow_reach = geometry.point_reach_m.T.tolist()
        beyond = np.maximum.accumulate(geometry.point_reach_m[::-1])[::-1]
        self._ee_bend, self._elbow_bend = beyond.T.tolist()
        self._slope: list[float] = geometry.singular_slope.tolist()
        n = len(limits.joints)
        self._near_at: list[float] = [0.0] * n
        self._margin_m = -np.inf
        self._posture_at: list[float] = [0.0] * n
        self._jacobian = np.zeros((n, 6))
        self._box_room_m = -np.inf
        self._singular = -np.inf
        self._gaps_m = (-1.0, -1.0)
        geometry.set_gap(0.0, 0.0)
        geometry.hold(np.zeros(n), 0.0)
        self._floor_m = self._session_floor_m = -np.inf

    def start(self, q: Floats, *, known: bool) -> Reason | None:
        """Begin at ``q`` (n,); returns why that cannot be.

        Args:
            q: The measured pose.
            known: A person vouches for it, or it is the first; else the arm may be hardly nearer
                to things than this session let it come before: taking over again renews nothing.
        """
        self._look_around(q)
        self._take_posture(q)
        if known:
            self._session_floor_m = min(0.0, self._margin_m) - _WORSE_M
        if self._margin_m < self._session_floor_m - _SAG_M:
            return reason("collision", value=self._margin_m, limit=self._session_floor_m, unit="m")
        self._floor_m = min(self._session_floor_m, self._margin_m)
        return None

    def fingers(self, narrowest_m: float, widest_m: float, q: Floats) -> None:
        """The fingers are between these gaps by themselves, the arm is at ``q`` (n,).

        Fingers may come nearer to things than the arm may take them. What is left of the slack
        for rounding stays as it was: else fingers that move back and forth would renew it.
        """
        gaps = zip((narrowest_m, widest_m), self._gaps_m, strict=True)
        if all([abs(new - old) <= _GAP_M for new, old in gaps]):
            return
        left_m = np.inf
        if self._floor_m > -np.inf:
            self._look_around(q)
            left_m = max(0.0, min(0.0, self._margin_m) - self._floor_m)
        self._span(narrowest_m, widest_m, q)
        self._floor_m = min(-_WORSE_M, min(0.0, self._margin_m) - left_m)
        self._session_floor_m = min(self._session_floor_m, self._floor_m)

    def open_to(self, gap_m: float, q: Floats) -> tuple[float, Reason | None]:
        """Let the fingers go to a gap as far as nothing is in the way, the arm at ``q`` (n,).

        Returns:
            The gap that they may go to, and what is in the way of going on.
        """
        narrowest, widest = before = self._gaps_m
        if narrowest <= gap_m <= widest or narrowest < 0.0:
            return gap_m, None
        self._look_around(q)
        least = max(self._floor_m, min(0.0, self._margin_m) - _WORSE_M)
        edge = widest if gap_m > widest else narrowest
        found: Reason | None = None
        for share in _SHARES:
            to = edge + share * (gap_m - edge)
            self._span(min(narrowest, to), max(widest, to), q)
            if self._margin_m >= least:
                return to, found
            near = self.geometry.nearest(np.array(q))
            pair = f"{near.first} with {near.second}"
            found = reason("collision", pair, near.margin_m, 0.0, "m")
        self._span(*before, q)
        return edge, found

    def forget_fingers(self, gaps_m: tuple[float, float], q: Floats) -> None:
        """They are not told to go there after all: back to the gaps before."""
        if gaps_m != self._gaps_m:
            self._span(*gaps_m, q)

    @property
    def gaps_m(self) -> tuple[float, float]:
        """The fingers are anywhere between these."""
        return self._gaps_m

    def hold(self, size_m: float, q: Floats) -> None:
        """What is between the fingers, this wide, is part of the arm; 0 is nothing."""
        self.geometry.hold(np.array(q), size_m)
        self._look_around(q)

    def beyond_position(self, q: Floats) -> Reason | None:
        """Why ``q`` is too far beyond the position limits, if it is."""
        limits = zip(q, self._lower, self._upper, strict=True)
        if all([low <= x <= high for x, low, high in limits]):
            return None
        for i, (x, low, high) in enumerate(zip(q, self._lower, self._upper, strict=True)):
            if not low <= x <= high:
                limits = self.limits
                limit = limits.q_upper[i] if x > high else limits.q_lower[i]
                return reason("position_limit", limits.joints[i], x, limit, "rad")
        return None

    def keeps_dynamics(self, dq: Floats, ddq: Floats, dddq: Floats) -> bool:
        """Whether all joints are within their limits of velocity, acceleration and jerk."""
        limits = zip(dq, ddq, dddq, self._dq_max, self._ddq_max, self._dddq_max, strict=True)
        return all([-vm <= v <= vm and -am <= a <= am and -jm <= j <= jm
                    for v, a, j, vm, am, jm in limits])  # fmt: skip

    def beyond_dynamics(self, dq: Floats, ddq: Floats, dddq: Floats) -> Reason | None:
        """A joint beyond its limit of velocity, acceleration or jerk."""
        if self.keeps_dynamics(dq, ddq, dddq):
            return None
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

    def check(self, q: Floats, ways: Sequence[Floats]) -> Reason | None:
        """Look along a motion that ends at rest; returns what it would break first.

        Args:
            q: Last set-point, (n,), rad.
            ways: Velocities of the coming periods, (k, n), rad/s; the first is the proposal's and
                keeps the limits.
        """
        h = self.limits.dt_s
        columns = [*zip(*ways, strict=True)]
        turned = [h * sum(map(abs, c)) for c in columns]
        fastest = [max(max(c), -min(c)) for c in columns]
        found = None
        if not all([a <= x - d and x + d <= b for x, d, a, b
                    in zip(q, turned, self._lowest, self._highest, strict=True)]):  # fmt: skip
            found = self._out_of_range(self.way(q, ways))
        if found is None and not all(map(le, fastest, self._dq_max)):
            i = int(np.argmax(np.array(fastest) / self.limits.dq_max))
            joint, limit = self.limits.joints[i], self.limits.dq_max[i]
            found = reason("velocity_limit", joint, fastest[i], limit, "rad/s")
        return found or self._too_fast(q, ways, turned, fastest) or self._places(q, ways, turned)

    def way(self, q: Floats, ways: Sequence[Floats]) -> Array:
        """Set-points of a motion, beginning with the last one, (k + 1, n)."""
        way = np.empty((len(ways) + 1, len(q)))
        way[0] = q
        np.cumsum(ways, axis=0, out=way[1:])
        way[1:] *= self.limits.dt_s
        way[1:] += q
        return way

    # ----------------------------------------------------------------- private

    def _span(self, narrowest_m: float, widest_m: float, q: Floats) -> None:
        self.geometry.set_gap(narrowest_m, widest_m)
        self._gaps_m = (narrowest_m, widest_m)
        self._look_around(q)

    def _out_of_range(self, way: Array) -> Reason | None:
        """Stage 3 along a way."""
        limits = self.limits
        outside = np.maximum(limits.q_lower - way, way - limits.q_upper)
        if outside.max() <= _SLACK:
            return None
        row, i = np.unravel_index(int(outside.argmax()), outside.shape)
        value = float(way[row, i])
        limit = limits.q_upper[i] if value > limits.q_upper[i] else limits.q_lower[i]
        return reason("position_limit", limits.joints[int(i)], value, limit, "rad")

    def _too_fast(
        self, q: Floats, ways: Sequence[Floats], turned: Floats, fastest: Floats
    ) -> Reason | None:
        """Stage 5: speeds of end effector and elbow; exact where bounds do not settle it."""
        ee_limit, elbow_limit = self._speeds
        if (
            sum(map(mul, fastest, self._ee_reach)) <= ee_limit
            and sum(map(mul, fastest, self._elbow_reach)) <= elbow_limit
        ):
            return None
        ee_bend = sum(map(mul, fastest, self._ee_bend))
        elbow_bend = sum(map(mul, fastest, self._elbow_bend))
        rows, doubtful = np.array(ways), len(ways)
        for again in (False, True):
            if again:
                self._take_posture(q)
            away = sum(self._away(q, self._posture_at, turned))
            ee_room, elbow_room = ee_limit - away * ee_bend, elbow_limit - away * elbow_bend
            if ee_room > 0.0 and elbow_room > 0.0:
                velocities = rows @ self._jacobian
                over = (velocities * velocities) @ _POINTS > (ee_room**2, elbow_room**2)
                if not over.any():
                    return None
                doubtful = int(np.flatnonzero(over.any(axis=1))[-1]) + 1
        return self._measured_speeds(self.way(q, ways[:doubtful]))

    def _measured_speeds(self, way: Array) -> Reason | None:
        limits = self.limits
        points = self.geometry.paths(way)
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

    def _places(self, q: Floats, ways: Sequence[Floats], turned: Floats) -> Reason | None:
        """Stages 6 to 8: bounds first, then a new centre, then each set-point."""
        found: Reason | None = None
        away = self._away(q, self._posture_at, turned)
        box = sum(map(mul, away, self._ee_reach)) >= self._box_room_m
        singular = sum(map(mul, away, self._slope)) >= self._singular
        if box or singular:
            self._take_posture(q)
            box = sum(map(mul, turned, self._ee_reach)) >= self._box_room_m
            singular = sum(map(mul, turned, self._slope)) >= self._singular
        if box:
            found = self._workspace(self.way(q, ways))
        away = self._away(q, self._near_at, turned)
        if found is None and sum(map(mul, away, self._reach)) >= self._margin_m:
            self._look_around(q)
            if sum(map(mul, turned, self._reach)) >= self._margin_m:
                found = self._collision(self.way(q, ways), self._margin_m)
        if found is None and singular:
            way = self.way(q, ways)
            found = self._singularity(way[0], way[-1])
        return found

    @staticmethod
    def _away(q: Floats, centre: Floats, turned: Floats) -> list[float]:
        """How far joints get from a centre at most on a way from ``q`` along which they turn."""
        return [abs(x - c) + d for x, c, d in zip(q, centre, turned, strict=True)]

    def _take_posture(self, q: Floats) -> None:
        """Kinematics at ``q`` (n,)."""
        if q == self._posture_at and self._singular > -np.inf:
            return
        limits = self.limits
        posture = self.geometry.posture(np.array(q))
        ee = posture.ee
        lower, upper = limits.workspace_lower, limits.workspace_upper
        self._box_room_m = float(min((ee - lower).min(), (upper - ee).min()))
        self._singular = posture.least_singular_value - limits.least_singular_value
        self._jacobian = posture.jacobian
        self._posture_at = [*q]

    def _look_around(self, q: Floats) -> None:
        """What is near at ``q`` (n,)."""
        self._margin_m = self.geometry.nearest(np.array(q)).margin_m
        self._near_at = [*q]

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
        here = max(self._floor_m, min(0.0, margin_m) - _WORSE_M)
        self._floor_m = here
        self._session_floor_m = max(self._session_floor_m, here)
        centre, margin = way[0], margin_m
        for row in way[1:]:
            if float(np.abs(row - centre) @ self.geometry.reach_m) < margin:
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
