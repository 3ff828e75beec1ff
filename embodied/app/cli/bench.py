"""The command ``embodied bench``: benchmarks, found by name; each is imported when it runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from embodied.app.cli.exit_codes import guarded
from embodied.bench import BENCHMARKS

PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

Folder = Annotated[Path, typer.Argument(help="Folder of results.")]
Json = Annotated[bool, typer.Option("--json", help="Report as JSON.")]


bench = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Benchmarks. `bench NAME` is short for `bench run NAME`. A killed run that is started "
    "again with the same folder continues.",
)


@bench.command("list")
def list_benchmarks(json: Json = False) -> None:
    """List the benchmarks."""
    with guarded(json):
        from embodied.app.show.terminal import print_json

        found = {name: _summary(name) for name in BENCHMARKS.names}
        if json:
            print_json({"benchmarks": found})
        else:
            typer.echo("\n".join(f"{name:14} {text}" for name, text in found.items()))


@bench.command(context_settings=PASS_ON)
def run(context: typer.Context) -> None:
    """Run a benchmark, or continue it (run NAME --help lists its options)."""
    arguments = context.args or [""]
    if arguments[0] in ("-h", "--help"):
        typer.echo(f"usage: embodied bench run NAME [options], NAME: {', '.join(BENCHMARKS.names)}")
        return
    _run(arguments[0], arguments[1:])


@bench.command()
def report(folder: Folder, json: Json = False) -> None:
    """Make the report, table and figures again from a folder of results."""
    with guarded(json):
        from embodied.bench.benchmark import reopened, show

        benchmark, settings, rows = reopened(folder)
        raise typer.Exit(show(benchmark, settings, rows, folder, as_json=json))


@bench.command()
def compare(first: Folder, second: Folder, json: Json = False) -> None:
    """Compare two folders of results: differences with 95% confidence intervals."""
    with guarded(json):
        from embodied.app.show.terminal import print_json
        from embodied.bench.comparing import compare, table

        rows = compare(first, second)
        if json:
            print_json({"measures": rows})
        else:
            typer.echo(table(rows), nl=False)


def hand_over(module: str, arguments: Sequence[str]) -> None:
    """Let the module's own ``main`` read the rest of the command line."""
    _guarded(lambda: int(importlib.import_module(module).main(list(arguments)) or 0), arguments)


def _summary(name: str) -> str:
    """One line about a benchmark; what it lacks, where its packages are not installed."""
    try:
        return BENCHMARKS.get(name).summary
    except ImportError as error:
        return f"(cannot run here: {error})"


def _run(name: str, arguments: Sequence[str]) -> None:
    def named() -> int:
        from embodied.bench.benchmark import main

        return main(BENCHMARKS.get(name), arguments)

    _guarded(named, arguments)


def _command(name: str) -> Callable[[typer.Context], None]:
    def command(context: typer.Context) -> None:
        _run(name, context.args)

    return command


def _guarded(work: Callable[[], int], arguments: Sequence[str]) -> None:
    with guarded(json="--json" in arguments):
        from embodied.errors import EnvironmentMissingError

        try:
            code = work()
        except EnvironmentMissingError as error:
            if not {"-h", "--help"} & {*arguments}:
                raise
            code = 0
            typer.echo(f"Its options can be listed once it can run: {error}")
        except ModuleNotFoundError as error:
            raise EnvironmentMissingError(
                f"this installation lacks the package {error.name}"
            ) from error
        raise typer.Exit(code)


for _name in BENCHMARKS.names:
    bench.command(_name, context_settings=PASS_ON, help=f"Short for: run {_name}.")(_command(_name))
