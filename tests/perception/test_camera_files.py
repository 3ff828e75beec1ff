"""``cameras.toml``, the registry of camera drivers, and recordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embodied.errors import ConfigurationError
from embodied.perception.cameras import CameraError, CameraModel, Frame
from embodied.perception.cameras.drivers import CAMERAS
from embodied.perception.cameras.drivers.recorded import write_frame
from embodied.perception.cameras.files import (
    Calibration,
    CameraEntry,
    load_cameras,
    open_camera,
    save_cameras,
)
from embodied.types import Pose

MODEL = CameraModel(
    width=8, height=6, fx=7.5, fy=7.25, cx=3.6, cy=2.4, distortion=(0.1, -0.2, 1e-3, 0.0, 0.02)
)


def _entry(**changes: object) -> CameraEntry:
    pose = Pose(position=np.array([0.9, 0.0, 0.6]), quat_wxyz=np.array([0.5, -0.5, 0.5, -0.5]))
    entry = CameraEntry(
        name="front",
        driver="recorded",
        options={"path": "front", "loop": False, "depth_scale_m": 0.001},
        model=MODEL,
        pose=pose,
        calibration=Calibration(date="2026-12-01", residual_px=0.21, residual_m=3e-4),
    )
    return replace(entry, **changes)  # pyright: ignore[reportArgumentType]


def test_a_file_of_cameras_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "cameras.toml"
    odd = _entry(name='wrist "left"\n', mount="ee", model=None, calibration=None, options={})
    save_cameras(path, [_entry(), odd, _entry(name="bare", pose=None)])
    front, wrist, bare = load_cameras(path)
    assert front.model == MODEL and front.calibration == _entry().calibration
    assert front.options == _entry().options and front.folder == tmp_path
    assert front.pose is not None and odd.pose is not None
    np.testing.assert_array_equal(front.pose.matrix, odd.pose.matrix)
    assert (wrist.name, wrist.mount, wrist.model) == (odd.name, "ee", None)
    assert bare.pose is None
    save_cameras(path, [front, wrist, bare])
    assert [e.name for e in load_cameras(path)] == ["front", odd.name, "bare"]


GOOD = '[front]\ndriver = "recorded"\noptions = { path = "x" }\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names no camera"),
        ('[a]\ndriver = "webcam"', r"a.driver: has the value 'webcam' \(legal values: .*recorded"),
        ('[a]\nmount = "world"', "a.driver: is missing"),
        (GOOD + 'mount = "hand"', "front.mount: has the value 'hand'.*world, ee"),
        (GOOD + "fps = 3", "front.fps: is not a key here.*options, pose"),
        (GOOD + "[front.pose]\nposition = [0, 0]\nquat_wxyz = [1, 0, 0, 0]", "a list of 3 numbers"),
        (GOOD + "[front.pose]\nposition = [0, 0, 0]\nquat_wxyz = [0, 0, 0, 0]", "length 0 .must"),
        (GOOD + "[front.pose]\nposition = [0, 0, nan]\nquat_wxyz = [1, 0, 0, 0]", "must lie in"),
        (GOOD + "[front.intrinsics]\nwidth = 8\nheight = 6\nfx = 0\nfy = 1\ncx = 0\ncy = 0", "fx"),
        (
            GOOD + "[front.intrinsics]\nwidth = 8\nheight = 6\nfx = 9\nfy = 9\ncx = 4\ncy = 3\n"
            "distortion = [0.1, 0.2]",
            "has 2 numbers .k1, k2, p1, p2, k3",
        ),
        ("[front", "not valid TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_the_legal_values(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "cameras.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=f"(?s){problem}"):
        load_cameras(path)


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "cameras.toml"
    save_cameras(path, [_entry()])
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        save_cameras(path, [_entry(options={"path": None})])
    with pytest.raises(ConfigurationError, match="share a name"):
        save_cameras(path, [_entry(), _entry()])
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_an_unknown_option_of_a_driver_is_refused_with_the_legal_ones() -> None:
    with pytest.raises(ConfigurationError, match="unknown option 'fps'.*path, loop, depth_scale_m"):
        open_camera(_entry(options={"path": "x", "fps": 30}))


def test_every_driver_says_what_its_options_mean() -> None:
    assert "recorded" in CAMERAS.names
    for name in CAMERAS.names:
        assert all(CAMERAS.get(name).options.values()), name


def _frames(count: int) -> list[Frame]:
    rng = np.random.default_rng(3)
    return [
        Frame(
            time_s=100.0 + 0.02 * k,
            number=k,
            rgb=rng.integers(0, 255, (6, 8, 3), dtype=np.uint8),
            depth=np.where(rng.random((6, 8)) < 0.2, np.nan, 1.0 + k).astype(np.float32),
        )
        for k in range(count)
    ]


def test_a_recorded_folder_is_played_with_its_times_and_then_over(tmp_path: Path) -> None:
    (tmp_path / "front").mkdir()
    frames = _frames(3)
    for frame in frames:
        write_frame(tmp_path / "front", frame)
    camera = open_camera(_entry(folder=tmp_path))
    seen: list[Frame] = []
    try:
        with pytest.raises(CameraError, match="the recording is over"):
            while True:
                seen.append(camera.read(newer_than_s=seen[-1].time_s if seen else -np.inf))
        assert camera.model == MODEL
        assert "over" in camera.health().problem
    finally:
        camera.close()
    last = seen[-1]
    np.testing.assert_array_equal(last.rgb, frames[2].rgb)
    np.testing.assert_array_equal(last.depth, frames[2].depth)
    assert last.number == 3
    for one, next_one in zip(seen, seen[1:], strict=False):
        gap = 0.02 * (next_one.number - one.number)
        assert next_one.time_s - one.time_s == pytest.approx(gap, abs=1e-9)


def test_whole_numbers_of_depth_are_scaled_and_zero_is_unknown(tmp_path: Path) -> None:
    frame = _frames(1)[0]
    depth = np.where(np.isnan(frame.depth), 0, 1500).astype(np.uint16)
    np.savez(tmp_path / "one.npz", time_s=[0.0], rgb=frame.rgb[None], depth=depth[None])
    camera = open_camera(_entry(folder=tmp_path, options={"path": "one.npz"}))
    try:
        seen = camera.read()
    finally:
        camera.close()
    np.testing.assert_allclose(seen.depth, np.where(np.isnan(frame.depth), np.nan, 1.5))


def test_a_recording_of_another_size_than_its_intrinsics_is_refused(tmp_path: Path) -> None:
    frame = _frames(1)[0]
    np.savez(tmp_path / "one.npz", time_s=[0.0], rgb=frame.rgb[None], depth=frame.depth[None])
    entry = _entry(folder=tmp_path, options={"path": "one.npz"}, model=replace(MODEL, width=9))
    with pytest.raises(CameraError, match="intrinsics of 9 x 6 pixels, but its images have 8 x 6"):
        open_camera(entry)
    with pytest.raises(CameraError, match="cannot read"):
        open_camera(_entry(folder=tmp_path, options={"path": "two.npz"}))
    np.savez(tmp_path / "two.npz", rgb=frame.rgb)
    with pytest.raises(CameraError, match="time_s, rgb, depth"):
        open_camera(_entry(folder=tmp_path, options={"path": "two.npz"}))
