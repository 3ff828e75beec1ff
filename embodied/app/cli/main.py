"""The command ``embodied``. Everything heavy is imported inside the commands."""

from __future__ import annotations

import difflib
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from embodied.app.cli.bench import PASS_ON, bench, hand_over
from embodied.app.cli.bridge import bridge
from embodied.app.cli.exit_codes import guarded
from embodied.app.cli.memory import memory
from embodied.app.cli.perceive import perceive
from embodied.app.loop_cli import add_loop_benches

if TYPE_CHECKING:
    from embodied.app.run import Display
    from embodied.app.settings import Session, Settings
    from embodied.app.show.video import VideoOptions

app = typer.Typer(
    name="embodied",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A sentence in, verified robot motion out.",
    epilog="Exit codes: 0 goal reached, 1 not reached, 2 not understood or unsupported, "
    "3 environment or model error, 130 ended by Ctrl-C.",
)

_WORLD, _MODEL, _OUTPUT = "World", "Language model", "Output"

SceneOption = Annotated[
    str,
    typer.Option("--scene", help="Scene name or scene file.", rich_help_panel=_WORLD),
]
RobotOption = Annotated[
    str,
    typer.Option("--robot", help="Robot name or model.", rich_help_panel=_WORLD),
]
WorldOption = Annotated[
    str,
    typer.Option(
        "--world",
        help="Simulator: mujoco, or pybullet with the arm panda; bridge and bridge-pybullet: "
        "the same behind a safety supervisor.",
        rich_help_panel=_WORLD,
    ),
]
RouteOption = Annotated[
    str,
    typer.Option("--route", help="auto, pddl, reward or value-map.", rich_help_panel=_WORLD),
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Initial layout.", rich_help_panel=_WORLD)
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        help="offline (rules, then a narrow local model for what they refuse; no key, no network), "
        "rules (a deterministic grammar, no language model), openai:NAME, anthropic:NAME, "
        "local:PATH or replay:FILE.",
        rich_help_panel=_MODEL,
    ),
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        "--base-url", help="Address of an OpenAI-compatible server.", rich_help_panel=_MODEL
    ),
]
MaxTokensOption = Annotated[
    int | None,
    typer.Option("--max-tokens", min=1, help="Budget of tokens.", rich_help_panel=_MODEL),
]
MaxCallsOption = Annotated[
    int | None,
    typer.Option("--max-calls", min=1, help="Budget of model calls.", rich_help_panel=_MODEL),
]
RecordOption = Annotated[
    Path | None,
    typer.Option("--record", help="Record model answers for replay:FILE.", rich_help_panel=_MODEL),
]
PlanTimeOption = Annotated[
    float, typer.Option("--plan-time", min=0.1, help="Seconds for one planner call.")
]
AsyncOption = Annotated[
    bool,
    typer.Option(
        "--async",
        help="Reward route: plan in a thread while the robot moves in real time.",
    ),
]
LiveOption = Annotated[
    bool | None,
    typer.Option(
        "--live/--turns",
        help="Reward route: sentences change the motion while it goes on, or one after the other "
        "[default: live at a terminal].",
    ),
]
OptimalOption = Annotated[bool, typer.Option("--optimal", help="Prove the plan cheapest.")]
StrategyOption = Annotated[
    str,
    typer.Option(
        "--strategy",
        help="plan, or with a model: tree, react, hiagent, rewoo, code.",
        rich_help_panel=_MODEL,
    ),
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Do what cannot be undone without asking.")
]
OutOption = Annotated[
    Path, typer.Option("--out", help="Where run folders go.", rich_help_panel=_OUTPUT)
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="One JSON line on standard output.", rich_help_panel=_OUTPUT),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only the verdict.", rich_help_panel=_OUTPUT)
]
ViewOption = Annotated[
    bool,
    typer.Option("--view/--headless", help="Show a window.", rich_help_panel=_OUTPUT),
]
NoVideoOption = Annotated[
    bool, typer.Option("--no-video", help="No pictures, no video.", rich_help_panel=_OUTPUT)
]


