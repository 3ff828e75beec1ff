# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Builds MuJoCo models from scenes and robots."""

from __future__ import annotations

import math
from typing import Any

import mujoco
import numpy as np

from embodied.types import ObjectSpec
from embodied.world import robots
from embodied.world._footprints import HANDLE_REACH_M
from embodied.world._scene_types import FRONT_M
from embodied.world.robots import Robot
from embodied.world.scene import TABLE, BodyData, Scene

PHYSICS_DT_S = 0.002
"""Time step of the physics."""

_BOX = mujoco.mjtGeom.mjGEOM_BOX
_CYLINDER = mujoco.mjtGeom.mjGEOM_CYLINDER
_CAPSULE = mujoco.mjtGeom.mjGEOM_CAPSULE
_SPHERE = mujoco.mjtGeom.mjGEOM_SPHERE
_SHAPES = {"box": _BOX, "cylinder": _CYLINDER, "sphere": _SPHERE}

HANDLE_RADIUS_M = 0.006
_RING_SEGMENTS = 16


def build_spec(scene: Scene, robot: Robot) -> mujoco.MjSpec:
    """Assemble an editable model: the robot at the origin of the world, the scene around it."""
    spec = robot.mjspec()
    spec.modelname = f"{scene.name}-{robot.name.replace(':', '-')}"
    spec.compiler.fusestatic = False  # fixed things keep their bodies and names
    _options(spec)
    _surroundings(spec)
    for name, item in scene.objects.items():
        if name == TABLE:
            _table(spec, scene)
        elif item.kind == "item":
            _item(spec, scene, name)
        elif item.kind == "surface":
            _surface(spec, scene, name)
        elif item.kind == "container":
            _container(spec, scene, name)
        else:
            _drawer(spec, scene, name)
    for geom in spec.geoms:
        # Contacts among objects as stiff as the time step allows: stacks do not creep.
        if not geom.parent.name or geom.parent.name.split("-cabinet")[0] in scene.objects:
            geom.solref = [0.006, 1.0]
    return spec


def build_model(scene: Scene, robot: Robot | str = "fr3") -> mujoco.MjModel:
    """Compile the model of a scene with a robot.

    Raises:
        ConfigurationError: There is no such robot.
        EnvironmentMissingError: A Menagerie model was asked for and there is no Menagerie.
    """
    loaded = robots.load(robot) if isinstance(robot, str) else robot
    return robots.compile_model(build_spec(scene, loaded))


def _options(spec: mujoco.MjSpec) -> None:
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


def _surroundings(spec: mujoco.MjSpec) -> None:
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


def _yaw_quat(yaw_rad: float) -> list[float]:
    return [math.cos(yaw_rad / 2), 0.0, 0.0, math.sin(yaw_rad / 2)]


def _fixed_body(spec: mujoco.MjSpec, scene: Scene, name: str) -> mujoco.MjsBody:
    body = scene.bodies[name]
    return spec.worldbody.add_body(
        name=name, pos=list(body.position_m), quat=_yaw_quat(body.yaw_rad)
    )


def _friction(value: float) -> list[float]:
    """Sliding, torsional and rolling friction coefficients."""
    return [value, 0.005, 0.0005]


def _table(spec: mujoco.MjSpec, scene: Scene) -> None:
    data, size = scene.bodies[TABLE], scene.objects[TABLE].size_m
    body = _fixed_body(spec, scene, TABLE)
    spec.add_texture(
        name="table",
        type=mujoco.mjtTexture.mjTEXTURE_CUBE,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        rgb1=[1, 1, 1],
        width=4,
        height=24,
    )
    spec.add_material(name="table", rgba=list(data.rgba), specular=0.15, shininess=0.2)
    half = [s / 2 for s in size]
    body.add_geom(
        name=TABLE, type=_BOX, size=half, friction=_friction(data.friction), material="table"
    )
    legs = 0.75 - size[2]
    for i, (sx, sy) in enumerate(((1, 1), (1, -1), (-1, 1), (-1, -1))):
        body.add_geom(
            name=f"{TABLE}-leg-{i}",
            type=_BOX,
            size=[0.025, 0.025, legs / 2],
            pos=[sx * (half[0] - 0.05), sy * (half[1] - 0.05), -half[2] - legs / 2],
            rgba=[0.35, 0.36, 0.38, 1],
            contype=0,
            conaffinity=0,
        )


