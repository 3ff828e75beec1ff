"""The recording of an episode, and the predicates that judge it.

Predicates read the simulator's own state: they are ground truth by nature, and nothing of them is
seen by perception, planner or translator. What was planned or commanded plays no part.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, ObjectSpec, Observation, Pose

P = ParamSpec("P")
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

    def track(self, name: str) -> Array:
        """Positions (T, 3) of an object, or of the gripper."""
        return self.ee if name == "gripper" else self.positions[name]

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


@dataclass(frozen=True, slots=True)
class Check:
    """One predicate.

    Attributes:
        text: What must hold.
        holds: Whether it does in a trace.
    """

    text: str
    holds: Callable[[Trace], bool]


def predicate(
    text: str,
) -> Callable[[Callable[Concatenate[Trace, P], bool]], Callable[P, Check]]:
    """Makes of a function of a trace and arguments one that gives a ``Check`` of the arguments.

    Args:
        text: What must hold, with arguments in braces: metres as cm, m/s as cm/s.
    """

    def made(judge: Callable[Concatenate[Trace, P], bool]) -> Callable[P, Check]:
        names = list(inspect.signature(judge).parameters)[1:]
        defaults = dict(zip(reversed(names), reversed(judge.__defaults__ or ()), strict=False))

        @functools.wraps(judge)
        def check(*args: P.args, **kwargs: P.kwargs) -> Check:
            given = defaults | dict(zip(names, args, strict=False)) | kwargs
            said = {k: 100 * v if isinstance(v, float) else v for k, v in given.items()}
            return Check(text.format(**said), lambda trace: judge(trace, *args, **kwargs))

        return check

    return made


def _apart(a: Array, b: Array) -> float:
    return float(np.linalg.norm(a - b))


def _inside(points: Array, lower: Vector, upper: Vector, slack_m: float = 0.0) -> NDArray[np.bool_]:
    """Which points (..., 3) lie in a part of the table (x and y bounds)."""
    low, high = np.array(lower) - slack_m, np.array(upper) + slack_m
    return np.all((points[..., :2] >= low) & (points[..., :2] <= high), axis=-1)


@predicate("the gripper ends within {tolerance_m:g} cm of its place at the {frame}")
def ends_at(t: Trace, frame: str, offset: Vector, tolerance_m: float = 0.03) -> bool:
    """The gripper ends at a place relative to an object's centre."""
    return _apart(t.ee[-1], t.positions[frame][-1] + np.array(offset)) <= tolerance_m


@predicate("the gripper ends in the region")
def ends_in(t: Trace, lower: Vector, upper: Vector, slack_m: float = 0.01) -> bool:
    """The gripper ends in a part of the table (x and y bounds)."""
    return bool(_inside(t.ee[-1], lower, upper, slack_m))


@predicate("the {moving} stays on its side of the {frame}")
def stays_on_side(
    t: Trace, frame: str, side: Vector, moving: str = "gripper", slack_m: float = 0.01
) -> bool:
    """What moves is never on the other side of an object's centre."""
    return float(np.min((t.track(moving) - t.positions[frame]) @ np.array(side))) >= -slack_m


@predicate("the {moving} stays {distance_m:g} cm from the {frame}")
def keeps_away(
    t: Trace, frame: str, distance_m: float, moving: str = "gripper", slack_m: float = 0.01
) -> bool:
    """What moves never comes closer to an object's surface."""
    return float(np.min(t.from_surface(frame, t.track(moving)))) >= distance_m - slack_m


@predicate(
    "at most {speed_m_s:g} cm/s within {distance_m:g} cm of the {frame}, and faster elsewhere"
)
def slow_near(t: Trace, frame: str, distance_m: float, speed_m_s: float) -> bool:
    """Near an object the gripper keeps to a speed, and it was there."""
    return _kept(t, t.from_surface(frame, t.ee) <= distance_m, speed_m_s)


@predicate("at most {speed_m_s:g} cm/s in the region, and faster elsewhere")
def slow_in(t: Trace, lower: Vector, upper: Vector, speed_m_s: float) -> bool:
    """In a part of the table the gripper keeps to a speed, and it was there."""
    return _kept(t, _inside(t.ee, lower, upper), speed_m_s)


@predicate("at most {speed_m_s:g} cm/s")
def slow_always(t: Trace, speed_m_s: float) -> bool:
    """The gripper keeps to a speed."""
    return _below(t.speeds()[_undisturbed(t)], speed_m_s)


