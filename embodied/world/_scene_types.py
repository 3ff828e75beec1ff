"""Parts of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embodied.types import ObjectSpec
from embodied.world._scene_tables import COLORS as COLORS
from embodied.world._scene_tables import Layout

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
        handle_m: Drawers: how far the middle of the bar is out from the middle of the sliding part
            and above it; zeros for the usual place.
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
    handle_m: tuple[float, float] = (0.0, 0.0)


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
    layout: Layout
    workspace_lower_m: tuple[float, float, float] = (-0.3, -0.6, -0.02)
    workspace_upper_m: tuple[float, float, float] = (0.9, 0.6, 1.2)

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Names of the objects of one kind, in the order of the scene file."""
        return tuple(n for n, o in self.objects.items() if o.kind == kind)
