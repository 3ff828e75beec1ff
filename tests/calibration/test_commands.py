"""``embodied calibrate`` as a person calls it, also with bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed (extra [calibration])")

from embodied.app.cli.main import app  # noqa: E402
from embodied.calibration.board import Board, save_board  # noqa: E402
from embodied.calibration.lens import rotation_matrix  # noqa: E402
from embodied.calibration.rehearsal import BOARD, LENS  # noqa: E402
from embodied.calibration.rendered import plane_depth, render_board  # noqa: E402
from embodied.perception.cameras.drivers.recorded import write_frame  # noqa: E402
from embodied.perception.cameras.files import CameraEntry, load_cameras, save_cameras  # noqa: E402
from embodied.perception.cameras.types import Frame  # noqa: E402
from embodied.types import Pose  # noqa: E402

OTHER = Board(columns=7, rows=5, square_mm=35.0)
FLAT = Pose.from_rotation(np.eye(3), np.array([0.0, 0.0, 0.4]) - BOARD.outline.mean(axis=0))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_board(BOARD, Path("board.toml"))
    save_cameras("cameras.toml", [CameraEntry(name="wrist", driver="recorded", mount="ee")])
    Path("pictures").mkdir()
    return tmp_path


def call(*words: str, keys: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["calibrate", *words], input=keys)
    return done.exit_code, " ".join((done.output).split())


def draw(pose: Pose = FLAT, board: Board = BOARD, **look: float) -> np.ndarray:
    return render_board(board, LENS, pose, **look)


def write(image: np.ndarray, number: int = 0) -> None:
    cv2.imwrite(f"pictures/{number:02d}.png", image[..., ::-1])


def waved(count: int, seed: int = 0) -> list[Pose]:
    rng, poses = np.random.default_rng(seed), []
    for _ in range(count):
        R = rotation_matrix(rng.normal(0.0, 0.4, 3))
        middle = rng.uniform(0.3, 0.5) * np.append(rng.uniform(-0.3, 0.3, 2), 1.0)
        poses.append(Pose.from_rotation(R, middle - R @ BOARD.outline.mean(axis=0)))
    return poses


def test_a_board_is_drawn_with_its_parameters(folder: Path) -> None:
    code, said = call("board", "--out", "b.pdf", "--squares", "7x5", "--square-mm", "40", "--json")
    assert code == 0 and json.loads(said)["paper"] == "a3"
    assert Path("b.pdf").read_bytes().startswith(b"%PDF-1.4")
    assert "square_mm = 40" in Path("b.toml").read_text("utf-8")
    assert call("board", "--out", "b.pdf", "--squares", "seven")[0] == 2
    assert call("board", "--out", "b.txt")[0] == 2


def test_a_lens_is_found_from_pictures(folder: Path) -> None:
    for i, pose in enumerate(waved(20)):
        write(draw(pose), i)
    code, said = call("camera", "wrist", "--pictures", "pictures")
    assert code == 0, said
    (entry,) = load_cameras("cameras.toml")
    assert entry.model is not None and entry.calibration is not None
    assert entry.model.fx == pytest.approx(LENS.fx, rel=0.005)
    assert (entry.calibration.residual_px or 9.0) < 0.2
    assert Path("wrist-lens.npz").exists()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (lambda: np.full((480, 640, 3), 120, np.uint8), "no board in view"),
        (lambda: draw(board=OTHER), "another board"),
        (lambda: np.ascontiguousarray(draw()[:, ::-1]), "mirrored"),
        (lambda: draw(blur_px=5.0), "blurred"),
        (lambda: draw(), "missing: 9 more views"),
    ],
)
def test_bad_pictures_are_told_and_nothing_is_written(
    folder: Path, image: object, words: str
) -> None:
    before = Path("cameras.toml").read_bytes()
    write(image())  # type: ignore[operator]
    code, said = call("camera", "wrist", "--pictures", "pictures")
    assert code == 3 and words in said and "internal error" not in said, said
    assert Path("cameras.toml").read_bytes() == before


def test_wrong_files_and_names_are_told(folder: Path) -> None:
    assert "no camera 'left' in cameras.toml: wrist" in call("camera", "left")[1]
    assert "holds no pictures" in call("camera", "wrist", "--pictures", "pictures")[1]
    Path("pictures/a.png").write_bytes(b"no picture")
    assert "no picture that can be read" in call("camera", "wrist", "--pictures", "pictures")[1]
    assert "there is no none.toml" in call("camera", "wrist", "--board", "none.toml")[1]
    assert "needs --limits" in call("hand-eye", "wrist", "--mode", "auto")[1]
    assert call("hand-eye", "wrist", "--mode", "shadow")[0] == 2
    code, said = call("hand-eye", "wrist", "--mode", "confirm")
    assert code == 2 and "needs a terminal" in said
    assert "no calibrated camera" in call("table")[1]


def recorded(pose: Pose | None) -> None:
    """A recording of the board on the table, by a camera half a metre above it."""
    Path("frames").mkdir(exist_ok=True)
    down = np.diag([1.0, -1.0, -1.0])
    true = Pose.from_rotation(down, [0.45, 0.0, 0.5])
    on_table = Pose.from_rotation(down, [0.45, 0.0, 0.0] - down @ BOARD.outline.mean(axis=0))
    seen = true.inverse() @ on_table
    rgb, depth = draw(seen), plane_depth(LENS, seen)
    for number in range(3):
        write_frame(Path("frames"), Frame(time_s=0.1 * number, number=number, rgb=rgb, depth=depth))
    entry = CameraEntry(
        name="top", driver="recorded", options={"path": "frames"}, model=LENS,
        pose=true if pose is None else pose @ true,
    )  # fmt: skip
    save_cameras("cameras.toml", [entry])


@pytest.mark.parametrize("words", [[], ["--board", "board.toml"]])
def test_the_tables_height_is_measured(folder: Path, words: list[str]) -> None:
    up = Pose(position=np.array([0.0, 0.0, 0.012]), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))
    recorded(up)
    code, said = call("table", "--json", *words)
    assert code == 0, said
    assert json.loads(said)["middle_mm"] == pytest.approx(12.0, abs=1.0)
    assert json.loads(said)["tilt_deg"] < 0.5


def test_an_arm_guided_by_hand_that_stays_where_it_is_is_refused(folder: Path) -> None:
    recorded(None)
    before = Path("cameras.toml").read_bytes()
    words = ["--driver", "simulated", "--by-hand", "--views", "8", "--mount", "ee"]
    code, said = call("hand-eye", "top", *words, keys="\n" * 8)
    assert code == 3 and "too alike" in said, said
    code, said = call("hand-eye", "top", *words, keys="\nq\n")
    assert code == 3 and "1 usable views" in said, said
    assert Path("cameras.toml").read_bytes() == before
