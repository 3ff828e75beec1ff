# pyright: reportAttributeAccessIssue=false
"""The motion planner: inverse kinematics, collision-free paths and timing in one interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from embodied.types import Array, JointTrajectory, Pose, WorldSpec
from embodied_planners.motion import search
from embodied_planners.motion.kinematics import ArmKinematics, IkResult
from embodied_planners.motion.scene import Clearance, PlanningScene
from embodied_planners.motion.timing import JointLimits, resample, round_corners, time_parametrise

_STEP_RAD = 0.025  # largest joint motion between two collision checks while searching a path
_CHECK_RAD = 0.006  # the same for the finished path: narrow gaps are not stepped over
_LINE_STEP_M = 0.015  # distance between two inverse-kinematics solutions on a Cartesian line
_LINE_JUMP_RAD = 0.25  # largest joint motion between two such solutions
_CORNER_S = 0.16  # half width of rounded corners, in seconds at full speed
_RRT_CHECKS = 4000  # collision checks after which a search gives up
_VELOCITY = 0.7  # fraction of the velocity limits that trajectories use
_ACCELERATION = 0.6  # fraction of the acceleration limits
_JERK = 0.1  # fraction of the jerk limits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """A stretch of a path with the clearance that it was planned with.

    Attributes:
        path: Corner points, (m, n), rad; empty (0, n) if there is none.
        clearance: What every point of it keeps.
        reason: Why there is no path; empty when there is one.
    """

    path: Array
    clearance: Clearance
    reason: str = ""

    @property
    def found(self) -> bool:
        """Whether there is a path."""
        return self.path.shape[0] > 0

    @property
    def end(self) -> Array:
        """Last configuration, (n,)."""
        return self.path[-1]

    def reversed(self) -> Segment:
        """The same stretch from its end to its start."""
        return replace(self, path=self.path[::-1])


class MotionPlanner:
    """Plans motions of the arm among the objects of a scene.

    Every answer is a value: a result that says found, or one that says why not. Equal seeds and
    equal calls give equal answers.

    Args:
        model: Model of the scene for kinematics and collisions; copied.
        spec: The world that it stands for.
        seed: Seed of sampled paths and inverse-kinematics seeds.

    Attributes:
        scene: The planning scene; update it from the latest observation before planning.
        kinematics: Kinematics of the arm.
    """

    def __init__(self, model: mujoco.MjModel, spec: WorldSpec, seed: int = 0) -> None:
        self.spec = spec
        self.kinematics = ArmKinematics(model, spec)
        self.scene = PlanningScene(model, spec, self.kinematics)
        self.limits = JointLimits.of(
            spec, velocity=_VELOCITY, acceleration=_ACCELERATION, jerk=_JERK
        )
        self._rng = np.random.default_rng(seed)

    # ---- inverse kinematics

    def rest_towards(self, pose: Pose) -> Array:
        """The rest configuration turned about the first joint to face a pose, (n,)."""
        rest = np.array(self.spec.q_home)
        upright = self.kinematics.first_axis[2]
        if not self.kinematics.turns or abs(upright) < 0.9:
            return rest
        offset = pose.position[:2] - self.kinematics.first_anchor[:2]
        rest[0] = np.clip(
            rest[0] + np.sign(upright) * np.arctan2(offset[1], offset[0]),
            self.kinematics.q_lower[0],
            self.kinematics.q_upper[0],
        )
        return rest

    def ik(
        self,
        pose: Pose,
        clearance: Clearance | None = None,
        *,
        near: Array | None = None,
        seeds: int = 4,
    ) -> IkResult:
        """Collision-free configuration for a pose, of several the one nearest to ``near``.

        Seeds are the rest configuration turned towards the pose, ``near`` and random variations;
        the first seed that works without collision ends the search, unless ``near`` is nearer.

        Args:
            pose: Wanted pose of the end effector in the world.
            clearance: What the configuration must keep; no collision check if None.
            near: Configuration to stay near, (n,).
            seeds: Number of seeds.

        Returns:
            ``found`` is False when no seed reaches the pose without collision.
        """
        rest = self.rest_towards(pose)
        tries: list[Array] = [] if near is None else [near]
        tries.append(rest)
        failed: IkResult | None = None
        while len(tries) < seeds:
            tries.append(rest + self._rng.normal(0.0, 0.4, self.kinematics.n))
        for seed in tries[:seeds]:
            result = self.kinematics.solve(pose, seed, rest=rest)
            collides = (
                result.found and clearance is not None and not self.scene.valid(result.q, clearance)
            )
            if result.found and not collides:
                return result
            if failed is None or (result.found and not failed.found):
                failed = result
        assert failed is not None
        return replace(failed, found=False)

    # ---- paths

    def line(
        self, start: Array, target: Pose, clearance: Clearance, *, label: str = "line"
    ) -> Segment:
        """Straight Cartesian motion from a configuration, orientation turning evenly.

        Args:
            start: Configuration at the start, (n,).
            target: Pose of the end effector at the end.
            clearance: What the motion keeps.
            label: Names the motion in reasons.
        """
        first = self.kinematics.pose(start)
        distance = float(np.linalg.norm(target.position - first.position))
        angle = 2 * float(np.arccos(min(1.0, abs(float(first.quat_wxyz @ target.quat_wxyz)))))
        count = max(int(np.ceil(max(distance / _LINE_STEP_M, angle / 0.1))), 1)
        path = [np.array(start)]
        for k in range(1, count + 1):
            result = self.kinematics.solve(
                interpolate_pose(first, target, k / count), path[-1], rest=path[-1], iterations=12
            )
            if not result.found:
                return self._none(clearance, f"{label}: out of reach {k}/{count} of the way")
            jump = float(np.max(np.abs(result.q - path[-1])))
            if jump > _LINE_JUMP_RAD:
                return self._none(clearance, f"{label}: the arm would have to reconfigure")
            if not self.scene.valid(result.q, clearance):
                return self._none(clearance, f"{label}: {self.explain(result.q, clearance)}")
            path.append(np.array(result.q))
        return Segment(path=np.array(path), clearance=clearance)

    def transit(self, start: Array, goal: Array, clearance: Clearance) -> Segment:
        """Collision-free motion between two configurations.

        A straight line in joint space if that is free, else RRT-Connect in the neighbourhood of
        both ends, else in the whole joint space; then shortcuts.

        Args:
            start: Start, (n,).
            goal: Goal, (n,).
            clearance: What the motion keeps; pairs that are closer at the start or the goal
                are relaxed to that.
        """
        clearance = self.scene.relaxed(clearance, start, goal)

        def valid(q: Array) -> bool:
            return self.scene.valid(q, clearance)

        for q, name in ((start, "the start"), (goal, "the goal")):
            if not valid(q):
                return self._none(clearance, f"{name}: {self.explain(q, clearance)}")
        if search.line_is_valid(start, goal, valid, _STEP_RAD):
            return Segment(path=np.array([start, goal]), clearance=clearance)
        lower, upper = self.kinematics.q_lower, self.kinematics.q_upper
        near_lower = np.maximum(lower, np.minimum(start, goal) - 0.7)
        near_upper = np.minimum(upper, np.maximum(start, goal) + 0.7)
        spent = 0
        for low, high, share in ((near_lower, near_upper, 0.5), (lower, upper, 1.0)):
            result = search.rrt_connect(
                start,
                goal,
                valid,
                lower=low,
                upper=high,
                seed=int(self._rng.integers(1 << 30)),
                max_checks=int(_RRT_CHECKS * share),
                step=_STEP_RAD,
            )
            spent += result.checks
            if result.found:
                path = search.shortcut(result.path, valid, self._rng, step=_STEP_RAD)
                return Segment(path=path, clearance=clearance)
        return self._none(clearance, f"no collision-free path within {spent} checks")

    # ---- trajectories

    def trajectory(self, segments: Sequence[Segment], *, speed: float = 1.0) -> JointTrajectory:
        """One smooth trajectory through consecutive segments, at rest only at its ends.

        Corners are rounded as far as the clearance of the adjoining segments allows; a corner
        that allows no rounding is passed at rest.

        Args:
            segments: Each starts where the one before it ends; all were found.
            speed: Factor on the speed, at most 1.

        Raises:
            ValueError: A segment was not found, or does not start where the last one ended.
        """
        for before, after in zip(segments, segments[1:], strict=False):
            if np.max(np.abs(before.path[-1] - after.path[0])) > 1e-6:
                raise ValueError("segments must start where the one before ends")
        if not all(s.found for s in segments):
            raise ValueError(f"segments without a path: {[s.reason for s in segments]}")
        path = np.vstack([segments[0].path[:1], *[s.path[1:] for s in segments]])
        scale = self.limits.dq
        owner = np.concatenate(
            [np.full(len(s.path) - 1, i, dtype=int) for i, s in enumerate(segments)]
        )
        steps = np.max(np.abs(np.diff(path, axis=0)) / scale, axis=1)
        ends = np.concatenate([[0.0], np.cumsum(steps)])
        count = int(np.clip(ends[-1] / 0.008, 24, 400))
        s, points = resample(path, scale, count)
        if len(points) < 2:
            return time_parametrise(s, points, self.limits, dt=self.spec.control_dt_s)
        boundaries = [float(ends[np.searchsorted(owner, i)]) for i in range(1, len(segments))]
        spacing = float(s[1] - s[0])
        for factor in (1.0, 0.5, 0.25):
            half = int(_CORNER_S * factor / spacing)
            rounded = round_corners(points, half)
            if self._keeps(rounded, s, boundaries, half * spacing, segments):
                return time_parametrise(
                    s, rounded, self.limits, dt=self.spec.control_dt_s, speed=speed
                )
        return self._stop_at_corners(path, speed)

    def _keeps(
        self,
        points: Array,
        s: Array,
        boundaries: Sequence[float],
        reach: float,
        segments: Sequence[Segment],
    ) -> bool:
        """Whether a rounded path keeps the clearance of the segments each point belongs to."""
        last = points[0]
        for k in range(1, len(points)):
            moved = float(np.max(np.abs(points[k] - last)))
            if moved < _CHECK_RAD and k < len(points) - 1:
                continue
            last = points[k]
            own = int(np.searchsorted(boundaries, s[k]))
            adjoining = {own}
            for i, boundary in enumerate(boundaries):
                if abs(s[k] - boundary) <= reach + 1e-9:
                    adjoining |= {i, i + 1}
            if not any(self.scene.valid(points[k], segments[i].clearance) for i in adjoining):
                return False
        return True

    def _stop_at_corners(self, path: Array, speed: float) -> JointTrajectory:
        """Pass every real corner of the polyline at rest."""
        pieces: list[JointTrajectory] = []
        start = 0
        for i in range(1, len(path)):
            if i < len(path) - 1:
                a, b = path[i] - path[i - 1], path[i + 1] - path[i]
                cosine = float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
                if cosine > 0.98:
                    continue
            s, points = resample(path[start : i + 1], self.limits.dq, 60)
            points = round_corners(points, 6)
            pieces.append(
                time_parametrise(s, points, self.limits, dt=self.spec.control_dt_s, speed=speed)
            )
            start = i
        return concatenate(pieces)

    # ---- reasons

    def explain(self, q: Array, clearance: Clearance) -> str:
        """Which things are too close at a configuration, in words."""
        pairs = self.scene.obstacles(q, clearance)[:3]
        return ", ".join(f"{a} too close to {b}" for a, b in pairs) or "collision"

    def _none(self, clearance: Clearance, reason: str) -> Segment:
        return Segment(path=np.empty((0, self.kinematics.n)), clearance=clearance, reason=reason)


def interpolate_pose(a: Pose, b: Pose, fraction: float) -> Pose:
    """Pose on the straight line from a to b, orientation by spherical interpolation."""
    qa, qb = np.array(a.quat_wxyz), np.array(b.quat_wxyz)
    cosine = float(qa @ qb)
    if cosine < 0:
        qb, cosine = -qb, -cosine
    angle = float(np.arccos(min(cosine, 1.0)))
    if angle < 1e-6:
        quat = qa + fraction * (qb - qa)
    else:
        quat = (np.sin((1 - fraction) * angle) * qa + np.sin(fraction * angle) * qb) / np.sin(angle)
    return Pose(position=a.position + fraction * (b.position - a.position), quat_wxyz=quat)


def concatenate(pieces: Sequence[JointTrajectory]) -> JointTrajectory:
    """One trajectory after the other; each starts where the last one ended."""
    time = [pieces[0].time]
    for piece in pieces[1:]:
        time.append(piece.time[1:] + time[-1][-1])

    def join(name: str) -> Array:
        return np.vstack([getattr(pieces[0], name), *[getattr(p, name)[1:] for p in pieces[1:]]])

    return JointTrajectory(time=np.concatenate(time), q=join("q"), dq=join("dq"), ddq=join("ddq"))
