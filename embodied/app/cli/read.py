"""The command ``read``: what a sentence is understood to mean, without planning or motion."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from embodied.app.cli.exit_codes import guarded
from embodied.app.cli.options import ReadValues, given, settings_of, takes_options

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING_DONE = ("ask", "refuse")
"""Kinds of readings that end with exit code 2."""


@takes_options
def read(
    context: typer.Context,
    sentence: Annotated[str | None, typer.Argument(help="What is said to the robot.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", help="Read JSON lines instead, each with text or turns; - is standard input."
        ),
    ] = None,
    **values: Unpack[ReadValues],
) -> None:
    """Read a sentence: its kind, its program, the words used and not used. Nothing moves.

    The kind is act, answer, tell, ask or refuse. A line of a file has text or turns, and may have
    scene, robot and route; its other keys are passed on. Exit codes: 0 act, answer or tell; 2 ask
    or refuse, or with --file a line that cannot be read; 3 environment or model error.
    """
    if (sentence is None) == (file is None):
        raise typer.BadParameter("give a sentence, or --file FILE")
    with guarded(values["json"]):
        from embodied.app.reading import SentenceReader, read_lines
        from embodied.app.show.terminal import print_json
        from embodied.records import Record

        show = print_json if values["json"] else _show
        reader = SentenceReader(settings_of(values, given(context)))
        try:
            if sentence is not None:
                found = reader.read(Record({"text": sentence}, "sentence"))
                show(found)
                raise typer.Exit(2 if found["kind"] in NOTHING_DONE else 0)
            assert file is not None
            broken = 0
            for found in read_lines(reader, _lines(file)):
                show(found)
                broken += "error" in found
            raise typer.Exit(2 if broken else 0)
        finally:
            reader.close()


def _lines(file: Path) -> list[str]:
    from embodied.files import read_text

    return sys.stdin.read().splitlines() if str(file) == "-" else read_text(file).splitlines()


def _show(found: Mapping[str, object]) -> None:
    """A reading for a person; a broken line goes to standard error."""
    from embodied.printable import printable

    if "error" in found:
        typer.secho(printable(f"line {found['line']}: {found['error']}"), err=True, fg="red")
        return
    number = f"{found['line']}. " if "line" in found else ""
    turns = found.get("turns", (found,))
    assert isinstance(turns, list | tuple)
    for turn in turns:
        text = f"{number}{turn['text']}\n" if number else ""
        typer.echo(printable(text + "\n".join(_words(turn))))


def _words(reading: Mapping[str, object]) -> list[str]:
    said = next(reading[k] for k in ("words", "question", "statement", "reason") if k in reading)
    lines = [f"{reading['kind']}: {said}"]
    if reading["kind"] == "ask":
        lines = [f"ask: {reading['question']}"]
    by = f"  by {reading['by']}, confidence {reading['confidence']}"
    for name, label in (("used", "used"), ("unused", "not used")):
        words = reading[name]
        assert isinstance(words, list)
        by += f"; {label}: {' '.join(map(str, words))}" if words else ""
    evidence = reading["evidence"]
    assert isinstance(evidence, list)
    return [*lines, by, *(f"  {e}" for e in evidence)]
