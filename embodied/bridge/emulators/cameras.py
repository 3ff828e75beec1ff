# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Rendered RGB-D cameras of an emulator's hidden scene, served by a process of their own.

The process reads the state that the emulator publishes, so that drawing never holds up the
controller's loop. A scene in which nothing moved is not drawn again: its frames differ in their
noise and times.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bridge.emulators.stage import Stage, camera_model, optical_pose
from embodied.errors import WorldError
from embodied.perception.cameras.simulated import SensorFaults, spoil
from embodied.perception.cameras.types import CameraModel, Frame
from embodied.perception.cameras.wire import MOST_NAME, frame_message, message, model_message
from embodied.types import Array, CameraImage, Pose

VIEWS = ("top", "front-left", "front-right", "rear-right")
START_S = 60.0
_WAITING = 2
"""Frames that wait for a client that does not read; older ones are lost."""

HAND_SIZE_M = (0.5, 0.09, 0.10)
HAND_S = 4.0
"""A hand, with its forearm, needs this long from one side of the table to the other."""

_HAND_FROM_M = np.array([0.75, -0.65, 0.14])
_HAND_TO_M = np.array([0.75, 0.65, 0.14])
_SKIN = np.array([201, 152, 124])


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    """The cameras and what is wrong with them.

    Attributes:
        names: Cameras of the scene.
        width: Image width in pixels.
        height: Image height in pixels.
        rate_hz: Frames a second.
        latency_s: From the exposure to when a frame is sent.
        faults: What is wrong with the depth; ``lost`` is not used.
        brightness: Factor of all lights.
        lost: Camera that dies; ``""`` for none.
        lost_s: When, after the arm first moved, s.
        hand_s: When a hand starts to pass through the scene, after the arm first moved, s. It is
            seen, but cannot be touched.
        seed: Of the noise.
    """

    names: tuple[str, ...] = VIEWS
    width: int = 320
    height: int = 240
    rate_hz: float = 10.0
    latency_s: float = 0.05
    faults: SensorFaults = SensorFaults()
    brightness: float = 1.0
    lost: str = ""
    lost_s: float = math.inf
    hand_s: float = math.inf
    seed: int = 0


def start_cameras(stage: Stage, settings: CameraSettings, path: Path) -> None:
    """Serve cameras at a local socket until this process ends; returns once they can be read.

    Raises:
        WorldError: They did not start.
    """
    import mujoco

    known = [stage.model.camera(i).name for i in range(stage.model.ncam)]
    if strange := [n for n in (*settings.names, settings.lost) if n and n not in known]:
        raise WorldError(f"no camera {strange[0]!r}; there are: {', '.join(known)}")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="embodied-cameras-") as folder:
        file = str(Path(folder) / "model.mjb")
        mujoco.mj_saveModel(stage.model, file, None)
        arguments = (file, stage.state, settings, path, theirs, os.getpid())
        context.Process(target=_serve, args=arguments, daemon=True).start()
        theirs.close()
        try:
            if ours.poll(START_S):
                ours.recv()
                return
        except EOFError:
            pass
    raise WorldError("the cameras did not start")


def _serve(
    model_file: str, state: Any, settings: CameraSettings, path: Path, ready: Any, parent: int
) -> None:
    """The cameras' process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    studio = Studio(model_file, settings)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(8)
        server = _Server(listener, studio)
        threading.Thread(target=server.accept, daemon=True).start()
        ready.send("ready")
        ready.close()
        due = time.monotonic()
        while os.getppid() == parent:
            with state.get_lock():
                arm_s, qpos = float(state[0]), np.array(state[1:])
            server.expose(time.monotonic(), arm_s, qpos)
            due = max(due + 1.0 / settings.rate_hz, time.monotonic())
            time.sleep(max(due - time.monotonic(), 0.0))


class Studio:
    """Draws what the cameras see.

    Args:
        model_file: MuJoCo model, binary.
        settings: The cameras.
    """

    def __init__(self, model_file: str, settings: CameraSettings) -> None:
        import mujoco

        from embodied.world.rendering import open_renderer

        self.settings = settings
        self._model = model = mujoco.MjModel.from_binary_path(model_file)
        self._data = mujoco.MjData(model)
        for lights in (model.vis.headlight.ambient, model.vis.headlight.diffuse):
            lights *= settings.brightness
        model.light_diffuse *= settings.brightness
        size = {"width": settings.width, "height": settings.height}
        self._renderer = open_renderer(model, quality="sensor", **size)
        self._rng = np.random.default_rng(settings.seed)
        mujoco.mj_forward(model, self._data)
        self.models = {n: camera_model(model, n, **size) for n in settings.names}
        self._poses = {n: optical_pose(model, self._data, n) for n in settings.names}
        self._drawn: dict[str, tuple[bytes, CameraImage]] = {}
        self._hand_s = 0.0
        self._before_s = (0.0, 0.0)

    def draw(self, name: str, qpos: Array, arm_s: float, now_s: float) -> CameraImage | None:
        """What a camera sees; None once it is lost.

        Args:
            name: The camera.
            qpos: State of the scene.
            arm_s: Time since the arm first moved, s.
            now_s: Time by ``time.monotonic``.
        """
        import mujoco

        settings = self.settings
        if name == settings.lost and arm_s >= settings.lost_s:
            return None
        key, clean = self._drawn.get(name, (b"", None))
        if clean is None or key != qpos.tobytes():
            self._data.qpos[:] = qpos
            mujoco.mj_kinematics(self._model, self._data)
            mujoco.mj_comPos(self._model, self._data)
            mujoco.mj_camlight(self._model, self._data)
            clean = self._renderer.image(self._data, name, names=None)
            self._drawn[name] = (qpos.tobytes(), clean)
        if arm_s >= settings.hand_s and (share := self._passed(arm_s, now_s) / HAND_S) <= 1.0:
            centre = _HAND_FROM_M + share * (_HAND_TO_M - _HAND_FROM_M)
            clean = with_box(clean, self.models[name], self._poses[name], centre)
        return spoil(clean, settings.faults, self._rng)

    def _passed(self, arm_s: float, now_s: float) -> float:
        """How long the hand has been there: by the arm's time; while that stands still, by ours."""
        arm_before, before = self._before_s
        if before:
            moved = arm_s - arm_before
            self._hand_s += moved if moved > 0.0 else now_s - before
        self._before_s = (arm_s, now_s)
        return self._hand_s


