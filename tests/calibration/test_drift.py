"""The table's plane, and cameras that disagree."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="OpenCV is not installed (extra [calibration])")

from embodied.calibration.board import find_board  # noqa: E402
from embodied.calibration.drift import MOST_M, board_in_world, by_board, by_plane  # noqa: E402
from embodied.calibration.errors import CalibrationError  # noqa: E402
from embodied.calibration.lens import rotation_matrix  # noqa: E402
from embodied.calibration.plane import find_plane, points_in_world  # noqa: E402
from embodied.calibration.rehearsal import BOARD, LENS  # noqa: E402
from embodied.calibration.rendered import RenderedCamera  # noqa: E402
from embodied.types import Pose  # noqa: E402

AREA = np.array([[0.2, -0.3], [0.2, 0.3], [0.7, -0.3], [0.7, 0.3]])
DOWN = np.diag([1.0, -1.0, -1.0])
ON_TABLE = Pose.from_rotation(DOWN, np.array([0.45, 0.0, 0.0]) - DOWN @ BOARD.outline.mean(axis=0))


def looking(at: tuple[float, float, float], name: str, believed: Pose | None = None):  # noqa: ANN201
    eye = np.array(at)
    along = np.array([0.45, 0.0, 0.0]) - eye
    along /= np.linalg.norm(along)
    right = np.cross(along, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = Pose.from_rotation(np.stack([right, np.cross(along, right), along], axis=1), eye)
    place = pose.inverse() @ ON_TABLE
    believed = pose if believed is None else pose @ believed
    return RenderedCamera(name, BOARD, LENS, lambda: place, pose=believed)


SHIFT = Pose(position=np.array([0.004, 0.0, 0.0]), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))


@pytest.mark.parametrize(("believed", "apart_m"), [(None, 0.0), (SHIFT, 0.004)])
def test_the_board_shows_by_how_much_cameras_disagree(
    believed: Pose | None, apart_m: float
) -> None:
    seen = {}
    for camera in (
        looking((0.2, -0.2, 0.5), "left"),
        looking((0.75, 0.2, 0.5), "right", believed),
        looking((0.5, -0.1, 0.55), "top"),
    ):
        assert camera.pose is not None
        sight = find_board(camera.read().rgb, BOARD)
        seen[camera.name] = board_in_world(sight, camera.model, camera.pose)
    found = by_board(seen, BOARD)
    assert len(found) == 3
    assert found[0].distance_m == pytest.approx(apart_m, abs=0.0015)
    assert (found[0].distance_m > MOST_M) == (apart_m > 0.0)
    if apart_m:
        assert "right" in (found[0].first, found[0].second)
        assert found[-1].distance_m < 0.002  # left and top agree
        assert "disagree by" in str(found[0])


def test_the_table_is_found_among_things_and_noise() -> None:
    rng = np.random.default_rng(0)
    camera = looking((0.2, -0.2, 0.5), "left")
    assert camera.pose is not None
    points = points_in_world(camera.read(), camera.model, camera.pose)
    points = points + rng.normal(0.0, 0.002, points.shape)
    things = rng.uniform([0.3, -0.2, 0.0], [0.6, 0.2, 0.2], (len(points) // 2, 3))
    plane = find_plane(np.concatenate([points, things]))
    assert abs(plane.height_m(0.45, 0.0)) < 0.0005
    assert plane.tilt_rad < np.deg2rad(0.1)
    assert 0.5 < plane.share < 0.8


def test_planes_show_height_and_tilt() -> None:
    tilt = Pose.from_rotation(rotation_matrix(np.array([0.01, 0.0, 0.0])))
    planes = {}
    for camera in (looking((0.2, -0.2, 0.5), "left"), looking((0.7, 0.2, 0.5), "right", tilt)):
        assert camera.pose is not None
        points = points_in_world(camera.read(), camera.model, camera.pose)
        planes[camera.name] = find_plane(points)
    (found,) = by_plane(planes, AREA)
    assert found.angle_rad == pytest.approx(0.01, rel=0.1)
    assert found.distance_m > MOST_M


def test_no_level_plane_is_told() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(CalibrationError, match="no level plane"):
        find_plane(rng.uniform(-0.3, 0.3, (3000, 3)))
    with pytest.raises(CalibrationError, match="too few"):
        find_plane(np.zeros((5, 3)))
    wall = rng.uniform(-0.3, 0.3, (3000, 3)) * [1.0, 0.0, 1.0]
    with pytest.raises(CalibrationError, match="no level plane"):
        find_plane(wall)
