"""The interface to an arm, and its errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from embodied.bridge.messages import (
    Acknowledgement,
    ArmState,
    Capabilities,
    StopCategory,
    StreamResult,
)
from embodied.devices import DeviceEntry
from embodied.errors import HardwareFault, WorldError
from embodied.types import Array, JointTrajectory


class DriverLostError(HardwareFault):
    """The connection to the arm was lost."""


class NotSupportedError(WorldError):
    """This arm cannot do what was asked; ``Capabilities`` says what it can."""


class Driver(Protocol):
    """One arm. Only the supervisor process holds one.

    ``connect`` comes first and moves nothing. ``enable`` makes the arm hold its pose under power.
    ``stream`` may be called every ``capabilities.period_s`` from then on. After ``stop`` the arm
    takes no motion until ``recover`` and ``enable``. After ``disconnect`` only ``disconnect`` may
    be called. Every method but ``disconnect`` raises DriverLostError when the arm does not answer.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this arm can do; known without a connection."""
        ...

    def connect(self) -> None:
        """Open the connection; moves nothing."""
        ...

    def read_state(self) -> ArmState:
        """The latest report of the arm."""
        ...

    def enable(self) -> None:
        """Power up and hold the measured pose.

        Raises:
            HardwareFault: The arm is in a stop or a fault.
        """
        ...

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        """Send the set-point for the end of the next period.

        Args:
            q: Positions, (n,), rad.
            dq: Velocities, (n,), rad/s.
            gripper_width_m: Target gap; None leaves the gripper alone.
            gripper_force_n: Grasping force.

        Raises:
            HardwareFault: The arm does not take motion.
        """
        ...

    def execute(self, trajectory: JointTrajectory) -> None:
        """Hand over a whole trajectory and return at once.

        Raises:
            NotSupportedError: ``capabilities.executes`` is false.
        """
        ...

    def gripper(self, width_m: float, force_n: float) -> None:
        """Move the gripper without moving the arm; returns at once.

        Raises:
            NotSupportedError: ``capabilities.has_gripper`` is false.
        """
        ...

    def stop(self, category: StopCategory) -> None:
        """Stop; also when the arm is in any other state, and again."""
        ...

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """Clear a stop after a person has acknowledged it.

        Raises:
            HardwareFault: The cause is still there.
        """
        ...

    def disconnect(self) -> None:
        """Brake if moving and let go; may be called twice."""
        ...


class ResettableDriver(Driver, Protocol):
    """A simulated arm that starts episodes (``capabilities.resets``)."""

    def reset(self, seed: int) -> None:
        """Start the episode of a seed: the arm at home, things where the seed puts them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverEntry(DeviceEntry):
    """A driver as it is found by name.

    Attributes:
        make: Makes the driver; takes its options as keywords.
        arms: What it drives.
    """

    make: Callable[..., Driver]
    arms: str
