"""What the numbers of an action mean: joints, the end effector, or set-points.

All lie between -1 and 1. The last one is the gripper's gap, where there is a gripper: -1 is closed,
1 is open.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from gymnasium import spaces

from embodied.types import Array, WorldSpec

if TYPE_CHECKING:
    from mujoco import MjModel  # pyright: ignore  # no stubs

SPEED_SHARE = 0.5
"""Of each joint's speed limit, at an action of 1."""

LINEAR_M_S, ANGULAR_RAD_S = 0.25, 1.0
"""Of the end effector, at an action of 1 along or about one axis."""

_DAMPING = 0.05


class Actions(ABC):
    """A kind of action.

    Args:
        spec: The world.
        period_s: Time from one action to the next.
    """

    def __init__(self, spec: WorldSpec, period_s: float) -> None:
        self.spec = spec
        self.period_s = period_s

    @property
    def size(self) -> int:
        """How many numbers are the arm's."""
        return len(self.spec.joint_names)

    @property
    def space(self) -> spaces.Box:
        """Legal actions."""
        return spaces.Box(-1.0, 1.0, (self.size + (self.spec.gripper is not None),), np.float32)

    @abstractmethod
    def step(self, action: Array, q_set: Array) -> Array:
        """Next joint set-points (n,), rad, without regard to limits.

        Args:
            action: The numbers for the arm.
            q_set: Set-points now, (n,), rad.
        """

    def set_points(self, action: Array, q_set: Array) -> tuple[Array, float | None]:
        """Next joint set-points (n,), rad, within the limits, and the gripper's gap, m."""
        grip, width = self.spec.gripper, None
        if grip is not None:
            width = grip.max_width_m * (float(action[-1]) + 1.0) / 2.0
        change = self.step(action[: self.size], q_set) - q_set
        change /= max(1.0, float(np.abs(change / (self.spec.dq_max * self.period_s)).max()))
        return np.clip(q_set + change, self.spec.q_lower, self.spec.q_upper), width


class JointActions(Actions):
    """Speeds of the joints: 1 is ``SPEED_SHARE`` of a joint's limit."""

    def step(self, action: Array, q_set: Array) -> Array:
        """Set-points move at the speeds asked for."""
        return q_set + action * SPEED_SHARE * self.spec.dq_max * self.period_s


class SetpointActions(Actions):
    """Joint positions: -1 is the lower limit of a joint, 1 the upper one.

    What is farther away than a joint gets in a period is approached at its speed limit.
    """

    def step(self, action: Array, q_set: Array) -> Array:
        """Straight to the positions asked for."""
        lower, upper = self.spec.q_lower, self.spec.q_upper
        return lower + (action + 1.0) / 2.0 * (upper - lower)


class EndEffectorActions(Actions):
    """Velocity of the end effector in the world frame: linear, then angular.

    1 is ``LINEAR_M_S`` or ``ANGULAR_RAD_S``. Joints follow by damped least squares,
    ``dq = J^T (J J^T + d^2 I)^-1 v``; near a singularity the hand moves less than asked for.
    """

    def __init__(self, spec: WorldSpec, period_s: float, model: MjModel) -> None:
        from embodied_planners.motion.kinematics import ArmKinematics

        super().__init__(spec, period_s)
        self._arm = ArmKinematics(model, spec)
        self._scale = period_s * np.repeat([LINEAR_M_S, ANGULAR_RAD_S], 3)

    @property
    def size(self) -> int:
        """Six, whatever the arm."""
        return 6

    def step(self, action: Array, q_set: Array) -> Array:
        """Set-points move so that the hand does."""
        jacobian = self._arm.jacobian(q_set)
        gram = jacobian @ jacobian.T + _DAMPING**2 * np.eye(6)
        return q_set + jacobian.T @ np.linalg.solve(gram, action * self._scale)


def setpoint_action(spec: WorldSpec, q: Array, width_m: float | None) -> Array:
    """The action of the kind ``"setpoint"`` for joint positions (n,), rad, and a gap, m."""
    action = 2.0 * (q - spec.q_lower) / (spec.q_upper - spec.q_lower) - 1.0
    if spec.gripper is None:
        return action
    gap_m = spec.gripper.max_width_m if width_m is None else width_m
    return np.append(action, 2.0 * gap_m / spec.gripper.max_width_m - 1.0)


KINDS = ("joint", "ee", "setpoint")


def open_actions(kind: str, spec: WorldSpec, period_s: float, model: MjModel) -> Actions:
    """Actions of a kind, one of ``KINDS``; raises ValueError with their names."""
    match kind:
        case "joint":
            return JointActions(spec, period_s)
        case "setpoint":
            return SetpointActions(spec, period_s)
        case "ee":
            return EndEffectorActions(spec, period_s, model)
        case _:
            raise ValueError(f"there are no actions {kind!r}: legal are {', '.join(KINDS)}")
