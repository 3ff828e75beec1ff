"""The command ``embodied verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embodied.app.cli.exit_codes import guarded


def verify(
    folders: Annotated[
        list[Path], typer.Argument(help="Run folders, or folders of them.", show_default=False)
    ],
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", help="Trust this public key (PEM) instead of your own; repeatable."),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--states/--no-states", help="Hold the verdict against the recorded states."),
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Check a run against its signed receipt.

    Exit codes: 0 unaltered and reached, 1 unaltered and not reached, 3 not what was signed.
    """
    with guarded(json):
        from embodied.app.show.terminal import print_json
        from embodied.app.verify import as_json, lines_of
        from embodied.app.verify import verify as verify_all
        from embodied.printable import printable
        from embodied.receipts.checking import Trust, check_chain
        from embodied.receipts.keys import state_folder
        from embodied.receipts.statement import NOT_PROVEN

        trust = Trust.of(key or (), state_folder())
        found, code = verify_all(folders, trust, again=again)
        if json:
            print_json({**as_json(found, code), "gone": trust.gone(folders)})
            raise typer.Exit(code)
        for line in (line for one in found for line in lines_of(one)):
            typer.echo(printable(line))
        for line in (*check_chain([one.checked for one in found]), *trust.gone(folders)):
            typer.echo(printable(f"chain: {line}"))
        if any(one.judged is not None for one in found):
            typer.echo("A signature does not prove:")
            for line in NOT_PROVEN:
                typer.echo(f"  {line};")
        raise typer.Exit(code)
