"""Grasp candidates from geometry: how a parallel gripper can grasp an item.

The end-effector frame has z along the approach and y along the closing direction.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.types import Array, GripperSpec, GripperState, ObjectSpec, Pose
from embodied_planners.motion import PlanningScene
from embodied_planners.motion.jaws import jaw_shift
from embodied_planners.skills.geometry import UP, bottom_z, half_extent, top_z

TILTS_RAD = (0.35, -0.35, 0.7, -0.7)
MAX_DEPTH_M = 0.03
TIP_CLEARANCE_M = 0.003
LEAST_CLEARANCE_M = 0.0022
CUP_PRESS_M = 0.001
"""How far a suction cup is pressed into the top of what it takes."""
FINGERTIP_M = 0.007
"""How deep the pads reach down beside an item that is held by the finger tips."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grasp:
    """A way to hold an item.

    Attributes:
        pose_ee_in_world: Where the end effector closes its fingers.
        width_m: Width of the item between the pads.
        gap_m: Gap to approach with.
        fingertip: Whether only the tips of the pads reach the item: to be held and moved gently.
        clearance_m: Distance of the open hand to whatever is nearest, item excluded.
    """

    pose_ee_in_world: Pose
    width_m: float
    gap_m: float
    fingertip: bool
    clearance_m: float


def grasp_frame(closing: Array, tilt: float) -> Array:
    """Rotation (3, 3) of an end effector that closes along a horizontal direction.

    Approaches straight down for tilt 0, else turned about the closing direction.
    """
    y = closing / float(np.linalg.norm(closing))
    down = -UP
    side = np.cross(y, down)
    z = float(np.cos(tilt)) * down + float(np.sin(tilt)) * side
    return np.stack([np.cross(y, z), y, z], axis=1)


def closing_directions(spec: ObjectSpec, pose: Pose) -> Iterator[tuple[Array, Array, float]]:
    """Horizontal closing directions, the direction across them along the item, and the width."""
    R = pose.rotation
    axis = R[:, 2]
    if spec.shape == "sphere" or (spec.shape == "cylinder" and abs(axis[2]) > 0.9):
        for k in range(8):
            angle = k * np.pi / 8
            yield np.array([np.cos(angle), np.sin(angle), 0.0]), np.zeros(3), spec.size_m[0]
    elif spec.shape == "cylinder":
        across = np.cross(UP, axis)
        yield across / np.linalg.norm(across), axis * spec.size_m[2], spec.size_m[0]
    else:
        horizontal = [i for i in range(3) if abs(R[2, i]) < 0.35]
        for i in horizontal:
            others = [j for j in horizontal if j != i]
            along = R[:, others[0]] * spec.size_m[others[0]] if others else np.zeros(3)
            direction = np.array([R[0, i], R[1, i], 0.0])
            yield direction / np.linalg.norm(direction), along, spec.size_m[i]


def grasp_candidates(
    spec: ObjectSpec,
    pose: Pose,
    gripper: GripperSpec,
    scene: PlanningScene,
    reference: Pose,
    tilts_rad: Sequence[float] = (0.0,),
    ignore: tuple[str, ...] = (),
) -> list[Grasp]:
    """Grasps of an item, best first.

    Grasps that leave 6 mm around the open hand come first, less tilted ones before more tilted
    ones, and among equals those that turn the hand least from ``reference``.

    Args:
        spec: The item.
        pose: Its measured pose.
        gripper: The gripper.
        scene: Surroundings, for the clearance of the fingers.
        reference: Pose of the end effector to stay close to in orientation.
        tilts_rad: Angles of the approach away from straight down.
        ignore: Other bodies that do not count as surroundings.
    """
    if gripper.kind == "suction":
        return _suction_candidates(spec, pose, scene, reference)
    tip = gripper.pad_size_m[2] / 2
    top, bottom = top_z(spec, pose), bottom_z(spec, pose)
    found: list[tuple[tuple[float, ...], Grasp]] = []
    for closing, along, width in closing_directions(spec, pose):
        if width > gripper.max_width_m - 0.006:
            continue
        shifts = (0.0,) if float(np.linalg.norm(along)) < 0.07 else (0.0, 0.25, -0.25)
        for shift, sign, tilt in itertools.product(shifts, (1.0, -1.0), tilts_rad):
            rotation = grasp_frame(sign * closing, tilt)
            point = pose.position + shift * along
            cosine = (np.trace(reference.rotation.T @ rotation) - 1) / 2
            turn = float(np.arccos(np.clip(cosine, -1.0, 1.0)))
            # A tilted pad reaches lower than along the approach axis.
            sine = float(np.sqrt(max(0.0, 1.0 - rotation[2, 2] ** 2)))
            lowest = bottom + tip + sine * gripper.pad_size_m[1] / 2 + TIP_CLEARANCE_M
            middle = max(float(np.clip(point[2], top - MAX_DEPTH_M, top)), lowest)
            heights = _heights(middle, top, tip, lowest) if tilt == 0.0 else (middle,)
            for height in heights:
                at = np.array([point[0], point[1], height]) + jaw_shift(gripper, rotation, width)
                ee = Pose.from_rotation(rotation, at)
                for gap in _gaps(width, gripper):
                    distance = float(np.min(scene.finger_distances(ee, gap, (spec.name, *ignore))))
                    if distance < LEAST_CLEARANCE_M:
                        continue
                    grasp = Grasp(
                        pose_ee_in_world=ee,
                        width_m=width,
                        gap_m=gap,
                        fingertip=height > max(top - tip, lowest) + 1e-6,
                        clearance_m=distance,
                    )
                    cost = (
                        float(distance < 0.006),
                        abs(tilt) + 40 * (height - middle) + abs(shift),
                        turn - 20 * min(distance, 0.02),
                    )
                    found.append((cost, grasp))
                    break
    found.sort(key=lambda pair: pair[0])
    return [grasp for _, grasp in found]


