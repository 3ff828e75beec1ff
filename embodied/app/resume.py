"""``embodied run --resume FOLDER``: continue an interrupted run.

The run folder says what was asked and which program it became, which stages had been measured to be
reached, and the last recorded state of the simulation. A new run folder is made; the old one stays
as it is. In a simulation the recorded configuration is taken up again, at rest, up to one recording
period old; a real arm's world is simply measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from embodied.app.record.run_folder import claimed, read_events, read_summary
from embodied.app.record.states import STATES, read_states
from embodied.app.replay import OpenSession, recorded_program, recorded_settings
from embodied.app.run import Output, perform
from embodied.errors import ConfigurationError
from embodied.outcome import Outcome
from embodied.protocols import Emit
from embodied.route import Write
from embodied.settings import TOOLS, Settings
from embodied.types import Array, Program


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interrupted:
    """What an interrupted run left behind.

    Attributes:
        instruction: What was asked.
        settings: Scene, robot, world and seed.
        understood: Whether the sentence had become a program.
        done: Stages that had been measured to be reached.
        qpos: Last recorded configuration; None when nothing had been recorded.
    """

    instruction: str
    settings: Settings
    understood: bool
    done: int
    qpos: Array | None


def interrupted_run(folder: Path) -> Interrupted:
    """Read what an interrupted run left behind.

    Raises:
        ConfigurationError: It is no run folder, or it is finished.
    """
    summary = read_summary(folder)
    if summary.text("status", "") == "finished":
        raise ConfigurationError(
            f"{folder} is finished ({summary.text('message', 'no message')}): only an interrupted "
            "run can be resumed; replay --execute carries one out again"
        )
    if summary.text("strategy", "") == TOOLS:
        raise ConfigurationError(
            f"{folder} was driven by a model with tools, which does not go on where it was "
            "interrupted: say the sentence again"
        )
    understood, done = _progress(folder)
    return Interrupted(
        instruction=summary.text("instruction"),
        settings=recorded_settings(folder),
        understood=understood,
        done=done,
        qpos=_last_state(folder),
    )


def resume(folder: Path, output: Output, open_session: OpenSession, *, yes: bool) -> int:
    """Go on with an interrupted run; returns the exit code of what became of it."""
    left = interrupted_run(folder)
    with claimed(folder), open_session(replace(left.settings, yes=yes)) as (session, opened_s):
        program = recorded_program(folder, session.route) if left.understood else None
        restarted: tuple[str, ...] = ()
        if left.qpos is not None:
            session.restore(left.qpos)
        else:
            left = replace(left, done=0)
            restarted = (f"{folder} has no recorded state: everything began again from the seed",)

        def act(emit: Emit, write: Write) -> Outcome:
            if program is None:
                done = session.run(left.instruction, emit=emit, write=write, move=True)
            else:
                done = go_on(program, emit, write)
            return replace(done, notes=(*done.notes, *restarted))

        def go_on(program: Program, emit: Emit, write: Write) -> Outcome:
            return session.resume(
                program,
                instruction=left.instruction,
                done=left.done,
                believed=session.recall(folder),
                emit=emit,
                write=write,
            )

        done = perform(
            session,
            left.instruction,
            act,
            output,
            command="run",
            opened_s=opened_s,
            extra={"resumes": str(folder), "stages_reached_before": left.done},
        )
    return done.outcome.exit_code


def _progress(folder: Path) -> tuple[bool, int]:
    """Whether there was a program yet, and the number of stages that were reached."""
    events, _ = read_events(folder)
    before = read_summary(folder).integer("stages_reached_before", 0)
    reached = [e.record.integer("stage") + 1 for e in events if e.kind == "milestone"]
    return any(e.kind == "program" for e in events), max([before, *reached])


def _last_state(folder: Path) -> Array | None:
    if not (folder / STATES).is_file():
        return None
    states = read_states(folder / STATES)
    return states.qpos[-1] if len(states.qpos) else None
