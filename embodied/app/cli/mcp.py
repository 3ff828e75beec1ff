"""The command ``mcp``: serve the robot's tools to agents."""

from __future__ import annotations

from typing import Annotated, Unpack

import typer

from embodied.app.cli.exit_codes import guarded
from embodied.app.cli.options import ServeValues, given, settings_of, takes_options


@takes_options
def mcp(
    context: typer.Context,
    transport: Annotated[
        str, typer.Option("--transport", help="stdio (the client starts this command), or http.")
    ] = "stdio",
    host: Annotated[
        str | None, typer.Option("--host", help="Address for http [default: 127.0.0.1].")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port for http [default: 8765].")
    ] = None,
    no_approval: Annotated[
        bool,
        typer.Option(
            "--no-approval", help="Simulated arms: let agents move it without asking a person."
        ),
    ] = False,
    **values: Unpack[ServeValues],
) -> None:
    """Serve scene, look, check, preview, execute, ... to agents (MCP, extra "mcp").

    Every motion is shown to the person behind the client first. Http serves at /mcp on this machine
    alone, and needs the token EMBODIED_MCP_TOKEN, if it is set, as bearer.
    """
    with guarded(json=False):
        from embodied.errors import EnvironmentMissingError

        try:
            from embodied.app.mcp.serving import TRANSPORTS, open_server, serve
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("anyio", "mcp", "pydantic"):
                raise
            raise EnvironmentMissingError(
                "the MCP server needs the extra [mcp]: pip install 'embodied-stack[mcp]'"
            ) from None

        if transport not in TRANSPORTS:
            legal = " or ".join(TRANSPORTS)
            raise typer.BadParameter(f"{transport!r} is neither {legal}", param_hint="--transport")
        for flag, value in (("--host", host), ("--port", port)):
            if value is not None and transport != "http":
                raise typer.BadParameter("goes with --transport http", param_hint=flag)
        settings = settings_of(values, given(context))
        server = open_server(settings, values["out"], approval=not no_approval)
        if transport == "http":
            where = f"http://{host or '127.0.0.1'}:{8765 if port is None else port}/mcp"
            typer.echo(f"serving at {where}; Ctrl-C ends it", err=True)
        serve(server, transport, host=host or "127.0.0.1", port=8765 if port is None else port)
