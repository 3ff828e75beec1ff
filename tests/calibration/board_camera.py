"""A camera driver for rehearsals: draws the board as an emulated UR5e's hidden camera sees it.

It asks the emulator over RTDE for the measured joints; what is true is known here only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embodied.calibration.lens import rotation_matrix
from embodied.calibration.rehearsal import BOARD, LENS, Setup, setup
from embodied.calibration.rendered import RenderedCamera
from embodied.perception.cameras.drivers import CameraDriver
from embodied.perception.cameras.files import CameraEntry
from embodied.types import Pose


def truth(mount: str) -> Setup:
    """The hidden camera, and the board where the camera sees it at the start."""
    known = setup("ur5e", mount)
    home = known.kinematics.pose(known.q_home)
    centre = BOARD.outline.mean(axis=0)
    if mount == "ee":
        x = Pose.from_rotation(rotation_matrix(np.array([0.1, -0.12, 0.3])), [0.05, -0.03, 0.04])
        eye = home @ x
        along = eye.rotation[:, 2]
        spot = eye.position - along * eye.position[2] / along[2]
        down = np.diag([1.0, -1.0, -1.0])
        return replace(known, x=x, y=Pose.from_rotation(down, spot - down @ centre))
    y = Pose.from_rotation(rotation_matrix(np.array([0.1, 0.2, 0.1])), [-0.1, -0.08, 0.1])
    middle = (home @ y).apply(centre)
    facing = (home @ y).rotation
    eye = middle - 0.6 * facing[:, 2] + [0.0, 0.03, 0.0]
    return replace(
        known, x=Pose.from_rotation(facing @ rotation_matrix(np.array([0.1, 0.05, 0.2])), eye), y=y
    )


class EmulatedArmCamera(RenderedCamera):
    """The board as the emulated arm's camera sees it.

    Args:
        host: The emulator's address.
        joint_noise_deg: How far the arm truly is from what it reports, degrees.
        printed_mm: True edge of a square, mm.
        blur_px: Of the lens.
        away: The board is not there.
    """

    def __init__(
        self,
        entry: CameraEntry,
        *,
        host: str,
        joint_noise_deg: float = 0.05,
        printed_mm: float = 28.0,
        away: bool = False,
    ) -> None:
        from rtde_receive import RTDEReceiveInterface

        known, rng = truth(entry.mount), np.random.default_rng(1)
        arm = RTDEReceiveInterface(host)
        board = replace(BOARD, square_mm=printed_mm)
        far = Pose(position=np.array([0.0, 0.0, 30.0]), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))

        def place() -> Pose:
            noise = rng.normal(0.0, np.deg2rad(joint_noise_deg), 6)
            return far if away else known.board_in_camera(np.array(arm.getActualQ()) + noise)

        super().__init__(
            entry.name, board, LENS, place,
            model=entry.model, pose=entry.pose, mount=entry.mount, seed=1,
        )  # fmt: skip


CAMERA = CameraDriver(make=EmulatedArmCamera, cameras="an emulated arm's", tested_against="itself")
