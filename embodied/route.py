"""The interface of a route: from one kind of program to motion and a measured verdict.

The routes are siblings. ``embodied.agent`` carries any of them out in one loop, in which the route
says what its stages do and what was measured of them; the loop begins them, recovers, asks, stops.
``embodied.routes.contract`` is the conformance suite for whoever writes another route.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

from embodied.body import Body
from embodied.errors import Diagnostic, NotUnderstoodError, OptionError
from embodied.language.program_form import ProgramForm
from embodied.outcome import Outcome
from embodied.protocols import Emit, Event, StateMemory, Translator
from embodied.records import Record
from embodied.recovery import Ask, Escalation, Question, RecoveryStep, nobody
from embodied.registry import Registry
from embodied.types import Atom, Observation, Program, WorldSpec
from embodied.verdict import Verdict

if TYPE_CHECKING:
    from embodied.agent import Agent
    from embodied.opening import Opening

P = TypeVar("P", bound=Program)

Write: TypeAlias = Callable[[str, str | bytes], None]
"""Takes the name and the content of a file for the run folder."""

Perceive: TypeAlias = Callable[[Observation], Observation | None]
"""An observation as the robot perceives it; None when it has seen nothing yet."""


def as_measured(observation: Observation) -> Observation:
    """An observation with the world's own poses: in a simulation, ground truth."""
    return observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a sentence changed, for taking it back.

    Attributes:
        program: What was carried out.
        before: Facts measured before it.
        after: Facts measured after it.
        final: What it did that nothing takes back, in words.
        earlier: Programs carried out before it in this conversation, oldest first.
    """

    program: Program
    before: frozenset[Atom]
    after: frozenset[Atom]
    final: tuple[str, ...] = ()
    earlier: tuple[Program, ...] = ()


class Run:
    """One program being carried out: what its stages may touch, and nothing else.

    Args:
        body: The robot in its world.
        memory: What is believed.
        perceive: What an observation looks like to the robot.
        emit: Receives every event.
        write: Receives files for the run folder.
        ask: Puts questions to a person.
        instruction: The sentence; ``""`` where there was none.
        only_asked: Whether actions are held against the sentence, one by one.

    Attributes:
        stages: The stages begun so far, oldest first: a stage may take over from the one before.
        escalations: Every recovery step, in order.
        timings_s: Wall time per part.
        declined: A question to a person that was answered with no; ``""`` as long as none was.
        unsupported: Whether a part of the task turned out to be none that can be carried out.
    """

    def __init__(
        self,
        *,
        body: Body,
        memory: StateMemory,
        perceive: Perceive = as_measured,
        emit: Emit = lambda event: None,
        write: Write = lambda name, content: None,
        ask: Ask = nobody,
        instruction: str = "",
        only_asked: bool = False,
    ) -> None:
        self.body = body
        self.memory = memory
        self.write = write
        self.instruction = instruction
        self.only_asked = only_asked
        self.stages: list[StageRun] = []
        self.escalations: list[Escalation] = []
        self.timings_s: defaultdict[str, float] = defaultdict(float)
        self.declined = ""
        self.unsupported = False
        self._emit = emit
        self._ask = ask
        self._perceive = perceive

    def measure(self) -> Observation:
        """Measure, and bring the memory up to date; returns the observation as perceived."""
        observation = self.body.observe()
        seen = self._perceive(observation)
        if seen is None:
            return observation
        self.memory = self.memory.observed(seen)
        return seen

    def perceived(self) -> Observation:
        """The latest measurement as the robot perceives it; the memory stays as it is."""
        observation = self.body.observe()
        return self._perceive(observation) or observation

    @property
    def attended(self) -> bool:
        """Whether there is a person to ask."""
        return self._ask is not nobody

    def say(self, kind: str, **data: object) -> None:
        """Emit an event; its kinds are those of ``embodied.protocols.Event``."""
        self._emit(Event(kind=kind, data=data))

    def ask(self, question: Question) -> bool:
        """Put a question to a person; a no to what cannot be undone is kept in ``declined``."""
        answer = self._ask(question)
        if not answer and question.kind == "irreversible":
            self.declined = question.text
        return answer

    def escalate(self, step: RecoveryStep, reason: str, action: str = "") -> None:
        """Put a recovery step on record."""
        time_s = self.body.observe().time
        self.escalations.append(Escalation(step=step, reason=reason, action=action, time_s=time_s))
        self.say(step.name.lower(), reason=reason, action=action, time_s=time_s)

    @contextmanager
    def timed(self, part: str, *, silent: bool = False) -> Generator[None]:
        """Add to the wall time of a part of the run; both ends are events unless it is silent."""
        if not silent:
            self.say("stage", part=part, state="started")
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.timings_s[part] += elapsed
            if not silent:
                self.say("stage", part=part, state="ended", wall_s=elapsed)


class StageRun(ABC):
    """One stage of a program being carried out.

    The agent calls ``advance`` until it returns ``""`` or neither ``revise`` nor a person helps,
    then ``verdict``; once the robot is at rest after the last stage, ``review``.
    """

    @abstractmethod
    def advance(self) -> str:
        """Carry the stage on until it is over.

        Returns:
            ``""``, or in one line why it gave up. What the stage tries by itself before it does,
            it puts on record with ``Run.escalate``.

        Raises:
            WorldError: The simulator or the robot failed.
            ModelError: A model that it asks failed.
        """

    @abstractmethod
    def verdict(self) -> Verdict:
        """What was asked of the stage and what of it is measured; called when the stage ends."""

    def review(self, verdict: Verdict) -> Verdict:
        """The verdict once everything is at rest: what is to last is judged again."""
        return verdict

    def revise(self, problem: str) -> bool:
        """Read the stage in another way, after ``problem``; whether there was another reading."""
        del problem
        return False

    def missing(self) -> tuple[str, ...]:
        """Objects that the stage needs and that cannot be found."""
        return ()

    def helped(self) -> None:  # noqa: B027 - most stages have nothing to do
        """A person says that something was put right: go on from what is measured now."""

    def stop_safe(self, problem: str) -> None:
        """Leave the robot and the scene in a safe state after ``problem``."""
        del problem


class Route(ABC, Generic[P]):
    """The way from one kind of program to motion; open for one world, kept over many sentences.

    Attributes:
        name: Name, as for ``--route``.
        program: The kind of program that it carries out.
        settles: Whether a program brings the robot to where it asks whatever went before, so that
            of two programs the one that came closer may be carried out again.
        translator: Turns sentences into its programs; None for programs alone.
    """

    name: ClassVar[str]
    settles: ClassVar[bool] = False
    program: type[P]
    translator: Translator | None = None

    @classmethod
    @abstractmethod
    def open(cls, opening: Opening) -> Route[P]:
        """Open the route in an environment.

        Raises:
            OptionError: It does not move this robot, or not in this world.
            EnvironmentMissingError: A package is missing; the message says how to install it.
        """

    def routes(self) -> Mapping[type[Program], AnyRoute]:
        """The routes that this one opens, by the kind of program: itself, and whom it calls."""
        return {self.program: self}

    @abstractmethod
    def stages(self, program: P) -> tuple[str, ...]:
        """The stages in words, one line each; never empty."""

    @abstractmethod
    def begin(self, program: P, number: int, run: Run, *, done: bool = False) -> StageRun:
        """Begin a stage; nothing moves yet.

        Args:
            program: A program without diagnostics.
            number: Which stage, from 0; the ones before are in ``run.stages``.
            run: What it may touch.
            done: An interrupted run has measured it to be reached: it is not carried out again,
                only judged.
        """

    def check(self, program: P) -> tuple[Diagnostic, ...]:
        """What is wrong with a program, before anything moves."""
        del program
        return ()

    @abstractmethod
    def record(self, program: P) -> Mapping[str, object]:
        """What the event ``program`` says besides stages, source and notes; JSON values."""

    @abstractmethod
    def read(self, record: Record, folder: Path) -> P:
        """The program of a run, from its event ``program`` and the files in its folder.

        Raises:
            ConfigurationError: The record or the folder lacks something.
            ProgramError: The recorded program is not legal any more.
        """

    def files(self, program: P) -> Mapping[str, str | bytes]:
        """Files for the run folder: the program as people read it."""
        del program
        return {}

    def form(self, spec: WorldSpec) -> ProgramForm | None:
        """How its programs are written by models that choose the route; None for not at all."""
        del spec
        return None

    def preview(self, program: P, run: Run) -> Outcome:
        """Say what would be done, without motion."""
        del run
        return Outcome(
            exit_code=0,
            message="understood; nothing moved",
            notes=program.notes,
            program=program,
            details={"program": self.summary(program), "steps": self.stages(program)},
        )

    def summary(self, program: P) -> object:
        """The program in ``run.json``."""
        return {"stages": self.stages(program), "source": program.source}

    def rest(self, run: Run) -> None:
        """Bring the robot to rest after the last stage."""
        del run

    def revise(self, program: P, outcome: Outcome, run: Run) -> P | None:
        """Another program for the same sentence after ``outcome``; None where there is none."""
        del program, outcome, run
        return None

    def details(self, run: Run) -> Mapping[str, object]:
        """Further fields of ``run.json`` about a run that has ended."""
        del run
        return {}

    def take_up(self, believed: frozenset[Atom], run: Run) -> None:
        """Report what is measured against what was believed before an interruption."""
        del believed, run

    def inverse(self, change: Change, run: Run) -> Program:
        """The program that takes back what a sentence changed.

        Raises:
            NotUnderstoodError: Nothing takes it back; the diagnostic says why.
        """
        del change, run
        raise not_undone(f"the route {self.name} cannot undo")

    def change(
        self, program: P, before: frozenset[Atom], after: frozenset[Atom], run: Run
    ) -> Change | None:
        """What a run changed, by the facts before and after it; None for nothing."""
        del run
        return None if before == after else Change(program=program, before=before, after=after)

    def converse(
        self,
        agent: Agent,
        translator: Translator,
        lines: Iterator[str],
        say: Callable[[str], None],
    ) -> Outcome:
        """Follow what is typed while the robot moves.

        Raises:
            OptionError: This route does not change a motion while it goes on.
        """
        del agent, translator, lines, say
        raise OptionError(
            f"the route {self.name} does not change a motion while it goes on: leave out --live"
        )

    def state(self, observation: Observation) -> tuple[str, ...]:
        """What is measured to hold now, one line each."""
        del observation
        return ()

    def describe(self, action: str) -> str:
        """An action of a plan as a sentence."""
        return action

    def stop(self) -> None:  # noqa: B027
        """Forget what was under way: the robot was stopped."""

    def close(self) -> None:  # noqa: B027
        """Release threads and models; may be called twice."""


AnyRoute: TypeAlias = Route[Any]
"""A route for whichever kind of program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEntry:
    """How a route is found by name; importing one is cheap.

    Attributes:
        name: Name for ``--route``.
        summary: What it does, in one line.
        load: Imports the route's class.
        options: Names of the fields of ``Settings`` that it takes and other routes may not.
        perception: What it takes for ``Settings.perception``; ``"auto"`` means the first.
        supervised: Whether it moves an arm behind a supervisor too.
    """

    name: str
    summary: str
    load: Callable[[], type[AnyRoute]]
    options: frozenset[str] = frozenset()
    perception: tuple[str, ...] = ("truth",)
    supervised: bool = False

    def perceives(self, by: str) -> bool:
        """Whether it moves a robot that is perceived so: also by real cameras, and by nobody."""
        return by == "none" or ("pixels" if by == "cameras" else by) in self.perception


ROUTES: Registry[RouteEntry] = Registry(
    "route", group="embodied.routes", package="embodied.routes", attribute="ROUTE", folders=True
)
"""Every route by name; another package's entry point names a ``RouteEntry``."""


def not_undone(reason: str) -> NotUnderstoodError:
    """The error for something that cannot be taken back."""
    return NotUnderstoodError("undo", [Diagnostic(where="undo", problem=reason)])
