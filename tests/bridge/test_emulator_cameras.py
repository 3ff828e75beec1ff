"""The hidden scene of an emulator: its cameras, its faults, and its truth."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embodied.app.rehearse.episode import Options, disturbed, write_cameras
from embodied.bridge.emulators.cameras import HAND_SIZE_M, CameraSettings, Studio, with_box
from embodied.bridge.emulators.simulated import SimulatedArm
from embodied.bridge.emulators.stage import Push
from embodied.bridge.vendors.truth import Truth
from embodied.perception.cameras import CameraError, CameraModel
from embodied.perception.cameras.files import load_cameras, open_camera
from embodied.types import CameraImage, Pose

ARM = "ur5e"


@pytest.fixture(scope="module")
def arm() -> SimulatedArm:
    return SimulatedArm(scene="blocks", robot=ARM, seed=4, stacks=0.0)


def _wave(arm: SimulatedArm, seconds: float) -> None:
    """Move the arm's last joint there and back."""
    home = arm.q.copy()
    for angle in np.concatenate([np.linspace(0, 0.2, 25), np.linspace(0.2, 0, 25)]):
        arm.advance(home + np.eye(6)[5] * angle, 0.08, 20.0, seconds / 50)


def test_somebody_moves_an_item_once_the_arm_has_moved(arm: SimulatedArm) -> None:
    stage, names = arm.stage, arm.stage.scene.of_kind("item")
    before = {n: stage.data.body(n).xpos.copy() for n in names}
    stage.push = Push(item="red-block", after_s=0.3, seed=1)
    arm.advance(arm.q, 0.08, 20.0, 0.5)
    assert not stage.report()["arm_moved"] and stage.report()["pushed_at_s"] is None
    _wave(arm, 1.5)
    report = stage.report()
    assert report["arm_moved"] and report["touched"] == []
    assert isinstance(at := report["pushed_at_s"], float) and 0.3 <= at < 0.4
    after = {n: stage.data.body(n).xpos.copy() for n in names}
    assert np.linalg.norm(after["red-block"] - before["red-block"]) > 0.08
    assert after["red-block"][2] == pytest.approx(0.0225, abs=1e-3)
    for name in set(names) - {"red-block"}:
        np.testing.assert_allclose(after[name], before[name], atol=1e-3)


def test_a_hand_is_in_front_of_what_is_behind_it() -> None:
    model = CameraModel.from_field_of_view(1.0, 64, 48)
    rgb, depth = np.zeros((48, 64, 3), np.uint8), np.full((48, 64), 2.0, np.float32)
    depth[24, 32] = 0.5  # something nearer than the hand
    image = CameraImage(rgb=rgb, depth=depth, segmentation=None)
    pose = Pose(position=np.array([0.0, 0.0, 2.0]), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))
    seen = with_box(image, model, pose, np.array([0.0, 0.0, 1.0]))
    hit: NDArray[np.bool_] = np.max(seen.rgb, axis=-1) > 0
    assert not hit[24, 32] and seen.depth[24, 32] == np.float32(0.5)
    assert seen.depth[24, 30] == pytest.approx(1.0 - HAND_SIZE_M[2] / 2)
    wide, tall = np.count_nonzero(hit.max(0)), np.count_nonzero(hit.max(1))
    z = 1.0 - HAND_SIZE_M[2] / 2
    assert abs(wide - model.fx * HAND_SIZE_M[0] / z) <= 2
    assert abs(tall - model.fy * HAND_SIZE_M[1] / z) <= 2
    np.testing.assert_array_equal(seen.depth[~hit], depth[~hit])


