"""The command ``serve``: one session, with a console in the browser."""

from __future__ import annotations

from typing import Annotated, Unpack

import typer

from embodied.app.cli.exit_codes import guarded
from embodied.app.cli.options import ConsoleValues, given, settings_of, takes_options

DEFAULT_PORT = 8090


@takes_options
def serve(
    context: typer.Context,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on this machine; 0 for any.")
    ] = DEFAULT_PORT,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="EMBODIED_SERVE_TOKEN",
            help="What admits a browser [default: a new one every time].",
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address.")
    ] = False,
    **values: Unpack[ConsoleValues],
) -> None:
    """Open a console in the browser: type a sentence, see its ghost, approve (extra "console").

    It listens on this machine alone, and its address holds the token that admits a browser. The
    first browser is the operator's; others may watch and stop. Ctrl-C stops the arm and ends it.
    """
    with guarded(values["json"]):
        from embodied.errors import EnvironmentMissingError

        try:
            from embodied.app.web.serving import serve as serve_console
            from embodied.app.web.serving import token_of
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in (
                "viser", "websockets", "msgspec", "trimesh",
            ):  # fmt: skip
                raise
            raise EnvironmentMissingError(
                "the console needs the extra [console]: pip install 'embodied-stack[console]'"
            ) from None
        settings = settings_of(values, given(context))
        serve_console(
            settings,
            values["out"],
            token=token_of(token),
            port=port,
            browser=not no_browser,
            json=values["json"],
            quiet=values["quiet"],
        )
