"""From settings to a session: the only place where all parts meet; heavy imports come late."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from embodied.agent import Options
from embodied.app.asking import asker
from embodied.errors import ConfigurationError, OptionError
from embodied.language.interpreter import Interpreter
from embodied.language.models.logged import LoggedModel
from embodied.language.opening import RULES, needs_model
from embodied.opening import Environment, Opening
from embodied.recovery import Ask, nobody
from embodied.registry import unknown
from embodied.route import ROUTES, AnyRoute, as_measured
from embodied.session import Session
from embodied.settings import TOOLS, Settings
from embodied.types import Observation, Program

if TYPE_CHECKING:
    from mujoco import MjModel, MjSpec  # pyright: ignore  # no stubs

    from embodied.app.bridge.session import Supervised
    from embodied.world.mujoco import MujocoWorld
    from embodied.world.pybullet import PybulletWorld
    from embodied.world.scene import Scene

BRIDGE_WORLDS = ("bridge", "bridge-pybullet")
"""A simulated arm behind a supervisor process, in MuJoCo and in PyBullet."""

WORLDS = ("mujoco", "pybullet", *BRIDGE_WORLDS)

PERCEPTIONS = ("auto", "truth", "pixels")
"""Where object poses come from; ``auto`` goes by the route."""

PYBULLET_ROBOT = "panda"
"""The arm of the world pybullet; MuJoCo's fr3 has the same coordinates and draws its states."""


def open_session(
    settings: Settings,
    *,
    supervised: Supervised | None = None,
    tell: Callable[[str], None] = lambda text: None,
    ask: Ask | None = None,
) -> Session:
    """Build the world and everything that moves it.

    Args:
        settings: What a person asked for.
        supervised: An arm behind a supervisor that is there already.
        tell: Shows a person a line about something that takes long.
        ask: Puts questions to a person; by default to the one at the terminal.

    Raises:
        ConfigurationError: A scene, robot, model or route that does not exist or is broken, or
            that does not go with the others.
        EnvironmentMissingError: A package is missing; the message says how to install it.
        ModelError: The model's key is missing.
    """
    entry = ROUTES.get(route_of(settings))
    if settings.world in BRIDGE_WORLDS and not entry.supervised:
        raise OptionError(f"the route {entry.name} does not move an arm behind a supervisor")
    environment = open_environment(settings, supervised)
    try:
        model = open_named_model(settings)
        ask = ask or asker(settings.yes)
        if settings.strategy == TOOLS:
            ruled = replace(settings, model=RULES, strategy=Settings().strategy)
            opening = Opening(environment=environment, settings=ruled, ask=ask, tell=tell)
            return driven_session(settings, opening, entry.load().open(opening), model)
        opening = Opening(
            environment=environment, settings=settings, model=model, ask=ask, tell=tell
        )
        route = entry.load().open(opening)
    except BaseException:
        environment.close()
        raise
    return session_of(settings, environment, route, model=model, ask=ask)


def driven_session(
    settings: Settings, opening: Opening, route: AnyRoute, model: LoggedModel | None
) -> Session:
    """A session that a language model drives by tools; the rules say what sentences ask.

    Args:
        settings: What a person asked for.
        opening: What the route was opened with: the rules as translator.
        route: Speaks for the session.
        model: Drives; None for whoever calls tools from outside.

    Raises:
        OptionError: There is no model that calls tools.
        ConfigurationError: The route brings no translator.
    """
    from embodied.tools import OpenProgram, OpenRoute, OpenTranslator, ToolDriver

    if model is None and settings.strategy == TOOLS:
        raise OptionError(
            f"the strategy {TOOLS} asks a language model: give one with --model, e.g. openai:NAME "
            "or replay:FILE"
        )
    read = route.translator
    if read is None:
        raise ConfigurationError(f"the route {route.name} brings no translator")
    name = model.name if model is not None else read.name
    if not isinstance(read, Interpreter):
        read = Interpreter(translator=read)
    left_open = OpenTranslator(read.translator, name)
    interpreter = replace(read, translator=left_open, covers=False)
    return Session(
        opening.environment,
        ChainMap({OpenProgram: OpenRoute()}, cast("dict[type[Program], AnyRoute]", route.routes())),
        translator=interpreter,
        route=route,
        model=model,
        about=_about(settings, opening.environment, route),
        ask=opening.ask,
        options=Options(only_asked=True, revisions=0),
        driver=ToolDriver(model, interpreter) if model is not None else None,
    )


