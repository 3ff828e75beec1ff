# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""The Franka Panda: its limits, and a model of it for planners.

The Panda and the FR3 of ``embodied_assets`` have the same kinematics; their limits differ, and so
do the shapes that touch things. The planning model is therefore the FR3's, with the Panda's limits
and with the shapes that touch things in PyBullet: the convex hulls of the Panda's meshes, and boxes
for its fingers (``_bullet_arm`` says why).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mujoco
import numpy as np

from embodied.types import Array
from embodied.world import robots
from embodied.world.builder import build_spec
from embodied.world.robots import Robot
from embodied.world.scene import Scene

_MESHES = {**{f"link{i}": f"link{i}.obj" for i in range(8)}, "hand": "hand.obj"}

FINGER_BOXES_M = (
    ((-0.00875, 0.0, 0.036), (0.00875, 0.0143, 0.0539)),
    ((-0.0105, 0.003, 0.0175), (0.0105, 0.0225, 0.036)),
    ((-0.0105, 0.0025, 0.0), (0.0105, 0.0264, 0.019)),
)
"""Lower and upper corners of the boxes that stand for the left finger's mesh, pad first, in its
frame; the right finger's are mirrored in y."""


def finger_boxes(side: int) -> tuple[tuple[Array, Array], ...]:
    """Centres and full extents of a finger's boxes in its frame, m.

    Args:
        side: 1 for the left finger, -1 for the right one.
    """
    mirror = np.array([1.0, float(side), 1.0])
    corners = [(np.array(low), np.array(high)) for low, high in FINGER_BOXES_M]
    return tuple((mirror * (low + high) / 2, high - low) for low, high in corners)


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
    model = panda_spec(scene, meshes).compile()
    # Nothing sleeps, so that each mj_collision answers for the qpos just written.
    model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    return model


def panda_spec(scene: Scene, meshes: Path) -> mujoco.MjSpec:
    """The same, not compiled yet, for those who add to it."""
    robot = panda_robot()
    spec = build_spec(scene, robot)
    for name, file in _MESHES.items():
        body = spec.body(name)
        _remove_shapes(spec, body)
        # As in PyBullet, it is the mesh's convex hull that touches things.
        spec.add_mesh(name=f"panda-{file}", file=str(meshes / file))
        body.add_geom(
            name=f"{name}_touch",
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=f"panda-{file}",
            group=3,
            mass=0.0,
        )
    for name, side in (("left_finger", 1), ("right_finger", -1)):
        body = spec.body(name)
        _remove_shapes(spec, body)
        pad = f"{name.removesuffix('_finger')}_pad"
        for k, (centre, extents) in enumerate(finger_boxes(side)):
            body.add_geom(
                name=f"{name}_touch-{k}" if k else pad,
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=centre.tolist(),
                size=(extents / 2).tolist(),
                group=3,
                mass=0.0,
            )
    for name, lower, upper in zip(robot.joints, robot.q_lower, robot.q_upper, strict=True):
        spec.joint(name).range = [lower, upper]
        spec.actuator(name).ctrlrange = [lower, upper]
    return spec


def _remove_shapes(spec: mujoco.MjSpec, body: mujoco.MjsBody) -> None:
    """Remove what touches things; what is only drawn stays."""
    for geom in list(body.geoms):
        if geom.name.endswith(("_touch", "_pad")):
            spec.delete(geom)
