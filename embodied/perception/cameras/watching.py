# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Looks through cameras again and again and says what there is; runs in a process of its own."""

from __future__ import annotations

import bisect
import signal
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np

from embodied.errors import ConfigurationError, EmbodiedError
from embodied.perception.cameras.agreement import Disagreement
from embodied.perception.cameras.files import CameraEntry, open_camera
from embodied.perception.cameras.types import Camera, CameraError, Frame
from embodied.perception.types import CameraView, Percept
from embodied.types import Array, GripperState, Observation, Pose, WorldSpec

if TYPE_CHECKING:
    from mujoco import MjModel  # pyright: ignore  # no stubs

FIXTURE_M = 0.015
"""A fixture that is seen farther from its place in the scene file has been moved."""

CHECKS = 3
"""Looks that must agree before cameras are said to disagree."""

_CHECK_EVERY_S = 2.0
_WAIT_S = 0.5
_STILL_RAD_S = 0.01
_HISTORY = 3000
_TURNED = Pose(position=np.zeros(3), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))
"""From the optical frame (y down, z along the view) to OpenGL's (y up, looking along -z)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watch:
    """What to look at.

    Attributes:
        cameras: The cameras.
        spec: What may be there, and the workspace.
        model: MuJoCo model with the robot.
        fixtures: Poses of what does not move, by the scene file.
        table_height_m: Height of the table's top, by the scene file.
    """

    cameras: tuple[CameraEntry, ...]
    spec: WorldSpec
    model: MjModel
    fixtures: Mapping[str, Pose]
    table_height_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """One look.

    Attributes:
        exposed_s: When the oldest of its images was exposed, by ``time.monotonic``.
        took_s: Time from the newest image to the result.
        percept: What was seen.
        checks: How often the cameras were compared so far.
        disagreements: What they disagreed by in each of the last checks, the largest first.
    """

    exposed_s: float
    took_s: float
    percept: Percept
    checks: int
    disagreements: tuple[Disagreement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Cameras that give no images now: why, by name."""

    cameras: Mapping[str, str]


@dataclass(slots=True)
class Motion:
    """The robot's measured states over time, for instants between them."""

    times_s: deque[float] = field(default_factory=lambda: deque(maxlen=_HISTORY))
    states: deque[Observation] = field(default_factory=lambda: deque(maxlen=_HISTORY))

    def add(self, at_s: float, state: Observation) -> None:
        """Take in a state that was measured after all others."""
        if self.times_s and at_s <= self.times_s[-1]:
            return
        self.times_s.append(at_s)
        self.states.append(state)

    def at(self, at_s: float) -> Observation:
        """The state at an instant: interpolated; the first or last one outside."""
        k = bisect.bisect_right(self.times_s, at_s)
        if k == 0 or k == len(self.times_s):
            return self.states[min(k, len(self.states) - 1)]
        before, after = self.states[k - 1], self.states[k]
        share = (at_s - self.times_s[k - 1]) / (self.times_s[k] - self.times_s[k - 1])
        return _between(before, after, share)


def _between(a: Observation, b: Observation, share: float) -> Observation:
    def mixed(x: Array, y: Array) -> Array:
        return (1.0 - share) * x + share * y

    grip = b.gripper
    if grip is not None and a.gripper is not None:
        width = a.gripper.width_m + share * (grip.width_m - a.gripper.width_m)
        grip = GripperState(width_m=width, speed_m_s=grip.speed_m_s, force_n=a.gripper.force_n)
    one, other = a.pose_ee_in_world, b.pose_ee_in_world
    sign = 1.0 if float(one.quat_wxyz @ other.quat_wxyz) >= 0.0 else -1.0
    return replace(
        a,
        time=a.time + share * (b.time - a.time),
        q=mixed(a.q, b.q),
        dq=mixed(a.dq, b.dq),
        pose_ee_in_world=Pose(
            position=mixed(one.position, other.position),
            quat_wxyz=mixed(one.quat_wxyz, sign * other.quat_wxyz),
        ),
        gripper=grip,
    )


