# pyright: reportAttributeAccessIssue=false, reportMissingImports=false
# (mujoco and pybullet ship no type stubs)
"""Bodies of a scene in PyBullet, made from the geometry of the compiled MuJoCo model.

The model of ``builder`` is the one place that lays out walls, handles and looks; here each of its
bodies becomes a URDF, so that the two simulators cannot disagree about the geometry.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mujoco
import numpy as np

from embodied.errors import EnvironmentMissingError
from embodied.types import Array, Pose
from embodied.world.quaternions import xyzw_from_wxyz
from embodied.world.scene import Scene

PYBULLET_ADVICE = "the world pybullet needs PyBullet: pip install 'embodied-stack[pybullet]'"

_NAMES = {
    mujoco.mjtGeom.mjGEOM_BOX: "box",
    mujoco.mjtGeom.mjGEOM_SPHERE: "sphere",
    mujoco.mjtGeom.mjGEOM_CYLINDER: "cylinder",
    mujoco.mjtGeom.mjGEOM_CAPSULE: "capsule",
}
ROLLING_FRICTION_M = 0.0005
"""Of round items on flat ground; the scene's builder gives MuJoCo the same."""


def connect() -> Any:
    """Start a PyBullet server without a window, in this process.

    Raises:
        EnvironmentMissingError: PyBullet is not installed.
    """
    try:
        with _muted():
            import pybullet
            from pybullet_utils.bullet_client import BulletClient

            return BulletClient(connection_mode=pybullet.DIRECT)
    except ImportError as error:
        raise EnvironmentMissingError(f"{PYBULLET_ADVICE} ({error})") from error


