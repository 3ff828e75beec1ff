"""A vendor's client in a process of its own, whose every call has a deadline.

Calls of some clients wait for ever once the controller is lost, because threads of their own try to
reconnect; others bring control loops that should not share an interpreter. A client that misses a
deadline is killed.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

from embodied.bridge.driver import DriverLostError

ANSWER_S = 0.5
START_S = 60.0


class VendorProcess:
    """A running client process.

    The body of the process gets its end of a pipe and ``arguments``. It sends ``(problem, result)``
    once it is connected and then for every ``(name, *arguments)`` it receives; a problem that is
    not empty ends it.

    Args:
        body: A function at the top of its module.
        *arguments: For the body, after the pipe.
        vendor: Name of the vendor, for messages.

    Raises:
        DriverLostError: The client could not connect.
    """

    def __init__(
        self,
        body: Callable[..., None],
        *arguments: Any,
        vendor: str,
    ) -> None:
        self._vendor = vendor
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=body, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()
        self._receive(START_S)

    def ask(self, name: str, *arguments: Any, timeout_s: float = ANSWER_S) -> Any:
        """Have the client do something and wait for the result; raises DriverLostError."""
        try:
            self._pipe.send((name, *arguments))
        except OSError as error:
            self._kill()
            raise DriverLostError(f"the {self._vendor} client has gone") from error
        return self._receive(timeout_s)

    def close(self, farewell: str, *, timeout_s: float) -> None:
        """Ask for ``farewell`` and end the process; may be called twice."""
        if self._process.is_alive():
            try:
                self.ask(farewell, timeout_s=timeout_s)
            except DriverLostError:
                pass
        self._kill()

    def _receive(self, timeout_s: float) -> Any:
        try:
            if not self._pipe.poll(timeout_s):
                raise DriverLostError(
                    f"the {self._vendor} controller did not answer within {timeout_s:g} s"
                )
            problem, result = self._pipe.recv()
        except (OSError, EOFError) as error:
            self._kill()
            raise DriverLostError(f"the {self._vendor} client has gone") from error
        except DriverLostError:
            self._kill()
            raise
        if problem:
            self._kill()
            raise DriverLostError(problem)
        return result

    def _kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._pipe.close()
