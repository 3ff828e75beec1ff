# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A picture of a planned motion: the arm as it is, and ghosts of it along the trajectory."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, JointTrajectory
from embodied.world.raycast import RayRenderer

GHOSTS = 6
_RGBA = (0.15, 0.45, 0.95, 0.22)


def draw_ghost(
    model: mujoco.MjModel,
    qpos: Array,
    joints: tuple[str, ...],
    trajectory: JointTrajectory,
    *,
    size: tuple[int, int] = (960, 720),
) -> NDArray[np.uint8]:
    """Draw the scene with the arm's ghosts along a trajectory; returns (height, width, 3).

    Args:
        model: The scene with the arm.
        qpos: Its configuration now, (nq,).
        joints: Names of the arm's joints, n of them.
        trajectory: The motion.
        size: Width and height in pixels.
    """
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_forward(model, data)
    renderer = RayRenderer(model, width=size[0], height=size[1], quality="fine")
    image = renderer.image(data, "main", names=None)
    at = [int(model.joint(j).qposadr[0]) for j in joints]
    root = model.body_rootid[int(model.joint(joints[0]).bodyid[0])]
    arm = model.body_rootid[model.geom_bodyid] == root
    for k in np.linspace(0, len(trajectory.q) - 1, GHOSTS).round().astype(int):
        data.qpos[at] = trajectory.q[k]
        mujoco.mj_kinematics(model, data)
        image = renderer.add_ghost(image, data, "main", arm, _RGBA)
    return image.rgb
