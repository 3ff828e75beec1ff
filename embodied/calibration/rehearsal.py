"""Calibrations whose truth is known: an arm, a hidden camera, a drawn board, noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from embodied_planners.motion.kinematics import ArmKinematics

from embodied.calibration.board import FEWEST_CORNERS, Board, Sight, find_board
from embodied.calibration.hand_eye import HandEye, calibrate_hand_eye
from embodied.calibration.intrinsics import Coverage, Intrinsics, calibrate_intrinsics
from embodied.calibration.least_squares import Problem
from embodied.calibration.lens import angle_between, project, rotation_matrix
from embodied.calibration.poses import plan_views
from embodied.calibration.rendered import render_board
from embodied.calibration.views import HandEyeOptions, View
from embodied.perception.cameras.types import CameraModel
from embodied.types import Array, Pose
from embodied.world import robots
from embodied.world.mujoco import planning_model, world_spec
from embodied.world.scene import load_scene

BOARD = Board(columns=9, rows=6, square_mm=28.0)

LENS = CameraModel(
    width=640,
    height=480,
    fx=612.0,
    fy=610.0,
    cx=322.3,
    cy=241.7,
    distortion=(0.08, -0.15, 0.001, -0.0007, 0.03),
)
"""The true camera."""

_LOWEST_M = 0.1
"""Of the end effector."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """What is true, and how noisy it is seen.

    Attributes:
        mount: ``"ee"`` or ``"world"``.
        kinematics: The arm.
        q_home: Its rest configuration, (n,), rad.
        x: Camera in its mount.
        y: Board in the world, or in the end effector for a fixed camera.
        lens: The camera.
        board: The board.
        pixel_std: Noise added to each corner, px.
        joint_std_rad: Noise of a measured joint.
        rendered: Corners are found in drawn images, else computed.
    """

    mount: str
    kinematics: ArmKinematics
    q_home: Array
    x: Pose
    y: Pose
    lens: CameraModel = LENS
    board: Board = BOARD
    pixel_std: float = 0.2
    joint_std_rad: float = float(np.deg2rad(0.05))
    rendered: bool = False

    def board_in_camera(self, q: Array) -> Pose:
        """Where the board is in the optical frame with the arm truly at ``q`` (n,)."""
        ee = self.kinematics.pose(q)
        back = self.x.inverse()
        return back @ (ee.inverse() if self.mount == "ee" else ee) @ self.y

    def see(self, pose_board_in_camera: Pose, rng: np.random.Generator) -> Sight:
        """The board in one image, with noise; corners outside of the image are missing."""
        if self.rendered:
            image = render_board(self.board, self.lens, pose_board_in_camera, rng=rng)
            sight = find_board(image, self.board)
        else:
            points = self.board.corners
            pixels = project(pose_board_in_camera.apply(points), self.lens)[0]
            size = np.array([self.lens.width, self.lens.height])
            ids = np.flatnonzero(((pixels > 3.0) & (pixels < size - 4.0)).all(axis=1))
            few = "too few corners" if len(ids) < FEWEST_CORNERS else ""
            sight = Sight(ids=ids, points=points[ids], pixels=pixels[ids], problem=few)
        noise = rng.normal(0.0, self.pixel_std, sight.pixels.shape)
        return replace(sight, pixels=sight.pixels + noise)


def setup(robot: str, mount: str, *, rendered: bool = False) -> Setup:
    """A camera on the hand over a board on the table, or one beside the arm and a board on it."""
    scene, arm = load_scene("blocks"), robots.load(robot)
    model = planning_model(scene, arm)
    kinematics = ArmKinematics(model, world_spec(scene, arm, model))
    centre = BOARD.outline.mean(axis=0)
    if mount == "ee":
        x = Pose.from_rotation(rotation_matrix(np.array([0.1, -0.2, 0.3])), [0.05, -0.03, 0.06])
        down = np.diag([1.0, -1.0, -1.0])
        y = Pose.from_rotation(down, np.array([0.45, 0.0, 0.0]) - down @ centre)
    else:
        along = np.array([-1.0, 0.0, -0.3]) / np.hypot(1.0, 0.3)
        right = np.array([0.0, 1.0, 0.0])
        R = np.stack([right, np.cross(along, right), along], axis=1)
        x = Pose.from_rotation(R, [1.05, 0.0, 0.6])
        y = Pose.from_rotation(rotation_matrix(np.array([0.1, 0.2, 0.1])), [-0.1, -0.08, 0.1])
    return Setup(
        mount=mount, kinematics=kinematics, q_home=np.array(arm.q_home), x=x, y=y, rendered=rendered
    )


def lens_trial(truth: Setup, rng: np.random.Generator, *, views: int = 40) -> Intrinsics:
    """Intrinsics from views of a board that somebody waves about; raises CalibrationError."""
    lens, centre = truth.lens, truth.board.outline.mean(axis=0)
    coverage = Coverage(truth.board, lens.width, lens.height)
    reach = 0.35 * np.array([lens.width / lens.fx, lens.height / lens.fy])
    for _ in range(20 * views):
        depth = rng.uniform(0.3, 0.6)
        R = rotation_matrix(rng.normal(0.0, 0.4, 3))
        middle = depth * np.append(rng.uniform(-1.0, 1.0, 2) * reach, 1.0)
        coverage.add(truth.see(Pose.from_rotation(R, middle - R @ centre), rng))
        if len(coverage.sights) >= views:
            break
    return calibrate_intrinsics(coverage)


def hand_eye_views(
    truth: Setup, intrinsics: Intrinsics, rng: np.random.Generator, *, count: int = 40
) -> list[View]:
    """Views from planned poses, with noisy joints."""
    options = HandEyeOptions(mount=truth.mount)
    problem = Problem(
        views=(),
        arm=truth.kinematics,
        model=intrinsics.model,
        options=options,
        lens=intrinsics.information,
    )

    def reach(pose: Pose) -> Array | None:
        found = truth.kinematics.solve(pose, truth.q_home)
        q = np.array(found.q)
        low = truth.kinematics.matrix(q)[2, 3] < _LOWEST_M
        return None if low or not found.found else q

    views: list[View] = []
    for q in plan_views(problem, truth.board, truth.x, truth.y, reach, count=count, rng=rng):
        sight = truth.see(truth.board_in_camera(q), rng)
        if not sight.problem:
            noise = rng.normal(0.0, truth.joint_std_rad, len(q))
            views.append(View(q=q + noise, sight=sight))
    return views


def hand_eye_trial(
    truth: Setup, rng: np.random.Generator, *, views: int = 40, lens_views: int = 40
) -> tuple[HandEye, Intrinsics]:
    """The whole calibration from nothing; raises CalibrationError."""
    intrinsics = lens_trial(truth, rng, views=lens_views)
    taken = hand_eye_views(truth, intrinsics, rng, count=views)
    options = HandEyeOptions(mount=truth.mount)
    model, known = intrinsics.model, intrinsics.information
    return calibrate_hand_eye(taken, truth.kinematics, model, options, lens=known), intrinsics


def errors_of(found: Pose, true: Pose) -> tuple[float, float]:
    """Distance, m, and angle, rad, between two poses."""
    distance = float(np.linalg.norm(found.position - true.position))
    return distance, angle_between(found.rotation, true.rotation)
