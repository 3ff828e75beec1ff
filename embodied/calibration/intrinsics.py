"""A camera's focal lengths, principal point and distortion from views of the board.

After Zhang, "A flexible new technique for camera calibration", 2000, as OpenCV has it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embodied.calibration.board import Board, Sight
from embodied.calibration.errors import CalibrationError, opencv
from embodied.calibration.lens import board_in_camera, distortion_of, lens_of, lens_units
from embodied.perception.cameras.types import CameraModel
from embodied.types import Array

FEWEST_VIEWS = 10
GRID = (4, 3)
"""Cells of the image, columns and rows, that corners should cover."""

LEAST_CELLS = 9
_LEAST_TILT_RAD = np.deg2rad(12.0)
_LEAST_TILTED = 4
_LEAST_MOVE = 0.04
"""Of the image's width: a view whose corners moved less is like another one."""

_MOST_FOCAL_STD = 0.005
"""Of the focal length."""

_HELD_OUT = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intrinsics:
    """Result of a calibration.

    Attributes:
        model: The camera.
        residual_px: RMS distance of a corner from where the model puts it, px.
        held_out_px: The same over views that the model was not fitted to, px.
        focal_std_px: Standard deviation of the focal lengths, px.
        center_std_px: Standard deviation of the principal point, px.
        view_px: Residual of each view, (k,), px.
        cells: How many of the image's cells hold corners.
        information: Fisher information of the intrinsics in ``lens_units``, (9, 9), for corners
            with a noise of ``residual_px`` / sqrt(2) along each axis.
    """

    model: CameraModel
    residual_px: float
    held_out_px: float
    focal_std_px: float
    center_std_px: float
    view_px: Array
    cells: int
    information: Array


class Coverage:
    """Which views were taken, and what is still missing; keeps those that add something.

    Args:
        board: The board.
        width: Width of the images, px.
        height: Height, px.

    Attributes:
        sights: Views that were kept.
        size: Width and height of the images, (2,), px.
    """

    def __init__(self, board: Board, width: int, height: int) -> None:
        self.sights: list[Sight] = []
        self.size = np.array([width, height], dtype=np.float64)
        self._cells = np.zeros(GRID, dtype=int)
        focal = float(width)
        self._guess = CameraModel(
            width=width, height=height, fx=focal, fy=focal,
            cx=(width - 1) / 2, cy=(height - 1) / 2,
        )  # fmt: skip
        self._tilts: list[Array] = []

    def add(self, sight: Sight) -> str:
        """Keep a view; returns why not, empty when it was kept."""
        if sight.problem:
            return sight.problem
        for other in self.sights:
            both, i, j = np.intersect1d(sight.ids, other.ids, return_indices=True)
            if len(both) < 4:
                continue
            moved = np.linalg.norm(sight.pixels[i] - other.pixels[j], axis=1).mean()
            if moved < _LEAST_MOVE * self.size[0]:
                return "like a view that is there already: move or tilt the board"
        self.sights.append(sight)
        cells = np.clip(sight.pixels / self.size * GRID, 0, np.array(GRID) - 1).astype(int)
        np.add.at(self._cells, tuple(cells.T), 1)
        pose, _ = board_in_camera(sight, self._guess)
        self._tilts.append(pose.rotation[:2, 2])
        return ""

    @property
    def cells(self) -> int:
        """How many cells of the image hold corners."""
        return int(np.count_nonzero(self._cells))

    @property
    def tilted(self) -> int:
        """How many views show the board tilted."""
        least = np.sin(_LEAST_TILT_RAD)
        return sum(float(np.linalg.norm(t)) > least for t in self._tilts)

    def picture(self) -> str:
        """The image's cells in rows of characters: ``#`` covered, ``.`` not."""
        return "\n".join("".join("#" if n else "." for n in row) for row in self._cells.T)

    def missing(self) -> str:
        """What to show next; empty when it is enough."""
        wishes: list[str] = []
        if (few := FEWEST_VIEWS - len(self.sights)) > 0:
            wishes.append(f"{few} more views")
        if self.cells < LEAST_CELLS:
            columns, rows = ("left", "middle", "middle", "right"), ("top", "middle", "bottom")
            empty = zip(*np.nonzero(self._cells == 0), strict=True)
            where = sorted({f"{rows[j]} {columns[i]}" for i, j in empty})
            wishes.append(f"the board in the image's {', '.join(where)}")
        if self.tilted < _LEAST_TILTED:
            wishes.append("the board tilted by 20 to 40 degrees, to all sides")
        return "; ".join(wishes)


