"""One sentence with an arm behind the supervisor and an operator at the terminal."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from embodied.app.bridge.blind import NOTE as BLIND
from embodied.app.bridge.blind import refuse_what_needs_eyes
from embodied.app.bridge.console import KEYS, OperatorConsole
from embodied.app.bridge.session import BridgeOptions, Supervised, SupervisedWorld, open_supervised
from embodied.app.run import Output, perform
from embodied.app.show.console import Console
from embodied.app.show.terminal import JsonDisplay, QuietDisplay, RichDisplay
from embodied.app.show.video_options import VideoOptions
from embodied.app.wiring import open_session
from embodied.bridge.messages import OperationMode
from embodied.bridge.retiming import Approve
from embodied.outcome import Outcome
from embodied.perception.cameras.eyes import CameraEyes
from embodied.perception.cameras.files import cameras_sha256
from embodied.perception.cameras.types import CameraError
from embodied.protocols import Emit, Event
from embodied.receipts import notary
from embodied.route import Write
from embodied.session import Session
from embodied.settings import Settings
from embodied.types import JointTrajectory
from embodied.world.scene import load_scene


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the operator chose at the command line.

    Attributes:
        bridge: Driver, mode, limits and recording.
        out: Folder of run folders.
        json: One JSON line on standard output, nothing else.
        quiet: Only the verdict.
        video: Make pictures and a video.
        operator: Who acknowledges stops.
    """

    bridge: BridgeOptions
    out: Path
    json: bool
    quiet: bool
    video: bool
    operator: str


def open_bridge_session(
    settings: Settings,
    bridge: BridgeOptions | None = None,
    *,
    approve: Callable[[SupervisedWorld], Approve] | None = None,
) -> tuple[Session, Supervised]:
    """Build a session whose arm is behind a supervisor; raises as ``open_supervised`` does."""
    asked: list[Approve] = []

    def ask(label: str, motion: JointTrajectory, width: float | None) -> bool:
        return asked[0](label, motion, width)

    supervised = open_supervised(
        settings,
        bridge or BridgeOptions(),
        load_scene(settings.scene),
        approve=None if approve is None else ask,
    )
    try:
        if approve is not None:
            asked.append(approve(supervised.world))
        session = open_session(settings, supervised=supervised)
    except BaseException:
        supervised.world.close()
        raise
    return session, supervised


def _checked(cameras: CameraEyes, accept: bool) -> tuple[str, ...]:
    """What the cameras disagree by, in words.

    Raises:
        CameraError: They disagree by more than is allowed, and nobody accepts that.
    """
    found = tuple(map(str, cameras.disagreements()))
    if found and not accept:
        raise CameraError(
            f"{'; '.join(found)}. Nothing has moved. Calibrate the cameras, or put right what was "
            "moved; --accept-disagreement goes on all the same"
        )
    return found


