"""From settings to a session: the only place where all parts meet; heavy imports come late."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embodied.app.settings import (
    BRIDGE_WORLDS,
    PYBULLET_ROBOT,
    REWARD_ROBOTS,
    ROUTES,
    WORLDS,
    Session,
    Settings,
    check_pybullet_arm,
    reward_route,
)
from embodied.errors import ConfigurationError

if TYPE_CHECKING:
    from embodied.app.bridge.session import Supervised
    from embodied.language.models.logged import LoggedModel
    from embodied.protocols import Controller, SymbolGrounder, Translator
    from embodied.routes.pddl.route import TabletopSession
    from embodied.world.mujoco import MujocoWorld
    from embodied.world.pybullet import PybulletWorld
    from embodied.world.scene import Scene

RULES = "rules"
OFFLINE = "offline"
RULES_NOTE = "a deterministic grammar, not a language model"


def open_session(settings: Settings) -> Session:
    """Build the world and everything that moves it.

    Raises:
        ConfigurationError: A scene, robot, model or route that does not exist or is broken.
        EnvironmentMissingError: A package is missing; the message says how to install it.
        ModelError: The model's key is missing.
    """
    if settings.route not in ROUTES:
        raise ConfigurationError(
            f"unknown route {settings.route!r}: choose from {', '.join(ROUTES)}"
        )
    if settings.world not in WORLDS:
        raise ConfigurationError(
            f"unknown world {settings.world!r}: choose from {', '.join(WORLDS)}"
        )
    if settings.moves_by_rewards:
        if settings.world != "mujoco":
            raise ConfigurationError(
                f"the route reward plans and moves in MuJoCo; --world {settings.world} needs"
                " --route pddl"
            )
        return reward_route().open_reward_session(settings)
    if settings.world in BRIDGE_WORLDS:
        from embodied.app.bridge.session import open_bridge_session

        return open_bridge_session(settings)[0]
    if settings.route == "value-map":
        from embodied.routes.value_map.route import open_value_map_session

        return open_value_map_session(settings)
    if settings.world == "pybullet":
        check_pybullet_arm(settings)
    if settings.robot in REWARD_ROBOTS:
        raise ConfigurationError(
            f"the route pddl moves the arm fr3; robot {settings.robot!r} needs --route reward"
        )
    return open_tabletop(settings)


def open_tabletop(settings: Settings, supervised: Supervised | None = None) -> TabletopSession:
    """Build a session of the PDDL route; raises as ``open_session`` does.

    Args:
        settings: What the command line says.
        supervised: An arm behind a supervisor; None opens the simulator of the settings.
    """
    from embodied_controllers.trajectory import TrajectoryController
    from embodied_planners.motion import MotionPlanner
    from embodied_planners.pddl import Planner, explain_plan
    from embodied_planners.skills import TabletopSkills

    from embodied.agent import Options
    from embodied.app.asking import asker, open_strategy
    from embodied.app.bridge.session import GOAL_TIME_S
    from embodied.routes.pddl.critic import tabletop_critic
    from embodied.routes.pddl.route import Parts, TabletopSession
    from embodied.world.grounding import TabletopGrounder
    from embodied.world.scene import load_scene

    scene = load_scene(settings.scene)
    options = Options(plan_time_s=settings.plan_time_s, tidy="(hand-empty)")
    if supervised is None:
        world, model_to_plan = open_world(settings, scene)
        controller: Controller[Any] = TrajectoryController(world.spec)
    else:
        world, model_to_plan = supervised.world, supervised.planning_model
        controller = supervised.wrap(TrajectoryController(world.spec))
        options = replace(options, goal_time_s=GOAL_TIME_S)
    grounder = TabletopGrounder(world.spec)
    translator, model = open_translator(settings, grounder, scene)
    motion = MotionPlanner(model_to_plan, world.spec, seed=settings.seed)
    parts = Parts(
        world=world,
        read_qpos=lambda: world.qpos,
        grounder=grounder,
        translator=translator,
        planner=Planner(optimal=settings.optimal),
        skills=TabletopSkills(motion, world.spec),
        controller=controller,
        explain=explain_plan,
        model=model,
        static_facts=grounder.static_facts,
        about={
            "scene": settings.scene,
            "robot": settings.robot,
            "world": settings.world,
            "route": "pddl",
            "model": settings.model,
            "seed": settings.seed,
        },
        states_header=states_header(settings),
        translator_note=RULES_NOTE if settings.model == RULES else "",
        options=options,
        strategy=open_strategy(settings, model),
        critic=tabletop_critic(world.spec),
        ask=asker(settings.yes),
    )
    return TabletopSession(parts, seed=settings.seed)


def open_world(settings: Settings, scene: Scene) -> tuple[MujocoWorld | PybulletWorld, Any]:
    """Build the world, and the MuJoCo model that planners check motions in."""
    if settings.world == "pybullet":
        from embodied.world import pybullet

        return pybullet.build_world(scene), pybullet.planning_model(scene)
    from embodied.world import mujoco

    world = mujoco.build_world(scene, settings.robot)
    return world, mujoco.planning_model(scene, settings.robot)


def open_translator(
    settings: Settings, grounder: SymbolGrounder, scene: Scene
) -> tuple[Translator, LoggedModel | None]:
    """Open who turns sentences into goals, and the language model that this needs, if any."""
    if settings.model == RULES:
        from embodied.language.pddl.rules import RulesTranslator

        return RulesTranslator(grounder.domain_text, grounder.objects), None
    if settings.model == OFFLINE:
        from embodied.language.offline.offline import offline_translator
        from embodied.language.pddl.rules import RulesTranslator

        rules = RulesTranslator(grounder.domain_text, grounder.objects)
        return offline_translator(
            rules, "goal", domain_text=grounder.domain_text, objects=grounder.objects
        ), None
    from embodied.language.models.logged import LoggedModel
    from embodied.language.pddl.scene_translator import SceneTranslator

    model = LoggedModel(open_named_model(settings))
    translator = SceneTranslator(
        model,
        grounder.domain_text,
        grounder.objects,
        emit=lambda event: model.emit(event),
        log_calls=False,
    )
    return translator, model


def open_named_model(settings: Settings) -> Any:
    """Open the model of the settings; raises ConfigurationError, ModelError."""
    from embodied.language.models import open_model

    return open_model(
        settings.model,
        base_url=settings.base_url,
        max_calls=settings.max_calls,
        max_tokens=settings.max_tokens,
        record=settings.record,
    )


def states_header(settings: Settings) -> dict[str, Any]:
    """What a painter needs: a user's own scene is given by its absolute path."""
    path = Path(settings.scene).expanduser()
    scene = str(path.resolve()) if path.is_file() else settings.scene
    robot = Settings().robot if settings.robot == PYBULLET_ROBOT else settings.robot
    return {"route": "pddl", "scene": scene, "robot": robot}
