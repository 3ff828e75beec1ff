"""The command ``replay``: show a run again, film its states, or carry it out again.

No model is called.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from embodied.app.record.run_folder import LoggedEvent, make_folder, read_events, read_summary
from embodied.app.record.states import STATES, read_header
from embodied.app.run import Output, perform
from embodied.app.show.protocol import Display
from embodied.app.show.video import VideoJob
from embodied.app.show.video_options import VideoOptions, VideoResult
from embodied.app.wiring import PERCEPTIONS
from embodied.errors import ConfigurationError
from embodied.files import read_text
from embodied.outcome import BROKEN, Outcome
from embodied.protocols import Emit, Event
from embodied.records import Record
from embodied.route import AnyRoute, Write
from embodied.routes.reward.robots import recorded_name
from embodied.session import Session
from embodied.settings import TOOLS, Settings
from embodied.types import Program
from embodied.verdict import Verdict

OpenSession = Callable[[Settings], AbstractContextManager[tuple[Session, float]]]

_PATIENCE_S = 600.0
"""Filming a run again leaves nothing out; nobody waits for more than this."""


def runs_in(folder: Path) -> tuple[Path, ...]:
    """The run folders to show: ``folder`` itself, or those of the conversation it holds.

    Raises:
        ConfigurationError: It holds no run.
    """
    if (folder / "run.json").is_file():
        return (folder,)
    if folder.is_dir():
        inside = tuple(sorted(p.parent for p in folder.glob("*/run.json")))
        if inside:
            return inside
    problem = "there is no such folder" if not folder.exists() else "it holds no run.json"
    raise ConfigurationError(f"{folder} is no run folder: {problem}")


def show(folder: Path, display: Display) -> Outcome:
    """Show the log of a run as it was shown while it happened.

    Returns:
        The recorded outcome; of a run that did not finish, what is known of it.

    Raises:
        ConfigurationError: The folder is damaged beyond its last line.
    """
    summary = read_summary(folder)
    events, torn = read_events(folder)
    about = {"scene": "?", "robot": "?", "seed": "?", "translator": "?", **summary.values}
    words = plan_in_words(folder)
    display.begin(summary.text("instruction", ""), about, lambda a: words.get(a, a))
    for event in events:
        display.event(Event(kind=event.kind, data=event.data))
    return _recorded_outcome(summary, events, torn)


def show_again(folder: Path, output: Output, *, target: Path | None, speed: float) -> int:
    """Show the log of every run in ``folder`` and film its states.

    Returns:
        0 when all could be shown, 3 when a log lacks the verdict that ``run.json`` has.
    """
    code = 0
    for run in runs_in(folder):
        shown = output.display(True)
        result = VideoResult()
        try:
            outcome = show(run, shown)
            if output.video is not None:
                options = VideoOptions(speed=speed, budget_s=_PATIENCE_S)
                path = target or run / "replay.mp4"
                result = _film_again(run, path, options, shown.drawing)
        finally:
            shown.close()
        made = tuple(Path(f).name for f in result.files)
        lost = {"video": result.problem} if result.problem else {}
        summary = read_summary(run)
        shown.end(outcome, run, {**summary.values, "pictures": made, "lost": lost})
        if outcome.exit_code == BROKEN and summary.integer("exit_code", BROKEN) != BROKEN:
            code = BROKEN
    return code


def _film_again(
    run: Path, target: Path, options: VideoOptions, tick: Callable[[int, int], None]
) -> VideoResult:
    """Make a video of the recorded states; a run that never moved has nothing to film."""
    if not (run / STATES).is_file():
        return VideoResult(problem=f"{run} has no recorded states ({STATES}) to film")
    job = VideoJob(run, replace(options, name=str(target.resolve()), pictures=False))
    try:
        return job.wait(tick)
    finally:
        job.cancel()


def execute_again(folder: Path, output: Output, open_session: OpenSession) -> int:
    """Carry out the recorded programs in a fresh world with the recorded seed.

    Returns:
        The exit code of the first that did not reach its goal, else 0.
    """
    runs = runs_in(folder)
    settings = recorded_settings(runs[0])
    if len(runs) > 1:
        output = replace(output, out=make_folder(output.out, f"replay-{folder.name}"))
    code = 0
    with open_session(settings) as (session, opened_s):
        programs = [recorded_program(run, session.route) for run in runs]
        for turn, (run, program) in enumerate(zip(runs, programs, strict=True), 1):
            summary = read_summary(run)
            instruction = summary.text("instruction", "")

            def act(
                emit: Emit, write: Write, program: Program = program, said: str = instruction
            ) -> Outcome:
                return session.pursue(program, emit=emit, write=write, instruction=said)

            done = perform(
                session,
                instruction,
                act,
                output,
                command="replay",
                opened_s=opened_s,
                extra={
                    "turn": turn,
                    "replay_of": str(run),
                    "recorded_verdict": summary.values.get("verdict"),
                },
                prefix=f"{turn:02d}" if len(runs) > 1 else None,
            )
            code = code or done.outcome.exit_code
    return code


def recorded_settings(folder: Path) -> Settings:
    """Scene, robot, route and seed of a run, to carry it out again.

    Raises:
        ConfigurationError: They are not recorded, or the run began in a changed world.
    """
    summary = read_summary(folder)
    turn = summary.integer("turn", 1)
    if turn != 1:
        raise ConfigurationError(
            f"{folder} is sentence {turn} of a conversation and began in a changed world: "
            f"carry out the whole conversation again with {folder.parent}"
        )
    several = summary.text("strategy", "") == TOOLS and len(_programs(folder)) > 1
    seen = summary.text("perception", "")  # cameras of an arm are not here
    return Settings(
        scene=_scene_of(folder, summary),
        robot=recorded_name(summary.text("robot")),
        world=summary.text("world", Settings().world),
        route="mixed" if several else summary.text("route"),
        perception=seen if seen in PERCEPTIONS else Settings().perception,
        all_seeing=summary.flag("all_seeing", Settings().all_seeing),
        seed=summary.integer("seed"),
    )


def recorded_program(folder: Path, route: AnyRoute) -> Program:
    """The program that a run pursued; all of them in a row where a model chose them by tools.

    Raises:
        ConfigurationError: The run ended before there was one.
        ProgramError: The recorded program is not legal any more.
    """
    programs = _programs(folder)
    if not programs:
        raise ConfigurationError(f"{folder} ended before its sentence became a program")
    if len(programs) > 1 and read_summary(folder).text("strategy", "") == TOOLS:
        first = programs[0].record
        parts = [p.data for p in programs]
        whole = {"parts": parts, "source": first.text("source"), "notes": ()}
        return route.read(Record(whole, first.where), folder)
    return route.read(programs[0].record, folder)


def _programs(folder: Path) -> list[LoggedEvent]:
    events, _ = read_events(folder)
    return [e for e in events if e.kind == "program"]


def _scene_of(folder: Path, summary: Record) -> str:
    """The scene as the states' header names it: absolute for a user's own file."""
    try:
        return read_header(folder / STATES).text("scene")
    except ConfigurationError:
        return summary.text("scene")


def plan_in_words(folder: Path) -> dict[str, str]:
    """Sentence of every action in ``plan.txt``."""
    try:
        lines = read_text(folder / "plan.txt").splitlines()
    except ConfigurationError:
        return {}
    pairs = (line.split(";", 1) for line in lines if line.startswith("(") and ";" in line)
    return {action.strip(): words.strip() for action, words in pairs}


def _recorded_outcome(summary: Record, events: list[LoggedEvent], torn: int) -> Outcome:
    notes = summary.texts("notes", ())
    if torn:
        notes = (*notes, f"{torn} damaged line{'' if torn == 1 else 's'} of the log left out")
    status = summary.text("status", "")
    if status != "finished":
        last = events[-1].kind if events else "nothing"
        status = "was interrupted" if status == "interrupted" else "did not finish"
        return Outcome(
            exit_code=1, message=f"this run {status}; last in its log: {last}", notes=notes
        )
    verdicts = tuple(
        Verdict(
            text=g.text("text"),
            holds=g.texts("holds", ()),
            held=g.texts("held", ()),
            unmet=g.texts("unmet", ()),
        )
        for g in summary.record("verdict", {}).records("goals", ())
    )
    code, message = summary.integer("exit_code", BROKEN), summary.text("message", "")
    if verdicts and not any(e.kind == "verdict" for e in events):
        code, message = BROKEN, f"the log is damaged: run.json says {message!r}, the log does not"
    return Outcome(
        exit_code=code,
        message=message,
        verdicts=verdicts,
        notes=notes,
    )
