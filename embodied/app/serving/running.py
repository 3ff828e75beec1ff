"""One session for many callers: one thread owns it, one motion at a time, and anybody may stop it.

A simulator and its pictures belong to the thread that made them. Calls wait in a bounded queue; a
call that is cancelled, or the tool ``stop``, ends the motion at the next control period, and the
arm is held where it is measured to be.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from embodied.errors import EmbodiedError
from embodied.session import Session
from embodied.types import Observation

T = TypeVar("T")
Tell = Callable[[str], None]
_Done: TypeAlias = tuple[T | None, BaseException | None]

MOST_WAITING = 32
"""Calls that wait at most; further ones are refused at once."""

PATIENCE_S = 30.0
"""Longest wait for a motion to end that was told to."""


class BusyError(EmbodiedError):
    """Too many calls wait, or the arm moves for another one."""


class Stopped(KeyboardInterrupt):  # noqa: N818 - as Ctrl-C: everything ends, the arm is held
    """The motion was stopped by somebody."""


@dataclass(slots=True, eq=False)
class _Call:
    """One call: as of which stop it was made, and whether its caller has gone."""

    stops: int
    cancelled: bool = False


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
        self._stops = 0
        self._call = _Call(stops=0)  # whose work is being done
        self.session = self._thread.submit(open_session).result()
        self.watch(self.session)

    def watch(self, session: Session) -> None:
        """Let ``stop`` end the motions of a session too: the first's, or that of a copy of it."""
        session.environment.body.watchers.append(self._watch)

    async def run(self, work: Callable[[Tell], T], tell: Callable[[str], object]) -> T:
        """Run something in the thread; where the call is cancelled, a motion ends.

        Args:
            work: Gets what takes a line of progress, from the thread.
            tell: Takes those lines, in the loop; may return something to be awaited.

        Raises:
            BusyError: Too many calls wait.
            Stopped: Somebody stopped the motion.
        """
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[str] = asyncio.Queue()

        def told(line: str) -> None:
            loop.call_soon_threadsafe(lines.put_nowait, line)

        call, submitted = self._submit(lambda: work(told))
        future = asyncio.wrap_future(submitted)
        try:
            await _told_until(future, lines, tell)
        except asyncio.CancelledError:
            if not submitted.cancel():  # it runs
                import anyio

                call.cancelled = True
                with anyio.CancelScope(shield=True):
                    await asyncio.wait({future}, timeout=PATIENCE_S)
            raise
        return _result(future.result())

    def call(self, work: Callable[[], T], *, stops: int | None = None) -> T:
        """Run something in the thread and wait for it; raises as ``run`` does.

        Args:
            work: What to run.
            stops: ``stops`` when it was decided on, now by default.
        """
        return _result(self._submit(work, stops)[1].result())

    def moves(self, work: Callable[[], T]) -> T:
        """Do something in which the arm moves, in the session's thread; ``stop`` ends it.

        Raises:
            Stopped: Somebody stopped it, since it was called for.
        """
        self._moving = True
        try:
            self._end_if_stopped()
            return work()
        finally:
            self._moving = False

    @property
    def stops(self) -> int:
        """How often somebody has stopped everything."""
        return self._stops

    def stop(self) -> bool:
        """End every motion that goes on or waits; whether one goes on. From any thread."""
        self._stops += 1
        return self._moving

    @property
    def moving(self) -> bool:
        """Whether a motion goes on."""
        return self._moving

    def close(self) -> None:
        """Stop what moves and close the session; may be called twice."""
        self.stop()
        try:
            self._thread.submit(self.session.close).result(timeout=PATIENCE_S)
        except RuntimeError:  # closed already
            return
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _submit(
        self, work: Callable[[], T], stops: int | None = None
    ) -> tuple[_Call, Future[_Done[T]]]:
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise BusyError(f"{MOST_WAITING} calls are waiting: call again later")
            self._waiting += 1
        call = _Call(stops=self._stops if stops is None else stops)

        def guarded() -> _Done[T]:
            self._call = call
            try:
                return work(), None
            except BaseException as error:  # a KeyboardInterrupt must not end the loop
                return None, error

        def over(future: Future[_Done[T]]) -> None:
            del future
            with self._lock:
                self._waiting -= 1

        submitted = self._thread.submit(guarded)
        submitted.add_done_callback(over)
        return call, submitted

    def _watch(self, observation: Observation) -> None:
        del observation
        if self._moving:
            self._end_if_stopped()

    def _end_if_stopped(self) -> None:
        call = self._call
        if call.cancelled or call.stops < self._stops:
            self._moving = False  # what follows holds the arm, and is not to be stopped
            raise Stopped("stopped")


def _result(done: _Done[T]) -> T:
    result, error = done
    if error is not None:
        raise error
    return result  # pyright: ignore[reportReturnType]  # where there is no error


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
