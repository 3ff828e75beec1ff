"""The vendor's client ``ur-rtde`` in a process of its own.

Calls of that client may wait for ever once the controller is lost, because a thread of its own
tries to reconnect.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from embodied.bridge.vendors.vendor_process import Session

STOP_S = 3.0
STARTED_S = 2.0

LOOKAHEAD_S = 0.03
"""Smoothing of ``servoJ``; the smallest that the controller takes."""
GAIN = 500.0
STOP_RAD_S2 = 10.0


class Reading(NamedTuple):
    """One report of the controller; vectors (6,), rad and rad/s."""

    stamp_s: float
    q: list[float]
    dq: list[float]
    q_target: list[float]
    dq_target: list[float]
    safety_bits: int
    robot_mode: int


class Receive(Protocol):
    """What is used of ``rtde_receive.RTDEReceiveInterface``."""

    isConnected: Callable[[], bool]  # noqa: N815 - the vendor's names
    getTimestamp: Callable[[], float]  # noqa: N815
    getActualQ: Callable[[], list[float]]  # noqa: N815
    getActualQd: Callable[[], list[float]]  # noqa: N815
    getTargetQ: Callable[[], list[float]]  # noqa: N815
    getTargetQd: Callable[[], list[float]]  # noqa: N815
    getSafetyStatusBits: Callable[[], int]  # noqa: N815
    getRobotMode: Callable[[], int]  # noqa: N815


class Control(Protocol):
    """What is used of ``rtde_control.RTDEControlInterface``."""

    isConnected: Callable[[], bool]  # noqa: N815
    isProgramRunning: Callable[[], bool]  # noqa: N815
    reuploadScript: Callable[[], bool]  # noqa: N815
    servoJ: Callable[[list[float], float, float, float, float, float], bool]  # noqa: N815
    servoStop: Callable[[float], bool]  # noqa: N815
    triggerProtectiveStop: Callable[[], bool]  # noqa: N815
    stopScript: Callable[[], object]  # noqa: N815


class UrSession(Session):
    """The client, connected.

    Args:
        host: Address of the controller.
        period_s: Time between set-points.
    """

    vendor = "UR"
    answers_s = dict.fromkeys(("ready", "brake", "end"), STOP_S)

    def __init__(self, host: str, period_s: float) -> None:
        import rtde_control
        import rtde_receive

        self._receive: Receive = rtde_receive.RTDEReceiveInterface(host, 500.0)
        self._control: Control = rtde_control.RTDEControlInterface(host, 500.0)
        self._period_s = period_s

    def check(self) -> None:
        """Raises RuntimeError once the controller has gone."""
        if not (self._receive.isConnected() and self._control.isConnected()):
            raise RuntimeError("the UR controller closed the connection")

    def read(self) -> Reading:
        """The latest report."""
        seen = self._receive
        return Reading(
            seen.getTimestamp(),
            seen.getActualQ(),
            seen.getActualQd(),
            seen.getTargetQ(),
            seen.getTargetQd(),
            seen.getSafetyStatusBits(),
            seen.getRobotMode(),
        )

    def servo(self, q: list[float]) -> bool:
        """Send a set-point; whether the controller took it."""
        return self._control.servoJ(q, 0.0, 0.0, self._period_s, LOOKAHEAD_S, GAIN)

    def ready(self) -> bool:
        """Make the control program run; whether it does."""
        control = self._control
        if not control.isProgramRunning() and not control.reuploadScript():
            return False
        # The client refuses set-points until a report of the controller says that it runs.
        deadline = time.monotonic() + STARTED_S
        while not (running := control.isProgramRunning()) and time.monotonic() < deadline:
            time.sleep(0.002)
        return running

    def brake(self, protective: bool) -> None:
        """Stop ``servoJ``, and with it a protective stop if asked for."""
        if self._control.isProgramRunning():
            self._control.servoStop(STOP_RAD_S2)
            if protective:
                self._control.triggerProtectiveStop()

    def end(self) -> None:
        """Brake if moving and end the program."""
        self.brake(False)
        self._control.stopScript()

    def abandoned(self) -> None:
        """The controller's watchdog stops the arm."""
