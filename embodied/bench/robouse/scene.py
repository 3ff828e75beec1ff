"""What an episode tells of its table, as a scene: things by what they are, not by their task."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from embodied.types import Array, ObjectSpec, Pose
from embodied.world.grounding import inside_shift
from embodied.world.scene import COLORS, FRONT_M, TABLE, BodyData, Layout, Scene

Fields = Mapping[str, object]

TURN = Pose(position=np.zeros(3), quat_wxyz=np.array([0.5**0.5, 0.0, 0.0, -(0.5**0.5)]))
"""From the episode's frame (x to the right of who looks at the table, y away) into that of scenes
(x away, y to the left): left and right are those of the prompts."""

TABLE_SIZE_M = (0.60, 0.70, 0.2)
WALL_M = 0.006
"""Thickness of walls and floors, of which the episode says nothing."""

DRAWER_PLAY_M = 0.003
PAD_M = 0.001
FIGURE_M = (0.40, 0.17, 0.08)
"""A lying figure: length, width and height of the box around it."""

NOUNS = {
    "box": ("block", "cube", "box"),
    "cylinder": ("cylinder", "can"),
    "pad": ("pad", "square"),
    "figure": ("figure", "person", "mannequin"),
    "socket": ("socket", "hole"),
    "tray": ("tray", "bin"),
    "plate": ("plate", "dish"),
    "knife": ("knife", "kitchen knife"),
}
"""Further nouns for things by their kind; the first one names those whose name has no noun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A scene, and how the names in it belong to those of the episode.

    Attributes:
        scene: The scene.
        items: Name in the episode by name in the scene, of what can move.
        drawers: The same of drawers.
    """

    scene: Scene
    items: Mapping[str, str]
    drawers: Mapping[str, str]

    def poses(self, state: Fields) -> dict[str, Pose]:
        """Pose of every object in the world frame, as ``observe`` tells it."""
        things, fixtures = _table(state, "objects"), _table(state, "fixtures")
        found: dict[str, Pose] = {}
        for name, body in self.scene.bodies.items():
            if name in self.items:
                found[name] = TURN @ _pose(things[self.items[name]])
            elif name in self.drawers:
                told = fixtures[self.drawers[name]]
                found[name] = TURN @ _drawer_pose(_drawer(told)[0], told)
            else:
                turn = (math.cos(body.yaw_rad / 2), 0.0, 0.0, math.sin(body.yaw_rad / 2))
                found[name] = Pose(position=np.array(body.position_m), quat_wxyz=np.array(turn))
        return found

    def openings_m(self, state: Fields) -> dict[str, float]:
        """How far every drawer is open, m."""
        fixtures = _table(state, "fixtures")
        return {n: _number(fixtures[k], "opening") for n, k in self.drawers.items()}


def read_table(state: Fields, lower_m: Array, upper_m: Array) -> Table:
    """The scene of an episode.

    Args:
        state: Answer to ``observe``.
        lower_m: Lower corner of what the hand reaches, (3,), m.
        upper_m: Upper corner of what the hand reaches, (3,), m.
    """
    reader = _Reader()
    for name, entry in _table(state, "fixtures").items():
        make = _FIXTURES.get(str(entry.get("kind")))
        if make is not None:
            spec, body = make(entry)
            reader.add(name, entry, spec, body)
            if spec.kind == "drawer":
                reader.add("cabinet", {"kind": "cabinet"}, *_cabinet_top(body))
    for name, entry in _table(state, "objects").items():
        x, y, z = _numbers(entry, "size")
        round_ = entry.get("kind") == "cylinder"
        spec = ObjectSpec(
            name=name,
            kind="item",
            category="",
            size_m=(x, y, z),
            shape="cylinder" if round_ else "box",
            stackable=entry.get("kind") in ("box", "cylinder") and min(x, y) >= 0.03,
        )
        reader.add(name, entry, spec, BodyData(rgba=COLORS["grey"], mass_kg=0.05))
    objects, bodies = reader.objects, reader.bodies
    region = (float(lower_m[0]), float(lower_m[1])), (float(upper_m[0]), float(upper_m[1]))
    scene = Scene(
        name="tabletop",
        description="A table that an episode tells of.",
        sentences=(),
        objects=objects,
        bodies=bodies,
        layout=Layout(region_lower_m=region[0], region_upper_m=region[1]),
        workspace_lower_m=(*region[0], -0.02),
        workspace_upper_m=(*region[1], float(upper_m[2])),
    )
    return Table(
        scene=scene,
        items={n: k for n, k in reader.names.items() if objects[n].kind == "item"},
        drawers={n: k for n, k in reader.names.items() if objects[n].kind == "drawer"},
    )


@dataclass(slots=True)
class _Reader:
    """Collects objects under names as a planner takes them."""

    objects: dict[str, ObjectSpec] = field(default_factory=dict[str, ObjectSpec])
    bodies: dict[str, BodyData] = field(default_factory=dict[str, BodyData])
    names: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        z = -TABLE_SIZE_M[2] / 2
        spec = ObjectSpec(name=TABLE, kind="surface", category=TABLE, size_m=TABLE_SIZE_M)
        self.objects[TABLE] = spec
        self.bodies[TABLE] = BodyData(rgba=COLORS["wooden"], position_m=(0.0, 0.0, z))

    def add(self, told: str, entry: Fields, spec: ObjectSpec, body: BodyData) -> None:
        """Add a thing: its noun is the last word of its name that is no colour and no mark."""
        name = re.sub(r"[^a-z0-9]+", "-", told.lower()).strip("-")
        color, label = str(entry.get("color") or ""), str(entry.get("label") or "").lower()
        kind = str(entry.get("kind"))
        nouns = NOUNS.get(kind, (kind,))
        words = [w for w in name.split("-") if len(w) > 2 and w not in (color, label)]
        words = [w for w in words if w not in COLORS and not w.isdigit()]
        category = words[-1] if words else nouns[0]
        aliases = [" ".join(words), *nouns, *cast("Iterable[str]", entry.get("nouns", ()))]
        aliases += [f"{category} {n}" for n in nouns]
        aliases += [label, *(f"{label} {a}" for a in [*aliases, category])] if label else []
        known = {o.category: o.kind for o in self.objects.values()}
        if known.get(category, spec.kind) != spec.kind:
            category = f"{category}-{spec.kind}"
        self.objects[name] = ObjectSpec(
            name=name,
            kind=spec.kind,
            category=category,
            color=color,
            size_m=spec.size_m,
            shape=spec.shape,
            stackable=spec.stackable,
            aliases=tuple(dict.fromkeys(a for a in aliases if a and a != category)),
            inner_size_m=spec.inner_size_m,
            travel_m=spec.travel_m,
            opens_along=_turned(spec.opens_along),
        )
        self.bodies[name] = replace(
            body,
            position_m=_turned(body.position_m),
            yaw_rad=body.yaw_rad - math.pi / 2,
            cabinet_position_m=_turned(body.cabinet_position_m),
        )
        self.names[name] = told


def _surface(size: tuple[float, float, float], entry: Fields, shape: str = "box", yaw: float = 0.0):
    x, y, z = _numbers(entry, "pos")
    spec = ObjectSpec(name="", kind="surface", category="", size_m=size, shape=shape)
    at = (x, y, z + size[2] / 2)
    return spec, BodyData(rgba=COLORS["grey"], position_m=at, yaw_rad=yaw)


def _turned(place: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in TURN.apply(place))
    return (x, y, z)


def _cabinet_top(drawer: BodyData) -> tuple[ObjectSpec, BodyData]:
    depth, width, height = drawer.cabinet_size_m
    x, y, _ = drawer.cabinet_position_m
    spec = ObjectSpec(name="", kind="surface", category="", size_m=(depth, width, WALL_M))
    return spec, replace(
        BodyData(rgba=COLORS["wooden"]),
        position_m=(x, y, height - WALL_M / 2),
        yaw_rad=drawer.yaw_rad,
    )


def _pad(entry: Fields) -> tuple[ObjectSpec, BodyData]:
    x, y = _numbers(entry, "size")[:2]
    return _surface((x, y, PAD_M), entry)


def _plate(entry: Fields) -> tuple[ObjectSpec, BodyData]:
    wide = _number(entry, "diameter")
    return _surface((wide, wide, _number(entry, "top_z")), entry, "cylinder")


def _figure(entry: Fields) -> tuple[ObjectSpec, BodyData]:
    head, feet = (np.array(_numbers(entry, k)) for k in ("head_pos", "feet_pos"))
    along, middle = head - feet, (head + feet) / 2
    low = {"pos": (middle[0], middle[1], feet[2] - FIGURE_M[2] / 4)}
    return _surface(FIGURE_M, low, yaw=math.atan2(along[1], along[0]))


def _container(entry: Fields) -> tuple[ObjectSpec, BodyData]:
    x, y, z = _numbers(entry, "pos")
    wide = entry.get("inner_diameter")
    inner = (float(cast("float", wide)),) * 2 if wide else tuple(_numbers(entry, "inner_size")[:2])
    if "rim_z" in entry:
        height = _number(entry, "rim_z") - z
    else:
        height = _number(entry, "wall_height")
    spec = ObjectSpec(
        name="",
        kind="container",
        category="",
        size_m=(inner[0] + 2 * WALL_M, inner[1] + 2 * WALL_M, height),
        shape="cylinder" if wide else "box",
        inner_size_m=(inner[0], inner[1], height - WALL_M),
    )
    at = (x, y, z + height / 2)
    return spec, BodyData(rgba=COLORS["grey"], position_m=at, wall_m=WALL_M)


def _drawer(entry: Fields) -> tuple[ObjectSpec, BodyData]:
    """A drawer in a cabinet: its floor, its walls and its bar are where the episode says."""
    inside, bar = (np.array(_numbers(entry, k)) for k in ("interior_center", "handle_pos"))
    out = (bar - inside)[:2] / float(np.linalg.norm((bar - inside)[:2]))
    opening = _number(entry, "opening")
    inner_x, inner_y = _numbers(entry, "interior_size")[:2]
    wall, top = _number(entry, "wall_top_z"), _number(entry, "cabinet_top_z")
    width = inner_y + 0.04
    size = (inner_x + 0.019, width, top - 2 * DRAWER_PLAY_M)
    spec = ObjectSpec(
        name="",
        kind="drawer",
        category="",
        size_m=size,
        inner_size_m=(inner_x, inner_y, wall - WALL_M),
        travel_m=_number(entry, "max_opening"),
        opens_along=(float(out[0]), float(out[1]), 0.0),
    )
    center = _drawer_pose(spec, entry).position[:2] - opening * out
    depth = size[0] - FRONT_M  # the sliding part fills its housing, the front stands before it
    cabinet = center - FRONT_M / 2 * out
    body = BodyData(
        rgba=COLORS["wooden"],
        position_m=(float(center[0]), float(center[1]), top / 2),
        yaw_rad=math.atan2(out[1], out[0]),
        wall_m=WALL_M,
        cabinet_size_m=(depth, width, top),
        cabinet_position_m=(float(cabinet[0]), float(cabinet[1]), top / 2),
        handle_m=(
            float((bar[:2] - center) @ out) - opening,
            float(bar[2]) - top / 2,
        ),
    )
    return spec, body


def _drawer_pose(spec: ObjectSpec, entry: Fields) -> Pose:
    """Pose of the sliding part: x along its opening, the middle of its extents."""
    inside = np.array(_numbers(entry, "interior_center"))
    out = np.array(spec.opens_along)
    position = inside - inside_shift(spec) * out
    position[2] = _number(entry, "cabinet_top_z") / 2
    yaw = math.atan2(out[1], out[0])
    return Pose(
        position=position, quat_wxyz=np.array([math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)])
    )


def _pose(entry: Fields) -> Pose:
    yaw = math.radians(float(cast("float", entry.get("yaw_deg", 0.0))))
    turn = np.array([math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)])
    return Pose(position=np.array(_numbers(entry, "pos")), quat_wxyz=turn)


_FIXTURES: Mapping[str, Callable[[Fields], tuple[ObjectSpec, BodyData]]] = {
    "pad": _pad,
    "plate": _plate,
    "figure": _figure,
    "tray": _container,
    "bowl": _container,
    "socket": _container,
    "drawer": _drawer,
}


def _table(state: Fields, key: str) -> Mapping[str, Fields]:
    return cast("Mapping[str, Fields]", state.get(key) or {})


def _numbers(entry: Fields, key: str) -> list[float]:
    return [float(v) for v in cast("Iterable[float]", entry[key])]


def _number(entry: Fields, key: str) -> float:
    return float(cast("float", entry[key]))
