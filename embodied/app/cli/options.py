"""Options of the commands that carry out sentences: one table generates them all.

An option that the chosen route, robot or model does not take is refused with what it goes with;
nothing is dropped silently.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict, get_args, get_type_hints

import typer

if TYPE_CHECKING:
    from embodied.settings import Settings

_WORLD, _MODEL, _OUTPUT = "World", "Language model", "Output"


class OutputValues(TypedDict):
    """Values of the options that every command takes which makes run folders."""

    out: Path
    json: bool
    quiet: bool


class PlanValues(OutputValues):
    """Values of the options of ``plan``."""

    scene: str
    robot: str
    world: str
    route: str
    seed: int
    model: str
    base_url: str | None
    max_tokens: int | None
    max_calls: int | None
    record: Path | None
    plan_time: float
    optimal: bool


class ShowValues(OutputValues):
    """Values of the options of ``replay``."""

    view: bool
    no_video: bool


class RunValues(PlanValues, ShowValues):
    """Values of the options of ``run``."""

    strategy: str
    yes: bool
    asynchronous: bool
    optimiser: str


class ChatValues(RunValues):
    """Values of the options of ``chat``."""

    live: bool | None


class SceneValues(TypedDict):
    """Values of the options of ``scenes``."""

    robot: str
    seed: int
    json: bool


class DoctorValues(TypedDict):
    """Values of the options of ``doctor``."""

    out: Path
    json: bool


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the command line.

    Attributes:
        default: Value where it is not given.
        flags: How it is written.
        help: What it means.
        panel: Group in the help.
        field: Field of ``Settings`` that it sets, ``""`` for none.
        at_least: Smallest number.
    """

    default: object
    flags: tuple[str, ...]
    help: str
    panel: str | None = None
    field: str = ""
    at_least: float | None = None


OPTIONS: Mapping[str, Option] = {
    "scene": Option("blocks", ("--scene",), "Scene name or scene file.", _WORLD, "scene"),
    "robot": Option(
        "fr3", ("--robot",), "Robot name, menagerie:NAME or the path of a model.", _WORLD, "robot"
    ),
    "world": Option(
        "mujoco",
        ("--world",),
        "Simulator: mujoco, or pybullet with the arm panda; bridge and bridge-pybullet: the same "
        "behind a safety supervisor.",
        _WORLD,
        "world",
    ),
    "route": Option(
        "auto",
        ("--route",),
        "pddl, reward, value-map or the name of an installed route; auto goes by the robot.",
        _WORLD,
        "route",
    ),
    "seed": Option(
        0, ("--seed",), "Seed of the initial layout and of all sampling.", _WORLD, "seed", 0
    ),
    "model": Option(
        "offline",
        ("--model",),
        "offline (rules, then a narrow local model for what they refuse; no key, no network), "
        "rules (a deterministic grammar, no language model), openai:NAME, anthropic:NAME, "
        "local:PATH or replay:FILE.",
        _MODEL,
        "model",
    ),
    "base_url": Option(
        None, ("--base-url",), "Address of an OpenAI-compatible server.", _MODEL, "base_url"
    ),
    "max_tokens": Option(None, ("--max-tokens",), "Token budget.", _MODEL, "max_tokens", 1),
    "max_calls": Option(
        None,
        ("--max-calls",),
        "Budget of model calls, failed ones included.",
        _MODEL,
        "max_calls",
        1,
    ),
    "record": Option(
        None, ("--record",), "Record the model's answers for --model replay:FILE.", _MODEL, "record"
    ),
    "strategy": Option(
        "plan",
        ("--strategy",),
        "Route pddl: how the next action is chosen: plan, or with a model tree, react, hiagent, "
        "rewoo, code.",
        _MODEL,
        "strategy",
    ),
    "plan_time": Option(
        10.0,
        ("--plan-time",),
        "Route pddl: time limit of one planner call, s.",
        field="plan_time_s",
        at_least=0.1,
    ),
    "optimal": Option(
        False, ("--optimal",), "Route pddl: prove that the plan is cheapest.", field="optimal"
    ),
    "yes": Option(
        False, ("--yes", "-y"), "Route pddl: do not ask before irreversible actions.", field="yes"
    ),
    "asynchronous": Option(
        False,
        ("--async",),
        "Route reward: plan in a thread while the robot moves in real time.",
        field="asynchronous",
    ),
    "optimiser": Option(
        "mppi",
        ("--optimiser",),
        "Route reward: sampling optimiser: mppi, cem or predictive-sampling.",
        field="optimiser",
    ),
    "live": Option(
        None,
        ("--live/--turns",),
        "Route reward: sentences change the ongoing motion, or are carried out one after the other "
        "[default: live at a terminal].",
    ),
    "out": Option(Path("runs"), ("--out",), "Folder for run folders.", _OUTPUT),
    "json": Option(False, ("--json",), "Print one line of JSON and nothing else.", _OUTPUT),
    "quiet": Option(False, ("--quiet", "-q"), "Print the verdict only.", _OUTPUT),
    "view": Option(False, ("--view/--headless",), "Show the simulation in a window.", _OUTPUT),
    "no_video": Option(False, ("--no-video",), "Make no pictures and no video.", _OUTPUT),
}
"""Every option by the name of its parameter."""


