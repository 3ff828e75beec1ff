"""Where images, joints and cameras come from, and where results go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from embodied_planners.motion.kinematics import ArmKinematics
from numpy.typing import NDArray

from embodied.bridge.driver import Driver
from embodied.bridge.drivers import open_driver
from embodied.bridge.limits import load_limits
from embodied.calibration.board import Board, Sight, find_board
from embodied.calibration.errors import CalibrationError, opencv
from embodied.calibration.views import View
from embodied.errors import ConfigurationError
from embodied.perception.cameras.files import CameraEntry, load_cameras, save_cameras
from embodied.perception.cameras.types import Camera, CameraModel
from embodied.types import Array, Pose
from embodied.world import robots
from embodied.world.mujoco import planning_model, world_spec
from embodied.world.scene import load_scene

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
STILL_RAD = 0.002
"""How far a joint may go between the readings before and after an image."""

_FRAME_S = 5.0
_REST_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFile:
    """One camera of a ``cameras.toml``.

    Attributes:
        path: The file.
        entry: The camera.
    """

    path: Path
    entry: CameraEntry

    @property
    def lens_path(self) -> Path:
        """Where it is kept how well the intrinsics are known."""
        return self.path.with_name(f"{self.entry.name}-lens.npz")

    def save(self, **changes: object) -> None:
        """Write the file with the camera changed; raises ConfigurationError."""
        entries = load_cameras(self.path)
        fresh = replace(self.entry, **changes)  # pyright: ignore[reportArgumentType]
        save_cameras(self.path, [fresh if e.name == fresh.name else e for e in entries])


def camera_of(path: Path, name: str) -> CameraFile:
    """Find a camera by name.

    Raises:
        ConfigurationError: The file is wrong, or has no such camera; the message lists them.
    """
    entries = {e.name: e for e in load_cameras(path)}
    if name not in entries:
        raise ConfigurationError(f"no camera {name!r} in {path}: {', '.join(entries)}")
    return CameraFile(path=path, entry=entries[name])


def pictures_in(folder: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Names and images, (height, width, 3) RGB, in the order of their names.

    Raises:
        ConfigurationError: There are no pictures, or one cannot be read.
    """
    cv2 = opencv()
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder of pictures")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in PICTURES)
    if not files:
        raise ConfigurationError(f"{folder} holds no pictures ({', '.join(PICTURES)})")
    for file in files:
        image = cv2.imread(str(file), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise ConfigurationError(f"{file} is no picture that can be read")
        yield file.name, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def frames_of(camera: Camera, until_s: float) -> Iterator[NDArray[np.uint8]]:
    """New images of a camera until a time of ``time.monotonic``; raises CameraError."""
    newest = -np.inf
    while time.monotonic() < until_s:
        frame = camera.read(newer_than_s=newest, timeout_s=_FRAME_S)
        newest = frame.time_s
        yield frame.rgb


def model_of(camera: Camera, rgb: NDArray[np.uint8]) -> CameraModel:
    """The camera's intrinsics.

    Raises:
        CalibrationError: They are of images of another size.
    """
    height, width = rgb.shape[:2]
    model = camera.model
    if (model.width, model.height) != (width, height):
        raise CalibrationError(
            f"the intrinsics are of images of {model.width} x {model.height} pixels, the camera"
            f" {camera.name!r} gives {width} x {height}: embodied calibrate camera {camera.name}"
        )
    return model


def take_view(camera: Camera, board: Board, joints: Callable[[], Array]) -> tuple[View, str]:
    """One image of the board with the joints before and after; the second value says what is wrong.

    Args:
        camera: The camera.
        board: The board.
        joints: Measures the joints, (n,), rad.

    Raises:
        CameraError: No image came.
        CalibrationError: The intrinsics do not fit the images.
    """
    before = joints()
    frame = camera.read(newer_than_s=time.monotonic(), timeout_s=_FRAME_S)
    after = joints()
    model_of(camera, frame.rgb)
    sight = find_board(frame.rgb, board)
    moved = float(np.abs(after - before).max())
    problem = sight.problem
    if moved > STILL_RAD:
        problem = f"the arm moved by {np.rad2deg(moved):.2f} degrees during the image"
    return View(q=(before + after) / 2, sight=sight), problem


def see_board(camera: Camera, board: Board) -> Sight:
    """The board in a new image.

    Raises:
        CameraError: No image came.
        CalibrationError: The board is not seen well; the message says why.
    """
    frame = camera.read(newer_than_s=time.monotonic(), timeout_s=_FRAME_S)
    model_of(camera, frame.rgb)
    sight = find_board(frame.rgb, board)
    if sight.problem:
        raise CalibrationError(f"camera {camera.name!r}: {sight.problem}")
    return sight


def joints_of(driver: Driver) -> Array:
    """Joints of a connected arm that nobody moves: the mean of some reports, (n,), rad."""
    seen: list[Array] = []
    end = time.monotonic() + _REST_S
    while time.monotonic() < end:
        seen.append(np.array(driver.read_state().q))
        time.sleep(max(driver.capabilities.period_s, 0.01))
    return np.mean(seen, axis=0)


def kinematics_of(robot: str, scene: str) -> ArmKinematics:
    """Kinematics of an arm in a scene; raises ConfigurationError."""
    loaded, read = load_scene(scene), robots.load(robot)
    model = planning_model(loaded, read)
    return ArmKinematics(model, world_spec(loaded, read, model))


def pose_of_hand(driver: str, options: Mapping[str, object], limits: Path, scene: str) -> Pose:
    """Pose of the end effector of an arm that stands still; moves nothing.

    Raises:
        ConfigurationError: Driver, limits or scene are wrong.
        WorldError: The arm does not answer.
    """
    kinematics = kinematics_of(load_limits(limits).robot, scene)
    arm = open_driver(driver, options)
    arm.connect()
    try:
        return kinematics.pose(joints_of(arm))
    finally:
        arm.disconnect()