def perform_bridged(settings: Settings, sentence: str, options: RunOptions) -> int:
    """Carry out a sentence; returns the exit code; raises EmbodiedError."""
    bridge = options.bridge
    mode = bridge.mode
    if bridge.blind:
        refuse_what_needs_eyes(settings, sentence)
    console = None if options.json else Console(highlight=False, stderr=True)
    with tempfile.TemporaryDirectory(prefix="embodied-journal-") as name:
        journal = Path(name) / "bridge.jsonl"
        ghosts = Path(name) / "ghosts"
        operator: list[OperatorConsole] = []

        def asker(world: SupervisedWorld) -> Approve:
            return lambda *motion: operator[0].approver(world, ghosts)(*motion)

        began = time.perf_counter()
        session, supervised = open_bridge_session(
            settings,
            replace(bridge, journal=journal),
            approve=asker if mode is OperationMode.CONFIRM else None,
        )
        operator.append(
            OperatorConsole(supervised.world.process.operator, console, name=options.operator)
        )
        opened_s = time.perf_counter() - began
        limits = supervised.limits
        if console is not None:
            console.print(
                f"supervisor: driver {bridge.driver}, mode {mode.value}, limits {limits.name}"
                f" signed by {limits.signed_by}; hand at most {limits.ee_speed_m_s:g} m/s."
                f" [bold]Not a certified safety function.[/]\n{KEYS}"
            )
        operator[0].start()
        display = (
            JsonDisplay() if options.json else QuietDisplay() if options.quiet else RichDisplay()
        )
        cameras = supervised.world.cameras

        def act(emit: Emit, write: Write) -> Outcome:
            notes = [BLIND] if bridge.blind else []
            if cameras is not None:
                notes += _checked(cameras, bridge.accept_disagreement)
            if bridge.rehearses:
                emit = partial(_in_the_twin, emit)
            done = session.run(sentence, emit=emit, write=write, move=True)
            done = replace(done, notes=(*notes, *done.notes))
            return _rehearsed(done, mode) if bridge.rehearses else done

        try:
            done = perform(
                session,
                sentence,
                act,
                Output(
                    out=options.out,
                    display=lambda heading: display,
                    video=VideoOptions() if options.video else None,
                ),
                command="bridge run",
                opened_s=opened_s,
                extra={
                    "driver": bridge.driver,
                    "mode": mode.value,
                    "limits": limits.name,
                    "limits_sha256": limits.sha256,
                    "signed_by": limits.signed_by,
                    **_about_cameras(bridge, cameras),
                },
            )
        finally:
            operator[0].close()
            session.close()
        if console is not None and mode is OperationMode.SHADOW:
            console.print(_shadow_line(journal))
        _keep(journal, ghosts, done.folder)
        if problem := notary.have_signed(done.folder):
            Console(highlight=False, stderr=True).print(f"no receipt: {problem}", markup=False)
        return done.outcome.exit_code


def _about_cameras(bridge: BridgeOptions, cameras: CameraEyes | None) -> dict[str, object]:
    if bridge.cameras is None or cameras is None:
        return {}
    file = {"file": str(bridge.cameras), "sha256": cameras_sha256(bridge.cameras)}
    return {"cameras": {**file, "names": cameras.names}}


def _in_the_twin(emit: Emit, event: Event) -> None:
    """Pass an event on; a verdict as one about the twin."""
    if event.kind == "verdict":
        event = Event(kind="verdict", data={**event.data, "reached": False, "rehearsed": True})
    emit(event)


def _rehearsed(outcome: Outcome, mode: OperationMode) -> Outcome:
    """The outcome of a twin, with what was not checked."""
    arm = "read and told nothing" if mode is OperationMode.SHADOW else "not connected"
    unchecked = (
        f"not checked: the arm itself ({arm}), where things really are (the twin's are the scene "
        "file's layout of this seed), whether grasps hold"
    )
    judged = "the twin reached the goal" if outcome.reached else outcome.message
    return replace(
        outcome,
        rehearsed=True,
        message=f"{mode.value}: {judged}; nothing is known of the arm itself",
        notes=(*outcome.notes, unchecked),
        details={**outcome.details, "rehearsed": True},
    )


def _shadow_line(journal: Path) -> str:
    """How far the real arm was from the simulated one that moved in its place."""
    lines = map(json.loads, journal.read_text("utf-8").splitlines())
    apart = [m["details"]["largest_shadow_rad"] for m in lines if m["event"] == "ended"]
    if not apart:
        return "shadow: the supervisor did not end by itself; nothing is known of the real arm"
    return (
        f"shadow: the real arm was read and told nothing; a joint of it was up to {apart[-1]:.3f}"
        " rad from where the simulated arm moved"
    )


def _keep(journal: Path, ghosts: Path, folder: Path) -> None:
    """Move the supervisor's journal and the ghost pictures into the run folder."""
    if journal.exists():
        shutil.copy(journal, folder / journal.name)
    if ghosts.is_dir():
        shutil.copytree(ghosts, folder / ghosts.name, dirs_exist_ok=True)
