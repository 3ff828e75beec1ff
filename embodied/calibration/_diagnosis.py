"""Why a board is not seen, or not well."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.calibration.board import DICTIONARIES, FEWEST_CORNERS, Board
from embodied.calibration.errors import opencv
from embodied.types import Array

_PATCH_PX = 6
"""Half edge of the patch around a corner in which edges are measured."""


_BLURRED_PX = 5.5
_CONTRAST = 60.0
"""Grey levels; with less, blur is not told from a dull scene."""


def why_unseen(grey: NDArray[np.uint8], board: Board, corners: int, seen: set[int]) -> str:
    """What is in the image in place of the board, in words."""
    mirrored = np.ascontiguousarray(grey[:, ::-1])
    if len(_markers(mirrored, board.dictionary)) >= max(4, 2 * len(seen)):
        return "the picture is mirrored: switch off the camera's mirroring"
    for other in DICTIONARIES:
        ids = _markers(grey, other)
        own = other.startswith(board.dictionary[:8])
        if not own and len(ids) >= 4 and len(ids) > len(seen):
            return f"another board: its markers are {other[:8]}, those of {board} are not"
    if _widest_edge_px(grey) > _BLURRED_PX:
        return "blurred: hold still, focus or add light"
    if corners:
        return f"only {corners} corners are in view, {FEWEST_CORNERS} are needed"
    if len(seen) >= 4:
        return f"another board: its markers do not lie as on {board}"
    return "no board in view, or too small, dark or blurred"


def _markers(grey: NDArray[np.uint8], name: str) -> set[int]:
    cv2 = opencv()
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
    parameters: Any = cv2.aruco.DetectorParameters()
    parameters.errorCorrectionRate = 0.0
    _, ids, _ = cv2.aruco.ArucoDetector(dictionary, parameters).detectMarkers(grey)
    return set() if ids is None else {int(i) for i in ids.ravel()}


def _widest_edge_px(grey: NDArray[np.uint8]) -> float:
    """Contrast of the whole image over its steepest slopes, px; 0 without contrast."""
    smooth = opencv().GaussianBlur(grey, (0, 0), 1.0).astype(np.float64)
    contrast = float(np.percentile(smooth, 99.5) - np.percentile(smooth, 0.5))
    if contrast < _CONTRAST:
        return 0.0
    rows, columns = np.gradient(smooth)
    return contrast / max(float(np.percentile(np.hypot(rows, columns), 99.0)), 1e-6)


def off_grid(points: Array, pixels: Array) -> float:
    """How far corners are from a plane's image of their grid, in squares; lenses bend little."""
    cv2 = opencv()
    square = float(np.diff(np.unique(points[:, :2])).max())
    H, _ = cv2.findHomography(pixels, points[:, :2], 0)
    if H is None:
        return np.inf
    mapped = cv2.perspectiveTransform(pixels[:, None], H)[:, 0]
    return float(np.median(np.linalg.norm(mapped - points[:, :2], axis=1)) / square)


def edge_width_px(grey: NDArray[np.uint8], pixels: Array) -> float:
    """Median over corners of contrast over steepest slope, px."""
    height, width = grey.shape
    widths: list[float] = []
    for x, y in np.rint(pixels).astype(int):
        n = _PATCH_PX
        if not (n <= x < width - n and n <= y < height - n):
            continue
        patch = grey[y - n : y + n + 1, x - n : x + n + 1].astype(np.float64)
        rows, columns = np.gradient(patch)
        slope = float(np.percentile(np.hypot(rows, columns), 95))
        contrast = float(np.percentile(patch, 95) - np.percentile(patch, 5))
        widths.append(contrast / max(slope, 1e-6))
    return float(np.median(widths)) if widths else 0.0
