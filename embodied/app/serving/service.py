"""One session for everybody at its console: reading, rehearsal, approval, motion, verdict.

Nothing moves before the operator, one person at a time, has seen the plan and approved it. Anybody
who is admitted may stop. What moves goes through the session's own world, so a supervisor, where
there is one, stands behind every face.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from embodied.app.run import Output, perform
from embodied.app.serving.rehearsal import Rehearsal, rehearse
from embodied.app.serving.running import BusyError, Owner, Stopped
from embodied.app.show.protocol import Display
from embodied.app.verify import lines_of, verify_run
from embodied.app.wiring import open_session
from embodied.errors import EmbodiedError, OptionError
from embodied.outcome import Outcome, outcome_of_error
from embodied.protocols import Emit, Event
from embodied.receipts import notary
from embodied.receipts.checking import Trust
from embodied.receipts.keys import state_folder
from embodied.records import Record
from embodied.recovery import Question
from embodied.route import Write
from embodied.session import UNDO, Session
from embodied.settings import Settings
from embodied.types import Program

ANSWER_S = 120.0
"""Longest wait for the answer to a question; then it is no."""
LONGEST_SENTENCE = 1_000
"""Characters."""
MOST_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Status:
    """What everybody at the console is shown.

    Attributes:
        phase: ``"idle"``, ``"planning"``, ``"proposed"`` (waits for approval) or ``"moving"``.
        sentence: What was asked for.
        reading: What it was read as, in words.
        question: What the operator is being asked, None for nothing.
        steps: The plan as text, step by step.
        running: Number of the step that runs, from 0; None before the first.
        rehearsal: The motion that waits for approval, as it went in a simulated copy.
        no_rehearsal: Why there is none; ``""`` where nothing waits, or there is one.
        lines: What happened, and answers.
        ended: What was measured at the end, or why nothing moved.
        reached: Whether the goal was measured to hold; None where nothing was carried out.
        folder: Run folder of the last motion.
    """

    phase: str = "idle"
    sentence: str = ""
    reading: str = ""
    question: str | None = None
    steps: tuple[str, ...] = ()
    running: int | None = None
    rehearsal: Rehearsal | None = None
    no_rehearsal: str = ""
    lines: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    reached: bool | None = None
    folder: Path | None = None


class Service:
    """One session, its operator's approvals, and everybody who follows it.

    Args:
        settings: What the session is opened with.
        out: Folder of run folders.
        pace: Told the time of the world after every step of a motion, in the session's thread.

    Attributes:
        owner: The session and its thread.
        status: What is shown now.
        listeners: Told every new status, from any thread; they return at once.

    Raises:
        EmbodiedError: The session cannot be opened; see ``open_session``.
    """

    def __init__(
        self,
        settings: Settings,
        out: Path,
        *,
        pace: Callable[[float], object] = lambda time_s: None,
    ) -> None:
        self.settings, self.out, self._pace = settings, out, pace
        self.status = Status()
        self.listeners: list[Callable[[Status], None]] = []
        self._lock = threading.RLock()
        self._answer: bool | None = None
        self._answered = threading.Event()
        self._program: Program | None = None
        self._read: tuple[Event, ...] = ()
        self.owner = Owner(lambda: open_session(settings, ask=self._ask))

    # ------------------------------------------------- what the operator does

    def propose(self, sentence: str) -> Status:
        """Read a sentence and plan it; a motion is rehearsed and waits for ``approve``.

        A question is answered and a statement remembered, and nothing waits.

        Raises:
            BusyError: Another sentence is being planned or carried out.
            OptionError: The sentence is empty or too long.
        """
        sentence = sentence.strip()
        if not 0 < len(sentence) <= LONGEST_SENTENCE:
            raise OptionError(f"a sentence has 1 to {LONGEST_SENTENCE} characters")
        return self._propose(sentence, lambda s: s.run(sentence, emit=self._event, move=False))

    def propose_undo(self) -> Status:
        """Plan to bring back what the last sentence changed; raises as ``propose`` does."""
        return self._propose(UNDO, lambda s: s.preview_undo(emit=self._event))

    def approve(self, by: str) -> Status:
        """Carry out what was proposed, and judge it by what is measured.

        Args:
            by: Who approves, for the receipt.

        Raises:
            BusyError: Nothing waits for approval.
        """
        with self._lock:
            program, read, status = self._program, self._read, self.status
            stops = self.owner.stops
            if status.phase != "proposed" or program is None:
                raise BusyError(f"nothing waits for approval: the session is {status.phase}")
            self._program = None
            self._show(phase="moving", rehearsal=None, running=None, lines=(), ended=())
        sentence, asked = status.sentence, f"{status.reading or status.sentence}: carry it out?"

        def act(emit: Emit, write: Write) -> Outcome:
            session = self.owner.session
            for event in read:
                emit(event)
            emit(Event(kind="ask", data={"reason": f"{asked} Yes, says {by}."}))
            if sentence == UNDO:
                return session.undo(emit=emit, write=write)
            return session.resume(
                program, instruction=sentence, done=0, believed=None, emit=emit, write=write
            )

        output = Output(
            out=self.out,
            display=lambda heading: _Shown(self),
            video=None,
            viewer=self._paced,
            sign=notary.have_signed,
        )
        session = self.owner.session

        def moved() -> Status:
            done = perform(session, sentence, act, output, command="serve")
            return self._ended(done.outcome, done.folder)

        return self._guarded(lambda: self.owner.moves(moved), stops)

    def refuse(self) -> Status:
        """Do not carry out what was proposed."""
        with self._lock:
            if self.status.phase == "proposed":
                self._program = None
                self._show(phase="idle", rehearsal=None, ended=("refused: nothing moved",))
            return self.status

    def answer(self, yes: bool) -> None:
        """Answer the question that is being asked."""
        with self._lock:
            if self.status.question is not None:
                self._answer = yes
                self._answered.set()

    # ------------------------------------------------- what everybody may do

    def stop(self) -> None:
        """End what moves or is planned, hold the arm, and drop what waits. From any thread."""
        with self._lock:
            self.owner.stop()
            self._answered.set()
            self.refuse()

    def ask_memory(self, question: str) -> str:
        """What is remembered and measured; raises EmbodiedError."""
        return self.owner.call(lambda: self.owner.session.answer(question[:LONGEST_SENTENCE]))

    def receipt(self, folder: Path) -> list[str]:
        """What the receipt of a run proves, in lines; raises ConfigurationError."""
        return lines_of(verify_run(folder, Trust.of((), state_folder())))

    def close(self) -> None:
        """Stop what moves and close the session."""
        self.stop()
        self.owner.close()

    # ------------------------------------------------------------ private

    def _propose(self, sentence: str, plan: Callable[[Session], Outcome]) -> Status:
        with self._lock:
            if self.status.phase in ("planning", "moving"):
                raise BusyError(f"the session is {self.status.phase}: wait, or stop it")
            self._program, self._read = None, ()
            self.status = Status()
            self._show(phase="planning", sentence=sentence)

        def planned() -> Status:
            session = self.owner.session
            outcome = plan(session)
            program = outcome.program
            if program is None or not outcome.reached:
                return self._ended(outcome, None)
            steps = _texts(outcome.details.get("steps")) or self.status.steps
            self._show(steps=steps)
            seen, why = None, ""
            try:
                seen = rehearse(self.settings, session, program, self.owner.watch)
            except OptionError as error:  # this world cannot be copied: the operator is told
                why = str(error)
            with self._lock:
                self._program = program
                return self._show(phase="proposed", rehearsal=seen, no_rehearsal=why)

        return self._guarded(lambda: self.owner.moves(planned))

    def _guarded(self, work: Callable[[], Status], stops: int | None = None) -> Status:
        """Run something in the session's thread; however it ends, the session is idle again."""
        try:
            return self.owner.call(work, stops=stops)
        except Stopped:
            return self._show(
                phase="idle",
                rehearsal=None,
                ended=("STOPPED: the arm is held where it is measured to be",),
            )
        except EmbodiedError as error:
            return self._ended(outcome_of_error(error), None)
        except BaseException as error:
            self._show(phase="idle", ended=(f"internal error: {type(error).__name__}: {error}",))
            raise

    def _ended(self, outcome: Outcome, folder: Path | None) -> Status:
        told = [outcome.message, *outcome.notes, *(_measured(folder) if folder else ())]
        reached = outcome.reached if folder is not None else None
        return self._show(
            phase="idle", ended=tuple(told), reached=reached, folder=folder, running=None
        )

    def _ask(self, question: Question) -> bool:
        """Put a question of the session to the operator, in the session's thread."""
        if question.kind == "irreversible" and self.settings.yes:
            return True
        self._answer = None
        self._answered.clear()
        self._show(question=question.text)
        self._answered.wait(ANSWER_S)
        answer = bool(self._answer)
        said = "yes" if answer else "no"
        self._show(question=None, lines=(*self.status.lines, f"{question.text} {said}"))
        return answer

    def _paced(self, time_s: float) -> None:
        if self._pace is not None:
            self._pace(time_s)

    def _event(self, event: Event) -> None:
        """Show what happens."""
        data = event.data
        match event.kind:
            case "reading" | "instruction":
                self._read = (*self._read, event)
                if words := data.get("words"):
                    self._show(reading=str(words))
            case "program" if self.status.phase == "planning":
                stages = _texts(data.get("stages"))
                self._show(reading=self.status.reading or "; then ".join(stages), steps=stages)
            case _:
                line = _line(event.kind, data)
                if line:
                    self._show(lines=(*self.status.lines, line)[-MOST_LINES:])

    def _show(self, **changes: object) -> Status:
        with self._lock:
            self.status = status = replace(self.status, **changes)  # pyright: ignore[reportArgumentType]
            for listener in tuple(self.listeners):
                listener(status)
        return status


