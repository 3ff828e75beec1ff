"""The command ``embodied calibrate``: cameras, and where they are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from embodied.app.cli.bridge import JsonOption, LimitsOption, OptionOption, SceneOption
from embodied.app.cli.exit_codes import guarded

calibrate = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Calibrate cameras with a printed board: lens, pose on the arm or beside it, table.",
)

NameArgument = Annotated[str, typer.Argument(help="Camera of the cameras file.")]
CamerasOption = Annotated[Path, typer.Option("--cameras", help="Cameras file.")]
BoardOption = Annotated[Path, typer.Option("--board", help="The board's file, board.toml.")]
SquareOption = Annotated[
    float | None,
    typer.Option("--square-mm", min=1.0, max=500.0, help="Measured edge of a square, mm."),
]
DriverOption = Annotated[
    str, typer.Option("--driver", help="Driver of the arm; embodied bridge list shows all.")
]

HERE = Path("cameras.toml")
BOARD = Path("board.toml")


@calibrate.command()
def board(
    out: Annotated[Path, typer.Option("--out", help="PDF to write; its .toml is written beside.")],
    squares: Annotated[
        str, typer.Option("--squares", help="Squares along a row and a column.")
    ] = "9x6",
    square_mm: Annotated[
        float, typer.Option("--square-mm", min=1.0, max=500.0, help="Edge of a square, mm.")
    ] = 28.0,
    dictionary: Annotated[
        str, typer.Option("--dictionary", help="Markers, as OpenCV names them.")
    ] = "DICT_4X4_100",
    paper: Annotated[str, typer.Option("--paper", help="auto, a4, letter, a3 or a2.")] = "auto",
    json: JsonOption = False,
) -> None:
    """Draw a board to print, with a ruler to check the scale."""
    with guarded(json):
        from embodied.calibration.board import Board, board_from, save_board
        from embodied.calibration.drawing import write_pdf

        columns, cross, rows = squares.lower().partition("x")
        if not (cross and columns.isdecimal() and rows.isdecimal()):
            raise typer.BadParameter(f"{squares!r} is not like 9x6", param_hint="--squares")
        if out.suffix.lower() != ".pdf":
            raise typer.BadParameter(f"{out} does not end in .pdf", param_hint="--out")
        drawn: Board = board_from(
            {
                "columns": int(columns),
                "rows": int(rows),
                "square_mm": square_mm,
                "dictionary": dictionary,
            },
            "the board",
        )
        sheet = write_pdf(drawn, out, paper=paper)
        parameters = out.with_suffix(".toml")
        save_board(drawn, parameters)
        report = {"pdf": str(out), "parameters": str(parameters), "paper": sheet, **_of(drawn)}
        _tell(
            json,
            report,
            f"{out}: {drawn}, paper {sheet}; parameters in {parameters}\n"
            "Print at 100%, glue it to something flat, check the ruler of 100 mm; else measure a"
            f" row of squares and correct square_mm in {parameters}.",
        )


@calibrate.command()
def camera(
    name: NameArgument,
    board: BoardOption = BOARD,
    square_mm: SquareOption = None,
    cameras: CamerasOption = HERE,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="Folder of pictures in place of the camera.")
    ] = None,
    views: Annotated[
        int, typer.Option("--views", min=10, max=200, help="Views to collect from the camera.")
    ] = 40,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1.0, help="Longest time to collect, s.")
    ] = 300.0,
    most_px: Annotated[
        float, typer.Option("--most-px", min=0.05, help="Largest reprojection error, px.")
    ] = 1.0,
    json: JsonOption = False,
) -> None:
    """Find a camera's focal lengths, centre and distortion from views of the board."""
    with guarded(json):
        from embodied.app.calibrate.commands import camera_intrinsics
        from embodied.app.calibrate.sources import camera_of
        from embodied.calibration.board import load_board

        target = camera_of(cameras, name)
        found = camera_intrinsics(
            target,
            load_board(board, square_mm=square_mm),
            pictures=pictures,
            views=views,
            seconds=seconds,
            most_px=most_px,
            say=_say,
        )
        model = found.model
        report: dict[str, object] = {
            "camera": name,
            "fx": round(model.fx, 3),
            "fy": round(model.fy, 3),
            "cx": round(model.cx, 3),
            "cy": round(model.cy, 3),
            "distortion": [round(v, 5) for v in model.distortion],
            "focal_std_px": round(found.focal_std_px, 3),
            "center_std_px": round(found.center_std_px, 3),
            "residual_px": round(found.residual_px, 3),
            "held_out_px": round(found.held_out_px, 3),
            "views": len(found.view_px),
        }
        _tell(json, report, _lines(report) + f"\nwritten to {cameras}")


