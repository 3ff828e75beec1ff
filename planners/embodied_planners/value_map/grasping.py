"""Grasps of an object: orientation about the approach axis, and depth."""

from __future__ import annotations

import numpy as np

from embodied.types import Array, GripperSpec, Pose
from embodied_planners.motion.jaws import jaw_shift
from embodied_planners.value_map.geometry import ObjectGeometry

DEEPEST_M = 0.03
"""The palm stays clear: fingers reach at most this far below a thing's top."""

ROOM_M = 0.006
"""Room that the fingers need besides the thing's width."""

UP = np.array([0.0, 0.0, 1.0])


def grasp_poses(
    thing: ObjectGeometry, point: Array, hand: Pose, gripper: GripperSpec
) -> tuple[tuple[Pose, ...], str]:
    """Where to close the fingers on a thing from above.

    Args:
        thing: What is grasped.
        point: Where the program asks for the fingers, (3,).
        hand: Pose of the end effector now.
        gripper: The gripper.

    Returns:
        Poses of the end effector, one a closing direction, those first that turn the hand least;
        and why there are none.
    """
    now = hand.rotation
    found: list[tuple[float, Array, float]] = []
    narrowest = np.inf
    for closing, width in _closings(thing, now[:, 1]):
        narrowest = min(narrowest, width)
        if width > gripper.max_width_m - ROOM_M:
            continue
        turned = [np.stack([np.cross(y, -UP), y, -UP], axis=1) for y in (closing, -closing)]
        angles = [np.arccos(np.clip((np.trace(now.T @ r) - 1) / 2, -1.0, 1.0)) for r in turned]
        # a wider side costs as much as a quarter of a turn: square things do not care
        wide = 0.4 if width > narrowest + 0.01 else 0.0
        least = int(np.argmin(angles))
        found.append((float(angles[least]) + wide, turned[least], width))
    up = thing.half_extent(UP)
    top, bottom = thing.pose.position[2] + up, thing.pose.position[2] - up
    lowest = bottom + gripper.pad_size_m[2] / 2 + 0.003
    height = max(min(max(float(point[2]), top - DEEPEST_M), top), lowest)
    at = np.array([point[0], point[1], height])
    reason = (
        f"it is {100 * narrowest:.1f} cm wide, the fingers open {100 * gripper.max_width_m:.1f} cm"
    )
    return tuple(
        Pose.from_rotation(rotation, at + jaw_shift(gripper, rotation, width))
        for _, rotation, width in sorted(found, key=lambda f: f[0])
    ), "" if found else reason


def _closings(thing: ObjectGeometry, now: Array) -> list[tuple[Array, float]]:
    """Horizontal closing directions with the width of the thing along them, narrow ones first."""
    rotation = thing.pose.rotation
    upright = abs(rotation[2, 2]) > 0.9
    if thing.shape == "sphere" or (thing.shape == "cylinder" and upright):
        flat = now * np.array([1.0, 1.0, 0.0])
        if np.linalg.norm(flat) < 0.1:
            flat = np.array([0.0, 1.0, 0.0])
        flat = flat / np.linalg.norm(flat)
        aside = np.cross(UP, flat)
        slants = (flat, flat + aside, flat - aside, aside)  # every side is as good as another
        return [(s / np.linalg.norm(s), thing.size_m[0]) for s in slants]
    found: list[tuple[Array, float]] = []
    for i in range(3):
        if thing.shape == "cylinder" and i == 2:
            continue
        axis = rotation[:, i] * np.array([1.0, 1.0, 0.0])
        length = float(np.linalg.norm(axis))
        if length > 0.9:
            found.append((axis / length, thing.size_m[i]))
    if not found:
        flat = now * np.array([1.0, 1.0, 0.0])
        flat = flat / max(float(np.linalg.norm(flat)), 1e-9)
        found.append((flat, 2 * thing.half_extent(flat)))
    found.sort(key=lambda pair: pair[1])
    return found