def calibrate_intrinsics(coverage: Coverage, *, most_px: float = 1.0) -> Intrinsics:
    """Fit the camera to the views.

    Args:
        coverage: The views.
        most_px: Largest RMS reprojection error of views held out, px.

    Raises:
        CalibrationError: The views are too few or too alike, or the result is poor.
    """
    sights, size = coverage.sights, coverage.size
    if missing := coverage.missing():
        raise CalibrationError(f"{len(sights)} usable views do not suffice; missing: {missing}")
    width, height = int(size[0]), int(size[1])
    model, px, std = _fit(sights, width, height)
    kept = [s for i, s in enumerate(sights) if i % _HELD_OUT]
    partly, _, _ = _fit(kept, width, height)
    held = np.array([board_in_camera(s, partly)[1] for s in sights[::_HELD_OUT]])
    result = Intrinsics(
        model=model,
        residual_px=float(np.sqrt(np.mean(px**2))),
        held_out_px=float(np.sqrt(np.mean(held**2))),
        focal_std_px=float(max(std[:2])),
        center_std_px=float(max(std[2:4])),
        view_px=px,
        cells=coverage.cells,
        information=_information(sights, model, float(np.mean(px**2)) / 2.0),
    )
    if result.held_out_px > most_px:
        worst = int(np.argmax(px))
        raise CalibrationError(
            f"views held out are reproduced to {result.held_out_px:.2f} px only, at most"
            f" {most_px:g} are accepted; worst is view {worst + 1} with {px[worst]:.2f} px. Is the"
            " board flat, the lens fixed (no autofocus, no zoom), and are the images sharp?"
        )
    if result.focal_std_px > _MOST_FOCAL_STD * model.fx:
        raise CalibrationError(
            f"the views are too alike to tell the focal length: {model.fx:.0f} px with a standard"
            f" deviation of {result.focal_std_px:.1f} px; tilt the board more, and come nearer"
        )
    return result


def _fit(sights: Sequence[Sight], width: int, height: int) -> tuple[CameraModel, Array, Array]:
    """Model, residual of each view (k,), px, and standard deviations of fx, fy, cx, cy."""
    cv2 = opencv()
    points = [s.points.astype(np.float32) for s in sights]
    pixels = [s.pixels.astype(np.float32) for s in sights]
    _, K, lens, _, _, std, _, view = cv2.calibrateCameraExtended(
        points, pixels, (width, height), None, None
    )
    if not (np.isfinite(K).all() and np.isfinite(lens).all()):
        raise CalibrationError("no camera explains these views")
    model = CameraModel(
        width=width,
        height=height,
        fx=float(K[0, 0]),
        fy=float(K[1, 1]),
        cx=float(K[0, 2]),
        cy=float(K[1, 2]),
        distortion=tuple(float(v) for v in lens.ravel()[:5]),
    )
    return model, view.ravel().astype(np.float64), std.ravel()[:4]


def _information(sights: Sequence[Sight], model: CameraModel, variance: float) -> Array:
    """What views whose poses are unknown tell of the intrinsics, (9, 9)."""
    cv2 = opencv()
    total = np.zeros((9, 9))
    for sight in sights:
        pose, _ = board_in_camera(sight, model)
        turn, lens = cv2.Rodrigues(pose.rotation)[0], distortion_of(model)
        _, J = cv2.projectPoints(sight.points, turn, pose.position, model.matrix, lens)
        A, B = J[:, :6], J[:, 6:15] * lens_units(model)
        total += B.T @ (B - A @ np.linalg.lstsq(A, B, rcond=None)[0])
    return total / max(variance, 1e-4)


def save_lens(path: Path, model: CameraModel, information: Array) -> None:
    """Keep how well intrinsics are known, for a hand-eye calibration; raises OSError."""
    np.savez(path, lens=lens_of(model), information=information)


def load_lens(path: Path, model: CameraModel) -> Array | None:
    """What ``save_lens`` kept; None when there is no such file, or it is about another lens."""
    try:
        with np.load(path, allow_pickle=False) as file:
            lens, information = file["lens"], file["information"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    fits = lens.shape == (9,) and np.allclose(lens, lens_of(model)) and information.shape == (9, 9)
    return information if fits and np.isfinite(information).all() else None
