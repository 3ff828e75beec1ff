"""Checks measurements against the joint limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.types import Observation, WorldSpec
from embodied.world._command_limits import limit_command as limit_command

POSITION_TOLERANCE_RAD = 1e-3
"""Excess over a position limit that counts as measurement noise."""

VELOCITY_TOLERANCE = 0.01
"""Relative excess over a velocity limit that counts as measurement noise."""

TORQUE_TOLERANCE = 0.001
"""Relative excess over a torque limit that counts as measurement noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A joint beyond a limit at one instant.

    Attributes:
        time: Of the observation, s.
        joint: Name.
        quantity: ``"position"`` (rad), ``"velocity"`` (rad/s) or ``"torque"`` (N m).
        value: Measured.
        limit: The limit that it exceeds.
    """

    time: float
    joint: str
    quantity: str
    value: float
    limit: float

    def __str__(self) -> str:
        return (
            f"t={self.time:.3f} s: {self.joint} {self.quantity} {self.value:.4f}"
            f" beyond {self.limit:.4f}"
        )


class LimitMonitor:
    """Collects the violations of joint limits over the observations of a run.

    Args:
        spec: Whose limits count.

    Attributes:
        violations: All violations so far, oldest first.
        observations: How many observations were looked at.
    """

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        self.violations: list[Violation] = []
        self.observations = 0
        n = len(spec.joint_names)
        self._highest_speed = np.zeros(n)
        self._highest_torque = np.zeros(n)

    def observe(self, observation: Observation) -> tuple[Violation, ...]:
        """Look at one observation; returns its violations."""
        spec, o = self.spec, observation
        self.observations += 1
        speed, torque = np.abs(o.dq), np.abs(o.tau)
        self._highest_speed = np.maximum(self._highest_speed, speed)
        self._highest_torque = np.maximum(self._highest_torque, torque)
        checks = (
            ("position", o.q, spec.q_lower, o.q < spec.q_lower - POSITION_TOLERANCE_RAD),
            ("position", o.q, spec.q_upper, o.q > spec.q_upper + POSITION_TOLERANCE_RAD),
            ("velocity", o.dq, spec.dq_max, speed > spec.dq_max * (1 + VELOCITY_TOLERANCE)),
            ("torque", o.tau, spec.tau_max, torque > spec.tau_max * (1 + TORQUE_TOLERANCE)),
        )
        found = tuple(
            Violation(
                time=o.time,
                joint=spec.joint_names[i],
                quantity=quantity,
                value=float(value[i]),
                limit=float(limit[i]),
            )
            for quantity, value, limit, beyond in checks
            for i in np.flatnonzero(beyond)
        )
        self.violations.extend(found)
        return found

    @property
    def highest_speed_share(self) -> float:
        """Highest measured joint speed as a share of its limit."""
        return float(np.max(self._highest_speed / self.spec.dq_max, initial=0.0))

    @property
    def highest_torque_share(self) -> float:
        """Highest measured joint torque as a share of its limit."""
        return float(np.max(self._highest_torque / self.spec.tau_max, initial=0.0))
