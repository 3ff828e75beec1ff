"""Drawing the board: black boxes, as a PDF page to print and as an image for rehearsals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embodied.calibration.board import Board, charuco
from embodied.calibration.errors import opencv
from embodied.errors import OptionError
from embodied.types import Array

PAPERS = {
    "a4": (297.0, 210.0),
    "letter": (279.4, 215.9),
    "a3": (420.0, 297.0),
    "a2": (594.0, 420.0),
}
"""Width and height of sheets on their long side, mm."""

MARGIN_MM = 8.0
FOOTER_MM = 17.0
RULER_MM = 100.0

_POINTS_PER_MM = 72.0 / 25.4


def black_boxes(board: Board) -> Array:
    """What is black on the board: (k, 4), left, top, width and height in squares.

    Raises:
        ConfigurationError: The dictionary has too few markers.
        EnvironmentMissingError: OpenCV is missing.
    """
    cv2 = opencv()
    boxes = [
        (float(x), float(y), 1.0, 1.0)
        for y in range(board.rows)
        for x in range(board.columns)
        if (x + y) % 2 == 0
    ]
    drawn = charuco(board)
    dictionary = drawn.getDictionary()
    cells = dictionary.markerSize + 2
    cell = board.marker_share / cells
    for corners, number in zip(drawn.getObjPoints(), drawn.getIds().ravel(), strict=True):
        marker = cv2.aruco.generateImageMarker(dictionary, int(number), cells)
        left, top = (float(v) for v in corners[0][:2])
        for row in range(cells):
            black = np.flatnonzero(np.diff(np.r_[0, marker[row] == 0, 0].astype(int)))
            for start, end in black.reshape(-1, 2):
                width = float(end - start) * cell
                boxes.append((left + float(start) * cell, top + row * cell, width, cell))
    return np.array(boxes)


def board_image(board: Board, square_px: int, margin_px: int = 0) -> NDArray[np.uint8]:
    """The board in black and white with a white margin."""
    size = (board.rows * square_px + 2 * margin_px, board.columns * square_px + 2 * margin_px)
    image = np.full(size, 255, np.uint8)
    for left, top, width, height in black_boxes(board):
        x0, x1 = (round(v * square_px) + margin_px for v in (left, left + width))
        y0, y1 = (round(v * square_px) + margin_px for v in (top, top + height))
        image[y0:y1, x0:x1] = 0
    return image


def paper_for(board: Board, paper: str = "auto") -> tuple[str, float, float]:
    """The sheet for a board: name, width and height, mm.

    Args:
        board: The board.
        paper: A name of ``PAPERS``; ``"auto"`` takes the smallest that holds the board, else a
            page of the board's own size.

    Raises:
        OptionError: The board does not fit on the paper, or there is no such paper.
    """
    width = board.columns * board.square_mm + 2 * MARGIN_MM
    height = board.rows * board.square_mm + 2 * MARGIN_MM + FOOTER_MM
    if paper not in PAPERS and paper != "auto":
        raise OptionError(f"no paper {paper!r}: auto, {', '.join(PAPERS)}")
    for name in PAPERS if paper == "auto" else (paper,):
        long, short = PAPERS[name]
        for w, h in ((long, short), (short, long)):
            if width <= w and height <= h:
                return name, w, h
    if paper == "auto":
        return "custom", max(width, RULER_MM + 2 * MARGIN_MM), height
    raise OptionError(
        f"{board} needs {width:.0f} x {height:.0f} mm with its margins; {paper} has"
        f" {PAPERS[paper][0]:g} x {PAPERS[paper][1]:g}: choose smaller squares or larger paper"
    )


def write_pdf(board: Board, path: Path, *, paper: str = "auto") -> str:
    """Draw the board, its parameters and a ruler of 100 mm on one page, to scale.

    Returns:
        Name of the paper.

    Raises:
        OptionError: The board does not fit on the paper.
        ConfigurationError: The dictionary has too few markers.
        OSError: The file cannot be written.
    """
    name, width, height = paper_for(board, paper)
    left = (width - board.columns * board.square_mm) / 2
    top = height - MARGIN_MM
    boxes = black_boxes(board) * board.square_mm
    lines = [f"{_POINTS_PER_MM:.8f} 0 0 {_POINTS_PER_MM:.8f} 0 0 cm", "0 g"]
    lines += [
        f"{left + x:.4f} {top - y - h:.4f} {w:.4f} {h:.4f} re" for x, y, w, h in boxes.tolist()
    ]
    lines.append("f")
    foot = MARGIN_MM + FOOTER_MM - 6.0
    marker_mm = board.marker_share * board.square_mm
    about = f"embodied calibration board: {board}, marker {marker_mm:g} mm; paper {name}"
    advice = (
        "Print at 100% (no fit to page), glue to something flat. Check: the ruler above is"
        " 100.0 mm long; else measure the squares and set square_mm."
    )
    lines += _ruler(MARGIN_MM, foot)
    lines.append(_text(MARGIN_MM, foot - 7.5, 3.2, about))
    lines.append(_text(MARGIN_MM, foot - 12.0, 3.2, advice))
    lines.append(_text(left + 0.5, top + 1.5, 2.6, "top"))
    path.write_bytes(_pdf("\n".join(lines).encode("ascii"), width, height))
    return name


def _ruler(x: float, y: float) -> list[str]:
    lines = ["0.2 w", f"{x:.3f} {y:.3f} m {x + RULER_MM:.3f} {y:.3f} l S"]
    for mm in range(0, int(RULER_MM) + 1):
        tall = 4.0 if mm % 10 == 0 else 2.8 if mm % 5 == 0 else 1.8
        weight = 0.2 if mm % 10 == 0 else 0.1
        lines.append(f"{weight} w {x + mm:.3f} {y:.3f} m {x + mm:.3f} {y + tall:.3f} l S")
    lines += [_text(x + mm - 0.8, y - 3.0, 2.6, str(mm)) for mm in range(0, 101, 10)]
    lines.append(_text(x + RULER_MM + 4.0, y - 3.0, 2.6, "mm"))
    return lines


def _text(x: float, y: float, size_mm: float, text: str) -> str:
    safe = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F1 {size_mm:.2f} Tf {x:.3f} {y:.3f} Td ({safe}) Tj ET"


def _pdf(content: bytes, width_mm: float, height_mm: float) -> bytes:
    """A PDF file of one page (ISO 32000-1, uncompressed)."""
    box = f"[0 0 {width_mm * _POINTS_PER_MM:.4f} {height_mm * _POINTS_PER_MM:.4f}]"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>".encode("ascii"),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, starts = bytearray(b"%PDF-1.4\n"), list[int]()
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % start for start in starts)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    out += b"startxref\n%d\n%%%%EOF\n" % table
    return bytes(out)
