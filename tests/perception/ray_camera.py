# pyright: reportAttributeAccessIssue=false
"""A camera with a lens in a MuJoCo scene, for tests: rays through each pixel, flat colours."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.perception.cameras import CameraModel, lens
from embodied.types import Array, Pose

LENS = CameraModel(
    width=320, height=240, fx=292.0, fy=289.0, cx=163.2, cy=117.4,
    distortion=(-0.21, 0.06, 8e-4, -6e-4, -0.004),
)  # fmt: skip


def looking_at(position: tuple[float, float, float], target: tuple[float, float, float]) -> Pose:
    """Pose of an optical frame at a position with its z axis towards a target."""
    z = np.array(target, dtype=float) - position
    z /= np.linalg.norm(z)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    return Pose.from_rotation(np.stack([x, np.cross(z, x), z], axis=1), position)


CORNERS = {
    "front-left": looking_at((0.95, 0.75, 0.75), (0.5, 0.0, 0.0)),
    "front-right": looking_at((0.95, -0.75, 0.75), (0.5, 0.0, 0.0)),
    "rear-right": looking_at((0.05, -0.75, 0.75), (0.5, 0.0, 0.0)),
}


def shoot(
    model: mujoco.MjModel, data: mujoco.MjData, camera: CameraModel, pose: Pose
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour (height, width, 3) and depth (height, width) of the scene as it is."""
    directions: Array = (pose.rotation @ lens.rays(camera)).T
    seen = np.isfinite(directions).all(axis=1)
    directions = np.where(seen[:, None], directions, [0.0, 0.0, 1.0])
    n = len(directions)
    geom, depth = np.full(n, -1, dtype=np.int32), np.full(n, np.nan)
    groups = np.array([1, 1, 1, 0, 0, 0], dtype=np.uint8)
    mujoco.mj_multiRay(
        model, data, pose.position.copy(), directions.reshape(-1), groups, True, -1,
        geom, depth, None, n, mujoco.mjMAXVAL,
    )  # fmt: skip
    hit = seen & (geom >= 0)
    material = model.geom_matid[geom]
    rgba = np.where(material[:, None] >= 0, model.mat_rgba[material], model.geom_rgba[geom])
    rgb = np.where(hit[:, None], 255.0 * rgba[:, :3], 128.0).astype(np.uint8)
    depth = np.where(hit, depth, np.nan).astype(np.float32)
    shape = (camera.height, camera.width)
    return rgb.reshape(*shape, 3), depth.reshape(shape)
