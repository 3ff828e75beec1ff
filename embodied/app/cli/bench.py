"""The command ``embodied bench``: published benchmarks; each is imported when it runs."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from embodied.app.cli.exit_codes import guarded

bench = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Published benchmarks. Killed and started again with the same folder, they go on.",
)

PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@bench.command()
def llmp(
    data: Annotated[Path, typer.Option("--data", help="Folder in the published layout.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of results.")] = Path("bench/llmp"),
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", help="oracle, anytime, llm+p, llm+p-no-example, llm."),
    ] = None,
    domains: Annotated[
        list[str] | None, typer.Option("--domain", help="Domain folder; repeatable. All if none.")
    ] = None,
    plan_time: Annotated[
        float, typer.Option("--plan-time", min=0.1, help="Seconds per task.")
    ] = 10.0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Tasks at the same time.")] = 2,
    executor: Annotated[
        str, typer.Option("--executor", help="process, serial or ray.")
    ] = "process",
    model: Annotated[
        str | None, typer.Option("--model", help="As for run, for the text methods.")
    ] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Of that model.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="Budget of each task.")
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option("--max-calls", min=1, help="Budget of each task.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """LLM+P: natural-language planning problems, checked against the true ones."""
    with guarded(json):
        from embodied.bench.llmp.suite import run_llmp

        options: dict[str, Any] = {
            "base_url": base_url,
            "max_tokens": max_tokens,
            "max_calls": max_calls,
        }
        code = run_llmp(
            data,
            out,
            methods=methods or ["oracle"],
            domains=domains,
            time_s=plan_time,
            jobs=jobs,
            executor=executor,
            model=model,
            json_output=json,
            progress=not json,
            model_options={k: v for k, v in options.items() if v is not None},
        )
        raise typer.Exit(code)


@bench.command(context_settings=PASS_ON)
def l2r(context: typer.Context) -> None:
    """Language to Rewards: 17 tasks of a quadruped and a hand (--help for options)."""
    hand_over("embodied.bench.l2r.suite", context.args)


@bench.command(context_settings=PASS_ON)
def translate(context: typer.Context) -> None:
    """Accuracy of all translators on hand-written and held-out sentences (--help for options)."""
    hand_over("embodied.bench.translate.suite", context.args)


@bench.command(context_settings=PASS_ON)
def voxposer(context: typer.Context) -> None:
    """VoxPoser: 13 simulated and 5 real-task analogues by value maps (--help for options)."""
    hand_over("embodied.bench.voxposer.suite", context.args)


@bench.command(context_settings=PASS_ON)
def statler(context: typer.Context) -> None:
    """Statler: beliefs over conversations, shell games and long sessions (--help for options)."""
    hand_over("embodied.bench.statler.suite", context.args)


def hand_over(module: str, arguments: Sequence[str]) -> None:
    """Let the module's own ``main`` read the rest of the command line."""
    with guarded(json="--json" in arguments):
        from embodied.errors import EnvironmentMissingError

        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            extra = f": it needs the package {error.name}" if error.name != module else ""
            raise EnvironmentMissingError(f"this installation has no {module}{extra}") from error
        raise typer.Exit(int(found.main(list(arguments)) or 0))
