"""The Franka Hand through ``franky-control``: one command at a time, the last target wins."""

from __future__ import annotations

import threading
import time
from typing import Any

SPEED_M_S = 0.05
READ_EVERY_S = 0.02
SAME_M = 0.0005
HELD_M = 0.001
"""Fingers that stay so far from where they were sent hold something."""

_ANY_M = 0.1
"""Tolerance of a grasp: whether something was grasped is read off the gap."""


class Hand:
    """Reads the hand and moves it in a thread of its own, as its calls wait for the hand.

    Args:
        gripper: A connected ``franky.Gripper``.
    """

    def __init__(self, gripper: Any) -> None:
        self._gripper = gripper
        self._problem = ""
        self._lock = threading.Lock()
        self._target: tuple[float, float] | None = None
        self._seen = (float(gripper.width), 0.0, 0.0)
        self._stamp_s = 0.0
        self._told: tuple[float, float] | None = None
        self._running: Any = None
        threading.Thread(target=self._serve, daemon=True).start()

    def seen(self) -> tuple[float, float, float]:
        """Gap in m, its rate in m/s and the grasping force in N.

        The hand measures that it grasps, not how hard: the force is the one asked for once it
        reports a grasp and the fingers stand off from where they were sent.
        """
        with self._lock:
            return self._seen

    @property
    def problem(self) -> str:
        """Why it is neither read nor moved any more: it went, or refused a command; else empty."""
        with self._lock:
            return self._problem and f"the hand: {self._problem}"

    def move(self, width_m: float, force_n: float) -> None:
        """Set the target; returns at once."""
        with self._lock:
            self._target = (width_m, force_n)

    def _serve(self) -> None:
        try:
            while True:
                self._once()
                time.sleep(READ_EVERY_S)
        except Exception as error:  # whatever the vendor's client raises is told, not judged
            with self._lock:
                self._problem = str(error) or type(error).__name__

    def _once(self) -> None:
        state = self._gripper.state
        with self._lock:
            stamp_s, before = state.time.to_sec(), self._seen[0]
            rate = (state.width - before) / max(stamp_s - self._stamp_s, 1e-3)
            self._seen = (state.width, rate, self._force_n(state))
            target, self._stamp_s = self._target, stamp_s
        if target is not None and self._idle():
            self._tell(target, state.width)

    def _idle(self) -> bool:
        """No command runs; raises what the client does when the last one was refused."""
        if self._running is not None:
            if not self._running.wait(0.0):
                return False
            self._running.get()
            self._running = None
        return True

    def _tell(self, target: tuple[float, float], width_m: float) -> None:
        if self._told is not None and abs(self._told[0] - target[0]) < SAME_M:
            return
        goal_m, force_n = target
        if goal_m < width_m:
            self._running = self._gripper.grasp_async(goal_m, SPEED_M_S, force_n, _ANY_M, _ANY_M)
        else:
            self._running = self._gripper.move_async(goal_m, SPEED_M_S)
        self._told = target

    def _force_n(self, state: Any) -> float:
        if self._told is None or not state.is_grasped or state.width < self._told[0] + HELD_M:
            return 0.0
        return self._told[1]
