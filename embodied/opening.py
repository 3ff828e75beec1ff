"""What routes are opened with: a robot in its scene, and the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embodied.body import Body
from embodied.language.models.logged import LoggedModel
from embodied.protocols import AnyController, SymbolGrounder
from embodied.recovery import Ask, nobody
from embodied.route import Perceive, as_measured
from embodied.settings import Settings
from embodied.types import Array, Atom, JointTrajectory

if TYPE_CHECKING:
    from mujoco import MjModel, MjSpec  # pyright: ignore  # no stubs

    from embodied.perception.perceivers import Perceiver
    from embodied.world.scene import Scene


def _as_it_is(controller: AnyController) -> AnyController:
    return controller


def as_planned(trajectory: JointTrajectory) -> JointTrajectory:
    """The trajectory itself, where no supervisor is."""
    return trajectory


@dataclass(slots=True, kw_only=True, eq=False)
class Environment:
    """A robot in its scene.

    Attributes:
        body: The robot; already reset.
        grounder: Turns its observations into facts.
        static_facts: The facts that no action changes.
        scene: The scene as it was loaded, None where the robot brings its own.
        with_arm: Puts the arm into another scene, as an ``MjSpec``; None where there is no arm.
        planning_model: Model that planners check motions in; None where there is none.
        read_qpos: Generalised positions (nq,) of the model that recorded states belong to.
        states_header: What a painter needs to draw recorded states.
        about: What ``run.json`` says of it: names of scene, robot and world.
        perceive: How the robot perceives an observation.
        see: The same with sizes, uncertainty and obstacles without a name; None without a scene.
        shows_all_uncovered: Whether ``perceive`` shows everything that nothing covers, so that what
            is not seen in an open drawer is not there.
        object_source: Where object poses come from, in words.
        wrap: What a controller is wrapped in, e.g. to keep the speeds of a supervisor's limits.
        pace: What makes a trajectory keep them.
        goal_time_s: Longest time of the world for one control goal, None for the route's own.
        no_streaming: Why the arm takes no set-points that are planned while it moves; empty where
            it takes them.
        setup: Further parts of a robot with an environment of its own.
        release: Called when it is closed.
    """

    body: Body
    grounder: SymbolGrounder
    static_facts: frozenset[Atom] = frozenset()
    scene: Scene | None = None
    with_arm: Callable[[Scene], MjSpec] | None = None
    planning_model: MjModel | None = None
    read_qpos: Callable[[], Array]
    states_header: Mapping[str, object] = field(default_factory=dict[str, object])
    about: Mapping[str, object] = field(default_factory=dict[str, object])
    perceive: Perceive = as_measured
    see: Perceiver | None = None
    shows_all_uncovered: bool = False
    object_source: str = ""
    wrap: Callable[[AnyController], AnyController] = _as_it_is
    pace: Callable[[JointTrajectory], JointTrajectory] = as_planned
    goal_time_s: float | None = None
    no_streaming: str = ""
    setup: object = None
    release: Callable[[], None] = lambda: None

    def places(self) -> Mapping[str, tuple[float, ...]]:
        """Where things are perceived now: x, y, z by name, world frame, m."""
        observation = self.body.observe()
        seen = self.perceive(observation)
        found = {} if seen is None else seen.poses
        return {name: tuple(map(float, pose.position)) for name, pose in found.items()}

    def close(self) -> None:
        """Release the world; may be called twice."""
        self.release()
        self.body.close()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opening:
    """What a route is opened with.

    Attributes:
        environment: The robot in its scene.
        settings: What a person asked for.
        model: The language model, None for translators that need none.
        ask: Puts questions to a person.
        tell: Shows a person a line about something that takes long.
    """

    environment: Environment
    settings: Settings
    model: LoggedModel | None = None
    ask: Ask = nobody
    tell: Callable[[str], None] = lambda text: None
