"""Tools of which one jaw stands still."""

from __future__ import annotations

import numpy as np

from embodied.types import Array, GripperSpec

CLEARANCE_M = 0.003
"""Between a thing and the jaw that does not move, before the other one closes."""


def jaw_shift(gripper: GripperSpec, rotation: Array, width_m: float) -> Array:
    """Where the end effector takes a thing, from the middle of the thing, (3,), m.

    Zero for pads that both move; one that stands still stays beside the thing.

    Args:
        gripper: The gripper.
        rotation: Of the end effector in the world, (3, 3).
        width_m: Of the thing along the closing direction.
    """
    if gripper.kind != "jaw":
        return np.zeros(3)
    return (gripper.fixed_side_m - width_m / 2 - CLEARANCE_M) * rotation[:, 1]
