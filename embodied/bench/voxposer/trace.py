"""The recording of an episode, and the predicates that judge it.

Predicates read the simulator's own state: they are ground truth by nature, and nothing of them is
seen by perception, planner or translator. What was planned or commanded plays no part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, ObjectSpec, Observation, Pose

Vector = Sequence[float] | Array

SPEED_WINDOW = 6
"""Speeds are measured over so many samples: noise of single steps is not motion."""

SPEED_SLACK = 1.15
"""A speed limit counts as kept up to this factor, plus ``SPEED_FLOOR_M_S``."""
SPEED_FLOOR_M_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """Recorded state, one row a control period.

    Attributes:
        time: (T,), s.
        ee: Position of the end effector in the world, (T, 3), m.
        width: Gap of the gripper, (T,), m.
        force: Force on its pads, (T,), N.
        positions: Centre of every object, (T, 3).
        quats: Its orientation wxyz, (T, 4).
        openings: Opening of every drawer, (T,), m.
        specs: The objects.
        disturbed_s: When the scene was disturbed; None if it was not.
    """

    time: Array
    ee: Array
    width: Array
    force: Array
    positions: Mapping[str, Array]
    quats: Mapping[str, Array]
    openings: Mapping[str, Array]
    specs: Mapping[str, ObjectSpec]
    disturbed_s: float | None = None

    def speeds(self) -> Array:
        """Speed of the end effector, (T,), m/s."""
        k = SPEED_WINDOW
        if len(self.time) <= k:
            return np.zeros(len(self.time))
        step = np.linalg.norm(self.ee[k:] - self.ee[:-k], axis=1)
        speed = step / np.maximum(self.time[k:] - self.time[:-k], 1e-9)
        before, after = k // 2, k - k // 2
        return np.concatenate([np.repeat(speed[:1], before), speed, np.repeat(speed[-1:], after)])

    def from_surface(self, name: str, points: Array) -> Array:
        """Distance of points (T, 3) to the surface of an object at the same times, m."""
        found = np.empty(len(points))
        for i, point in enumerate(points):
            pose = Pose(position=self.positions[name][i], quat_wxyz=self.quats[name][i])
            found[i] = surface_distance(self.specs[name], pose.inverse().apply(point))
        return found


@dataclass(slots=True)
class Recorder:
    """Collects observations of an episode."""

    specs: Mapping[str, ObjectSpec]
    rows: list[Observation] = field(default_factory=list[Observation])
    disturbed_s: float | None = None

    def trace(self) -> Trace:
        """All that was recorded."""
        rows = self.rows
        names = list(rows[0].poses)
        return Trace(
            time=np.array([o.time for o in rows]),
            ee=np.array([o.pose_ee_in_world.position for o in rows]),
            width=np.array([o.gripper.width_m if o.gripper else np.nan for o in rows]),
            force=np.array([o.gripper.force_n if o.gripper else 0.0 for o in rows]),
            positions={n: np.array([o.poses[n].position for o in rows]) for n in names},
            quats={n: np.array([o.poses[n].quat_wxyz for o in rows]) for n in names},
            openings={n: np.array([o.openings_m[n] for o in rows]) for n in rows[0].openings_m},
            specs=self.specs,
            disturbed_s=self.disturbed_s,
        )


def surface_distance(spec: ObjectSpec, point: Array) -> float:
    """Distance of a point (3,) in an object's own frame to its surface; 0 inside, m."""
    half = np.array(spec.size_m) / 2
    if spec.shape == "sphere":
        return max(0.0, float(np.linalg.norm(point)) - half[0])
    if spec.shape == "cylinder":
        side = max(0.0, float(np.hypot(point[0], point[1])) - half[0])
        return float(np.hypot(side, max(0.0, abs(point[2]) - half[2])))
    return float(np.linalg.norm(np.maximum(np.abs(point) - half, 0.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One predicate.

    Attributes:
        text: What must hold.
        holds: Whether it does in a trace.
    """

    text: str
    holds: Callable[[Trace], bool]


def ends_at(frame: str, offset: Vector, tolerance_m: float = 0.03) -> Check:
    """The gripper ends at a place relative to an object's centre."""
    shift = np.array(offset)

    def holds(t: Trace) -> bool:
        goal = t.positions[frame][-1] + shift
        return float(np.linalg.norm(t.ee[-1] - goal)) <= tolerance_m

    return Check(
        text=f"the gripper ends within {100 * tolerance_m:g} cm of its place at the {frame}",
        holds=holds,
    )


def ends_in(lower: Vector, upper: Vector, slack_m: float = 0.01) -> Check:
    """The gripper ends in a part of the table (x and y bounds)."""
    low, high = np.array(lower) - slack_m, np.array(upper) + slack_m

    def holds(t: Trace) -> bool:
        return bool(np.all(t.ee[-1, :2] >= low) and np.all(t.ee[-1, :2] <= high))

    return Check(text="the gripper ends in the region", holds=holds)


def stays_on_side(frame: str, side: Vector, moving: str = "", slack_m: float = 0.01) -> Check:
    """What moves (the gripper, if unnamed) is never on the other side of an object's centre."""
    n = np.array(side)

    def holds(t: Trace) -> bool:
        track = t.positions[moving] if moving else t.ee
        return float(np.min((track - t.positions[frame]) @ n)) >= -slack_m

    return Check(text=f"the {moving or 'gripper'} stays on its side of the {frame}", holds=holds)


def keeps_away(frame: str, distance_m: float, moving: str = "", slack_m: float = 0.01) -> Check:
    """What moves never comes closer to an object's surface."""

    def holds(t: Trace) -> bool:
        track = t.positions[moving] if moving else t.ee
        return float(np.min(t.from_surface(frame, track))) >= distance_m - slack_m

    return Check(
        text=f"the {moving or 'gripper'} stays {100 * distance_m:g} cm from the {frame}",
        holds=holds,
    )


def slow_near(frame: str, distance_m: float, speed_m_s: float) -> Check:
    """Near an object the gripper keeps to a speed, and it was there."""

    def holds(t: Trace) -> bool:
        inside = t.from_surface(frame, t.ee) <= distance_m
        return _kept(t, inside, speed_m_s)

    return Check(
        text=f"at most {100 * speed_m_s:g} cm/s within {100 * distance_m:g} cm of the {frame},"
        " and faster elsewhere",
        holds=holds,
    )


def slow_in(lower: Vector, upper: Vector, speed_m_s: float) -> Check:
    """In a part of the table the gripper keeps to a speed, and it was there."""
    low, high = np.array(lower), np.array(upper)

    def holds(t: Trace) -> bool:
        inside = np.all((t.ee[:, :2] >= low) & (t.ee[:, :2] <= high), axis=1)
        return _kept(t, inside, speed_m_s)

    return Check(
        text=f"at most {100 * speed_m_s:g} cm/s in the region, and faster elsewhere", holds=holds
    )


def slow_always(speed_m_s: float) -> Check:
    """The gripper keeps to a speed."""

    def holds(t: Trace) -> bool:
        return _below(t.speeds()[_undisturbed(t)], speed_m_s)

    return Check(text=f"at most {100 * speed_m_s:g} cm/s", holds=holds)


def _kept(t: Trace, inside: NDArray[np.bool_], speed_m_s: float) -> bool:
    speeds, calm = t.speeds(), _undisturbed(t)
    there, elsewhere = speeds[inside & calm], speeds[~inside & calm]
    if len(there) < SPEED_WINDOW or len(elsewhere) == 0:
        return False
    return _below(there, speed_m_s) and float(np.max(elsewhere)) > 1.2 * speed_m_s


def _below(speeds: Array, limit_m_s: float) -> bool:
    if len(speeds) == 0:
        return False
    return float(np.max(speeds)) <= SPEED_SLACK * limit_m_s + SPEED_FLOOR_M_S


def _undisturbed(t: Trace) -> NDArray[np.bool_]:
    """Not while somebody pushes the arm, nor in the half second after."""
    if t.disturbed_s is None:
        return np.ones(len(t.time), np.bool_)
    return (t.time < t.disturbed_s - 0.05) | (t.time > t.disturbed_s + 0.7)


def displaced(name: str, by: Vector, tolerance_m: float = 0.03) -> Check:
    """An object ends displaced by (x, y) from where it was at the start."""
    shift = np.array(by[:2])

    def holds(t: Trace) -> bool:
        goal = t.positions[name][0, :2] + shift
        return float(np.linalg.norm(t.positions[name][-1, :2] - goal)) <= tolerance_m

    return Check(text=f"the {name} ends within {100 * tolerance_m:g} cm of its goal", holds=holds)


def lies_at(
    name: str, frame: str, offset: Vector, tolerance_m: float = 0.04, *, free: bool = False
) -> Check:
    """An object ends at a place (x, y) relative to another one, on the table and let go."""
    shift = np.array(offset[:2])

    def holds(t: Trace) -> bool:
        goal = t.positions[frame][-1, :2] + shift
        near = float(np.linalg.norm(t.positions[name][-1, :2] - goal)) <= tolerance_m
        return near and (not free or let_go(name).holds(t))

    return Check(
        text=f"the {name} ends within {100 * tolerance_m:g} cm of its place at the {frame}",
        holds=holds,
    )


def lies_in(name: str, lower: Vector, upper: Vector) -> Check:
    """An object ends in a part of the table."""
    low, high = np.array(lower), np.array(upper)

    def holds(t: Trace) -> bool:
        p = t.positions[name][-1]
        return bool(np.all(p[:2] >= low) and np.all(p[:2] <= high) and p[2] > 0.0)

    return Check(text=f"the {name} ends in the region", holds=holds)


def let_go(name: str) -> Check:
    """An object rests on the table and nothing holds it."""

    def holds(t: Trace) -> bool:
        height = t.positions[name][-1, 2]
        resting = height < max(t.specs[name].size_m) / 2 + 0.012
        still = float(np.linalg.norm(t.positions[name][-1] - t.positions[name][-8])) < 0.004
        return bool(resting and still and t.force[-1] < 0.5)

    return Check(text=f"the {name} rests on the table, let go", holds=holds)


def held(name: str) -> Check:
    """An object ends between the pads, with force on them."""

    def holds(t: Trace) -> bool:
        near = float(np.linalg.norm(t.positions[name][-1] - t.ee[-1])) < 0.05
        return near and float(t.force[-1]) > 1.0 and float(t.width[-1]) > 0.01

    return Check(text=f"the {name} is held", holds=holds)


def lifted_off(name: str, base: str, height_m: float = 0.04) -> Check:
    """An object ends clear of another one that still stands where it stood."""

    def holds(t: Trace) -> bool:
        top = t.positions[base][-1, 2] + t.specs[base].size_m[2] / 2
        bottom = t.positions[name][-1, 2] - t.specs[name].size_m[2] / 2
        apart = float(np.linalg.norm((t.positions[name] - t.positions[base])[-1, :2]))
        return bottom >= top + height_m or apart > t.specs[base].size_m[0]

    return Check(text=f"the {name} is off the {base}", holds=holds)


def turned(name: str, least_rad: float) -> Check:
    """An object was turned about the vertical by at least an angle."""

    def holds(t: Trace) -> bool:
        w, _, _, z = t.quats[name].T
        yaw = np.unwrap(2 * np.arctan2(z, w))
        return float(np.max(np.abs(yaw - yaw[0]))) >= least_rad

    return Check(text=f"the {name} was turned by {np.rad2deg(least_rad):.0f} degrees", holds=holds)


def drawer_closed(name: str, most_m: float = 0.015) -> Check:
    """A drawer ends closed."""
    return Check(
        text=f"the {name} is open by at most {100 * most_m:g} cm",
        holds=lambda t: float(t.openings[name][-1]) <= most_m,
    )


def unmoved(name: str, most_m: float = 0.02) -> Check:
    """An object is where it was; a disturbance of it is not the robot's doing."""

    def holds(t: Trace) -> bool:
        track = t.positions[name]
        steps = np.linalg.norm(np.diff(track[:, :2], axis=0), axis=1)
        jumps = steps > 0.02  # nothing that the robot does moves a thing 2 m/s fast
        moved = np.diff(track[:, :2], axis=0)[~jumps].sum(axis=0)
        return float(np.linalg.norm(moved)) <= most_m

    return Check(text=f"the {name} was not pushed about", holds=holds)
