"""What is believed of each object from one observation to the next."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from embodied.perception.types import DRIFT_M_S, CameraView, PerceivedObject
from embodied.types import Array, ObjectSpec, Observation, Pose

LOST_STD_M = 0.3
"""Standard deviation of what is not where it was: somewhere on the table."""

MOVED_SIGMAS = 3.0
"""A measurement this far off means that the object moved."""

_STILL_M_S = 0.002
_BEHIND_M = 0.012
_SAMPLES = 60
GRASP_FORCE_N = 1.0
"""Least force on the pads of fingers that hold something."""

_GRASP_REACH_M = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measurement:
    """One object as one observation shows it."""

    color: str
    pose: Pose
    size_m: Array
    points_in_world: Array
    position_std_m: Array
    source: str


class Tracker:
    """Merges measurements over time; keeps what is hidden, forgets what has gone."""

    def __init__(self, objects: Mapping[str, ObjectSpec]) -> None:
        self._specs = objects
        self._tracks: dict[str, PerceivedObject] = {}
        self._in_hand: dict[str, Pose] = {}  # pose of a held object in the end effector's frame
        self._time: float | None = None

    @property
    def tracks(self) -> Mapping[str, PerceivedObject]:
        """All objects that were ever seen."""
        return self._tracks

    def reset(self) -> None:
        """Forget everything."""
        self._tracks.clear()
        self._in_hand.clear()
        self._time = None

    def predict(self, observation: Observation) -> Mapping[str, Pose]:
        """Where the objects should be now: what is held moves with the hand."""
        if self._time is not None and observation.time < self._time:
            self.reset()
        expected = {n: t.pose for n, t in self._tracks.items() if t.position_std_m.max() < 0.1}
        for name, in_hand in self._in_hand.items():
            expected[name] = observation.pose_ee_in_world @ in_hand
        return expected

    def update(
        self,
        observation: Observation,
        measured: Mapping[str, Measurement],
        views: Mapping[str, CameraView],
    ) -> tuple[str, ...]:
        """Take in an observation's measurements; returns what is worth saying."""
        now = observation.time
        passed = 0.0 if self._time is None else max(0.0, now - self._time)
        self._time = now
        expected = {**self.predict(observation), **self._in_drawers(measured)}
        reasons: list[str] = []
        for name, spec in self._specs.items():
            old, new = self._tracks.get(name), measured.get(name)
            if new is not None:
                self._tracks[name] = _seen(spec, old, new, now, passed, expected.get(name))
            elif old is not None:
                kept, reason = self._unseen(old, expected.get(name), views, now, passed)
                self._tracks[name] = kept
                reasons.append(reason)
        self._grasp(observation)
        return tuple(reasons)

    def _unseen(
        self,
        old: PerceivedObject,
        expected: Pose | None,
        views: Mapping[str, CameraView],
        now: float,
        passed: float,
    ) -> tuple[PerceivedObject, str]:
        name = old.name
        grown = np.sqrt(np.square(old.position_std_m) + (DRIFT_M_S * passed) ** 2)
        if expected is not None:  # it moves with the hand, or with its drawer
            shift = expected @ old.pose.inverse()
            points = shift.apply(old.points_in_world)
            old = replace(old, pose=expected, points_in_world=points, seen=False)
        if name in self._in_hand and expected is not None:
            carried = replace(old, position_std_m=np.maximum(grown, 0.004))
            return carried, f"{name!r} is hidden in the hand"
        ago = f"last seen {now - old.last_seen_s:.2f} s ago"
        if views and seen_through(old.points_in_world, views):
            std = np.maximum(grown, LOST_STD_M)
            gone = replace(old, seen=False, gone=True, position_std_m=std)
            return gone, f"{name!r} is not where it was ({ago})"
        hidden = replace(old, seen=False, position_std_m=np.minimum(grown, LOST_STD_M))
        return hidden, f"{name!r} is hidden ({ago})"

    def _in_drawers(self, measured: Mapping[str, Measurement]) -> dict[str, Pose]:
        """Where things that are not seen are by now, because the drawer that they are in moved."""
        moved: dict[str, Pose] = {}
        for drawer, spec in self._specs.items():
            old, new = self._tracks.get(drawer), measured.get(drawer)
            if spec.kind != "drawer" or old is None or new is None:
                continue
            half, shift = np.array(spec.size_m) / 2, new.pose.position - old.pose.position
            for name in self._tracks.keys() - measured.keys() - {drawer}:
                track = self._tracks[name]
                local = old.pose.inverse().apply(track.pose.position)
                inside = self._specs[name].kind == "item" and bool(np.all(np.abs(local) < half))
                if inside and not track.gone and name not in self._in_hand:
                    moved[name] = replace(track.pose, position=track.pose.position + shift)
        return moved

    def _grasp(self, observation: Observation) -> None:
        """Believe what is between the pads to be held, from width and force."""
        gripper = observation.gripper
        closed_on = gripper is not None and gripper.force_n > GRASP_FORCE_N
        hand = observation.pose_ee_in_world
        for name, track in self._tracks.items():
            spec = self._specs[name]
            if spec.kind != "item":
                continue
            inside = between_pads(spec, track.pose, observation)
            held = closed_on and (inside or name in self._in_hand)
            if held and (track.seen or name not in self._in_hand):
                self._in_hand[name] = hand.inverse() @ track.pose
            if not held:
                self._in_hand.pop(name, None)
            if track.held != held:
                self._tracks[name] = replace(track, held=held)


