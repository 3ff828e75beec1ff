"""Universal Robots' arms through ``ur-rtde`` (extra ``[bridge-ur]``): ``servoJ`` and its stops.

The client sends its control program to the controller when the arm is connected; the program moves
nothing by itself. The arm must be in remote control.
"""

from __future__ import annotations

import socket
import time

import numpy as np

from embodied.bridge.driver import DriverEntry, DriverLostError
from embodied.bridge.messages import ArmMode, StopCategory
from embodied.bridge.setpoint_driver import Grip, Report, SetpointDriver
from embodied.bridge.vendors.robotiq import RobotiqGripper
from embodied.bridge.vendors.ur_client import Reading, UrSession
from embodied.bridge.vendors.vendor_process import VendorProcess
from embodied.errors import HardwareFault
from embodied.types import Array, GripperState

JOINTS = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
)
DASHBOARD_PORT = 29999
RTDE_PORT = 30004
_PROTECTIVE_BIT, _EMERGENCY_BITS = 1 << 2, 1 << 5 | 1 << 6 | 1 << 7
_RUNNING = 7
_GRIPPER_EVERY_S = 0.02

UrProcess = VendorProcess[UrSession]


class UniversalRobotsDriver(SetpointDriver[UrProcess]):
    """One UR arm.

    Args:
        host: Address of the controller.
        gripper: ``"robotiq"`` for a Robotiq gripper behind its URCap, ``""`` for none.
        stroke_m: Gap of the open gripper.
        gripper_force_n: Largest force of the gripper.
        truth: Socket of an emulator that tells where things are; real arms have none.
        lockstep: true: wait for an emulator started with ``--stepped``.
    """

    name, label = "universal-robots", "the UR arm"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        gripper: str = "robotiq",
        stroke_m: float = 0.08,
        gripper_force_n: float = 70.0,
        truth: str = "",
        lockstep: bool = False,
    ) -> None:
        if gripper not in ("", "robotiq"):
            raise TypeError(f"gripper {gripper!r}: choose from: robotiq, or leave it out")
        super().__init__(JOINTS, has_gripper=bool(gripper), lockstep=lockstep, truth=truth)
        self._host = host
        self._gripper = (
            RobotiqGripper(host, stroke_m=stroke_m, largest_force_n=gripper_force_n)
            if gripper
            else None
        )
        self._due_s = 0.0
        self._width = (0.0, 0.0, 0.0)  # gap m, rate m/s, force N
        self._width_s = 0.0

    def open_link(self) -> UrProcess:
        """Open the connections and load the client's control program."""
        try:
            # The vendor's client would try to connect for ever.
            socket.create_connection((self._host, RTDE_PORT), 2.0).close()
        except OSError as error:
            raise DriverLostError(f"no UR controller at {self._host}: {error}") from error
        client = VendorProcess(UrSession, self._host, self.period_s)
        if self._gripper is not None:
            self._gripper.open()
        return client

    def close_link(self, link: UrProcess) -> None:
        """End the client, which brakes if the arm moves."""
        link.close()
        if self._gripper is not None:
            self._gripper.close()

    def measure(self, link: UrProcess) -> Report:
        """The latest report; in lockstep, one from after the last set-point."""
        seen = self._reading(link)
        bits = seen.safety_bits
        mode = ArmMode.RUNNING if seen.robot_mode == _RUNNING else ArmMode.IDLE
        if bits & _EMERGENCY_BITS:
            mode = ArmMode.EMERGENCY_STOP
        elif bits & _PROTECTIVE_BIT:
            mode = ArmMode.PROTECTIVE_STOP
        return Report(
            sequence=round(seen.stamp_s * 500.0),
            stamp_s=seen.stamp_s,
            q=np.array(seen.q),
            dq=np.array(seen.dq),
            q_commanded=np.array(seen.q_target),
            dq_commanded=np.array(seen.dq_target),
            mode=mode,
            gripper=self._grip_state(time.monotonic()),
        )

    def switch_on(self, link: UrProcess) -> None:
        """Make the control program run."""
        if not link.ask(UrSession.ready):
            raise HardwareFault("the UR controller does not run the control program")
        if self._gripper is not None:
            self._gripper.activate()

    def send(self, link: UrProcess, q: Array, dq: Array, grip: Grip | None) -> Array:
        """One ``servoJ``."""
        if self.lockstep:
            self._due_s = max(self._due_s, link.ask(UrSession.read).stamp_s)
        if not link.ask(UrSession.servo, q.tolist()):
            raise HardwareFault("the UR controller refused a set-point")
        if grip is not None:
            self.grip(link, grip)
        self._due_s += self.period_s
        return q

    def grip(self, link: UrProcess, grip: Grip) -> None:
        """Move the gripper, if there is one."""
        if self._gripper is not None:
            self._gripper.move(*grip)

    def brake(self, link: UrProcess) -> None:
        """See ``after_brake``: the controller's ``servoStop`` brakes."""

    def cut_power(self, link: UrProcess) -> bool:
        """Power off."""
        self._dashboard("power off")
        return True

    def after_brake(self, link: UrProcess, category: StopCategory) -> None:
        """Stop ``servoJ``; category 1 with a protective stop."""
        link.ask(UrSession.brake, category is StopCategory.CONTROLLED)

    def clear(self, link: UrProcess) -> None:
        """Clear a protective stop; an emergency stop is released at the arm itself."""
        if self.measure(link).mode is ArmMode.EMERGENCY_STOP:
            raise HardwareFault("the emergency stop is pressed: release it at the arm")
        for line in ("close safety popup", "unlock protective stop", "power on", "brake release"):
            self._dashboard(line)
        time.sleep(0.1)
        if not link.ask(UrSession.ready):
            raise HardwareFault("the UR controller does not run the control program")

    # ------------------------------------------------------------------ private

    def _reading(self, link: UrProcess) -> Reading:
        seen = link.ask(UrSession.read)

        def behind() -> bool:
            return self.lockstep and not self.stopped and seen.stamp_s < self._due_s - 1e-6

        def wait() -> None:
            nonlocal seen
            time.sleep(0.0005)
            seen = link.ask(UrSession.read)

        self.keep_step(behind, wait)
        return seen

    def _grip_state(self, now: float) -> GripperState | None:
        """The gripper as last asked; its protocol answers slower than the arm's period."""
        if self._gripper is None:
            return None
        if now - self._width_s >= _GRIPPER_EVERY_S:
            width, before = self._gripper.width_m(), self._width[0]
            rate = (width - before) / (now - self._width_s) if self._width_s else 0.0
            force = self._gripper.force_n()
            self._width, self._width_s = (width, rate, force), now
        gap, rate, force = self._width
        return GripperState(width_m=gap, speed_m_s=rate, force_n=force)

    def _dashboard(self, line: str) -> str:
        try:
            with socket.create_connection((self._host, DASHBOARD_PORT), 2.0) as connection:
                connection.recv(256)
                connection.sendall(line.encode() + b"\n")
                return connection.recv(256).decode("ascii", "replace").strip()
        except OSError as error:
            raise DriverLostError(f"the UR dashboard does not answer: {error}") from error


DRIVER = DriverEntry(
    make=UniversalRobotsDriver,
    arms="UR arms of the CB3 and e-Series, with a Robotiq gripper",
    extra="bridge-ur",
    package="rtde_control",
    tested_against="an RTDE emulator of this project, with the vendor's client ur-rtde",
)
