# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""The hidden scene around an emulated arm: what is true there, and what happens to it meanwhile."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import mujoco
import numpy as np

from embodied.bridge.plant import numbers
from embodied.perception.cameras.types import CameraModel
from embodied.perception.cameras.wire import model_message
from embodied.types import Array, Pose
from embodied.world.scene import Scene

MOVED_RAD = 0.01
"""A joint this far from where it started: the arm has moved."""

_PUBLISH_S = 0.01
_SHIFT_M = 0.08
_CLEAR_M = 0.03
_ARM_CLEAR_M = 0.14
_LOW_M = 0.35
_PLACES = 400
_NUDGE_M_S = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Somebody moves an item.

    Attributes:
        item: Its name.
        after_s: When, after the arm first moved, s.
        seed: Of the new place.
    """

    item: str
    after_s: float
    seed: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Stage:
    """A simulated scene while an emulated controller moves its arm.

    Whoever steps the simulation holds ``lock`` and calls ``passed`` after each step.

    Attributes:
        model: MuJoCo model.
        data: Its state.
        joints: Where the arm's joints are in ``qpos``.
        scene: What stands there.
        push: What somebody does to it; None for nothing.
        state: For cameras, in shared memory: seconds since the arm first moved (negative before),
            then ``qpos``.
    """

    model: Any
    data: Any
    joints: Sequence[int]
    scene: Scene
    push: Push | None = None
    state: Any = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    _home: Array = field(init=False)
    _arm_s: float = field(init=False, default=-1.0)
    _due_s: float = field(init=False, default=0.0)
    _pushed: list[float] = field(init=False, default_factory=list[float])
    _touched: set[str] = field(init=False, default_factory=set[str])
    _items: dict[int, str] = field(init=False)
    _robot: Array = field(init=False)

    def __post_init__(self) -> None:
        model = self.model
        self._home = self.data.qpos[self.joints].copy()
        context = multiprocessing.get_context("spawn")
        self.state = context.Array("d", 1 + model.nq)
        self._items = {model.body(n).id: n for n in self.scene.of_kind("item")}
        root = model.body_rootid[model.jnt_bodyid[np.searchsorted(model.jnt_qposadr, self.joints)]]
        self._robot = model.body_rootid[model.geom_bodyid] == root[0]
        self._publish()

    def passed(self, duration_s: float) -> None:
        """Time has passed."""
        if self._arm_s < 0.0:
            away = np.max(np.abs(self.data.qpos[self.joints] - self._home))
            self._arm_s = 0.0 if away > MOVED_RAD else -1.0
        else:
            self._arm_s += duration_s
        self._touched |= self.touching()
        push = self.push
        if push and not self._pushed and 0.0 <= push.after_s <= self._arm_s:
            self._shift(push)
        self._due_s -= duration_s
        if self._due_s <= 0.0:
            self._due_s = _PUBLISH_S
            self._publish()

    def touching(self) -> set[str]:
        """Items that the arm touches now."""
        contact = self.data.contact
        geoms = contact.geom.reshape(-1, 2)
        pairs = geoms[self._robot[geoms].any(axis=1)]
        bodies = self.model.geom_bodyid[pairs].ravel()
        return {self._items[b] for b in bodies.tolist() if b in self._items}

    def cameras(self, names: Sequence[str], width: int, height: int) -> dict[str, object]:
        """True intrinsics and poses of optical frames in the world, for who writes them down."""
        return {
            name: {
                "model": model_message(camera_model(self.model, name, width, height)),
                "pose": numbers(optical_pose(self.model, self.data, name)),
            }
            for name in names
        }

    def report(self) -> dict[str, object]:
        """What happened so far."""
        return {
            "arm_moved": self._arm_s >= 0.0,
            "pushed_at_s": self._pushed[0] if self._pushed else None,
            "touched": sorted(self._touched),
            "touching": sorted(self.touching()),
        }

    # ----------------------------------------------------------------- private

    def _shift(self, push: Push) -> None:
        """Put the item elsewhere on the table; not once the arm has touched it."""
        if push.item in self._touched:
            return
        place = self._free_place(push)
        if place is None:
            return
        model, data = self.model, self.data
        for body, name in self._items.items():
            joint = model.body_jntadr[body]
            at, speed = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
            data.qvel[speed + 2] -= _NUDGE_M_S  # what sleeps wakes
            if name == push.item:
                data.qpos[at : at + 2] = place
                data.qpos[at + 2] = self.scene.objects[name].size_m[2] / 2 + 0.002
                data.qpos[at + 3 : at + 7] = [1.0, 0.0, 0.0, 0.0]
                data.qvel[speed : speed + 6] = [0.0, 0.0, -_NUDGE_M_S, 0.0, 0.0, 0.0]
        mujoco.mj_forward(model, data)
        self._pushed.append(self._arm_s)

    def _free_place(self, push: Push) -> Array | None:
        rng = np.random.default_rng(push.seed)
        data, scene = self.data, self.scene
        low = data.geom_xpos[self._robot]
        arm = low[low[:, 2] < _LOW_M, :2]
        now = data.body(push.item).xpos[:2].copy()
        size = max(scene.objects[push.item].size_m[:2])
        for _ in range(_PLACES):
            place = rng.uniform(scene.layout.region_lower_m, scene.layout.region_upper_m)
            others = (
                np.linalg.norm(data.body(n).xpos[:2] - place)
                > (size + max(scene.objects[n].size_m[:2])) * 0.71 + _CLEAR_M
                for n in self._items.values()
                if n != push.item
            )
            away = len(arm) == 0 or np.linalg.norm(arm - place, axis=1).min() > _ARM_CLEAR_M
            if np.linalg.norm(place - now) > _SHIFT_M and away and all(others):
                return place
        return None

    def _publish(self) -> None:
        with self.state.get_lock():
            self.state[0] = self._arm_s
            self.state[1:] = self.data.qpos


def telling(
    stage: Stage,
    plant: Callable[[str], Awaitable[dict[str, object]]],
    cameras: tuple[Sequence[str], int, int],
) -> Callable[[str], Awaitable[dict[str, object]]]:
    """Answers lines of the truth socket; those that are none of these as ``plant`` does.

    ``report``: what happened; ``cameras``: their true intrinsics and poses; ``push ITEM SECONDS
    SEED``: somebody will move that item.
    """

    async def told(line: str) -> dict[str, object]:
        word, *rest = line.split() or [""]
        if word in ("report", "push"):
            with stage.lock:
                if word == "push":
                    stage.push = _push(rest, stage.scene.of_kind("item"))
                return stage.report()
        if line == "cameras":
            return stage.cameras(*cameras)
        return await plant(line)

    return told


def _push(words: Sequence[str], items: Collection[str]) -> Push:
    item, after_s, seed = words
    if item not in items:
        raise ValueError(f"no item {item!r}")
    return Push(item=item, after_s=float(after_s), seed=int(seed))


def camera_model(model: Any, name: str, width: int, height: int) -> CameraModel:
    """Intrinsics of a camera of a MuJoCo model."""
    fovy = float(np.radians(model.camera(name).fovy[0]))
    return CameraModel.from_field_of_view(fovy, width, height)


def optical_pose(model: Any, data: Any, name: str) -> Pose:
    """Pose of a camera's optical frame (x right, y down, z along the view) in the world."""
    camera = model.camera(name).id
    matrix = np.eye(4)
    matrix[:3, :3] = data.cam_xmat[camera].reshape(3, 3) * [1.0, -1.0, -1.0]
    matrix[:3, 3] = data.cam_xpos[camera]
    return Pose.from_matrix(matrix)
