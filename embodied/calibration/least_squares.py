"""Least squares over the corners of all views, with the joints' own errors as unknowns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from embodied.calibration.lens import lens_of, lens_units, project, rotation_matrix, with_lens
from embodied.calibration.views import Arm, HandEyeOptions, View
from embodied.perception.cameras.types import CameraModel
from embodied.types import Array, Pose

_OFFSET_STD_RAD = np.deg2rad(2.0)
"""How far joint offsets are from zero at first guess."""

_LENS_STD = np.array([0.02, 0.02, 0.02, 0.02, 0.1, 0.5, 0.01, 0.01, 1.0])
"""How far intrinsics are from the first guess, in ``lens_units``."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Views of a board by a camera while an arm moves.

    Attributes:
        views: The views.
        arm: Its kinematics.
        model: Intrinsics.
        options: Where the camera is, and the noise.
        lens: What is known of the intrinsics beforehand: Fisher information in ``lens_units``,
            (9, 9); None for little.
    """

    views: tuple[View, ...]
    arm: Arm
    model: CameraModel
    options: HandEyeOptions
    lens: Array | None = None

    def forward(self, q: Array) -> Array:
        """F(q): world in the end effector for a camera on it, else the inverse, (4, 4)."""
        pose = self.arm.matrix(q)
        back = self.options.mount == "ee"
        return np.asarray(np.linalg.inv(pose) if back else pose, dtype=np.float64)

    def without(self, index: int) -> Problem:
        """The same with a view less."""
        return replace(self, views=self.views[:index] + self.views[index + 1 :])

    def split(self, every: int) -> tuple[Problem, Problem]:
        """All but every so many-th view, and those."""
        first = tuple(v for i, v in enumerate(self.views) if i % every)
        return replace(self, views=first), replace(self, views=self.views[::every])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """What was found.

    Attributes:
        x: Camera in its mount.
        y: Board in the other frame.
        offsets: Constant joint errors, (n,), rad.
        model: Intrinsics.
        scale: Size of the board over the size told.
        std: Standard deviations of the camera: position (3), m, rotation (3), rad.
        scale_std: Of ``scale``; infinite where it was not asked for.
    """

    x: Pose
    y: Pose
    offsets: Array
    model: CameraModel
    scale: float = 1.0
    std: Array
    scale_std: float = np.inf

    @staticmethod
    def of(problem: Problem, x: Pose, y: Pose) -> Solution:
        """Poses without a refinement."""
        n = len(problem.views[0].q)
        return Solution(x=x, y=y, offsets=np.zeros(n), model=problem.model, std=np.full(6, np.inf))


def residuals(problem: Problem, solution: Solution) -> tuple[Array, Array]:
    """RMS error of the corners of each view by the measured joints: (k,), px, and (k,), m."""
    px: list[float] = []
    metres: list[float] = []
    for view in problem.views:
        F = problem.forward(view.q + solution.offsets)
        X = np.linalg.inv(solution.x.matrix)
        points = Pose.from_matrix(X @ F @ solution.y.matrix).apply(view.sight.points)
        off = project(points, solution.model)[0] - view.sight.pixels
        square = np.sum(off**2, axis=1)
        px.append(float(np.sqrt(square.mean())))
        focal = 0.5 * (solution.model.fx + solution.model.fy)
        metres.append(float(np.sqrt(np.mean(square * (points[:, 2] / focal) ** 2))))
    return np.array(px), np.array(metres)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """One view's pixels and what they depend on, px per m and per rad.

    Attributes:
        off: Predicted less seen, (k, 2).
        x: By the camera: position in its mount, rotation about its own axes, (k, 2, 6).
        y: By the board, the same, (k, 2, 6).
        joints: By the joints, (k, 2, n).
        lens: By the intrinsics, (k, 2, 9).
        scale: By the size of the board, (k, 2).
    """

    off: Array
    x: Array
    y: Array
    joints: Array
    lens: Array
    scale: Array


def block(
    problem: Problem,
    view: View,
    q: Array,
    x: Pose,
    y: Pose,
    model: CameraModel | None = None,
    scale: float = 1.0,
) -> Block:
    """Linearise one view at joints ``q`` (n,), a camera and a board."""
    pose, jac = problem.arm.matrix(q), problem.arm.jacobian(q)
    hand, turn = pose[:3, 3], pose[:3, :3]
    flat = scale * view.sight.points
    R_x = x.rotation.T
    back = problem.options.mount == "ee"
    A = R_x @ (turn.T if back else turn)
    out = -A if back else R_x
    spin = y.apply(flat) - hand if back else y.apply(flat) @ turn.T
    at = spin @ turn if back else spin + hand
    seen = (at - x.position) @ R_x.T
    pixels, slope, lens = project(seen, model or problem.model)
    by_joint = jac[None, :3] + np.cross(jac[3:].T[None], spin[:, None]).transpose(0, 2, 1)
    AY = A @ y.rotation
    return Block(
        off=pixels - view.sight.pixels,
        x=np.concatenate([-slope @ R_x, slope @ _cross(seen)], axis=2),
        y=np.concatenate([slope @ A, -slope @ AY @ _cross(flat)], axis=2),
        joints=slope @ (out @ by_joint),
        lens=lens,
        scale=(slope @ (view.sight.points @ AY.T)[..., None])[..., 0],
    )


def solve(problem: Problem, x: Pose, y: Pose, *, scale: bool = False) -> Solution:
    """Refine camera and board from a start; ``scale`` frees the size of the board."""
    options, views = problem.options, problem.views
    n, k = len(views[0].q), len(views)
    shared = np.zeros(n, dtype=bool)
    shared[1:-1] = options.offsets
    at_lens = 12 + int(shared.sum())
    at_scale = at_lens + (len(_LENS_STD) if options.intrinsics else 0)
    at_joints = at_scale + int(scale)
    size = at_joints + k * n
    lens = lens_of(problem.model)
    units = lens_units(problem.model)[: at_scale - at_lens]
    std = np.full(size, options.joint_std_rad)
    std[12:at_lens] = _OFFSET_STD_RAD
    std[at_scale:at_joints] = np.inf
    prior = np.diag(1.0 / std[12:])
    if options.intrinsics:
        known = np.diag(_LENS_STD**-2.0) + (0.0 if problem.lens is None else problem.lens)
        inner = slice(at_lens - 12, at_scale - 12)
        prior[inner, inner] = np.linalg.cholesky(known).T

    def unpack(v: Array) -> Solution:
        offsets, optics = np.zeros(n), lens.copy()
        offsets[shared] = v[12:at_lens]
        optics[: at_scale - at_lens] += units * v[at_lens:at_scale]
        return Solution(
            x=_moved(x, v[:6]),
            y=_moved(y, v[6:12]),
            offsets=offsets,
            model=with_lens(problem.model, optics) if options.intrinsics else problem.model,
            scale=1.0 + (v[at_scale] if scale else 0.0),
            std=np.full(6, np.inf),
        )

    def both(v: Array) -> tuple[Array, Array]:
        """Residuals and their Jacobian, in standard deviations."""
        at = unpack(v)
        right_x, right_y = _right(v[3:6]), _right(v[9:12])
        r, rows_of = [prior @ v[12:]], [np.concatenate([np.zeros((size - 12, 12)), prior], axis=1)]
        for i, view in enumerate(views):
            own = slice(at_joints + i * n, at_joints + (i + 1) * n)
            q = view.q + at.offsets + v[own]
            b = block(problem, view, q, at.x, at.y, at.model, at.scale)
            rows = np.zeros((len(b.off), 2, size))
            rows[..., :3], rows[..., 3:6] = b.x[..., :3], b.x[..., 3:] @ right_x
            rows[..., 6:9], rows[..., 9:12] = b.y[..., :3], b.y[..., 3:] @ right_y
            rows[..., 12:at_lens] = b.joints[..., shared]
            rows[..., at_lens:at_scale] = b.lens[..., : at_scale - at_lens] * units
            if scale:
                rows[..., at_scale] = b.scale
            rows[..., own] = b.joints
            r.append(b.off.ravel() / options.pixel_std)
            rows_of.append(rows.reshape(-1, size) / options.pixel_std)
        return np.concatenate(r), np.concatenate(rows_of)

    found = least_squares(
        lambda v: both(v)[0],
        np.zeros(size),
        jac=lambda v: both(v)[1],  # pyright: ignore[reportArgumentType]
        x_scale="jac",
        max_nfev=50,
    )
    J = found.jac
    free = max(len(found.fun) - size, 1)
    spread = max(1.0, 2.0 * float(found.cost) / free)
    deviation = np.sqrt(np.maximum(np.diag(np.linalg.pinv(J.T @ J)) * spread, 0.0))
    return replace(
        unpack(found.x),
        std=deviation[:6],
        scale_std=float(deviation[at_scale]) if scale else np.inf,
    )


def _moved(pose: Pose, step: Array) -> Pose:
    """The pose with its position moved in the outer frame and turned in its own."""
    R = pose.rotation @ rotation_matrix(step[3:])
    return Pose.from_rotation(R, pose.position + step[:3])


def _cross(points: Array) -> Array:
    """Matrices of the cross products with points (k, 3): (k, 3, 3)."""
    x, y, z = points.T
    o = np.zeros_like(x)
    return np.stack([o, -z, y, z, o, -x, -y, x, o], axis=1).reshape(-1, 3, 3)


def _right(w: Array) -> Array:
    """Right Jacobian of SO(3): ``exp(w + d) = exp(w) exp(J d)``, (3, 3)."""
    angle = float(np.linalg.norm(w))
    W = _cross(w[None])[0]
    if angle < 1e-6:
        return np.eye(3) - 0.5 * W
    first = (1.0 - np.cos(angle)) / angle**2
    return np.eye(3) - first * W + (angle - np.sin(angle)) / angle**3 * (W @ W)
