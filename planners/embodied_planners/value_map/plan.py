"""Value-map plans and the bodies that they move."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from embodied.types import Array, GripperSpec, Pose, readonly
from embodied_planners.value_map.geometry import ObjectGeometry


class ValueMapStatus(Enum):
    """Outcome of planning; the value is advice for a person."""

    FOUND = "a way was found"
    UNREACHABLE = "no path leads there: an obstacle is in between, or the target is enclosed"
    TARGET_OCCUPIED = "the target is inside an obstacle: ask for a place beside or above it"
    OUTSIDE = "the target is outside the workspace"
    UNKNOWN_OBJECT = "the program refers to an object that is not seen"
    START_BLOCKED = "the robot is enclosed where it is"
    ARM_BLOCKED = "the arm cannot follow: out of reach, or it would hit something"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ValueMapPlan:
    """A way through the maps, evenly sampled; all arrays have one row per sample.

    Attributes:
        status: Outcome; the arrays are empty unless it is ``FOUND``.
        path_in_world: Positions of what moves, (n, 3), m.
        speeds_m_s: Largest speed there, (n,).
        quats_wxyz: Orientation of the gripper in the world there, (n, 4).
        gripper: Opening asked for there, 0 closed to 1 open, (n,); NaN where nothing is asked.
        cost: Cost of the way in metres of free space.
        grasp: Thing that the fingers close on at the end, ``""`` if none.
        reason: Why there is no way; empty if there is one.
        notes: What a reader should know, e.g. that the target itself is inside a thing.
    """

    status: ValueMapStatus
    path_in_world: Array = field(default_factory=lambda: np.empty((0, 3)))
    speeds_m_s: Array = field(default_factory=lambda: np.empty(0))
    quats_wxyz: Array = field(default_factory=lambda: np.empty((0, 4)))
    gripper: Array = field(default_factory=lambda: np.empty(0))
    cost: float = 0.0
    grasp: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.path_in_world)
        object.__setattr__(self, "path_in_world", readonly(self.path_in_world, (n, 3)))
        object.__setattr__(self, "speeds_m_s", readonly(self.speeds_m_s, (n,)))
        object.__setattr__(self, "quats_wxyz", readonly(self.quats_wxyz, (n, 4)))
        object.__setattr__(self, "gripper", readonly(self.gripper, (n,)))

    @property
    def found(self) -> bool:
        """Whether there is a way."""
        return self.status is ValueMapStatus.FOUND

    @property
    def length_m(self) -> float:
        """Length of the way."""
        return float(np.sum(np.linalg.norm(np.diff(self.path_in_world, axis=0), axis=1)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mover:
    """What is moved, as balls around its own point.

    Attributes:
        offsets_m: Centres of the balls in the mover's frame, (k, 3); the first is its own point.
        radii_m: Distance that each keeps from things, (k,).
        table_radii_m: Distance that each keeps from the table, (k,).
        planar: Whether it only slides on what it stands on.
    """

    offsets_m: Array
    radii_m: Array
    table_radii_m: Array
    planar: bool = False

    def __post_init__(self) -> None:
        k = len(self.radii_m)
        object.__setattr__(self, "offsets_m", readonly(self.offsets_m, (k, 3)))
        object.__setattr__(self, "radii_m", readonly(self.radii_m, (k,)))
        object.__setattr__(self, "table_radii_m", readonly(self.table_radii_m, (k,)))

    @staticmethod
    def point(radius_m: float) -> Mover:
        """A single ball."""
        return Mover(
            offsets_m=np.zeros((1, 3)),
            radii_m=np.array([radius_m]),
            table_radii_m=np.array([radius_m]),
        )

    @staticmethod
    def hand(gripper: GripperSpec, gap_m: float) -> Mover:
        """A parallel gripper: pads, fingers and palm; its point lies between the pads.

        Args:
            gripper: The gripper.
            gap_m: Gap between the pads.
        """
        tip = gripper.pad_size_m[2] / 2
        side = gap_m / 2 + gripper.pad_size_m[0] / 2
        return Mover(
            offsets_m=np.array(
                [
                    [0.0, 0.0, 0.0],
                    [0.0, side, 0.0],
                    [0.0, -side, 0.0],
                    [0.0, 0.0, -0.045],
                    [0.0, 0.06, -0.085],
                    [0.0, -0.06, -0.085],
                ]
            ),
            radii_m=np.array([0.018, 0.016, 0.016, 0.025, 0.04, 0.04]),
            table_radii_m=np.array([tip + 0.002, tip, tip, 0.02, 0.035, 0.035]),
        )

    @staticmethod
    def sliding(thing: ObjectGeometry) -> Mover:
        """A thing that is pushed over the surface that it stands on."""
        radius = float(np.max(thing.half_extents_in_world()[:2]))
        return Mover(
            offsets_m=np.zeros((1, 3)),
            radii_m=np.array([radius]),
            table_radii_m=np.zeros(1),
            planar=True,
        )

    def holding(self, thing: ObjectGeometry, pose_in_hand: Pose) -> Mover:
        """The hand with a thing in it; its point stays between the pads.

        Args:
            thing: What is held.
            pose_in_hand: Its pose in the frame of the end effector.
        """
        half = np.array(thing.size_m) / 2
        reach = np.abs(pose_in_hand.rotation @ half)
        return Mover(
            offsets_m=np.vstack([self.offsets_m, pose_in_hand.position]),
            radii_m=np.append(self.radii_m, float(np.max(reach)) * 1.1),
            table_radii_m=np.append(self.table_radii_m, float(reach[2])),
        )

    def carrying(self, thing: ObjectGeometry, pose_in_hand: Pose) -> Mover:
        """The hand with a thing in it; the thing's centre is the mover's point."""
        both = self.holding(thing, pose_in_hand)
        order = np.roll(np.arange(len(both.radii_m)), 1)
        return Mover(
            offsets_m=both.offsets_m[order] - pose_in_hand.position,
            radii_m=both.radii_m[order],
            table_radii_m=both.table_radii_m[order],
        )
