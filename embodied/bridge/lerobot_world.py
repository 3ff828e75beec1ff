"""A world with the interface of LeRobot's ``Robot``, for its policies and tools.

With a ``BridgeWorld``, every action goes through the supervisor's safety filter, and
``send_action`` returns what the filter let pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from embodied.bridge.drivers.lerobot import GRIPPER_OPEN, UNITS
from embodied.errors import WorldError
from embodied.protocols import World
from embodied.types import Command, Observation


def as_lerobot(world: World, *, unit: str = "degrees", seed: int = 0) -> WorldRobot:
    """Offer a world to LeRobot.

    Args:
        world: The world; ``disconnect`` closes it.
        unit: Unit of ``<joint>.pos``, ``"degrees"`` or ``"radians"``.
        seed: Episode that ``connect`` starts.

    Raises:
        ValueError: Another unit.
    """
    return WorldRobot(world, unit, seed)


class WorldRobot:
    """A world as LeRobot's ``Robot``; the gripper is ``gripper.pos``, 0 closed to 100 open."""

    def __init__(self, world: World, unit: str, seed: int) -> None:
        if unit not in UNITS:
            raise ValueError(f"unit {unit!r}: choose from {', '.join(UNITS)}")
        self.name = world.spec.robot
        self.robot_type = world.spec.robot
        self.cameras: dict[str, Any] = {}
        self.reasons: tuple[str, ...] = ()
        """Why the last action was not sent as asked for."""
        self._world = world
        self._per_rad = UNITS[unit]
        self._seed = seed
        self._keys = tuple(f"{j}.pos" for j in world.spec.joint_names)
        self._state = "new"  # then "connected", at last "closed"

    @property
    def is_connected(self) -> bool:
        """Whether the episode runs."""
        return self._state == "connected"

    @property
    def is_calibrated(self) -> bool:
        """Always: a world's joints are in radians."""
        return True

    @property
    def observation_features(self) -> dict[str, type]:
        """Keys of observations and the types of their values."""
        keys = (*self._keys, "gripper.pos") if self._world.spec.gripper else self._keys
        return dict.fromkeys(keys, float)

    @property
    def action_features(self) -> dict[str, type]:
        """Keys of actions; the same."""
        return self.observation_features

    def connect(self, calibrate: bool = True) -> None:
        """Start the episode; raises WorldError when it was ended before."""
        del calibrate
        if self._state != "new":
            raise WorldError(f"the robot is {self._state}: a world is connected to once")
        self._world.reset(seed=self._seed)
        self._state = "connected"

    def calibrate(self) -> None:
        """Does nothing: see ``is_calibrated``."""

    def configure(self) -> None:
        """Does nothing: a world is configured when it is built."""

    def get_observation(self) -> dict[str, float]:
        """Measured positions."""
        self._refuse_unless_connected()
        return self._numbers(self._world.observe())

    def send_action(self, action: Mapping[str, Any]) -> dict[str, float]:
        """Move for one control period; returns what was applied.

        Raises:
            ValueError: Keys are missing or unknown, or values are not finite.
            HardwareFault: The arm was stopped.
        """
        self._refuse_unless_connected()
        unknown = sorted(set(action) - set(self.action_features))
        missing = sorted(set(self._keys) - set(action))
        if unknown or missing:
            raise ValueError(
                f"action: unknown {unknown}, missing {missing}; keys are"
                f" {', '.join(self.action_features)}"
            )
        command = Command(
            q=np.array([float(action[k]) for k in self._keys]) / self._per_rad,
            gripper_width_m=self._gap(action["gripper.pos"]) if "gripper.pos" in action else None,
        )
        step = self._world.step(command)
        self.reasons = step.reasons
        applied = step.applied
        sent = dict(zip(self._keys, (applied.q * self._per_rad).tolist(), strict=True))
        if applied.gripper_width_m is not None:
            sent["gripper.pos"] = self._share(applied.gripper_width_m)
        return sent

    def disconnect(self) -> None:
        """Close the world; may be called twice."""
        self._state = "closed"
        self._world.close()

    # ------------------------------------------------------------------ private

    def _refuse_unless_connected(self) -> None:
        if not self.is_connected:
            raise WorldError(f"the robot is {self._state}: call connect first")

    def _numbers(self, seen: Observation) -> dict[str, float]:
        numbers = dict(zip(self._keys, (seen.q * self._per_rad).tolist(), strict=True))
        if seen.gripper is not None:
            numbers["gripper.pos"] = self._share(seen.gripper.width_m)
        return numbers

    @property
    def _stroke_m(self) -> float:
        assert self._world.spec.gripper is not None
        return self._world.spec.gripper.max_width_m

    def _gap(self, share: Any) -> float:
        return float(share) / GRIPPER_OPEN * self._stroke_m

    def _share(self, width_m: float) -> float:
        return width_m / self._stroke_m * GRIPPER_OPEN