def _item(spec: mujoco.MjSpec, scene: Scene, name: str) -> None:
    data, item = scene.bodies[name], scene.objects[name]
    body = spec.worldbody.add_body(name=name, pos=[0, 0, item.size_m[2] / 2])
    body.add_freejoint(name=name)
    half = [s / 2 for s in item.size_m]
    sizes = {"box": half, "cylinder": [half[0], half[2], 0], "sphere": [half[0], 0, 0]}
    spec.add_material(name=name, rgba=list(data.rgba), specular=0.25, shininess=0.35)
    body.add_geom(
        name=name,
        type=_SHAPES[item.shape],
        size=sizes[item.shape],
        mass=data.mass_kg,
        # Round things come to rest by rolling friction, boxes need none.
        condim=3 if item.shape == "box" else 6,
        friction=_friction(data.friction),
        material=name,
    )
    add_look(body, item, data)


def _surface(spec: mujoco.MjSpec, scene: Scene, name: str) -> None:
    data, surface = scene.bodies[name], scene.objects[name]
    half = [s / 2 for s in surface.size_m]
    spec.add_material(name=name, rgba=list(data.rgba), specular=0.2, shininess=0.3)
    _fixed_body(spec, scene, name).add_geom(
        name=name,
        type=_SHAPES[surface.shape],
        size=half if surface.shape == "box" else [half[0], half[2], 0],
        friction=_friction(data.friction),
        material=name,
    )


def _container(spec: mujoco.MjSpec, scene: Scene, name: str) -> None:
    data, container = scene.bodies[name], scene.objects[name]
    spec.add_material(name=name, rgba=list(data.rgba), specular=0.2, shininess=0.3)
    walls = _Walls(_fixed_body(spec, scene, name), name, data.friction)
    if container.shape == "cylinder":
        walls.ring(container.size_m, data.wall_m)
    else:
        walls.tray(container.size_m, data.wall_m)


def _drawer(spec: mujoco.MjSpec, scene: Scene, name: str) -> None:
    data, drawer = scene.bodies[name], scene.objects[name]
    depth, width, height = data.cabinet_size_m
    t = data.wall_m
    spec.add_material(name=name, rgba=list(data.rgba), specular=0.2, shininess=0.3)
    darker = [0.8 * c for c in data.rgba[:3]] + [1.0]
    spec.add_material(name=f"{name}-front", rgba=darker, specular=0.2, shininess=0.3)
    spec.add_material(name=f"{name}-metal", rgba=[0.75, 0.76, 0.78, 1], specular=0.7, shininess=0.8)

    cabinet = spec.worldbody.add_body(
        name=f"{name}-cabinet", pos=list(data.cabinet_position_m), quat=_yaw_quat(data.yaw_rad)
    )
    housing = _Walls(cabinet, f"{name}-cabinet", data.friction, material=name)
    top_is_a_surface = any(
        scene.bodies[o].position_m[:2] == data.cabinet_position_m[:2]
        for o in scene.of_kind("surface")
    )
    if not top_is_a_surface:
        housing.box((depth, width, t), (0, 0, height / 2 - t / 2))
    side = height - t
    for sign in (1, -1):
        housing.box((depth, t, side), (0, sign * (width / 2 - t / 2), -t / 2))
    housing.box((t, width - 2 * t, side), (-depth / 2 + t / 2, 0, -t / 2))

    # The sliding part: its frame is the centre of its extents when closed.
    size_x, _, size_z = drawer.size_m
    center_x = depth / 2 + FRONT_M - size_x / 2
    slider = cabinet.add_body(name=name, pos=[center_x, 0, 0])
    slider.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[1, 0, 0],
        limited=True,
        range=[-0.001, drawer.travel_m + 0.002],  # stops are soft: keep planners' limits met
        damping=6.0,
        frictionloss=1.0,
        armature=0.1,
    )
    parts = _Walls(slider, name, data.friction, material=name, mass_kg=0.12)
    inner_x, inner_y, inner_z = drawer.inner_size_m
    bottom = -size_z / 2 + t / 2
    tray_x = inner_x + t  # from the back wall's outside to the front panel
    shift = -FRONT_M / 2
    parts.box((tray_x, inner_y + 2 * t, t), (shift, 0, bottom))
    wall_z = bottom + t / 2 + inner_z / 2
    for sign in (1, -1):
        parts.box((tray_x, t, inner_z), (shift, sign * (inner_y / 2 + t / 2), wall_z))
    parts.box((t, inner_y, inner_z), (-size_x / 2 + t / 2, 0, wall_z))
    front_x = size_x / 2 - FRONT_M / 2
    parts.material = f"{name}-front"
    parts.box((FRONT_M, width, size_z), (front_x, 0, 0))
    # The bar handle, graspable from above: pads before and behind it.
    bar_x = size_x / 2 + HANDLE_REACH_M - FRONT_M - HANDLE_RADIUS_M - 0.005
    bar_z = size_z / 2 - 0.015
    parts.material = f"{name}-metal"
    r = HANDLE_RADIUS_M
    half = min(0.05, width / 2 - 0.02)
    parts.capsule(f"{name}-handle", r, (bar_x, -half, bar_z), (bar_x, half, bar_z))
    for sign in (1, -1):
        y = sign * half
        parts.capsule("", r * 0.8, (size_x / 2, y, bar_z), (bar_x, y, bar_z))
    # Approach (site z) straight down, closing direction (site y) along the pull.
    slider.add_site(
        name=f"{name}-handle",
        pos=[bar_x, 0, bar_z],
        quat=[0.0, math.sqrt(0.5), math.sqrt(0.5), 0.0],
        size=[0.005, 0.005, 0.005],
        group=4,
    )
    spec.add_exclude(bodyname1=f"{name}-cabinet", bodyname2=name)


