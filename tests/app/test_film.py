from __future__ import annotations

import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.app.record.states import STATES, StateLog
from embodied.app.show.film import Film
from embodied.app.show.video import VideoJob, VideoOptions
from embodied.errors import ConfigurationError
from embodied.world.mujoco import build_world
from embodied.world.png import encode_png
from embodied.world.scene import load_scene

SMALL = VideoOptions(width_px=160, height_px=120, rate_hz=10.0, speed=2.0)


class Bars:
    """A painter that needs no OpenGL: a white column at ``qpos``."""

    note = ""

    def __init__(self, width: int, height: int, delay_s: float = 0.0) -> None:
        self.size, self.delay_s = (height, width), delay_s
        self.closed = False

    def draw(self, qpos: np.ndarray) -> np.ndarray:
        time.sleep(self.delay_s)
        image = np.zeros((*self.size, 3), dtype=np.uint8)
        image[:, int(qpos[0]) % self.size[1]] = 255
        return image

    def close(self) -> None:
        self.closed = True


def _record(folder: Path, n: int, header: dict[str, Any] | None = None) -> None:
    with closing(
        StateLog(
            folder / STATES, nq=1, rate_hz=10.0, header=header or {}, on_loss=lambda reason: None
        )
    ) as log:
        for k in range(n):
            log.sample(k / 10, lambda k=k: np.array([float(k)]))


def _film(folder: Path, options: VideoOptions, delay_s: float = 0.0) -> Any:
    film = Film(folder, options, lambda header, w, h, quality: Bars(w, h, delay_s))
    return film.run(ended=lambda: True, report=lambda drawn, of: None)


def _frames(path: Path) -> tuple[list[np.ndarray], list[float], str]:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        times = [float(f.pts * f.time_base) for f in frames]
        return [f.to_ndarray(format="rgb24") for f in frames], times, stream.pix_fmt


def test_a_video_plays_at_the_stated_speed(tmp_path: Path) -> None:
    _record(tmp_path, 41)
    result = _film(tmp_path, SMALL)
    assert result.files == ("before.png", "after.png", "video.mp4")
    assert not result.problem
    assert result.details["speed"] == 2.0
    assert result.details["simulated_s"] == pytest.approx(4.0, abs=1e-3)
    images, times, pixels = _frames(tmp_path / "video.mp4")
    assert pixels == "yuv420p"
    assert images[0].shape == (120, 160, 3)
    assert times[-1] == pytest.approx(4.0 / 2.0 + 1.0, abs=0.05)
    brightest = int(images[20].astype(int).sum(axis=(0, 2)).argmax())
    assert abs(brightest - 20) <= 1


def test_frames_are_left_out_to_keep_the_budget(tmp_path: Path) -> None:
    _record(tmp_path, 400)
    options = VideoOptions(width_px=160, height_px=120, rate_hz=10.0, budget_s=0.3)
    result = _film(tmp_path, options, delay_s=0.01)
    assert 2 < result.details["frames"] < 100
    _, times, _ = _frames(tmp_path / "video.mp4")
    assert times[-1] == pytest.approx(39.9 / options.speed + 1.0, abs=0.05)


def test_states_that_come_while_drawing_are_drawn(tmp_path: Path) -> None:
    log = StateLog(tmp_path / STATES, nq=1, rate_hz=10.0, header={}, on_loss=lambda r: None)
    calls = iter(range(1000))

    def ended() -> bool:
        k = next(calls)
        if k < 20:
            log.sample(k / 10, lambda: np.array([float(k)]))
        return k >= 25

    film = Film(tmp_path, SMALL, lambda header, w, h, quality: Bars(w, h))
    with closing(log):
        result = film.run(ended=ended, report=lambda drawn, of: None)
    assert result.details["frames"] == 20


def test_nothing_recorded_is_no_picture(tmp_path: Path) -> None:
    assert "no state" in _film(tmp_path, SMALL).problem


def test_a_full_disk_leaves_no_half_video(tmp_path: Path) -> None:
    import resource

    _record(tmp_path, 200)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, hard))
    try:
        result = _film(tmp_path, SMALL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "incomplete" in result.problem
    assert not (tmp_path / "video.mp4").exists()
    assert not list(tmp_path.glob(".video*"))


def test_png(tmp_path: Path) -> None:
    import av

    image = np.random.default_rng(0).integers(0, 255, (30, 41, 3), dtype=np.uint8)
    (tmp_path / "x.png").write_bytes(encode_png(image))
    with av.open(str(tmp_path / "x.png")) as container:
        frame = next(container.decode(video=0))
    assert np.array_equal(frame.to_ndarray(format="rgb24"), image)


# --------------------------------------------------------- the child process


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """States of the real scene with the arm turning."""
    world = build_world(load_scene("blocks"))
    world.reset(seed=0)
    qpos = world.qpos
    header = {"route": "pddl", "scene": "blocks", "robot": "fr3"}
    with closing(
        StateLog(
            tmp_path / STATES, nq=len(qpos), rate_hz=10.0, header=header, on_loss=lambda r: None
        )
    ) as log:
        for k in range(10):
            log.sample(k / 10, lambda k=k: qpos + np.eye(1, len(qpos))[0] * 0.1 * k)
    world.close()
    return tmp_path


def test_the_child_draws_the_scene(recorded: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = VideoJob(recorded, SMALL).wait(lambda drawn, of: seen.append((drawn, of)))
    assert not result.problem
    assert set(result.files) == {"before.png", "after.png", "video.mp4"}
    assert seen[-1] == (10, 10)
    images, _, _ = _frames(recorded / "video.mp4")
    assert np.abs(images[0].astype(int) - images[-1].astype(int)).max() > 60  # the arm has turned


def test_without_opengl_the_child_casts_rays_and_names_the_packages(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent.json")
    result = VideoJob(recorded, SMALL).wait()
    assert not result.problem
    assert "libegl1 libegl-mesa0 libgl1-mesa-dri" in result.details["note"]
    assert set(result.files) == {"before.png", "after.png", "video.mp4"}
    images, _, _ = _frames(recorded / "video.mp4")
    assert np.abs(images[0].astype(int) - images[-1].astype(int)).max() > 60


def test_a_child_that_is_killed_costs_the_pictures_only(recorded: Path) -> None:
    job = VideoJob(recorded, SMALL)
    job._process.send_signal(signal.SIGKILL)
    result = job.wait()
    assert "no pictures" in result.problem and "MUJOCO_GL=disable" in result.problem


def test_cancel_ends_the_child(recorded: Path) -> None:
    job = VideoJob(recorded, SMALL)
    job.cancel()
    job.cancel()
    assert job._process.returncode is not None


def test_a_scene_that_is_gone_is_named(recorded: Path) -> None:
    raw = (recorded / STATES).read_bytes()
    (recorded / STATES).write_bytes(raw.replace(b'"blocks"', b'"blorks"'))
    result = VideoJob(recorded, SMALL).wait()
    assert "blorks" in result.problem
    with pytest.raises(ConfigurationError, match="blorks"):
        _film_real(recorded)


def _film_real(folder: Path) -> None:
    Film(folder, SMALL).run(ended=lambda: True, report=lambda drawn, of: None)
