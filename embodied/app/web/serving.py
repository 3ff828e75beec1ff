"""Opens a session and its console, and keeps both until Ctrl-C."""

from __future__ import annotations

import os
import re
import secrets
import threading
import webbrowser
from pathlib import Path

import typer

from embodied.app.serving.service import Service, Status
from embodied.app.show.terminal import print_json
from embodied.app.show.window import Pace
from embodied.app.signals import Terminated
from embodied.app.web.console import Console
from embodied.errors import OptionError
from embodied.printable import printable
from embodied.settings import Settings

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")


def token_of(given: str | None) -> str:
    """The token that was given, or a new one.

    Raises:
        OptionError: It is too short to keep anybody out, or cannot stand in an address.
    """
    if given is None:
        return secrets.token_urlsafe(24)
    if not _TOKEN.fullmatch(given):
        raise OptionError("a token has 16 to 128 letters, digits, - or _")
    return given


def serve(
    settings: Settings,
    out: Path,
    *,
    token: str,
    port: int,
    browser: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Serve until Ctrl-C; then the arm is stopped and everything closed.

    Args:
        settings: What the session is opened with.
        out: Folder of run folders.
        token: What admits a browser.
        port: Port of the loopback; 0 for any free one.
        browser: Open the page, where there is a screen.
        json: Print the address as JSON, and nothing else.
        quiet: Print nothing but the address.

    Raises:
        EmbodiedError: The session or the console cannot be opened.
    """
    service = Service(settings, out, pace=Pace(1.0).due)
    try:
        console = Console(service, token, port)
        try:
            if json:
                print_json({"address": console.address, "token": token})
            else:
                typer.echo(f"console at {console.address}")
                if not quiet:
                    typer.echo("Ctrl-C stops the arm and ends it", err=True)
                    service.listeners.append(_Lines())
            if browser and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
                webbrowser.open(console.address)
            _wait()
        finally:
            service.stop()
            console.close()
    finally:
        service.close()


def _wait() -> None:
    try:
        threading.Event().wait()
    except Terminated:
        raise
    except KeyboardInterrupt:
        return


class _Lines:
    """Prints what changes, for whoever started the command."""

    def __init__(self) -> None:
        self._phase = "idle"

    def __call__(self, status: Status) -> None:
        """A line at every change of the phase."""
        if status.phase == self._phase:
            return
        self._phase = status.phase
        about = status.ended[0] if status.phase == "idle" and status.ended else status.sentence
        typer.echo(printable(f"{status.phase}: {about}"), err=True)