class Watching:
    """Looks as often as all cameras have new images.

    Args:
        watch: What to look at.

    Raises:
        ConfigurationError: A camera has no pose, or its entry is not usable.
        CameraError: A camera does not open.
    """

    def __init__(self, watch: Watch) -> None:
        from embodied.perception import Perception
        from embodied.perception.robot_filter import ModelRobotFilter

        unplaced = [e.name for e in watch.cameras if e.pose is None]
        if unplaced:
            raise ConfigurationError(
                f"camera without a pose: {', '.join(unplaced)}: calibrate it, or write its [pose]"
            )
        self.motion, self.lock = Motion(), threading.Lock()
        self._watch, self._cameras = watch, dict[str, Camera]()
        robot = ModelRobotFilter.of(watch.model, watch.spec)
        self._hand = _Hand(watch.model, watch.spec)
        self._perception = Perception(watch.spec, robot_filter=robot)
        self._seen_s: dict[str, float] = {}
        self._past: deque[tuple[Disagreement, ...]] = deque(maxlen=CHECKS)
        self._checks, self._checked_s = 0, -np.inf
        try:
            for entry in watch.cameras:
                self._cameras[entry.name] = open_camera(entry)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the cameras; may be called twice."""
        for camera in self._cameras.values():
            camera.close()

    def look(self) -> Look | Trouble | None:
        """Wait for an image of every camera and look; None before the robot's state is known."""
        with self.lock:
            if not self.motion.states:
                return None
        frames, missing = self._frames()
        if missing:
            return Trouble(cameras=missing)
        newest = max(f.time_s for f in frames.values())
        views: dict[str, CameraView] = {}
        with self.lock:
            now = self.motion.at(newest)
            states = {n: self.motion.at(f.time_s) for n, f in frames.items()}
        for name, frame in frames.items():
            camera, state = self._cameras[name], states[name]
            assert camera.pose is not None
            hand = self._hand.pose(state.q) if camera.mount == "ee" else None
            pose = camera.pose if hand is None else hand @ camera.pose
            views[name] = CameraView(
                name=name,
                pose_camera_in_world=pose @ _TURNED,
                model=camera.model,
                rgb=frame.rgb,
                depth=frame.depth,
                q=state.q,
                gripper_width_m=None if state.gripper is None else state.gripper.width_m,
            )
        percept = self._perception.look(now, views)
        self._check(now, views, percept)
        return Look(
            exposed_s=min(f.time_s for f in frames.values()),
            took_s=time.monotonic() - newest,
            percept=percept,
            checks=self._checks,
            disagreements=self._steady(),
        )

    # ----------------------------------------------------------------- private

    def _frames(self) -> tuple[dict[str, Frame], dict[str, str]]:
        frames: dict[str, Frame] = {}
        missing: dict[str, str] = {}
        deadline = time.monotonic() + _WAIT_S
        for name, camera in self._cameras.items():
            last = self._seen_s.get(name, -np.inf)
            try:
                left = max(deadline - time.monotonic(), 0.0)
                frames[name] = camera.read(newer_than_s=last, timeout_s=left)
            except CameraError as error:
                missing[name] = camera.health().problem or str(error)
        if not missing:
            self._seen_s = {n: f.time_s for n, f in frames.items()}
        return frames, missing

    def _check(self, now: Observation, views: Mapping[str, CameraView], percept: Percept) -> None:
        held = any(o.held for o in percept.objects.values())
        due = self._checks < CHECKS or time.monotonic() - self._checked_s > _CHECK_EVERY_S
        if held or not due or float(np.abs(now.dq).max(initial=0.0)) > _STILL_RAD_S:
            return
        table_m = self._watch.table_height_m
        found = self._perception.cross_check(now, views, percept, table_height_m=table_m)
        moved = [
            Disagreement(
                what=f"the {name}",
                cameras=("the cameras", "the scene file"),
                distance_m=float(np.linalg.norm(one.pose.position - pose.position)),
                most_m=FIXTURE_M,
            )
            for name, pose in self._watch.fixtures.items()
            if (one := percept.objects.get(name)) is not None and one.seen
        ]
        self._past.append((*found, *moved))
        self._checks, self._checked_s = self._checks + 1, time.monotonic()

    def _steady(self) -> tuple[Disagreement, ...]:
        """What the last checks have in common, each at its smallest."""
        least: dict[tuple[str, str], Disagreement] = {}
        kinds = [{_kind(d): d for d in past} for past in self._past]
        for kind in kinds[-1] if kinds else ():
            each = [k[kind] for k in kinds if kind in k]
            if len(each) == len(kinds):
                least[kind] = min(each, key=lambda d: d.distance_m)
        return tuple(sorted(least.values(), key=lambda d: d.most_m - d.distance_m))


def _kind(one: Disagreement) -> tuple[str, str]:
    """Of two cameras whatever the place, of the scene file each place on its own."""
    return (*one.cameras[:1], one.what if one.cameras[1] == "the scene file" else one.cameras[1])


class _Hand:
    """Where the end effector is at joint positions."""

    def __init__(self, model: MjModel, spec: WorldSpec) -> None:
        import mujoco

        self._model, self._site, self._data = model, spec.ee_site, mujoco.MjData(model)
        self._joints = [int(model.joint(j).qposadr[0]) for j in spec.joint_names]

    def pose(self, q: Array) -> Pose:
        import mujoco

        self._data.qpos[self._joints] = q
        mujoco.mj_kinematics(self._model, self._data)
        site = self._data.site(self._site)
        return Pose.from_rotation(site.xmat.reshape(3, 3), site.xpos.copy())


def serve(connection: Connection, watch: Watch) -> None:
    """The process: sends ``None`` once it looks, then looks and troubles, or a text and ends.

    It receives ``(at_s, Observation)``, and ends with whoever started it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        watching = Watching(watch)
    except EmbodiedError as error:
        connection.send(str(error))
        return
    over = threading.Event()

    def listen() -> None:
        try:
            while True:
                at_s, state = connection.recv()
                with watching.lock:
                    watching.motion.add(at_s, state)
        except (EOFError, OSError):
            over.set()

    connection.send(None)
    threading.Thread(target=listen, daemon=True).start()
    try:
        while not over.is_set():
            seen = watching.look()
            if seen is None:
                time.sleep(0.02)
            else:
                connection.send(seen)
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        watching.close()
