"""Options of the commands that carry out sentences: one table generates them all.

An option that the chosen route, robot or model does not take is refused with what it goes with;
nothing is dropped silently.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from embodied.settings import Settings

_WORLD, _MODEL, _OUTPUT = "World", "Language model", "Output"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the command line.

    Attributes:
        kind: Type of its value.
        default: Value where it is not given.
        flags: How it is written.
        help: What it means.
        panel: Group in the help.
        field: Field of ``Settings`` that it sets, ``""`` for none.
        at_least: Smallest number.
    """

    kind: Any
    default: Any
    flags: tuple[str, ...]
    help: str
    panel: str | None = None
    field: str = ""
    at_least: float | None = None

    @property
    def annotation(self) -> Any:
        """For the signature of a command."""
        return Annotated[
            self.kind,
            typer.Option(
                *self.flags, help=self.help, min=self.at_least, rich_help_panel=self.panel
            ),
        ]


OPTIONS: dict[str, Option] = {
    "scene": Option(str, "blocks", ("--scene",), "Scene name or scene file.", _WORLD, "scene"),
    "robot": Option(
        str,
        "fr3",
        ("--robot",),
        "Robot name, menagerie:NAME or the path of a model.",
        _WORLD,
        "robot",
    ),
    "world": Option(
        str,
        "mujoco",
        ("--world",),
        "Simulator: mujoco, or pybullet with the arm panda; bridge and bridge-pybullet: the same "
        "behind a safety supervisor.",
        _WORLD,
        "world",
    ),
    "route": Option(
        str,
        "auto",
        ("--route",),
        "pddl, reward, value-map or the name of an installed route; auto goes by the robot.",
        _WORLD,
        "route",
    ),
    "seed": Option(
        int, 0, ("--seed",), "Seed of the initial layout and of all sampling.", _WORLD, "seed", 0
    ),
    "model": Option(
        str,
        "offline",
        ("--model",),
        "offline (rules, then a narrow local model for what they refuse; no key, no network), "
        "rules (a deterministic grammar, no language model), openai:NAME, anthropic:NAME, "
        "local:PATH or replay:FILE.",
        _MODEL,
        "model",
    ),
    "base_url": Option(
        str | None,
        None,
        ("--base-url",),
        "Address of an OpenAI-compatible server.",
        _MODEL,
        "base_url",
    ),
    "max_tokens": Option(
        int | None, None, ("--max-tokens",), "Token budget.", _MODEL, "max_tokens", 1
    ),
    "max_calls": Option(
        int | None,
        None,
        ("--max-calls",),
        "Budget of model calls, failed ones included.",
        _MODEL,
        "max_calls",
        1,
    ),
    "record": Option(
        Path | None,
        None,
        ("--record",),
        "Record the model's answers for --model replay:FILE.",
        _MODEL,
        "record",
    ),
    "strategy": Option(
        str,
        "plan",
        ("--strategy",),
        "Route pddl: how the next action is chosen: plan, or with a model tree, react, hiagent, "
        "rewoo, code.",
        _MODEL,
        "strategy",
    ),
    "plan_time": Option(
        float,
        10.0,
        ("--plan-time",),
        "Route pddl: time limit of one planner call, s.",
        field="plan_time_s",
        at_least=0.1,
    ),
    "optimal": Option(
        bool, False, ("--optimal",), "Route pddl: prove that the plan is cheapest.", field="optimal"
    ),
    "asynchronous": Option(
        bool,
        False,
        ("--async",),
        "Route reward: plan in a thread while the robot moves in real time.",
        field="asynchronous",
    ),
    "optimiser": Option(
        str,
        "mppi",
        ("--optimiser",),
        "Route reward: sampling optimiser: mppi, cem or predictive-sampling.",
        field="optimiser",
    ),
    "yes": Option(
        bool,
        False,
        ("--yes", "-y"),
        "Route pddl: do not ask before irreversible actions.",
        field="yes",
    ),
    "live": Option(
        bool | None,
        None,
        ("--live/--turns",),
        "Route reward: sentences change the ongoing motion, or are carried out one after the other "
        "[default: live at a terminal].",
    ),
    "out": Option(Path, Path("runs"), ("--out",), "Folder for run folders.", _OUTPUT),
    "json": Option(bool, False, ("--json",), "Print one line of JSON and nothing else.", _OUTPUT),
    "quiet": Option(bool, False, ("--quiet", "-q"), "Print the verdict only.", _OUTPUT),
    "view": Option(
        bool, False, ("--view/--headless",), "Show the simulation in a window.", _OUTPUT
    ),
    "no_video": Option(bool, False, ("--no-video",), "Make no pictures and no video.", _OUTPUT),
}
"""Every option by the name of its parameter."""

WORLD = ("scene", "robot", "world", "route", "seed")
MODEL = ("model", "base_url", "max_tokens", "max_calls", "record")
PLANNING = ("plan_time", "optimal")
ACTING = ("strategy", "yes", "asynchronous", "optimiser")
OUTPUT = ("out", "json", "quiet")
SHOWING = ("view", "no_video")


def takes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of these names; it receives them by keyword."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        own = [
            p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[p.name])
            for p in inspect.signature(function).parameters.values()
            if p.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        added = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=OPTIONS[name].default,
                annotation=OPTIONS[name].annotation,
            )
            for name in names
        ]

        @functools.wraps(function)
        def command(**values: Any) -> None:
            function(**values)

        signature = inspect.Signature([*own, *added])
        command.__dict__["__signature__"] = signature
        command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        return command

    return decorate


def given(context: typer.Context) -> frozenset[str]:
    """Names of the options that were written on the command line."""
    sources = {n: context.get_parameter_source(n) for n in context.params}
    return frozenset(
        n for n, s in sources.items() if s is not None and s.name in ("COMMANDLINE", "ENVIRONMENT")
    )


def settings_of(values: dict[str, Any], written: Collection[str]) -> Settings:
    """Check what the command line says and make settings of it.

    Args:
        values: Values by the name of the option.
        written: Options that were given.

    Raises:
        typer.BadParameter: A wrong name, with the legal ones; an option that does not go with the
            others, with what it goes with.
    """
    from embodied.settings import Settings

    fields = {OPTIONS[n].field: v for n, v in values.items() if n in OPTIONS and OPTIONS[n].field}
    if fields.get("record") is not None:
        fields["record"] = str(fields["record"])
    settings = Settings(**fields, pictures=not values.get("no_video", False))
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
