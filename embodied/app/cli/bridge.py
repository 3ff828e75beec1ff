"""The command ``embodied bridge``: arms behind a safety supervisor."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from embodied.app.cli.bridge_options import choose, limits_of, limits_path, options_of, user
from embodied.app.cli.cameras import check_cameras, print_reports
from embodied.app.cli.devices import described, table_of
from embodied.app.cli.exit_codes import guarded

bridge = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Arms behind a safety supervisor. Not a certified safety function.",
)

DriverOption = Annotated[
    str, typer.Option("--driver", help="Driver; embodied bridge list shows all.")
]
OptionOption = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", help="Option of the driver, NAME=VALUE; repeatable."),
]
LimitsOption = Annotated[
    Path | None,
    typer.Option("--limits", help="Signed limits: a file, or the name of shipped ones."),
]
CamerasOption = Annotated[
    Path | None, typer.Option("--cameras", help="File of the cameras that see the scene.")
]
SceneOption = Annotated[str, typer.Option("--scene", help="Scene name or scene file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON line on standard output.")]


@bridge.command("list")
def list_drivers(json: JsonOption = False) -> None:
    """List the drivers: what each was tested against, and what is installed."""
    with guarded(json):
        from embodied.bridge.drivers import DRIVERS

        entries = {name: DRIVERS.get(name) for name in DRIVERS.names}
        if json:
            from embodied.app.show.terminal import print_json

            print_json({"drivers": described(entries, "arms")})
            return
        _console().print(table_of(entries, "arms", "embodied bridge list"))


@bridge.command()
def sign(
    limits: Annotated[Path, typer.Argument(help="Limits file.", show_default=False)],
    name: Annotated[
        str, typer.Option("--name", help="Name of the person who signs.", show_default=False)
    ],
    statement: Annotated[
        str, typer.Option("--statement", help="What was checked.")
    ] = "read and checked",
) -> None:
    """Sign a limits file: nothing moves with unsigned or changed limits."""
    with guarded(False):
        from embodied.bridge.limits import load_limits, sign_limits

        target = sign_limits(limits, name=name, statement=statement)
        signed = load_limits(limits)
        signed_as = f"{target}: {signed.name}, sha256 {signed.sha256[:16]}…, {name}"
        _console().print(signed_as, markup=False)


@bridge.command()
def check(
    driver: DriverOption = "simulated",
    option: OptionOption = None,
    limits: LimitsOption = None,
    scene: SceneOption = "blocks",
    cameras: CamerasOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Duration, s.")] = 2.0,
    json: JsonOption = False,
) -> None:
    """Read an arm without moving it, and look through its cameras; exit code 1 on a problem."""
    with guarded(json):
        from embodied.app.bridge.latency import print_histogram, quantiles
        from embodied.bridge.drivers import open_driver
        from embodied.bridge.filter import SafetyFilter
        from embodied.bridge.geometry import ArmGeometry
        from embodied.bridge.limits import load_limits
        from embodied.bridge.probing import probe
        from embodied.world.scene import load_scene

        allowed = load_limits(limits_path(limits))
        geometry = ArmGeometry(allowed, load_scene(scene))
        arm = open_driver(driver, options_of(option))
        safety = SafetyFilter(allowed, geometry, lockstep=arm.capabilities.lockstep)
        arm.connect()
        try:
            seen = probe(arm, safety, seconds=seconds)
        finally:
            arm.disconnect()
        report = {
            "driver": driver,
            "limits": allowed.name,
            "limits_sha256": allowed.sha256,
            "signed_by": allowed.signed_by,
            "mode": seen.state.mode.value,
            "q": [round(float(x), 5) for x in seen.state.q],
            "reads": len(seen.latency_s),
            "latency_ms": quantiles(1000 * seen.latency_s),
            "interval_ms": quantiles(1000 * seen.interval_s),
            "clock_drift_ppm": round(1e6 * seen.drift_s_per_s, 1),
            "problems": list(seen.problems),
        }
        eyes = [] if cameras is None else check_cameras(cameras, scene, seconds)
        wrong = any(seen.problems) or any(r.problems for r in eyes)
        if json:
            from dataclasses import asdict

            from embodied.app.show.terminal import print_json

            print_json({**report, "cameras": [asdict(r) for r in eyes]})
        else:
            from rich.markup import escape

            console = _console()
            for key, value in report.items():
                if key != "problems":
                    console.print(f"{key:16} {value}", markup=False)
            print_histogram(console, "latency of a read, ms", 1000 * seen.latency_s)
            title = "time between reports by the arm's clock, ms"
            print_histogram(console, title, 1000 * seen.interval_s)
            for problem in seen.problems:
                console.print(f"[red]✗[/] {escape(problem)}")
            print_reports(eyes)
            if cameras is None and driver != "simulated":
                console.print("not checked: cameras (no --cameras), so nothing of the scene")
            if not wrong:
                console.print("[green]✓[/] no problems found")
        raise typer.Exit(1 if wrong else 0)


@bridge.command()
def run(
    sentence: Annotated[str, typer.Argument(help="What the robot should do.")],
    driver: DriverOption = "simulated",
    option: OptionOption = None,
    mode: Annotated[
        str, typer.Option("--mode", help="dry-run, shadow, confirm or auto.")
    ] = "confirm",
    limits: LimitsOption = None,
    simulator: Annotated[
        str, typer.Option("--simulator", help="Simulator of simulated arms: mujoco or pybullet.")
    ] = "mujoco",
    scene: SceneOption = "blocks",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the initial layout.")] = 0,
    model: Annotated[
        str, typer.Option("--model", help="Translator, as for embodied run.")
    ] = "rules",
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Address of its server.")
    ] = None,
    cameras: CamerasOption = None,
    accept_disagreement: Annotated[
        bool,
        typer.Option("--accept-disagreement", help="Go on though the cameras disagree."),
    ] = False,
    record: Annotated[Path | None, typer.Option("--record", help="MCAP file to write.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for run folders.")] = Path("runs"),
    json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict only.")] = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="Make no pictures.")] = False,
) -> None:
    """Carry out a sentence with an arm behind the supervisor; space is the emergency stop."""
    with guarded(json):
        from embodied.app.bridge.run import RunOptions, perform_bridged
        from embodied.app.bridge.session import BridgeOptions
        from embodied.app.compatibility import refusal
        from embodied.app.wiring import PYBULLET_ROBOT
        from embodied.bridge.limits import load_limits
        from embodied.bridge.messages import OperationMode
        from embodied.settings import Settings

        choose("--mode", mode, tuple(m.value for m in OperationMode))
        choose("--simulator", simulator, ("mujoco", "pybullet"))
        if mode == "confirm" and (sys.stdin is None or not sys.stdin.isatty()):
            others = ", ".join(m.value for m in OperationMode if m is not OperationMode.CONFIRM)
            raise typer.BadParameter(
                f"mode confirm needs a terminal to answer at: give one of {others}",
                param_hint="--mode",
            )
        bullet = simulator == "pybullet"
        limits = limits_of(limits, driver)
        robot = PYBULLET_ROBOT if bullet else Settings().robot
        settings = Settings(
            scene=scene,
            robot=robot if limits is None else load_limits(limits).robot,
            world="bridge-pybullet" if bullet else "bridge",
            seed=seed,
            model=model,
            base_url=base_url,
        )
        if accept_disagreement and cameras is None:
            raise typer.BadParameter("goes with --cameras", param_hint="--accept-disagreement")
        if base_url is not None and (refused := refusal(settings, {"base_url"})) is not None:
            raise typer.BadParameter(refused[1], param_hint="--base-url")
        options = RunOptions(
            bridge=BridgeOptions(
                driver=driver,
                options=options_of(option),
                mode=OperationMode(mode),
                limits=limits,
                mcap=record,
                cameras=cameras,
                accept_disagreement=accept_disagreement,
            ),
            out=out,
            json=json,
            quiet=quiet,
            video=not no_video,
            operator=user(),
        )
        raise typer.Exit(perform_bridged(settings, sentence, options))


@bridge.command()
def record(
    file: Annotated[Path, typer.Argument(help="MCAP file to write.", show_default=False)],
    driver: DriverOption = "simulated",
    option: OptionOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Duration, s.")] = 10.0,
    json: JsonOption = False,
) -> None:
    """Record what an arm reports; nothing is sent to it."""
    with guarded(json):
        from embodied.bridge.drivers import open_driver
        from embodied.bridge.journal import McapFile

        arm = open_driver(driver, options_of(option))
        recording = McapFile(file, {"driver": driver, "mode": "record"})
        arm.connect()
        reports, last, due = 0, -1, time.monotonic()
        end = due + seconds
        try:
            while time.monotonic() < end:
                state = arm.read_state()
                if state.sequence != last:
                    recording.state(state, time.monotonic())
                    reports, last = reports + 1, state.sequence
                due += arm.capabilities.period_s
                time.sleep(max(due - time.monotonic(), 0.0))
        finally:
            arm.disconnect()
            recording.close()
        _tell(json, {"file": str(file), "reports": reports}, f"{file}: {reports} reports")


@bridge.command()
def replay(
    file: Annotated[Path, typer.Argument(help="MCAP file.", show_default=False)],
    limits: Annotated[
        Path | None, typer.Option("--limits", help="Other limits (default: those recorded).")
    ] = None,
    scene: Annotated[
        str | None, typer.Option("--scene", help="Other scene (default: the recorded one).")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Pass a recording through the filter again, without an arm, and compare the decisions."""
    with guarded(json):
        from embodied.bridge.filter import SafetyFilter
        from embodied.bridge.geometry import ArmGeometry
        from embodied.bridge.limits import load_limits
        from embodied.bridge.replay import events, read_recording
        from embodied.bridge.replay import replay as put_through
        from embodied.world.scene import load_scene

        about, messages = read_recording(file)
        report: dict[str, object] = {"file": str(file), "about": about, "messages": len(messages)}
        if "limits" in about:
            allowed = load_limits(limits or Path(about["limits"]))
            if limits is None and allowed.sha256 != about["limits_sha256"]:
                report["note"] = "the limits file has changed since the recording"
            geometry = ArmGeometry(allowed, load_scene(scene or about["scene"]))
            safety = SafetyFilter(allowed, geometry, lockstep=about["lockstep"] == "true")
            result = put_through(messages, safety)
            report |= {
                "periods": result.periods,
                "decided_the_same": result.same,
                "recorded": dict(result.recorded),
                "replayed": dict(result.replayed),
                "reasons": dict(result.reasons),
                "largest_difference_rad": result.largest_difference_rad,
                "first_difference": result.first_difference,
            }
        report["events"] = [name for _, name, _ in events(messages)][:50]
        if json:
            _tell(True, report, "")
            return
        for key, value in report.items():
            _console().print(f"{key:24} {value}", markup=False)


# ------------------------------------------------------------------- plumbing


def _console() -> Any:
    from embodied.app.show.console import Console

    return Console(highlight=False)


def _tell(json: bool, report: dict[str, object], text: str) -> None:
    if json:
        from embodied.app.show.terminal import print_json

        print_json(report)
    else:
        _console().print(text, markup=False)
