"""The command ``replay``: show the log, film the states, or carry the program out again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from embodied.app.record.run_folder import make_folder, read_summary
from embodied.app.replay import (
    film_again,
    recorded_program,
    recorded_settings,
    runs_in,
    show,
)
from embodied.app.run import Display, perform
from embodied.app.settings import Artifact, Outcome, Session, Settings
from embodied.app.show.video import VideoOptions, VideoResult
from embodied.errors import ConfigurationError
from embodied.protocols import Emit
from embodied.types import Program

_PATIENCE_S = 600.0
"""Filming a run again leaves nothing out; nobody waits for more than this."""

OpenSession = Callable[[Settings], AbstractContextManager[tuple[Session, float]]]


def show_again(
    folder: Path,
    *,
    target: Path | None,
    film: bool,
    speed: float,
    display: Callable[[], Display],
) -> int:
    """Show the log of every run in ``folder`` and film its states; 0 when all could be shown."""
    for run in runs_in(folder):
        shown = display()
        result = VideoResult()
        try:
            outcome = show(run, shown)
            if film:
                options = VideoOptions(speed=speed, budget_s=_PATIENCE_S)
                path = target or run / "replay.mp4"
                result = _film_again(run, path, options, shown.drawing)
        finally:
            shown.close()
        made = tuple(Path(f).name for f in result.files)
        lost = {"video": result.problem} if result.problem else {}
        summary = read_summary(run)
        shown.end(outcome, run, {**summary, "pictures": made, "lost": lost})
    return 0


def _film_again(
    run: Path, path: Path, options: VideoOptions, tick: Callable[[int, int], None]
) -> VideoResult:
    try:
        return film_again(run, path, options, tick)
    except ConfigurationError as error:  # a run that never moved has nothing to film
        return VideoResult(problem=str(error))


def execute_again(
    folder: Path,
    *,
    out: Path,
    display: Callable[[], Display],
    video: VideoOptions | None,
    open_session: OpenSession,
) -> int:
    """Carry out the recorded programs in a fresh world with the recorded seed.

    Returns:
        The exit code of the first that did not reach its goal, else 0.
    """
    runs = runs_in(folder)
    programs = [(run, recorded_program(run)) for run in runs]
    settings = recorded_settings(runs[0])
    into = out if len(runs) == 1 else make_folder(out, f"replay-{folder.name}")
    code = 0
    with open_session(settings) as (session, opened_s):
        for turn, (run, program) in enumerate(programs, 1):
            summary = read_summary(run)

            def act(emit: Emit, artifact: Artifact, program: Program = program) -> Outcome:
                return session.pursue(program, emit=emit, artifact=artifact)

            done = perform(
                session,
                str(summary.get("instruction", "")),
                act,
                out=into,
                display=display(),
                video=video,
                command="replay",
                opened_s=opened_s,
                extra={
                    "turn": turn,
                    "replay_of": str(run),
                    "recorded_verdict": summary.get("verdict"),
                },
                prefix=f"{turn:02d}" if len(runs) > 1 else None,
            )
            code = code or done.outcome.exit_code
    return code


def view_states(folder: Path, *, speed: float) -> int:
    """Play the recorded states in a window."""
    from embodied.app.show.window import play

    for run in runs_in(folder):
        play(run, speed=speed)
    return 0
