# pyright: reportAttributeAccessIssue=false
"""One quadratic program of inverse kinematics.

With e = log(T_ee^-1 T_target) in se(3), J the Jacobian of the end effector in its own frame, and
J_log^-1 the inverse left Jacobian of SE(3) at e (Sola, Deray, Atchuthan, A micro Lie theory,
eq. 179b and 180), the step solves::

    min  |W (J_log^-1 J dq - e)|^2 + |w (q + dq - q_rest)|^2 + (mu + damping) |dq|^2
    s.t. gain (q_lower - q) <= dq <= gain (q_upper - q)

with mu proportional to |W e|^2 (Levenberg and Marquardt), as ``mink`` does.
"""

from __future__ import annotations

from math import cos, sin, sqrt

import daqp
import mujoco
import numpy as np

from embodied.types import Array

_NO_ROWS = np.zeros((0, 0))
_SMALL = 1e-10


def _skew(x: float, y: float, z: float) -> Array:
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def pose_error(position: Array, matrix: Array, target: Array, target_quat: Array) -> Array:
    """Twist (6,) in the frame of a pose that leads to a target: metres, then radians.

    Args:
        position: Of the pose, (3,), m.
        matrix: Rotation of the pose, (9,).
        target: Position, (3,), m.
        target_quat: Orientation, wxyz.
    """
    inverse, turn, error = np.empty(4), np.empty(4), np.empty(6)
    mujoco.mju_mat2Quat(turn, matrix)
    mujoco.mju_negQuat(inverse, turn)
    mujoco.mju_mulQuat(turn, inverse, target_quat)
    mujoco.mju_quat2Vel(error[3:], turn, 1.0)
    error[:3] = _inverse_left_jacobian(error[3:]) @ (matrix.reshape(3, 3).T @ (target - position))
    return error


def _inverse_left_jacobian(turn: Array) -> Array:
    """Of SO(3), (3, 3)."""
    x, y, z = turn.tolist()
    square = x * x + y * y + z * z
    if square < _SMALL:
        factor = 1.0 / 12.0
    else:
        half = 0.5 * sqrt(square)
        factor = (1.0 - half * cos(half) / sin(half)) / square
    skew = _skew(x, y, z)
    return np.eye(3) - 0.5 * skew + factor * (skew @ skew)


def log_jacobian(error: Array) -> Array:
    """Inverse left Jacobian of SE(3) at a twist (6,), shape (6, 6)."""
    x, y, z = error[3:].tolist()
    square = x * x + y * y + z * z
    if square < _SMALL:
        return np.eye(6)
    theta = sqrt(square)
    s, c = sin(theta), cos(theta)
    v, w = _skew(*error[:3].tolist()), _skew(x, y, z)
    vw = v @ w
    wv = vw.T
    wvw, vww = wv @ w, vw @ w
    coupling = (
        0.5 * v
        + (theta - s) / (square * theta) * (wv + vw + wvw)
        - (1.0 - 0.5 * square - c) / square**2 * (vww - vww.T - 3.0 * wvw)
        + (2.0 * theta - 3.0 * s + theta * c) / (2.0 * square**2 * theta) * (wvw @ w + w @ wvw)
    )
    rotation = _inverse_left_jacobian(error[3:])
    out = np.zeros((6, 6))
    out[:3, :3] = out[3:, 3:] = rotation
    out[:3, 3:] = -rotation @ coupling @ rotation
    return out


def ik_step(
    error: Array,
    jacobian: Array,
    weights: Array,
    *,
    to_rest: Array,
    rest_weight: float,
    room: tuple[Array, Array],
    marquardt: float = 1e-3,
    damping: float = 1e-6,
) -> Array | None:
    """Change of the joints (n,); None where the solver finds none.

    Args:
        error: As ``pose_error`` gives it, (6,).
        jacobian: Of the end effector in its own frame, (6, n).
        weights: Of the error, (6,).
        to_rest: Change that leads to the rest configuration, (n,).
        rest_weight: Its weight.
        room: Smallest and largest change, each (n,).
        marquardt: Factor of the damping that grows with the error.
        damping: Damping that is always there.
    """
    n = len(to_rest)
    wanted = weights * error
    weighted = weights[:, None] * (log_jacobian(error) @ jacobian)
    hessian = weighted.T @ weighted
    hessian.flat[:: n + 1] += rest_weight**2 + damping + marquardt * float(wanted @ wanted)
    gradient = -(wanted @ weighted) - rest_weight**2 * to_rest
    dq, _, flag, _ = daqp.solve(
        hessian, gradient, _NO_ROWS.reshape(0, n), room[1], room[0], np.zeros(n, dtype=np.int32)
    )
    return dq if flag > 0 else None
