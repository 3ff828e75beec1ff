# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A picture of a motion that has not happened: the arm as it is, and its ghosts on the way."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.errors import EnvironmentMissingError
from embodied.types import Array, JointTrajectory

GHOSTS = 6
_RGBA = (0.15, 0.45, 0.95, 0.22)
_GEOMS = 4000
_HIDDEN_GROUPS = (3, 4, 5)


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

    Raises:
        EnvironmentMissingError: There is no OpenGL.
    """
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_forward(model, data)
    options = mujoco.MjvOption()
    for group in _HIDDEN_GROUPS:
        options.geomgroup[group] = 0
    try:
        renderer = mujoco.Renderer(model, height=size[1], width=size[0], max_geom=_GEOMS)
    except Exception as error:  # whatever the OpenGL library raises
        raise EnvironmentMissingError(f"no picture can be drawn: {error}") from error
    try:
        renderer.update_scene(data, camera="main", scene_option=options)
        scene = renderer.scene
        at = [int(model.joint(j).qposadr[0]) for j in joints]
        root = int(model.body_rootid[int(model.joint(joints[0]).bodyid[0])])
        for k in np.linspace(0, len(trajectory.q) - 1, GHOSTS).round().astype(int):
            data.qpos[at] = trajectory.q[k]
            mujoco.mj_forward(model, data)
            first = scene.ngeom
            mujoco.mjv_addGeoms(
                model, data, options, mujoco.MjvPerturb(), mujoco.mjtCatBit.mjCAT_DYNAMIC, scene
            )
            for i in range(first, scene.ngeom):
                geom = scene.geoms[i]
                body = int(model.geom_bodyid[geom.objid]) if geom.objid >= 0 else 0
                of_arm = int(model.body_rootid[body]) == root
                geom.rgba[:] = _RGBA if of_arm else (0.0, 0.0, 0.0, 0.0)
                geom.matid = -1
        return renderer.render().copy()
    finally:
        renderer.close()
