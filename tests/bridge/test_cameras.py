"""An emulated UR5e whose scene the bridge knows through cameras of another process alone."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from embodied.app.bridge.run import open_bridge_session
from embodied.app.bridge.session import BridgeOptions
from embodied.bridge.limits import shipped_limits
from embodied.perception.cameras.files import CameraEntry, save_cameras
from embodied.settings import Settings
from embodied.types import Command, Pose
from embodied.world import robots
from tests.perception.ray_camera import CORNERS, LENS

pytestmark = [pytest.mark.realtime, pytest.mark.slow]

HERE = Path(__file__).parent
SENTENCE = "put the red block on the green block"
_HOSTS = (f"127.0.23.{i}" for i in itertools.count(1))

Bridge = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("rtde_control", reason="ur-rtde is not installed (extra [bridge-ur])")
    address = next(_HOSTS)
    command = [sys.executable, "-m", "embodied.bridge.emulators", "universal-robots", "--stepped"]
    scene = ["--scene", "blocks", "--truth", str(tmp_path / "truth"), "--host", address]
    process = subprocess.Popen([*command, *scene], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    yield address
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def bridge(tmp_path: Path) -> Bridge:
    """``embodied bridge run`` where the package of the camera driver is installed."""
    info = tmp_path / "truth_camera-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: truth_camera\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[embodied.cameras]\ntruth = truth_camera:CAMERA\n")
    own = (tmp_path, HERE / "cameras", HERE.parent / "perception")
    path = os.pathsep.join([*map(str, own), *filter(None, sys.path)])

    def run(host: str, *words: str) -> subprocess.CompletedProcess[str]:
        arm = ("--driver", "universal-robots", "--limits", "ur5e-emulated", "--mode", "auto")
        options = ("-o", "lockstep=true", "-o", f"host={host}", "--no-video", "--json")
        out = ("--out", str(tmp_path / "runs"))
        return subprocess.run(
            [sys.executable, "-m", "embodied.app.cli.main", "bridge", "run"]
            + [*arm, *options, *out, *words],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def _cameras(folder: Path, *, shift_m: float = 0.0, **options: object) -> str:
    """A file of three cameras that are not quite where it says."""
    entries: list[CameraEntry] = []
    for sign, (name, pose) in zip((1.0, -1.0, 1.0), CORNERS.items(), strict=True):
        really = [*pose.position.tolist(), *pose.quat_wxyz.tolist()]
        off = Pose(position=np.array([sign * shift_m, 0, 0]), quat_wxyz=np.array([1.0, 0, 0, 0]))
        entries.append(
            CameraEntry(
                name=name,
                driver="truth",
                options={"truth": str(folder / "truth"), "really": really, **options},
                model=LENS,
                pose=pose @ off,
            )
        )
    save_cameras(folder / "cameras.toml", entries)
    return str(folder / "cameras.toml")


def _truth(folder: Path) -> dict[str, np.ndarray]:
    """Where things are, by the emulator; nothing of the bridge asks it."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(folder / "truth"))
        file = line.makefile("rw")
        file.write("\n")
        file.flush()
        poses = json.loads(file.readline())["poses"]
    return {name: np.array(numbers[:3]) for name, numbers in poses.items()}


def test_a_sentence_is_carried_out_by_what_cameras_see(
    host: str, bridge: Bridge, tmp_path: Path
) -> None:
    done = bridge(host, SENTENCE, "--cameras", _cameras(tmp_path, shift_m=3e-4))
    assert done.returncode == 0, done.stdout + done.stderr
    apart = np.subtract(*(_truth(tmp_path)[n] for n in ("red-block", "green-block")))
    assert np.abs(apart[:2]).max() < 0.02 and 0.03 < apart[2] < 0.06
    run = json.loads(done.stdout)
    assert run["perception"] == "cameras"
    assert run["verdict"]["measured_from"] == "RGB-D pixels of 3 cameras of cameras.toml"
    assert run["cameras"]["names"] == list(CORNERS) and len(run["cameras"]["sha256"]) == 64


def test_cameras_that_disagree_stop_the_run_before_anything_moves(
    host: str, bridge: Bridge, tmp_path: Path
) -> None:
    before = _truth(tmp_path)
    done = bridge(host, SENTENCE, "--cameras", _cameras(tmp_path, shift_m=4e-3))
    run = json.loads(done.stdout)
    assert done.returncode == run["exit_code"] == 3
    assert "disagree by" in run["message"] and "Nothing has moved" in run["message"]
    after = _truth(tmp_path)
    assert all(np.array_equal(before[n], after[n]) for n in before)


def test_a_lost_camera_ends_the_run_with_its_name(
    host: str, bridge: Bridge, tmp_path: Path
) -> None:
    done = bridge(host, SENTENCE, "--cameras", _cameras(tmp_path, frames=12))
    run = json.loads(done.stdout)
    assert run["exit_code"] == 3, run
    assert "the cable was pulled" in run["message"] and "front-left" in run["message"]
    assert run["verdict"]["reached"] is False


def test_what_needs_eyes_is_refused_before_connecting(bridge: Bridge) -> None:
    nobody = "127.0.6.67"  # connecting would be another error
    done = bridge(nobody, SENTENCE)
    assert done.returncode == 2
    said = json.loads(done.stdout)["message"]
    assert "nobody says where green-block, red-block are: give --cameras" in said
    done = bridge(nobody, SENTENCE, "--cameras", "x.toml", "-o", "truth=/x")
    assert done.returncode == 2 and "two answers" in json.loads(done.stdout)["message"]
    done = bridge(nobody, SENTENCE, "--cameras", "x.toml", "--mode", "dry-run")
    assert done.returncode == 2 and "nobody looks" in json.loads(done.stdout)["message"]


def test_without_eyes_the_arm_goes_home_and_the_gripper_moves(host: str, tmp_path: Path) -> None:
    session, supervised = open_bridge_session(
        Settings(scene="blocks", robot="ur5e", world="bridge"),
        BridgeOptions(
            driver="universal-robots",
            options={"host": host, "lockstep": True},
            limits=shipped_limits("ur5e-emulated"),
        ),
    )
    home = robots.load("ur5e").q_home
    try:
        world, body = supervised.world, session.environment.body
        assert set(body.observe().poses) == {"table", "bin", "tray"}
        started, away = world.sent, np.array(world.sent)
        for share in np.linspace(0.0, 1.0, 150)[1:]:
            away = started + 0.2 * share**2 * (3.0 - 2.0 * share) * np.eye(6)[0]
            body.step(Command(q=away))
        assert abs(body.observe().q[0] - home[0]) > 0.1
        assert session.run("go home").reached
        assert np.abs(body.observe().q - home).max() < 0.02
        assert session.run("close the gripper").reached
        grip = body.observe().gripper
        assert grip is not None and grip.width_m < 0.01
    finally:
        session.close()


def test_the_process_that_looks_ends_with_the_bridge(
    host: str, bridge: Bridge, tmp_path: Path
) -> None:
    bridge(host, "where is the red block?", "--cameras", _cameras(tmp_path))
    time.sleep(0.5)
    left = [
        line
        for pid in Path("/proc").glob("[0-9]*")
        if (line := _command_line(pid)) and str(tmp_path) in line and "spawn_main" in line
    ]
    assert not left


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
