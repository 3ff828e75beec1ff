"""From RGB-D images to one cloud of points above the table, and the table itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from embodied.perception.cameras import lens
from embodied.perception.cameras.types import CameraModel
from embodied.perception.types import TABLE_CLEARANCE_M, VOXEL_M, CameraView, Cloud, RobotFilter
from embodied.types import Array, CameraImage, CameraSpec

MAX_TILT_RAD = math.radians(3.0)
"""A plane tilted more than this is not the table."""

PLANE_INLIER_M = 0.004
NOISY_M = 0.001
"""Depth with more noise than this is smoothed."""

_PLANE_NEIGHBOURHOOD_M = 0.03
_PLANE_STRIDE = 6
_MIN_PLANE_POINTS = 80
_PLANE_SAMPLES = 60


def usable_views(
    images: Mapping[str, CameraImage], cameras: Mapping[str, CameraSpec], wanted: Sequence[str]
) -> tuple[dict[str, CameraView], tuple[str, ...]]:
    """Sort out images that cannot be used; returns the views and why others are missing."""
    views: dict[str, CameraView] = {}
    reasons: list[str] = []
    for name in wanted:
        image, camera = images.get(name), cameras.get(name)
        if camera is None:
            reasons.append(
                f"camera {name!r} is not in the spec; it has: {', '.join(sorted(cameras))}"
            )
            continue
        if image is None:
            reasons.append(f"camera {name!r}: no image")
            continue
        problem = _problem(image)
        if problem:
            reasons.append(f"camera {name!r}: {problem}")
            continue
        height, width = image.depth.shape
        views[name] = CameraView(
            name=name,
            pose_camera_in_world=camera.pose_camera_in_world,
            model=CameraModel.from_field_of_view(camera.fovy_rad, width, height),
            rgb=image.rgb,
            depth=image.depth,
            segmentation=image.segmentation,
        )
    return views, tuple(reasons)


def _problem(image: CameraImage) -> str:
    depth, rgb = np.asarray(image.depth), np.asarray(image.rgb)
    if depth.ndim != 2 or depth.size == 0:
        return "no depth"
    if rgb.shape != (*depth.shape, 3):
        return f"colour {rgb.shape} and depth {depth.shape} do not fit together"
    if not np.isfinite(depth).any():
        return "depth is unknown in every pixel"
    return ""


class Fuser:
    """Back-projects depth images; what depends on the cameras alone is computed once."""

    def __init__(self, lower: Array, upper: Array) -> None:
        self.lower, self.upper = np.asarray(lower), np.asarray(upper)
        self._rays: dict[tuple[object, ...], NDArray[np.float32]] = {}
        self._floor: dict[str, tuple[NDArray[np.float32], float, NDArray[np.float32]]] = {}

    def table_plane(self, views: Mapping[str, CameraView]) -> tuple[float, float] | None:
        """Height of the largest level plane in the world, and how noisy it looks; m.

        :func:`strongest_plane` in a sparse sample of all views; None where no level plane is seen.
        The noise is what is left of a pixel's after :func:`smoothed`.
        """
        sample: list[NDArray[np.float32]] = [np.empty((0, 3), dtype=np.float32)]
        sample += [self.sample(view, _PLANE_STRIDE) for view in views.values()]
        points = np.concatenate(sample)
        points = points[points[:, 2] < 0.5 * self.upper[2]]
        if len(points) < _MIN_PLANE_POINTS:
            return None
        inliers = strongest_plane(points)
        if np.count_nonzero(inliers) < _MIN_PLANE_POINTS:
            return None
        height = float(np.median(points[inliers, 2]))
        near = points[np.abs(points[:, 2] - height) < _PLANE_NEIGHBOURHOOD_M, 2]
        # 1.4826 times the median deviation is the standard deviation of a normal distribution.
        noise = 1.4826 * float(np.median(np.abs(near - height)))
        return height, noise

    def sample(self, view: CameraView, stride: int) -> NDArray[np.float32]:
        """Points (n, 3) in the workspace of every so manieth pixel of every so manieth row."""
        height, width = view.depth.shape
        rows = np.arange(stride // 2, height, stride)
        columns = np.arange(stride // 2, width, stride)
        pixels = (rows[:, None] * width + columns).reshape(-1)
        points = self._points(view, pixels, view.depth.reshape(-1)[pixels])
        return points[:, self._inside(points, self.lower)].T

    def fuse(
        self,
        views: Mapping[str, CameraView],
        *,
        table_height_m: float,
        noise_m: float,
        robot: RobotFilter | None,
        q: Array,
        gripper_width_m: float | None,
    ) -> Cloud:
        """Points of all views inside the workspace, above the table, off the robot, thinned."""
        names = tuple(views)
        left = noise_m if noise_m < NOISY_M else noise_m / 2.5
        floor = table_height_m + max(TABLE_CLEARANCE_M, 3.0 * left)
        lower = np.maximum(self.lower, [-np.inf, -np.inf, floor])
        parts = [self._above(views[n], lower) for n in names]
        points = np.concatenate([np.empty((3, 0), np.float32), *(p for p, _ in parts)], axis=1)
        pixel = np.concatenate([np.empty(0, np.int32), *(i for _, i in parts)])
        view = np.repeat(np.arange(len(names), dtype=np.int32), [len(i) for _, i in parts])
        keep = one_per_voxel(points, VOXEL_M)
        points, pixel, view = points[:, keep], pixel[keep], view[keep]
        if noise_m >= NOISY_M:
            for i, name in enumerate(names):
                mine = np.flatnonzero(view == i)
                z = smoothed(views[name].depth, pixel[mine], 4.0 * noise_m)
                points[:, mine] = self._points(views[name], pixel[mine], z)
            good = self._inside(points, lower)
            points, pixel, view = points[:, good], pixel[good], view[good]
        if robot is not None and len(pixel):
            off = np.ones(len(pixel), dtype=np.bool_)
            own = [i for i, n in enumerate(names) if views[n].q is not None]
            for i in own:
                mine = np.flatnonzero(view == i)
                at, gap = views[names[i]].q, views[names[i]].gripper_width_m
                off[mine] = ~robot.mask(points[:, mine].T, q if at is None else at, gap)
            if len(own) < len(names):
                mine = ~np.isin(view, own)
                off[mine] = ~robot.mask(points[:, mine].T, q, gripper_width_m)
            points, pixel, view = points[:, off], pixel[off], view[off]
        rgb = np.empty((len(pixel), 3), dtype=np.uint8)
        for i, name in enumerate(names):
            mine = view == i
            rgb[mine] = views[name].rgb.reshape(-1, 3)[pixel[mine]]
        return Cloud(
            points_in_world=points.T.astype(np.float64, order="C"),
            rgb=rgb,
            view=view,
            pixel=pixel,
            views=names,
        )

    def _above(
        self, view: CameraView, lower: Array
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Points (3, n) inside the workspace from a lower corner on, and their pixels."""
        depth = view.depth.reshape(-1)
        # Height along a ray is monotonic in depth: one comparison leaves what is too low out.
        with np.errstate(invalid="ignore"):
            pixels = np.flatnonzero(depth < self._depth_of(view, float(lower[2]))).astype(np.int32)
        z = depth[pixels]
        points = self._points(view, pixels, z)
        inside = self._inside(points, lower) & (z > 0.0)
        return points[:, inside], pixels[inside]

    def _depth_of(self, view: CameraView, height_m: float) -> NDArray[np.float32]:
        """Depth at which each pixel's ray comes down to a height, (height * width,)."""
        rays = self._rays_of(view)
        drop = height_m - float(view.pose_camera_in_world.position[2])
        known = self._floor.get(view.name)
        if known is not None and known[0] is rays and known[1] == drop:
            return known[2]
        depth = np.full(rays.shape[1], np.inf, dtype=np.float32)
        np.divide(np.float32(drop), rays[2], out=depth, where=rays[2] < 0.0)
        self._floor[view.name] = (rays, drop, depth)
        return depth

    def _points(
        self, view: CameraView, pixels: NDArray[np.integer], depth: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Points (3, n) in the world frame of pixels with some depth (n,)."""
        origin = view.pose_camera_in_world.position.astype(np.float32)
        with np.errstate(invalid="ignore", over="ignore"):
            points = origin[:, None] + depth * self._rays_of(view)[:, pixels]
        return points.astype(np.float32, copy=False)

    def _inside(self, points: NDArray[np.float32], lower: Array) -> NDArray[np.bool_]:
        """Which points (3, n) lie in the workspace above a corner; False where one is unknown."""
        with np.errstate(invalid="ignore"):
            above = points > lower.astype(np.float32)[:, None]
            inside = above & (points < self.upper.astype(np.float32)[:, None])
        return inside[0] & inside[1] & inside[2]

    def _rays_of(self, view: CameraView) -> NDArray[np.float32]:
        """Offset in the world frame per metre of depth for each pixel, (3, height * width)."""
        pose = view.pose_camera_in_world
        key = (view.name, view.model, pose.quat_wxyz.tobytes())
        if key not in self._rays:
            grid = lens.rays(view.model) * [[1.0], [-1.0], [-1.0]]  # y up, looking along -z
            self._rays = {k: v for k, v in self._rays.items() if k[0] != view.name}
            self._rays[key] = (pose.rotation @ grid).astype(np.float32)
        return self._rays[key]


def smoothed(
    depth: NDArray[np.float32], pixels: NDArray[np.integer], step_m: float
) -> NDArray[np.float32]:
    """Depth of some pixels, averaged over 3 x 3 neighbours within ``step_m`` of it in depth.

    Args:
        depth: (height, width), m; NaN where unknown.
        pixels: Row-major indices, (n,).
        step_m: Neighbours that differ by more lie on another surface.
    """
    width = depth.shape[1]
    padded = np.pad(depth, 1, constant_values=np.nan).reshape(-1)
    rows, columns = np.divmod(pixels, width)
    middle = (rows + 1) * (width + 2) + columns + 1
    own = padded[middle]
    total, count = own.copy(), np.ones_like(own)
    for row in (-1, 0, 1):
        for column in (-1, 0, 1):
            if row or column:
                other = padded[middle + row * (width + 2) + column]
                with np.errstate(invalid="ignore"):
                    close = np.abs(other - own) < step_m
                total[close] += other[close]
                count += close
    return total / count


def strongest_plane(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which of the points (n, 3) lie on the level plane that holds most of them (RANSAC).

    Planes tilted by more than ``MAX_TILT_RAD`` do not count; the same points give the same plane.
    """
    rng = np.random.default_rng(0)
    a, b, c = np.asarray(points)[rng.integers(len(points), size=(3, _PLANE_SAMPLES))]
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    level = np.abs(normal[:, 2]) > math.cos(MAX_TILT_RAD) * length
    normal = normal[level] / length[level, None]
    if not len(normal):
        return np.zeros(len(points), dtype=np.bool_)
    height = np.einsum("ij,ij->i", normal, a[level])
    near = np.abs(points @ normal.T - height) < PLANE_INLIER_M
    return near[:, int(np.argmax(near.sum(axis=0)))]


def one_per_voxel(points: NDArray[np.float32], voxel_m: float) -> NDArray[np.intp]:
    """Index of the first of the points (3, n) in each occupied voxel.

    Keeps colours sharp, unlike averages.
    """
    n = points.shape[1]
    if not n:
        return np.empty(0, dtype=np.intp)
    cells = np.floor(points / np.float32(voxel_m)).astype(np.int32)
    cells -= cells.min(axis=1, keepdims=True)
    span = cells.max(axis=1).astype(np.int64) + 1
    keys = (cells[0] * span[1] + cells[1]) * span[2] + cells[2]
    # Voxel and index in one number: sorting numbers is faster than a stable sort of indices.
    bits = n.bit_length()
    ordered = np.sort((keys << bits) + np.arange(n))
    first = np.flatnonzero(np.diff(ordered >> bits, prepend=-1))
    return ordered[first] & ((1 << bits) - 1)
