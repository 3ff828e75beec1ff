"""The pipeline: images in, objects with poses and uncertainty out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embodied.perception import shapes
from embodied.perception.cameras.agreement import Disagreement, disagreements
from embodied.perception.cloud import Fuser, usable_views
from embodied.perception.colour_shape import MISFIT_M, ColourShapeDetector, best_fit, thin
from embodied.perception.furniture import FurnitureFinder, Piece
from embodied.perception.tracking import Measurement, Tracker
from embodied.perception.types import (
    CAMERAS,
    EXPLAINED_M,
    FIT_POINTS,
    FOLLOW_M,
    MAX_OBSTACLE_POINTS,
    MIN_POINTS,
    PLANE_EVERY_S,
    CameraView,
    Cloud,
    Detector,
    Percept,
    RobotFilter,
)
from embodied.types import Array, ObjectSpec, Observation, Pose, WorldSpec

TABLE = "table"
"""Name of the surface that everything stands on; it is found as a plane, not as an object."""

_CHECK_STRIDE = 2
_FOLLOW_SHARE = 0.5
_ALIKE_SHARE = 0.25


class Perception:
    """RGB-D images of fixed cameras become objects with poses; one instance per run.

    Stages: cloud of all views, cropped first; table plane; robot taken out; names from a detector;
    known shapes fitted; tracks over time. Only images, camera poses and the robot's own joints are
    used, never ``Observation.poses``.

    Args:
        spec: Cameras, workspace and what may be there: names, colour words, shapes and sizes.
        detector: Gives names; colour and shape by default.
        cameras: Cameras that are used, those of them that an observation has images of.
        robot_filter: Takes the robot out; None where the robot is not in the images.
    """

    def __init__(
        self,
        spec: WorldSpec,
        *,
        detector: Detector | None = None,
        cameras: tuple[str, ...] = CAMERAS,
        robot_filter: RobotFilter | None = None,
    ) -> None:
        self.spec = spec
        self.cameras = cameras
        self.detector: Detector = detector or ColourShapeDetector(spec.objects)
        self._robot = robot_filter
        self._fuser = Fuser(spec.workspace_lower, spec.workspace_upper)
        self._objects = {n: o for n, o in spec.objects.items() if n != TABLE}
        self._furniture = FurnitureFinder(self._objects)
        self._tracker = Tracker(self._objects)
        self._table_m = 0.0
        self._noise_m = 0.0
        self._table_seen_s: float | None = None
        self._openings_m: dict[str, float] = {}

    def reset(self) -> None:
        """Forget all objects, as at the start of an episode."""
        self._tracker.reset()
        self._openings_m.clear()
        self._furniture.reset()
        self._table_seen_s = None

    def update(self, observation: Observation) -> Percept:
        """Take in an observation with images.

        Bad images (missing, without depth, all unknown) never raise: what cannot be seen is kept
        with growing uncertainty, and the percept's reasons say what was wrong.
        """
        views, reasons = usable_views(observation.images, self.spec.cameras, self.cameras)
        return self.look(observation, views, reasons)

    def look(
        self,
        observation: Observation,
        views: Mapping[str, CameraView],
        reasons: Sequence[str] = (),
    ) -> Percept:
        """Take in the views of an instant, of cameras that the spec need not know.

        Args:
            observation: The robot at that instant.
            views: By camera.
            reasons: Why others are missing.
        """
        problems = list(reasons)
        if not views:
            problems.append("no usable camera: all objects are remembered, none is seen")
        problems += self._look_for_table(views, observation.time)
        grip = observation.gripper
        cloud = self._fuser.fuse(
            views,
            table_height_m=self._table_m,
            noise_m=self._noise_m,
            robot=self._robot,
            q=observation.q,
            gripper_width_m=grip.width_m if grip else None,
        )
        expected = self._tracker.predict(observation)
        found, unclaimed = self._follow(cloud, views, expected)
        fixed = self._furniture.names
        lost = {n: o for n, o in self._objects.items() if n not in found and n not in fixed}
        if lost:
            found |= self._search(cloud, views, lost, expected, unclaimed)
        pieces, openings = self._furniture.find(cloud, unclaimed, self._table_m)
        measured = self._measure(cloud, found | pieces)
        problems += self._tracker.update(observation, measured, views)
        self._openings_m |= openings
        tracks = dict(self._tracker.tracks)
        missing = [n for n in self._objects if n not in tracks]
        if missing:
            problems.append(f"never seen: {', '.join(missing)}")
        obstacles = cloud.points_in_world[thin(len(cloud), MAX_OBSTACLE_POINTS)]
        return Percept(
            time=observation.time,
            objects=tracks,
            table_height_m=self._table_m,
            obstacle_points_in_world=obstacles,
            openings_m=dict(self._openings_m),
            reasons=tuple(problems),
        )

    def cross_check(
        self,
        observation: Observation,
        views: Mapping[str, CameraView],
        percept: Percept,
        *,
        table_height_m: float,
    ) -> tuple[Disagreement, ...]:
        """How far the cameras disagree about what they see now; see ``cameras.agreement``.

        Args:
            observation: The robot then.
            views: By camera.
            percept: What ``look`` made of them.
            table_height_m: Height of the table's top in the scene file.
        """
        points: dict[str, Array] = {}
        for name, view in views.items():
            seen = self._fuser.sample(view, _CHECK_STRIDE)
            if self._robot is not None:
                q = observation.q if view.q is None else view.q
                seen = seen[~self._robot.mask(seen, q, view.gripper_width_m)]
            points[name] = seen.astype(np.float64)
        return disagreements(points, percept.objects, self._objects, table_height_m=table_height_m)

    def _look_for_table(self, views: Mapping[str, CameraView], now: float) -> tuple[str, ...]:
        last = self._table_seen_s
        if not views or (last is not None and 0.0 <= now - last < PLANE_EVERY_S):
            return ()
        plane = self._fuser.table_plane(views)
        if plane is None:
            return (f"the table is not seen: its height is kept at {self._table_m:.3f} m",)
        self._table_m, self._noise_m = plane
        self._table_seen_s = now
        return ()

    def _follow(
        self, cloud: Cloud, views: Mapping[str, CameraView], expected: Mapping[str, Pose]
    ) -> tuple[dict[str, Piece], NDArray[np.bool_]]:
        """Objects that are about where they were, found without a search; points left over."""
        points = cloud.points_in_world
        unclaimed = np.ones(len(points), dtype=np.bool_)
        names = [n for n in expected if n not in self._furniture.names]
        owner, alike = self._owners(cloud, views, {n: expected[n] for n in names})
        found: dict[str, Piece] = {}
        for k, name in enumerate(names):
            spec, track = self._objects[name], self._tracker.tracks[name]
            index = np.flatnonzero(owner == k)
            enough = max(MIN_POINTS, _FOLLOW_SHARE * len(track.points_in_world))
            if len(index) < enough or np.mean(alike[index]) < _ALIKE_SHARE:
                continue
            sample = points[index[thin(len(index), FIT_POINTS)]]
            fit = shapes.fit(spec, sample, expected[name])
            if fit.cost_m > MISFIT_M + self._noise_m:
                continue
            reach = EXPLAINED_M + self._noise_m
            mine = index[shapes.near(spec, fit.pose, points[index], reach)]
            if len(mine) < enough:
                continue
            unclaimed[mine] = False
            found[name] = Piece(index=mine, fit=fit, color=track.color)
        return found, unclaimed

    def _owners(
        self, cloud: Cloud, views: Mapping[str, CameraView], expected: Mapping[str, Pose]
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """For each point the object that it is nearest to, if any, and whether it looks like it.

        What does not look like an object is only taken for it where nothing else is near.
        """
        points, reach = cloud.points_in_world, FOLLOW_M
        owner = np.full(len(points), -1, dtype=np.intp)
        alike = np.zeros(len(points), dtype=np.bool_)
        best = np.full(len(points), np.inf)
        for k, (name, pose) in enumerate(expected.items()):
            spec = self._objects[name]
            around = 0.5 * float(np.linalg.norm(spec.size_m)) + reach
            index = shapes.in_cube(points, pose.position, around)
            local = (points[index] - pose.position) @ pose.rotation
            distance = np.abs(shapes.distance(spec, local))
            near = distance < reach
            index, distance = index[near], distance[near]
            looks = self.detector.confirm(cloud, views, spec, index)
            cost = distance + np.where(looks, 0.0, reach)
            better = cost < best[index]
            index = index[better]
            owner[index], best[index], alike[index] = k, cost[better], looks[better]
        return owner, alike

    def _search(
        self,
        cloud: Cloud,
        views: Mapping[str, CameraView],
        lost: Mapping[str, ObjectSpec],
        expected: Mapping[str, Pose],
        unclaimed: NDArray[np.bool_],
    ) -> dict[str, Piece]:
        """Objects that the detector finds in points that nothing else explains."""
        left = np.flatnonzero(unclaimed)
        detections = self.detector.detect(cloud.subset(left), views, lost, expected)
        points = cloud.points_in_world
        known = [d for d in detections if d.name in lost and len(d.index) >= MIN_POINTS]
        for detection in known:
            unclaimed[left[detection.index]] = False
        found: dict[str, Piece] = {}
        for detection in known:
            spec, index = lost[detection.name], left[detection.index]
            start = detection.start
            if start is None:
                start = best_fit(spec, points[index], expected.get(spec.name)).pose
            reach = EXPLAINED_M + self._noise_m
            more = shapes.on_surface(spec, start, points, unclaimed, reach)
            unclaimed[more] = False
            index = np.concatenate([index, more])
            fit = shapes.fit(spec, points[index[thin(len(index), FIT_POINTS)]], start)
            found[spec.name] = Piece(index=index, fit=fit, color=detection.color)
        return found

    def _measure(self, cloud: Cloud, found: Mapping[str, Piece]) -> Mapping[str, Measurement]:
        measured: dict[str, Measurement] = {}
        rows: list[tuple[float, ...]] = []  # middle x, y, half width and height of each top
        for name, one in found.items():
            (x, y, z), size = one.fit.pose.position, self._objects[name].size_m
            rows.append((x, y, min(size[:2]) / 2, z + size[2] / 2))
        tops = np.array(rows).reshape(-1, 4)
        for name, one in found.items():
            spec, points = self._objects[name], cloud.points_in_world[one.index]
            support = self._support(float(points[:, 2].min()), one.fit.pose, tops)
            size = shapes.extents(spec, one.fit.pose, points, support)
            if spec.kind == "drawer":
                size[0] = spec.size_m[0]  # mostly inside its cabinet
            measured[name] = Measurement(
                color=one.color,
                pose=one.fit.pose,
                size_m=size,
                points_in_world=points,
                position_std_m=one.fit.position_std_m,
                source=self.detector.source,
            )
        return measured

    def _support(self, lowest_m: float, pose: Pose, tops: Array) -> float:
        """Height of what an object stands on: the table or the top of what is under its middle."""
        away = np.abs(tops[:, :2] - pose.position[:2]).max(axis=1, initial=0.0)
        under = tops[(away < tops[:, 2]) & (tops[:, 3] < lowest_m + 0.005), 3]
        return max(self._table_m, float(under.max(initial=self._table_m)))


def with_perceived_poses(
    observation: Observation, percept: Percept, fixed: Collection[str] = (TABLE,)
) -> Observation:
    """The observation with perceived poses and openings in place of the simulator's own.

    What is ``fixed`` does not move: its place is the scene's.
    What is hidden keeps the pose that it was last seen in. Objects that were never seen, or are not
    where they were, are left out, so that whoever needs one has to say so.
    """
    here = {n: o.pose for n, o in percept.objects.items() if not o.gone}
    return replace(
        observation,
        poses={**here, **{n: p for n, p in observation.poses.items() if n in fixed}},
        openings_m=dict(percept.openings_m),
        gone=frozenset(percept.objects.keys() - here.keys()),
    )
