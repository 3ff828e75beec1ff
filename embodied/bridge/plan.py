"""Motions that planners propose to an operator."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embodied.types import Array

LONGEST_LABEL = 200
MOST_NUMBERS = 20_000
"""Times and joint positions of one plan."""

_STEP_S = 0.005
_ALIKE_RAD = 1e-6
_MOST_KNOTS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """A motion to be approved.

    Attributes:
        label: What it is for.
        time: Sample times, (k,), s.
        q: Joint positions, (k, n), rad.
        gripper_width_m: Gap to go to; None leaves the gripper alone.
        plan_hash: SHA-256 of all of this, in hexadecimal.
    """

    label: str
    time: Array
    q: Array
    gripper_width_m: float | None
    plan_hash: str

    @staticmethod
    def of(
        label: str,
        time: Sequence[float],
        q: Sequence[Sequence[float]],
        gripper_width_m: float | None,
        joints: int,
    ) -> Plan:
        """Check and hash a proposed motion.

        Raises:
            ValueError: It is empty, too long, not finite, of another arm, or its times do not
                grow.
        """
        if len(label) > LONGEST_LABEL:
            raise ValueError(f"a plan's label has at most {LONGEST_LABEL} characters")
        times, path = np.array(time, dtype=np.float64), np.array(q, dtype=np.float64)
        if path.size + times.size > MOST_NUMBERS:
            raise ValueError(f"a plan has at most {MOST_NUMBERS // (joints + 1)} samples")
        if path.ndim != 2 or path.shape[1] != joints or path.shape[0] != len(times) or not len(q):
            raise ValueError(f"a plan has one time and {joints} joints per sample")
        if not (np.isfinite(path).all() and np.isfinite(times).all()):
            raise ValueError("a plan is finite")
        if gripper_width_m is not None and not np.isfinite(gripper_width_m):
            raise ValueError("a plan's gap is finite")
        if (np.diff(times) <= 0.0).any():
            raise ValueError("a plan's time grows")
        content = hashlib.sha256(label.encode(errors="backslashreplace"))
        content.update(times.astype("<f8").tobytes())
        content.update(path.astype("<f8").tobytes())
        content.update(repr(gripper_width_m).encode())
        return Plan(
            label=label,
            time=times,
            q=path,
            gripper_width_m=gripper_width_m,
            plan_hash=content.hexdigest(),
        )

    @property
    def turns_rad(self) -> float:
        """How far the joint turns that turns farthest."""
        return float(np.ptp(self.q, axis=0).max())

    def at(self, time_s: float) -> Array:
        """Where the path is at a time, (n,), rad."""
        return np.array([np.interp(time_s, self.time, column) for column in self.q.T])

    def places(self, q: Array, from_s: float, to_s: float) -> tuple[Array, Array]:
        """The places of the path that are nearest to configurations within a time.

        Args:
            q: Configurations, (k, n), rad.
            from_s: Earliest time, s.
            to_s: Latest time, s.

        Returns:
            Their times, (k,), s, and the largest distances of a joint from them, (k,), rad.
        """
        end = float(self.time[-1])
        from_s, to_s = min(from_s, end), min(to_s, end)
        times = np.linspace(from_s, to_s, max(2, int((to_s - from_s) / _STEP_S) + 2))
        inside = self.time[(self.time > from_s) & (self.time < to_s)]
        times = np.unique(np.concatenate([times, inside[:_MOST_KNOTS]]))
        path = np.stack([np.interp(times, self.time, column) for column in self.q.T], axis=1)
        away = np.abs(path - q[:, None]).max(axis=2)
        off = away.min(axis=1)
        alike = away[:, ::-1] <= off[:, None] + _ALIKE_RAD  # time goes on where the path rests
        return times[len(times) - 1 - alike.argmax(axis=1)], off
