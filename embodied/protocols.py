"""The interfaces between the parts, as typed Protocols.

Each has a conformance suite next to its implementations: whoever writes another world, model or
planner runs that suite over it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from embodied.types import (
    Atom,
    Command,
    ControlGoal,
    ControlStatus,
    GroundAction,
    Manner,
    Observation,
    PddlProgram,
    PlanResult,
    Pose,
    Program,
    SkillResult,
    StepResult,
    WorldSpec,
)

S = TypeVar("S")


class World(Protocol):
    """A simulator or a robot.

    ``reset`` comes before the first ``step``. Observations are immutable snapshots. ``step``
    advances time by ``spec.control_dt_s`` and may apply less than what was commanded; it then says
    why. After ``close`` only ``close`` may be called.
    """

    @property
    def spec(self) -> WorldSpec:
        """What does not change while the world runs."""
        ...

    def reset(self, *, seed: int) -> Observation:
        """Start an episode; equal seeds give equal episodes."""
        ...

    def observe(self) -> Observation:
        """Measure without advancing time."""
        ...

    def step(self, command: Command) -> StepResult:
        """Apply a command for one control period.

        Raises:
            WorldError: The simulation diverged or the robot failed.
            ValueError: The command has the wrong shape or is not finite.
        """
        ...

    def close(self) -> None:
        """Release everything; may be called twice."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What a model may call, and an agent over MCP: the one definition of it.

    Attributes:
        name: Name.
        about: What it does and when to use it, for whoever calls it.
        schema: JSON schema of its arguments, an object.
        reads: Whether it changes nothing.
        moves: Whether it may move the robot, so that what was there is gone.
    """

    name: str
    about: str
    schema: Mapping[str, object]
    reads: bool = True
    moves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool that a model calls.

    Attributes:
        id: By which the result is matched.
        name: Name, as the model wrote it.
        arguments: JSON, as the model wrote it: it may be none.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool answered.

    Attributes:
        id: That of the call.
        name: That of the call.
        text: The answer.
    """

    id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture for a model that takes pictures.

    Attributes:
        label: What it shows.
        png: The PNG file.
    """

    label: str
    png: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation with a model.

    Attributes:
        role: ``system``, ``user`` or ``assistant``.
        text: What is said.
        calls: Tools that the assistant called.
        results: What those of the message before answered; the user's.
        pictures: The user's.
        native: The answer as the client library has it, sent back with the reasoning in it to the
            model that gave it; never logged or recorded.
    """

    role: str
    text: str
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    pictures: tuple[Picture, ...] = ()
    native: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a model is asked.

    Attributes:
        messages: Conversation so far.
        schema: JSON schema that the answer must satisfy, if any.
        grammar: GBNF grammar that the answer must be in, for models that decode under grammars.
        max_tokens: Longest answer.
        temperature: Sampling temperature; 0 is greedy. Left out where a model takes none.
        purpose: What for, e.g. ``"pddl-goal"``; for logs and accounting only.
        tools: What it may call instead of answering.
    """

    messages: tuple[Message, ...]
    schema: Mapping[str, object] | None = None
    grammar: str | None = None
    max_tokens: int = 1024
    temperature: float = 0.0
    purpose: str = ""
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Cost of one or several calls.

    Attributes:
        calls: Requests that were answered.
        input_tokens: Tokens read, cached ones included.
        output_tokens: Tokens written, reasoning included.
        cost_usd: Price; None where that of any call is not known.
        cached_tokens: Those of the tokens read that the server had cached.
        reasoning_tokens: Those of the tokens written that are reasoning, not answer.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        known = [u.cost_usd for u in (self, other) if u.calls or u.cost_usd is not None]
        costs = [c for c in known if c is not None]
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_usd=sum(costs) if costs and len(costs) == len(known) else None,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )

    def __sub__(self, earlier: Usage) -> Usage:
        cost = None if self.cost_usd is None else self.cost_usd - (earlier.cost_usd or 0.0)
        return Usage(
            calls=self.calls - earlier.calls,
            input_tokens=self.input_tokens - earlier.input_tokens,
            output_tokens=self.output_tokens - earlier.output_tokens,
            cost_usd=cost,
            cached_tokens=self.cached_tokens - earlier.cached_tokens,
            reasoning_tokens=self.reasoning_tokens - earlier.reasoning_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a model answered.

    Attributes:
        text: The answer.
        usage: Its cost.
        latency_s: Wall time of the call.
        model: Name of the model that answered.
        confidence: Probability of the answer under the model, where it is known.
        cut_off: Whether the answer ended at the limit of its length.
        notes: What a person should know of how it was asked, e.g. that its schema was refused.
        calls: Tools that it calls.
        native: See ``Message``.
    """

    text: str
    usage: Usage = field(default_factory=Usage)
    latency_s: float = 0.0
    model: str = ""
    confidence: float | None = None
    cut_off: bool = False
    notes: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    native: object = field(default=None, compare=False, repr=False)


