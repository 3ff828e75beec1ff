"""The pipeline: images in, objects with poses and uncertainty out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embodied.perception import shapes
from embodied.perception.cloud import Fuser, import_open3d, usable_views
from embodied.perception.colour_shape import ColourShapeDetector, best_fit, thin
from embodied.perception.tracking import Measurement, Tracker
from embodied.perception.types import (
    Cloud,
    Detection,
    Detector,
    Percept,
    PerceptionOptions,
    RobotFilter,
)
from embodied.types import ObjectSpec, Observation, Pose, WorldSpec
from embodied.types._geometry import Array

_NAMELESS_KINDS = ("table",)


class Perception:
    """RGB-D images of fixed cameras become objects with poses; one instance per run.

    Stages: cloud of all views, cropped first; table plane; robot taken out; names from a detector;
    known shapes fitted; tracks over time. Only images, camera poses and the robot's own joints are
    used, never ``Observation.poses``.

    Args:
        spec: Cameras, workspace and what may be there: names, colour words, shapes and sizes.
        detector: Gives names; colour and shape by default.
        options: How much is looked at.
        robot_filter: Takes the robot out; None where the robot is not in the images.

    Raises:
        EnvironmentMissingError: Open3D is not installed.
    """

    def __init__(
        self,
        spec: WorldSpec,
        *,
        detector: Detector | None = None,
        options: PerceptionOptions | None = None,
        robot_filter: RobotFilter | None = None,
    ) -> None:
        import_open3d()
        self.spec = spec
        self.options = options or PerceptionOptions()
        self.detector: Detector = detector or ColourShapeDetector(self.options)
        self._robot = robot_filter
        self._fuser = Fuser(spec.workspace_lower, spec.workspace_upper, self.options)
        self._objects = {n: o for n, o in spec.objects.items() if n not in _NAMELESS_KINDS}
        self._tracker = Tracker(self._objects, self.options)
        self._table_m = 0.0

    def reset(self) -> None:
        """Forget all objects, as at the start of an episode."""
        self._tracker.reset()

    def update(self, observation: Observation) -> Percept:
        """Take in an observation with images.

        Bad images (missing, without depth, all unknown) never raise: what cannot be seen is kept
        with growing uncertainty, and the percept's reasons say what was wrong.
        """
        views, reasons = usable_views(observation.images, self.spec.cameras, self.options.cameras)
        problems = list(reasons)
        if not views:
            problems.append("no usable camera: all objects are remembered, none is seen")
        plane = self._fuser.table_plane(views)
        if plane is not None:
            self._table_m = plane[0]
        elif views:
            problems.append(f"the table is not seen: its height is kept at {self._table_m:.3f} m")
        grip = observation.gripper
        cloud = self._fuser.fuse(
            views,
            table_height_m=self._table_m,
            robot=self._robot,
            q=observation.q,
            gripper_width_m=grip.width_m if grip else None,
        )
        expected = self._tracker.predict(observation)
        detections = self.detector.detect(cloud, views, self._objects, expected)
        measured = self._measure(cloud, detections)
        problems += self._tracker.update(observation, measured, views)
        tracks = dict(self._tracker.tracks)
        missing = [n for n in self._objects if n not in tracks]
        if missing:
            problems.append(f"never seen: {', '.join(missing)}")
        obstacles = cloud.points_in_world[thin(len(cloud), self.options.max_obstacle_points)]
        return Percept(
            time=observation.time,
            objects=tracks,
            table_height_m=self._table_m,
            obstacle_points_in_world=obstacles,
            reasons=tuple(problems),
        )

    def _measure(
        self, cloud: Cloud, detections: tuple[Detection, ...]
    ) -> Mapping[str, Measurement]:
        """Fit the shape of each detection to its points and to unclaimed ones on its surface."""
        points = cloud.points_in_world
        unclaimed = np.ones(len(points), dtype=np.bool_)
        for detection in detections:
            unclaimed[detection.index] = False
        measured: dict[str, Measurement] = {}
        for detection in detections:
            spec = self._objects.get(detection.name)
            if spec is None or len(detection.index) < self.options.min_points:
                continue
            start = detection.start
            if start is None:
                start = best_fit(spec, points[detection.index], None, self.options).pose
            index = np.concatenate(
                [detection.index, self._on_surface(spec, start, points, unclaimed)]
            )
            unclaimed[index] = False
            fit = shapes.fit(spec, points[index][thin(len(index), self.options.fit_points)], start)
            measured[spec.name] = Measurement(
                color=detection.color,
                pose=fit.pose,
                size_m=shapes.extents(spec, fit.pose, points[index], self._table_m),
                points_in_world=points[index],
                position_std_m=fit.position_std_m,
                source=self.detector.source,
            )
        return measured

    def _on_surface(
        self, spec: ObjectSpec, pose: Pose, points: Array, unclaimed: NDArray[np.bool_]
    ) -> NDArray[np.intp]:
        reach = 0.5 * float(np.linalg.norm(spec.size_m)) + self.options.explained_m
        near = unclaimed & (np.abs(points - pose.position).max(axis=1) < reach)
        index = np.flatnonzero(near)
        local = (points[index] - pose.position) @ pose.rotation
        distance, _ = shapes.signed_distance(spec, local)
        return index[np.abs(distance) < self.options.explained_m]


def with_perceived_poses(observation: Observation, percept: Percept) -> Observation:
    """The observation with perceived poses and openings in place of the simulator's own.

    Objects that were never seen are left out, so that whoever needs one has to say so.
    """
    return replace(
        observation,
        poses={n: o.pose for n, o in percept.objects.items()},
        openings_m=dict(percept.openings_m),
    )