def _kept(t: Trace, inside: NDArray[np.bool_], speed_m_s: float) -> bool:
    speeds, calm = t.speeds(), _undisturbed(t)
    there, elsewhere = speeds[inside & calm], speeds[~inside & calm]
    if len(there) < SPEED_WINDOW or len(elsewhere) == 0:
        return False
    return _below(there, speed_m_s) and float(np.max(elsewhere)) > 1.2 * speed_m_s


def _below(speeds: Array, limit_m_s: float) -> bool:
    most = float(np.max(speeds, initial=0.0))
    return len(speeds) > 0 and most <= SPEED_SLACK * limit_m_s + SPEED_FLOOR_M_S


def _undisturbed(t: Trace) -> NDArray[np.bool_]:
    """Not while somebody pushes the arm, nor in the half second after."""
    if t.disturbed_s is None:
        return np.ones(len(t.time), np.bool_)
    return (t.time < t.disturbed_s - 0.05) | (t.time > t.disturbed_s + 0.7)


@predicate("the {name} ends within {tolerance_m:g} cm of its goal")
def displaced(t: Trace, name: str, by: Vector, tolerance_m: float = 0.03) -> bool:
    """An object ends displaced by (x, y) from where it was at the start."""
    track = t.positions[name][:, :2]
    return _apart(track[-1], track[0] + np.array(by[:2])) <= tolerance_m


@predicate("the {name} ends within {tolerance_m:g} cm of its place at the {frame}")
def lies_at(
    t: Trace, name: str, frame: str, offset: Vector, tolerance_m: float = 0.04, free: bool = False
) -> bool:
    """An object ends at a place (x, y) relative to another one, on the table and let go."""
    goal = t.positions[frame][-1, :2] + np.array(offset[:2])
    near = _apart(t.positions[name][-1, :2], goal) <= tolerance_m
    return near and (not free or _let_go(t, name))


@predicate("the {name} ends in the region")
def lies_in(t: Trace, name: str, lower: Vector, upper: Vector) -> bool:
    """An object ends in a part of the table."""
    end = t.positions[name][-1]
    return bool(_inside(end, lower, upper) and end[2] > 0.0)


def _let_go(t: Trace, name: str) -> bool:
    """An object rests on the table and nothing holds it."""
    track = t.positions[name]
    resting = track[-1, 2] < max(t.specs[name].size_m) / 2 + 0.012
    return bool(resting and _apart(track[-1], track[-8]) < 0.004 and t.force[-1] < 0.5)


@predicate("the {name} is held")
def held(t: Trace, name: str) -> bool:
    """An object ends between the pads, with force on them."""
    near = _apart(t.positions[name][-1], t.ee[-1]) < 0.05
    return near and float(t.force[-1]) > 1.0 and float(t.width[-1]) > 0.01


@predicate("the {name} is off the {base}")
def lifted_off(t: Trace, name: str, base: str, height_m: float = 0.04) -> bool:
    """An object ends clear of another one that still stands where it stood."""
    top = t.positions[base][-1, 2] + t.specs[base].size_m[2] / 2
    bottom = t.positions[name][-1, 2] - t.specs[name].size_m[2] / 2
    apart = _apart(t.positions[name][-1, :2], t.positions[base][-1, :2])
    return bool(bottom >= top + height_m or apart > t.specs[base].size_m[0])


@predicate("the {name} was turned by {least_deg} degrees")
def turned(t: Trace, name: str, least_deg: int) -> bool:
    """An object was turned about the vertical by at least an angle."""
    w, _, _, z = t.quats[name].T
    yaw = np.unwrap(2 * np.arctan2(z, w))
    return float(np.max(np.abs(yaw - yaw[0]))) >= np.deg2rad(least_deg)


@predicate("the {name} is open by at most {most_m:g} cm")
def drawer_closed(t: Trace, name: str, most_m: float = 0.015) -> bool:
    """A drawer ends closed."""
    return float(t.openings[name][-1]) <= most_m


@predicate("the {name} was not pushed about")
def unmoved(t: Trace, name: str, most_m: float = 0.02) -> bool:
    """An object is where it was; a disturbance of it is not the robot's doing."""
    moved = np.diff(t.positions[name][:, :2], axis=0)
    jumps = np.linalg.norm(moved, axis=1) > 0.02  # nothing that the robot moves is 2 m/s fast
    return float(np.linalg.norm(moved[~jumps].sum(axis=0))) <= most_m
