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

from embodied.errors import Diagnostic
from embodied.tables import load_toml, read_table

if TYPE_CHECKING:
    from embodied.settings import Settings


class OutputValues(TypedDict):
    """Values of the options that every command takes which makes run folders."""

    out: Path
    json: bool
    quiet: bool


class ReadValues(TypedDict):
    """Values of the options of ``read``."""

    scene: str
    robot: str
    world: str
    route: str
    perception: str
    all_seeing: bool
    seed: int
    model: str
    base_url: str | None
    max_tokens: int | None
    max_calls: int | None
    max_cost: float | None
    timeout: float
    max_output_tokens: int | None
    temperature: float | None
    reasoning_effort: str | None
    price: str | None
    fallback: list[str] | None
    record: Path | None
    json: bool


class ServeValues(TypedDict):
    """Values of the options of ``mcp``."""

    out: Path
    scene: str
    robot: str
    world: str
    route: str
    perception: str
    all_seeing: bool
    seed: int
    plan_time: float
    optimal: bool
    yes: bool
    optimiser: str


class PlanValues(OutputValues, ReadValues):
    """Values of the options of ``plan``."""

    plan_time: float
    optimal: bool


class ConsoleValues(PlanValues):
    """Values of the options of ``serve``."""

    yes: bool
    optimiser: str


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


class DemoValues(ReadValues):
    """Values of the options of ``demos``."""

    plan_time: float
    strategy: str


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
        flags: How it is written.
        help: What it means.
        default: Value where it is not given.
        panel: Group in the help.
        field: Field of ``Settings`` that it sets, ``""`` for none.
        at_least: Smallest number.
    """

    flags: tuple[str, ...]
    help: str
    default: object = None
    panel: str | None = None
    field: str = ""
    at_least: float | None = None


def _options() -> dict[str, Option]:
    path = Path(__file__).with_name("options.toml")
    problems: list[Diagnostic] = []
    found = {n: read_table(Option, t, n, problems) for n, t in load_toml(path).items()}
    assert not problems, problems
    return {name: option for name, option in found.items() if option is not None}


OPTIONS: Mapping[str, Option] = _options()
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
        o, kind = OPTIONS[parameter.name], kinds[parameter.name]
        least = o.at_least if kind is float or o.at_least is None else int(o.at_least)
        is_path = kind in (Path, Path | None)
        shown = typer.Option(
            *o.flags,
            help=o.help,
            min=least,
            rich_help_panel=o.panel,
            parser=_path if is_path else None,
            metavar="<path>" if is_path else None,
        )
        hints[parameter.name] = Annotated[kind, shown]

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


def _path(text: str | Path) -> Path:
    if text == "":  # it would stand for the current folder
        raise typer.BadParameter("is empty: give a path, . for the current folder")
    return Path(text)


def given(context: typer.Context) -> frozenset[str]:
    """Names of the options that were written on the command line."""
    sources = {n: context.get_parameter_source(n) for n in context.params}
    return frozenset(
        n for n, s in sources.items() if s is not None and s.name in ("COMMANDLINE", "ENVIRONMENT")
    )


def settings_of(values: ReadValues | ServeValues, written: Collection[str]) -> Settings:
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
    fields["fallbacks"] = tuple(values.get("fallback") or ()) or None
    if values.get("record") is not None:
        fields["record"] = str(values.get("record"))
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
