"""A vendor's client in a process of its own, whose every call has a deadline.

Calls of some clients wait for ever once the controller is lost, because threads of their own try to
reconnect; others bring control loops that should not share an interpreter. A client that misses a
deadline is killed.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import ClassVar, Concatenate, Generic, ParamSpec, TypeVar, cast

from embodied.bridge.driver import DriverLostError

START_S = 60.0

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Session")


class Session:
    """What runs in the process: the driver has its methods called.

    Attributes:
        vendor: Its name, for messages.
        answer_s: Longest time of a call, s.
        answers_s: That of some methods, by name.
    """

    vendor: ClassVar[str]
    answer_s: ClassVar[float] = 0.5
    answers_s: ClassVar[Mapping[str, float]] = {}

    def check(self) -> None:
        """Before every call; what it raises is told, and ends the process."""

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


class VendorProcess(Generic[S]):
    """A running session.

    Args:
        session: Its class, at the top of a module.
        *arguments: For it.

    Raises:
        DriverLostError: The session could not be made; the message is what it raised.
    """

    def __init__(self, session: Callable[P, S], *arguments: P.args, **options: P.kwargs) -> None:
        kind = cast("type[Session]", session)
        self._vendor, self._answer_s, self._answers_s = kind.vendor, kind.answer_s, kind.answers_s
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        make = functools.partial(session, *arguments, **options)
        self._process = context.Process(target=_serve, args=(theirs, make), daemon=True)
        self._process.start()
        theirs.close()
        self._receive(START_S)

    def ask(
        self, method: Callable[Concatenate[S, P], R], *arguments: P.args, **options: P.kwargs
    ) -> R:
        """Call a method of the session and wait for its result; raises DriverLostError."""
        name = method.__name__
        try:
            self._pipe.send((name, arguments, options))
        except OSError as error:
            self._kill()
            raise DriverLostError(f"the {self._vendor} client has gone") from error
        return cast("R", self._receive(self._answers_s.get(name, self._answer_s)))

    def close(self) -> None:
        """Have the session ``end``, and end the process; may be called twice."""
        if self._process.is_alive():
            try:
                self.ask(Session.end)
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


def _serve(pipe: Connection, make: Callable[[], Session]) -> None:
    """Body of the process; its end skips the client's destructors, which may wait."""
    os.setpgid(0, 0)  # an interrupt at the terminal is the supervisor's to handle
    session: Session | None = None
    try:
        session = make()
        pipe.send(("", None))
        name = ""
        while name != "end":
            while not pipe.poll(session.wait_s()):
                session.idle()
            name, arguments, options = pipe.recv()
            session.check()
            pipe.send(("", getattr(session, name)(*arguments, **options)))
    except (EOFError, OSError):
        if session is not None:
            session.abandoned()
    except Exception as error:  # whatever the vendor's client raises is told, not judged
        pipe.send((str(error) or type(error).__name__, None))
    os._exit(0)
