"""What stands between a browser and viser: its own socket, a token, an origin check and bounds.

viser as it comes listens on every interface, answers any origin, takes 50 MB a message, lets any
client set any property of a control, and opens a public tunnel when a client asks it to. Here it
gets a socket on the loopback that is already bound; every request, the websocket's too, must carry
the token as its path, name a loopback host and come from a page of the same address; and of what a
browser sends only the camera's pose and values of controls get through, so many a second.
"""

from __future__ import annotations

import contextlib
import hmac
import http
import io
import math
import socket
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, cast
from unittest import mock
from urllib.parse import urlsplit

import msgspec.msgpack
import viser
import websockets.asyncio.server as ws
from viser.infra import _infra  # pyright: ignore[reportPrivateUsage]
from websockets import Headers
from websockets.http11 import Request, Response

from embodied.errors import EnvironmentMissingError, OptionError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LARGEST_MESSAGE = 16 * 1024
"""Bytes of one message of a browser; a larger one ends its connection."""
LONGEST_VALUE = 1_000
"""Characters of one value of a control."""
MOST_CONNECTIONS = 16
REQUESTS_PER_S, MESSAGES_PER_S = 50.0, 100.0
"""Requests of all together and messages of one connection, each with a burst of two seconds."""

_HEADERS = {
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(slots=True)
class Bucket:
    """Lets so many through a second, and twice as many at once."""

    rate: float
    _left: float = field(init=False)
    _at: float = field(init=False, default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._left = 2 * self.rate

    def take(self) -> bool:
        """Whether one more gets through now."""
        now = time.monotonic()
        self._left = min(2 * self.rate, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Guard:
    """Admits those who have the token, and lets through what a console needs.

    Args:
        token: What the path of every request begins with.

    Attributes:
        may_set: Whether a connection may set the control with this identifier now.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.may_set: Callable[[ws.ServerConnection, str], bool] = lambda connection, uuid: False
        self.serves = False
        self._requests = Bucket(REQUESTS_PER_S)
        self._open = 0

    def refusal(self, request: Request) -> tuple[http.HTTPStatus, str] | None:
        """Why a request is not answered; None where it is."""
        host, origins = request.headers.get_all("Host"), request.headers.get_all("Origin")
        if len(host) != 1 or _hostname(host[0]) not in LOOPBACK:
            return http.HTTPStatus.FORBIDDEN, "not a loopback address"
        if any(origin != f"http://{host[0]}" for origin in origins):
            return http.HTTPStatus.FORBIDDEN, "a page of another origin"
        given = request.path.partition("?")[0].partition("/")[2].partition("/")[0]
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return http.HTTPStatus.FORBIDDEN, "no token, or a wrong one: open the address as shown"
        if not self._requests.take():
            return http.HTTPStatus.TOO_MANY_REQUESTS, "too many requests: wait a second"
        if request.headers.get("Upgrade") is not None and self._open >= MOST_CONNECTIONS:
            return http.HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST_CONNECTIONS} pages are open already"
        return None

    def lets_through(self, connection: ws.ServerConnection, data: object) -> bool:
        """Whether viser is given a message of a browser."""
        try:
            message = msgspec.msgpack.decode(cast("bytes", data), type=dict[str, object])
        except (msgspec.DecodeError, TypeError):
            return False
        if message.get("type") == "ViewerCameraMessage":
            return all(map(_finite, message.values()))
        updates = message.get("updates")
        return (
            message.get("type") == "GuiUpdateMessage"
            and isinstance(updates, Mapping)
            and set(cast("Mapping[object, object]", updates)) == {"value"}
            and _short(cast("Mapping[str, object]", updates)["value"])
            and self.may_set(connection, str(message.get("uuid")))
        )

    @contextlib.contextmanager
    def opened(self) -> Generator[None]:
        """Count a connection."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1


def guarded_viser(guard: Guard, port: int, label: str) -> viser.ViserServer:
    """A viser server that is reached through the guard alone.

    Args:
        guard: Who gets in.
        port: Port of the loopback; 0 for any free one.
        label: Title of its panel.

    Raises:
        OptionError: The port is taken.
        EnvironmentMissingError: This version of viser does not serve through the guard.
    """
    listening = _loopback_socket(port)

    def serve(handler: Any, *address: object, **options: Any) -> Any:
        del address
        page = options.pop("process_request")

        async def handle(connection: ws.ServerConnection) -> None:
            with guard.opened():
                await handler(connection)

        def process(connection: ws.ServerConnection, request: Request) -> Response | None:
            refused = guard.refusal(request)
            if refused is not None:
                code, text = refused
                return Response(code, code.phrase, Headers(_HEADERS), f"{text}\n".encode())
            request.path = "/" + request.path.partition("/")[2].partition("/")[2]
            answer = page(connection, request)
            if answer is not None:
                answer.headers.update(_HEADERS)
            return answer

        guard.serves = True
        options |= {"max_size": LARGEST_MESSAGE, "max_queue": 4}
        made: Any = lambda *a, **k: _Connection(guard, *a, **k)  # noqa: E731
        return ws.serve(
            handle, sock=listening, process_request=process, create_connection=made, **options
        )

    class Served(ModuleType):
        def __getattr__(self, name: str) -> object:
            return getattr(_WEBSOCKETS, name)

    seen = Served("websockets")
    seen.asyncio = mock.Mock(server=mock.Mock(serve=serve))  # pyright: ignore
    try:
        with (
            mock.patch.object(_infra, "websockets", seen),
            contextlib.redirect_stdout(io.StringIO()),  # it announces itself
        ):
            server = _Server("127.0.0.1", listening.getsockname()[1], label, verbose=False)
    except BaseException:
        listening.close()
        raise
    if not guard.serves:
        server.stop()
        raise EnvironmentMissingError(
            f"viser {viser.__version__} does not serve as 1.1 does, and so without the guard: "
            "install viser>=1.1,<1.2"
        )
    return server


_WEBSOCKETS = _infra.websockets  # pyright: ignore[reportPrivateImportUsage]


class _Server(viser.ViserServer):
    """Opens no tunnel, whoever asks."""

    def request_share_url(self, verbose: bool = True) -> str | None:
        """Refused: the session is for this machine."""
        del verbose
        return None


class _Connection(ws.ServerConnection):
    """A connection of which viser reads what the guard lets through."""

    def __init__(self, guard: Guard, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._guard, self._messages = guard, Bucket(MESSAGES_PER_S)

    async def recv(self, decode: bool | None = None) -> Any:
        """The next message that is let through; too many a second end the connection."""
        while True:
            data = await super().recv(decode)
            if not self._messages.take():
                await self.close(1008, "too many messages")
                continue  # the next one raises ConnectionClosed
            if self._guard.lets_through(self, data):
                return data


def _loopback_socket(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise OptionError(f"port {port}: {error.strerror}; give another one, 0 for any") from error
    return listening


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _finite(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_finite, cast("list[object]", value)))
    return not isinstance(value, float) or math.isfinite(value)


def _short(value: object) -> bool:
    return isinstance(value, bool | int | float) or (
        isinstance(value, str) and len(value) <= LONGEST_VALUE
    )
