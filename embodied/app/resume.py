"""``embodied run --resume FOLDER``: go on where an interrupted run stopped.

The run folder says what was asked and which program it became, which stages had been measured to be
reached, and the last recorded state of the simulation. A new run folder is made; the old one stays
as it is. In a simulation the recorded configuration is taken up again, at rest, up to one recording
period old; a real arm's world is simply measured.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from embodied.app.record.run_folder import read_events, read_summary
from embodied.app.record.states import STATES, read_states
from embodied.app.replay import recorded_program, recorded_settings
from embodied.app.run import Display, perform
from embodied.app.settings import Artifact, Outcome, Session, Settings
from embodied.app.show.video import VideoOptions
from embodied.errors import ConfigurationError
from embodied.protocols import Emit
from embodied.routes.pddl.route import TabletopSession
from embodied.types import Array, PddlProgram

OpenSession = Callable[[Settings], AbstractContextManager[tuple[Session, float]]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interrupted:
    """What an interrupted run left behind.

    Attributes:
        folder: Its run folder.
        instruction: What was asked.
        settings: Scene, robot, world and seed.
        program: What it became; None when the run stopped before that.
        done: Stages that had been measured to be reached.
        qpos: Last recorded configuration; None when nothing had been recorded.
    """

    folder: Path
    instruction: str
    settings: Settings
    program: PddlProgram | None
    done: int
    qpos: Array | None


def interrupted_run(folder: Path) -> Interrupted:
    """Read what an interrupted run left behind.

    Raises:
        ConfigurationError: It is no run folder, it is finished, or it is of another route.
    """
    summary = read_summary(folder)
    if summary.get("status") == "finished":
        raise ConfigurationError(
            f"{folder} is finished ({summary.get('message', 'no message')}): only an interrupted "
            "run can be resumed; replay --execute carries one out again"
        )
    settings = recorded_settings(folder)
    if settings.route != "pddl":
        raise ConfigurationError(
            f"{folder} is a run of the route {settings.route}: only pddl can be resumed"
        )
    program, done = _progress(folder)
    return Interrupted(
        folder=folder,
        instruction=str(summary["instruction"]),
        settings=settings,
        program=program,
        done=done,
        qpos=_last_state(folder),
    )


def resume(
    folder: Path,
    *,
    yes: bool,
    out: Path,
    display: Callable[[], Display],
    video: VideoOptions | None,
    open_session: OpenSession,
) -> int:
    """Go on with an interrupted run; returns the exit code of what became of it."""
    left = interrupted_run(folder)
    with open_session(replace(left.settings, yes=yes)) as (session, opened_s):
        if not isinstance(session, TabletopSession):
            raise ConfigurationError(f"{folder} is not a run on a tabletop")
        tabletop = session
        if left.qpos is not None:
            tabletop.restore(left.qpos)

        def act(emit: Emit, artifact: Artifact) -> Outcome:
            if left.program is None:
                return tabletop.run(left.instruction, emit=emit, artifact=artifact, move=True)
            return tabletop.resume(
                left.program,
                instruction=left.instruction,
                done=left.done,
                believed=tabletop.recall(folder),
                emit=emit,
                artifact=artifact,
            )

        done = perform(
            session,
            left.instruction,
            act,
            out=out,
            display=display(),
            video=video,
            command="run",
            opened_s=opened_s,
            extra={"resumes": str(folder), "stages_reached_before": left.done},
        )
    return done.outcome.exit_code


def _progress(folder: Path) -> tuple[PddlProgram | None, int]:
    """The program, if there was one yet, and the number of stages that were reached."""
    events, _ = read_events(folder)
    if not any(e.kind == "program" for e in events):
        return None, 0
    program = recorded_program(folder)
    if not isinstance(program, PddlProgram):
        raise ConfigurationError(f"{folder} pursued a {type(program).__name__}, not a PDDL program")
    before = int(read_summary(folder).get("stages_reached_before", 0))
    reached = [int(e.data["stage"]) + 1 for e in events if e.kind == "milestone"]
    return program, max([before, *reached])


def _last_state(folder: Path) -> Array | None:
    if not (folder / STATES).is_file():
        return None
    states = read_states(folder / STATES)
    return states.qpos[-1] if len(states.qpos) else None
