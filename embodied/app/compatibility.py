"""Which settings go together: names that exist, options that a route, robot or model takes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from embodied.app.wiring import (
    BRIDGE_WORLDS,
    PERCEPTIONS,
    PYBULLET_ROBOT,
    WORLDS,
    in_own_scene,
    perception_of,
    route_of,
)
from embodied.errors import OptionError
from embodied.language.opening import OFFLINE, RULES, TRANSLATORS, needs_model
from embodied.registry import unknown
from embodied.route import ROUTES
from embodied.routes.reward.robots import REWARD_ROBOTS
from embodied.settings import TOOLS, Settings

_METERED = ("max_tokens", "max_calls", "max_cost_usd", "record", "fallbacks")
_ASKED = ("timeout_s", "max_output_tokens", "temperature")
_ENDPOINTS = ("reasoning_effort", "price")


def check_names(settings: Settings, given: Collection[str]) -> Settings:
    """Settings in which every name exists; PyBullet's worlds take their own arm by default.

    Raises:
        ConfigurationError: A name does not exist; the message lists the legal ones.
    """
    from embodied_controllers.optimiser import OPTIMISERS

    from embodied.app.catalogue import robot_names
    from embodied.language.models import MODEL_KINDS, REASONING_EFFORTS, price_of
    from embodied.routes.pddl.tasks import STRATEGIES
    from embodied.world.scene import scene_names

    if settings.world not in WORLDS:
        raise unknown("world", settings.world, WORLDS)
    if settings.route not in ("auto", *ROUTES.names):
        raise unknown("route", settings.route, ("auto", *ROUTES.names))
    if settings.perception not in PERCEPTIONS:
        raise unknown("perception", settings.perception, PERCEPTIONS)
    if settings.strategy not in (*STRATEGIES.names, TOOLS):
        raise unknown("strategy", settings.strategy, (*STRATEGIES.names, TOOLS))
    if settings.optimiser not in OPTIMISERS:
        raise unknown("optimiser", settings.optimiser, OPTIMISERS.names)
    if not _is_kind(settings.model, MODEL_KINDS) and needs_model(settings.model):
        raise unknown("model", settings.model, (OFFLINE, RULES, *TRANSLATORS.names, *MODEL_KINDS))
    for other in settings.fallbacks or ():
        if not _is_kind(other, MODEL_KINDS):
            raise unknown("model", other, MODEL_KINDS)
    effort = settings.reasoning_effort
    if effort is not None and effort not in REASONING_EFFORTS:
        raise unknown("reasoning effort", effort, REASONING_EFFORTS)
    if settings.price is not None:
        price_of(settings.price)
    if settings.world in ("pybullet", "bridge-pybullet"):
        if "robot" not in given:
            settings = replace(settings, robot=PYBULLET_ROBOT)
        if settings.robot != PYBULLET_ROBOT:
            raise unknown("robot", settings.robot, (PYBULLET_ROBOT,))
    elif not settings.robot.startswith(("menagerie:", "package:")) and not _is_file(settings.robot):
        if settings.robot not in robot_names():
            others = "menagerie:NAME, package:NAME/FILE or the path of a robot model"
            raise unknown("robot", settings.robot, robot_names(), others)
    if settings.robot in REWARD_ROBOTS:
        own = REWARD_ROBOTS.get(settings.robot)
        scenes = (*own.scenes, *(scene_names() if own.arm is not None else ()))
        file = own.arm is not None and _is_file(settings.scene)
        if "scene" not in given:
            settings = replace(settings, scene=own.default_scene)
        elif settings.scene not in scenes and not file:
            raise unknown(f"scene of the {settings.robot}", settings.scene, scenes)
    elif not _is_file(settings.scene):
        if settings.scene not in scene_names():
            raise unknown("scene", settings.scene, scene_names(), "or the path of a scene file")
    return settings


def refusal(settings: Settings, given: Collection[str]) -> tuple[str, str] | None:
    """The first of the given settings that does not go with the others, and why.

    Args:
        settings: Settings whose names exist.
        given: Names of the fields that a person has set; ``live`` is the option of that name.

    Raises:
        ConfigurationError: The route cannot be loaded.
    """
    from embodied.language.models import ENDPOINT_KINDS

    route = ROUTES.get(route_of(settings))
    owned = {f: n for n in ROUTES.names for f in ROUTES.get(n).options}
    if settings.strategy == TOOLS:
        given = set(given) - {"strategy"}  # of every route
        kinds = (*ENDPOINT_KINDS, "replay:FILE")
        if not all(_is_kind(m, kinds) for m in (settings.model, *(settings.fallbacks or ()))):
            return "strategy", f"{TOOLS} needs models that call tools: {' or '.join(kinds)}"
    for field in sorted(given):
        if field in owned and field not in route.options:
            others = [n for n in ROUTES.names if field in ROUTES.get(n).options]
            goes_with = ", ".join(others)
            return field, f"goes with the route {goes_with}; this is the route {route.name}"
    if "world" in given and settings.robot in REWARD_ROBOTS and settings.world != "mujoco":
        return "world", f"the {settings.robot} plans and moves in mujoco"
    for field in _METERED:
        if field in given and not needs_model(settings.model):
            return field, "goes with a language model (--model openai:NAME ...), not with " + (
                settings.model
            )
    models = (settings.model, *(settings.fallbacks or ()))
    for fields, kinds, asked in (
        (_ASKED, (*ENDPOINT_KINDS, "local:PATH"), models),
        (_ENDPOINTS, ENDPOINT_KINDS, (settings.model,)),
        (("base_url",), ENDPOINT_KINDS, (settings.model,)),
    ):
        for field in fields:
            if field in given and not any(_is_kind(model, kinds) for model in asked):
                goes_with = " or ".join(kinds)
                return field, f"goes with --model {goes_with}, not with --model {settings.model}"
    if "max_cost_usd" in given and settings.price is None:
        return "max_cost_usd", "goes with --price: without it nobody knows what a call costs"
    if settings.all_seeing and in_own_scene(settings):
        return "all_seeing", f"nothing is hidden where the {settings.robot} is"
    try:
        perception_of(settings, route.name)
    except OptionError as error:
        return "perception", str(error)
    if "route" in given and settings.world in BRIDGE_WORLDS and not route.supervised:
        return "route", f"the route {route.name} does not move an arm behind a supervisor"
    return None


def _is_kind(model: str, kinds: Collection[str]) -> bool:
    kind, _, rest = model.partition(":")
    return bool(rest) and kind in {k.partition(":")[0] for k in kinds}


def _is_file(name: str) -> bool:
    return Path(name).expanduser().is_file()
