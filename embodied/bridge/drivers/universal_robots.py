"""Universal Robots' arms through ``ur-rtde`` (extra ``[bridge-ur]``): ``servoJ`` and its stops.

The client sends its control program to the controller when the arm is connected; the program moves
nothing by itself. The arm must be in remote control.
"""

from __future__ import annotations

import socket
import time

import numpy as np

from embodied.bridge.driver import DriverLostError, NotSupportedError
from embodied.bridge.drivers.robotiq import RobotiqGripper
from embodied.bridge.drivers.truth import Truth
from embodied.bridge.drivers.ur_client import Reading, UrClient
from embodied.bridge.messages import (
    Acknowledgement,
    ArmMode,
    ArmState,
    Capabilities,
    StopCategory,
    StreamResult,
)
from embodied.errors import HardwareFault
from embodied.types import Array, GripperState, JointTrajectory, readonly

JOINTS = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
)
PERIOD_S = 0.01
DASHBOARD_PORT = 29999
RTDE_PORT = 30004
_PROTECTIVE_BIT, _EMERGENCY_BITS = 1 << 2, 1 << 5 | 1 << 6 | 1 << 7
_RUNNING = 7
_GRIPPER_EVERY_S = 0.02
_LOCKSTEP_S = 5.0


class UniversalRobotsDriver:
    """One UR arm; implements ``Driver``.

    Args:
        host: Address of the controller.
        gripper: ``"robotiq"`` for a Robotiq gripper behind its URCap, ``""`` for none.
        stroke_m: The gripper's gap when open.
        gripper_force_n: The gripper's largest force.
        truth: Socket of an emulator that tells where things are; real arms have none.
        lockstep: The emulator was started with ``--stepped``: wait for it after each set-point.
    """

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
            raise TypeError(f"gripper {gripper!r}: choose from robotiq or nothing")
        self._host = host
        self._gripper = (
            RobotiqGripper(host, stroke_m=stroke_m, largest_force_n=gripper_force_n)
            if gripper
            else None
        )
        self._truth = Truth(truth)
        self._client: UrClient | None = None
        self._enabled = self._stopped = False
        self._lockstep = lockstep
        self._due_s = 0.0
        self._width = (0.0, 0.0, 0.0)  # gap m, rate m/s, force N
        self._width_s = 0.0

    @property
    def capabilities(self) -> Capabilities:
        """What this arm can do."""
        return Capabilities(
            name="universal-robots",
            joint_names=JOINTS,
            period_s=PERIOD_S,
            has_gripper=self._gripper is not None,
            lockstep=self._lockstep,
            tested_against="an RTDE emulator of this project, with the vendor's client ur-rtde",
        )

    def connect(self) -> None:
        """Open the connections and load the client's control program; raises DriverLostError."""
        try:
            # The vendor's client would try to connect for ever.
            socket.create_connection((self._host, RTDE_PORT), 2.0).close()
        except OSError as error:
            raise DriverLostError(f"no UR controller at {self._host}: {error}") from error
        self._client = UrClient(self._host, PERIOD_S)
        if self._gripper is not None:
            self._gripper.open()
        self._truth.open()

    def read_state(self) -> ArmState:
        """The latest report of the arm."""
        seen = self._reading()
        now = time.monotonic()
        bits = seen.safety_bits
        emergency, protective = bool(bits & _EMERGENCY_BITS), bool(bits & _PROTECTIVE_BIT)
        mode = ArmMode.RUNNING
        if emergency:
            mode = ArmMode.EMERGENCY_STOP
        elif protective or self._stopped:
            mode = ArmMode.PROTECTIVE_STOP
        elif seen.robot_mode != _RUNNING:
            mode = ArmMode.IDLE
        return ArmState(
            sequence=round(seen.stamp_s * 500.0),
            source_time_s=seen.stamp_s,
            receive_time_s=now,
            q=np.array(seen.q),
            dq=np.array(seen.dq),
            q_commanded=np.array(seen.q_target),
            dq_commanded=np.array(seen.dq_target),
            tau=np.zeros(len(JOINTS)),
            mode=mode,
            protective_stop=protective or (self._stopped and not emergency),
            emergency_stop=emergency,
            gripper=self._grip(now),
            scene=self._truth.scene(),
        )

    def enable(self) -> None:
        """Hold the measured pose; raises HardwareFault while a stop is active."""
        state = self.read_state()
        if state.protective_stop or state.emergency_stop or state.mode is ArmMode.IDLE:
            raise HardwareFault(f"the UR arm is in {state.mode.value}")
        if not self._connected().ready():
            raise HardwareFault("the UR controller does not run the control program")
        if self._gripper is not None:
            self._gripper.activate()
        self._enabled = True

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        """Send one ``servoJ``; raises HardwareFault when the arm takes no motion."""
        del dq
        client = self._connected()
        if self._lockstep:
            self._due_s = max(self._due_s, client.read().stamp_s)
        if self._stopped or not self._enabled:
            raise HardwareFault("the UR arm is stopped, or not enabled")
        if not client.servo(q.tolist()):
            raise HardwareFault("the UR controller refused a set-point")
        if self._gripper is not None and gripper_width_m is not None:
            self._gripper.move(gripper_width_m, gripper_force_n)
        if self._lockstep:
            self._due_s += PERIOD_S
        return StreamResult(requested=readonly(q), sent=readonly(q))

    def execute(self, trajectory: JointTrajectory) -> None:
        """Not supported: set-points go through the safety filter one at a time."""
        raise NotSupportedError("the UR arm takes set-points: use stream")

    def gripper(self, width_m: float, force_n: float) -> None:
        """Move the gripper."""
        if self._gripper is None:
            raise NotSupportedError("this UR arm has no gripper")
        self._gripper.move(width_m, force_n)

    def stop(self, category: StopCategory) -> None:
        """Brake (``servoStop``); category 1 with a protective stop, category 0 without power."""
        client = self._connected()
        self._stopped, self._enabled = True, False
        if category is StopCategory.IMMEDIATE:
            self._dashboard("power off")
            return
        client.brake(protective=category is StopCategory.CONTROLLED)

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """Clear a protective stop; an emergency stop is released at the arm itself.

        Raises:
            HardwareFault: The cause is still there.
        """
        del acknowledgement
        if self.read_state().emergency_stop:
            raise HardwareFault("the emergency stop is pressed: release it at the arm")
        for line in ("close safety popup", "unlock protective stop", "power on", "brake release"):
            self._dashboard(line)
        time.sleep(0.1)
        if not self._connected().ready():
            raise HardwareFault("the UR controller does not run the control program")
        self._stopped = False

    def disconnect(self) -> None:
        """Brake if moving and let go; may be called twice."""
        client, self._client = self._client, None
        self._enabled = False
        if client is not None:
            client.close()
        if self._gripper is not None:
            self._gripper.close()
        self._truth.close()

    # ------------------------------------------------------------------ private

    def _connected(self) -> UrClient:
        if self._client is None:
            raise DriverLostError("the UR controller is not connected")
        return self._client

    def _reading(self) -> Reading:
        """The latest report; in lockstep, one from after the last set-point."""
        client = self._connected()
        deadline = time.monotonic() + _LOCKSTEP_S
        seen = client.read()
        while seen.stamp_s < self._due_s - 1e-6 and not self._stopped:
            if time.monotonic() > deadline:
                raise DriverLostError("the emulated UR controller does not keep step")
            time.sleep(0.0005)
            seen = client.read()
        return seen

    def _grip(self, now: float) -> GripperState | None:
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