class _Shown(Display):
    """Shows a motion: which step of the plan runs, and what else happens."""

    def __init__(self, service: Service) -> None:
        self._service, self._done, self._actions = service, 0, False
        self._describe: Callable[[str], str] = str

    def begin(
        self, instruction: str, about: Mapping[str, object], describe: Callable[[str], str]
    ) -> None:
        """See ``Display``."""
        self._describe = describe

    def event(self, event: Event) -> None:
        """See ``Display``."""
        service = self._service
        if event.kind == "action":
            text, steps = self._describe(str(event.data["action"])), service.status.steps
            if text not in steps[self._done :]:  # the plan was made again on the way
                steps = (*steps[: self._done], text)
            running = steps.index(text, self._done)
            self._done, self._actions = running + 1, True
            service._show(steps=steps, running=running)  # pyright: ignore[reportPrivateUsage]
        elif event.kind == "milestone" and not self._actions:  # the steps are the program's stages
            service._show(running=int(str(event.data["stage"])) + 1)  # pyright: ignore[reportPrivateUsage]
        service._event(event)  # pyright: ignore[reportPrivateUsage]


def _line(kind: str, data: Mapping[str, object]) -> str:
    """A line about an event that a person would want to follow, else ``""``."""
    match kind:
        case "effects" if not data.get("ok"):
            return f"{data['action']} failed: {data['reason']}"
        case "replan" | "retry" | "backtrack" | "reinterpret" | "ask" | "stop":
            return f"{kind}: {data['reason']}"
        case "contradiction":
            return f"not as remembered: {data.get('believed')} measured {data.get('measured')}"
        case "milestone":
            return f"reached: {data['goal']}"
        case _:
            return ""


def _measured(folder: Path) -> Iterator[str]:
    """What ``run.json`` says was measured of the goals, one line each."""
    verdict = Record.load(folder / "run.json").record("verdict", {})
    for goal in verdict.records("goals", ()):
        numbers = {**goal.record("measured", {}).values}
        margins = goal.record("margins_m", {}).values
        for part in goal.texts("holds", ()):
            margin_m = margins.get(part)
            known = isinstance(margin_m, float)
            yield f"holds: {part}" + (f", margin {1000 * margin_m:.0f} mm" if known else "")
        yield from (f"NOT: {part}" for part in goal.texts("unmet", ()))
        yield from (f"{name}: {_shown(value)}" for name, value in numbers.items())


def _texts(found: object) -> tuple[str, ...]:
    if not isinstance(found, list | tuple):
        return ()
    return tuple(map(str, cast("Sequence[object]", found)))


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
