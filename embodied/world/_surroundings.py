# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""What every model has around robot and scene: options of the physics, floor, light, cameras."""

from __future__ import annotations

import mujoco
import numpy as np

PHYSICS_DT_S = 0.002
"""Time step of the physics."""


def set_options(spec: mujoco.MjSpec) -> None:
    """Physics options."""
    option = spec.option
    option.timestep = PHYSICS_DT_S
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10.0
    option.iterations = 100
    # With 20, line searches of the elliptic cones ended early now and then and fingers twitched.
    option.ls_iterations = 100
    option.noslip_iterations = 2
    # What lies still costs nothing until something touches it.
    option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    # A divergence is reported, never repaired behind the caller's back.
    option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET


def add_surroundings(spec: mujoco.MjSpec) -> None:
    """Floor, sky, light and cameras."""
    spec.visual.headlight.ambient = [0.42, 0.42, 0.44]
    spec.visual.headlight.diffuse = [0.32, 0.32, 0.32]
    spec.visual.headlight.specular = [0.1, 0.1, 0.1]
    spec.visual.quality.shadowsize = 4096
    spec.visual.global_.offwidth = 1920
    spec.visual.global_.offheight = 1200
    spec.visual.map.znear = 0.02
    spec.visual.map.zfar = 30
    spec.visual.map.shadowclip = 2.5
    spec.stat.extent = 1.2
    spec.stat.center = [0.4, 0.0, 0.2]
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.86, 0.90, 0.94],
        rgb2=[0.62, 0.68, 0.75],
        width=256,
        height=1536,
    )
    spec.add_texture(
        name="floor",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=[0.70, 0.72, 0.74],
        rgb2=[0.66, 0.68, 0.70],
        width=256,
        height=256,
    )
    floor = spec.add_material(name="floor", texrepeat=[2, 2], texuniform=True, reflectance=0.0)
    floor.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "floor"
    spec.worldbody.add_light(
        pos=[-0.4, -1.2, 2.2],
        dir=[0.38, 0.55, -0.95],
        diffuse=[0.55, 0.54, 0.52],
        specular=[0.25, 0.25, 0.25],
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        castshadow=True,
    )
    world = spec.worldbody
    world.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[6, 6, 0.1],
        pos=[0, 0, -0.75],
        material="floor",
    )
    camera(spec, "main", (1.54, -1.0, 1.02), (0.30, 0.0, 0.25), 39)
    camera(spec, "top", (0.42, 0.0, 1.6), (0.42 + 1e-4, 0.0, 0.0), 45)
    camera(spec, "side", (0.45, -1.65, 0.55), (0.35, 0.0, 0.2), 40)
    # With "top", what perception looks through: all of the table from three more sides.
    camera(spec, "front-left", (1.30, 0.80, 0.90), (0.38, 0.02, 0.0), 44)
    camera(spec, "front-right", (1.30, -0.80, 0.90), (0.38, -0.02, 0.0), 44)
    camera(spec, "rear-right", (-0.15, -1.05, 0.90), (0.42, 0.02, 0.0), 44)


def camera(
    spec: mujoco.MjSpec,
    name: str,
    position: tuple[float, float, float],
    target: tuple[float, float, float],
    fovy_deg: float,
) -> None:
    """Add a fixed camera that looks at a point, with the world's z up in its image."""
    back = np.array(position) - np.array(target)
    back /= np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    rotation = np.column_stack([right, np.cross(back, right), back])
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, rotation.flatten())
    spec.worldbody.add_camera(name=name, pos=list(position), quat=list(quat), fovy=fovy_deg)
