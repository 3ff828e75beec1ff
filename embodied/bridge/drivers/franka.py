"""Franka's FR3 through ``franky-control`` (extra ``[bridge-franka]``), with a Franka Hand.

The arm's brakes are opened and its control interface (FCI) is activated in Franka's own Desk; the
driver does neither.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path

import numpy as np

from embodied.bridge.driver import DriverLostError, NotSupportedError
from embodied.bridge.drivers.braking import ramp_down
from embodied.bridge.drivers.franka_client import (
    REFLEX,
    STOP_S,
    USER_STOPPED,
    FrankaClient,
    Reading,
)
from embodied.bridge.drivers.truth import Truth
from embodied.bridge.messages import (
    Acknowledgement,
    ArmMode,
    ArmState,
    Capabilities,
    StopCategory,
    StreamResult,
)
from embodied.errors import ConfigurationError, HardwareFault
from embodied.types import Array, GripperState, JointTrajectory, readonly

JOINTS = tuple(f"joint{i}" for i in range(1, 8))
PERIOD_S = 0.01
COMMAND_PORT = 1337
STOP_RAD_S2 = 5.0
STILL_RAD_S = 0.02
_LONGEST_REST = 100
_MODES = {
    "Idle": ArmMode.RUNNING,
    "Move": ArmMode.RUNNING,
    REFLEX: ArmMode.PROTECTIVE_STOP,
    "AutomaticErrorRecovery": ArmMode.PROTECTIVE_STOP,
    USER_STOPPED: ArmMode.EMERGENCY_STOP,
}
"""Other modes, such as guiding or locked brakes, take no motion: ``ArmMode.IDLE``."""


class FrankaDriver:
    """One FR3; implements ``Driver``.

    Args:
        host: Address of the arm's control.
        gripper: ``"hand"`` for a Franka Hand, ``""`` for none.
        realtime: ``"enforce"`` refuses to move without a real-time kernel, ``"ignore"`` does not.
        truth: Socket of an emulator that tells where things are; real arms have none.
        lockstep: The emulator was started with ``--stepped``: its time passes when asked at
            ``truth``.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        gripper: str = "hand",
        realtime: str = "enforce",
        truth: str = "",
        lockstep: bool = False,
    ) -> None:
        if gripper not in ("", "hand"):
            raise TypeError(f"gripper {gripper!r}: choose from hand or nothing")
        if realtime not in ("enforce", "ignore"):
            raise TypeError(f"realtime {realtime!r}: choose from enforce, ignore")
        if lockstep and not truth:
            raise TypeError("lockstep needs truth: the socket of an emulator that is stepped")
        self._host = host
        self._has_hand = bool(gripper)
        self._realtime = realtime == "enforce"
        self._truth = Truth(truth)
        self._lockstep = lockstep
        self._client: FrankaClient | None = None
        self._enabled = self._stopped = False

    @property
    def capabilities(self) -> Capabilities:
        """What this arm can do."""
        return Capabilities(
            name="franka",
            joint_names=JOINTS,
            period_s=PERIOD_S,
            has_gripper=self._has_hand,
            measures_torque=True,
            lockstep=self._lockstep,
            tested_against="the simulated FR3 of franky-sim, with the client franky-control",
        )

    def connect(self) -> None:
        """Open the connections.

        Raises:
            ConfigurationError: A real-time kernel is asked for, and there is none.
            DriverLostError: The arm does not answer.
        """
        if self._realtime and not _has_realtime_kernel():
            raise ConfigurationError(
                "the Franka arm wants a real-time kernel (PREEMPT_RT) on this machine;"
                " realtime=ignore does without: to read only, or for emulators"
            )
        try:
            socket.create_connection((self._host, COMMAND_PORT), 2.0).close()
        except OSError as error:
            raise DriverLostError(f"no Franka arm at {self._host}: {error}") from error
        self._client = FrankaClient(
            self._host, realtime=self._realtime, hand=self._has_hand, patient=self._lockstep
        )
        self._truth.open()

    def read_state(self) -> ArmState:
        """The latest report of the arm; commanded values are the controller's reference."""
        seen = self._connected().read()
        mode = self._mode(seen)
        hand = seen.hand
        return ArmState(
            sequence=round(1000.0 * seen.stamp_s),
            source_time_s=seen.stamp_s,
            receive_time_s=time.monotonic(),
            q=np.array(seen.q),
            dq=np.array(seen.dq),
            q_commanded=np.array(seen.q_target),
            dq_commanded=np.array(seen.dq_target),
            tau=np.array(seen.tau),
            mode=mode,
            protective_stop=mode is ArmMode.PROTECTIVE_STOP,
            emergency_stop=mode is ArmMode.EMERGENCY_STOP,
            gripper=hand and GripperState(width_m=hand[0], speed_m_s=hand[1], force_n=hand[2]),
            scene=self._truth.scene(),
        )

    def enable(self) -> None:
        """Start the controller at the measured pose; raises HardwareFault while stopped."""
        seen = self._connected().read()
        mode = self._mode(seen)
        if mode is not ArmMode.RUNNING:
            raise HardwareFault(f"the Franka arm is in {mode.value} ({seen.mode}) {seen.fault}")
        problem = self._connected().start()
        if problem:
            raise HardwareFault(f"the Franka arm does not take motion: {problem}")
        self._enabled = True

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        """Move the controller's reference; raises HardwareFault when the arm takes no motion."""
        client = self._connected()
        if self._stopped or not self._enabled:
            raise HardwareFault("the Franka arm is stopped, or not enabled")
        client.track(q.tolist(), dq.tolist())
        if gripper_width_m is not None:
            self.gripper(gripper_width_m, gripper_force_n)
        if self._lockstep:
            self._truth.step(PERIOD_S)
        return StreamResult(requested=readonly(q), sent=readonly(q))

    def execute(self, trajectory: JointTrajectory) -> None:
        """Not supported: set-points go through the safety filter one at a time."""
        raise NotSupportedError("the Franka arm takes set-points: use stream")

    def gripper(self, width_m: float, force_n: float) -> None:
        """Move the gripper."""
        if not self._has_hand:
            raise NotSupportedError("this Franka arm has no gripper")
        self._connected().grip(width_m, force_n)

    def stop(self, category: StopCategory) -> None:
        """Brake and hold; category 1 then ends the control loop, category 0 ends it at once."""
        client = self._connected()
        enabled, self._enabled = self._enabled, False
        self._stopped = True
        if category is StopCategory.IMMEDIATE:
            client.halt()
            return
        if enabled:
            self._brake()
        if category is StopCategory.CONTROLLED:
            self._finish()

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """Clear a stop and the arm's errors; a user stop is released at the arm itself.

        Raises:
            HardwareFault: The cause is still there.
        """
        del acknowledgement
        client = self._connected()
        seen = client.read()
        if seen.mode == USER_STOPPED:
            raise HardwareFault("the user stop is pressed: release it at the arm")
        if seen.mode == REFLEX or seen.fault:
            problem = client.recover()
            if problem:
                raise HardwareFault(f"the Franka arm's errors were not cleared: {problem}")
        self._stopped = self._enabled = False

    def disconnect(self) -> None:
        """Brake if moving and let go; may be called twice."""
        client = self._client
        if client is not None:
            try:
                if self._enabled:
                    self._brake()
                self._finish()
            except DriverLostError:
                pass  # there is nobody to brake any more
            client.close()
        self._client, self._enabled = None, False
        self._truth.close()

    # ------------------------------------------------------------------ private

    def _connected(self) -> FrankaClient:
        if self._client is None:
            raise DriverLostError("the Franka arm is not connected")
        return self._client

    def _mode(self, seen: Reading) -> ArmMode:
        mode = _MODES.get(seen.mode, ArmMode.IDLE)
        if mode is ArmMode.RUNNING and seen.fault:
            return ArmMode.FAULT
        if mode is ArmMode.RUNNING and self._stopped:
            return ArmMode.PROTECTIVE_STOP
        return mode

    def _brake(self) -> None:
        """Ramp the reference down to rest at a constant deceleration."""
        client = self._connected()
        seen = client.read()
        q, dq = np.array(seen.q_target), np.array(seen.dq_target)
        if not seen.in_control:
            return
        for goal in ramp_down(q, dq, deceleration_rad_s2=STOP_RAD_S2, dt_s=PERIOD_S):
            client.track(goal.tolist(), ((goal - q) / PERIOD_S).tolist())
            q = goal
            self._let_time_pass()
        client.track(q.tolist(), [0.0] * len(JOINTS))
        if self._lockstep:  # where time stands still from here on
            for _ in range(_LONGEST_REST):
                if np.max(np.abs(client.read().dq)) < STILL_RAD_S:
                    break
                self._let_time_pass()

    def _finish(self) -> None:
        """End the control loop and wait until it has."""
        client = self._connected()
        client.finish()
        deadline = time.monotonic() + STOP_S
        while client.read().in_control and time.monotonic() < deadline:
            self._let_time_pass()

    def _let_time_pass(self) -> None:
        if self._lockstep:
            self._truth.step(PERIOD_S)
        else:
            time.sleep(PERIOD_S)


def _has_realtime_kernel() -> bool:
    """As ``libfranka`` looks for it."""
    flag = Path("/sys/kernel/realtime")
    return flag.is_file() and flag.read_text("ascii").strip() == "1"
