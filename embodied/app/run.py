"""One instruction from the sentence to the run folder."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from embodied.app.judging import margins
from embodied.app.record.frames import FRAMES, FrameLog
from embodied.app.record.memory_log import VOCABULARY, vocabulary_record
from embodied.app.record.run_folder import EVENTS, RunFolder, make_folder
from embodied.app.record.states import STATES, StateLog
from embodied.app.show.protocol import Display
from embodied.app.show.video import VideoJob
from embodied.app.show.video_options import VideoOptions, VideoResult
from embodied.app.signals import ShownInterrupt, ShownTerminated, Terminated
from embodied.errors import EmbodiedError
from embodied.memory import MEMORY_LOG
from embodied.memory.tracing import MEMORY, MemoryTrace
from embodied.outcome import BROKEN, INTERRUPTED, Outcome, outcome_of_error
from embodied.protocols import Emit, Event
from embodied.receipts.contents import RECEIPT
from embodied.route import Write
from embodied.session import Session

PACKAGES = (
    "embodied-stack numpy mujoco daqp ompl ruckig up-fast-downward pddl av typer rich pybullet "
    "xllamacpp pydantic-ai-slim cryptography"
).split()

_SOURCES = {"ground truth": "ground truth of the simulator"}

Act = Callable[[Emit, Write], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where runs are kept, and how they are shown.

    Attributes:
        out: Folder of run folders.
        display: Makes what shows one run; told whether it says who does what where.
        video: How to film; None makes no pictures.
        viewer: Told the simulated time after every step, to refresh a window.
        sign: Signs a folder that nothing is written to any more; returns why it could not, or
            ``""``. None leaves runs unsigned.
    """

    out: Path
    display: Callable[[bool], Display]
    video: VideoOptions | None
    viewer: Callable[[float], None] | None = None
    sign: Callable[[Path], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """An outcome and where it is written up."""

    outcome: Outcome
    folder: Path


def perform(
    session: Session,
    instruction: str,
    act: Act,
    output: Output,
    *,
    command: str,
    opened_s: float = 0.0,
    extra: Mapping[str, object] | None = None,
    prefix: str | None = None,
    heading: bool = True,
) -> Performed:
    """Carry out ``act`` with a run folder, a display and, if asked for, a video.

    Args:
        session: Where it happens.
        instruction: The sentence, for the folder and the display.
        act: Does it; gets where events and files go.
        output: Where it is kept, and how it is shown.
        command: Name of the command, for ``run.json``.
        opened_s: Wall time that opening the session took.
        extra: Further first fields of ``run.json``.
        prefix: Of the folder's name, instead of the time.
        heading: Say who does what where.

    Raises:
        RunFolderError: The folder cannot be made; nothing has moved.
        KeyboardInterrupt: Ctrl-C; the robot has been stopped and the folder closed.
    """
    display = output.display(heading)
    started, spent = time.perf_counter(), session.usage()
    source = str(session.about.get("object_source", "measured state"))
    about = {
        **session.about,
        "translator": session.translator,
        "object_source": _SOURCES.get(source, source),
    }
    folder = RunFolder(
        make_folder(output.out, instruction, prefix=prefix),
        {
            "command": command,
            "instruction": instruction,
            "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            **about,
            **(extra or {}),
            "versions": versions(),
        },
    )
    place = session.environment
    vocabulary = vocabulary_record(place.grounder, place.body.spec.objects)
    folder.write(VOCABULARY, json.dumps(vocabulary, indent=1) + "\n")
    filming = _Filming(folder, session, output.video, output.viewer)
    memory = MemoryTrace(folder.path, lambda reason: folder.note_loss(MEMORY_LOG, reason))

    def emit(event: Event) -> None:
        if event.kind == MEMORY:
            memory.append(event.data["change"])
            return
        folder.log(event)
        if event.kind == "program":
            folder.update(route=event.data["route"])
            filming.start()
        display.event(event)

    late: KeyboardInterrupt | None = None
    try:
        display.begin(instruction, about, session.describe)
        outcome = _guarded(act, emit, folder)
        filming.end_of_run()
        try:
            result = filming.wait(display.drawing)
        except KeyboardInterrupt as error:  # the verdict stands; only the pictures are given up
            late = ShownTerminated() if isinstance(error, Terminated) else ShownInterrupt()
            result = VideoResult(problem="drawing was interrupted")
        if result.problem:
            folder.note_loss("pictures", result.problem)
        folder.update(video=result.details, pictures=result.files)
    except KeyboardInterrupt as error:
        with suppress(EmbodiedError):
            session.stop()
        folder.log(Event(kind="error", data={"text": "interrupted"}))
        code = 143 if isinstance(error, Terminated) else INTERRUPTED
        folder.update(status="interrupted", exit_code=code)
        raise
    finally:
        session.watch(None)
        memory.close()
        filming.cancel()
        display.close()
        if folder.summary["status"] == "interrupted":
            folder.close()
            _sign(folder, output)
    margins_m = _margins(session, outcome)
    timings = {
        "open": round(opened_s, 3),
        **{k: round(v, 3) for k, v in outcome.timings_s.items()},
        "draw_after_run": round(filming.waited_s, 3),
        "total": round(opened_s + time.perf_counter() - started, 3),
    }
    folder.update(
        status="finished",
        exit_code=outcome.exit_code,
        message=outcome.message,
        verdict={
            "reached": outcome.reached,
            "goals": [
                {
                    "text": v.text,
                    "holds": v.holds,
                    "held": v.held,
                    "unmet": v.problems,
                    "measured": v.numbers,
                    "margins_m": {p: margins_m[p] for p in (*v.holds, *v.unmet) if p in margins_m},
                }
                for v in outcome.verdicts
            ],
            "measured_from": about["object_source"],
        },
        notes=outcome.notes,
        usage=session.usage() - spent,  # of an outcome that is an error as well
        timings_s=timings,
        **outcome.details,
    )
    folder.close()
    _sign(folder, output)
    display.end(outcome, folder.path, {**folder.summary, "lost": folder.lost})
    if late is not None:
        raise late
    return Performed(outcome=outcome, folder=folder.path)


def _margins(session: Session, outcome: Outcome) -> dict[str, float]:
    """How far off objects could be before a judged part of a goal changes, m."""
    parts = dict.fromkeys(p for v in outcome.verdicts for p in (*v.holds, *v.unmet))
    place = session.environment
    try:
        seen = place.perceive(place.body.observe()) if parts else None
    except EmbodiedError:  # a world that broke: the verdict says so
        return {}
    return {} if seen is None else margins(parts, place.grounder, seen)


def _sign(folder: RunFolder, output: Output) -> None:
    """Have the finished folder signed; where that fails, the run says so and stands."""
    problem = "" if output.sign is None else output.sign(folder.path)
    if problem:
        folder.note_loss(RECEIPT, problem)
        folder.update()


def versions() -> dict[str, str]:
    """Versions of what took part, as far as it is installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _guarded(act: Act, emit: Emit, folder: RunFolder) -> Outcome:
    """Run ``act``; an error becomes an outcome and an event."""
    try:
        return act(emit, folder.write)
    except EmbodiedError as error:
        if os.environ.get("EMBODIED_DEBUG"):
            traceback.print_exc(file=sys.stderr)
        outcome = outcome_of_error(error)
        emit(
            Event(
                kind="error",
                data={
                    "type": type(error).__name__,
                    "text": outcome.message,
                    "notes": outcome.notes,
                    "raw": getattr(error, "raw", None),
                },
            )
        )
        return outcome
    except Exception as error:  # a fault of ours: written down in full, told in one line
        if os.environ.get("EMBODIED_DEBUG"):
            raise
        text = f"internal error: {type(error).__name__}: {error}"
        emit(Event(kind="error", data={"text": text, "traceback": traceback.format_exc()}))
        note = f"please report it with {folder.path / EVENTS}"
        return Outcome(exit_code=BROKEN, message=text, notes=(note,))


class _Filming:
    """Records states and keeps the child process that draws them."""

    def __init__(
        self,
        folder: RunFolder,
        session: Session,
        options: VideoOptions | None,
        viewer: Callable[[float], None] | None,
    ) -> None:
        self.job: VideoJob | None = None
        self.waited_s = 0.0
        self._folder = folder
        self._session = session
        self._options = options
        self._log = StateLog(
            folder.path / STATES,
            nq=session.qpos().shape[0],
            rate_hz=(options or VideoOptions()).rate_hz,
            header=session.states_header,
            on_loss=lambda reason: folder.note_loss(STATES, reason),
        )
        self._frames = FrameLog(
            folder.path / FRAMES,
            session.environment.body,
            session.qpos,
            session.states_header,
            on_loss=lambda reason: folder.note_loss(FRAMES, reason),
        )
        self._moved = False
        self._viewer = viewer
        self._log.sample(session.time_s(), session.qpos, force=True)
        self._frames.sample(session.time_s(), force=True)
        session.watch(self._step)

    def start(self) -> None:
        """Start the child, once."""
        if self._options is None or self.job is not None:
            return
        try:
            self.job = VideoJob(self._folder.path, self._options)
        except OSError as error:
            self._folder.note_loss("pictures", error.strerror or str(error))

    def end_of_run(self) -> None:
        """Record the last state; without any motion there is nothing to film."""
        self._log.sample(self._session.time_s(), self._session.qpos, force=True)
        self._frames.sample(self._session.time_s(), force=True)
        self._close()
        if not self._moved:
            self.cancel()
            self.job = None

    def wait(self, tick: Callable[[int, int], None]) -> VideoResult:
        """Wait for the child to finish."""
        if self.job is None:
            return VideoResult()
        started = time.perf_counter()
        result = self.job.wait(tick)
        self.waited_s = time.perf_counter() - started
        return result

    def cancel(self) -> None:
        """End everything; may be called twice."""
        self._close()
        if self.job is not None:
            self.job.cancel()

    def _close(self) -> None:
        self._log.close()
        self._frames.close()

    def _step(self, time_s: float) -> None:
        self._moved = True
        self._log.sample(time_s, self._session.qpos)
        self._frames.sample(time_s)
        if self._viewer is not None:
            self._viewer(time_s)
