"""The full camera model: distortion, rays, projection, and objects seen through a lens."""

from __future__ import annotations

import numpy as np
import pytest

from embodied.perception import CameraView, Perception
from embodied.perception.cameras import CameraModel, lens
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.types import Pose
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene
from tests.perception.ray_camera import CORNERS, LENS, shoot


def test_a_hand_worked_point_of_a_distorted_image() -> None:
    # (x, y) = (0.2, 0.1): r^2 = 0.05, radial = 1 + 0.1 * 0.05 - 0.2 * 0.0025 + 0.4 * 0.000125
    # = 1.00455; x'' = 0.20091 + 2 * 0.01 * 0.02 + 0.02 * (0.05 + 0.08) = 0.20391,
    # y'' = 0.100455 + 0.01 * (0.05 + 0.02) + 2 * 0.02 * 0.02 = 0.101955.
    model = CameraModel(
        width=640, height=480, fx=600.0, fy=500.0, cx=320.0, cy=240.0,
        distortion=(0.1, -0.2, 0.01, 0.02, 0.4),
    )  # fmt: skip
    columns, rows = lens.project(model, np.array([0.2]), np.array([0.1]))
    assert columns[0] == pytest.approx(320.0 + 600.0 * 0.20391, abs=1e-9)
    assert rows[0] == pytest.approx(240.0 + 500.0 * 0.101955, abs=1e-9)


def test_rays_and_projection_are_inverse_over_the_whole_image() -> None:
    x, y, z = lens.rays(LENS)
    assert (z == 1.0).all() and np.isfinite(x).all()
    columns, rows = lens.project(LENS, x, y)
    wanted = np.indices((240, 320)).reshape(2, -1)
    assert np.abs(columns - wanted[1]).max() < 1e-4
    assert np.abs(rows - wanted[0]).max() < 1e-4


def test_what_lies_beyond_the_lens_is_not_folded_back_into_the_image() -> None:
    far = np.array([3.0, -8.0, 40.0])
    columns, rows = lens.project(LENS, far, 0.1 * far)
    assert np.isnan(columns).all() and np.isnan(rows).all()


def test_pixels_past_the_turning_point_of_the_polynomial_have_no_ray() -> None:
    # r (1 - r^2) has its largest value, 0.385, at r = 0.577.
    x, _ = lens.undistort((-1.0, 0.0, 0.0, 0.0, 0.0), np.array([0.3, 0.38, 0.5]), np.zeros(3))
    assert np.isfinite(x[:2]).all() and (x[:2] < 0.578).all() and np.isnan(x[2])


def test_the_ideal_camera_of_a_simulator_is_as_it_was() -> None:
    model = CameraModel.from_field_of_view(np.deg2rad(45.0), 320, 240)
    x, y, _ = lens.rays(model)
    focal = 240 / 2 / np.tan(np.deg2rad(45.0) / 2)
    assert x[0] == (0.5 - 160.0) / focal and y[0] == (0.5 - 120.0) / focal


def test_projection_is_that_of_opencv() -> None:
    cv2 = pytest.importorskip("cv2", reason="no OpenCV to compare projection with")
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.uniform(-0.5, 0.5, (200, 2)), np.ones(200)])
    wanted, _ = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), LENS.matrix, np.array(LENS.distortion)
    )
    x, y = lens.distort(LENS.distortion, points[:, 0], points[:, 1])
    np.testing.assert_allclose(LENS.fx * x + LENS.cx, wanted[:, 0, 0], atol=1e-9)
    np.testing.assert_allclose(LENS.fy * y + LENS.cy, wanted[:, 0, 1], atol=1e-9)


def test_objects_are_found_through_lenses_with_distortion() -> None:
    world = build_world(load_scene("blocks"), "ur5e")
    seen = world.reset(seed=2)
    turned = Pose(position=np.zeros(3), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))
    errors: dict[bool, float] = {}
    for full in (True, False):
        used = LENS if full else CameraModel.from_field_of_view(2 * np.arctan(120 / 289), 320, 240)
        views: dict[str, CameraView] = {}
        for name, pose in CORNERS.items():
            rgb, depth = shoot(world.model, world.data, LENS, pose)
            views[name] = CameraView(
                name=name, pose_camera_in_world=pose @ turned, model=used, rgb=rgb, depth=depth
            )
        robot = ModelRobotFilter.of(world.model, world.spec)
        percept = Perception(world.spec, robot_filter=robot).look(seen, views)
        items = [n for n, o in world.spec.objects.items() if o.kind == "item"]
        errors[full] = max(
            float(np.linalg.norm(percept.objects[n].pose.position - seen.poses[n].position))
            if n in percept.objects
            else np.inf
            for n in items
        )
    world.close()
    assert errors[True] < 0.003 < 0.01 < errors[False], errors