class _Walls:
    """Adds the numbered boxes that containers and drawers are made of."""

    def __init__(
        self,
        body: mujoco.MjsBody,
        name: str,
        friction: float,
        material: str = "",
        mass_kg: float = 0.0,
    ) -> None:
        self.body = body
        self.name = name
        self.friction = friction
        self.material = material or name
        self.mass_kg = mass_kg
        self.count = 0

    def _next(self) -> str:
        self.count += 1
        return f"{self.name}-{self.count}"

    def box(
        self,
        size: tuple[float, float, float],
        position: tuple[float, float, float],
        yaw_rad: float = 0.0,
    ) -> None:
        """A box given by its full extents and its centre."""
        self.body.add_geom(
            name=self._next(),
            type=_BOX,
            size=[s / 2 for s in size],
            pos=list(position),
            quat=_yaw_quat(yaw_rad),
            friction=_friction(self.friction),
            material=self.material,
            mass=self.mass_kg,
        )

    def capsule(
        self,
        name: str,
        radius: float,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
    ) -> None:
        """A rod between two points."""
        self.body.add_geom(
            name=name or self._next(),
            type=_CAPSULE,
            size=[radius, 0, 0],
            fromto=[*start, *end],
            friction=_friction(self.friction),
            material=self.material,
            mass=0.02,
        )

    def tray(self, size: tuple[float, float, float], wall: float) -> None:
        """A bottom and four walls."""
        x, y, z = size
        self.box((x, y, wall), (0, 0, -z / 2 + wall / 2))
        high, middle = z - wall, wall / 2
        for sign in (1, -1):
            self.box((x, wall, high), (0, sign * (y / 2 - wall / 2), middle))
            self.box((wall, y - 2 * wall, high), (sign * (x / 2 - wall / 2), 0, middle))

    def ring(self, size: tuple[float, float, float], wall: float) -> None:
        """A round bottom and a ring of walls around it."""
        radius, z = size[0] / 2, size[2]
        self.body.add_geom(
            name=self._next(),
            type=_CYLINDER,
            size=[radius, wall / 2, 0],
            pos=[0, 0, -z / 2 + wall / 2],
            friction=_friction(self.friction),
            material=self.material,
        )
        step = 2 * math.pi / _RING_SEGMENTS
        middle = radius - wall / 2
        for i in range(_RING_SEGMENTS):
            a = i * step
            self.box(
                (wall, 2 * radius * math.tan(step / 2), z - wall),
                (middle * math.cos(a), middle * math.sin(a), wall / 2),
                a,
            )


def add_look(body: mujoco.MjsBody, item: ObjectSpec, data: BodyData) -> None:
    """Add the parts of an item that are only drawn: they touch nothing and weigh nothing."""
    x, _, z = item.size_m
    r = x / 2

    def part(kind: Any, size: list[float], pos: list[float], rgba: list[float]) -> None:
        body.add_geom(
            type=kind, size=size, pos=pos, rgba=rgba, mass=0, contype=0, conaffinity=0, group=2
        )

    if data.look == "cup":
        part(_CYLINDER, [0.86 * r, 0.0006, 0], [0, 0, z / 2 + 0.0002], [0.16, 0.12, 0.1, 1])
        rgba = list(data.rgba)
        for a in (-0.6, 0.0, 0.6):
            part(_SPHERE, [0.13 * x, 0, 0], [r * 1.04, 0, a * z / 3], rgba)
    elif data.look == "can":
        metal = [0.8, 0.81, 0.83, 1.0]
        part(_CYLINDER, [0.97 * r, 0.002, 0], [0, 0, z / 2], metal)
        part(_CYLINDER, [1.005 * r, 0.003, 0], [0, 0, -z / 2 + 0.004], metal)
        part(_CYLINDER, [1.004 * r, 0.14 * z, 0], [0, 0, 0], [0.95, 0.95, 0.93, 1.0])
    elif data.look == "bottle":
        part(_CYLINDER, [0.42 * r, 0.05 * z, 0], [0, 0, 0.52 * z], [0.93, 0.93, 0.91, 1.0])
    elif data.look == "fruit":
        part(_CYLINDER, [0.0025, 0.007, 0], [0, 0, r + 0.003], [0.33, 0.22, 0.12, 1.0])
