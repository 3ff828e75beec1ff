"""Benchmarks of the closed loop: ``embodied bench critic``, ``disturb`` and ``strategies``."""

from __future__ import annotations

from collections.abc import Callable

import typer

from embodied.app.cli.bench import PASS_ON, hand_over

_BENCHES = {
    "strategies": "Ways to use a model on the same tasks: success, recall, tokens, calls",
    "critic": "Outcomes of single actions, and how well the critic predicts them",
    "disturb": "Disturbances while the arm works: noticed, recovered, wasted",
}


def add_loop_benches(bench: typer.Typer) -> None:
    """Add the commands to ``embodied bench``."""
    for name, help_text in _BENCHES.items():
        bench.command(name, context_settings=PASS_ON, help=f"{help_text} (--help for options).")(
            _command(f"embodied.bench.{name}")
        )


def _command(module: str) -> Callable[[typer.Context], None]:
    def command(context: typer.Context) -> None:
        hand_over(module, context.args)

    return command
