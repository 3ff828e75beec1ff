"""The vendor's client ``ur-rtde`` in a process of its own.

Calls of that client may wait for ever once the controller is lost, because a thread of its own
tries to reconnect.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from embodied.bridge.vendors.vendor_process import VendorProcess

STOP_S = 3.0

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


class UrClient:
    """A running client process.

    Args:
        host: Address of the controller.
        period_s: Time between set-points.

    Raises:
        DriverLostError: The client could not connect.
    """

    def __init__(self, host: str, period_s: float) -> None:
        self._process = VendorProcess(_serve, host, period_s, vendor="UR")

    def read(self) -> Reading:
        """The latest report; raises DriverLostError."""
        return Reading(*self._process.ask("read"))

    def servo(self, q: list[float]) -> bool:
        """Send a set-point; whether the controller took it; raises DriverLostError."""
        return bool(self._process.ask("servo", q))

    def ready(self) -> bool:
        """Make the control program run; whether it does; raises DriverLostError."""
        return bool(self._process.ask("ready", timeout_s=STOP_S))

    def brake(self, *, protective: bool) -> None:
        """Stop ``servoJ``, and with it a protective stop if asked for; raises DriverLostError."""
        self._process.ask("brake", protective, timeout_s=STOP_S)

    def close(self) -> None:
        """Brake if moving and end the process; may be called twice."""
        self._process.close("end", timeout_s=STOP_S)


def _serve(pipe: Connection, host: str, period_s: float) -> None:
    """Body of the client process; its end skips the client's destructors, which may wait."""
    os.setpgid(0, 0)  # an interrupt at the terminal is the supervisor's to handle
    try:
        import rtde_control
        import rtde_receive

        receive = rtde_receive.RTDEReceiveInterface(host, 500.0)
        control = rtde_control.RTDEControlInterface(host, 500.0)
        handlers = _handlers(receive, control, period_s)
        pipe.send(("", None))
        while True:
            name, *arguments = pipe.recv()
            if not (receive.isConnected() and control.isConnected()):
                raise RuntimeError("the UR controller closed the connection")
            pipe.send(("", handlers[name](*arguments)))
            if name == "end":
                break
    except (EOFError, OSError):
        pass  # the driver has gone; the controller's watchdog and ours stop the arm
    except Exception as error:  # whatever the vendor's client raises is told, not judged
        pipe.send((str(error) or type(error).__name__, None))
    os._exit(0)


def _handlers(receive: Any, control: Any, period_s: float) -> dict[str, Callable[..., Any]]:
    def read() -> tuple[Any, ...]:
        return (
            receive.getTimestamp(),
            receive.getActualQ(),
            receive.getActualQd(),
            receive.getTargetQ(),
            receive.getTargetQd(),
            receive.getSafetyStatusBits(),
            receive.getRobotMode(),
        )

    def brake(protective: bool) -> None:
        if control.isProgramRunning():
            control.servoStop(STOP_RAD_S2)
            if protective:
                control.triggerProtectiveStop()

    def end() -> None:
        brake(False)
        control.stopScript()

    return {
        "read": read,
        "servo": lambda q: control.servoJ(q, 0.0, 0.0, period_s, LOOKAHEAD_S, GAIN),
        "ready": lambda: control.isProgramRunning() or control.reuploadScript(),
        "brake": brake,
        "end": end,
    }
