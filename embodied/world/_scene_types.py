"""Parts of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from embodied.types import ObjectSpec

COLORS: Mapping[str, tuple[float, float, float, float]] = {
    "red": (0.84, 0.17, 0.16, 1.0),
    "green": (0.20, 0.60, 0.28, 1.0),
    "blue": (0.14, 0.36, 0.80, 1.0),
    "yellow": (0.96, 0.77, 0.13, 1.0),
    "orange": (0.95, 0.47, 0.10, 1.0),
    "purple": (0.48, 0.25, 0.66, 1.0),
    "pink": (0.94, 0.50, 0.66, 1.0),
    "cyan": (0.15, 0.70, 0.76, 1.0),
    "brown": (0.45, 0.29, 0.18, 1.0),
    "white": (0.93, 0.93, 0.91, 1.0),
    "grey": (0.50, 0.52, 0.55, 1.0),
    "black": (0.10, 0.10, 0.11, 1.0),
    "silver": (0.72, 0.74, 0.77, 1.0),
    "wooden": (0.72, 0.52, 0.32, 1.0),
}
"""Colour words that a scene may use, and how they are drawn."""

TABLE = "table"
"""Name of the surface that every scene has; its top is the plane z = 0 of the world."""

FRONT_M = 0.012
"""Thickness of a drawer's front panel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyData:
    """What the simulator needs to know about an object beyond its ``ObjectSpec``.

    Attributes:
        rgba: Colour.
        mass_kg: Items: mass.
        friction: Coefficient of sliding friction.
        look: How it is drawn: ``"plain"``, ``"cup"``, ``"can"``, ``"fruit"``, ``"bottle"``.
        wall_m: Containers and drawers: wall thickness.
        position_m: Fixed objects: centre in the world frame.
        yaw_rad: Fixed objects: rotation about z.
        cabinet_size_m: Drawers: outer size of the housing (depth, width, height).
        cabinet_position_m: Drawers: centre of the housing in the world frame.
    """

    rgba: tuple[float, float, float, float]
    mass_kg: float = 0.0
    friction: float = 0.6
    look: str = "plain"
    wall_m: float = 0.006
    position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_rad: float = 0.0
    cabinet_size_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    cabinet_position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an item starts.

    Attributes:
        support: Surface, item, container or drawer that it is on or in.
        position_m: x, y in the world frame; None for the middle of the support.
        yaw_rad: Rotation about z; None for a random one.
    """

    support: str
    position_m: tuple[float, float] | None = None
    yaw_rad: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutData:
    """How initial layouts are drawn.

    Attributes:
        region_lower_m: Lower corner (x, y) of the part of the table where items may start.
        region_upper_m: Its upper corner.
        clearance_m: Least gap between the footprints of neighbours on a surface.
        stack_probability: Chance that an item starts on another one.
        surface_probability: Chance that it starts on a surface other than the table.
        container_probability: Chance that it starts inside a container.
        drawer_open_probability: Chance that a drawer starts open.
        initial: Items whose place does not depend on the seed.
        open: Drawers whose opening does not depend on the seed.
    """

    region_lower_m: tuple[float, float] = (0.32, -0.32)
    region_upper_m: tuple[float, float] = (0.62, 0.32)
    clearance_m: float = 0.03
    stack_probability: float = 0.2
    surface_probability: float = 0.0
    container_probability: float = 0.0
    drawer_open_probability: float = 0.0
    initial: Mapping[str, Placement] = field(default_factory=dict[str, Placement])
    open: Mapping[str, bool] = field(default_factory=dict[str, bool])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A scene.

    Attributes:
        name: Name.
        description: One line for people.
        sentences: Example instructions.
        objects: What a planner sees, by name; the table comes first.
        bodies: What the simulator needs beyond that, by the same names.
        layout: How initial layouts are drawn.
        workspace_lower_m: Lower corner of the workspace in the world frame.
        workspace_upper_m: Upper corner of the workspace in the world frame.
    """

    name: str
    description: str
    sentences: tuple[str, ...]
    objects: Mapping[str, ObjectSpec]
    bodies: Mapping[str, BodyData]
    layout: LayoutData
    workspace_lower_m: tuple[float, float, float] = (-0.3, -0.6, -0.02)
    workspace_upper_m: tuple[float, float, float] = (0.9, 0.6, 1.2)

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Names of the objects of one kind, in the order of the scene file."""
        return tuple(n for n, o in self.objects.items() if o.kind == kind)
