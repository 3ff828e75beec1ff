"""Where a camera is, from views of a board while the arm moves: one of both is on the hand.

With X the camera in its mount, Y the board in the other frame and F(q) the world in the end
effector (camera on the hand) or the end effector in the world (camera fixed), a corner p of the
board is at ``X^-1 F(q) Y p`` of the optical frame. A closed form (Park and Martin, "Robot sensor
calibration: solving AX = XB on the Euclidean group", 1994) starts least squares over the corners:

    min  sum |pixel - project(X^-1 F(q_i + o + d_i) Y p)|^2 / s_px^2 + |d_i|^2 / s_q^2

over X, Y, the joint errors d_i of each view and the camera's intrinsics, if asked for also over
constant joint offsets o.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embodied.calibration._refusals import refuse_poor, refuse_views
from embodied.calibration.errors import opencv
from embodied.calibration.least_squares import Problem, Solution, residuals, solve
from embodied.calibration.lens import board_in_camera, mean_pose
from embodied.calibration.views import FEWEST_VIEWS as FEWEST_VIEWS
from embodied.calibration.views import Arm as Arm
from embodied.calibration.views import HandEyeOptions as HandEyeOptions
from embodied.calibration.views import View as View
from embodied.perception.cameras.types import CameraModel
from embodied.types import Array, Pose

_HELD_OUT = 4
"""Every fourth view is held out for the check."""

_STRAY = 4.0
_STRAY_M = 0.004
"""A view this many times worse than the median one, and at least this bad, fits nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HandEye:
    """Result of a hand-eye calibration.

    Attributes:
        pose: Camera in its mount.
        pose_board: Board in the world, or in the end effector for a fixed camera.
        model: Intrinsics, refined where asked for.
        closed_form: Camera in its mount before the refinement.
        residual_px: RMS distance of a corner from where joints and poses put it, px.
        residual_m: The same at the board, m.
        held_out_m: The same over views that the poses were not fitted to, m.
        closed_form_m: ``residual_m`` of the closed form, m.
        position_std_m: Standard deviation of the camera's position, (3,), m.
        rotation_std_rad: Standard deviation of its rotation about its axes, (3,), rad.
        square_scale: Size of the board by the arm over the size by its file.
        square_scale_std: Its standard deviation.
        offsets_rad: Constant errors of the joints, (n,), rad; zeros when not asked for.
        view_m: Residual of each view, (k,), m.
        dropped: Numbers of views that were left out because they fit nothing.
    """

    pose: Pose
    pose_board: Pose
    model: CameraModel
    closed_form: Pose
    residual_px: float
    residual_m: float
    held_out_m: float
    closed_form_m: float
    position_std_m: Array
    rotation_std_rad: Array
    square_scale: float
    square_scale_std: float
    offsets_rad: Array
    view_m: Array
    dropped: tuple[int, ...]


def calibrate_hand_eye(
    views: Sequence[View],
    arm: Arm,
    model: CameraModel,
    options: HandEyeOptions,
    *,
    lens: Array | None = None,
) -> HandEye:
    """Find where the camera is.

    Args:
        views: Views of the board, at least ``FEWEST_VIEWS``.
        arm: Kinematics of the arm.
        model: Intrinsics of the camera.
        options: How.
        lens: What is known of the intrinsics, as of ``Intrinsics.information``; None for little.

    Raises:
        CalibrationError: The views are too few or too alike, their rotations are about one axis,
            the board has another size than told, or the result is poor; it says what to do.
    """
    refuse_views(views, arm, options.mount)
    problem = Problem(views=tuple(views), arm=arm, model=model, options=options, lens=lens)
    start = closed_form(problem)
    kept, solution = _without_strays(problem, solve(problem, *start))
    refuse_views(kept.views, arm, options.mount)
    fitted, held = kept.split(_HELD_OUT)
    x, y = closed_form(fitted)
    partly = solve(fitted, x, y)
    free = solve(kept, solution.x, solution.y, scale=True)
    result = HandEye(
        pose=solution.x,
        pose_board=solution.y,
        model=solution.model,
        closed_form=start[0],
        residual_px=_rms(residuals(kept, solution)[0]),
        residual_m=_rms(residuals(kept, solution)[1]),
        held_out_m=_rms(residuals(held, partly)[1]),
        closed_form_m=_rms(residuals(kept, Solution.of(kept, *start))[1]),
        position_std_m=solution.std[:3],
        rotation_std_rad=solution.std[3:],
        square_scale=free.scale,
        square_scale_std=free.scale_std,
        offsets_rad=solution.offsets,
        view_m=residuals(kept, solution)[1],
        dropped=tuple(i for i, v in enumerate(views) if all(v is not w for w in kept.views)),
    )
    refuse_poor(
        held_m=result.held_out_m,
        position_std_m=float(result.position_std_m.max()),
        rotation_std_rad=float(result.rotation_std_rad.max()),
        scale=(result.square_scale, result.square_scale_std),
        options=options,
    )
    return result


def closed_form(problem: Problem) -> tuple[Pose, Pose]:
    """Camera and board by the method of Park and Martin.

    Raises:
        CalibrationError: No pose of the board explains the corners of a view.
    """
    cv2 = opencv()
    F = [problem.forward(v.q) for v in problem.views]
    seen = [board_in_camera(v.sight, problem.model)[0] for v in problem.views]
    back = [np.linalg.inv(f) for f in F]
    R, t = cv2.calibrateHandEye(
        [f[:3, :3] for f in back], [f[:3, 3] for f in back],
        [p.rotation for p in seen], [p.position for p in seen], method=cv2.CALIB_HAND_EYE_PARK,
    )  # fmt: skip
    U, _, V = np.linalg.svd(R)
    x = Pose.from_rotation(U @ V, t.ravel())
    return x, mean_pose([Pose.from_matrix(f) @ x @ p for f, p in zip(back, seen, strict=True)])


def _without_strays(problem: Problem, solution: Solution) -> tuple[Problem, Solution]:
    """Leave out views that fit nothing, such as one in which the board was moved."""
    for _ in range(len(problem.views) // 5):
        off = residuals(problem, solution)[1]
        worst = int(np.argmax(off))
        if off[worst] < max(_STRAY * float(np.median(off)), _STRAY_M):
            break
        problem = problem.without(worst)
        solution = solve(problem, *closed_form(problem))
    return problem, solution


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))
