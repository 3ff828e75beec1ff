"""The ChArUco board: a chessboard with a marker in each white square, so that parts of it suffice.

Frame of the board: origin at the outer corner of its first square (top left of the print), x along
its rows to the right, y down, z into the page. Its inner corners are numbered row by row.
After Garrido-Jurado et al., "Automatic generation and detection of highly reliable fiducial
markers under occlusion", 2014.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from embodied.calibration.errors import opencv
from embodied.errors import ConfigurationError, Diagnostic
from embodied.tables import OneOf, Range, load_toml, read_table, refused
from embodied.types import Array

DICTIONARIES = (
    "DICT_4X4_50", "DICT_4X4_100", "DICT_4X4_250", "DICT_5X5_50", "DICT_5X5_100", "DICT_5X5_250",
    "DICT_6X6_50", "DICT_6X6_100", "DICT_6X6_250",
)  # fmt: skip

FEWEST_CORNERS = 8
"""Of a view that is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What is printed.

    Attributes:
        columns: Squares along a row.
        rows: Squares along a column.
        square_mm: Edge of a square as measured on the paper, mm.
        marker_share: Edge of a marker over the edge of a square.
        dictionary: Markers, as OpenCV names them.
    """

    columns: Annotated[int, Range(3, 30)]
    rows: Annotated[int, Range(3, 30)]
    square_mm: Annotated[float, Range(1.0, 500.0)]
    marker_share: Annotated[float, Range(0.4, 0.9)] = 0.75
    dictionary: Annotated[str, OneOf(DICTIONARIES)] = "DICT_4X4_100"

    @property
    def square_m(self) -> float:
        """Edge of a square, m."""
        return self.square_mm / 1000.0

    @property
    def markers(self) -> int:
        """How many markers it has."""
        return self.columns * self.rows // 2

    @property
    def corners(self) -> Array:
        """Inner corners in the frame of the board, ((columns - 1) (rows - 1), 3), m."""
        x, y = np.meshgrid(np.arange(1, self.columns), np.arange(1, self.rows))
        flat = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
        return np.asarray(self.square_m * flat, dtype=np.float64)

    @property
    def outline(self) -> Array:
        """Outer corners, (4, 3), m."""
        w, h = self.columns * self.square_m, self.rows * self.square_m
        return np.array([[0.0, 0.0, 0.0], [w, 0.0, 0.0], [w, h, 0.0], [0.0, h, 0.0]])

    def __str__(self) -> str:
        return f"{self.columns}x{self.rows} squares of {self.square_mm:g} mm, {self.dictionary}"


def charuco(board: Board) -> Any:
    """The board as OpenCV has it; lengths in squares.

    Raises:
        ConfigurationError: The dictionary has too few markers.
        EnvironmentMissingError: OpenCV is missing.
    """
    cv2 = opencv()
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, board.dictionary))
    held = len(dictionary.bytesList)
    if board.markers > held:
        raise ConfigurationError(
            f"{board.columns}x{board.rows} squares need {board.markers} markers;"
            f" {board.dictionary} has {held}"
        )
    size = (board.columns, board.rows)
    return cv2.aruco.CharucoBoard(size, 1.0, board.marker_share, dictionary)


def save_board(board: Board, path: Path) -> None:
    """Write the board's parameters to a TOML file; raises OSError."""
    path.write_text(
        "# The printed calibration board. Measure a row of squares with a ruler, divide by their\n"
        "# number, and correct square_mm: a wrong size shifts every pose by the same share.\n"
        f"columns = {board.columns}\nrows = {board.rows}\nsquare_mm = {board.square_mm:g}\n"
        f'marker_share = {board.marker_share:g}\ndictionary = "{board.dictionary}"\n',
        "utf-8",
    )


def load_board(path: Path, *, square_mm: float | None = None) -> Board:
    """Read a board's parameters.

    Args:
        path: File that ``save_board`` wrote.
        square_mm: Measured edge of a square, in place of the file's.

    Raises:
        ConfigurationError: The file is missing or wrong.
    """
    table = dict(load_toml(path))
    if square_mm is not None:
        table["square_mm"] = square_mm
    return board_from(table, str(path))


def board_from(table: Mapping[str, object], source: str) -> Board:
    """A board from a table of its parameters.

    Args:
        table: As in the file.
        source: What it is called in messages.

    Raises:
        ConfigurationError: Something is wrong with it.
    """
    problems: list[Diagnostic] = []
    board = read_table(Board, table, "board", problems)
    if board is None or problems:
        raise refused(source, "description of a board", problems)
    return board


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """The board in one image.

    Attributes:
        ids: Which inner corners, (k,).
        points: Their places on the board, (k, 3), m.
        pixels: Their places in the image, (k, 2), px; the centre of the first pixel is (0, 0).
        edge_px: Width of the blackest edges in the image, px: about 2 where it is sharp.
        problem: Why it cannot be used; empty when it can.
    """

    ids: NDArray[np.int64]
    points: Array
    pixels: Array
    edge_px: float = 0.0
    problem: str = ""


@lru_cache(maxsize=8)
def _detector(board: Board) -> Any:
    cv2 = opencv()
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_NONE  # as OpenCV advises here
    return cv2.aruco.CharucoDetector(charuco(board), cv2.aruco.CharucoParameters(), parameters)


def find_board(image: NDArray[np.uint8], board: Board) -> Sight:
    """Look for the board in an image, (height, width, 3) RGB or (height, width) grey.

    What stands in the way is told in ``problem``: no board, a mirrored image, other markers,
    another board of the same markers, blur, too few corners.
    """
    from embodied.calibration._diagnosis import edge_width_px, off_grid, why_unseen

    cv2 = opencv()
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    found, ids, _, marker_ids = _detector(board).detectBoard(grey)
    numbers = np.zeros(0, np.int64) if ids is None else ids.ravel().astype(np.int64)
    pixels = np.zeros((0, 2)) if found is None else found.reshape(-1, 2).astype(np.float64)
    points, problem, edge = board.corners[numbers], "", 0.0
    seen = set() if marker_ids is None else {int(i) for i in marker_ids.ravel()}
    if seen and max(seen) >= board.markers and len(seen) >= 4:
        problem = (
            f"another board: marker {max(seen)} is in view, and {board} ends at {board.markers - 1}"
        )
    elif len(numbers) < FEWEST_CORNERS:
        problem = why_unseen(grey, board, len(numbers), seen)
    elif (off := off_grid(points, pixels)) > 0.15:
        problem = (
            f"another board: the corners are off the grid of {board} by {100 * off:.0f}% of a"
            " square, or the board is bent"
        )
    else:
        edge = edge_width_px(grey, pixels)
        square_px = _square_px(points, pixels) * board.square_m
        if edge > max(0.25 * square_px, 3.0):
            problem = (
                f"blurred: edges are {edge:.0f} px wide, the squares {square_px:.0f} px;"
                " hold still, focus or add light"
            )
    return Sight(ids=numbers, points=points, pixels=pixels, edge_px=edge, problem=problem)


def _square_px(points: Array, pixels: Array) -> float:
    """Mean scale of the image, px/m."""
    spread = np.linalg.norm(points - points.mean(axis=0), axis=1).mean()
    return float(np.linalg.norm(pixels - pixels.mean(axis=0), axis=1).mean() / spread)