def between_pads(spec: ObjectSpec, pose: Pose, observation: Observation) -> bool:
    """Whether the point between the finger pads lies in an object, or just outside of it."""
    local = pose.inverse().apply(observation.pose_ee_in_world.position)
    return bool(np.all(np.abs(local) < np.array(spec.size_m) / 2 + _GRASP_REACH_M))


def _seen(
    spec: ObjectSpec,
    old: PerceivedObject | None,
    new: Measurement,
    now: float,
    passed: float,
    expected: Pose | None,
) -> PerceivedObject:
    """Kalman update per axis; a jump beyond what both believe is taken as it is."""
    reference = expected if expected is not None else (old.pose if old is not None else None)
    quat = nearest_equivalent(spec, new.pose, reference)
    position, std = np.array(new.pose.position), np.array(new.position_std_m)
    if old is not None and expected is not None:
        variance = np.square(old.position_std_m) + (_STILL_M_S * passed) ** 2
        innovation = position - expected.position
        total = variance + np.square(std)
        if np.all(np.square(innovation) < MOVED_SIGMAS**2 * total) and not old.held:
            gain = variance / total
            position = expected.position + gain * innovation
            # Errors of one place are not independent from image to image: keep a floor.
            std = np.maximum(np.sqrt((1.0 - gain) * variance), 0.7 * std)
    return PerceivedObject(
        name=spec.name,
        color=new.color,
        shape=spec.shape,
        pose=Pose(position=position, quat_wxyz=quat),
        size_m=(float(new.size_m[0]), float(new.size_m[1]), float(new.size_m[2])),
        points_in_world=new.points_in_world,
        position_std_m=std,
        last_seen_s=now,
        held=old.held if old is not None else False,
        source=new.source,
    )


def seen_through(points_in_world: Array, views: Mapping[str, CameraView]) -> bool:
    """Whether the cameras look through where these points (n, 3) were: the thing has gone."""
    step = max(1, len(points_in_world) // _SAMPLES)
    points = points_in_world[::step]
    looked = np.zeros(len(points), dtype=np.bool_)
    behind = np.zeros(len(points), dtype=np.bool_)
    blocked = np.zeros(len(points), dtype=np.bool_)
    for view in views.values():
        pixels, depth = view.project(points)
        height, width = view.depth.shape
        with np.errstate(invalid="ignore"):
            columns, rows = np.rint(pixels[:, 0]), np.rint(pixels[:, 1])
            inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        measured = np.full(len(points), np.nan)
        measured[inside] = view.depth[rows[inside].astype(int), columns[inside].astype(int)]
        known = np.isfinite(measured)
        looked |= known
        behind |= known & (measured > depth + _BEHIND_M)
        blocked |= known & (np.abs(measured - depth) <= _BEHIND_M)
    if not looked.any():
        return False
    return bool(np.mean(behind & ~blocked) > 0.5)


def nearest_equivalent(spec: ObjectSpec, pose: Pose, reference: Pose | None) -> Array:
    """Of the rotations that look alike, the one nearest to a reference (or to the world's axes).

    Returns:
        Quaternion wxyz, (4,).
    """
    aim = np.eye(3) if reference is None else reference.rotation
    rotation = pose.rotation
    if spec.shape == "sphere":
        return _quat(aim)
    if spec.shape == "cylinder":
        axis, wanted = rotation[:, 2], aim[:, 2]
        if float(axis @ wanted) < 0.0 and not any(spec.inner_size_m):
            axis = -axis
        return _quat(_swing(wanted, axis) @ aim)
    hollow = any(spec.inner_size_m)
    best = max(
        (s for s in _symmetries(spec.size_m) if not hollow or s[2, 2] > 0.5),
        key=lambda s: float(np.trace(aim.T @ rotation @ s)),
    )
    return _quat(rotation @ best)


@lru_cache(maxsize=256)
def _symmetries(size_m: tuple[float, float, float]) -> tuple[Array, ...]:
    """Proper rotations that map a box of this size onto itself."""
    size = np.array(size_m)
    found: list[Array] = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[list(order), range(3)] = signs
            same = np.allclose(size[list(order)], size, rtol=0.02)
            if same and np.linalg.det(matrix) > 0.0:
                found.append(matrix)
    return tuple(found)


def _swing(start: Array, end: Array) -> Array:
    """Shortest rotation (3, 3) that turns one unit vector into another."""
    cross, cosine = np.cross(start, end), float(start @ end)
    if cosine < -0.999999:
        other = np.eye(3)[int(np.argmin(np.abs(start)))]
        normal = np.cross(start, other)
        normal /= np.linalg.norm(normal)
        return np.asarray(2.0 * np.outer(normal, normal) - np.eye(3), np.float64)
    x, y, z = (float(v) for v in cross)
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + k + np.dot(k, k) / (1.0 + cosine)


def _quat(rotation: Array) -> Array:
    return Pose.from_rotation(rotation).quat_wxyz
