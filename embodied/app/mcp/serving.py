"""Opens a session for agents and serves it over stdio or HTTP."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from embodied.app.mcp.server import EmbodiedServer, Person
from embodied.app.mcp.tools import served
from embodied.app.serving.running import Owner
from embodied.app.wiring import driven_session, open_environment, route_of
from embodied.errors import OptionError
from embodied.language.interpreter import Interpreter
from embodied.language.opening import RULES
from embodied.opening import Opening
from embodied.route import ROUTES
from embodied.session import Session
from embodied.settings import Settings

TRANSPORTS = ("stdio", "http")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TOKEN_VARIABLE = "EMBODIED_MCP_TOKEN"
LARGEST_REQUEST_BYTES = 256 * 1024
MOST_SESSIONS = 16

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


def open_server(settings: Settings, out: Path, *, approval: bool = True) -> EmbodiedServer:
    """Open a session and its server; raises as ``open_session``.

    Args:
        settings: What a person asked for; the rules read the sentences.
        out: Folder of run folders.
        approval: Whether every motion needs the approval of a person.

    Raises:
        OptionError: Motions of an arm behind a supervisor are to need no approval.
    """
    entry = ROUTES.get(route_of(settings))
    if not approval and settings.world.startswith("bridge"):
        raise OptionError("an arm behind a supervisor moves with approval only: leave it out")
    person = Person(yes=settings.yes)

    def opened() -> Session:
        environment = open_environment(settings)
        try:
            ruled = replace(settings, model=RULES)
            opening = Opening(environment=environment, settings=ruled, ask=person)
            return driven_session(ruled, opening, entry.load().open(opening), None)
        except BaseException:
            environment.close()
            raise

    owner = Owner(opened)
    interpreter = owner.session.reader
    assert isinstance(interpreter, Interpreter)
    return EmbodiedServer(owner, interpreter, person, out, served=served, approval=approval)


def serve(server: EmbodiedServer, transport: str, *, host: str, port: int) -> None:
    """Serve until the client ends it, or Ctrl-C; the session is closed.

    Raises:
        OptionError: An address that others can reach, without a token.
    """
    try:
        if transport == "stdio":
            anyio.run(server.run_stdio_async)
        else:
            anyio.run(serve_http, server, host, port)
    finally:
        server.owner.close()


async def serve_http(
    server: EmbodiedServer, host: str, port: int, started: Callable[[int], None] = lambda port: None
) -> None:
    """Serve over streamable HTTP at ``/mcp``; with the token of the environment, if there is one.

    Args:
        server: What is served.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        started: Told the port once it listens.
    """
    import uvicorn

    token = os.environ.get(TOKEN_VARIABLE, "")
    if host not in LOOPBACK and not token:
        raise OptionError(
            f"{host} can be reached by others: set {TOKEN_VARIABLE}, or listen on "
            f"{' or '.join(LOOPBACK)}"
        )
    app: Asgi = server.streamable_http_app(
        host=host, max_request_body_size=LARGEST_REQUEST_BYTES, max_sessions=MOST_SESSIONS
    )
    guarded = with_token(app, token) if token else app
    config = uvicorn.Config(guarded, host=host, port=port, log_level="error")
    running = uvicorn.Server(config)

    async def tell() -> None:
        while not running.started:
            await anyio.sleep(0.01)
        started(running.servers[0].sockets[0].getsockname()[1])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell)
        try:
            await running.serve()
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True):
                await running.shutdown()
            raise
        tasks.cancel_scope.cancel()


def with_token(app: Asgi, token: str) -> Asgi:
    """The application for those who send ``Authorization: Bearer TOKEN``; 401 for others."""
    expected = f"Bearer {token}".encode()

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            sent = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(sent, expected):
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": b"a token is needed\n"})
                return
        await app(scope, receive, send)

    return guarded
