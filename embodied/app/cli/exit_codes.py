"""Errors become one line and an exit code, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

import typer

from embodied.app.signals import ShownInterrupt, Terminated


@contextmanager
def guarded(json: bool) -> Generator[None]:
    """Turn errors into one clear line and the right exit code; never a traceback."""
    from embodied.errors import EmbodiedError

    def terminated(signum: int, frame: object) -> NoReturn:
        raise Terminated

    previous = signal.signal(signal.SIGTERM, terminated)
    debug = bool(os.environ.get("EMBODIED_DEBUG"))
    try:
        try:
            yield
        finally:
            _write("")
    except KeyboardInterrupt as error:
        code, word = (143, "terminated") if isinstance(error, Terminated) else (130, "interrupted")
        if json and isinstance(error, ShownInterrupt):
            raise typer.Exit(code) from None
        _complain(word, code, json)
    except BrokenPipeError:
        raise typer.Exit(3) from None
    except EmbodiedError as error:
        if debug:
            raise
        from embodied.outcome import outcome_of_error

        outcome = outcome_of_error(error)
        _complain("\n".join((outcome.message, *outcome.notes)), outcome.exit_code, json)
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:
            try:
                _write("\n")  # does standard output take anything at all?
            except OSError as full:
                _cannot_write(full)
        if debug:
            raise
        text = f"internal error: {type(error).__name__}: {error} (EMBODIED_DEBUG=1 shows where)"
        _complain(text, 3, json)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _write(text: str) -> None:
    """Write what is buffered, and ``text``, to nowhere where the reader has gone."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        from embodied.app.show.console import discard_output

        discard_output()


def _cannot_write(error: OSError) -> NoReturn:
    from embodied.app.show.console import discard_output

    discard_output()
    _complain(f"cannot write to standard output: {error.strerror}", 3, json=False)


def _complain(text: str, code: int, json: bool) -> NoReturn:
    if json:
        from embodied.app.show.terminal import print_json

        try:
            print_json({"exit_code": code, "message": text})
        except OSError as error:
            _cannot_write(error)
    else:
        from embodied.printable import printable

        text = f"embodied: {printable(text)}"
        typer.secho(text, err=True, fg=None if code in (130, 143) else "red")
    raise typer.Exit(code)
