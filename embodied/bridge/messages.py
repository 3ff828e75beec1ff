"""Messages between planner, supervisor and driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from embodied.errors import Diagnostic
from embodied.types import Array, GripperState, readonly


class ArmMode(Enum):
    """What the arm's own controller says it is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PROTECTIVE_STOP = "protective-stop"
    EMERGENCY_STOP = "emergency-stop"
    FAULT = "fault"


class StopCategory(IntEnum):
    """How to stop, after IEC 60204-1.

    0 removes power at once, 1 brakes and then removes power, 2 brakes and keeps holding.
    """

    IMMEDIATE = 0
    CONTROLLED = 1
    HOLD = 2


class OperationMode(Enum):
    """How much of what the planner proposes reaches the arm."""

    DRY_RUN = "dry-run"
    SHADOW = "shadow"
    CONFIRM = "confirm"
    AUTO = "auto"


class Verdict(Enum):
    """What the safety filter decided about one set-point."""

    PASS = "pass"
    CLAMP = "clamp"
    REJECT = "reject"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a driver can do.

    Attributes:
        name: Name of the driver, e.g. ``"simulated"``.
        joint_names: Joints in the order of every joint vector.
        period_s: Time between two streamed set-points.
        executes: Takes whole trajectories.
        has_gripper: Has a gripper.
        resets: Can start an episode from a seed; simulated arms only.
        lockstep: Time stands still between set-points; simulated arms only.
    """

    name: str
    joint_names: tuple[str, ...]
    period_s: float
    executes: bool = False
    has_gripper: bool = False
    resets: bool = False
    lockstep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmState:
    """What the arm reports at one instant; joint vectors are (n,), rad, rad/s, N m.

    Attributes:
        sequence: Counts the reports of the arm; the same number means the same report.
        source_time_s: When it was measured, by the arm's own clock.
        receive_time_s: When it was received, by this machine's monotonic clock.
        q: Measured positions.
        dq: Measured velocities.
        q_commanded: Positions that the arm says it was last told.
        dq_commanded: Velocities that the arm says it was last told.
        tau: Torques as the arm estimates them; zeros where it does not.
        mode: What the arm's controller is doing.
        protective_stop: The arm has stopped itself.
        emergency_stop: An emergency stop is active.
        gripper: The gripper, None without one.
        scene: Poses of things as a simulated arm knows them ("ground truth"); empty for real arms.
    """

    sequence: int
    source_time_s: float
    receive_time_s: float
    q: Array
    dq: Array
    q_commanded: Array
    dq_commanded: Array
    tau: Array
    mode: ArmMode
    protective_stop: bool = False
    emergency_stop: bool = False
    gripper: GripperState | None = None
    scene: Mapping[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        for name in ("q", "dq", "q_commanded", "dq_commanded", "tau"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setpoint:
    """One proposal of the planner.

    Attributes:
        sequence: Grows by at least one with every proposal.
        created_s: When it was made, by this machine's monotonic clock.
        q: Joint positions at the end of the next period, (n,), rad.
        gripper_width_m: Target gap; None leaves the gripper alone.
        gripper_force_n: Grasping force.
    """

    sequence: int
    created_s: float
    q: Array
    gripper_width_m: float | None = None
    gripper_force_n: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a proposal was changed or refused, for programs to act on.

    Attributes:
        code: One of ``embodied.bridge.reasons.CODES``.
        joint: Name of the joint or body concerned, ``""`` if none.
        value: What was asked for or measured.
        limit: What is allowed.
        unit: Unit of both.
        hint: How to do better.
    """

    code: str
    joint: str = ""
    value: float = 0.0
    limit: float = 0.0
    unit: str = ""
    hint: str = ""

    def __str__(self) -> str:
        where = f" {self.joint}" if self.joint else ""
        what = f" {self.value:.4g} against {self.limit:.4g} {self.unit}" if self.unit else ""
        return f"{self.code}{where}{what}" + (f": {self.hint}" if self.hint else "")

    def diagnostic(self) -> Diagnostic:
        """The same for whoever repairs a program from diagnostics."""
        where = f"bridge, {self.joint}" if self.joint else "bridge"
        problem = self.code.replace("_", " ")
        if self.unit:
            problem += f": {self.value:.4g} {self.unit}, allowed {self.limit:.4g} {self.unit}"
        return Diagnostic(where=where, problem=problem, hint=self.hint)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision:
    """What the safety filter made of one period.

    Attributes:
        verdict: The decision.
        q: Set-point to send, (n,), rad.
        dq: Its velocity, (n,), rad/s: the difference to the last one over the period.
        reasons: Why it is not what was asked for; empty when it is.
        gripper_width_m: Gap to send, None for none.
        gripper_force_n: Grasping force to send.
        at_rest: The set-points stand still.
    """

    verdict: Verdict
    q: Array
    dq: Array
    reasons: tuple[Reason, ...] = ()
    gripper_width_m: float | None = None
    gripper_force_n: float = 20.0
    at_rest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamResult:
    """What a driver did with a set-point.

    Attributes:
        requested: Positions that it was given, (n,), rad.
        sent: Positions that went to the arm, (n,), rad; servos round, for example.
        reasons: Why they differ; empty when they do not.
    """

    requested: Array
    sent: Array
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A person says that the cause of a stop has been seen to.

    Attributes:
        operator: Who.
        statement: What was found and done.
    """

    operator: str
    statement: str

    def __post_init__(self) -> None:
        if not self.operator.strip() or not self.statement.strip():
            raise ValueError("an acknowledgement needs an operator's name and a statement")