@app.command()
def run(
    sentence: Annotated[str | None, typer.Argument(help="What the robot should do.")] = None,
    scene: SceneOption = "blocks",
    robot: RobotOption = "fr3",
    world: WorldOption = "mujoco",
    route: RouteOption = "auto",
    seed: SeedOption = 0,
    model: ModelOption = "offline",
    base_url: BaseUrlOption = None,
    max_tokens: MaxTokensOption = None,
    max_calls: MaxCallsOption = None,
    record: RecordOption = None,
    plan_time: PlanTimeOption = 10.0,
    optimal: OptimalOption = False,
    asynchronous: AsyncOption = False,
    out: OutOption = Path("runs"),
    json: JsonOption = False,
    quiet: QuietOption = False,
    view: ViewOption = False,
    no_video: NoVideoOption = False,
    strategy: StrategyOption = "plan",
    yes: YesOption = False,
    resume: Annotated[
        Path | None, typer.Option("--resume", help="Go on with this interrupted run's folder.")
    ] = None,
) -> None:
    """Carry out a sentence and check the result from measured state."""
    if resume is not None:
        _resume(resume, sentence or "", yes, out, json, quiet, video=not no_video)
    if sentence is None:
        raise typer.BadParameter("say what the robot should do, or --resume FOLDER")
    settings = _settings(locals())
    with guarded(json):
        _perform(settings, sentence, out, json, quiet, view=view, video=not no_video, move=True)


