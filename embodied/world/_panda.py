# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""The Franka Panda: its limits, and a model of it for planners.

The Panda and the FR3 of ``embodied_assets`` have the same kinematics; their limits differ, and so
do the shapes that touch things. The planning model is therefore the FR3's, with the Panda's limits
and with the convex hulls of the collision meshes that PyBullet ships for the Panda.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mujoco
import numpy as np

from embodied.world import robots
from embodied.world.builder import build_spec
from embodied.world.robots import Robot
from embodied.world.scene import Scene

_UPRIGHT, _TURNED = (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)
_MESHES = {
    **{f"link{i}": (f"link{i}.obj", _UPRIGHT) for i in range(8)},
    "hand": ("hand.obj", _UPRIGHT),
    "left_finger": ("finger.obj", _UPRIGHT),
    "right_finger": ("finger.obj", _TURNED),
}


def panda_robot() -> Robot:
    """Description of the Panda: the FR3's model, the Panda's limits as its maker states them."""
    arm = robots.load("fr3")
    return dataclasses.replace(
        arm,
        name="panda",
        q_lower=np.array([-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973]),
        q_upper=np.array([2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973]),
        dq_max=np.array([2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61]),
        ddq_max=np.array([15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0]),
        dddq_max=np.array([7500.0, 3750.0, 5000.0, 6250.0, 7500.0, 10000.0, 10000.0]),
        tau_max=np.array([87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0]),
    )


def panda_model(scene: Scene, meshes: Path) -> mujoco.MjModel:
    """Build the scene with the Panda for planners.

    Args:
        scene: The scene.
        meshes: Folder with the Panda's collision meshes.
    """
    robot = panda_robot()
    spec = build_spec(scene, robot)
    for file in sorted({file for file, _ in _MESHES.values()}):
        spec.add_mesh(name=f"panda-{file}", file=str(meshes / file))
    for body_name, (file, quat) in _MESHES.items():
        body = spec.body(body_name)
        for geom in list(body.geoms):
            if geom.name.endswith("_touch"):
                spec.delete(geom)
        # As in PyBullet, it is the mesh's convex hull that touches things.
        body.add_geom(
            name=f"{body_name}_touch",
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=f"panda-{file}",
            quat=list(quat),
            group=3,
            mass=0.0,
        )
    for name, lower, upper in zip(robot.joints, robot.q_lower, robot.q_upper, strict=True):
        spec.joint(name).range = [lower, upper]
        spec.actuator(name).ctrlrange = [lower, upper]
    model = spec.compile()
    # Nothing sleeps, so that each mj_collision answers for the qpos just written.
    model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    return model