@contextmanager
def _muted() -> Generator[None]:
    """PyBullet's C code writes banners to both standard streams; answers belong there, not they."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):
            stream.flush()
    kept: list[tuple[int, int]] = []
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            with suppress(OSError):  # a closed stream needs no muting
                kept.append((number, os.dup(number)))
                os.dup2(sink, number)
        yield
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
        os.close(sink)


def panda_folder() -> Path:
    """Folder of the Panda that comes with PyBullet.

    Raises:
        EnvironmentMissingError: PyBullet is not installed.
    """
    try:
        import pybullet_data
    except ImportError as error:
        raise EnvironmentMissingError(f"{PYBULLET_ADVICE} ({error})") from error
    return Path(pybullet_data.getDataPath()) / "franka_panda"


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneBody:
    """A body of the scene.

    Attributes:
        name: Name of the object; drawers are one body with their housing as base.
        pose: Where it stands before a layout is set.
        fixed: Whether its base never moves.
        friction: Coefficient of sliding friction against the like.
        round: Whether it could roll.
        urdf: Its description.
        travel_m: Drawers: range of the sliding joint.
    """

    name: str
    pose: Pose
    fixed: bool
    friction: float
    round: bool
    urdf: str
    travel_m: tuple[float, float] | None = None


def scene_bodies(scene: Scene, model: mujoco.MjModel) -> tuple[SceneBody, ...]:
    """Every object of a scene, and the floor, as PyBullet bodies.

    Args:
        scene: The scene.
        model: Its compiled model.
    """
    bodies = [_floor(model)]
    for name, thing in scene.objects.items():
        base = f"{name}-cabinet" if thing.kind == "drawer" else name
        body = model.body(base)
        root = ElementTree.Element("robot", name=name)
        item = thing.kind == "item"
        _link(root, model, base, scene.bodies[name].mass_kg if item else 0.0)
        travel = None
        if thing.kind == "drawer":
            joint = model.joint(name)
            travel = (float(joint.range[0]), float(joint.range[1]))
            _link(root, model, name, float(model.body(name).mass[0]))
            _slide(root, model, base, name)
        bodies.append(
            SceneBody(
                name=name,
                pose=Pose(position=body.pos, quat_wxyz=body.quat),
                fixed=not item,
                friction=scene.bodies[name].friction,
                round=item and thing.shape != "box",
                urdf=ElementTree.tostring(root, encoding="unicode"),
                travel_m=travel,
            )
        )
    return tuple(bodies)


def load_bodies(client: Any, bodies: tuple[SceneBody, ...]) -> Mapping[str, int]:
    """Load bodies into a server; returns their identifiers by name."""
    found: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for body in bodies:
            path = Path(folder) / f"{body.name}.urdf"
            path.write_text(body.urdf, "utf-8")
            index = client.loadURDF(
                str(path),
                basePosition=body.pose.position.tolist(),
                baseOrientation=xyzw_from_wxyz(body.pose.quat_wxyz).tolist(),
                useFixedBase=body.fixed,
                flags=client.URDF_USE_IMPLICIT_CYLINDER | client.URDF_USE_MATERIAL_COLORS_FROM_MTL,
            )
            found[body.name] = index
            for link in range(-1, client.getNumJoints(index)):
                client.changeDynamics(
                    index,
                    link,
                    lateralFriction=share_of_friction(body.friction),
                    rollingFriction=ROLLING_FRICTION_M if body.round else 0.0,
                    spinningFriction=0.0,
                    restitution=0.0,
                    linearDamping=0.0,
                    angularDamping=0.0,
                )
    return found


def share_of_friction(friction: float) -> float:
    """Bullet multiplies the coefficients of a pair: equal materials get the root of theirs."""
    return math.sqrt(friction)


# ------------------------------------------------------------------------------------ URDF


def _floor(model: mujoco.MjModel) -> SceneBody:
    geom = model.geom("floor")
    root = ElementTree.Element("robot", name="floor")
    link = _bare_link(root, "floor", 0.0)
    for role in ("visual", "collision"):
        add_shape(link, role, "box", (12.0, 12.0, 0.1), (0, 0, -0.05), rgba=(0.7, 0.72, 0.74))
    position = np.array([0.0, 0.0, float(geom.pos[2])])
    return SceneBody(
        name="floor",
        pose=Pose(position=position, quat_wxyz=np.array([1.0, 0, 0, 0])),
        fixed=True,
        friction=0.6,
        round=False,
        urdf=ElementTree.tostring(root, encoding="unicode"),
    )


def _link(root: ElementTree.Element, model: mujoco.MjModel, body: str, mass: float) -> None:
    link = _bare_link(root, body, mass)
    for geom in _geoms_of(model, body):
        kind = _NAMES[mujoco.mjtGeom(int(model.geom_type[geom]))]
        material = int(model.geom_matid[geom])
        rgba = model.geom_rgba[geom] if material < 0 else model.mat_rgba[material]
        touches = bool(model.geom_contype[geom] or model.geom_conaffinity[geom])
        size = model.geom_size[geom]
        size = 2 * size if kind == "box" else size
        for role in ("visual", "collision") if touches else ("visual",):
            add_shape(
                link,
                role,
                kind,
                size,
                model.geom_pos[geom],
                model.geom_quat[geom],
                rgba=rgba,
                name=f"{body}-{geom}",
            )


def _geoms_of(model: mujoco.MjModel, body: str) -> range:
    first = int(model.body(body).geomadr[0])
    return range(first, first + int(model.body(body).geomnum[0]))


def _bare_link(root: ElementTree.Element, name: str, mass: float) -> ElementTree.Element:
    """A link with its mass; PyBullet derives the inertia from the collision shapes."""
    link = ElementTree.SubElement(root, "link", name=name)
    inertial = ElementTree.SubElement(link, "inertial")
    ElementTree.SubElement(inertial, "mass", value=repr(mass))
    zero = {key: "0" for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")}
    ElementTree.SubElement(inertial, "inertia", zero)
    return link


def add_shape(
    link: ElementTree.Element,
    role: str,
    kind: str,
    size: Sequence[float] | Array,
    position: Sequence[float] | Array,
    quat_wxyz: Sequence[float] | Array = (1.0, 0.0, 0.0, 0.0),
    *,
    rgba: Sequence[float] | Array = (1.0, 1.0, 1.0),
    name: str = "floor",
) -> None:
    """Add a shape to a link.

    Args:
        link: The link's element.
        role: ``"visual"`` or ``"collision"``.
        kind: ``"box"``, ``"sphere"``, ``"cylinder"`` or ``"capsule"``.
        size: Full extents of a box; radius, and half length along z, of the others; m.
        position: Centre in the link's frame, (3,), m.
        quat_wxyz: Rotation in the link's frame, (4,).
        rgba: Colour of a visual; always drawn opaque.
        name: Unique name of the colour.
    """
    element = ElementTree.SubElement(link, role)
    rpy = _text(_roll_pitch_yaw(np.asarray(quat_wxyz, dtype=np.float64)))
    ElementTree.SubElement(element, "origin", xyz=_text(position), rpy=rpy)
    geometry = ElementTree.SubElement(element, "geometry")
    if kind == "box":
        ElementTree.SubElement(geometry, "box", size=_text(size))
    elif kind == "sphere":
        ElementTree.SubElement(geometry, "sphere", radius=repr(float(size[0])))
    else:
        attributes = {"radius": repr(float(size[0])), "length": repr(2 * float(size[1]))}
        ElementTree.SubElement(geometry, kind, attributes)
    if role == "visual":
        material = ElementTree.SubElement(element, "material", name=f"{name}-colour")
        ElementTree.SubElement(material, "color", rgba=_text([*rgba[:3], 1.0]))


def _slide(root: ElementTree.Element, model: mujoco.MjModel, parent: str, name: str) -> None:
    joint, body = model.joint(name), model.body(name)
    element = ElementTree.SubElement(root, "joint", name=name, type="prismatic")
    ElementTree.SubElement(element, "parent", link=parent)
    ElementTree.SubElement(element, "child", link=name)
    rpy = _text(_roll_pitch_yaw(body.quat))
    ElementTree.SubElement(element, "origin", xyz=_text(body.pos), rpy=rpy)
    ElementTree.SubElement(element, "axis", xyz=_text(joint.axis))
    lower, upper = (repr(float(v)) for v in joint.range)
    ElementTree.SubElement(element, "limit", lower=lower, upper=upper, effort="1000", velocity="10")


def _text(values: Any) -> str:
    return " ".join(repr(float(v)) for v in values)


def _roll_pitch_yaw(quat: Array) -> Array:
    """Angles about the fixed axes x, y, z, in this order, as URDF has them."""
    w, x, y, z = quat / np.linalg.norm(quat)
    roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x))))
    yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return np.array([roll, pitch, yaw])
