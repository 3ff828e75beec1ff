"""Faults to inject: into what the arm reports, and into what a planner sends."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from embodied.bridge.channel import Message, SocketChannel, pack
from embodied.bridge.driver import Driver
from embodied.bridge.messages import (
    Acknowledgement,
    ArmMode,
    ArmState,
    StopCategory,
    StreamResult,
)
from embodied.errors import ConfigurationError
from embodied.types import Array

ARM_FAULTS = ("frozen-state", "clock-jump", "protective-stop", "torque-spike", "wrong-joint-count")
"""Faults of the arm; each is latched."""

PLANNER_FAULTS = ("latency", "jitter", "loss", "reorder", "duplication", "corrupt")
"""Faults of the channel; the arm ramps down and holds."""

_HIDING = ("frozen-state", "wrong-joint-count")

PROCESS_FAULTS = ("client-kill", "supervisor-kill")


class FaultyDriver:
    """A driver whose arm reports a fault some periods after it began to move.

    Args:
        driver: The driver; its arm stays as it is, only reports change.
        faults: What to inject: ``{"kind": one of ARM_FAULTS, "after_periods": int}``. Periods in
            which the arm is told to move are counted, from the last ``enable``; the next fault
            comes after a recovery.

    Raises:
        ConfigurationError: There is no such fault.
    """

    def __init__(self, driver: Driver, faults: Sequence[Mapping[str, Any]]) -> None:
        for fault in faults:
            if fault.get("kind") not in ARM_FAULTS:
                raise ConfigurationError(
                    f"unknown fault {fault.get('kind')!r}: choose from {', '.join(ARM_FAULTS)}"
                )
        self._driver = driver
        self._faults = deque(faults)
        self._now: Mapping[str, Any] | None = None
        self._periods = 0
        self._frozen: ArmState | None = None

    def __getattr__(self, name: str) -> object:
        """Everything else is as the driver does it."""
        return getattr(self._driver, name)

    def read_state(self) -> ArmState:
        """The latest report, with the fault in it once it is due."""
        state = self._driver.read_state()
        fault = self._now
        if fault is None or self._periods < fault["after_periods"]:
            return state
        match fault["kind"]:
            case "frozen-state":
                self._frozen = self._frozen or state
                return replace(self._frozen, receive_time_s=state.receive_time_s)
            case "clock-jump":
                return replace(state, source_time_s=state.source_time_s + 5.0)
            case "protective-stop":
                return replace(state, mode=ArmMode.PROTECTIVE_STOP, protective_stop=True)
            case "torque-spike":
                return replace(state, tau=state.tau + 500.0)
            case _:
                return replace(state, q=state.q[1:], dq=state.dq[1:])

    def enable(self) -> None:
        """As the driver does; the next fault is counted from here."""
        self._driver.enable()
        self._periods = 0
        if self._now is None and self._faults:
            self._now = self._faults.popleft()

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        """As the driver does."""
        self._periods += bool(np.any(dq))
        return self._driver.stream(
            q, dq, gripper_width_m=gripper_width_m, gripper_force_n=gripper_force_n
        )

    def stop(self, category: StopCategory) -> None:
        """As the driver does; what hides the motion ends, so that rest can be seen."""
        self._driver.stop(category)
        if self._now is not None and self._now["kind"] in _HIDING:
            self._now = self._frozen = None

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """As the driver does; the fault is over."""
        self._now = self._frozen = None
        self._driver.recover(acknowledgement)


class FaultySender:
    """Sends set-points over a channel that damages them from some moment on.

    Args:
        channel: The channel.
        kind: One of ``PLANNER_FAULTS``; ``""`` for none.
        after: Set-points that are sent well before.
        seed: Seed of the randomness.
    """

    def __init__(self, channel: SocketChannel, kind: str, after: int, seed: int) -> None:
        if kind and kind not in PLANNER_FAULTS:
            raise ConfigurationError(
                f"unknown fault {kind!r}: choose from {', '.join(PLANNER_FAULTS)}"
            )
        self._channel = channel
        self._kind = kind
        self._after = after
        self._sent = 0
        self._random = random.Random(seed)
        self._kept: bytes | None = None
        self.first_fault_s: float | None = None

    @property
    def active(self) -> bool:
        """Whether the fault has begun."""
        return self.first_fault_s is not None

    @property
    def keeps(self) -> bool:
        """Whether a set-point is kept back until the next one has been sent."""
        return self._kept is not None

    def send(self, message: Message) -> None:
        """Send a set-point, or what the fault makes of it; raises ChannelClosedError."""
        self._sent += 1
        frame = pack(message)
        if not self._kind or self._sent <= self._after:
            self._channel.send_frame(frame)
            return
        if self.first_fault_s is None:
            self.first_fault_s = time.monotonic()
        match self._kind:
            case "latency":  # it is stamped, and leaves too late
                time.sleep(0.2)
                self._channel.send_frame(frame)
            case "jitter":
                time.sleep(self._random.choice([0.0, 0.0, 0.25]))
                self._channel.send_frame(frame)
            case "loss":
                return
            case "duplication":
                self._channel.send_frame(frame)
                self._channel.send_frame(frame)
            case "reorder":
                if self._kept is None:
                    self._kept = frame
                    return
                self._channel.send_frame(frame)
                self._channel.send_frame(self._kept)
                self._kept = None
            case _:
                position = self._random.randrange(len(frame))
                damaged = bytearray(frame)
                damaged[position] ^= 1 << self._random.randrange(8)
                self._channel.send_frame(bytes(damaged))


def gentle_way(q: Array, time_s: float) -> Array:
    """A set-point of a slow swing of the first and last joints about ``q`` (n,)."""
    out = q.copy()
    ramp = 1.0 - np.exp(-((time_s / 0.3) ** 3))
    out[0] += 0.12 * ramp * np.sin(1.5 * time_s)
    out[-1] += 0.3 * ramp * np.sin(2.0 * time_s)
    return out
