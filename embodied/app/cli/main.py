"""The command ``embodied``. Everything heavy is imported inside the commands."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, Unpack

import typer

from embodied import __version__
from embodied.app.cli.bench import PASS_ON, bench, hand_over
from embodied.app.cli.bridge import bridge
from embodied.app.cli.calibrate import calibrate
from embodied.app.cli.cameras import cameras
from embodied.app.cli.datasets import demos, export
from embodied.app.cli.exit_codes import guarded
from embodied.app.cli.mcp import mcp
from embodied.app.cli.memory import memory
from embodied.app.cli.options import (
    ChatValues,
    DoctorValues,
    PlanValues,
    RunValues,
    SceneValues,
    ShowValues,
    checked,
    given,
    settings_of,
    takes_options,
)
from embodied.app.cli.perceive import perceive
from embodied.app.cli.read import read
from embodied.app.cli.rehearse import rehearse
from embodied.app.cli.serve import serve
from embodied.app.cli.verify import verify

if TYPE_CHECKING:
    from embodied.app.run import Output
    from embodied.app.show.console import Console
    from embodied.app.show.protocol import Display
    from embodied.session import Session
    from embodied.settings import Settings

app = typer.Typer(
    name="embodied",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A sentence in, verified robot motion out.",
    epilog="Exit codes: 0 goal reached, 1 not reached, 2 not understood or unsupported, "
    "3 environment or model error, 130 ended by Ctrl-C.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"embodied {__version__}")
        raise typer.Exit


@app.callback()
def everything(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """A sentence in, verified robot motion out."""


@app.command()
@takes_options
def run(
    context: typer.Context,
    sentence: Annotated[str | None, typer.Argument(help="What the robot should do.")] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", help="Continue the interrupted run in this folder.")
    ] = None,
    record_dataset: Annotated[
        Path | None,
        typer.Option("--record-dataset", help="Add the run to the LeRobotDataset in this folder."),
    ] = None,
    **values: Unpack[RunValues],
) -> None:
    """Carry out a sentence and judge the result from measured state."""
    if resume is not None:
        _resume(resume, sentence or "", given(context), values)
    if sentence is None:
        raise typer.BadParameter("give a sentence, or --resume FOLDER")
    with guarded(values["json"]):
        settings = settings_of(values, given(context))
        _perform(settings, sentence, values, move=True, dataset=record_dataset)


@app.command()
@takes_options
def plan(
    context: typer.Context,
    sentence: Annotated[str | None, typer.Argument(help="What the robot should do.")] = None,
    domain: Annotated[
        Path | None,
        typer.Option(
            "--domain", exists=True, dir_okay=False, help="PDDL domain: plan without a robot."
        ),
    ] = None,
    problem: Annotated[
        Path | None,
        typer.Option(
            "--problem",
            exists=True,
            dir_okay=False,
            help="PDDL problem [default: the file of --domain, which then holds both].",
        ),
    ] = None,
    **values: Unpack[PlanValues],
) -> None:
    """Translate a sentence and plan; nothing moves.

    With --domain and --problem: plan for PDDL files of your own, with --optimal, --plan-time and
    --json. Exit codes then: 0 a valid plan, 1 proven that none exists, 2 text that cannot be used,
    3 the planner failed, 4 out of time.
    """
    if domain is not None:
        _plan_files(domain, problem or domain, sentence, given(context), values)
    if problem is not None:
        raise typer.BadParameter("give --domain with it", param_hint="--problem")
    if sentence is None:
        raise typer.BadParameter("give a sentence, or --domain FILE --problem FILE")
    with guarded(values["json"]):
        _perform(settings_of(values, given(context)), sentence, values, move=False)


@app.command()
@takes_options
def chat(context: typer.Context, **values: Unpack[ChatValues]) -> None:
    """Sentence after sentence in the same world: "now the blue one too", "undo that"."""
    with guarded(values["json"]):
        from embodied.app.chat import converse, converse_live, typed_lines
        from embodied.app.wiring import route_of
        from embodied.settings import TOOLS

        settings = settings_of(values, given(context))
        live = values["live"]
        if live and settings.strategy == TOOLS:
            reason = f"--strategy {TOOLS} carries sentences out one after the other"
            raise typer.BadParameter(reason, param_hint="--live")
        if live is None:
            moves_on = route_of(settings) == "reward" and settings.strategy != TOOLS
            live = moves_on and sys.stdin.isatty()
        with _opened(settings) as (session, opened_s):
            console = None if values["json"] else _console()
            code = (converse_live if live else converse)(
                session,
                typed_lines(console),
                _output(values, session),
                console=console,
                opened_s=opened_s,
            )
        raise typer.Exit(code if live or not sys.stdin.isatty() else 0)


@app.command()
@takes_options
def replay(
    folder: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    execute: Annotated[
        bool, typer.Option("--execute", help="Carry the recorded program out again.")
    ] = False,
    video: Annotated[
        Path | None, typer.Option("--video", help="Video file to write [default: RUN/replay.mp4].")
    ] = None,
    speed: Annotated[float, typer.Option("--speed", min=0.1, help="Speed of the video.")] = 2.0,
    **values: Unpack[ShowValues],
) -> None:
    """Show a run again, without any model call."""
    with guarded(values["json"]):
        from embodied.app.replay import execute_again, runs_in, show_again
        from embodied.app.show.window import play

        if values["no_video"] and video is not None:
            raise typer.BadParameter("does not go with --no-video", param_hint="--video")
        if execute:
            code = execute_again(folder, _output(values), _opened)
        elif values["view"]:
            code = 0
            for run_folder in runs_in(folder):
                play(run_folder, speed=speed)
        else:
            code = show_again(folder, _output(values), target=video, speed=speed)
        raise typer.Exit(code)


@app.command()
@takes_options
def scenes(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Scene name or file.")] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the scene to this PNG file.")
    ] = None,
    **values: Unpack[SceneValues],
) -> None:
    """List the scenes, or show what is in one."""
    with guarded(values["json"]):
        from embodied.app.catalogue import draw_scene, list_scenes, show_scene
        from embodied.settings import Settings

        if name is None:
            if strange := given(context) - {"json"}:
                hint = f"--{min(strange)}"
                raise typer.BadParameter("give the name of a scene with it", param_hint=hint)
            list_scenes(values["json"])
            return
        checked(Settings(scene=name), ())
        if picture is not None:
            if picture.suffix.lower() != ".png":
                raise typer.BadParameter(
                    f"{picture} does not end in .png: pictures of scenes are PNG files",
                    param_hint="--picture",
                )
            draw_scene(name, values["robot"], values["seed"], picture)
        show_scene(name, values["json"], picture)


@app.command()
@takes_options
def doctor(**values: Unpack[DoctorValues]) -> None:
    """Check what works on this machine, and say what to do about the rest."""
    with guarded(values["json"]):
        from embodied.app.doctor import examine, report

        raise typer.Exit(report(examine(values["out"]), values["json"]))


@app.command("train-translator", context_settings=PASS_ON)
def train_translator(context: typer.Context) -> None:
    """Train the offline language model (extra "learned"; --help for options)."""
    hand_over("embodied.training.train", context.args)


@app.command("fetch-model", context_settings=PASS_ON)
def fetch_model(context: typer.Context) -> None:
    """Fetch the weights of the offline model (93 MB, once), so that it can answer too."""
    hand_over("embodied.language.offline.weights", context.args)


app.add_typer(bench, name="bench")
app.add_typer(bridge, name="bridge")
app.add_typer(cameras, name="cameras")
app.add_typer(calibrate, name="calibrate")
app.add_typer(memory, name="memory")
app.command()(perceive)
app.command()(read)
app.command()(rehearse)
app.command()(verify)
app.command()(serve)
app.command()(mcp)
app.command()(export)
app.command()(demos)


# ------------------------------------------------------------------- plumbing


def main() -> None:
    """Entry point."""
    app()


def _perform(
    settings: Settings,
    sentence: str,
    values: PlanValues | RunValues,
    *,
    move: bool,
    dataset: Path | None = None,
) -> NoReturn:
    from embodied.app.run import perform

    add = None if dataset is None else _adder(dataset)
    with _opened(settings) as (session, opened_s):
        done = perform(
            session,
            sentence,
            lambda emit, write: session.run(sentence, emit=emit, write=write, move=move),
            _output(values, session, move=move),
            command="run" if move else "plan",
            opened_s=opened_s,
        )
    if add is not None:
        add(done.folder)
    raise typer.Exit(done.outcome.exit_code)


def _adder(dataset: Path) -> Callable[[Path], None]:
    """Open a data set, before anything moves; returns what adds a run to it."""
    from embodied.datasets.demos import add_runs
    from embodied.datasets.lerobot import LeRobotDataset

    opened = LeRobotDataset(dataset)

    def add(run: Path) -> None:
        for reason in add_runs(opened, [run]).values():
            _tell(f"not added to {dataset}: {reason}")

    return add


def _plan_files(
    domain: Path,
    problem: Path,
    sentence: str | None,
    written: frozenset[str],
    values: PlanValues,
) -> NoReturn:
    if sentence is not None:
        raise typer.BadParameter("give a sentence or --domain, not both")
    if other := written - {"domain", "problem", "optimal", "plan_time", "json"}:
        from embodied.app.cli.options import OPTIONS

        flags = ", ".join(sorted(OPTIONS[n].flags[0] for n in other))
        raise typer.BadParameter(
            f"--domain goes with --problem, --optimal, --plan-time and --json: leave out {flags}"
        )
    with guarded(values["json"]):
        from embodied.app.plan_files import plan_files

        limit = values["plan_time"]
        code = plan_files(
            domain, problem, optimal=values["optimal"], plan_time_s=limit, json=values["json"]
        )
        raise typer.Exit(code)
    raise AssertionError("guarded never returns here")


def _resume(folder: Path, sentence: str, written: frozenset[str], values: RunValues) -> NoReturn:
    if sentence:
        raise typer.BadParameter(
            "--resume takes the sentence from the folder: leave the sentence out"
        )
    other = written - {"resume", "yes", "out", "json", "quiet", "no_video"}
    if other:
        from embodied.app.cli.options import OPTIONS

        flags = ", ".join(sorted(OPTIONS[n].flags[0] for n in other))
        raise typer.BadParameter(f"--resume takes the settings from the folder: leave out {flags}")
    with guarded(values["json"]):
        from embodied.app.resume import resume

        code = resume(folder, _output(values), _opened, yes=values["yes"])
        raise typer.Exit(code)
    raise AssertionError("guarded never returns here")


@contextmanager
def _opened(settings: Settings) -> Generator[tuple[Session, float]]:
    """Open a session and close it again, with the wall time that opening took."""
    from embodied.app.wiring import open_session

    started = time.perf_counter()
    session = open_session(settings, tell=_tell)
    try:
        yield session, time.perf_counter() - started
    finally:
        session.close()


def _tell(text: str) -> None:
    from embodied.app.show.console import Console

    Console(stderr=True).print(text, style="dim", markup=False)


def _output(
    values: PlanValues | ShowValues, session: Session | None = None, *, move: bool = True
) -> Output:
    """Where runs are kept and how they are shown; a session where a window is to be opened."""
    from embodied.app.run import Output
    from embodied.app.show.terminal import JsonDisplay, QuietDisplay, RichDisplay
    from embodied.app.show.video_options import VideoOptions
    from embodied.app.show.window import open_viewer
    from embodied.receipts import notary

    def display(heading: bool) -> Display:
        if values["json"]:
            return JsonDisplay()
        if values["quiet"]:
            return QuietDisplay()
        return RichDisplay(planning_only=not move, heading=heading)

    return Output(
        out=values["out"],
        display=display,
        video=VideoOptions() if move and not values.get("no_video") else None,
        viewer=open_viewer(session) if session is not None and values.get("view") else None,
        sign=notary.have_signed,
    )


def _console() -> Console:
    from embodied.app.show.console import Console

    return Console(highlight=False)


if __name__ == "__main__":
    main()
