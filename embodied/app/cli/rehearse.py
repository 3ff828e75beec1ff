"""The command ``embodied rehearse``: sentences with an emulated arm in hidden scenes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from embodied.app.cli.exit_codes import guarded
from embodied.app.cli.options import checked


def rehearse(
    driver: Annotated[
        str,
        typer.Option(
            "--driver",
            help="universal-robots, franka, feetech, dynamixel or ros2.",
            show_default=False,
        ),
    ],
    episodes: Annotated[int, typer.Option("--episodes", min=1, help="Hidden scenes.")] = 10,
    scene: Annotated[str, typer.Option("--scene", help="Scene name or scene file.")] = "blocks",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the first episode.")] = 0,
    calibration_mm: Annotated[
        float, typer.Option("--calibration-mm", min=0.0, help="Error of each camera's position.")
    ] = 0.3,
    calibration_deg: Annotated[
        float, typer.Option("--calibration-deg", min=0.0, help="Error of its orientation.")
    ] = 0.06,
    noise_mm: Annotated[
        float, typer.Option("--noise-mm", min=0.0, help="Depth noise at 1 m, standard deviation.")
    ] = 1.0,
    dropout: Annotated[
        float, typer.Option("--dropout", min=0.0, max=1.0, help="Share of pixels without depth.")
    ] = 0.01,
    latency_ms: Annotated[
        float, typer.Option("--latency-ms", min=0.0, max=5000.0, help="Of a frame.")
    ] = 50.0,
    rate_hz: Annotated[
        float, typer.Option("--rate-hz", min=0.5, max=60.0, help="Frames a second.")
    ] = 5.0,
    brightness: Annotated[
        float, typer.Option("--brightness", min=0.0, max=4.0, help="Factor of all lights.")
    ] = 1.0,
    faults: Annotated[
        str,
        typer.Option(
            "--faults", help="One an episode, in turn: moved-object, lost-camera, hand; by commas."
        ),
    ] = "",
    real_time: Annotated[
        bool,
        typer.Option(
            "--real-time",
            help="The emulated arm's time is this machine's; otherwise it passes with set-points.",
        ),
    ] = False,
    limit_s: Annotated[
        float, typer.Option("--limit", min=1.0, help="Longest time of a sentence, s.")
    ] = 300.0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Episodes at the same time.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of results; a stopped rehearsal continues there."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON line on standard output.")] = False,
) -> None:
    """Rehearse sentences with an emulated arm in scenes that only its emulator knows.

    The bridge runs as a child process that gets sockets and a cameras file whose poses have a
    calibration error. Success is judged afterwards from the emulator's hidden state.
    """
    with guarded(json):
        from embodied.app.rehearse.episode import FAULT_S, Options, run_episode
        from embodied.app.rehearse.report import NOT_SHOWN, exit_code, lines, totals
        from embodied.app.rehearse.setups import SETUPS
        from embodied.app.show.console import Console
        from embodied.app.show.terminal import print_json
        from embodied.bench.runner import Task, check_settings, run_tasks
        from embodied.registry import unknown
        from embodied.settings import Settings

        if driver not in SETUPS:
            raise unknown("driver", driver, tuple(SETUPS))
        chosen = tuple(f.strip() for f in faults.split(",") if f.strip())
        for fault in chosen:
            if fault not in FAULT_S:
                raise unknown("fault", fault, tuple(FAULT_S))
        checked(Settings(scene=scene), ())
        options = Options(
            driver=driver,
            scene=scene,
            calibration_mm=calibration_mm,
            calibration_deg=calibration_deg,
            noise_mm=noise_mm,
            dropout=dropout,
            latency_s=latency_ms / 1e3,
            rate_hz=rate_hz,
            brightness=brightness,
            faults=chosen,
            stepped=not real_time,
            limit_s=limit_s,
            seed=seed,
        )
        folder = out or _fresh(driver)
        check_settings(folder, asdict(options))
        tasks = [
            Task(id=str(seed + i), payload=options.payload(i, folder / "runs"))
            for i in range(episodes)
        ]
        rows = run_tasks(
            tasks,
            run_episode,
            folder,
            jobs=jobs,
            executor="serial" if jobs == 1 else "process",
            progress=not json,
            title="episodes",
            retry_errors=True,
        )
        if json:
            print_json(
                {
                    "settings": asdict(options),
                    "folder": str(folder),
                    "episodes": rows,
                    "totals": totals(rows),
                    "not_shown": NOT_SHOWN,
                }
            )
        else:
            console = Console(highlight=False)
            for line in lines(rows, stepped=options.stepped):
                console.print(line, markup=False)
            console.print(f"\n{folder}", markup=False)
        raise typer.Exit(exit_code(rows))


def _fresh(driver: str) -> Path:
    import time

    return Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-rehearsal-{driver}"
