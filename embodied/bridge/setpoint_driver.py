"""The shared state machine of drivers that take set-points.

    stream:  q_k, dq_k  ->  arm, one period each
    brake:   q_{k+1} = q_k + dq (1 - (k + 1/2) / K) T,   K = ceil(max|dq| / (a T))

with the period T and the deceleration a of the fastest joint.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np

from embodied.bridge.driver import DriverLostError, NotSupportedError
from embodied.bridge.messages import (
    Acknowledgement,
    ArmMode,
    ArmState,
    Capabilities,
    StopCategory,
    StreamResult,
)
from embodied.bridge.vendors.truth import Truth
from embodied.errors import HardwareFault
from embodied.types import Array, GripperState, JointTrajectory, readonly

L = TypeVar("L")

Grip = tuple[float, float]
"""Gap to go to, m, and grasping force, N."""

_LOCKSTEP_S = 5.0
_REST_RAD_S = 0.02
_LONGEST_REST = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """One report of an arm; vectors (n,), rad, rad/s, N m.

    Attributes:
        sequence: Grows with every new report.
        stamp_s: When it was measured, by the arm's own clock.
        q: Measured positions.
        dq: Measured velocities.
        q_commanded: Positions that the arm was told last; None: the last set-point.
        dq_commanded: Its velocity; None: that of the last set-point.
        tau: Torques; None where the arm does not report them.
        mode: ``RUNNING`` for an arm that takes motion; None where it does not say.
        note: More about the mode, in the vendor's words.
        gripper: The gripper.
        receive_s: When it was received, by this machine's monotonic clock; None: now.
    """

    sequence: int
    stamp_s: float
    q: Array
    dq: Array
    q_commanded: Array | None = None
    dq_commanded: Array | None = None
    tau: Array | None = None
    mode: ArmMode | None = None
    note: str = ""
    gripper: GripperState | None = None
    receive_s: float | None = None


class SetpointDriver(ABC, Generic[L]):
    """An arm that takes set-points; implements ``Driver``.

    A driver writes ``open_link``, ``close_link``, ``measure`` and ``send``, and those of the other
    methods below for which its arm needs more than the default. All get the open link to the
    vendor's client, and raise DriverLostError when the arm does not answer.

    Args:
        joints: Names of the joints, in the order of every joint vector.
        has_gripper: There is a gripper.
        lockstep: Time stands still between set-points: emulated arms only.
        truth: Socket of an emulator that tells where things are; real arms have none.

    Attributes:
        name: Of the driver.
        label: Of the arm, for messages.
        period_s: Time between two set-points.
        stop_rad_s2: Deceleration of the fastest joint in a stop.
        executes: Takes whole trajectories.
        resets: Can start an episode from a seed: simulated arms only.
        differs: Why what is sent may differ from what was asked for.
    """

    name: ClassVar[str]
    label: str
    period_s: ClassVar[float] = 0.01
    stop_rad_s2: ClassVar[float] = 10.0
    executes: ClassVar[bool] = False
    resets: ClassVar[bool] = False
    differs: ClassVar[str] = "limited by the arm"

    def __init__(
        self,
        joints: tuple[str, ...],
        *,
        has_gripper: bool = False,
        lockstep: bool = False,
        truth: str = "",
    ) -> None:
        self.joints, self.lockstep, self.has_gripper = joints, lockstep, has_gripper
        self.truth = Truth(truth)
        self.goal = np.zeros(len(joints))
        self.goal_dq = np.zeros(len(joints))
        self.enabled = self.stopped = False
        self._link: L | None = None
        self._sequence = 0
        self._start_s = 0.0

    # ------------------------------------------------------- written by each driver

    @abstractmethod
    def open_link(self) -> L:
        """Open the connection; moves nothing."""

    @abstractmethod
    def close_link(self, link: L) -> None:
        """Close it, whatever state it is in."""

    @abstractmethod
    def measure(self, link: L) -> Report:
        """The latest report of the arm."""

    @abstractmethod
    def send(self, link: L, q: Array, dq: Array, grip: Grip | None) -> Array:
        """Send a set-point; returns the positions that were sent, (n,), rad."""

    def alive(self, link: L) -> bool:
        """Whether the client still has its arm, as far as it says."""
        return True

    def switch_on(self, link: L) -> None:
        """Make the arm hold ``goal``, its measured pose; raises HardwareFault."""

    def grip(self, link: L, grip: Grip) -> None:
        """Move the gripper alone."""

    def moving(self, link: L) -> bool:
        """Whether letting go of the arm needs a brake first."""
        return bool(np.any(self.goal_dq))

    def brake(self, link: L) -> None:
        """Ramp the set-points down to rest at a constant deceleration."""
        still = np.zeros_like(self.goal)
        q = self.goal
        for goal in ramp_down(
            q, self.goal_dq, deceleration_rad_s2=self.stop_rad_s2, dt_s=self.period_s
        ):
            self._step(link, goal, (goal - q) / self.period_s)
            q = goal
        self._step(link, q, still)
        # Where time passes with set-points only, coming to rest takes some more of them.
        for _ in range(_LONGEST_REST if self.lockstep else 0):
            if np.max(np.abs(self.measure(link).dq)) < _REST_RAD_S:
                break
            self._step(link, q, still)

    def cut_power(self, link: L) -> bool:
        """Take power off at once; false where that is not in reach, so that the arm brakes."""
        return False

    def after_brake(self, link: L, category: StopCategory) -> None:
        """What a stop does beyond braking."""

    def clear(self, link: L) -> None:
        """Clear the arm's own stops; raises HardwareFault while their cause is there."""

    def leave(self, link: L) -> None:
        """Say goodbye to an arm at rest."""

    def scene(self) -> Mapping[str, object]:
        """Where things are, as an emulator knows it; empty for real arms."""
        return self.truth.scene()

    # ----------------------------------------------------------------- the protocol

    @property
    def capabilities(self) -> Capabilities:
        """What this arm can do."""
        return Capabilities(
            name=self.name,
            joint_names=self.joints,
            period_s=self.period_s,
            executes=self.executes,
            has_gripper=self.has_gripper,
            resets=self.resets,
            lockstep=self.lockstep,
        )

    def connect(self) -> None:
        """Open the connection; moves nothing; raises DriverLostError."""
        self._link = link = self.open_link()
        self.truth.open()
        self._start_s = time.monotonic()
        self.goal = self.measure(link).q

    def read_state(self) -> ArmState:
        """The latest report of the arm."""
        seen = self.measure(self.link)
        mode = self._mode(seen)
        return ArmState(
            sequence=seen.sequence,
            source_time_s=seen.stamp_s,
            receive_time_s=time.monotonic() if seen.receive_s is None else seen.receive_s,
            q=seen.q,
            dq=seen.dq,
            q_commanded=self.goal if seen.q_commanded is None else seen.q_commanded,
            dq_commanded=self.goal_dq if seen.dq_commanded is None else seen.dq_commanded,
            tau=np.zeros(len(self.joints)) if seen.tau is None else seen.tau,
            mode=mode,
            protective_stop=mode is ArmMode.PROTECTIVE_STOP,
            emergency_stop=mode is ArmMode.EMERGENCY_STOP,
            gripper=seen.gripper,
            scene=self.scene(),
        )

    def enable(self) -> None:
        """Power up and hold the measured pose; raises HardwareFault in a stop or a fault."""
        seen = self.measure(self.link)
        if self.stopped or seen.mode not in (None, ArmMode.RUNNING):
            raise HardwareFault(f"{self.label} is in {self._mode(seen).value} {seen.note}".strip())
        self.goal, self.goal_dq = seen.q, np.zeros(len(self.joints))
        self.switch_on(self.link)
        self.enabled = True

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        """Send one set-point; raises HardwareFault when the arm takes no motion."""
        link = self.ready_link()
        grip = None if gripper_width_m is None else (gripper_width_m, gripper_force_n)
        sent = self._send(link, q, dq, grip)
        reasons = () if np.allclose(sent, q, rtol=0.0, atol=1e-6) else (self.differs,)
        return StreamResult(requested=readonly(q), sent=readonly(sent), reasons=reasons)

    def execute(self, trajectory: JointTrajectory) -> None:
        """Not supported: set-points go through the safety filter one at a time."""
        raise NotSupportedError(f"{self.label} takes set-points: use stream")

    def gripper(self, width_m: float, force_n: float) -> None:
        """Move the gripper."""
        if not self.has_gripper:
            raise NotSupportedError(f"{self.label} has no gripper; see the option gripper")
        self.grip(self.link, (width_m, force_n))

    def stop(self, category: StopCategory) -> None:
        """Brake and hold; category 0 takes power off where the arm can."""
        link = self.link
        enabled, self.enabled, self.stopped = self.enabled, False, True
        if category is StopCategory.IMMEDIATE and self.cut_power(link):
            return
        if enabled:
            self.brake(link)
        self.after_brake(link, category)

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """Clear a stop; raises HardwareFault while its cause is there."""
        del acknowledgement
        self.clear(self.link)
        self.stopped = self.enabled = False

    def disconnect(self) -> None:
        """Brake if moving and let go; may be called twice."""
        link, self._link = self._link, None
        enabled, self.enabled = self.enabled, False
        if link is not None:
            try:
                if enabled and self.moving(link):
                    self.brake(link)
                    self.after_brake(link, StopCategory.HOLD)
                self.leave(link)
            except DriverLostError:
                pass  # there is nobody to brake any more
            self.close_link(link)
        self.truth.close()

    # ------------------------------------------------------------------ for drivers

    @property
    def link(self) -> L:
        """The open link to the vendor's client."""
        if self._link is None or not self.alive(self._link):
            raise DriverLostError(f"{self.label} is not connected")
        return self._link

    def ready_link(self) -> L:
        """The same, of an arm that takes motion; raises HardwareFault."""
        link = self.link
        if self.stopped or not self.enabled:
            raise HardwareFault(f"{self.label} takes no motion: stopped, or not enabled")
        return link

    def own_clock(self) -> tuple[int, float]:
        """Number and time of a report, s, for arms that have no clock of their own."""
        if self.lockstep:
            return self._sequence, self._sequence * self.period_s
        self._sequence += 1
        return self._sequence, time.monotonic() - self._start_s

    def keep_step(self, behind: Callable[[], bool], wait: Callable[[], None]) -> None:
        """Wait while the emulator is ``behind``; raises DriverLostError after a time."""
        deadline = time.monotonic() + _LOCKSTEP_S
        while behind():
            if time.monotonic() > deadline:
                raise DriverLostError(f"{self.label}, emulated, does not keep step")
            wait()

    # ---------------------------------------------------------------------- private

    def _mode(self, seen: Report) -> ArmMode:
        mode = seen.mode or (ArmMode.RUNNING if self.enabled else ArmMode.IDLE)
        if self.stopped and mode in (ArmMode.RUNNING, ArmMode.IDLE):
            return ArmMode.PROTECTIVE_STOP
        return mode

    def _send(self, link: L, q: Array, dq: Array, grip: Grip | None) -> Array:
        sent = self.send(link, q, dq, grip)
        self.goal, self.goal_dq = sent, np.array(dq)
        self._sequence += self.lockstep
        return sent

    def _step(self, link: L, q: Array, dq: Array) -> None:
        self._send(link, q, dq, None)
        if not self.lockstep:
            time.sleep(self.period_s)


def ramp_down(q: Array, dq: Array, *, deceleration_rad_s2: float, dt_s: float) -> Iterator[Array]:
    """Set-points (n,), rad, one a period, from ``q`` at velocity ``dq`` to rest.

    The fastest joint decelerates at ``deceleration_rad_s2``, the others in the same time; there are
    none for an arm at rest.
    """
    periods = int(np.ceil(float(np.max(np.abs(dq))) / (deceleration_rad_s2 * dt_s)))
    for k in range(periods):
        q = q + dq * (1.0 - (k + 0.5) / periods) * dt_s
        yield q
