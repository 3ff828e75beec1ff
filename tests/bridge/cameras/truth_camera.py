# pyright: reportAttributeAccessIssue=false
"""A camera driver for tests: sees an emulator's scene through its truth socket, not the arm."""

from __future__ import annotations

import json
import socket
import time

import mujoco
import numpy as np
from ray_camera import shoot

from embodied.perception.cameras import CameraError, Frame
from embodied.perception.cameras.drivers import CameraDriver
from embodied.perception.cameras.files import CameraEntry
from embodied.perception.cameras.streaming import StreamingCamera
from embodied.types import Pose
from embodied.world.builder import build_model
from embodied.world.scene import load_scene


class TruthCamera(StreamingCamera):
    """Draws what the emulator tells, where the camera really is.

    Args:
        truth: Socket of the emulator.
        scene: Its scene.
        robot: Its arm, which is not drawn.
        period_s: Time between two images.
        really: Where the camera really is, x, y, z and quaternion wxyz: it may be told otherwise.
        frames: Images until it goes for good.
    """

    def __init__(
        self,
        entry: CameraEntry,
        *,
        truth: str,
        really: list[float],
        scene: str = "blocks",
        robot: str = "ur5e",
        period_s: float = 0.3,
        frames: int = 1_000_000,
    ) -> None:
        super().__init__(entry)
        assert entry.model is not None
        loaded = load_scene(scene)
        self._world = build_model(loaded, robot)
        things = {"world", *loaded.objects, *(f"{n}-cabinet" for n in loaded.objects)}
        for geom in range(self._world.ngeom):
            if self._world.body(self._world.geom_bodyid[geom]).name not in things:
                self._world.geom_group[geom] = 5
        self._data = mujoco.MjData(self._world)
        self._items = [n for n, o in loaded.objects.items() if o.kind == "item"]
        self._really = Pose(position=np.array(really[:3]), quat_wxyz=np.array(really[3:]))
        self._period_s, self._left, self._number = period_s, frames, 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(truth)
        self._lines = self._socket.makefile("rw")
        self.start(entry.model)

    def grab(self) -> Frame | None:
        """Ask and draw."""
        time.sleep(self._period_s)
        if self._number == self._left:
            raise CameraError("the cable was pulled")
        now = time.monotonic()
        self._lines.write("\n")
        self._lines.flush()
        seen = json.loads(self._lines.readline() or "{}")
        if not seen:
            raise CameraError("the emulator has gone")
        for name in self._items:
            at = int(self._world.joint(name).qposadr[0])
            self._data.qpos[at : at + 7] = seen["poses"][name]
        mujoco.mj_kinematics(self._world, self._data)
        rgb, depth = shoot(self._world, self._data, self.model, self._really)
        self._number += 1
        return Frame(time_s=now, number=self._number, rgb=rgb, depth=depth)

    def release(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()


CAMERA = CameraDriver(make=TruthCamera, cameras="an emulator's scene", tested_against="itself")
