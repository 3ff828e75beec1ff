from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from embodied.app.cli import main as cli


def test_perceived_beside_the_truth_with_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "views.png"
    args = ["perceive", "--scene", "blocks", "--json", "--picture", str(picture)]
    done = CliRunner().invoke(cli.app, args)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["names_from"] == "pixels" and report["missed"] == []
    assert max(o["position_error_m"] for o in report["objects"]) < 0.006
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_missed_objects_are_exit_code_one() -> None:
    cameras = ("top", "front-left", "front-right", "rear-right")
    args = ["perceive", "--json", *(a for c in cameras for a in ("--lose", c))]
    done = CliRunner().invoke(cli.app, args)
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert len(report["missed"]) == 8 and report["objects"] == []


def test_an_unknown_camera_lists_the_known_ones() -> None:
    done = CliRunner().invoke(cli.app, ["perceive", "--lose", "nosuch"])
    assert done.exit_code == 2
    assert "unknown camera 'nosuch'" in done.output and "wrist" in done.output


def test_an_unknown_detector_lists_the_known_ones() -> None:
    done = CliRunner().invoke(cli.app, ["perceive", "--detector", "psychic", "--json"])
    assert done.exit_code != 0
    assert "open-vocabulary" in done.output


def test_points_are_written_for_other_programs(tmp_path: Path) -> None:
    open3d = pytest.importorskip(
        "open3d", reason="Open3D is not usable here (extra [open3d])", exc_type=ImportError
    )
    file = tmp_path / "cloud.ply"
    done = CliRunner().invoke(cli.app, ["perceive", "--json", "--points", str(file)])
    assert done.exit_code == 0, done.output
    cloud = open3d.io.read_point_cloud(str(file))
    points, colors = np.asarray(cloud.points), np.asarray(cloud.colors)
    red = (colors[:, 0] > 0.7) & (colors[:, 1:].max(axis=1) < 0.3)
    block = next(o for o in json.loads(done.stdout)["objects"] if o["name"] == "red-block")
    assert np.linalg.norm(points[red].mean(axis=0) - block["position_m"]) < 0.03


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    file = str(tmp_path / "cloud.stl")
    done = CliRunner().invoke(cli.app, ["perceive", "--json", "--points", file])
    assert done.exit_code == 3 and ".pcd" in done.output
