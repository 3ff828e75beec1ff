"""Franka's FR3 through ``franky-control`` (extra ``[bridge-franka]``), with a Franka Hand.

The arm's brakes are opened and its control interface (FCI) is activated in Franka's own Desk; the
driver does neither.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path

import numpy as np

from embodied.bridge.driver import DriverEntry, DriverLostError
from embodied.bridge.messages import ArmMode, StopCategory
from embodied.bridge.setpoint_driver import Grip, Report, SetpointDriver
from embodied.bridge.vendors.franka_client import REFLEX, STOP_S, USER_STOPPED, FrankaSession
from embodied.bridge.vendors.truth import Truth
from embodied.bridge.vendors.vendor_process import VendorProcess
from embodied.errors import ConfigurationError, HardwareFault
from embodied.types import Array, GripperState

JOINTS = tuple(f"joint{i}" for i in range(1, 8))
COMMAND_PORT = 1337
FrankaProcess = VendorProcess[FrankaSession]
_MODES = {
    "Idle": ArmMode.RUNNING,
    "Move": ArmMode.RUNNING,
    REFLEX: ArmMode.PROTECTIVE_STOP,
    "AutomaticErrorRecovery": ArmMode.PROTECTIVE_STOP,
    USER_STOPPED: ArmMode.EMERGENCY_STOP,
}
"""Other modes, such as guiding or locked brakes, take no motion: ``ArmMode.IDLE``."""


class FrankaDriver(SetpointDriver[FrankaProcess]):
    """One FR3.

    Args:
        host: Address of the arm's control.
        gripper: ``"hand"`` for a Franka Hand, ``""`` for none.
        realtime: enforce: move only with a real-time kernel; ignore: for emulators.
        truth: Socket of an emulator that tells where things are; real arms have none.
        clock: Socket that steps an emulator and tells nothing; without, ``truth`` does.
        lockstep: true: wait for an emulator started with ``--stepped``; needs truth or clock.
    """

    name, label = "franka", "the Franka arm"
    stop_rad_s2 = 5.0

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        gripper: str = "hand",
        realtime: str = "enforce",
        truth: str = "",
        clock: str = "",
        lockstep: bool = False,
    ) -> None:
        if gripper not in ("", "hand"):
            raise TypeError(f"gripper {gripper!r}: choose from: hand, or leave it out")
        if realtime not in ("enforce", "ignore"):
            raise TypeError(f"realtime {realtime!r}: choose from enforce, ignore")
        if lockstep and not (truth or clock):
            raise TypeError(
                "lockstep needs truth or clock: a socket of an emulator that is stepped"
            )
        super().__init__(JOINTS, has_gripper=bool(gripper), lockstep=lockstep, truth=truth)
        self._clock = Truth(clock) if clock else self.truth
        self._host = host
        self._realtime = realtime == "enforce"

    def open_link(self) -> FrankaProcess:
        """Start the client; raises ConfigurationError without the real-time kernel asked for."""
        if self._realtime and not _has_realtime_kernel():
            raise ConfigurationError(
                "the Franka arm wants a real-time kernel (PREEMPT_RT) on this machine;"
                " realtime=ignore does without: to read only, or for emulators"
            )
        try:
            socket.create_connection((self._host, COMMAND_PORT), 2.0).close()
        except OSError as error:
            raise DriverLostError(f"no Franka arm at {self._host}: {error}") from error
        if self._clock is not self.truth:
            self._clock.open()
        try:
            return VendorProcess(
                FrankaSession, self._host, self._realtime, self.has_gripper, self.lockstep
            )
        except DriverLostError as error:
            raise DriverLostError(f"the Franka arm at {self._host}: {error}") from error

    def close_link(self, link: FrankaProcess) -> None:
        """End the client, which brakes if the arm moves."""
        link.close()
        if self._clock is not self.truth:
            self._clock.close()

    def measure(self, link: FrankaProcess) -> Report:
        """The latest report; commanded values are the controller's reference."""
        seen = link.ask(FrankaSession.read)
        mode = _MODES.get(seen.mode, ArmMode.IDLE)
        if mode is ArmMode.RUNNING and seen.fault:
            mode = ArmMode.FAULT
        hand = seen.hand
        return Report(
            sequence=round(1000.0 * seen.stamp_s),
            stamp_s=seen.stamp_s,
            q=np.array(seen.q),
            dq=np.array(seen.dq),
            q_commanded=np.array(seen.q_target),
            dq_commanded=np.array(seen.dq_target),
            tau=np.array(seen.tau),
            mode=mode,
            note=f"({seen.mode}) {seen.fault}",
            gripper=hand and GripperState(width_m=hand[0], speed_m_s=hand[1], force_n=hand[2]),
        )

    def switch_on(self, link: FrankaProcess) -> None:
        """Start the controller at the measured pose."""
        if problem := link.ask(FrankaSession.start):
            raise HardwareFault(f"the Franka arm does not take motion: {problem}")

    def send(self, link: FrankaProcess, q: Array, dq: Array, grip: Grip | None) -> Array:
        """Move the controller's reference."""
        link.ask(FrankaSession.track, q.tolist(), dq.tolist())
        if grip is not None:
            self.gripper(*grip)
        if self.lockstep:
            self._clock.step(self.period_s)
        return q

    def grip(self, link: FrankaProcess, grip: Grip) -> None:
        """Move the hand."""
        link.ask(FrankaSession.grip, *grip)

    def moving(self, link: FrankaProcess) -> bool:
        """Its reference may go on where set-points stand still."""
        return True

    def brake(self, link: FrankaProcess) -> None:
        """Ramp down from where the controller's reference is."""
        seen = link.ask(FrankaSession.read)
        if seen.in_control:
            self.goal, self.goal_dq = np.array(seen.q_target), np.array(seen.dq_target)
            super().brake(link)

    def cut_power(self, link: FrankaProcess) -> bool:
        """End the control loop at once."""
        link.ask(FrankaSession.halt)
        return True

    def after_brake(self, link: FrankaProcess, category: StopCategory) -> None:
        """Category 1 ends the control loop; the arm's own control holds then."""
        if category is StopCategory.CONTROLLED:
            self.leave(link)

    def clear(self, link: FrankaProcess) -> None:
        """Clear the arm's errors; a user stop is released at the arm itself."""
        seen = link.ask(FrankaSession.read)
        if seen.mode == USER_STOPPED:
            raise HardwareFault("the user stop is pressed: release it at the arm")
        if (seen.mode == REFLEX or seen.fault) and (problem := link.ask(FrankaSession.recover)):
            raise HardwareFault(f"the Franka arm's errors were not cleared: {problem}")

    def leave(self, link: FrankaProcess) -> None:
        """End the control loop and wait until it has."""
        link.ask(FrankaSession.finish)
        deadline = time.monotonic() + STOP_S
        while link.ask(FrankaSession.read).in_control and time.monotonic() < deadline:
            if self.lockstep:
                self._clock.step(self.period_s)
            else:
                time.sleep(self.period_s)


def _has_realtime_kernel() -> bool:
    """As ``libfranka`` looks for it."""
    flag = Path("/sys/kernel/realtime")
    return flag.is_file() and flag.read_text("ascii").strip() == "1"


DRIVER = DriverEntry(
    make=FrankaDriver,
    arms="Franka's FR3, with a Franka Hand",
    extra="bridge-franka",
    package="franky",
    tested_against="the simulated FR3 of franky-sim, with the client franky-control",
)
