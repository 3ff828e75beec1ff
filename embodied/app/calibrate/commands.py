"""What the commands of ``embodied calibrate`` do."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from embodied.app.calibrate.sources import (
    CameraFile,
    frames_of,
    joints_of,
    kinematics_of,
    pictures_in,
    take_view,
)
from embodied.bridge.messages import OperationMode
from embodied.calibration.board import Board, find_board
from embodied.calibration.errors import CalibrationError
from embodied.calibration.hand_eye import HandEye, calibrate_hand_eye
from embodied.calibration.intrinsics import (
    Coverage,
    Intrinsics,
    calibrate_intrinsics,
    load_lens,
    save_lens,
)
from embodied.calibration.views import FEWEST_VIEWS, Arm, HandEyeOptions, View
from embodied.perception.cameras.files import Calibration, open_camera
from embodied.perception.cameras.types import Camera, CameraModel
from embodied.types import Array

Say = Callable[[str], None]


def today() -> str:
    """The day, YYYY-MM-DD."""
    return datetime.date.today().isoformat()


def camera_intrinsics(
    target: CameraFile,
    board: Board,
    *,
    pictures: Path | None,
    views: int,
    seconds: float,
    most_px: float,
    say: Say,
) -> Intrinsics:
    """Collect views, calibrate, and write the camera's intrinsics.

    Args:
        target: The camera.
        board: The board.
        pictures: Folder to read in place of the camera.
        views: How many views to collect.
        seconds: How long to collect at most.
        most_px: Largest reprojection error, px.
        say: Tells people how it goes.

    Raises:
        CalibrationError: The views do not support it.
        ConfigurationError: Files are missing or wrong.
        CameraError: The camera gives no images.
    """
    coverage: Coverage | None = None
    camera: Camera | None = None
    if pictures is not None:
        source = pictures_in(pictures)
    else:
        camera = open_camera(target.entry)
        images = frames_of(camera, time.monotonic() + seconds)
        source = ((f"image {n}", rgb) for n, rgb in enumerate(images, 1))
    try:
        told = ""
        for name, rgb in source:
            height, width = rgb.shape[:2]
            if coverage is None:
                coverage = Coverage(board, width, height)
            elif (width, height) != tuple(coverage.size.astype(int)):
                raise CalibrationError(
                    f"{name} has {width} x {height} pixels, those before"
                    f" {coverage.size[0]:.0f} x {coverage.size[1]:.0f}"
                )
            why = coverage.add(find_board(rgb, board))
            if not why:
                missing = coverage.missing() or f"enough; {views - len(coverage.sights)} to go"
                say(f"{name}: view {len(coverage.sights)} taken; {missing}\n{coverage.picture()}")
            elif pictures is not None or why != told:
                say(f"{name}: {why}")
            told = why
            if pictures is None and len(coverage.sights) >= views and not coverage.missing():
                break
    finally:
        if camera is not None:
            camera.close()
    if coverage is None:
        raise CalibrationError("no images came")
    result = calibrate_intrinsics(coverage, most_px=most_px)
    calibration = Calibration(date=today(), residual_px=round(result.residual_px, 4))
    old = target.entry.calibration
    if old is not None and target.entry.pose is not None:
        say("the camera's pose was found with other intrinsics: calibrate hand-eye again")
    target.save(model=result.model, calibration=calibration)
    save_lens(target.lens_path, result.model, result.information)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmOptions:
    """The arm of a hand-eye calibration.

    Attributes:
        driver: Name of its driver.
        options: Its options.
        limits: Signed limits file.
        scene: Scene whose fixed things are obstacles.
        mode: ``confirm`` or ``auto``.
        by_hand: A person guides the hand.
        operator: Who operates it.
        seed: Of poses and planner.
    """

    driver: str
    options: dict[str, object] = field(default_factory=dict[str, object])
    limits: Path
    scene: str
    mode: OperationMode
    by_hand: bool
    operator: str
    seed: int = 0


def hand_eye(
    target: CameraFile,
    board: Board,
    arm: ArmOptions,
    options: HandEyeOptions,
    *,
    views: int,
    say: Say,
) -> HandEye:
    """Collect views while the arm moves, calibrate, and write the camera's pose.

    Args:
        target: The camera.
        board: The board.
        arm: The arm.
        options: Where the camera is, and what is accepted.
        views: How many views to take.
        say: Tells people how it goes.

    Raises:
        CalibrationError: The views do not support it.
        ConfigurationError: Files are missing or wrong.
        CameraError: The camera gives no images.
        WorldError: The arm or its supervisor is lost.
    """
    camera = open_camera(target.entry)
    try:
        model = target.entry.model or camera.model
        options = replace(options, intrinsics=options.intrinsics and target.entry.model is not None)
        lens = load_lens(target.lens_path, model)
        if arm.by_hand:
            taken, kinematics = _by_hand(camera, board, arm, views, say)
        else:
            taken, kinematics = _moving(camera, model, board, arm, options, lens, views, say)
    finally:
        camera.close()
    result = calibrate_hand_eye(taken, kinematics, model, options, lens=lens)
    calibration = Calibration(
        date=today(),
        residual_px=round(result.residual_px, 4),
        residual_m=round(result.held_out_m, 6),
    )
    changes = {"model": result.model} if options.intrinsics else {}
    target.save(pose=result.pose, mount=options.mount, calibration=calibration, **changes)
    return result


def _by_hand(
    camera: Camera, board: Board, arm: ArmOptions, count: int, say: Say
) -> tuple[list[View], Arm]:
    from embodied.bridge.drivers import open_driver
    from embodied.bridge.limits import load_limits

    kinematics = kinematics_of(load_limits(arm.limits).robot, arm.scene)
    driver = open_driver(arm.driver, arm.options)
    driver.connect()
    views: list[View] = []
    say(
        f"guide the hand to {count} poses from which the camera sees the board, turned about all"
        " axes by up to 45 degrees, from near and far; Enter takes a pose, q and Enter ends"
    )
    try:
        for line in _lines():
            if line.strip().lower() in ("q", "quit"):
                break
            view, problem = take_view(camera, board, lambda: joints_of(driver))
            if not problem:
                views.append(view)
            say(f"pose {len(views)}: {problem or 'taken'}")
            if len(views) >= count:
                break
    finally:
        driver.disconnect()
    return views, kinematics


def _lines() -> Iterable[str]:
    if sys.stdin is None:
        return ()
    return sys.stdin


def _moving(
    camera: Camera,
    model: CameraModel,
    board: Board,
    arm: ArmOptions,
    options: HandEyeOptions,
    lens: Array | None,
    count: int,
    say: Say,
) -> tuple[list[View], Arm]:
    from embodied.app.bridge.session import BridgeOptions
    from embodied.app.calibrate.moving import HandMover, collect_moving
    from embodied.app.calibrate.operating import operated
    from embodied.bridge.limits import load_limits
    from embodied.settings import Settings
    from embodied.world.scene import load_scene

    settings = Settings(scene=arm.scene, robot=load_limits(arm.limits).robot, world="bridge")
    bridge = BridgeOptions(driver=arm.driver, options=arm.options, mode=arm.mode, limits=arm.limits)
    with operated(settings, bridge, arm.operator, say) as supervised:
        mover = HandMover(supervised, load_scene(arm.scene), arm.seed)
        supervised.world.reset(seed=arm.seed)
        taken = collect_moving(
            mover, camera, model, board, options, count=count, lens=lens, seed=arm.seed, say=say
        )
    if len(taken) < FEWEST_VIEWS:
        say(f"{len(taken)} views were taken")
    return taken, mover.kinematics


def hand_eye_report(result: HandEye, options: HandEyeOptions) -> dict[str, object]:
    """The result in numbers, mm and degrees."""
    return {
        "mount": options.mount,
        "position_m": [round(float(v), 6) for v in result.pose.position],
        "quat_wxyz": [round(float(v), 6) for v in result.pose.quat_wxyz],
        "views": len(result.view_m),
        "dropped": [i + 1 for i in result.dropped],
        "residual_px": round(result.residual_px, 3),
        "residual_mm": round(1000 * result.residual_m, 3),
        "held_out_mm": round(1000 * result.held_out_m, 3),
        "closed_form_mm": round(1000 * result.closed_form_m, 3),
        "position_std_mm": np.round(1000 * result.position_std_m, 3).tolist(),
        "rotation_std_deg": np.rad2deg(result.rotation_std_rad).round(4).tolist(),
        "square_scale": round(result.square_scale, 5),
        "square_scale_std": round(result.square_scale_std, 5),
        "joint_offsets_deg": np.rad2deg(result.offsets_rad).round(3).tolist(),
    }
