"""Run coroutines from ordinary code, whichever thread it is in.

One background thread owns the event loop of all clients: connections stay usable from every
thread, and inside programs that run a loop of their own (notebooks, dashboards).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """Wait for a coroutine; it is cancelled when the wait is interrupted (Ctrl-C)."""
    future: concurrent.futures.Future[T] = asyncio.run_coroutine_threadsafe(
        coroutine, _background_loop()
    )
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _background_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="model-clients", daemon=True).start()
        return _loop
