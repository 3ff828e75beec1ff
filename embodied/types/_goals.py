"""Control goals, and how a controller got on with them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np

from embodied.types._geometry import Array, readonly
from embodied.types._reward import RewardProgram


class ControlStatus(Enum):
    """State of a controller after a step."""

    RUNNING = "running"
    REACHED = "reached"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointTrajectory:
    """A time-parametrised joint path, sampled densely.

    Attributes:
        time: Sample times from 0, shape (n,), seconds, strictly increasing.
        q: Joint positions, shape (n, nq), rad.
        dq: Joint velocities, shape (n, nq), rad/s.
        ddq: Joint accelerations, shape (n, nq), rad/s^2.
    """

    time: Array
    q: Array
    dq: Array
    ddq: Array

    def __post_init__(self) -> None:
        for name in ("time", "q", "dq", "ddq"):
            object.__setattr__(self, name, readonly(getattr(self, name)))
        n = self.time.shape[0]
        if self.time.ndim != 1 or n < 1 or np.any(np.diff(self.time) <= 0):
            raise ValueError("time must be a non-empty strictly increasing vector")
        for name in ("q", "dq", "ddq"):
            value = getattr(self, name)
            if value.ndim != 2 or value.shape[0] != n or value.shape != self.q.shape:
                raise ValueError(f"{name} must have shape ({n}, nq), got {value.shape}")

    @property
    def duration_s(self) -> float:
        """Time of the last sample in seconds."""
        return float(self.time[-1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathGoal:
    """Follow a joint trajectory; reached when its end is reached and the arm has settled.

    Attributes:
        trajectory: Starts where the arm is (within ``tolerance_rad`` of the measured q).
        tolerance_rad: Largest joint error at the end that still counts as reached.
        stop_on_contact: End early as REACHED when the arm is held back by something it pushes on
            (used to close drawers and to lower things onto surfaces).
        gripper_width_m: Gap to bring the fingers to on the way; None leaves them as they are.
        label: For logs, e.g. ``"approach red-block"``.
    """

    trajectory: JointTrajectory
    tolerance_rad: float = 0.02
    stop_on_contact: bool = False
    gripper_width_m: float | None = None
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GripperGoal:
    """Bring the finger gap to a width, or hold what is between the fingers with a force.

    Attributes:
        width_m: Target gap between the finger pads, m. Closing on an object stops at the object:
            REACHED then means "at rest", and the measured width tells whether something is held.
        force_n: Grasping force, N.
        label: For logs.
    """

    width_m: float
    force_n: float = 20.0
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardGoal:
    """Minimise the cost of a reward program with model-predictive control."""

    program: RewardProgram
    label: str = ""


ControlGoal: TypeAlias = PathGoal | RewardGoal | GripperGoal


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillResult:
    """How a skill ended, judged from measurements.

    Attributes:
        ok: True when what the skill itself can measure (finger width, reached poses) says that it
            worked. The agent checks the action's symbolic effects on top of this.
        reason: Why not, in words for a person or a model; empty when ok.
        retry: Whether another attempt with a different candidate may help.
    """

    ok: bool
    reason: str = ""
    retry: bool = True