def takes_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that its ``**values: Unpack[...]`` name, in the table's order."""
    hints = get_type_hints(function, include_extras=True)
    own = list(inspect.signature(function).parameters.values())
    kinds = get_type_hints(get_args(hints[own.pop().name])[0])
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option.default)
        for name, option in OPTIONS.items()
        if name in kinds
    ]
    for parameter in added:
        o = OPTIONS[parameter.name]
        shown = typer.Option(*o.flags, help=o.help, min=o.at_least, rich_help_panel=o.panel)
        hints[parameter.name] = Annotated[kinds[parameter.name], shown]

    @functools.wraps(function)
    def command(**values: object) -> None:
        function(**values)

    parameters = [
        p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[p.name])
        for p in (*own, *added)
    ]
    command.__dict__["__signature__"] = inspect.Signature(parameters)
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def given(context: typer.Context) -> frozenset[str]:
    """Names of the options that were written on the command line."""
    sources = {n: context.get_parameter_source(n) for n in context.params}
    return frozenset(
        n for n, s in sources.items() if s is not None and s.name in ("COMMANDLINE", "ENVIRONMENT")
    )


def settings_of(values: PlanValues, written: Collection[str]) -> Settings:
    """Check what the command line says and make settings of it.

    Args:
        values: Values by the name of the option.
        written: Options that were given.

    Raises:
        typer.BadParameter: A wrong name, with the legal ones; an option that does not go with the
            others, with what it goes with.
    """
    from embodied.settings import Settings

    fields = {OPTIONS[n].field: v for n, v in values.items() if OPTIONS[n].field}
    if values["record"] is not None:
        fields["record"] = str(values["record"])
    pictures = not values.get("no_video", False)
    settings = replace(Settings(pictures=pictures), **fields)  # pyright: ignore[reportArgumentType]
    return checked(settings, {OPTIONS[n].field or n for n in written if n in OPTIONS})


def checked(settings: Settings, chosen: Collection[str]) -> Settings:
    """Settings whose names exist and that go together; raises as ``settings_of`` does.

    Args:
        settings: What was asked for.
        chosen: Names of the fields that a person has set.
    """
    from embodied.app.compatibility import check_names, refusal
    from embodied.errors import ConfigurationError
    from embodied.printable import printable

    try:
        settings = check_names(settings, chosen)
        problem = refusal(settings, chosen)
    except ConfigurationError as error:
        raise typer.BadParameter(printable(str(error))) from error
    if problem is not None:
        name, reason = problem
        flag = next(o.flags[0] for n, o in OPTIONS.items() if (o.field or n) == name)
        raise typer.BadParameter(reason, param_hint=flag)
    return settings
