"""Errors become one line and an exit code, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

import typer


class _Terminated(KeyboardInterrupt):
    """SIGTERM, treated like Ctrl-C."""


@contextmanager
def guarded(json: bool) -> Generator[None]:
    """Turn errors into one clear line and the right exit code; never a traceback."""
    from embodied.errors import EmbodiedError

    def terminated(signum: int, frame: object) -> NoReturn:
        raise _Terminated

    previous = signal.signal(signal.SIGTERM, terminated)
    debug = bool(os.environ.get("EMBODIED_DEBUG"))
    try:
        yield
    except _Terminated:
        raise typer.Exit(143) from None
    except KeyboardInterrupt:
        _complain("interrupted", 130, json)
    except BrokenPipeError:
        # Whoever read our output has gone; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
        if debug:
            raise
        text = f"internal error: {type(error).__name__}: {error} (EMBODIED_DEBUG=1 shows where)"
        _complain(text, 3, json)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _complain(text: str, code: int, json: bool) -> NoReturn:
    if json:
        from embodied.app.show.terminal import print_json

        print_json({"exit_code": code, "message": text})
    else:
        from embodied.printable import printable

        text = f"embodied: {printable(text)}"
        typer.secho(text, err=True, fg=None if code == 130 else "red")
    raise typer.Exit(code)
