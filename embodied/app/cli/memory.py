"""The commands ``embodied memory``: what a run believed, when, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embodied.app.cli.exit_codes import guarded

if TYPE_CHECKING:
    from embodied.memory import Change, Memory

memory = typer.Typer(
    name="memory",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="What a run believed, when, and why.",
)

FolderArgument = Annotated[Path, typer.Argument(help="Run folder.")]
StepOption = Annotated[
    int | None, typer.Option("--step", min=0, help="State after this step [default: the last].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@memory.command()
def show(folder: FolderArgument, step: StepOption = None, json_output: JsonOption = False) -> None:
    """Show what is believed, and where each belief comes from."""
    with guarded(json_output):
        state = _state(folder, step)
        facts = sorted(state.beliefs.values(), key=lambda f: f.atom)
        if json_output:
            record = {
                "step": state.step,
                "time_s": state.time_s,
                "facts": [f.to_json() for f in facts],
                "relations": [str(r) for r in state.quantities.rows.values()],
            }
            typer.echo(json.dumps(record))
            return
        _say(f"after step {state.step}, at {state.time_s:g} s:")
        for f in facts:
            source = f"{f.provenance.value} at {f.time_s:g} s, p = {f.confidence:.2g}"
            _say(f"  {f!s:<44} {source}")
        for row in state.quantities.rows.values():
            _say(f"  {row!s:<44} derived")


@memory.command()
def replay(
    folder: FolderArgument,
    full: Annotated[bool, typer.Option("--full", help="Also show steps without changes.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Show every change, in order."""
    with guarded(json_output):
        from embodied.app.record.memory_log import read_run

        start, changes = read_run(folder)
        if json_output:
            typer.echo(json.dumps([c.to_json() for c in changes]))
            return
        state = start
        for change in changes:
            lines = _change_lines(state, change)
            state = state.applied(change)
            if lines or full:
                _say(f"{change.step}. {change.time_s:g} s, {change.cause}")
                for line in lines:
                    _say(f"     {line}")


@memory.command()
def ask(
    folder: FolderArgument,
    question: Annotated[str, typer.Argument(help='E.g. "where is the red block?"')],
    step: StepOption = None,
    json_output: JsonOption = False,
) -> None:
    """Answer a question from what was believed; exit code 2 when it is not understood."""
    with guarded(json_output):
        from embodied.app.record.memory_log import read_belief
        from embodied.memory.answering import ask as answered

        belief = read_belief(folder, step)
        given = answered(question, belief)
        if json_output:
            record = {"question": question, "answer": given.words, "text": given.text}
            typer.echo(json.dumps({**record, "step": belief.memory.step}))
            return
        _say(given.text)


def _state(folder: Path, step: int | None) -> Memory:
    from embodied.app.record.memory_log import read_belief

    return read_belief(folder, step).memory


def _say(text: str) -> None:
    from embodied.printable import printable

    typer.echo(printable(text))


def _change_lines(before: Memory, change: Change) -> list[str]:
    lines = [f"+ {f}" for f in change.put if before.value(f.atom) != f.value]
    lines += [f"- {a}" for a in change.dropped if a in before.beliefs]
    lines += [f"~ {n}" for n in change.notes]
    return lines
