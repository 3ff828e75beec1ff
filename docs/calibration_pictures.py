"""Makes the pictures of calibration.md: python docs/calibration_pictures.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from embodied.calibration.board import find_board
from embodied.calibration.drawing import board_image
from embodied.calibration.lens import rotation_matrix
from embodied.calibration.rehearsal import BOARD, LENS
from embodied.calibration.rendered import render_board
from embodied.types import Pose

IMAGES = Path(__file__).parent / "images"
VIEWS = (((-0.5, 0.2, 0.3), 0.38, (-0.04, 0.0)), ((0.2, -0.6, -0.1), 0.45, (0.03, 0.02)))
"""Rotation vector of the board, rad; its distance, and how far it is aside, m."""


def main() -> None:
    """The board, and two views of it with the corners that are found."""
    board = Image.fromarray(board_image(BOARD, 80, 40))
    board.save(IMAGES / "calibration_board.png", optimize=True)
    wide = Image.new("RGB", (1280, 480))
    for i, (turn, depth, aside) in enumerate(VIEWS):
        R = rotation_matrix(np.array(turn))
        middle = np.array([*aside, depth])
        pose = Pose.from_rotation(R, middle - R @ BOARD.outline.mean(axis=0))
        pixels = render_board(BOARD, LENS, pose)
        image = Image.fromarray(pixels)
        draw = ImageDraw.Draw(image)
        for x, y in find_board(pixels, BOARD).pixels:
            draw.ellipse([x - 5, y - 5, x + 5, y + 5], outline=(20, 200, 60), width=2)
        wide.paste(image, (640 * i, 0))
    wide.save(IMAGES / "calibration_views.jpg", quality=85)


if __name__ == "__main__":
    main()
