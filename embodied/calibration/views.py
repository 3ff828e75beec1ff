"""What a hand-eye calibration takes: views, the arm's kinematics, options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from embodied.calibration.board import Sight
from embodied.types import Array

FEWEST_VIEWS = 8


class Arm(Protocol):
    """Kinematics, as of ``embodied_planners.motion.kinematics.ArmKinematics``."""

    def matrix(self, q: Array) -> Array:
        """Pose of the end effector in the world, (4, 4)."""
        ...

    def jacobian(self, q: Array) -> Array:
        """Geometric Jacobian in the world, (6, n): linear rows first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """The board in one image, and the joints (n,), rad, at that time."""

    q: Array
    sight: Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class HandEyeOptions:
    """How a hand-eye calibration is done.

    Attributes:
        mount: Where the camera is: ``"ee"``, with the board fixed in the world, or ``"world"``,
            with the board on the hand.
        pixel_std: Noise of a corner, px.
        joint_std_rad: Noise of a measured joint, rad.
        offsets: Also estimate constant errors of the joints; the first and the last one cannot be
            told from the poses.
        intrinsics: Refine the camera's intrinsics, too.
        most_m: Largest error at the board, root mean square over held-out views, m.
        most_position_std_m: Largest standard deviation of the camera's position, m.
        most_rotation_std_rad: Largest standard deviation of its rotation, rad.
    """

    mount: str
    pixel_std: float = 0.2
    joint_std_rad: float = np.deg2rad(0.05)
    offsets: bool = False
    intrinsics: bool = True
    most_m: float = 0.003
    most_position_std_m: float = 0.002
    most_rotation_std_rad: float = np.deg2rad(0.3)
