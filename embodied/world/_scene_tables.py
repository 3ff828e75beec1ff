"""The tables of a scene file, key by key; ``docs/scenes.md`` explains them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from embodied.tables import OneOf, Range

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

LOOKS = ("plain", "cup", "can", "fruit", "bottle")

Point: TypeAlias = tuple[float, float]
Size: TypeAlias = tuple[float, float, float]
Color: TypeAlias = Annotated[str, OneOf(COLORS)]
Rgba: TypeAlias = Annotated[tuple[float, float, float, float], Range(0, 1)]
Aliases: TypeAlias = tuple[str, ...]
Place: TypeAlias = Annotated[Point, Range(-1.5, 1.5)]
Degrees: TypeAlias = Annotated[float, Range(-360, 360)]
Friction: TypeAlias = Annotated[float, Range(0.1, 2.0)]
Chance: TypeAlias = Annotated[float, Range(0, 1)]
Round: TypeAlias = Annotated[str, OneOf(("box", "cylinder"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableTop:
    """``[table]``."""

    size_m: Annotated[Size, Range(0.01, 3)] = (1.1, 1.2, 0.04)
    position_m: Annotated[Point, Range(-2, 2)] = (0.3, 0.0)
    rgba: Rgba = (0.80, 0.66, 0.50, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What every object has."""

    name: str
    category: str
    color: Color = ""
    rgba: Rgba | None = None
    aliases: Aliases = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Thing):
    """``[[item]]``; with an inside it is a cover, open below."""

    size_m: Annotated[Size, Range(0.01, 0.5)]
    inner_size_m: Annotated[Size, Range(0, 0.5)] = (0.0, 0.0, 0.0)
    shape: Annotated[str, OneOf(("box", "cylinder", "sphere"))] = "box"
    mass_kg: Annotated[float, Range(0.005, 2.0)] | None = None
    stackable: bool | None = None
    friction: Friction = 0.6
    look: Annotated[str, OneOf(LOOKS)] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface(Thing):
    """``[[surface]]``."""

    size_m: Annotated[Size, Range(0.002, 1.5)]
    position_m: Place
    shape: Round = "box"
    yaw_deg: Degrees = 0.0
    friction: Friction = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Container(Thing):
    """``[[container]]``."""

    size_m: Annotated[Size, Range(0.02, 0.6)]
    position_m: Place
    shape: Round = "box"
    wall_m: Annotated[float, Range(0.003, 0.03)] = 0.006
    yaw_deg: Degrees = 0.0
    friction: Friction = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawer(Thing):
    """``[[drawer]]``."""

    cabinet_size_m: Annotated[Size, Range(0.08, 0.6)]
    position_m: Place
    wall_m: Annotated[float, Range(0.004, 0.03)] = 0.008
    travel_m: Annotated[float, Range(0.03, 0.5)] | None = None
    yaw_deg: Degrees = 0.0
    top: str = ""
    top_category: str = "shelf"
    top_aliases: Aliases = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """``[layout.initial.NAME]``: where an item starts.

    Attributes:
        on: Surface or item that it starts on.
        in_: Container or drawer that it starts in, instead.
        position_m: x, y in the world frame; None for the middle of the support.
        yaw_deg: Rotation about z; None for a random one.
    """

    on: str = ""
    in_: str = ""
    position_m: Place | None = None
    yaw_deg: Degrees | None = None

    @property
    def support(self) -> str:
        """What it is on or in."""
        return self.on or self.in_


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """``[layout]``: how initial layouts are drawn.

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

    region_lower_m: Annotated[Point, Range(-1, 1)] = (0.32, -0.32)
    region_upper_m: Annotated[Point, Range(-1, 1)] = (0.62, 0.32)
    clearance_m: Annotated[float, Range(0, 0.3)] = 0.03
    stack_probability: Chance = 0.2
    surface_probability: Chance = 0.0
    container_probability: Chance = 0.0
    drawer_open_probability: Chance = 0.0
    initial: Mapping[str, Start] = field(default_factory=dict[str, Start])
    open: Mapping[str, bool] = field(default_factory=dict[str, bool])


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A whole file."""

    name: str
    description: str = ""
    sentences: tuple[str, ...] = ()
    table: TableTop = field(default_factory=TableTop)
    surface: tuple[Surface, ...] = ()
    container: tuple[Container, ...] = ()
    drawer: tuple[Drawer, ...] = ()
    item: tuple[Item, ...] = ()
    layout: Layout = field(default_factory=Layout)
