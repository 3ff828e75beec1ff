# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""What a compiled model says about a world: limits, cameras, the configuration to start from."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np

from embodied.types import Array, CameraSpec, Pose, WorldSpec
from embodied.world.robots import Robot, spec_of
from embodied.world.scene import Scene

CONTROL_DT_S = 0.01
"""Time between two commands."""


def world_spec(scene: Scene, robot: Robot, model: mujoco.MjModel) -> WorldSpec:
    """What does not change while the world of a scene runs."""
    data = mujoco.MjData(model)
    write_home(model, data, robot)
    mujoco.mj_kinematics(model, data)  # no contacts: all items still lie in one place
    mujoco.mj_camlight(model, data)
    cameras: dict[str, CameraSpec] = {}
    for i in range(model.ncam):
        name = model.camera(i).name
        cameras[name] = CameraSpec(
            name=name,
            width_px=640,
            height_px=480,
            fovy_rad=float(np.deg2rad(model.cam_fovy[i])),
            pose_camera_in_world=pose_of(data.cam_xpos[i], data.cam_xmat[i]),
        )
    return replace(spec_of(scene, robot, CONTROL_DT_S), cameras=cameras)


def write_home(model: mujoco.MjModel, data: mujoco.MjData, robot: Robot) -> None:
    """Put the arm into its rest configuration, and a floating base where it starts."""
    for name, q in zip(robot.joints, robot.q_home, strict=True):
        data.qpos[int(model.joint(name).qposadr[0])] = q
    if robot.base and robot.base_home:
        address = int(model.jnt_qposadr[int(model.body(robot.base).jntadr[0])])
        data.qpos[address : address + 7] = robot.base_home


def pose_of(position: Array, rotation: Array) -> Pose:
    """A pose from position (3,) and rotation (9,) or (3, 3)."""
    return Pose.from_rotation(rotation.reshape(3, 3), position)