@app.command()
def plan(
    sentence: Annotated[str, typer.Argument(help="What the robot should do.")],
    scene: SceneOption = "blocks",
    robot: RobotOption = "fr3",
    world: WorldOption = "mujoco",
    route: RouteOption = "auto",
    seed: SeedOption = 0,
    model: ModelOption = "offline",
    base_url: BaseUrlOption = None,
    max_tokens: MaxTokensOption = None,
    max_calls: MaxCallsOption = None,
    record: RecordOption = None,
    plan_time: PlanTimeOption = 10.0,
    optimal: OptimalOption = False,
    out: OutOption = Path("runs"),
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Translate a sentence and plan, without motion."""
    settings = _settings(locals())
    with guarded(json):
        _perform(settings, sentence, out, json, quiet, view=False, video=False, move=False)


@app.command()
def chat(
    scene: SceneOption = "blocks",
    robot: RobotOption = "fr3",
    world: WorldOption = "mujoco",
    route: RouteOption = "auto",
    seed: SeedOption = 0,
    model: ModelOption = "offline",
    base_url: BaseUrlOption = None,
    max_tokens: MaxTokensOption = None,
    max_calls: MaxCallsOption = None,
    record: RecordOption = None,
    plan_time: PlanTimeOption = 10.0,
    optimal: OptimalOption = False,
    asynchronous: AsyncOption = False,
    live: LiveOption = None,
    out: OutOption = Path("runs"),
    json: JsonOption = False,
    quiet: QuietOption = False,
    view: ViewOption = False,
    no_video: NoVideoOption = False,
) -> None:
    """Sentence after sentence in the same world: "now the blue one too", "undo that"."""
    settings = _settings(locals())
    with guarded(json):
        from embodied.app.chat import converse, converse_live, typed_lines

        with _opened(settings) as (session, opened_s):
            console = None if json else _console()
            if live or (live is None and settings.moves_by_rewards and sys.stdin.isatty()):
                raise typer.Exit(
                    converse_live(
                        session,
                        typed_lines(console),
                        out=out,
                        display=_display(json, quiet),
                        video=None if no_video else _video(),
                        console=console,
                        viewer=_viewer(session) if view else None,
                        opened_s=opened_s,
                    )
                )
            code = converse(
                session,
                typed_lines(console),
                out=out,
                display=lambda first: _display(json, quiet, heading=first),
                video=None if no_video else _video(),
                console=console,
                viewer=_viewer(session) if view else None,
                opened_s=opened_s,
            )
        raise typer.Exit(code if not sys.stdin.isatty() else 0)


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    execute: Annotated[
        bool, typer.Option("--execute", help="Carry the recorded program out again.")
    ] = False,
    view: ViewOption = False,
    video: Annotated[
        Path | None, typer.Option("--video", help="Video to make [default: RUN/replay.mp4].")
    ] = None,
    no_video: NoVideoOption = False,
    speed: Annotated[float, typer.Option("--speed", min=0.1, help="Of the video.")] = 2.0,
    out: OutOption = Path("runs"),
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show a run again without any model call."""
    with guarded(json):
        from embodied.app.replaying import execute_again, show_again, view_states

        if execute:
            code = execute_again(
                folder,
                out=out,
                display=lambda: _display(json, quiet),
                video=None if no_video else _video(),
                open_session=_opened,
            )
        elif view:
            code = view_states(folder, speed=speed)
        else:
            code = show_again(
                folder,
                target=video,
                film=not no_video,
                speed=speed,
                display=lambda: _display(json, quiet),
            )
        raise typer.Exit(code)


@app.command()
def scenes(
    name: Annotated[str | None, typer.Argument(help="Scene name or file.")] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the scene to this PNG file.")
    ] = None,
    robot: RobotOption = "fr3",
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> None:
    """List the scenes, or show what is in one."""
    with guarded(json):
        from embodied.app.catalogue import draw_scene, list_scenes, show_scene

        if name is None and picture is None:
            list_scenes(json)
            return
        chosen = name or "blocks"
        _check_scene(chosen)
        if picture is not None:
            draw_scene(chosen, robot, seed, picture)
        show_scene(chosen, json, picture)


@app.command()
def doctor(
    out: OutOption = Path("runs"),
    json: JsonOption = False,
) -> None:
    """Check this machine and say what to do."""
    with guarded(json):
        from embodied.app.doctor import examine, report

        raise typer.Exit(report(examine(out), json))


@app.command("train-translator", context_settings=PASS_ON)
def train_translator(context: typer.Context) -> None:
    """Train the offline language model (extra "learned"; --help for options)."""
    hand_over("embodied.training.train", context.args)


@app.command("fetch-model", context_settings=PASS_ON)
def fetch_model(context: typer.Context) -> None:
    """Fetch the weights of the offline model (93 MB, once), so that it can answer too."""
    hand_over("embodied.language.offline.weights", context.args)


add_loop_benches(bench)
app.add_typer(bench, name="bench")
app.add_typer(bridge, name="bridge")
app.add_typer(memory, name="memory")
app.command()(perceive)


# ------------------------------------------------------------------- plumbing


def main() -> None:
    """Entry point."""
    app()


def _settings(values: dict[str, Any]) -> Settings:
    """Check what the command line says; a wrong word ends with the legal ones."""
    from embodied.app.settings import ROUTES, STRATEGIES, WORLDS, Settings

    _choice("--strategy", values.get("strategy", "plan"), STRATEGIES)
    _choice("--world", values["world"], WORLDS)
    _choice("--route", values["route"], ROUTES)
    _check_model(values["model"])
    record = values["record"]
    settings = Settings(
        scene=values["scene"],
        robot=_checked_robot(values["robot"], values["world"]),
        world=values["world"],
        route=values["route"],
        seed=values["seed"],
        model=values["model"],
        base_url=values["base_url"],
        max_tokens=values["max_tokens"],
        max_calls=values["max_calls"],
        record=None if record is None else str(record),
        plan_time_s=values["plan_time"],
        optimal=values["optimal"],
        asynchronous=values.get("asynchronous", False),
        strategy=values.get("strategy", "plan"),
        yes=values.get("yes", False),
    )
    if not settings.moves_by_rewards:
        _check_scene(settings.scene)
    return settings


def _check_scene(scene: str) -> None:
    from embodied.world.scene import scene_names

    if not Path(scene).expanduser().is_file():
        _choice("--scene", scene, scene_names(), "or the path of a scene file")


def _checked_robot(robot: str, world: str) -> str:
    from embodied.app.settings import PYBULLET_ROBOT, Settings

    if world in ("pybullet", "bridge-pybullet"):
        if robot != Settings().robot:
            _choice("--robot", robot, (PYBULLET_ROBOT,))
        return PYBULLET_ROBOT
    if robot.startswith("menagerie:") or Path(robot).expanduser().is_file():
        return robot
    from embodied.app.catalogue import robot_names

    _choice("--robot", robot, robot_names(), "menagerie:NAME or the path of a robot model")
    return robot


def _check_model(model: str) -> None:
    from embodied.language.models import MODEL_KINDS

    kind, _, rest = model.partition(":")
    if rest and kind in {k.partition(":")[0] for k in MODEL_KINDS}:
        return
    _choice("--model", model, ("rules", "offline", *MODEL_KINDS))


def _choice(option: str, value: str, legal: tuple[str, ...], rest: str = "") -> None:
    if value in legal:
        return
    close = difflib.get_close_matches(value.lower(), legal, n=1, cutoff=0.5)
    guess = f" Did you mean {close[0]}?" if close else ""
    more = f", {rest}" if rest else ""
    raise typer.BadParameter(
        f"unknown value {value!r}.{guess} Choose from: {', '.join(legal)}{more}.",
        param_hint=option,
    )


def _perform(
    settings: Settings,
    sentence: str,
    out: Path,
    json: bool,
    quiet: bool,
    *,
    view: bool,
    video: bool,
    move: bool,
) -> NoReturn:
    from embodied.app.run import perform

    with _opened(settings) as (session, opened_s):
        done = perform(
            session,
            sentence,
            lambda emit, artifact: session.run(sentence, emit=emit, artifact=artifact, move=move),
            out=out,
            display=_display(json, quiet, planning_only=not move),
            video=_video() if video else None,
            command="run" if move else "plan",
            opened_s=opened_s,
            viewer=_viewer(session) if view else None,
        )
    raise typer.Exit(done.outcome.exit_code)


def _resume(
    folder: Path, sentence: str, yes: bool, out: Path, json: bool, quiet: bool, *, video: bool
) -> NoReturn:
    if sentence:
        raise typer.BadParameter("--resume takes the sentence from the folder: leave it out")
    with guarded(json):
        from embodied.app.resume import resume

        code = resume(
            folder,
            yes=yes,
            out=out,
            display=lambda: _display(json, quiet),
            video=_video() if video else None,
            open_session=_opened,
        )
        raise typer.Exit(code)
    raise AssertionError("guarded never returns here")


@contextmanager
def _opened(settings: Settings) -> Generator[tuple[Session, float]]:
    """Open a session and close it again, with the wall time that opening took."""
    from embodied.app.wiring import open_session

    started = time.perf_counter()
    session = open_session(settings)
    try:
        yield session, time.perf_counter() - started
    finally:
        session.close()


def _viewer(session: Session) -> Callable[[float], None]:
    from embodied.app.show.window import open_viewer

    return open_viewer(session)


def _video() -> VideoOptions:
    from embodied.app.show.video import VideoOptions

    return VideoOptions()


def _display(
    json: bool, quiet: bool, *, planning_only: bool = False, heading: bool = True
) -> Display:
    from embodied.app.show.terminal import JsonDisplay, QuietDisplay, RichDisplay

    if json:
        return JsonDisplay()
    if quiet:
        return QuietDisplay()
    return RichDisplay(planning_only=planning_only, heading=heading)


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


if __name__ == "__main__":
    main()
