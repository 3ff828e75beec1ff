"""The tables of a scene file become a scene; each problem is reported with the legal values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from embodied.errors import Diagnostic
from embodied.tables import read_table, refused
from embodied.types import ObjectSpec
from embodied.world import _scene_tables as tables
from embodied.world._footprints import Footprint
from embodied.world._scene_types import COLORS, FRONT_M, TABLE, BodyData, Scene

MAX_GRASP_M = 0.07
"""Widest item that the hand can take: its 80 mm opening less a margin."""

DRAWER_PLAY_M = 0.003
"""Gap between a drawer and its housing."""

RESERVED = frozenset(
    # types, predicates, actions of the tabletop domain and words of PDDL itself
    "object support container color item surface drawer on in clear holding hand-empty open"
    " stackable fits has-color pick unstack take-out place stack put-in close and or not when"
    " forall exists imply either define domain problem world".split()
)
_KINDS = ("item", "container", "surface", "drawer")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PARTS = r"-(?:\d+|leg-\d+|front|metal|handle|cabinet(?:-\d+)?)"
"""How the simulator's parts of an object end, after its name."""

_SOLID = {"box": 1.0, "cylinder": math.pi / 4, "sphere": math.pi / 6}
_DENSITY = 600.0


def read_scene(data: Mapping[str, object], source: str) -> Scene:
    """Read a whole file.

    Raises:
        ConfigurationError: Something is wrong; the message lists every problem found.
    """
    problems: list[Diagnostic] = []
    file = read_table(tables.File, data, "scene", problems)
    reader = _Reader(problems)
    scene = None if file is None else reader.scene(file)
    if scene is None or problems:
        raise refused(source, "scene", problems)
    return scene


