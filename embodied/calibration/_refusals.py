"""What is too little, or too poor, to calibrate from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embodied.calibration.errors import CalibrationError
from embodied.calibration.lens import rotation_vector
from embodied.calibration.views import FEWEST_VIEWS, Arm, HandEyeOptions, View

_LEAST_TURN_RAD = np.deg2rad(20.0)
_LEAST_SECOND_RAD = np.deg2rad(7.0)
_SCALE = 0.01
"""Wrong by more, the size of the board is refused."""


def refuse_views(views: Sequence[View], arm: Arm, mount: str) -> None:
    """Refuse views that are too few or whose hand turned too little.

    Raises:
        CalibrationError: With what to do.
        ValueError: The mount is neither ``"ee"`` nor ``"world"``.
    """
    if mount not in ("ee", "world"):
        raise ValueError(f"mount must be 'ee' or 'world', got {mount!r}")
    if len(views) < FEWEST_VIEWS:
        raise CalibrationError(
            f"{len(views)} usable views of the board; at least {FEWEST_VIEWS} are needed,"
            " 15 to 25 are good"
        )
    turns = [arm.matrix(v.q)[:3, :3] for v in views]
    vectors = np.array([rotation_vector(a.T @ b) for i, a in enumerate(turns) for b in turns[:i]])
    widest = float(np.linalg.norm(vectors, axis=1).max())
    if widest < _LEAST_TURN_RAD:
        raise CalibrationError(
            f"the poses are too alike: the hand turned by at most {np.rad2deg(widest):.0f} degrees"
            f" between views; turn it by {np.rad2deg(_LEAST_TURN_RAD):.0f} and more"
        )
    spread = np.linalg.svd(vectors, compute_uv=False) / np.sqrt(len(vectors))
    if spread[1] < _LEAST_SECOND_RAD:
        raise CalibrationError(
            "the hand turned about one axis only, or about parallel ones: the camera's position"
            " along it cannot be told; also tilt the hand about another axis by 20 degrees and more"
        )


def refuse_poor(
    *,
    held_m: float,
    position_std_m: float,
    rotation_std_rad: float,
    scale: tuple[float, float],
    options: HandEyeOptions,
) -> None:
    """Refuse a result that is not good enough.

    Raises:
        CalibrationError: With the likely cause.
    """
    size, std = scale
    if abs(size - 1.0) > max(_SCALE, 4.0 * std):
        raise CalibrationError(
            f"by the arm's own motion the board's squares are {size:.3f} times as large as its file"
            f" says (standard deviation {std:.3f}): measure a row of squares and give"
            " --square-mm; if the size is right, calibrate the camera's focal length again"
        )
    if held_m > options.most_m:
        raise CalibrationError(
            f"poses fitted to the other views put the corners {1000 * held_m:.1f} mm off in views"
            f" held out; at most {1000 * options.most_m:.1f} mm are accepted. Is the"
            f" {'board fixed to the table' if options.mount == 'ee' else 'camera fixed'} and the"
            f" {'camera' if options.mount == 'ee' else 'board'} to the hand, is this the arm's"
            " model, and are its joint zeros right (--joint-offsets estimates them)?"
        )
    if position_std_m > options.most_position_std_m or (
        rotation_std_rad > options.most_rotation_std_rad
    ):
        raise CalibrationError(
            f"the poses do not tell the camera well enough: standard deviation"
            f" {1000 * position_std_m:.1f} mm and {np.rad2deg(rotation_std_rad):.2f} degrees, at"
            f" most {1000 * options.most_position_std_m:.1f} mm and"
            f" {np.rad2deg(options.most_rotation_std_rad):.2f} are accepted; take more views, from"
            " nearer and with more tilt"
        )
