# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Builds MuJoCo models from scenes and robots."""

from __future__ import annotations

import math

import mujoco

from embodied.errors import ConfigurationError
from embodied.world import robots
from embodied.world._footprints import HANDLE_REACH_M
from embodied.world._scene_types import FRONT_M
from embodied.world._shapes import BOX, RING_SEGMENTS, SHAPES, Walls, add_look, sliding, yaw_quat
from embodied.world._surroundings import PHYSICS_DT_S as PHYSICS_DT_S
from embodied.world._surroundings import add_surroundings, set_options
from embodied.world._surroundings import camera as camera
from embodied.world.robots import Robot
from embodied.world.scene import TABLE, Scene

HANDLE_RADIUS_M = 0.006


def build_spec(scene: Scene, robot: Robot) -> mujoco.MjSpec:
    """Assemble an editable model: the robot at the origin of the world, the scene around it.

    Raises:
        ConfigurationError: An object of the scene is called like a part of the robot.
    """
    spec = robot.mjspec()
    spec.modelname = f"{scene.name}-{robot.name.replace(':', '-')}"
    spec.compiler.fusestatic = False  # fixed things keep their bodies and names
    set_options(spec)
    add_surroundings(spec)
    _check_names(spec, scene, robot)
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


def _check_names(spec: mujoco.MjSpec, scene: Scene, robot: Robot) -> None:
    """Refuse objects that are called what a part of the robot or the surroundings is called."""
    parts = (spec.bodies, spec.geoms, spec.sites, spec.joints, spec.materials, spec.textures)
    taken = {part.name for kind in parts for part in kind} - {TABLE}
    wrong = [n for n in scene.objects if n in taken or f"{n}-handle" in taken]
    if wrong:
        raise ConfigurationError(
            f"scene {scene.name!r} cannot be built with {robot.name}: a part of its model is "
            f"called {', '.join(map(repr, wrong))} too; rename the object"
        )


def build_model(scene: Scene, robot: Robot | str = "fr3") -> mujoco.MjModel:
    """Compile the model of a scene with a robot.

    Raises:
        ConfigurationError: There is no such robot.
        EnvironmentMissingError: A Menagerie model was asked for and there is no Menagerie.
    """
    loaded = robots.load(robot) if isinstance(robot, str) else robot
    return robots.compile_model(build_spec(scene, loaded))


def _fixed_body(spec: mujoco.MjSpec, scene: Scene, name: str) -> mujoco.MjsBody:
    body = scene.bodies[name]
    return spec.worldbody.add_body(
        name=name, pos=list(body.position_m), quat=yaw_quat(body.yaw_rad)
    )


def _table(spec: mujoco.MjSpec, scene: Scene) -> None:
    data, size = scene.bodies[TABLE], scene.objects[TABLE].size_m
    body = _fixed_body(spec, scene, TABLE)
    _table_material(spec, data.rgba)
    half = [s / 2 for s in size]
    body.add_geom(
        name=TABLE, type=BOX, size=half, friction=sliding(data.friction), material="table"
    )
    _legs(body, half)


def _table_material(spec: mujoco.MjSpec, rgba: tuple[float, float, float, float]) -> None:
    spec.add_texture(
        name="table",
        type=mujoco.mjtTexture.mjTEXTURE_CUBE,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        rgb1=[1, 1, 1],
        width=4,
        height=24,
    )
    spec.add_material(name="table", rgba=list(rgba), specular=0.15, shininess=0.2)


def _legs(body: mujoco.MjsBody, half: list[float]) -> None:
    legs = 0.75 - 2 * half[2]
    for i, (sx, sy) in enumerate(((1, 1), (1, -1), (-1, 1), (-1, -1))):
        body.add_geom(
            name=f"{TABLE}-leg-{i}",
            type=BOX,
            size=[0.025, 0.025, legs / 2],
            pos=[sx * (half[0] - 0.05), sy * (half[1] - 0.05), -half[2] - legs / 2],
            rgba=[0.35, 0.36, 0.38, 1],
            contype=0,
            conaffinity=0,
        )


def dress_table(spec: mujoco.MjSpec) -> None:
    """Give a model whose table top is a bare plane the looks of the other scenes.

    What is added touches nothing and is in group 2, so plan models leave it out.
    """
    add_surroundings(spec)
    floor = spec.geom("floor")
    floor.contype = floor.conaffinity = 0
    floor.group = 2
    _table_material(spec, (0.86, 0.85, 0.83, 1.0))
    half = [0.65, 0.6, 0.02]
    body = spec.worldbody.add_body(name="table-look", pos=[0.3, 0.0, -half[2] - 0.0005])
    body.add_geom(type=BOX, size=half, material="table", contype=0, conaffinity=0)
    _legs(body, half)
    for geom in body.geoms:
        geom.group = 2


def _item(spec: mujoco.MjSpec, scene: Scene, name: str) -> None:
    data, item = scene.bodies[name], scene.objects[name]
    body = spec.worldbody.add_body(name=name, pos=[0, 0, item.size_m[2] / 2])
    body.add_freejoint(name=name)
    half = [s / 2 for s in item.size_m]
    sizes = {"box": half, "cylinder": [half[0], half[2], 0], "sphere": [half[0], 0, 0]}
    spec.add_material(name=name, rgba=list(data.rgba), specular=0.25, shininess=0.35)
    if any(item.inner_size_m):
        walls = Walls(body, name, data.friction, name, mass_kg=data.mass_kg / (RING_SEGMENTS + 1))
        wall = (item.size_m[0] - item.inner_size_m[0]) / 2
        walls.ring(item.size_m, wall, upside_down=True)
        return
    body.add_geom(
        name=name,
        type=SHAPES[item.shape],
        size=sizes[item.shape],
        mass=data.mass_kg,
        # Round things come to rest by rolling friction, boxes need none.
        condim=3 if item.shape == "box" else 6,
        friction=sliding(data.friction),
        material=name,
    )
    add_look(body, item, data)


def _surface(spec: mujoco.MjSpec, scene: Scene, name: str) -> None:
    data, surface = scene.bodies[name], scene.objects[name]
    half = [s / 2 for s in surface.size_m]
    spec.add_material(name=name, rgba=list(data.rgba), specular=0.2, shininess=0.3)
    _fixed_body(spec, scene, name).add_geom(
        name=name,
        type=SHAPES[surface.shape],
        size=half if surface.shape == "box" else [half[0], half[2], 0],
        friction=sliding(data.friction),
        material=name,
    )


def _container(spec: mujoco.MjSpec, scene: Scene, name: str) -> None:
    data, container = scene.bodies[name], scene.objects[name]
    spec.add_material(name=name, rgba=list(data.rgba), specular=0.2, shininess=0.3)
    walls = Walls(_fixed_body(spec, scene, name), name, data.friction, name)
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
        name=f"{name}-cabinet", pos=list(data.cabinet_position_m), quat=yaw_quat(data.yaw_rad)
    )
    housing = Walls(cabinet, f"{name}-cabinet", data.friction, material=name)
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
    parts = Walls(slider, name, data.friction, material=name, mass_kg=0.12)
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
    if any(data.handle_m):
        bar_x, bar_z = data.handle_m
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
