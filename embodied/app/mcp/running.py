"""One session for many callers: one thread owns it, one motion at a time, and anybody may stop it.

A simulator and its pictures belong to the thread that made them. Calls wait in a bounded queue; a
call that is cancelled, or the tool ``stop``, ends the motion at the next control period, and the
arm is held where it is measured to be.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio

from embodied.errors import EmbodiedError
from embodied.session import Session
from embodied.types import Observation

T = TypeVar("T")
Tell = Callable[[str], None]

MOST_WAITING = 32
"""Calls that wait at most; further ones are refused at once."""

PATIENCE_S = 30.0
"""Longest wait for a motion to end that was told to."""


class BusyError(EmbodiedError):
    """Too many calls wait, or the arm moves for another one."""


class Stopped(KeyboardInterrupt):  # noqa: N818 - as Ctrl-C: everything ends, the arm is held
    """The motion was stopped by somebody."""


class Owner:
    """The thread that a session belongs to.

    Args:
        open_session: Opens the session, in that thread.
    """

    def __init__(self, open_session: Callable[[], Session]) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="session")
        self._lock = threading.Lock()
        self._waiting = 0
        self._moving = False
        self._call: object = None  # whose work is being done
        self._stopped: object = None  # whose motion is to end
        self.session = self._thread.submit(open_session).result()
        self.session.environment.body.watchers.append(self._watch)

    async def run(self, work: Callable[[Tell], T], tell: Callable[[str], object]) -> T:
        """Run something in the thread; where the call is cancelled, a motion ends.

        Args:
            work: Gets what takes a line of progress, from the thread.
            tell: Takes those lines, in the loop; may return something to be awaited.

        Raises:
            BusyError: Too many calls wait.
            Stopped: Somebody stopped the motion.
        """
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise BusyError(f"{MOST_WAITING} calls are waiting: call again later")
            self._waiting += 1
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[str] = asyncio.Queue()

        def told(line: str) -> None:
            loop.call_soon_threadsafe(lines.put_nowait, line)

        call = object()

        def guarded() -> tuple[T | None, BaseException | None]:
            self._call = call
            try:
                return work(told), None
            except BaseException as error:  # a KeyboardInterrupt must not end the loop
                return None, error

        submitted = self._thread.submit(guarded)
        future = asyncio.wrap_future(submitted)
        try:
            await _told_until(future, lines, tell)
        except asyncio.CancelledError:
            if not submitted.cancel():  # it runs
                self._stopped = call
                with anyio.CancelScope(shield=True):
                    await asyncio.wait({future}, timeout=PATIENCE_S)
            raise
        finally:
            with self._lock:
                self._waiting -= 1
        result, error = future.result()
        if error is not None:
            raise error
        return result  # pyright: ignore[reportReturnType]  # where there is no error

    def moves(self, work: Callable[[], T]) -> T:
        """Do something in which the arm moves, in the session's thread; ``stop`` ends it."""
        self._moving = True
        try:
            return work()
        finally:
            self._moving = False

    def stop(self) -> bool:
        """End the motion that goes on; whether there was one. From any thread."""
        moving = self._moving
        if moving:
            self._stopped = self._call
        return moving

    @property
    def moving(self) -> bool:
        """Whether a motion goes on."""
        return self._moving

    def close(self) -> None:
        """Stop what moves and close the session; may be called twice."""
        self._stopped = self._call
        try:
            self._thread.submit(self.session.close).result(timeout=PATIENCE_S)
        except RuntimeError:  # closed already
            return
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _watch(self, observation: Observation) -> None:
        del observation
        if self._moving and self._stopped is self._call:
            self._moving = False  # what follows holds the arm, and is not to be stopped
            raise Stopped("stopped")


async def _told_until(
    future: asyncio.Future[T], lines: asyncio.Queue[str], tell: Callable[[str], object]
) -> None:
    """Pass lines on until a future is done, and those that came before it was."""
    while True:
        line = asyncio.ensure_future(lines.get())
        try:
            await asyncio.wait({line, future}, return_when=asyncio.FIRST_COMPLETED)
            if not line.done():
                return
            result = tell(line.result())
            if asyncio.iscoroutine(result):
                await result
        finally:
            line.cancel()