@calibrate.command("hand-eye")
def hand_eye(
    name: NameArgument,
    board: BoardOption = BOARD,
    square_mm: SquareOption = None,
    cameras: CamerasOption = HERE,
    mount: Annotated[
        str, typer.Option("--mount", help="ee or world; without it, what the cameras file says.")
    ] = "",
    driver: DriverOption = "universal-robots",
    option: OptionOption = None,
    limits: LimitsOption = None,
    scene: SceneOption = "blocks",
    mode: Annotated[
        str, typer.Option("--mode", help="confirm (asks before each motion) or auto.")
    ] = "confirm",
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="You guide the hand; Enter takes a pose.")
    ] = False,
    views: Annotated[int, typer.Option("--views", min=8, max=200, help="Views to take.")] = 40,
    joint_noise_deg: Annotated[
        float, typer.Option("--joint-noise-deg", min=0.001, max=5.0, help="Error of a joint.")
    ] = 0.05,
    joint_offsets: Annotated[
        bool, typer.Option("--joint-offsets", help="Also estimate constant errors of the joints.")
    ] = False,
    keep_intrinsics: Annotated[
        bool, typer.Option("--keep-intrinsics", help="Do not refine focal lengths and lens.")
    ] = False,
    most_mm: Annotated[
        float, typer.Option("--most-mm", min=0.1, help="Largest error at the board, mm.")
    ] = 3.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the poses.")] = 0,
    json: JsonOption = False,
) -> None:
    """Find where a camera is: on the hand (board on the table) or fixed (board on the hand)."""
    with guarded(json):
        import numpy as np

        from embodied.app.calibrate.commands import ArmOptions, hand_eye_report
        from embodied.app.calibrate.commands import hand_eye as perform
        from embodied.app.calibrate.sources import camera_of
        from embodied.app.cli.bridge_options import limits_of, limits_path, options_of, user
        from embodied.bridge.messages import OperationMode
        from embodied.calibration.board import load_board
        from embodied.calibration.views import HandEyeOptions

        _choose("--mode", mode, ("confirm", "auto"))
        _choose("--mount", mount, ("", "ee", "world"))
        if not by_hand and mode == "confirm" and not _terminal():
            raise typer.BadParameter(
                "mode confirm needs a terminal to answer at: give auto, or --by-hand",
                param_hint="--mode",
            )
        target = camera_of(cameras, name)
        options = HandEyeOptions(
            mount=mount or target.entry.mount,
            joint_std_rad=float(np.deg2rad(joint_noise_deg)),
            offsets=joint_offsets,
            intrinsics=not keep_intrinsics,
            most_m=most_mm / 1000,
        )
        arm = ArmOptions(
            driver=driver,
            options=options_of(option),
            limits=limits_path(limits_of(limits, driver)),
            scene=scene,
            mode=OperationMode(mode),
            by_hand=by_hand,
            operator=user(),
            seed=seed,
        )
        drawn = load_board(board, square_mm=square_mm)
        found = perform(target, drawn, arm, options, views=views, say=_say)
        report = {"camera": name, **hand_eye_report(found, options)}
        _tell(json, report, _lines(report) + f"\nwritten to {cameras}")


@calibrate.command()
def table(
    cameras: CamerasOption = HERE,
    camera: Annotated[
        list[str] | None, typer.Option("--camera", help="Camera to use; repeatable; else all.")
    ] = None,
    board: Annotated[
        Path | None, typer.Option("--board", help="Use this board, which lies on the table.")
    ] = None,
    square_mm: SquareOption = None,
    driver: Annotated[
        str | None, typer.Option("--driver", help="Driver of the arm, for cameras on the hand.")
    ] = None,
    option: OptionOption = None,
    limits: LimitsOption = None,
    scene: SceneOption = "blocks",
    json: JsonOption = False,
) -> None:
    """Measure the table with the calibrated cameras; exit code 1 if they disagree by over 3 mm."""
    with guarded(json):
        from embodied.app.calibrate.sources import camera_of, pose_of_hand
        from embodied.app.calibrate.table import measure_table, table_report
        from embodied.app.cli.bridge_options import limits_of, limits_path, options_of
        from embodied.calibration.board import load_board
        from embodied.perception.cameras.files import load_cameras
        from embodied.world.scene import load_scene

        if square_mm is not None and board is None:
            raise typer.BadParameter("applies with --board only", param_hint="--square-mm")
        if driver is None and (option or limits is not None):
            raise typer.BadParameter("applies with --driver only", param_hint="--option, --limits")
        entries = [camera_of(cameras, n).entry for n in camera or ()] or load_cameras(cameras)
        pose = None
        if driver is not None:
            chosen = limits_path(limits_of(limits, driver))
            pose = pose_of_hand(driver, options_of(option), chosen, scene)
        drawn = None if board is None else load_board(board, square_mm=square_mm)
        found = measure_table(entries, load_scene(scene), board=drawn, pose_ee=pose)
        report = table_report(found, scene)
        _tell(json, report, _lines(report))
        raise typer.Exit(1 if found.drifted else 0)


# ------------------------------------------------------------------- plumbing


def _of(board: Any) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(board)


def _terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _choose(option: str, value: str, legal: tuple[str, ...]) -> None:
    if value not in legal:
        text = f"unknown value {value!r}. Choose from: {', '.join(v for v in legal if v)}."
        raise typer.BadParameter(text, param_hint=option)


def _say(text: str) -> None:
    from embodied.app.show.console import Console

    Console(highlight=False, stderr=True).print(text, markup=False)


def _lines(report: dict[str, object]) -> str:
    return "\n".join(f"{key:18} {value}" for key, value in report.items())


def _tell(json: bool, report: dict[str, object], text: str) -> None:
    from embodied.app.show.console import Console
    from embodied.app.show.terminal import print_json

    if json:
        print_json(report)
    else:
        Console(highlight=False).print(text, markup=False)
