# pyright: reportAttributeAccessIssue=false
# (mujoco and pybullet ship no type stubs)
"""RGB-D images with segmentation by PyBullet's software renderer; needs no OpenGL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.types import CameraImage, Pose

NEAR_M = 0.02
FAR_M = 10.0
"""What is nearer or farther is not seen: the renderer's depth has 24 bits between the two."""

_LIGHT_FROM = (-0.38, -0.55, 0.95)


def take_image(
    client: Any,
    pose_camera_in_world: Pose,
    *,
    fovy_rad: float,
    width: int,
    height: int,
    bodies: Mapping[str, int],
    names: Sequence[str],
) -> CameraImage:
    """Draw what a pinhole camera sees.

    Args:
        client: The PyBullet server.
        pose_camera_in_world: Pose, camera looking along its own -z with y up.
        fovy_rad: Vertical field of view.
        width: Image width in pixels.
        height: Image height in pixels.
        bodies: PyBullet's identifiers of the objects by name.
        names: Objects; pixel value i + 1 in the segmentation is ``names[i]``, 0 is anything else.
            Of a drawer only the sliding part counts, not its housing.
    """
    view = pose_camera_in_world.inverse().matrix
    projection = list(
        client.computeProjectionMatrixFOV(
            fov=float(np.rad2deg(fovy_rad)), aspect=width / height, nearVal=NEAR_M, farVal=FAR_M
        )
    )
    # The renderer looks through the lower left corners of pixels: shift it to their middles.
    projection[8] += 1.0 / width
    projection[9] += 1.0 / height
    _, _, rgba, buffer, mask = client.getCameraImage(
        width,
        height,
        viewMatrix=view.flatten(order="F").tolist(),  # OpenGL writes matrices by columns
        projectionMatrix=projection,
        lightDirection=_LIGHT_FROM,
        shadow=0,
        renderer=client.ER_TINY_RENDERER,
        flags=client.ER_SEGMENTATION_MASK_OBJECT_AND_LINKINDEX,
    )
    raw = np.reshape(np.asarray(buffer, dtype=np.float64), (height, width))
    pixels = np.reshape(np.asarray(mask, dtype=np.int64), (height, width))
    rgb = np.reshape(np.asarray(rgba, dtype=np.uint8), (height, width, 4))[..., :3].copy()
    # OpenGL's depth buffer d in [0, 1] with planes n and f: z = n f / (f - d (f - n)).
    depth = NEAR_M * FAR_M / (FAR_M - raw * (FAR_M - NEAR_M))
    depth[pixels < 0] = np.nan
    return CameraImage(
        rgb=rgb, depth=depth.astype(np.float32), segmentation=_labels(client, pixels, bodies, names)
    )


def _labels(
    client: Any, pixels: NDArray[np.int64], bodies: Mapping[str, int], names: Sequence[str]
) -> NDArray[np.int32]:
    """From body + (link + 1) << 24 to indices of names."""
    labels = np.zeros(pixels.shape, dtype=np.int32)
    body, link = pixels & 0xFFFFFF, (pixels >> 24) - 1
    for i, name in enumerate(names):
        part = client.getNumJoints(bodies[name]) - 1  # -1 is a base, 0 a drawer's sliding part
        labels[(pixels >= 0) & (body == bodies[name]) & (link == part)] = i + 1
    return labels
