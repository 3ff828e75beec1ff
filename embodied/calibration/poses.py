"""Where the hand should go so that views of the board tell the most about the camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from embodied.calibration.board import Board, Sight
from embodied.calibration.least_squares import Problem, block
from embodied.calibration.lens import lens_units, project, rotation_matrix
from embodied.calibration.views import View
from embodied.perception.cameras.types import CameraModel
from embodied.types import Array, Pose

_TILT_RAD = np.deg2rad(45.0)
_EDGE_SHARE = 0.04
"""Of the image that stays free around the board."""

_NEAREST, _FARTHEST = 1.2, 3.5
"""Distances of the camera, in those at which the board fills the image."""


def first_moves(pose_ee: Pose) -> Iterator[Pose]:
    """Small turns of the hand about its own axes, to learn roughly where the camera is.

    Args:
        pose_ee: End effector in the world, where the camera sees the board.
    """
    yield pose_ee
    for axis, degrees, shift in (
        (2, 20, (0.0, 0.0, 0.0)), (2, -20, (0.0, 0.0, 0.02)), (0, 10, (0.0, 0.02, 0.0)),
        (1, 10, (0.02, 0.0, 0.0)), (0, -10, (0.0, -0.02, 0.0)), (1, -10, (-0.02, 0.0, 0.0)),
        (2, 40, (0.0, 0.0, -0.02)), (0, 6, (0.0, 0.0, 0.03)), (1, 6, (0.0, 0.0, -0.03)),
        (0, -6, (0.02, 0.02, 0.0)), (1, -6, (-0.02, 0.02, 0.0)), (2, -40, (0.0, 0.0, 0.0)),
    ):  # fmt: skip
        turn = rotation_matrix(np.deg2rad(degrees) * np.eye(3)[axis])
        yield pose_ee @ Pose.from_rotation(turn, shift)


def targets(
    board: Board, model: CameraModel, x: Pose, y: Pose, mount: str, rng: np.random.Generator
) -> Iterator[Pose]:
    """Endless poses of the end effector from which the whole board is in view.

    Args:
        board: The board.
        model: Intrinsics.
        x: Camera in its mount, about.
        y: Board in the world, or in the end effector for a fixed camera.
        mount: ``"ee"`` or ``"world"``.
        rng: Source of the poses.
    """
    size = np.array([model.width, model.height])
    focal = np.array([model.fx, model.fy])
    centre = board.outline.mean(axis=0)
    fills = float(np.max(focal * board.outline[2, :2] / size))
    while True:
        depth = fills * np.exp(rng.uniform(*np.log([_NEAREST, _FARTHEST])))
        tilt, about = _TILT_RAD * np.sqrt(rng.uniform()), rng.uniform(-np.pi, np.pi)
        roll = rotation_matrix(np.array([0.0, 0.0, rng.uniform(-np.pi, np.pi)]))
        R = rotation_matrix(tilt * np.array([np.cos(about), np.sin(about), 0.0])) @ roll
        middle = np.append(rng.uniform(-0.35, 0.35, 2) * size / focal, 1.0) * depth
        seen = Pose.from_rotation(R, middle - R @ centre)
        if in_view(board, model, seen):
            yield y @ seen.inverse() @ x.inverse() if mount == "ee" else x @ seen @ y.inverse()


def in_view(board: Board, model: CameraModel, pose_board_in_camera: Pose) -> bool:
    """Whether the whole board is in the image and seen from the front."""
    points = pose_board_in_camera.apply(board.outline)
    if points[:, 2].min() < 0.05:
        return False
    if float(pose_board_in_camera.rotation[:, 2] @ points.mean(axis=0)) <= 0.0:
        return False
    pixels, size = project(points, model)[0], np.array([model.width, model.height])
    edge = _EDGE_SHARE * size
    return bool((pixels > edge).all() and (pixels < size - edge).all())


def information(problem: Problem, board: Board, x: Pose, y: Pose, q: Array) -> Array:
    """What a view of the whole board from ``q`` (n,) tells, (12, 12) or (21, 21).

    The Fisher information of camera, board and, where they are refined, intrinsics (in units of
    ``lens_units``): corners and joints are noisy.
    """
    corners, options = board.corners, problem.options
    ids = np.arange(len(corners))
    view = View(q=q, sight=Sight(ids=ids, points=corners, pixels=np.zeros((len(ids), 2))))
    b = block(problem, view, q, x, y)
    optics = b.lens * lens_units(problem.model)
    parts = [b.x, b.y, optics] if options.intrinsics else [b.x, b.y]
    J = np.concatenate([p.reshape(-1, p.shape[2]) for p in parts], axis=1)
    Q = b.joints.reshape(len(J), -1) * options.joint_std_rad
    S = options.pixel_std**2 * np.eye(len(J)) + Q @ Q.T
    return J.T @ np.linalg.solve(S, J)


def choose(told: Sequence[Array], count: int, lens: Array | None = None) -> list[int]:
    """Of many views the ones that together tell most about the camera, by greedy search.

    Minimises the camera's variance (A-optimal design), a rotation of 0.1 degrees weighed like a
    shift of 0.5 mm.

    Args:
        told: Information of each view, (k, k), the camera's first.
        count: How many to take.
        lens: What is known of the intrinsics, (9, 9).

    Returns:
        Numbers of the chosen views.
    """
    weight = np.repeat([1.0 / 0.0005, 1.0 / np.deg2rad(0.1)], 3)
    total = np.eye(len(told[0])) if told else np.eye(6)
    if lens is not None and len(total) > 12:
        total[12:, 12:] += lens
    left, chosen = list(range(len(told))), list[int]()
    while left and len(chosen) < count:
        costs = [
            float(np.sum(weight**2 * np.diag(np.linalg.inv(total + told[i]))[:6])) for i in left
        ]
        best = left.pop(int(np.argmin(costs)))
        chosen.append(best)
        total = total + told[best]
    return chosen


def plan_views(
    problem: Problem,
    board: Board,
    x: Pose,
    y: Pose,
    reach: Callable[[Pose], Array | None],
    *,
    count: int,
    candidates: int = 120,
    tries: int = 1500,
    rng: np.random.Generator,
) -> list[Array]:
    """Joint positions (n,) of the views to take.

    Args:
        problem: Arm, intrinsics and noise; its views are not looked at.
        board: The board.
        x: Camera in its mount, about.
        y: Board in the other frame, about.
        reach: Joint positions for a pose of the end effector that are safe, None if there are none.
        count: How many views to choose; fewer come back where fewer can be reached.
        candidates: From how many reachable ones.
        tries: How many poses are looked at.
        rng: Source of the poses.
    """
    reached: list[Array] = []
    source = targets(board, problem.model, x, y, problem.options.mount, rng)
    for _, pose in zip(range(tries), source, strict=False):
        q = reach(pose)
        if q is not None:
            reached.append(q)
        if len(reached) >= candidates:
            break
    told = [information(problem, board, x, y, q) for q in reached]
    return [reached[i] for i in choose(told, count, problem.lens)]
