"""A vendor's client in a process of its own, whose every call has a deadline.

Calls of some clients wait for ever once the controller is lost, because threads of their own try to
reconnect; others bring control loops that should not share an interpreter. A client that misses a
deadline is killed.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from embodied.bridge.driver import DriverLostError

ANSWER_S = 0.5
START_S = 60.0


class Session:
    """What runs in the process: its methods are called by name."""

    def call(self, name: str, arguments: tuple[object, ...]) -> object:
        """Call a method; what it raises is told, and ends the process."""
        return getattr(self, name)(*arguments)

    def wait_s(self) -> float | None:
        """How long to wait for the next call before ``idle``; None: as long as it takes."""
        return None

    def idle(self) -> None:
        """No call has come."""

    def end(self) -> None:
        """Leave the arm at rest."""

    def abandoned(self) -> None:
        """The driver has gone without a word."""
        self.end()


class VendorProcess:
    """A running session.

    Args:
        session: Makes the session; a class or function at the top of its module.
        *arguments: For it.
        vendor: Name of the vendor, for messages.
        answer_s: Longest time of a call, where it does not say.

    Raises:
        DriverLostError: The session could not be made; the message is what it raised.
    """

    def __init__(
        self,
        session: Callable[..., Session],
        *arguments: object,
        vendor: str,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._vendor, self._answer_s = vendor, answer_s
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, session, arguments), daemon=True
        )
        self._process.start()
        theirs.close()
        self._receive(START_S)

    def ask(self, name: str, *arguments: object, timeout_s: float | None = None) -> Any:
        """Call a method of the session and wait for the result; raises DriverLostError."""
        try:
            self._pipe.send((name, arguments))
        except OSError as error:
            self._kill()
            raise DriverLostError(f"the {self._vendor} client has gone") from error
        return self._receive(timeout_s or self._answer_s)

    def close(self, *, timeout_s: float) -> None:
        """Have the session ``end``, and end the process; may be called twice."""
        if self._process.is_alive():
            try:
                self.ask("end", timeout_s=timeout_s)
            except DriverLostError:
                pass
        self._kill()

    def _receive(self, timeout_s: float) -> object:
        try:
            if not self._pipe.poll(timeout_s):
                raise DriverLostError(
                    f"the {self._vendor} controller did not answer within {timeout_s:g} s"
                )
            problem, result = self._pipe.recv()
            if problem:
                raise DriverLostError(problem)
        except (OSError, EOFError) as error:
            self._kill()
            raise DriverLostError(f"the {self._vendor} client has gone") from error
        except DriverLostError:
            self._kill()
            raise
        return result

    def _kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection, make: Callable[..., Session], arguments: tuple[object, ...]) -> None:
    """Body of the process; its end skips the client's destructors, which may wait."""
    os.setpgid(0, 0)  # an interrupt at the terminal is the supervisor's to handle
    session: Session | None = None
    try:
        session = make(*arguments)
        pipe.send(("", None))
        name = ""
        while name != "end":
            while not pipe.poll(session.wait_s()):
                session.idle()
            name, given = pipe.recv()
            pipe.send(("", session.call(name, given)))
    except (EOFError, OSError):
        if session is not None:
            session.abandoned()
    except Exception as error:  # whatever the vendor's client raises is told, not judged
        pipe.send((str(error) or type(error).__name__, None))
    os._exit(0)
