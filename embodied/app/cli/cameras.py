"""The command ``embodied cameras``: what real cameras there are, and how they do."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embodied.app.cli.devices import described, table_of
from embodied.app.cli.exit_codes import guarded

if TYPE_CHECKING:
    from embodied.perception.cameras.checking import CameraReport
    from embodied.perception.cameras.files import CameraEntry
    from embodied.perception.cameras.types import Camera
    from embodied.types import Array

cameras = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Real and recorded RGB-D cameras: drivers, health, pictures, recordings.",
)

FileOption = Annotated[Path, typer.Option("--cameras", help="File of the cameras.")]
SceneOption = Annotated[
    str, typer.Option("--scene", help="Scene whose workspace and table they look at.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON line on standard output.")]
HERE = Path("cameras.toml")


@cameras.command("list")
def list_cameras(
    file: Annotated[
        Path | None, typer.Option("--cameras", help="List the cameras of this file as well.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the drivers, what each was tested against, and the cameras of a file."""
    with guarded(json):
        from embodied.perception.cameras.drivers import CAMERAS
        from embodied.perception.cameras.files import load_cameras

        drivers = {name: CAMERAS.get(name) for name in CAMERAS.names}
        entries = () if file is None else load_cameras(file)
        if json:
            listed = described(drivers, "cameras")
            _json({"drivers": listed, "cameras": [_entry(e) for e in entries]})
            return
        console = _console()
        console.print(table_of(drivers, "cameras", "embodied cameras list"))
        for entry in entries:
            about = _entry(entry)
            console.print(
                f"{entry.name}: {entry.driver}, mounted on {entry.mount}, intrinsics "
                f"{about['intrinsics']}, pose {about['pose']}, calibrated {about['calibrated']}",
                markup=False,
            )


@cameras.command()
def check(
    file: FileOption = HERE,
    seconds: Annotated[float, typer.Option("--seconds", min=0.2, help="For each, s.")] = 2.0,
    scene: SceneOption = "blocks",
    json: JsonOption = False,
) -> None:
    """Open each camera and measure it: rate, latency, unknown depth, the table's plane.

    Exit code 1 on a problem.
    """
    with guarded(json):
        reports = check_cameras(file, scene, seconds)
        if json:
            _json({"cameras": [asdict(r) for r in reports]})
        else:
            print_reports(reports)
        raise typer.Exit(1 if any(r.problems for r in reports) else 0)


@cameras.command()
def view(
    file: FileOption = HERE,
    out: Annotated[Path, typer.Option("--out", help="Folder for the pictures.")] = Path("views"),
    scene: SceneOption = "blocks",
    json: JsonOption = False,
) -> None:
    """Write a labelled picture of each camera: colour with the table's grid, and depth."""
    with guarded(json):
        from embodied.perception.cameras.pictures import draw_frame

        lower, upper = _workspace(scene)
        written: list[str] = []
        with _opened(file) as opened:
            for camera in opened:
                path = out / f"{camera.name}.png"
                draw_frame(path, camera, camera.read(timeout_s=5.0), lower, upper)
                written.append(str(path))
        if json:
            _json({"pictures": written})
        else:
            _console().print("\n".join(written), markup=False)


@cameras.command()
def record(
    out: Annotated[Path, typer.Argument(help="New folder of the recording.", show_default=False)],
    file: FileOption = HERE,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Duration, s.")] = 5.0,
    json: JsonOption = False,
) -> None:
    """Record all cameras; FOLDER/cameras.toml plays the recording in their place."""
    with guarded(json):
        from embodied.errors import OptionError
        from embodied.perception.cameras.drivers.recorded import record_camera
        from embodied.perception.cameras.files import load_cameras, save_cameras

        if out.exists() and any(out.iterdir()):
            raise OptionError(f"{out} is there already and is not empty: name another folder")
        entries = {e.name: e for e in load_cameras(file)}
        with _opened(file) as opened:
            counts = record_all(out, opened, seconds, record_camera)
            played = [
                replace(entries[c.name], driver="recorded", options={"path": c.name}, model=c.model)
                for c in opened
            ]
        save_cameras(out / HERE, played)
        if json:
            _json({"file": str(out / HERE), "frames": counts})
        else:
            lines = [f"{name}: {count} images" for name, count in counts.items()]
            _console().print("\n".join([*lines, str(out / HERE)]), markup=False)


