"""The board: drawn, printed to scale, found again, and what is said when it is not."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed (extra [calibration])")

from embodied.calibration.board import (  # noqa: E402
    Board,
    charuco,
    find_board,
    load_board,
    save_board,
)
from embodied.calibration.drawing import board_image, paper_for, write_pdf  # noqa: E402
from embodied.calibration.lens import board_in_camera, project  # noqa: E402
from embodied.calibration.rehearsal import BOARD, LENS  # noqa: E402
from embodied.calibration.rendered import plane_depth, render_board  # noqa: E402
from embodied.errors import ConfigurationError, OptionError  # noqa: E402
from embodied.types import Pose  # noqa: E402


def front(board: Board, depth_m: float = 0.4, tilt: float = 0.3) -> Pose:
    R = cv2.Rodrigues(np.array([tilt, -tilt, 0.2]))[0]
    return Pose.from_rotation(R, np.array([0.0, 0.0, depth_m]) - R @ board.outline.mean(axis=0))


@pytest.mark.parametrize("board", [BOARD, Board(columns=5, rows=8, square_mm=20.0)])
def test_the_drawn_board_is_opencvs(board: Board) -> None:
    size = (board.columns * 96, board.rows * 96)
    expected = charuco(board).generateImage(size, marginSize=0)
    np.testing.assert_array_equal(board_image(board, 96), expected)


def test_the_page_has_the_board_and_the_ruler_to_scale(tmp_path: Path) -> None:
    path = tmp_path / "board.pdf"
    assert write_pdf(BOARD, path) == "a4"
    text = path.read_bytes().decode("latin-1")
    box = [float(v) for v in re.findall(r"MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", text)[0]]
    np.testing.assert_allclose(np.array(box) / 72 * 25.4, (297.0, 210.0), atol=1e-3)
    scale = float(re.findall(r"([\d.]+) 0 0 [\d.]+ 0 0 cm", text)[0])
    assert scale * 25.4 / 72 == pytest.approx(1.0, abs=1e-7)
    boxes = np.array(
        [[float(v) for v in r] for r in re.findall(r"(\S+) (\S+) (\S+) (\S+) re", text)]
    )
    squares = boxes[np.isclose(boxes[:, 2], 28.0) & np.isclose(boxes[:, 3], 28.0)]
    assert len(squares) == 27
    assert np.ptp(squares[:, 0]) == pytest.approx(8 * 28.0)
    assert np.ptp(squares[:, 1]) == pytest.approx(5 * 28.0)
    start, end = re.findall(r"([\d.]+) [\d.]+ m ([\d.]+) [\d.]+ l S", text)[0]
    assert float(end) - float(start) == pytest.approx(100.0)
    assert "9x6 squares of 28 mm" in text
    offset = int(text.rstrip().rsplit("\n", 2)[1])
    assert text.encode("latin-1")[offset:].startswith(b"xref")


def test_paper_that_is_too_small_is_refused() -> None:
    large = Board(columns=9, rows=6, square_mm=60.0)
    assert paper_for(large)[0] == "a2"
    with pytest.raises(OptionError, match="needs 556 x 393 mm"):
        paper_for(large, "a4")
    with pytest.raises(OptionError, match="auto, a4, letter"):
        paper_for(BOARD, "a5")


def test_parameters_are_kept_and_a_measured_size_counts(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    save_board(BOARD, path)
    assert load_board(path) == BOARD
    assert load_board(path, square_mm=27.6).square_mm == 27.6
    path.write_text("columns = 9\nrows = 6\nsquare = 28\n")
    with pytest.raises(ConfigurationError, match="square_mm"):
        load_board(path)


def test_too_few_markers_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="150 markers"):
        charuco(Board(columns=20, rows=15, square_mm=10.0))


def test_corners_are_found_where_the_lens_puts_them() -> None:
    pose = front(BOARD)
    sight = find_board(render_board(BOARD, LENS, pose), BOARD)
    assert sight.problem == "" and len(sight.ids) == 40
    expected, _, _ = project(pose.apply(sight.points), LENS)
    assert np.abs((sight.pixels - expected).mean(axis=0)).max() < 0.03
    assert (sight.pixels - expected).std() < 0.12
    seen, off = board_in_camera(sight, LENS)
    assert off < 0.2
    assert np.linalg.norm(seen.position - pose.position) < 0.001


def test_depth_of_a_plane_agrees_with_its_points() -> None:
    pose = front(BOARD)
    depth = plane_depth(LENS, pose)
    points = pose.apply(BOARD.corners)
    pixels = np.rint(project(points, LENS)[0]).astype(int)
    assert np.abs(depth[pixels[:, 1], pixels[:, 0]] - points[:, 2]).max() < 0.001


OTHER = Board(columns=7, rows=5, square_mm=35.0)


@pytest.mark.parametrize(
    ("seen", "told", "words"),
    [
        (BOARD, OTHER, "another board: marker"),
        (OTHER, BOARD, "another board: its markers do not lie as on"),
        (Board(columns=7, rows=5, square_mm=35.0, dictionary="DICT_6X6_100"), OTHER, "DICT_6X6"),
    ],
)
def test_another_board_is_told(seen: Board, told: Board, words: str) -> None:
    assert words in find_board(render_board(seen, LENS, front(seen)), told).problem


def test_a_mirrored_picture_is_told() -> None:
    image = render_board(BOARD, LENS, front(BOARD))[:, ::-1]
    assert "mirrored" in find_board(np.ascontiguousarray(image), BOARD).problem


@pytest.mark.parametrize("blur_px", [2.5, 4.0, 8.0])
def test_a_blurred_picture_is_told(blur_px: float) -> None:
    image = render_board(BOARD, LENS, front(BOARD, 0.35), blur_px=blur_px)
    assert "blurred" in find_board(image, BOARD).problem


def test_no_board_is_told() -> None:
    image = np.random.default_rng(0).integers(100, 140, (480, 640, 3), dtype=np.uint8)
    assert "no board in view" in find_board(image, BOARD).problem
    cut = front(BOARD, 0.4)
    aside = Pose(position=cut.position + [0.24, 0.0, 0.0], quat_wxyz=cut.quat_wxyz)
    assert "corners are in view" in find_board(render_board(BOARD, LENS, aside), BOARD).problem
    away = Pose(position=cut.position + [0.0, 0.0, 5.0], quat_wxyz=cut.quat_wxyz)
    assert "too small" in find_board(render_board(BOARD, LENS, away), BOARD).problem
