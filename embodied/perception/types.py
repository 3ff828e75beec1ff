"""Inputs and outputs of perception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embodied.perception.cameras import lens
from embodied.perception.cameras.types import CameraModel
from embodied.types import Array, ObjectSpec, Pose, readonly

# Cameras that are used, those of them that an observation has images of.
CAMERAS = ("top", "front-left", "front-right", "rear-right")
VOXEL_M = 0.006  # of all points in a cube of this edge length one is kept
TABLE_CLEARANCE_M = 0.005  # points lower than this above the table belong to the table
CLUSTER_GAP_M = 0.016  # points farther apart than this are in different clusters
MIN_POINTS = 8  # smaller clusters are noise
FIT_POINTS = 160  # number of points used to fit the shape of an object
EXPLAINED_M = 0.006  # points this close to a fitted surface belong to that object
FOLLOW_M = 0.012  # largest motion between two updates that is tracked without a search, m
PLANE_EVERY_S = 1.0  # the table is looked for anew after this time
DRIFT_M_S = 0.01  # growth of the position's standard deviation of what is not seen
MAX_OBSTACLE_POINTS = 20_000  # most points in ``Percept.obstacle_points_in_world``


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PerceivedObject:
    """One object as it is believed to be.

    Attributes:
        name: Name of the object of the spec.
        color: Colour word that was seen, ``""`` where none fits.
        shape: ``"box"``, ``"cylinder"`` or ``"sphere"``.
        pose: Pose of its centre in the world frame; axes as in ``ObjectSpec.size_m``. Rotations
            that its shape does not show (a cylinder about its axis) are arbitrary.
        size_m: Extents along its axes as measured from the points, (3,), m.
        points_in_world: The points that were taken for it, (n, 3), m; the last ones while it is
            not seen.
        position_std_m: Standard deviation of the position along the world's axes, (3,), m.
        last_seen_s: Time of the observation in which it was last seen, s.
        seen: Whether it was seen in the latest observation.
        held: Whether it is believed to be between the finger pads.
        gone: Whether the cameras have looked through where it was: it is somewhere else.
        source: ``"pixels"``, or ``"ground truth"`` where the simulator's own segmentation named
            its points.
    """

    name: str
    color: str
    shape: str
    pose: Pose
    size_m: tuple[float, float, float]
    points_in_world: Array
    position_std_m: Array
    last_seen_s: float
    seen: bool = True
    held: bool = False
    gone: bool = False
    source: str = "pixels"

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_in_world", readonly(self.points_in_world))
        object.__setattr__(self, "position_std_m", readonly(self.position_std_m, (3,)))

    @staticmethod
    def known(
        spec: ObjectSpec,
        pose: Pose,
        *,
        time_s: float,
        std_m: float,
        source: str,
        held: bool = False,
    ) -> PerceivedObject:
        """An object whose pose is not measured from points: true, or as a scene file has it."""
        return PerceivedObject(
            name=spec.name,
            color=spec.color,
            shape=spec.shape,
            pose=pose,
            size_m=spec.size_m,
            points_in_world=np.empty((0, 3)),
            position_std_m=np.full(3, std_m),
            last_seen_s=time_s,
            held=held,
            source=source,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Percept:
    """What is believed about the scene after an observation.

    Attributes:
        time: Time of the observation, s.
        objects: Objects by name; those never seen are missing.
        table_height_m: Height of the table's top in the world frame, m.
        obstacle_points_in_world: All points above the table that are not the robot, (n, 3), m;
            those of objects are among them.
        openings_m: Opening of every drawer that was ever seen, as it was last, m.
        reasons: What went wrong or is missing, one line each; empty when all is well.
    """

    time: float
    objects: Mapping[str, PerceivedObject]
    table_height_m: float
    obstacle_points_in_world: Array
    openings_m: Mapping[str, float] = field(default_factory=dict[str, float])
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        points = readonly(np.reshape(self.obstacle_points_in_world, (-1, 3)))
        object.__setattr__(self, "obstacle_points_in_world", points)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cloud:
    """Fused points above the table, without the robot.

    Attributes:
        points_in_world: (n, 3), m.
        rgb: (n, 3) uint8.
        view: Index into ``views`` of each point, (n,).
        pixel: Row-major pixel index in that view, (n,).
        views: Names of the cameras that were used.
    """

    points_in_world: Array
    rgb: NDArray[np.uint8]
    view: NDArray[np.int32]
    pixel: NDArray[np.int32]
    views: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.points_in_world)

    def subset(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Cloud:
        """The points selected by an index or a mask."""
        return Cloud(
            points_in_world=self.points_in_world[index],
            rgb=self.rgb[index],
            view=self.view[index],
            pixel=self.pixel[index],
            views=self.views,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detection:
    """Points that a detector takes for one object.

    Attributes:
        name: Name of an object of the spec, or ``""`` for something without a name.
        index: Indices into the cloud, (n,).
        color: Colour word that was seen, or ``""``.
        start: Where a fit of the object's shape should start, if the detector knows.
    """

    name: str
    index: NDArray[np.intp]
    color: str = ""
    start: Pose | None = None


class RobotFilter(Protocol):
    """Says which points are the robot's own surface."""

    def mask(
        self, points_in_world: NDArray[np.floating], q: Array, gripper_width_m: float | None
    ) -> NDArray[np.bool_]:
        """Whether each of the points (n, 3) belongs to the robot at joint positions ``q``."""
        ...


class Detector(Protocol):
    """Gives names to points.

    Attributes:
        source: ``"pixels"`` or ``"ground truth"``.
    """

    source: str

    def detect(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        objects: Mapping[str, ObjectSpec],
        expected: Mapping[str, Pose],
    ) -> tuple[Detection, ...]:
        """Find objects.

        Args:
            cloud: Points above the table that nothing else explains.
            images: The views that the points come from, by camera.
            objects: What is looked for, by name.
            expected: Where objects were last believed to be.
        """
        ...

    def confirm(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        spec: ObjectSpec,
        index: NDArray[np.intp],
    ) -> NDArray[np.bool_]:
        """Which of the points that lie where an object is expected look like it.

        Args:
            cloud: All points above the table.
            images: The views that the points come from, by camera.
            spec: The object.
            index: Indices of the points in the cloud, (m,).

        Returns:
            (m,) True where the point looks like the object.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraView:
    """One usable image with the camera it was taken by.

    Attributes:
        name: Camera.
        pose_camera_in_world: Pose, camera looking along its own -z with y up.
        model: Its intrinsics.
        rgb: (height, width, 3) uint8.
        depth: (height, width) float32, m; NaN where unknown.
        segmentation: Ground-truth object indices, where the world gave them.
        q: Joint positions when it was exposed, (n,), rad; None: those of the observation.
        gripper_width_m: Gap of the gripper then.
    """

    name: str
    pose_camera_in_world: Pose
    model: CameraModel
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    segmentation: NDArray[np.int32] | None = None
    q: Array | None = None
    gripper_width_m: float | None = None

    def project(self, points_in_world: Array) -> tuple[Array, Array]:
        """Pixel coordinates (n, 2) as (column, row) and depths (n,) of points (n, 3)."""
        local = self.pose_camera_in_world.inverse().apply(points_in_world)
        depth = -local[:, 2]
        safe = np.where(depth > 1e-6, depth, np.nan)
        columns, rows = lens.project(self.model, local[:, 0] / safe, -local[:, 1] / safe)
        return np.column_stack([columns, rows]), depth
