"""One world, one memory and the routes that move it, kept over several sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from embodied.agent import Agent, Options
from embodied.errors import EnvironmentMissingError, OptionError
from embodied.language.interpreter import Act, Answer, NotAnActError, Tell, kind_of
from embodied.language.interpreter import Ask as AskFirst
from embodied.language.models.logged import LoggedModel
from embodied.memory.answering import Belief, answer_question
from embodied.memory.history import Notebook
from embodied.memory.logged import LoggedMemory
from embodied.memory.telling import Told, tell
from embodied.memory.tracing import empty_memory, remembered, traced
from embodied.opening import Environment
from embodied.outcome import REACHED, Outcome
from embodied.protocols import Emit, Event, StateMemory, Translator, Usage
from embodied.recovery import Ask, nobody
from embodied.route import AnyRoute, Change, Write, not_undone
from embodied.types import Array, Atom, Observation, Program

if TYPE_CHECKING:
    from mujoco import MjData, MjModel  # pyright: ignore  # no stubs


def no_event(event: Event) -> None:
    """Nobody follows what happens."""


def no_file(name: str, content: str | bytes) -> None:
    """Nobody keeps the files of a run."""


UNDO = "undo"
"""The sentence of what undoes another one."""

_NOTICED = frozenset({"on", "in", "under", "holding", "open"})
"""Predicates whose change between two sentences is worth an event."""

TRANSLATOR_NOTES = {"rules": "a deterministic grammar, not a language model"}


@runtime_checkable
class _Simulated(Protocol):
    """A world in MuJoCo."""

    @property
    def model(self) -> MjModel: ...
    @property
    def data(self) -> MjData: ...


@runtime_checkable
class _Restorable(Protocol):
    """A world that can be put into a recorded configuration."""

    def set_configuration(self, qpos: Array) -> Observation: ...


class Driver(Protocol):
    """Carries out sentences by programs of its own."""

    def drive(self, session: Session, agent: Agent, instruction: str, asked: Program) -> Outcome:
        """Carry a sentence out.

        Args:
            session: What is driven.
            agent: Has read the sentence, and carries programs out.
            instruction: The sentence.
            asked: What the sentence was read as.

        Raises:
            ModelError: Whoever writes the programs could not be reached.
            WorldError: The simulator or the robot failed.
        """
        ...


class Session:
    """Carries out one sentence after another in the same world.

    Args:
        environment: The robot in its scene, already reset; closed with the session.
        routes: What moves it, by the type of program.
        translator: Turns sentences into programs.
        route: The one that speaks for the session: it says what is measured now.
        model: The translator's language model, None for one that needs none.
        about: First fields of ``run.json``.
        ask: Puts questions to a person.
        options: Bounds of the agent.
        driver: Carries sentences out by programs of its own; None where what a sentence was read as
            is carried out.
    """

    def __init__(
        self,
        environment: Environment,
        routes: Mapping[type[Program], AnyRoute],
        *,
        translator: Translator,
        route: AnyRoute,
        model: LoggedModel | None = None,
        about: Mapping[str, object] | None = None,
        ask: Ask = nobody,
        options: Options | None = None,
        driver: Driver | None = None,
    ) -> None:
        self._driver = driver
        self.environment, self.routes, self.route = environment, routes, route
        self._translator, self._model, self._about = translator, model, dict(about or {})
        self._ask, self._options = ask, options
        self._observer: Callable[[float], None] | None = None
        self._exchanges: tuple[tuple[str, Program], ...] = ()
        self._notebook = Notebook(
            empty_memory(environment.grounder, complete=environment.shows_all_uncovered)
        )
        self._changes: list[Change] = []
        environment.body.watchers.append(self._stepped)

    @property
    def translator(self) -> str:
        """The translator, described without overstatement."""
        name = self._translator.name
        note = TRANSLATOR_NOTES.get(name)
        return f"{name} ({note})" if note else name

    @property
    def reader(self) -> Translator:
        """Who reads the sentences."""
        return self._translator

    @property
    def about(self) -> Mapping[str, object]:
        """First fields of ``run.json``: scene, robot, world, route, model, seed."""
        return {**self._about, "object_source": self.environment.object_source}

    @property
    def states_header(self) -> Mapping[str, object]:
        """What a painter needs to draw the recorded states."""
        return self.environment.states_header

    def watch(self, observer: Callable[[float], None] | None) -> None:
        """Set who is told the simulated time after every step."""
        self._observer = observer

    def time_s(self) -> float:
        """Time of the world now."""
        return self.environment.body.observation.time

    def qpos(self) -> Array:
        """Generalised positions of the whole model now."""
        return self.environment.read_qpos()

    def model_and_data(self) -> tuple[MjModel, MjData]:
        """The simulator's own model and state, for a window.

        Raises:
            EnvironmentMissingError: This world has none.
        """
        world = self.environment.body.world
        if not isinstance(world, _Simulated):
            raise EnvironmentMissingError("this world has no window to show")
        return world.model, world.data

    def run(
        self,
        instruction: str,
        *,
        emit: Emit = no_event,
        write: Write = no_file,
        move: bool = True,
        driver: Driver | None = None,
    ) -> Outcome:
        """Read, plan and, if ``move`` is set, act and judge; raises EmbodiedError.

        A question is answered and a statement remembered, without motion.

        Args:
            instruction: The sentence.
            emit: Receives events.
            write: Receives files.
            move: Whether anything is to move.
            driver: Carries the sentence out instead of the session's own.
        """
        driver = driver or self._driver
        agent, spent = self._agent(emit, write), self.usage()
        reading = agent.read(instruction, self._translator)
        if isinstance(reading, Answer | Tell):
            return self._finished(self._said(reading, agent.memory), spent)
        program = agent.settle(instruction, reading)
        if move and driver is not None:
            return self._finished(self._driven(driver, agent, instruction, program), spent)
        if move:
            return self._pursue(agent, program, spent)
        return self._finished(agent.preview(program), spent)

    def begin(self, instruction: str) -> tuple[Agent, Program]:
        """Read a sentence on its own, e.g. to check a program for it; nothing is remembered.

        Raises:
            NotUnderstoodError: It is nothing to be done.
        """
        agent = self._agent().aside()
        reading = agent.read(instruction, self._translator)
        if isinstance(reading, Act | AskFirst) and reading.program is not None:
            return agent, reading.program
        raise NotAnActError(instruction, reading)

    def pursue(
        self,
        program: Program,
        *,
        emit: Emit = no_event,
        write: Write = no_file,
        instruction: str = "",
    ) -> Outcome:
        """Carry out a recorded program, without any model; raises EmbodiedError."""
        agent = self._agent(emit, write)
        agent.run.instruction = instruction
        return self._pursue(agent, program, self.usage())

    def resume(
        self,
        program: Program,
        *,
        instruction: str,
        done: int,
        believed: frozenset[Atom] | None,
        emit: Emit = no_event,
        write: Write = no_file,
    ) -> Outcome:
        """Go on with an interrupted program.

        Args:
            program: The program.
            instruction: The sentence it was made from.
            done: Stages that had been measured to be reached.
            believed: What was believed last; differences to what is measured become an event.
            emit: Receives events.
            write: Receives files.
        """
        agent = self._agent(emit, write)
        agent.take_up(instruction, program, believed=believed)
        return self._pursue(agent, program, self.usage(), done=done)

    def undo(self, *, emit: Emit = no_event, write: Write = no_file) -> Outcome:
        """Bring back what the last sentence changed.

        Raises:
            NotUnderstoodError: There is nothing to undo, or nothing takes it back.
        """
        agent, program = self._undoing(emit, write)
        self._changes.pop()
        agent.take_up(UNDO, program, translator="none")
        depth = len(self._changes)
        try:
            return self._pursue(agent, program, self.usage())
        finally:
            del self._changes[depth:]  # undoing twice goes back one more sentence

    def preview_undo(self, *, emit: Emit = no_event) -> Outcome:
        """Say what ``undo`` would do, without motion; raises as it does."""
        agent, program = self._undoing(emit, no_file)
        agent.take_up(UNDO, program, translator="none")
        return agent.preview(program)

    def converse(
        self,
        lines: Iterator[str],
        say: Callable[[str], None],
        *,
        emit: Emit = no_event,
        write: Write = no_file,
    ) -> Outcome:
        """Follow what is typed while the robot moves.

        Args:
            lines: What is typed; reading may block.
            say: Shows the answer to ``state`` or ``help``.
            emit: Receives events.
            write: Receives files.

        Raises:
            OptionError: The route does not change a motion while it goes on.
        """
        agent, spent = self._agent(emit, write), self.usage()
        try:
            outcome = self.route.converse(agent, self._translator, lines, say)
        finally:
            self._exchanges = agent.memory.exchanges
        return self._finished(outcome, spent)

    def memory(self) -> StateMemory:
        """What is believed now, freshly measured."""
        return self._agent().memory

    def belief(self) -> Belief:
        """What is remembered: what is believed now, and what has happened."""
        notebook = self._notebook
        objects = self.environment.body.spec.objects
        return Belief(memory=notebook.memory, objects=objects, history=notebook.history)

    def answer(self, question: str) -> str:
        """Answer a question from what is measured now and what is remembered; nothing moves.

        Raises:
            NotUnderstoodError: It is no question that can be answered.
        """
        seen = self.environment.perceive(self.environment.body.observe())
        belief = self.belief()
        if seen is not None:
            belief = replace(belief, memory=belief.memory.observed(seen))
        return answer_question(question, belief)

    def tell(self, statement: str, *, emit: Emit = no_event) -> Told:
        """Take in what a person says is so, with the reason where it is rejected; nothing moves.

        Raises:
            NotUnderstoodError: It is no statement about things that there are.
        """
        return self._take_in(statement, self._agent(emit).memory)

    def recall(self, folder: Path) -> frozenset[Atom] | None:
        """What the run of a folder believed last; None where it had not begun to.

        What it remembered of things that are not seen now, and what it was told, is taken over.
        """
        memory = remembered(folder, self._notebook.empty)
        if memory is None:
            return None
        self._notebook.memory = memory
        return memory.facts

    def restore(self, qpos: Array) -> None:
        """Put the world into a recorded configuration.

        Raises:
            OptionError: This world cannot be put anywhere.
        """
        world = self.environment.body.world
        if not isinstance(world, _Restorable):
            name = self._about.get("world", type(world).__name__)
            raise OptionError(
                f"the world {name} cannot take up a recorded state: use --world mujoco"
            )
        world.set_configuration(qpos)
        self.environment.body.observe()

    def take_after(self, other: Session) -> None:
        """Take up the configuration and the beliefs of another session of the same scene and robot.

        Raises:
            OptionError: This world cannot be put anywhere.
        """
        self.restore(other.qpos())
        self._notebook = Notebook(other._notebook.empty)
        self._notebook.memory, self._exchanges = other._notebook.memory, other._exchanges

    def state(self) -> tuple[str, ...]:
        """What is measured to hold now, one line each."""
        observation = self.environment.body.observe()
        return self.route.state(self.environment.perceive(observation) or observation)

    def describe(self, action: str) -> str:
        """An action of a plan as a sentence."""
        return self.route.describe(action)

    def usage(self) -> Usage:
        """What the model's calls have cost so far."""
        return self._model.usage if self._model is not None else Usage()

    def stop(self) -> None:
        """Hold the robot where it is."""
        for route in self.routes.values():
            route.stop()
        self.environment.body.stop()

    def close(self) -> None:
        """Release the world, the routes and the model; may be called twice."""
        for route in self.routes.values():
            route.close()
        self.environment.close()
        if self._model is not None:
            self._model.close()

    # ----------------------------------------------------------------- private

    def _stepped(self, observation: Observation) -> None:
        if self._observer is not None:
            self._observer(observation.time)

    def _undoing(self, emit: Emit, write: Write) -> tuple[Agent, Program]:
        """An agent, and the program with which it undoes the last change."""
        if not self._changes:
            raise not_undone("no instruction of this conversation has changed anything")
        change = self._changes[-1]
        if change.final:
            raise not_undone(f"{', '.join(change.final)} cannot be undone")
        agent = self._agent(emit, write)
        return agent, self.route.inverse(change, agent.run)

    def _agent(self, emit: Emit = no_event, write: Write = no_file) -> Agent:
        """A fresh agent, so that its timings are those of one sentence."""
        if self._model is not None:
            self._model.emit = emit
        memory = traced(self._notebook, emit, self._exchanges)
        agent = Agent(
            body=self.environment.body,
            routes=self.routes,
            memory=memory,
            perceive=self.environment.perceive,
            object_source=self.environment.object_source,
            emit=emit,
            write=write,
            options=self._options,
            ask=self._ask,
        )
        agent.run.measure()
        self._compare(agent.memory, emit)
        return agent

    def _compare(self, memory: StateMemory, emit: Emit) -> None:
        """Say what is not as it was remembered from earlier sentences."""
        if not isinstance(memory, LoggedMemory):
            return
        found = [c for c in memory.contradictions if c.atom.predicate in _NOTICED]
        if found:
            data = {
                "action": "",
                "believed": [str(c.atom) for c in found if c.believed is not None],
                "measured": [str(c.atom) for c in found if c.believed is None],
                "moved": sorted({c.atom.args[0] for c in found if c.atom.args}),
                "time_s": self.time_s(),
            }
            emit(Event(kind="contradiction", data=data))

    def _pursue(self, agent: Agent, program: Program, spent: Usage, *, done: int = 0) -> Outcome:
        before = self._facts()
        try:
            outcome = agent.pursue(program, done=done)
        finally:
            self._exchanges = agent.memory.exchanges
            self._remember(agent, program, before)
        memory = agent.memory
        if isinstance(memory, LoggedMemory):
            memory.ended("reached" if outcome.reached else outcome.message)
        return self._finished(outcome, spent)

    def _driven(self, driver: Driver, agent: Agent, instruction: str, program: Program) -> Outcome:
        before, done = self._facts(), None
        try:
            outcome = driver.drive(self, agent, instruction, program)
            done = outcome.program
        finally:
            self._exchanges = agent.memory.exchanges
            after = self._facts()
            if done is not None or before != after:
                self._keep(self.route.change(done or program, before, after, agent.run))
        memory = agent.memory
        if isinstance(memory, LoggedMemory):
            memory.ended("reached" if outcome.reached else outcome.message)
        return outcome

    def _take_in(self, statement: str, memory: StateMemory) -> Told:
        told = tell(statement, self.belief(), writer=self._model)
        assert isinstance(memory, LoggedMemory)
        for step in told.steps:
            memory = memory.became(step)
        return told

    def _said(self, reading: Answer | Tell, memory: StateMemory) -> Outcome:
        """Answer a question, or take in a statement or rule."""
        match reading:
            case Answer(question=question):
                text = self.answer(question)
            case Tell(statement=text, rule=True):
                pass
            case Tell(statement=statement):
                text = self._take_in(statement, memory).text
        return Outcome(exit_code=REACHED, message=text, details={"reading": kind_of(reading)})

    def _remember(self, agent: Agent, program: Program, before: frozenset[Atom]) -> None:
        """Keep what a sentence changed, for ``undo``."""
        self._keep(agent.route_of(program).change(program, before, self._facts(), agent.run))

    def _keep(self, change: Change | None) -> None:
        if change is not None:
            earlier = tuple(c.program for c in self._changes)
            self._changes.append(replace(change, earlier=earlier))

    def _facts(self) -> frozenset[Atom]:
        seen = self.environment.perceive(self.environment.body.observe())
        return frozenset() if seen is None else self.environment.grounder.facts(seen)

    def _finished(self, outcome: Outcome, spent: Usage) -> Outcome:
        return replace(outcome, usage=self.usage() - spent)
