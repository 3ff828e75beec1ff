"""A camera that sees a drawn board, for rehearsals: rays through the true lens, anti-aliased."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from embodied.calibration.board import Board
from embodied.calibration.drawing import board_image
from embodied.calibration.errors import opencv
from embodied.calibration.lens import ideal
from embodied.perception.cameras.types import CameraHealth, CameraModel, Frame
from embodied.types import Pose

_FINE = 3
"""Rays per pixel along each axis."""

_PAPER = 225.0
_INK = 28.0
_TABLE = 118.0
_MARGIN_SQUARES = 0.3


def render_board(
    board: Board,
    model: CameraModel,
    pose_board_in_camera: Pose,
    *,
    noise: float = 2.0,
    blur_px: float = 0.0,
    rng: np.random.Generator | None = None,
) -> NDArray[np.uint8]:
    """The board as a camera sees it, (height, width, 3) RGB.

    Args:
        board: What is printed.
        model: The true camera, with its distortion.
        pose_board_in_camera: Where the board is, in the optical frame.
        noise: Standard deviation of each pixel, grey levels of 255.
        blur_px: Standard deviation of a lens out of focus.
        rng: Source of the noise; seed 0 without.
    """
    cv2 = opencv()
    rays = _rays(model)
    corners = pose_board_in_camera.apply(board.outline)
    depth = max(float(corners[:, 2].mean()), 1e-3)
    wanted = _FINE * model.fx * board.square_m / depth
    square_px = int(np.clip(2 ** np.ceil(np.log2(max(wanted, 1.0))), 8, 512))
    margin_px = round(_MARGIN_SQUARES * square_px)
    texture = _texture(board, square_px, margin_px)
    H = _to_texture(pose_board_in_camera, board, square_px, margin_px)
    u, v, w = (rays[..., 0] * row[0] + rays[..., 1] * row[1] + row[2] for row in H)
    ahead = w > 1e-3
    u, v = (np.where(ahead, c / np.where(ahead, w, 1.0), np.float32(-1e6)) for c in (u, v))
    fine = cv2.remap(
        texture, u, v, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=_TABLE,
    )  # fmt: skip
    image = cv2.resize(fine, (model.width, model.height), interpolation=cv2.INTER_AREA)
    image = image * np.linspace(1.05, 0.85, model.width, dtype=np.float32)  # light from one side
    if blur_px > 0.0:
        image = cv2.GaussianBlur(image, (0, 0), blur_px)
    source = np.random.default_rng(0) if rng is None else rng
    grain = source.standard_normal((model.height, model.width, 3), dtype=np.float32)
    noisy = image[..., None] + np.float32(noise) * grain
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def plane_depth(model: CameraModel, pose_plane_in_camera: Pose) -> NDArray[np.float32]:
    """Depth of the plane z = 0 of a frame, (height, width), m; NaN where it is not seen."""
    rays = _rays(model)[_FINE // 2 :: _FINE, _FINE // 2 :: _FINE]
    normal = pose_plane_in_camera.rotation[:, 2]
    along = rays[..., 0] * normal[0] + rays[..., 1] * normal[1] + normal[2]
    with np.errstate(divide="ignore"):
        depth = float(normal @ pose_plane_in_camera.position) / along
    return np.where((depth > 0.0) & (depth < 10.0), depth, np.nan).astype(np.float32)


class RenderedCamera:
    """Sees a board and the plane that it lies in; implements ``Camera``. For rehearsals.

    Args:
        name: Its name.
        board: The board.
        truth: The true camera.
        place: Says where the board is in the optical frame now.
        model: What is believed of the camera; the truth without.
        pose: Where it is believed to be.
        mount: ``"world"`` or ``"ee"``.
        noise: As for ``render_board``.
        seed: Of the noise.
    """

    def __init__(
        self,
        name: str,
        board: Board,
        truth: CameraModel,
        place: Callable[[], Pose],
        *,
        model: CameraModel | None = None,
        pose: Pose | None = None,
        mount: str = "world",
        noise: float = 2.0,
        seed: int = 0,
    ) -> None:
        self.name = name
        self.model = model or truth
        self.pose = pose
        self.mount = mount
        self._board, self._truth, self._place, self._noise = board, truth, place, noise
        self._rng = np.random.default_rng(seed)
        self._frames = 0

    def read(self, *, newer_than_s: float = -np.inf, timeout_s: float = 1.0) -> Frame:
        """An image of this instant."""
        pose = self._place()
        taken = time.monotonic()
        self._frames += 1
        return Frame(
            time_s=taken,
            number=self._frames,
            rgb=render_board(self._board, self._truth, pose, noise=self._noise, rng=self._rng),
            depth=plane_depth(self._truth, pose),
        )

    def health(self) -> CameraHealth:
        """Always well."""
        return CameraHealth(frames=self._frames, lost=0, rate_hz=0.0, age_s=0.0)

    def close(self) -> None:
        """Nothing to let go of."""


@lru_cache(maxsize=4)
def _rays(model: CameraModel) -> NDArray[np.float32]:
    """Undistorted (x / z, y / z) of every ray, (3 height, 3 width, 2)."""
    offset = (1.0 - _FINE) / (2.0 * _FINE)
    x = np.arange(model.width * _FINE) / _FINE + offset
    y = np.arange(model.height * _FINE) / _FINE + offset
    flat = ideal(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2), model)
    return flat.reshape(len(y), len(x), 2).astype(np.float32)


def _to_texture(pose: Pose, board: Board, square_px: int, margin_px: int) -> NDArray[np.float32]:
    """Homography from rays (x / z, y / z, 1) to the texture, (3, 3)."""
    R = pose.rotation
    to_rays = np.stack([R[:, 0], R[:, 1], pose.position], axis=1)
    scale = square_px / board.square_m
    shift = margin_px - 0.5
    to_pixels = np.array([[scale, 0.0, shift], [0.0, scale, shift], [0.0, 0.0, 1.0]])
    H = to_pixels @ np.linalg.inv(to_rays)
    return (H / float(H[2] @ (pose.apply(board.outline).mean(axis=0)))).astype(np.float32)


@lru_cache(maxsize=4)
def _texture(board: Board, square_px: int, margin_px: int) -> NDArray[np.float32]:
    white = board_image(board, square_px, margin_px).astype(np.float32) / 255.0
    return (_INK + (_PAPER - _INK) * white).astype(np.float32)
