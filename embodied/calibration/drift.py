"""By how much cameras disagree about what they all see, for use while the robot runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from embodied.calibration.board import Board, Sight
from embodied.calibration.lens import angle_between, board_in_camera
from embodied.calibration.plane import Plane
from embodied.perception.cameras.types import CameraModel
from embodied.types import Array, Pose

MOST_M = 0.003
"""Cameras that disagree by more should be calibrated again before anything moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two cameras and how differently they see one thing.

    Attributes:
        first: Name of a camera.
        second: Name of another one.
        distance_m: Largest distance between the places where they see the same point, m.
        angle_rad: Angle between the orientations that they see, rad.
    """

    first: str
    second: str
    distance_m: float
    angle_rad: float

    def __str__(self) -> str:
        return (
            f"{self.first} and {self.second} disagree by {1000 * self.distance_m:.1f} mm and"
            f" {np.rad2deg(self.angle_rad):.2f} degrees"
        )


def board_in_world(sight: Sight, model: CameraModel, pose: Pose) -> Pose:
    """Where one camera sees the board.

    Args:
        sight: The board in its image.
        model: Intrinsics.
        pose: Pose of the optical frame in the world.

    Raises:
        CalibrationError: No pose explains the corners.
    """
    return pose @ board_in_camera(sight, model)[0]


def by_board(seen: Mapping[str, Pose], board: Board) -> list[Disagreement]:
    """Compare where cameras see one board that lies still; the worst pair first.

    Args:
        seen: Board in the world by each camera, as of ``board_in_world``.
        board: The board; the distance is that of its outer corners.
    """
    found: list[Disagreement] = []
    for (a, pose_a), (b, pose_b) in combinations(seen.items(), 2):
        apart = np.linalg.norm(pose_a.apply(board.outline) - pose_b.apply(board.outline), axis=1)
        turned = angle_between(pose_a.rotation, pose_b.rotation)
        found.append(
            Disagreement(first=a, second=b, distance_m=float(apart.max()), angle_rad=turned)
        )
    return sorted(found, key=lambda d: -d.distance_m)


def by_plane(seen: Mapping[str, Plane], area: Array) -> list[Disagreement]:
    """Compare where cameras see the table; the worst pair first.

    A shift along the table cannot be seen in it, nor a turn about the vertical: the board shows
    both.

    Args:
        seen: Table plane by each camera.
        area: Corners of the area that counts, (k, 2), m.
    """
    found: list[Disagreement] = []
    for (a, plane_a), (b, plane_b) in combinations(seen.items(), 2):
        apart = max(abs(plane_a.height_m(x, y) - plane_b.height_m(x, y)) for x, y in area)
        cosine = min(1.0, float(plane_a.normal @ plane_b.normal))
        angle = float(np.arccos(cosine))
        found.append(Disagreement(first=a, second=b, distance_m=apart, angle_rad=angle))
    return sorted(found, key=lambda d: -d.distance_m)
