"""What every route offers the command line, whichever way it moves a robot."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from embodied.errors import ConfigurationError, EmbodiedError, ModelError, ProgramError
from embodied.protocols import Emit, Usage
from embodied.types import Array, Program

REACHED, NOT_REACHED, NOT_UNDERSTOOD, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: goal reached, not reached, not understood or unsupported, environment or model error,
ended by Ctrl-C."""

ROUTES = ("auto", "pddl", "reward", "value-map")
BRIDGE_WORLDS = ("bridge", "bridge-pybullet")
"""A simulated arm behind a supervisor process, in MuJoCo and in PyBullet."""

WORLDS = ("mujoco", "pybullet", *BRIDGE_WORLDS)
STRATEGIES = ("plan", "tree", "react", "hiagent", "rewoo", "code")
"""Ways to decide on actions, see docs/strategies.md."""

PYBULLET_ROBOT = "panda"
"""The arm of the world pybullet; MuJoCo's fr3 has the same coordinates and draws its states."""

REWARD_ROBOTS = ("quadruped", "arm")
"""Robots that the reward route moves; ``arm`` is the arm with a three-finger hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line says about a run.

    Attributes:
        scene: Name of a scene or path of a scene file.
        robot: Name of a robot.
        world: One of ``WORLDS``.
        route: One of ``ROUTES``; ``"auto"`` takes the reward route for ``REWARD_ROBOTS``.
        model: ``"rules"``, or what ``embodied.language.models.open_model`` opens.
        base_url: Address of an OpenAI-compatible server.
        max_tokens: Budget of model tokens, None for no limit.
        max_calls: Budget of model calls, None for no limit.
        record: File that model answers are recorded to.
        plan_time_s: Wall time for one planner call.
        optimal: Ask for a provably cheapest plan.
        seed: Seed of the initial layout and of all sampling.
        asynchronous: The reward route plans in a thread while the robot moves in real time.
        strategy: One of ``STRATEGIES``; all but ``"plan"`` need a language model.
        yes: Do what cannot be undone without asking.
    """

    scene: str = "blocks"
    robot: str = "fr3"
    world: str = "mujoco"
    route: str = "auto"
    model: str = "rules"
    base_url: str | None = None
    max_tokens: int | None = None
    max_calls: int | None = None
    record: str | None = None
    plan_time_s: float = 10.0
    optimal: bool = False
    seed: int = 0
    asynchronous: bool = False
    strategy: str = "plan"
    yes: bool = False

    @property
    def moves_by_rewards(self) -> bool:
        """True when the reward route carries out the sentence."""
        if self.route == "auto":
            return self.robot in REWARD_ROBOTS
        return self.route == "reward"


def check_pybullet_arm(settings: Settings) -> None:
    """Raise ConfigurationError unless the robot is the one arm that PyBullet's worlds have."""
    if settings.robot != PYBULLET_ROBOT:
        raise ConfigurationError(
            f"the world {settings.world} has the arm {PYBULLET_ROBOT}, not {settings.robot!r}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One goal and what was measured of it.

    Attributes:
        text: The goal as the program states it.
        holds: Its parts that hold at the end.
        unmet: Its parts that do not.
        held: Its parts that held when this stage was reached and that a later stage undid.
    """

    text: str
    holds: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an instruction ended.

    Attributes:
        exit_code: See the constants of this module.
        message: One line for a person.
        goals: What was asked and what was measured; empty when nothing was judged.
        notes: Repairs and assumptions made on the way.
        details: Further fields of ``run.json``.
        timings_s: Wall time per stage.
        usage: What the model calls cost.
    """

    exit_code: int
    message: str
    goals: tuple[Goal, ...] = ()
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    timings_s: Mapping[str, float] = field(default_factory=dict[str, float])
    usage: Usage = field(default_factory=Usage)

    @property
    def reached(self) -> bool:
        """True when every goal was measured to hold."""
        return self.exit_code == REACHED


Artifact = Callable[[str, str | bytes], None]
"""Takes the name and the content of a file for the run folder."""


class Session(Protocol):
    """A world, a translator and a way to move, kept over several instructions."""

    @property
    def translator(self) -> str:
        """Who translates, in words that do not promise too much."""
        ...

    @property
    def about(self) -> Mapping[str, Any]:
        """First fields of ``run.json``: scene, robot, route, model, seed, engines."""
        ...

    @property
    def states_header(self) -> dict[str, Any]:
        """What a painter needs to draw the recorded states."""
        ...

    def watch(self, observer: Callable[[float], None] | None) -> None:
        """Set who is told the simulated time after every step."""
        ...

    def time_s(self) -> float:
        """Simulated time now."""
        ...

    def qpos(self) -> Array:
        """Generalised positions of the whole model now."""
        ...

    def model_and_data(self) -> tuple[Any, Any]:
        """The simulator's own model and state, for a window.

        Raises:
            EnvironmentMissingError: This world has none.
        """
        ...

    def run(self, instruction: str, *, emit: Emit, artifact: Artifact, move: bool) -> Outcome:
        """Translate, plan and, if ``move`` is set, act; raises EmbodiedError."""
        ...

    def undo(self, *, emit: Emit, artifact: Artifact) -> Outcome:
        """Bring back what the last instruction changed; raises EmbodiedError."""
        ...

    def pursue(self, program: Program, *, emit: Emit, artifact: Artifact) -> Outcome:
        """Carry out a recorded program, without any model; raises EmbodiedError."""
        ...

    def state(self) -> tuple[str, ...]:
        """What is measured to hold now, one line each."""
        ...

    def describe(self, action: str) -> str:
        """An action of the plan as a sentence."""
        ...

    def stop(self) -> None:
        """Hold the robot where it is."""
        ...

    def close(self) -> None:
        """Release the world and the model; may be called twice."""
        ...


def outcome_of_error(error: EmbodiedError) -> Outcome:
    """The exit code and the words for an error that ended an instruction."""
    if isinstance(error, ProgramError) and error.diagnostics:
        lines = tuple(str(d) for d in error.diagnostics)
        return Outcome(exit_code=NOT_UNDERSTOOD, message=lines[0], notes=lines[1:])
    if isinstance(error, ProgramError):
        return Outcome(exit_code=NOT_UNDERSTOOD, message=str(error))
    if isinstance(error, ModelError):
        return Outcome(exit_code=BROKEN, message=f"the language model failed: {error}")
    if isinstance(error, ConfigurationError):
        return Outcome(exit_code=BROKEN, message=str(error))
    return Outcome(exit_code=BROKEN, message=str(error) or type(error).__name__)


def reward_route() -> Any:
    """The module of the reward route: ``open_reward_session(settings)``, ``drawing_model(header)``.

    Raises:
        ConfigurationError: This installation has no reward route.
    """
    try:
        return importlib.import_module("embodied.routes.reward.route")
    except ModuleNotFoundError as error:
        raise ConfigurationError("this installation has no reward route: use pddl") from error
