"""The command moves an emulated UR5e behind the supervisor; the camera's truth stays hidden."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="OpenCV is not installed (extra [calibration])")
pytest.importorskip("rtde_receive", reason="ur-rtde is not installed (extra [bridge-ur])")

from embodied.calibration.board import save_board  # noqa: E402
from embodied.calibration.rehearsal import BOARD, errors_of  # noqa: E402
from embodied.types import Pose  # noqa: E402

pytestmark = [pytest.mark.realtime, pytest.mark.slow]

HERE = Path(__file__).parent
HOST = "127.0.61.1"
CAMERAS = f"""
[wrist]
driver = "board"
mount = "ee"
options = {{ host = "{HOST}" }}
[wrist.intrinsics]
width = 640
height = 480
fx = 609.5
fy = 607.8
cx = 320.9
cy = 240.6
distortion = [0.07, -0.12, 0.0005, -0.001, 0.0]
"""


def test_the_hidden_camera_on_the_hand_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    import board_camera

    info = tmp_path / "board_camera-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: board-camera\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[embodied.cameras]\nboard = board_camera:CAMERA\n")
    (tmp_path / "cameras.toml").write_text(CAMERAS, "utf-8")
    save_board(BOARD, tmp_path / "board.toml")
    path = os.pathsep.join([str(tmp_path), str(HERE), *filter(None, sys.path)])
    emulator = [sys.executable, "-m", "embodied.bridge.emulators", "universal-robots"]
    command = [
        *(sys.executable, "-m", "embodied.app.cli.main", "calibrate", "hand-eye", "wrist"),
        *("--driver", "universal-robots", "-o", f"host={HOST}", "-o", "lockstep=true"),
        *("--limits", "ur5e-emulated", "--mode", "auto", "--views", "8", "--json"),
    ]
    with subprocess.Popen([*emulator, "--host", HOST, "--stepped"], stdout=subprocess.PIPE) as arm:
        try:
            assert arm.stdout is not None and arm.stdout.readline() == b"ready\n"
            done = subprocess.run(
                command,
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            arm.kill()
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    found = Pose(position=np.array(report["position_m"]), quat_wxyz=np.array(report["quat_wxyz"]))
    distance, angle = errors_of(found, board_camera.truth("ee").x)
    assert distance < 0.002 and angle < np.deg2rad(0.5)
    assert report["held_out_mm"] < 3.0