# ------------------------------------------------------------------- plumbing


def record_all(out: Path, opened: list[Camera], seconds: float, one: Any) -> dict[str, int]:
    """Record cameras side by side; returns how many images of each."""
    from concurrent.futures import ThreadPoolExecutor

    end_s = time.monotonic() + seconds
    with ThreadPoolExecutor(len(opened)) as pool:
        counts = pool.map(lambda c: one(out / c.name, c, end_s), opened)
        return dict(zip((c.name for c in opened), counts, strict=True))


def check_cameras(file: Path, scene: str, seconds: float) -> list[CameraReport]:
    """Open and measure each camera of a file, one after the other; raises as ``load_cameras``."""
    from embodied.perception.cameras.checking import CameraReport, measure
    from embodied.perception.cameras.files import load_cameras, open_camera
    from embodied.perception.cameras.types import CameraError

    lower, upper = _workspace(scene)
    reports: list[CameraReport] = []
    for entry in load_cameras(file):
        try:
            camera = open_camera(entry)
        except CameraError as error:
            reports.append(CameraReport(name=entry.name, problems=(str(error),)))
            continue
        try:
            reports.append(measure(camera, seconds=seconds, lower=lower, upper=upper))
        finally:
            camera.close()
    return reports


def print_reports(reports: list[CameraReport]) -> None:
    """One line a camera, and its problems."""
    from rich.markup import escape

    console = _console()
    for r in reports:
        figures = [
            f"{r.width} x {r.height}" if r.width else "",
            "" if r.rate_hz is None else f"{r.rate_hz:.1f} Hz",
            "" if r.latency_s is None else f"{1000 * r.latency_s:.0f} ms old when it comes",
            "" if r.unknown is None else f"{100 * r.unknown:.1f}% of depth unknown",
            "" if r.table_rms_m is None else f"table scatters {1000 * r.table_rms_m:.1f} mm",
            "" if r.table_off_m is None else f"at most {1000 * r.table_off_m:.1f} mm off",
        ]
        mark = "[red]✗[/]" if r.problems else "[green]✓[/]"
        console.print(f"{mark} {escape(r.name)}: {', '.join(filter(None, figures))}")
        for problem in r.problems:
            console.print(f"    {problem}", markup=False)


@contextmanager
def _opened(file: Path) -> Generator[list[Camera]]:
    from embodied.perception.cameras.files import load_cameras, open_camera

    opened: list[Camera] = []
    try:
        for entry in load_cameras(file):
            opened.append(open_camera(entry))
        yield opened
    finally:
        for camera in opened:
            camera.close()


def _workspace(scene: str) -> tuple[Array, Array]:
    import numpy as np

    from embodied.world.scene import load_scene

    loaded = load_scene(scene)
    return np.array(loaded.workspace_lower_m), np.array(loaded.workspace_upper_m)


def _entry(entry: CameraEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "driver": entry.driver,
        "mount": entry.mount,
        "options": dict(entry.options),
        "intrinsics": "the driver's own" if entry.model is None else "of the file",
        "pose": "missing" if entry.pose is None else "known",
        "calibrated": (entry.calibration and entry.calibration.date) or "not recorded",
    }


def _console() -> Any:
    from embodied.app.show.console import Console

    return Console(highlight=False)


def _json(report: dict[str, object]) -> None:
    from embodied.app.show.terminal import print_json

    print_json(report)