def test_a_camera_dies_and_lights_dim(arm: SimulatedArm, tmp_path: Path) -> None:
    import mujoco

    file = str(tmp_path / "model.mjb")
    mujoco.mj_saveModel(arm.stage.model, file, None)  # pyright: ignore
    size: dict[str, Any] = {"names": ("top",), "width": 32, "height": 24}
    bright = Studio(file, CameraSettings(**size, lost="top", lost_s=1.0))
    dark = Studio(file, CameraSettings(**size, brightness=0.3))
    qpos = np.array(arm.stage.data.qpos)
    seen, dim = bright.draw("top", qpos, 0.9, 0.0), dark.draw("top", qpos, 0.9, 0.0)
    assert seen is not None and dim is not None
    assert dim.rgb.mean() < 0.7 * seen.rgb.mean()
    np.testing.assert_array_equal(dim.depth, seen.depth)
    assert bright.draw("top", qpos, 1.0, 0.0) is None


def test_a_pose_is_off_by_what_was_asked_for() -> None:
    true = Pose(position=np.array([1.0, 2.0, 3.0]), quat_wxyz=np.array([0.5, 0.5, -0.5, 0.5]))
    off = disturbed(true, shift_m=3e-4, turn_rad=1e-3, rng=np.random.default_rng(0))
    assert np.linalg.norm(off.position - true.position) == pytest.approx(3e-4)
    turn = off.rotation @ true.rotation.T
    assert np.arccos((np.trace(turn) - 1) / 2) == pytest.approx(1e-3, rel=1e-3)


# ------------------------------------------------------------------- in processes


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Truth]]:
    pytest.importorskip("scservo_sdk", reason="is not installed (extra [bridge-feetech])")
    folder = tmp_path_factory.mktemp("hidden")
    settings = {"names": ["top", "front-left"], "latency_s": 0.1, "rate_hz": 20.0}
    command = [sys.executable, "-m", "embodied.bridge.emulators", "feetech", "--scene", "blocks"]
    command += ["--seed", "11", "--stepped", "--truth", str(folder / "truth")]
    command += ["--cameras", str(folder / "cameras"), "--camera-settings", json.dumps(settings)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"ready")
    truth = Truth(str(folder / "truth"))
    truth.open()
    yield folder, truth
    truth.close()
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.mark.realtime
def test_cameras_see_blocks_where_the_hidden_truth_has_them(hidden: tuple[Path, Truth]) -> None:
    folder, truth = hidden
    exact = Options(driver="feetech", calibration_mm=0.0, calibration_deg=0.0)
    write_cameras(folder / "c.toml", truth.ask("cameras"), exact, np.random.default_rng(0))
    poses: Any = truth.ask("")["poses"]
    at = np.array(poses["yellow-block"][:3]) + [0.0, 0.0, 0.0225]  # the middle of its top
    for entry in load_cameras(folder / "c.toml"):
        camera = open_camera(entry)
        frame = camera.read(newer_than_s=time.monotonic(), timeout_s=10.0)
        assert time.monotonic() - frame.time_s >= 0.1, "sent before its latency was over"
        assert camera.pose is not None and entry.model == camera.model
        x, y, z = camera.pose.rotation.T @ (at - camera.pose.position)
        column = round(camera.model.fx * x / z + camera.model.cx)
        row = round(camera.model.fy * y / z + camera.model.cy)
        red, green, blue = frame.rgb[row, column].astype(int)
        assert min(red, green) > blue + 60, f"{entry.name}: not yellow"
        assert frame.depth[row, column] == pytest.approx(z, abs=0.004)
        camera.close()


@pytest.mark.realtime
def test_an_unknown_camera_is_refused_with_those_that_exist(hidden: tuple[Path, Truth]) -> None:
    from embodied.perception.cameras.files import CameraEntry

    options = {"path": "cameras", "camera": "side"}
    entry = CameraEntry(name="x", driver="socket", options=options, folder=hidden[0])
    with pytest.raises(CameraError, match="front-left"):
        open_camera(entry)


@pytest.mark.realtime
def test_what_is_no_line_of_the_truth_socket_ends_the_connection(
    hidden: tuple[Path, Truth],
) -> None:
    from embodied.bridge.driver import DriverLostError

    for line in ("nonsense", "push nothing 1 2"):
        other = Truth(str(hidden[0] / "truth"))
        other.open()
        with pytest.raises(DriverLostError):
            other.ask(line)
        other.close()