def with_box(image: CameraImage, model: CameraModel, pose: Pose, centre_m: Array) -> CameraImage:
    """The image with a hand in it: an upright box, by the slab method, shaded by its faces.

    Args:
        image: Without it.
        model: The camera's intrinsics, without distortion.
        pose: Of its optical frame in the world.
        centre_m: Middle of the box in the world, (3,), m.
    """
    u, v = np.meshgrid(np.arange(model.width), np.arange(model.height))
    x, y = (u - model.cx) / model.fx, (v - model.cy) / model.fy
    rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ pose.rotation.T
    half = np.array(HAND_SIZE_M) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = [(centre_m + s * half - pose.position) / rays for s in (-1.0, 1.0)]
    enter, leave = np.minimum(*ends), np.maximum(*ends)
    near, face = enter.max(axis=-1), enter.argmax(axis=-1)
    hit = (near < leave.min(axis=-1)) & (near > 0.0)
    hit &= ~(near > image.depth)  # where depth is unknown the hand is in front of the background
    rgb, depth = image.rgb.copy(), image.depth.copy()
    shade = np.array([0.75, 0.88, 1.0])[face]
    rgb[hit] = (shade[..., None] * _SKIN)[hit].astype(np.uint8)
    depth[hit] = near[hit].astype(np.float32)
    return CameraImage(rgb=rgb, depth=depth, segmentation=image.segmentation)


class _Server:
    """Hands frames to the clients of each camera."""

    def __init__(self, listener: socket.socket, studio: Studio) -> None:
        self._listener, self._studio = listener, studio
        self._clients: list[_Client] = []
        self._lock = threading.Lock()
        self._number = 0

    def accept(self) -> None:
        """Take clients until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def expose(self, now_s: float, arm_s: float, qpos: Array) -> None:
        """Take a frame with every camera that somebody reads."""
        with self._lock:
            self._clients = [c for c in self._clients if c.open]
            clients = list(self._clients)
        self._number += 1
        for name in {c.camera for c in clients}:
            image = self._studio.draw(name, qpos, arm_s, now_s)
            mine = [c for c in clients if c.camera == name]
            for client in mine:
                if image is None:
                    client.end()
                    continue
                frame = Frame(time_s=now_s, number=self._number, rgb=image.rgb, depth=image.depth)
                client.give(now_s + self._studio.settings.latency_s, frame_message(frame))

    def _greet(self, connection: socket.socket) -> None:
        connection.settimeout(START_S)
        try:
            with connection.makefile("rb") as lines:
                name = lines.readline(MOST_NAME + 1).decode("utf-8", "replace").rstrip("\n")
            model = self._studio.models.get(name)
            if model is None:
                legal = ", ".join(self._studio.models)
                connection.sendall(message({"error": f"no camera {name[:40]!r}; legal: {legal}"}))
                connection.close()
                return
            connection.sendall(message(model_message(model)))
        except OSError:
            connection.close()
            return
        settings = self._studio.settings
        on_the_way = math.ceil(settings.latency_s * settings.rate_hz)
        client = _Client(name, connection, _WAITING + on_the_way)
        with self._lock:
            self._clients.append(client)
        client.send_all()


class _Client:
    """One connection; sends each frame when it is due."""

    def __init__(self, camera: str, connection: socket.socket, waiting: int) -> None:
        self.camera, self.open = camera, True
        self._connection = connection
        self._news = threading.Condition()
        self._waiting: deque[tuple[float, bytes]] = deque(maxlen=waiting)

    def give(self, due_s: float, data: bytes) -> None:
        """Send this then."""
        with self._news:
            self._waiting.append((due_s, data))
            self._news.notify()

    def end(self) -> None:
        """Close the connection."""
        with self._news:
            self.open = False
            self._news.notify()

    def send_all(self) -> None:
        """Send until the client goes or the camera dies."""
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or not self.open)
                if not self.open:
                    break
                due, data = self._waiting.popleft()
            time.sleep(max(due - time.monotonic(), 0.0))
            try:
                self._connection.sendall(data)
            except OSError:
                self.open = False
        self._connection.close()