def session_of(
    settings: Settings,
    environment: Environment,
    route: AnyRoute,
    *,
    model: LoggedModel | None = None,
    ask: Ask = nobody,
) -> Session:
    """A session with one route, open in its environment.

    Raises:
        ConfigurationError: The route brings no translator.
    """
    if route.translator is None:
        raise ConfigurationError(f"the route {route.name} brings no translator")
    return Session(
        environment,
        route.routes(),
        translator=route.translator,
        route=route,
        model=model,
        about=_about(settings, environment, route),
        ask=ask,
        options=Options(only_asked=True),
    )


def _about(settings: Settings, environment: Environment, route: AnyRoute) -> Mapping[str, object]:
    """First fields of ``run.json``."""
    return {
        "scene": settings.scene,
        "robot": settings.robot,
        "world": settings.world,
        "route": route.name,
        "perception": "truth",
        "all_seeing": settings.all_seeing,
        "model": settings.model,
        "seed": settings.seed,
        **({"strategy": TOOLS} if settings.strategy == TOOLS else {}),
        **environment.about,
    }


def route_of(settings: Settings) -> str:
    """The route that carries out the sentences: the one asked for, or the robot's own."""
    from embodied.routes.reward.robots import REWARD_ROBOTS

    if settings.route != "auto":
        return settings.route
    return "reward" if settings.robot in REWARD_ROBOTS else "mixed"


def perception_of(settings: Settings, route: str) -> str:
    """What object poses come from: what was asked for, or the route's own.

    Raises:
        OptionError: There is no such perception, the route does not take it, or there are no
            cameras where the robot is.
    """
    legal = ROUTES.get(route).perception
    if settings.perception == "auto":
        return legal[0]
    if settings.perception not in PERCEPTIONS:
        raise unknown("perception", settings.perception, PERCEPTIONS)
    if settings.perception not in legal:
        raise OptionError(
            f"the route {route} takes the perception {' or '.join(legal)}, not "
            f"{settings.perception}"
        )
    if settings.perception == "pixels" and in_own_scene(settings):
        raise OptionError(f"no camera is where the {settings.robot} is: use perception truth")
    return settings.perception


def in_own_scene(settings: Settings) -> bool:
    """Whether the robot moves in a scene of its own, not in those of arms at a table."""
    from embodied.routes.reward.robots import REWARD_ROBOTS

    if settings.robot not in REWARD_ROBOTS:
        return False
    robot = REWARD_ROBOTS.get(settings.robot)
    return robot.arm is None or settings.scene in robot.scenes


def open_environment(settings: Settings, supervised: Supervised | None = None) -> Environment:
    """The robot of the settings in its scene, reset from the seed; raises as ``open_session``."""
    from embodied.routes.reward.robots import REWARD_ROBOTS

    if settings.world not in WORLDS:
        raise unknown("world", settings.world, WORLDS)
    if settings.robot in REWARD_ROBOTS:
        from embodied.routes.reward.setup import open_environment as open_reward_environment

        if settings.world != "mujoco":
            raise OptionError(
                f"the {settings.robot} plans and moves in MuJoCo, not in the world {settings.world}"
            )
        place, perception = open_reward_environment(settings), perception_of(settings, "reward")
        try:
            if place.scene is not None:
                _open_perception(place, place.scene, perception, _sight(settings, place), None)
        except BaseException:
            place.close()
            raise
        return place
    return _open_tabletop(settings, supervised)


def _sight(settings: Settings, place: Environment) -> Callable[[Observation], Observation]:
    """Takes out what is hidden, as the settings ask for."""
    from embodied.world.grounding import TabletopGrounder
    from embodied.world.visibility import Sight

    assert isinstance(place.grounder, TabletopGrounder)
    return as_measured if settings.all_seeing else Sight(place.grounder)


