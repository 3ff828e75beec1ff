"""What drivers of cameras that send frames by themselves share: a thread, the latest, health."""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from collections import deque

import numpy as np

from embodied.perception.cameras.files import CameraEntry
from embodied.perception.cameras.types import CameraError, CameraHealth, CameraModel, Frame
from embodied.types import Pose

RATE_WINDOW_S = 2.0
LATE_S = 1.0
"""A camera without a frame for this long has a problem."""


class StreamingCamera(ABC):
    """Keeps the latest frame of a source; implements ``Camera``.

    A subclass opens its source, calls ``start`` with the intrinsics at the end of its ``__init__``,
    and writes ``grab`` and ``release``.

    Args:
        entry: What ``cameras.toml`` says.
    """

    model: CameraModel

    def __init__(self, entry: CameraEntry) -> None:
        self.name = entry.name
        self.mount = entry.mount
        self.pose: Pose | None = entry.pose
        self._entry = entry
        self._news = threading.Condition()
        self._latest: Frame | None = None
        self._frames = self._lost = 0
        self._received: deque[float] = deque(maxlen=512)
        self._problem = ""
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._released = False

    @abstractmethod
    def grab(self) -> Frame | None:
        """Wait for the next frame for about 0.1 s; None when none came.

        Called in a thread of its own; is not called again after it raised.

        Raises:
            CameraError: The camera has gone.
        """

    @abstractmethod
    def release(self) -> None:
        """Let go of the source; ``grab`` is not running and not called again."""

    def start(self, model: CameraModel) -> None:
        """Begin to take frames.

        Args:
            model: What the source reports; the entry's own intrinsics come before it.

        Raises:
            CameraError: The entry's intrinsics are those of another image size.
        """
        own = self._entry.model
        if own is not None and (own.width, own.height) != (model.width, model.height):
            raise CameraError(
                f"camera {self.name!r}: intrinsics of {own.width} x {own.height} pixels, but its "
                f"images have {model.width} x {model.height}"
            )
        self.model = own or model
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"camera {self.name}")
        self._thread.start()

    def read(self, *, newer_than_s: float = -np.inf, timeout_s: float = 1.0) -> Frame:
        """The latest frame; raises as ``Camera.read`` does."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while True:
                frame = self._latest
                if frame is not None and frame.time_s > newer_than_s:
                    return frame
                left = deadline - time.monotonic()
                if self._problem:
                    raise CameraError(f"camera {self.name!r}: {self._problem}")
                if left <= 0.0 or self._over.is_set():
                    state = "it is closed" if self._over.is_set() else f"within {timeout_s:g} s"
                    raise CameraError(f"camera {self.name!r}: no new frame: {state}")
                self._news.wait(left)

    def health(self) -> CameraHealth:
        """How it does now."""
        now = time.monotonic()
        with self._news:
            recent = [t for t in self._received if now - t < RATE_WINDOW_S]
            age = math.inf if self._latest is None else now - self._latest.time_s
            problem = self._problem
            if not problem and self._latest is not None and age > LATE_S:
                problem = f"no frame for {age:.1f} s"
            span = recent[-1] - recent[0] if len(recent) > 1 else 0.0
            return CameraHealth(
                frames=self._frames,
                lost=self._lost,
                rate_hz=(len(recent) - 1) / span if span > 0.0 else 0.0,
                age_s=age,
                problem=problem,
            )

    def close(self) -> None:
        """Let go of the camera; may be called twice."""
        self._over.set()
        with self._news:
            self._news.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5.0)
        if not self._released:
            self._released = True
            self.release()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                frame = self.grab()
            except CameraError as error:
                with self._news:
                    self._problem = str(error)
                    self._news.notify_all()
                return
            if frame is None:
                continue
            with self._news:
                before = self._latest
                if before is not None:
                    self._lost += max(frame.number - before.number - 1, 0)
                self._latest = frame
                self._frames += 1
                self._received.append(time.monotonic())
                self._news.notify_all()