def _suction_candidates(
    spec: ObjectSpec, pose: Pose, scene: PlanningScene, reference: Pose
) -> list[Grasp]:
    """Cup on the middle of a flat top, the hand turned as little as possible."""
    found: list[tuple[tuple[float, float], Grasp]] = []
    if spec.shape == "sphere" or abs(pose.rotation[2]).max() < 0.95 or any(spec.inner_size_m):
        return []
    place = [pose.position[0], pose.position[1], top_z(spec, pose) - CUP_PRESS_M]
    for k in range(8):
        angle = k * np.pi / 4
        rotation = grasp_frame(np.array([np.cos(angle), np.sin(angle), 0.0]), 0.0)
        ee = Pose.from_rotation(rotation, place)
        distance = float(np.min(scene.finger_distances(ee, 0.0, (spec.name,))))
        if distance < LEAST_CLEARANCE_M:
            continue
        cosine = (np.trace(reference.rotation.T @ rotation) - 1) / 2
        turn = float(np.arccos(np.clip(cosine, -1.0, 1.0)))
        grasp = Grasp(
            pose_ee_in_world=ee,
            width_m=0.0,
            gap_m=scene.spec.gripper.max_width_m if scene.spec.gripper else 0.0,
            fingertip=False,
            clearance_m=distance,
        )
        found.append(((float(distance < 0.006), turn), grasp))
    found.sort(key=lambda pair: pair[0])
    return [grasp for _, grasp in found]


def _heights(middle: float, top: float, tip: float, lowest: float) -> tuple[float, ...]:
    """Heights of the pads' centre: around the item's middle, shallow, by the finger tips.

    The less deep the fingers reach, the more room there is above rims and neighbours.
    """
    heights = [middle]
    for height in (max(top - tip, lowest), max(top + tip - FINGERTIP_M, lowest)):
        if height > heights[-1] + 0.005:
            heights.append(height)
    return tuple(heights)


def _gaps(width: float, gripper: GripperSpec) -> tuple[float, ...]:
    """Gaps to approach with: comfortable first, then tight."""
    wide = min(gripper.max_width_m, width + 0.026)
    tight = min(gripper.max_width_m, width + 0.012)
    return (wide,) if wide - tight < 0.002 else (wide, tight)


def held_between_pads(
    spec: ObjectSpec,
    ee: Pose,
    item: Pose,
    state: GripperState,
    gripper: GripperSpec,
    expected_width_m: float | None = None,
) -> str:
    """Why the item is not held as it should be, from measurements; ``""`` if it is.

    Args:
        spec: The item.
        ee: Measured pose of the end effector.
        item: Measured pose of the item.
        state: Measured gripper.
        gripper: The gripper.
        expected_width_m: Width of the item between the pads; taken from its pose if None.
    """
    if gripper.kind == "suction":
        return _under_the_cup(spec, ee, item, state)
    measured_width_m = state.width_m
    width = 2 * half_extent(spec, item, ee.rotation[:, 1])
    expected = width if expected_width_m is None else expected_width_m
    if measured_width_m < 0.4 * min(spec.size_m) or measured_width_m < 0.002:
        return f"the fingers closed to {1000 * measured_width_m:.0f} mm: nothing between them"
    allowed = 0.012 + 0.1 * expected
    round_ = spec.shape != "box"  # narrower above its middle, where the finger tips hold it
    if not -(0.5 * expected if round_ else allowed) <= measured_width_m - expected <= allowed:
        return (
            f"the fingers hold {1000 * measured_width_m:.0f} mm where "
            f"{1000 * expected:.0f} mm were expected"
        )
    offset = ee.rotation.T @ (item.position - ee.position)
    reach = half_extent(spec, item, ee.rotation[:, 2]) + 0.012
    sideways = half_extent(spec, item, ee.rotation[:, 0]) + 0.008
    if abs(offset[1]) > 0.015 or abs(offset[2]) > reach or abs(offset[0]) > sideways:
        away = 1000 * float(np.linalg.norm(offset))
        return f"{spec.name} is {away:.0f} mm from the middle of the pads"
    return ""


def _under_the_cup(spec: ObjectSpec, ee: Pose, item: Pose, state: GripperState) -> str:
    """Why an item does not hang on the suction cup; ``""`` if it does."""
    if state.force_n < 1.0:
        return f"the suction cup touches nothing: {spec.name} does not hang on it"
    offset = ee.rotation.T @ (item.position - ee.position)
    reach = half_extent(spec, item, ee.rotation[:, 2]) + 0.006
    aside = [half_extent(spec, item, ee.rotation[:, k]) for k in (0, 1)]
    if abs(offset[2]) > reach or abs(offset[0]) > aside[0] or abs(offset[1]) > aside[1]:
        return f"{spec.name} is {1000 * float(np.linalg.norm(offset)):.0f} mm from the suction cup"
    return ""


def only_finger_tips(spec: ObjectSpec, item_in_ee: Pose, gripper: GripperSpec) -> bool:
    """Whether the pads overlap a held item by less than half their length.

    Args:
        spec: The item.
        item_in_ee: Its pose in the end-effector frame (z along the approach).
        gripper: The gripper.
    """
    if gripper.kind == "suction":
        return False
    start = float(item_in_ee.position[2]) - half_extent(spec, item_in_ee, UP)
    return gripper.pad_size_m[2] / 2 - start < gripper.pad_size_m[2] / 2
