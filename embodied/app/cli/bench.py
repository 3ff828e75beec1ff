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
        from embodied.bench.outside import elsewhere

        found = [_listed(name) for name in BENCHMARKS.names]
        found += [
            {"name": s.name, "measures": s.summary, "runs_here": False, "why_not": s.reason}
            for s in elsewhere().values()
        ]
        if json:
            print_json({"benchmarks": found})
            return
        for one in found:
            details = [str(one[k]) for k in ("routes", "size", "pins", "licence") if one.get(k)]
            why = f"cannot run here: {one['why_not']}" if one["why_not"] else ""
            lines = [f"{one['name']:14} {one['measures']}", "; ".join(details), why]
            typer.echo(f"\n{' ' * 15}".join(line for line in lines if line))


@bench.command(context_settings=PASS_ON)
def run(context: typer.Context) -> None:
    """Run a benchmark, or continue it (run NAME --help lists its options)."""
    arguments = context.args or [""]
    if arguments[0] in ("-h", "--help"):
        typer.echo(f"usage: embodied bench run NAME [options], NAME: {', '.join(BENCHMARKS.names)}")
        return
    _run(arguments[0], arguments[1:])


@bench.command()
def setup(
    name: Annotated[str, typer.Argument(help="Name of a benchmark.")],
    data: Annotated[
        Path | None, typer.Option(help="Install from the wheels in this folder.")
    ] = None,
    json: Json = False,
) -> None:
    """Make the environment of a benchmark that needs its own; downloads from the package index."""
    with guarded(json):
        from embodied.errors import ConfigurationError

        suite = BENCHMARKS.get(name).about.suite
        if suite is None:
            raise ConfigurationError(f"{name} needs no environment of its own")
        suite.set_up(lambda line: typer.echo(line, err=True), data)


@bench.command()
def retry(folder: Folder, json: Json = False) -> None:
    """Run again the cases of a folder that ended in an error or got no answer, and report."""
    with guarded(json):
        from embodied.bench.benchmark import measure, reopened, show

        benchmark, settings, _ = reopened(folder)
        rows = measure(benchmark, settings, folder, progress=not json, retry_errors=True)
        raise typer.Exit(show(benchmark, settings, rows, folder, as_json=json))


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
        from embodied.bench.comparing import compare, sides, table

        rows, about = compare(first, second), sides(first, second)
        if json:
            print_json({"compared": about, "measures": rows})
        else:
            typer.echo(table(rows, about), nl=False)


def hand_over(module: str, arguments: Sequence[str]) -> None:
    """Let the module's own ``main`` read the rest of the command line."""
    _guarded(lambda: int(importlib.import_module(module).main(list(arguments)) or 0), arguments)


def _listed(name: str) -> dict[str, object]:
    """What ``list`` says of a benchmark; what it lacks, where its packages are not installed."""
    try:
        benchmark = BENCHMARKS.get(name)
    except ImportError as error:
        return {"name": name, "measures": "", "runs_here": False, "why_not": str(error)}
    about, why = benchmark.about, benchmark.about.missing()
    return {
        "name": name,
        "measures": benchmark.summary,
        "routes": ", ".join(about.routes),
        "size": about.size,
        "pins": about.pins,
        "licence": about.licence,
        "runs_here": not why,
        "why_not": why,
    }


def _run(name: str, arguments: Sequence[str]) -> None:
    def named() -> int:
        from embodied.bench.benchmark import main
        from embodied.bench.outside import elsewhere
        from embodied.errors import EnvironmentMissingError

        if name in (known := elsewhere()):
            raise EnvironmentMissingError(f"{name} cannot run here: {known[name].reason}")
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