class LanguageModel(Protocol):
    """Text in, text out; and, for models that call tools, their calls."""

    @property
    def name(self) -> str:
        """Name for outputs and logs, e.g. ``"openai:gpt-5"``."""
        ...

    def complete(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ModelError: Not reachable, refused, too slow, or out of budget.
        """
        ...


class StateMemory(Protocol):
    """What is believed about the world. Immutable: every call returns a new memory."""

    @property
    def facts(self) -> frozenset[Atom]:
        """Ground atoms that are believed to hold."""
        ...

    @property
    def attributes(self) -> Mapping[str, frozenset[str]]:
        """Words that a person told of objects, e.g. "dirty", with the objects."""
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is told or remembered and not measured now, with its origin, one line each."""
        ...

    @property
    def exchanges(self) -> tuple[tuple[str, Program], ...]:
        """Earlier sentences of this conversation and their programs, oldest first."""
        ...

    def observed(self, observation: Observation) -> StateMemory:
        """Take in a measurement."""
        ...

    def executed(self, action: GroundAction, result: SkillResult) -> StateMemory:
        """Take in that an action was carried out."""
        ...

    def told(self, instruction: str, program: Program, meaning: str = "") -> StateMemory:
        """Take in a sentence, what it was understood to mean, and that in words."""
        ...


class Translator(Protocol):
    """A sentence becomes a program."""

    @property
    def name(self) -> str:
        """Name, e.g. ``"rules"`` or the model's name."""
        ...

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """Translate one sentence.

        Raises:
            NotUnderstoodError: The translator abstains; the diagnostics say what it could not
                understand and what it knows.
            ProgramError: The model's answer stayed unusable after the allowed repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        ...


class PddlPlanner(Protocol):
    """PDDL text in, plan out."""

    def solve(self, program: PddlProgram, *, deadline_s: float) -> PlanResult:
        """Plan for the problem of ``program``; returns within ``deadline_s`` (wall) plus 1 s."""
        ...


class Grounder(Protocol):
    """Measured geometry becomes symbols."""

    def facts(self, observation: Observation) -> frozenset[Atom]:
        """All atoms of the domain that hold in this measurement, static ones included."""
        ...


class SymbolGrounder(Grounder, Protocol):
    """A grounder that also brings the planning domain its facts belong to."""

    @property
    def domain_text(self) -> str:
        """The PDDL domain."""
        ...

    @property
    def objects(self) -> Mapping[str, str]:
        """PDDL type of every object by name, constants such as colours included."""
        ...


Skill: TypeAlias = Generator[ControlGoal, Observation, SkillResult]
"""An action being carried out.

The agent sends the latest observation after each control goal has ended; the skill answers with the
next goal, computed from that observation, or returns its result.
"""


class Skills(Protocol):
    """How ground actions are carried out."""

    def start(self, action: GroundAction, observation: Observation, *, attempt: int) -> Skill:
        """Start an action; ``attempt`` counts from 0 and selects another candidate each time.

        Raises:
            ValueError: There is no skill for this action; the message lists those that exist.
        """
        ...

    def home(self, observation: Observation) -> Skill:
        """Bring the robot to its rest configuration, clear of the scene."""
        ...


class Nearness(Protocol):
    """Where the hand is among the objects of an observation."""

    def look(self, observation: Observation) -> str:
        """Take over an observation; returns what the hand holds, ``""`` for nothing."""
        ...

    def distance(self, name: str) -> float:
        """Distance of the hand and what it holds to an object, m."""
        ...


@runtime_checkable
class MannerSkills(Skills, Protocol):
    """Skills that can be told how to move."""

    def keep(self, manner: Manner, poses: Mapping[str, Pose] | None = None) -> None:
        """Move like that from the next motion on; ``poses`` are those when it was said."""
        ...

    def nearness(self) -> Nearness:
        """What measures how near the hand comes to objects."""
        ...


class Controller(Protocol[S]):
    """Turns a goal into commands, one step at a time; all state is in ``S``."""

    def init(self, goal: ControlGoal, observation: Observation) -> S:
        """Start on a goal."""
        ...

    def step(self, state: S, observation: Observation) -> tuple[Command, S, ControlStatus]:
        """One control period."""
        ...


AnyController: TypeAlias = Controller[Any]
"""A controller whose state is its own affair."""


class Critic(Protocol):
    """Predicts from measured outcomes whether an action will work."""

    def chance(self, action: GroundAction, observation: Observation, *, attempt: int) -> float:
        """Calibrated probability that this attempt at ``action`` has its effects."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a run; the log holds them in order.

    Attributes:
        kind: ``"instruction"``, ``"reading"``, ``"request"``, ``"response"``, ``"diagnostic"``,
            ``"program"``, ``"plan"``, ``"action"``, ``"goal"``, ``"limited"``, ``"effects"``,
            ``"contradiction"``,
            ``"retry"``, ``"backtrack"``, ``"replan"``, ``"reinterpret"``, ``"ask"``, ``"stop"``,
            ``"tool"``, ``"milestone"``, ``"observation"``, ``"verdict"``, ``"stage"`` or
            ``"error"``.
        data: JSON-serialisable details.
    """

    kind: str
    data: Mapping[str, Any]


Emit: TypeAlias = Callable[[Event], None]
"""Where events go: the run folder's log, the progress display, a test's list."""