class _Reader:
    """Collects objects, and what is wrong with them and between them."""

    def __init__(self, problems: list[Diagnostic]) -> None:
        self.problems = problems
        self.objects: dict[str, ObjectSpec] = {}
        self.bodies: dict[str, BodyData] = {}
        self.tops: set[str] = set()  # surfaces on cabinets
        self.categories: dict[str, tuple[str, str]] = {}  # category -> kind, first object

    def scene(self, file: tables.File) -> Scene:
        """The scene; problems are collected."""
        self._table(file.table)
        for surface in file.surface:
            self._surface(surface)
        for container in file.container:
            self._container(container)
        for drawer in file.drawer:
            self._drawer(drawer)
        for item in file.item:
            self._item(item)
        if not file.item:
            self._refuse("scene.item", "is missing", "a scene needs at least one [[item]]")
        self._check_layout(file.layout)
        self._check_colors()
        self._check_parts()
        self._check_overlaps()
        return Scene(
            name=file.name,
            description=file.description,
            sentences=file.sentences,
            objects=self.objects,
            bodies=self.bodies,
            layout=file.layout,
        )

    def _refuse(self, where: str, problem: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(where=where, problem=problem, hint=hint))

    # ------------------------------------------------------------------ parts

    def _add(self, spec: ObjectSpec, body: BodyData) -> None:
        name, where = spec.name, f"{spec.kind}[{spec.name}].name"
        if not _NAME.fullmatch(name):
            self._refuse(
                where, f"is {name!r}", "lower-case words joined by hyphens, e.g. 'red-block'"
            )
        elif name in RESERVED - set(_KINDS):
            self._refuse(where, f"is {name!r}, a word of the planning domain", "rename it")
        elif name in self.objects:
            self._refuse(where, f"{name!r} is used twice", "names must be unique")
        self._category(spec)
        self.objects[name] = spec
        self.bodies[name] = body

    def _category(self, spec: ObjectSpec) -> None:
        category, where = spec.category, f"{spec.kind}[{spec.name}].category"
        if not _NAME.fullmatch(category):
            self._refuse(where, f"is {category!r}", "a noun in lower case, e.g. 'block'")
        elif category in RESERVED and category != spec.kind:
            hint = f"use another noun, e.g. '{category}-thing'"
            self._refuse(where, f"is {category!r}, a word of the planning domain", hint)
        kind, first = self.categories.setdefault(category, (spec.kind, spec.name))
        if kind != spec.kind:
            problem = f"{category!r} names a {spec.kind} here and a {kind} at {first!r}"
            self._refuse(where, problem, "use another noun for one of them")

    def _table(self, table: tables.TableTop) -> None:
        x, y = table.position_m
        self._add(
            ObjectSpec(name=TABLE, kind="surface", category=TABLE, size_m=table.size_m),
            BodyData(rgba=table.rgba, position_m=(x, y, -table.size_m[2] / 2)),
        )

    def _item(self, item: tables.Item) -> None:
        where, size, shape = f"item[{item.name}]", item.size_m, item.shape
        self._check_round(where, shape, size)
        narrow = min(size[:2])
        if narrow > MAX_GRASP_M:
            self._refuse(
                f"{where}.size_m",
                f"is {list(size)}: too wide for the hand",
                f"x or y must be at most {MAX_GRASP_M} m",
            )
        stackable = item.stackable
        if stackable is None:
            stackable = shape != "sphere" and narrow >= 0.03
        elif stackable and shape == "sphere":
            self._refuse(f"{where}.stackable", "is true for a sphere", "nothing rests on a ball")
        inner = item.inner_size_m
        hollow = all(0 < i < o for i, o in zip(inner, size, strict=True))
        if any(inner) and not (hollow and shape == "cylinder"):
            self._refuse(
                f"{where}.inner_size_m",
                f"is {list(inner)}: not the inside of a cover",
                "a cover is a cylinder, and its inside is smaller than it along each axis",
            )
        solid = math.prod(size) - math.prod(inner)
        usual_kg = round(max(solid * _SOLID[shape] * _DENSITY, 0.01), 4)
        self._add(
            ObjectSpec(
                name=item.name,
                kind="item",
                category=item.category,
                color=item.color,
                size_m=size,
                inner_size_m=inner,
                shape=shape,
                stackable=stackable,
                aliases=item.aliases,
            ),
            BodyData(
                rgba=_rgba(item, "wooden"),
                mass_kg=usual_kg if item.mass_kg is None else item.mass_kg,
                friction=item.friction,
                look=item.look,
            ),
        )

    def _surface(self, surface: tables.Surface) -> None:
        size = surface.size_m
        self._check_round(f"surface[{surface.name}]", surface.shape, size)
        self._add(
            ObjectSpec(
                name=surface.name,
                kind="surface",
                category=surface.category,
                color=surface.color,
                size_m=size,
                shape=surface.shape,
                aliases=surface.aliases,
            ),
            BodyData(
                rgba=_rgba(surface, "white"),
                position_m=(*surface.position_m, size[2] / 2),
                yaw_rad=math.radians(surface.yaw_deg),
                friction=surface.friction,
            ),
        )

    def _container(self, container: tables.Container) -> None:
        where, size, wall = f"container[{container.name}]", container.size_m, container.wall_m
        self._check_round(where, container.shape, size)
        inner = (size[0] - 2 * wall, size[1] - 2 * wall, size[2] - wall)
        if min(inner[:2]) < 0.06:
            self._refuse(
                f"{where}.size_m",
                f"leaves an inside of {inner[0]:.3f} x {inner[1]:.3f} m",
                "the hand needs at least 0.06 m",
            )
        self._add(
            ObjectSpec(
                name=container.name,
                kind="container",
                category=container.category,
                color=container.color,
                size_m=size,
                shape=container.shape,
                aliases=container.aliases,
                inner_size_m=inner,
            ),
            BodyData(
                rgba=_rgba(container, "grey"),
                position_m=(*container.position_m, size[2] / 2),
                yaw_rad=math.radians(container.yaw_deg),
                wall_m=wall,
                friction=container.friction,
            ),
        )

    def _drawer(self, drawer: tables.Drawer) -> None:
        depth, width, height = drawer.cabinet_size_m
        wall, play, yaw = drawer.wall_m, DRAWER_PLAY_M, math.radians(drawer.yaw_deg)
        travel = round(0.7 * depth, 3) if drawer.travel_m is None else drawer.travel_m
        if travel > depth - 0.03:
            hint = "at most the cabinet's depth less 0.03 m"
            self._refuse(f"drawer[{drawer.name}].travel_m", f"is {travel}", hint)
        x, y = drawer.position_m
        size = (depth - wall - play + FRONT_M, width, height - 2 * play)
        inner = (depth - 2 * wall - play, width - 4 * wall - 2 * play, height - 2 * wall - 4 * play)
        direction = (math.cos(yaw), math.sin(yaw), 0.0)
        shift = depth / 2 + FRONT_M - size[0] / 2  # from the housing's centre to the drawer's
        rgba = _rgba(drawer, "wooden")
        self._add(
            ObjectSpec(
                name=drawer.name,
                kind="drawer",
                category=drawer.category,
                color=drawer.color,
                size_m=size,
                aliases=drawer.aliases,
                inner_size_m=inner,
                travel_m=travel,
                opens_along=direction,
            ),
            BodyData(
                rgba=rgba,
                position_m=(x + shift * direction[0], y + shift * direction[1], height / 2),
                yaw_rad=yaw,
                wall_m=wall,
                cabinet_size_m=drawer.cabinet_size_m,
                cabinet_position_m=(x, y, height / 2),
            ),
        )
        if drawer.top:
            self.tops.add(drawer.top)
            top = ObjectSpec(
                name=drawer.top,
                kind="surface",
                category=drawer.top_category,
                size_m=(depth, width, wall),
                aliases=drawer.top_aliases,
            )
            self._add(top, BodyData(rgba=rgba, position_m=(x, y, height - wall / 2), yaw_rad=yaw))

    def _check_layout(self, layout: tables.Layout) -> None:
        lower, upper = layout.region_lower_m, layout.region_upper_m
        if lower[0] >= upper[0] or lower[1] >= upper[1]:
            problem = "must lie below region_upper_m in x and in y"
            self._refuse("layout.region_lower_m", problem)
        for name, start in layout.initial.items():
            self._known(f"layout.initial.{name}", name, "item")
            self._known(f"layout.initial.{name}.on", start.support, *_KINDS)
        self._check_cycles(layout.initial)
        for name in layout.open:
            self._known(f"layout.open.{name}", name, "drawer")

    # ----------------------------------------------------------------- checks

    def _known(self, where: str, name: str, *kinds: str) -> None:
        legal = [n for n, o in self.objects.items() if o.kind in kinds]
        if name not in legal:
            self._refuse(where, f"{name!r} is not a known object", f"legal: {', '.join(legal)}")

    def _check_cycles(self, initial: Mapping[str, tables.Start]) -> None:
        for name in initial:
            seen = [name]
            while (place := initial.get(seen[-1])) is not None:
                if place.support in seen:
                    problem = f"{name!r} rests on itself: {' on '.join(seen)}"
                    self._refuse("layout.initial", problem)
                    return
                seen.append(place.support)

    def _check_round(self, where: str, shape: str, size: tables.Size) -> None:
        if shape in ("cylinder", "sphere") and abs(size[0] - size[1]) > 1e-9:
            hint = f"x and y of a {shape} must be equal"
            self._refuse(f"{where}.size_m", f"is {list(size)}", hint)
        if shape == "sphere" and abs(size[0] - size[2]) > 1e-9:
            hint = "x, y and z of a sphere must be equal"
            self._refuse(f"{where}.size_m", f"is {list(size)}", hint)

    def _check_overlaps(self) -> None:
        """Fixed objects must not overlap; a drawer needs the room that it opens into."""
        fixed = [
            n for n, o in self.objects.items() if o.kind != "item" and n not in {TABLE, *self.tops}
        ]
        prints = {n: Footprint.of(self.objects[n], self.bodies[n]) for n in fixed}
        for i, a in enumerate(fixed):
            for b in fixed[i + 1 :]:
                if prints[a].overlaps(prints[b]):
                    hint = "move one; a drawer also needs the room that it opens into"
                    self._refuse("scene", f"{a!r} and {b!r} overlap on the table", hint)

    def _check_colors(self) -> None:
        words = {o.color for o in self.objects.values() if o.color}
        for taken in sorted(words & (set(self.objects) | set(self.categories))):
            problem = f"{taken!r} is a colour and the name of an object or category"
            self._refuse("scene", problem, "rename the object or the category")

    def _check_parts(self) -> None:
        """An object must not be called what the simulator calls a part of another one."""
        for whole, spec in self.objects.items():
            if spec.kind == "item":
                continue
            for name in self.objects:
                if re.fullmatch(re.escape(whole) + _PARTS, name):
                    problem = f"is {name!r}, which is what a part of {whole!r} is called"
                    self._refuse(f"{self.objects[name].kind}[{name}].name", problem, "rename it")


def _rgba(thing: tables.Thing, usual: str) -> tuple[float, float, float, float]:
    return COLORS[thing.color or usual] if thing.rgba is None else thing.rgba
