"""The client ``franky-control`` in a process of its own: a 1 kHz control loop and a gripper.

The process tracks joint set-points with ``franky.JointImpedanceTracker``: torques of a spring and
a damper per joint, computed at 1 kHz beside ``libfranka``. When set-points stop coming, their
velocity is taken away; when the driver goes, the arm is braked and let go of.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from embodied.bridge.vendors.franka_hand import Hand
from embodied.bridge.vendors.vendor_process import Session

ANSWER_S = 1.5
"""``libfranka`` itself notices after a second that the arm has gone, and then says why."""
STOP_S = 4.0

STIFFNESS_NM_RAD = (600.0, 600.0, 600.0, 600.0, 250.0, 150.0, 50.0)
DAMPING_NM_S_RAD = (50.0, 50.0, 50.0, 50.0, 30.0, 25.0, 15.0)
"""Those of the manufacturer's example of joint impedance control."""

PATIENCE_S = 0.1
"""A moving reference that is not renewed for so long stands still from then on."""

MOVE, REFLEX, USER_STOPPED = "Move", "Reflex", "UserStopped"


class Reading(NamedTuple):
    """One report of the arm; vectors (7,), rad, rad/s and N m.

    Attributes:
        stamp_s: By the arm's clock.
        q: Measured positions.
        dq: Measured velocities.
        q_target: Reference of the controller.
        dq_target: Its velocity.
        tau: Measured torques, gravity included.
        mode: What the arm does, as ``franky.RobotMode`` names it.
        in_control: The controller runs.
        fault: Why it ended although nobody asked it to, or why the hand is out of use; or ``""``.
        hand: Gap in m, its rate in m/s, grasping force in N; None without a gripper.
    """

    stamp_s: float
    q: list[float]
    dq: list[float]
    q_target: list[float]
    dq_target: list[float]
    tau: list[float]
    mode: str
    in_control: bool
    fault: str
    hand: tuple[float, float, float] | None


class FrankaSession(Session):
    """The client, connected.

    Args:
        host: Address of the arm's control.
        realtime: Refuse to control without a real-time kernel.
        hand: There is a Franka Hand.
        patient: Set-points may take as long as they like: for emulators whose time stands still.
    """

    vendor = "Franka"
    answers_s = {**dict.fromkeys(("start", "halt", "recover", "end"), STOP_S), "read": ANSWER_S}

    def __init__(self, host: str, realtime: bool, hand: bool, patient: bool) -> None:
        import franky

        config = franky.RealtimeConfig
        self._patient = patient
        self._franky: Any = franky
        self._robot = franky.Robot(
            host, realtime_config=config.Enforce if realtime else config.Ignore
        )
        self._hand = Hand(franky.Gripper(host)) if hand else None
        self._tracker: Any = None
        self._asked_to_end = False
        self._fault = ""
        self._q: list[float] = []
        self._dq: list[float] = []
        self._told_s = 0.0

    def wait_s(self) -> float | None:
        """How long to wait before the reference stands still."""
        return None if self._patient else PATIENCE_S / 4

    def idle(self) -> None:
        """Make a moving reference that is not renewed stand still."""
        late = time.monotonic() - self._told_s > PATIENCE_S
        if late and self._tracker is not None and any(self._dq):
            self.track(self._q, [0.0] * len(self._q))

    def read(self) -> Reading:
        """The latest report."""
        self._notice_end()
        state = self._robot.state
        tracks = self._tracker is not None
        hand = self._hand
        return Reading(
            state.time.to_sec(),
            list(state.q),
            list(state.dq),
            list(self._q if tracks else state.q_d),
            list(self._dq if tracks else state.dq_d),
            list(state.tau_J),
            state.robot_mode.name,
            bool(self._robot.is_in_control),
            self._fault or (hand.problem if hand is not None else ""),
            None if hand is None else hand.seen(),
        )

    def start(self) -> str:
        """Hold the measured pose; returns what is in the way."""
        self._notice_end()
        self._fault = ""
        q = list(self._robot.current_joint_positions)
        if self._tracker is None:
            self._asked_to_end = False
            self._tracker = self._franky.JointImpedanceTracker(
                self._robot, stiffness=STIFFNESS_NM_RAD, damping=DAMPING_NM_S_RAD
            )
        self.track(q, [0.0] * len(q))
        deadline = time.monotonic() + STOP_S / 2
        while time.monotonic() < deadline:
            self._notice_end()
            if self._fault:
                return self._fault
            if self._robot.state.robot_mode.name == MOVE:
                return ""
            time.sleep(0.002)
        return "the arm does not begin to move"

    def track(self, q: list[float], dq: list[float]) -> None:
        """Move the reference."""
        if self._tracker is not None:
            self._tracker.set_target(q, dq)
        self._q, self._dq, self._told_s = q, dq, time.monotonic()

    def grip(self, width_m: float, force_n: float) -> None:
        """Move the fingers; returns at once."""
        if self._hand is not None:
            self._hand.move(width_m, force_n)

    def finish(self) -> None:
        """Have the controller bring the arm to rest; ``Reading.in_control`` tells when it has."""
        self._asked_to_end = True
        if self._tracker is not None and self._robot.is_in_control:
            self._robot.move(self._franky.TorqueStopMotion(), asynchronous=True)

    def halt(self) -> None:
        """End the controller at once, whatever moves."""
        self._asked_to_end = True
        if self._robot.is_in_control:
            self._robot.stop()

    def recover(self) -> str:
        """Clear errors of the arm; returns what is in the way."""
        try:
            self._robot.recover_from_errors()
        except self._franky.CommandException as error:
            return str(error)
        mode = self._robot.state.robot_mode.name
        if mode in (REFLEX, USER_STOPPED):
            return f"the arm is still in mode {mode}"
        self._fault = ""
        return ""

    def end(self) -> None:
        """Bring the arm to rest."""
        self.finish()
        try:
            self._robot.join_motion(STOP_S / 2)
        except Exception:  # noqa: BLE001 - it ends either way
            pass

    def _notice_end(self) -> None:
        """Keep the reason when the control loop has ended; raises when the arm has gone."""
        if self._tracker is None or self._robot.is_in_control:
            return
        try:
            self._robot.join_motion(STOP_S / 2)
            problem = "the control loop has ended"
        except self._franky.ControlException as error:
            problem = str(error)
        self._tracker = None
        if not self._asked_to_end:
            self._fault = problem
