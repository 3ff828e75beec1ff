# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""What objects are made of in a MuJoCo model: walls, rods, and parts that are only drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco

from embodied.types import ObjectSpec
from embodied.world._scene_types import BodyData

BOX = mujoco.mjtGeom.mjGEOM_BOX
CYLINDER = mujoco.mjtGeom.mjGEOM_CYLINDER
CAPSULE = mujoco.mjtGeom.mjGEOM_CAPSULE
SPHERE = mujoco.mjtGeom.mjGEOM_SPHERE
SHAPES = {"box": BOX, "cylinder": CYLINDER, "sphere": SPHERE}

RING_SEGMENTS = 16


def yaw_quat(yaw_rad: float) -> list[float]:
    """A rotation about z as a quaternion wxyz."""
    return [math.cos(yaw_rad / 2), 0.0, 0.0, math.sin(yaw_rad / 2)]


def sliding(value: float) -> list[float]:
    """Sliding, torsional and rolling friction coefficients."""
    return [value, 0.005, 0.0005]


@dataclass(slots=True, eq=False)
class Walls:
    """Adds the numbered boxes that containers and drawers are made of."""

    body: mujoco.MjsBody
    name: str
    friction: float
    material: str
    mass_kg: float = 0.0
    count: int = 0

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
            type=BOX,
            size=[s / 2 for s in size],
            pos=list(position),
            quat=yaw_quat(yaw_rad),
            friction=sliding(self.friction),
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
            type=CAPSULE,
            size=[radius, 0, 0],
            fromto=[*start, *end],
            friction=sliding(self.friction),
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

    def ring(
        self, size: tuple[float, float, float], wall: float, *, upside_down: bool = False
    ) -> None:
        """A round bottom and a ring of walls around it; upside down, a cover."""
        radius, z, up = size[0] / 2, size[2], -1 if upside_down else 1
        self.body.add_geom(
            name=self._next(),
            type=CYLINDER,
            size=[radius, wall / 2, 0],
            pos=[0, 0, up * (-z / 2 + wall / 2)],
            friction=sliding(self.friction),
            material=self.material,
            mass=self.mass_kg,
        )
        step = 2 * math.pi / RING_SEGMENTS
        middle = radius - wall / 2
        for i in range(RING_SEGMENTS):
            a = i * step
            self.box(
                (wall, 2 * radius * math.tan(step / 2), z - wall),
                (middle * math.cos(a), middle * math.sin(a), up * wall / 2),
                a,
            )


def add_look(body: mujoco.MjsBody, item: ObjectSpec, data: BodyData) -> None:
    """Add the parts of an item that are only drawn: they touch nothing and weigh nothing."""
    x, _, z = item.size_m
    r = x / 2

    def part(kind: mujoco.mjtGeom, size: list[float], pos: list[float], rgba: list[float]) -> None:
        body.add_geom(
            type=kind, size=size, pos=pos, rgba=rgba, mass=0, contype=0, conaffinity=0, group=2
        )

    if data.look == "cup":
        part(CYLINDER, [0.86 * r, 0.0006, 0], [0, 0, z / 2 + 0.0002], [0.16, 0.12, 0.1, 1])
        rgba = list(data.rgba)
        for a in (-0.6, 0.0, 0.6):
            part(SPHERE, [0.13 * x, 0, 0], [r * 1.04, 0, a * z / 3], rgba)
    elif data.look == "can":
        metal = [0.8, 0.81, 0.83, 1.0]
        part(CYLINDER, [0.97 * r, 0.002, 0], [0, 0, z / 2], metal)
        part(CYLINDER, [1.005 * r, 0.003, 0], [0, 0, -z / 2 + 0.004], metal)
        part(CYLINDER, [1.004 * r, 0.14 * z, 0], [0, 0, 0], [0.95, 0.95, 0.93, 1.0])
    elif data.look == "bottle":
        part(CYLINDER, [0.42 * r, 0.05 * z, 0], [0, 0, 0.52 * z], [0.93, 0.93, 0.91, 1.0])
    elif data.look == "fruit":
        part(CYLINDER, [0.0025, 0.007, 0], [0, 0, r + 0.003], [0.33, 0.22, 0.12, 1.0])
