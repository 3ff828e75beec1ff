"""Projection through a camera's lens, and the pose of a board from its corners."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embodied.calibration.board import Sight
from embodied.calibration.errors import CalibrationError, opencv
from embodied.perception.cameras.types import CameraModel
from embodied.types import Array, Pose

_NONE = np.zeros(3)


def distortion_of(model: CameraModel) -> Array:
    """(k1, k2, p1, p2, k3)."""
    return np.array(model.distortion or (0.0,) * 5)


LENS = ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3")
"""Intrinsics in the order of their derivatives."""


def lens_of(model: CameraModel) -> Array:
    """Intrinsics in the order of ``LENS``, (9,)."""
    return np.array([model.fx, model.fy, model.cx, model.cy, *distortion_of(model)])


def lens_units(model: CameraModel) -> Array:
    """Units of intrinsics, (9,): the focal length for those in pixels, else 1."""
    return np.array([model.fx] * 4 + [1.0] * 5)


def with_lens(model: CameraModel, lens: Array) -> CameraModel:
    """The camera with other intrinsics (9,)."""
    fx, fy, cx, cy, *distortion = (float(v) for v in lens)
    return replace(model, fx=fx, fy=fy, cx=cx, cy=cy, distortion=tuple(distortion))


def project(points: Array, model: CameraModel) -> tuple[Array, Array, Array]:
    """Pixels of points of the optical frame.

    Args:
        points: (k, 3), m.
        model: The camera.

    Returns:
        Pixels (k, 2), their derivatives by the points (k, 2, 3), px/m, and by the intrinsics in the
        order of ``LENS`` (k, 2, 9).
    """
    cv2 = opencv()
    lens = distortion_of(model)
    pixels, jacobian = cv2.projectPoints(points, _NONE, _NONE, model.matrix, lens)
    by_lens = jacobian[:, 6:15].reshape(-1, 2, 9)
    return pixels[:, 0], jacobian[:, 3:6].reshape(-1, 2, 3), by_lens


def ideal(pixels: Array, model: CameraModel) -> Array:
    """Where a lens without distortion of focal length 1 would see pixels (k, 2): (x / z, y / z)."""
    cv2 = opencv()
    until = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 30, 1e-9)
    lens = distortion_of(model)
    return cv2.undistortPointsIter(
        pixels.reshape(-1, 1, 2).astype(np.float64), model.matrix, lens, None, None, until
    )[:, 0]


def board_in_camera(sight: Sight, model: CameraModel) -> tuple[Pose, float]:
    """Pose of the board in the optical frame, and the RMS reprojection error of its corners, px.

    A plane has two poses that look alike; both are refined and the better one is taken.

    Raises:
        CalibrationError: No pose explains the corners.
    """
    cv2 = opencv()
    K, lens = model.matrix, distortion_of(model)
    count, turns, shifts, _ = cv2.solvePnPGeneric(
        sight.points, sight.pixels, K, lens, flags=cv2.SOLVEPNP_IPPE
    )
    best: tuple[float, Pose] | None = None
    for turn, shift in zip(turns[:count], shifts[:count], strict=True):
        turn, shift = cv2.solvePnPRefineLM(sight.points, sight.pixels, K, lens, turn, shift)
        seen, _ = cv2.projectPoints(sight.points, turn, shift, K, lens)
        off = float(np.sqrt(np.mean(np.sum((seen[:, 0] - sight.pixels) ** 2, axis=1))))
        if np.isfinite(off) and shift[2] > 0 and (best is None or off < best[0]):
            best = off, Pose.from_rotation(cv2.Rodrigues(turn)[0], shift.ravel())
    if best is None:
        raise CalibrationError("no pose of the board explains its corners in an image")
    return best[1], best[0]


def rotation_vector(rotation: Array) -> Array:
    """Axis times angle of a rotation matrix (3, 3), rad."""
    return opencv().Rodrigues(rotation)[0].ravel()


def rotation_matrix(vector: Array) -> Array:
    """Rotation (3, 3) about an axis by its length, rad."""
    return opencv().Rodrigues(np.asarray(vector, dtype=np.float64))[0]


def angle_between(a: Array, b: Array) -> float:
    """Angle of the rotation between two rotation matrices, rad."""
    return float(np.linalg.norm(rotation_vector(a.T @ b)))


def mean_pose(poses: list[Pose]) -> Pose:
    """Mean of poses that are near to each other."""
    U, _, V = np.linalg.svd(np.sum([p.rotation for p in poses], axis=0))
    R = U @ np.diag([1.0, 1.0, np.linalg.det(U @ V)]) @ V
    return Pose.from_rotation(R, np.median([p.position for p in poses], axis=0))