def _open_tabletop(settings: Settings, supervised: Supervised | None) -> Environment:
    """An arm with a gripper at a table, reset from the seed."""
    from embodied.body import Body
    from embodied.world.grounding import TabletopGrounder
    from embodied.world.scene import load_scene

    bullet = settings.world in ("pybullet", "bridge-pybullet")
    if bullet and settings.robot != PYBULLET_ROBOT:
        raise OptionError(
            f"the world {settings.world} has the arm {PYBULLET_ROBOT}, not {settings.robot!r}"
        )
    scene = load_scene(settings.scene)
    if settings.world in BRIDGE_WORLDS and supervised is None:
        from embodied.app.bridge.session import BridgeOptions, open_supervised

        supervised = open_supervised(settings, BridgeOptions(), scene)
    if supervised is not None:
        world, planning_model = supervised.world, supervised.planning_model
    else:
        world, planning_model = open_world(settings, scene)
    body = Body(world, real_time=settings.asynchronous)
    body.reset(seed=settings.seed)
    grounder = TabletopGrounder(world.spec)
    place = Environment(
        body=body,
        grounder=grounder,
        static_facts=grounder.static_facts,
        scene=scene,
        with_arm=arm_of(settings),
        planning_model=planning_model,
        read_qpos=lambda: world.qpos,
        states_header=states_header(settings),
        object_source=world.spec.object_source,
    )
    if supervised is not None:
        place.wrap, place.goal_time_s = supervised.wrap, supervised.goal_time_s
        place.pace, place.no_streaming = supervised.pace, supervised.no_streaming
    try:
        perception = perception_of(settings, route_of(settings))
        _open_perception(place, scene, perception, _sight(settings, place), supervised)
    except BaseException:
        place.close()
        raise
    return place


def _open_perception(
    place: Environment,
    scene: Scene,
    perception: str,
    sight: Callable[[Observation], Observation],
    supervised: Supervised | None,
) -> None:
    """Say how the robot perceives its scene.

    Raises:
        OptionError: There are no cameras.
    """
    from embodied.perception.perceivers import (
        CameraWorld,
        SharedPerceiver,
        TruthPerceiver,
        TwinCameras,
        camera_perceiver,
    )

    world = place.body.world
    if supervised is not None:
        from embodied.app.bridge.seeing import see_arm

        if see_arm(place, scene, supervised, sight):
            return
    place.about = {**place.about, "perception": perception}
    if perception == "truth":
        place.see = TruthPerceiver(world.spec, scene, sight)
        place.perceive, place.shows_all_uncovered = sight, True
        return
    drawn = ""
    if supervised is not None:
        if not supervised.simulated:
            raise OptionError(
                "perception pixels needs images, and no camera is connected to the arm behind the "
                "supervisor: use perception truth"
            )
        world = TwinCameras(supervised.world)
        place.release, drawn = world.close, ", drawn in the state of the simulated arm's plant"
    if not isinstance(world, CameraWorld):
        raise OptionError("perception pixels needs a world with cameras")
    shared = SharedPerceiver(perceiver=camera_perceiver(world))
    place.see, place.perceive = shared, lambda observation: sight(shared.perceive(observation))
    place.object_source = shared.source + drawn


def open_world(settings: Settings, scene: Scene) -> tuple[MujocoWorld | PybulletWorld, MjModel]:
    """Build the world, and the MuJoCo model that planners check motions in."""
    if settings.world == "pybullet":
        from embodied.world import pybullet

        return pybullet.build_world(scene), pybullet.planning_model(scene)
    from embodied.world import mujoco

    world = mujoco.build_world(scene, settings.robot)
    return world, mujoco.planning_model(scene, settings.robot)


def arm_of(settings: Settings) -> Callable[[Scene], MjSpec]:
    """What puts the arm of the settings into a scene, as an ``MjSpec``."""

    def with_arm(scene: Scene) -> MjSpec:
        from embodied.world import pybullet, robots
        from embodied.world.builder import build_spec

        if settings.robot == PYBULLET_ROBOT:
            return pybullet.planning_spec(scene)
        return build_spec(scene, robots.load(settings.robot))

    return with_arm


def states_header(settings: Settings) -> dict[str, object]:
    """What a painter needs: a user's own scene is given by its absolute path."""
    path = Path(settings.scene).expanduser()
    scene = str(path.resolve()) if path.is_file() else settings.scene
    robot = Settings().robot if settings.robot == PYBULLET_ROBOT else settings.robot
    return {"route": "pddl", "scene": scene, "robot": robot}


def open_named_model(settings: Settings) -> LoggedModel | None:
    """The language model of the settings, None for translators that need none."""
    if not needs_model(settings.model):
        return None
    from embodied.language.models import open_model, price_of

    return LoggedModel(
        open_model(
            settings.model,
            base_url=settings.base_url,
            fallbacks=settings.fallbacks or (),
            timeout_s=settings.timeout_s,
            max_output_tokens=settings.max_output_tokens,
            temperature=settings.temperature,
            reasoning_effort=settings.reasoning_effort,
            price_usd_per_million=price_of(settings.price) if settings.price else None,
            max_calls=settings.max_calls,
            max_tokens=settings.max_tokens,
            max_cost_usd=settings.max_cost_usd,
            record=settings.record,
        )
    )
