"""From RGB-D images to one cloud of points above the table, and the table itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from embodied.errors import EnvironmentMissingError
from embodied.perception.types import CameraView, Cloud, PerceptionOptions, RobotFilter
from embodied.types import Array, CameraImage, CameraSpec

MAX_TILT_RAD = math.radians(3.0)
"""A plane tilted more than this is not the table."""

PLANE_INLIER_M = 0.004
NOISY_M = 0.001
"""Depth with more noise than this is smoothed."""

_PLANE_NEIGHBOURHOOD_M = 0.03
_PLANE_STRIDE = 6
_MIN_PLANE_POINTS = 80


def import_open3d():  # noqa: ANN201 - the package ships no stubs
    """Import Open3D.

    Raises:
        EnvironmentMissingError: It, or a system library that it needs, is not installed.
    """
    try:
        import open3d
    except ModuleNotFoundError as error:
        raise EnvironmentMissingError(
            "perception needs Open3D: pip install 'embodied-stack[perception]'"
        ) from error
    except (ImportError, OSError) as error:  # the loader's words for a missing library
        raise EnvironmentMissingError(
            f"Open3D is installed but a system library is missing ({error}); on Debian and Ubuntu:"
            " apt-get install libusb-1.0-0 libgomp1"
        ) from error
    return open3d


def usable_views(
    images: Mapping[str, CameraImage],
    cameras: Mapping[str, CameraSpec],
    wanted: Sequence[str],
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
        height = image.depth.shape[0]
        views[name] = CameraView(
            name=name,
            pose_camera_in_world=camera.pose_camera_in_world,
            focal_px=height / 2 / math.tan(camera.fovy_rad / 2),
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

    def __init__(self, lower: Array, upper: Array, options: PerceptionOptions) -> None:
        self.lower, self.upper = np.asarray(lower), np.asarray(upper)
        self.options = options
        self._rays: dict[tuple[object, ...], NDArray[np.float32]] = {}

    def table_plane(self, views: Mapping[str, CameraView]) -> tuple[float, float] | None:
        """Height of the largest level plane in the world, and how noisy it looks; m.

        RANSAC (Open3D) on a sparse sample of all views; None where no level plane is seen. The
        noise is what is left of a pixel's after :func:`smoothed`.
        """
        sample: list[NDArray[np.float32]] = [np.empty((0, 3), dtype=np.float32)]
        for view in views.values():
            sample.append(self._back_project(view, _sparse(view.depth.shape), z_min=None)[0])
        points = np.concatenate(sample)
        points = points[points[:, 2] < 0.5 * self.upper[2]]
        if len(points) < _MIN_PLANE_POINTS:
            return None
        o3d = import_open3d()
        cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points.astype(np.float64)))
        plane, inliers = cloud.segment_plane(PLANE_INLIER_M, 3, 60)
        level = math.acos(min(1.0, abs(float(plane[2]))))
        if level > MAX_TILT_RAD or len(inliers) < _MIN_PLANE_POINTS:
            return None
        height = float(np.median(points[np.asarray(inliers), 2]))
        near = points[np.abs(points[:, 2] - height) < _PLANE_NEIGHBOURHOOD_M, 2]
        # 1.4826 times the median deviation is the standard deviation of a normal distribution.
        noise = 1.4826 * float(np.median(np.abs(near - height)))
        return height, noise

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
        floor = table_height_m + max(self.options.table_clearance_m, 3.0 * left)
        step = 4.0 * noise_m if noise_m >= NOISY_M else 0.0
        nothing = (np.empty((0, 3), dtype=np.float32), np.empty(0, dtype=np.int32))
        parts = [self._back_project(views[n], None, z_min=floor, step_m=step) for n in names]
        points = np.concatenate([p for p, _ in (*parts, nothing)])
        pixel = np.concatenate([i for _, i in (*parts, nothing)])
        view = np.repeat(np.arange(len(names), dtype=np.int32), [len(i) for _, i in parts])
        keep = _one_per_voxel(points, self.options.voxel_m)
        points, pixel, view = points[keep], pixel[keep], view[keep]
        if robot is not None and len(points):
            off = ~robot.mask(points, q, gripper_width_m)
            points, pixel, view = points[off], pixel[off], view[off]
        rgb = np.empty((len(points), 3), dtype=np.uint8)
        for i, name in enumerate(names):
            mine = view == i
            rgb[mine] = views[name].rgb.reshape(-1, 3)[pixel[mine]]
        return Cloud(
            points_in_world=points.astype(np.float64), rgb=rgb, view=view, pixel=pixel, views=names
        )

    def _back_project(
        self,
        view: CameraView,
        pixels: NDArray[np.intp] | None,
        *,
        z_min: float | None,
        step_m: float = 0.0,
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Points inside the workspace of some pixels (all: None), and those pixels."""
        rays = self._rays_of(view)
        origin = view.pose_camera_in_world.position.astype(np.float32)
        depth = view.depth.reshape(-1)
        lower, upper = self.lower.copy(), self.upper
        if z_min is not None:
            lower[2] = max(z_min, float(lower[2]))
        if pixels is None:
            # Height along a ray is monotonic in depth: one comparison leaves what is too low out.
            drop = rays[:, 2]
            with np.errstate(invalid="ignore", over="ignore"):
                high = (depth > 0.0) & (origin[2] + depth * drop > lower[2])
            pixels = np.flatnonzero(high)
        z = depth[pixels] if step_m <= 0.0 else smoothed(view.depth, pixels, step_m)
        with np.errstate(invalid="ignore", over="ignore"):
            points = (origin + z[:, None] * rays[pixels]).astype(np.float32, copy=False)
            inside = (z > 0.0) & np.isfinite(z)
            for axis in range(3):
                inside &= (points[:, axis] > lower[axis]) & (points[:, axis] < upper[axis])
        return points[inside], pixels[inside].astype(np.int32)

    def _rays_of(self, view: CameraView) -> NDArray[np.float32]:
        """Offset in the world frame per metre of depth for each pixel, (height * width, 3)."""
        pose = view.pose_camera_in_world
        key = (view.name, view.depth.shape, view.focal_px, pose.quat_wxyz.tobytes())
        if key not in self._rays:
            height, width = view.depth.shape
            x = (np.arange(width) + 0.5 - width / 2) / view.focal_px
            y = -(np.arange(height) + 0.5 - height / 2) / view.focal_px
            grid = np.stack([*np.meshgrid(x, y), -np.ones((height, width))], axis=-1)
            self._rays = {k: v for k, v in self._rays.items() if k[0] != view.name}
            self._rays[key] = (grid.reshape(-1, 3) @ pose.rotation.T).astype(np.float32)
        return self._rays[key]


def smoothed(
    depth: NDArray[np.float32], pixels: NDArray[np.intp], step_m: float
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


def _sparse(shape: tuple[int, ...]) -> NDArray[np.intp]:
    rows = np.arange(_PLANE_STRIDE // 2, shape[0], _PLANE_STRIDE)
    columns = np.arange(_PLANE_STRIDE // 2, shape[1], _PLANE_STRIDE)
    return (rows[:, None] * shape[1] + columns).reshape(-1)


def _one_per_voxel(points: NDArray[np.float32], voxel_m: float) -> NDArray[np.intp]:
    """Index of the first point in each occupied voxel; keeps colours sharp, unlike averages."""
    if not len(points):
        return np.empty(0, dtype=np.intp)
    cells = np.floor(points / voxel_m).astype(np.int64)
    cells -= cells.min(axis=0)
    span = cells.max(axis=0) + 1
    keys = (cells[:, 0] * span[1] + cells[:, 1]) * span[2] + cells[:, 2]
    return np.unique(keys, return_index=True)[1]
