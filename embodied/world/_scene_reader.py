"""Reads a scene file; every problem is collected and reported with the legal values."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from embodied.errors import ConfigurationError, Diagnostic
from embodied.types import ObjectSpec
from embodied.world._footprints import Footprint
from embodied.world._scene_types import (
    COLORS,
    FRONT_M,
    TABLE,
    BodyData,
    LayoutData,
    Placement,
    Scene,
)

MAX_GRASP_M = 0.07
"""Widest item that the hand can take: its 80 mm opening less a margin."""

DRAWER_PLAY_M = 0.003
"""Gap between a drawer and its housing."""

LOOKS = ("plain", "cup", "can", "fruit", "bottle")

RESERVED = frozenset(
    # types, predicates, actions of the tabletop domain and words of PDDL itself
    "object support container color item surface drawer on in clear holding hand-empty open"
    " stackable fits has-color pick unstack take-out place stack put-in close and or not when"
    " forall exists imply either define domain problem world".split()
)
_BASE_TYPE = {"item": "item", "container": "container", "surface": "surface", "drawer": "drawer"}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MISSING: Any = object()


class _Entry:
    """One TOML table being read: hands out typed values and remembers what was wrong."""

    def __init__(self, where: str, data: Any, problems: list[Diagnostic]) -> None:
        self.where = where
        self.problems = problems
        self.data: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        self.read: set[str] = set()
        if not isinstance(data, Mapping):
            self.problem("", "must be a table of keys and values")

    def problem(self, key: str, problem: str, hint: str = "") -> None:
        where = f"{self.where}.{key}" if key else self.where
        self.problems.append(Diagnostic(where=where, problem=problem, hint=hint))

    def value(self, key: str, default: Any) -> Any:
        self.read.add(key)
        if key not in self.data and default is _MISSING:
            self.problem(key, "is missing")
        return self.data.get(key, default)

    def text(self, key: str, default: Any = _MISSING, legal: Iterable[str] = ()) -> str:
        value = self.value(key, default)
        options = tuple(legal)
        if value is _MISSING:
            return ""
        if not isinstance(value, str) or (options and value not in options and value != default):
            hint = f"legal values: {', '.join(options)}" if options else "a text in quotes"
            self.problem(key, f"has the value {value!r}", hint)
            return default if isinstance(default, str) else ""
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.value(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.problem(key, f"has the value {value!r}", "a list of texts")
            return ()
        return tuple(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.value(key, default)
        if not isinstance(value, bool):
            self.problem(key, f"has the value {value!r}", "true or false")
            return default
        return value

    def number(
        self, key: str, default: Any = _MISSING, lower: float = -math.inf, upper: float = math.inf
    ) -> float:
        value = self.value(key, default)
        if value is _MISSING:
            return lower if math.isfinite(lower) else 0.0
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.problem(key, f"has the value {value!r}", "a number")
        elif not lower <= value <= upper:
            self.problem(key, f"is {value}", f"must lie in [{lower:g}, {upper:g}]")
        else:
            return float(value)
        return float(default) if isinstance(default, int | float) else max(lower, 0.0)

    def vector(
        self,
        key: str,
        n: int,
        default: Any = _MISSING,
        lower: float = -math.inf,
        upper: float = math.inf,
    ) -> tuple[float, ...]:
        value = self.value(key, default)
        fallback = tuple(default) if isinstance(default, Sequence) else (max(lower, 0.0),) * n
        if value is _MISSING:
            return fallback
        ok = isinstance(value, list | tuple) and len(value) == n
        if not ok or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
            self.problem(key, f"has the value {value!r}", f"a list of {n} numbers")
            return fallback
        if any(not lower <= v <= upper for v in value):
            self.problem(key, f"is {list(value)}", f"each must lie in [{lower:g}, {upper:g}]")
            return fallback
        return tuple(float(v) for v in value)

    def finish(self) -> None:
        """Report keys that nobody asked for."""
        for key in self.data:
            if key not in self.read:
                close = difflib.get_close_matches(key, self.read, n=1)
                hint = f"did you mean {close[0]!r}? " if close else ""
                self.problem(
                    key, "is not a key here", f"{hint}keys: {', '.join(sorted(self.read))}"
                )


class SceneReader:
    """Turns the content of a scene file into a :class:`Scene`."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[Diagnostic] = []
        self.objects: dict[str, ObjectSpec] = {}
        self.bodies: dict[str, BodyData] = {}
        self.tops: set[tuple[str, str]] = set()  # surface on a cabinet, its drawer
        self.categories: dict[str, tuple[str, str]] = {}  # category -> kind, first object

    def read(self, data: Mapping[str, Any]) -> Scene:
        """Read a whole file.

        Raises:
            ConfigurationError: Something is wrong; the message lists every problem found.
        """
        top = _Entry("scene", data, self.problems)
        name = top.text("name")
        description = top.text("description", "")
        sentences = top.texts("sentences")
        self._table(_Entry("table", top.value("table", {}), self.problems))
        readers = {
            "surface": self._surface,
            "container": self._container,
            "drawer": self._drawer,
            "item": self._item,
        }
        for kind, reader in readers.items():
            entries = top.value(kind, [])
            if not isinstance(entries, list):
                top.problem(kind, "must be a list", f"write [[{kind}]] in double brackets")
                continue
            for i, entry in enumerate(entries):
                label = entry.get("name", i) if isinstance(entry, Mapping) else i
                one = _Entry(f"{kind}[{label}]", entry, self.problems)
                reader(one)
                one.finish()
        layout = self._layout(_Entry("layout", top.value("layout", {}), self.problems))
        top.finish()
        if not any(o.kind == "item" for o in self.objects.values()):
            top.problem("item", "is missing", "a scene needs at least one [[item]]")
        self._check_colors()
        self._check_overlaps()
        if self.problems:
            lines = "\n".join(f"  - {p}" for p in self.problems)
            raise ConfigurationError(f"{self.source} is not a usable scene:\n{lines}")
        return Scene(
            name=name,
            description=description,
            sentences=sentences,
            objects=self.objects,
            bodies=self.bodies,
            layout=layout,
        )

    # ------------------------------------------------------------------ parts

    def _add(self, entry: _Entry, spec: ObjectSpec, body: BodyData) -> None:
        if not _NAME.fullmatch(spec.name):
            entry.problem(
                "name", f"is {spec.name!r}", "lower-case words joined by hyphens, e.g. 'red-block'"
            )
        elif spec.name in RESERVED - set(_BASE_TYPE):
            entry.problem("name", f"is {spec.name!r}, a word of the planning domain", "rename it")
        elif spec.name in self.objects:
            entry.problem("name", f"{spec.name!r} is used twice", "names must be unique")
        self._category(entry, spec)
        self.objects[spec.name] = spec
        self.bodies[spec.name] = body

    def _category(self, entry: _Entry, spec: ObjectSpec) -> None:
        category = spec.category
        if not _NAME.fullmatch(category):
            entry.problem("category", f"is {category!r}", "a noun in lower case, e.g. 'block'")
        elif category in RESERVED and category != _BASE_TYPE[spec.kind]:
            entry.problem(
                "category",
                f"is {category!r}, a word of the planning domain",
                f"use another noun, e.g. '{category}-thing'",
            )
        kind, first = self.categories.setdefault(category, (spec.kind, spec.name))
        if kind != spec.kind:
            entry.problem(
                "category",
                f"{category!r} names a {spec.kind} here and a {kind} at {first!r}",
                "use another noun for one of them",
            )

    def _common(self, entry: _Entry, default_color: str) -> dict[str, Any]:
        color = entry.text("color", "", COLORS)
        rgba = entry.vector("rgba", 4, COLORS[color or default_color], 0, 1)
        return {
            "name": entry.text("name"),
            "category": entry.text("category"),
            "color": color,
            "aliases": entry.texts("aliases"),
            "rgba": rgba,
        }

    def _place(self, entry: _Entry, height: float) -> tuple[tuple[float, ...], float]:
        x, y = entry.vector("position_m", 2, lower=-1.5, upper=1.5)
        yaw = math.radians(entry.number("yaw_deg", 0.0, -360, 360))
        return (x, y, height / 2), yaw

    def _table(self, entry: _Entry) -> None:
        size = entry.vector("size_m", 3, (1.1, 1.2, 0.04), 0.01, 3)
        x, y = entry.vector("position_m", 2, (0.3, 0.0), -2, 2)
        rgba = entry.vector("rgba", 4, (0.80, 0.66, 0.50, 1.0), 0, 1)
        entry.finish()
        self._add(
            entry,
            ObjectSpec(name=TABLE, kind="surface", category=TABLE, size_m=_xyz(size)),
            BodyData(rgba=_rgba(rgba), position_m=(x, y, -size[2] / 2), friction=0.6),
        )

    def _item(self, entry: _Entry) -> None:
        common = self._common(entry, "wooden")
        shape = entry.text("shape", "box", ("box", "cylinder", "sphere"))
        size = entry.vector("size_m", 3, lower=0.01, upper=0.5)
        self._check_round(entry, shape, size)
        narrow = min(size[:2])
        if narrow > MAX_GRASP_M:
            entry.problem(
                "size_m",
                f"is {list(size)}: too wide for the hand",
                f"x or y must be at most {MAX_GRASP_M} m",
            )
        volume = (
            math.prod(size)
            * {"box": 1.0, "cylinder": math.pi / 4, "sphere": math.pi / 6}[shape or "box"]
        )
        mass = entry.number("mass_kg", round(max(volume * 600, 0.01), 4), 0.005, 2.0)
        flat = shape == "box" or shape == "cylinder"
        stackable = entry.flag("stackable", flat and narrow >= 0.03)
        if stackable and shape == "sphere":
            entry.problem("stackable", "is true for a sphere", "nothing rests on a ball")
        self._add(
            entry,
            ObjectSpec(
                name=common["name"],
                kind="item",
                category=common["category"],
                color=common["color"],
                size_m=_xyz(size),
                shape=shape,
                stackable=stackable,
                aliases=common["aliases"],
            ),
            BodyData(
                rgba=_rgba(common["rgba"]),
                mass_kg=mass,
                friction=entry.number("friction", 0.6, 0.1, 2.0),
                look=entry.text("look", "plain", LOOKS),
            ),
        )

    def _surface(self, entry: _Entry) -> None:
        common = self._common(entry, "white")
        shape = entry.text("shape", "box", ("box", "cylinder"))
        size = entry.vector("size_m", 3, lower=0.002, upper=1.5)
        self._check_round(entry, shape, size)
        position, yaw = self._place(entry, size[2])
        self._add(
            entry,
            ObjectSpec(
                name=common["name"],
                kind="surface",
                category=common["category"],
                color=common["color"],
                size_m=_xyz(size),
                shape=shape,
                aliases=common["aliases"],
            ),
            BodyData(
                rgba=_rgba(common["rgba"]),
                position_m=_xyz(position),
                yaw_rad=yaw,
                friction=entry.number("friction", 0.6, 0.1, 2.0),
            ),
        )

    def _container(self, entry: _Entry) -> None:
        common = self._common(entry, "grey")
        shape = entry.text("shape", "box", ("box", "cylinder"))
        size = entry.vector("size_m", 3, lower=0.02, upper=0.6)
        self._check_round(entry, shape, size)
        wall = entry.number("wall_m", 0.006, 0.003, 0.03)
        inner = (size[0] - 2 * wall, size[1] - 2 * wall, size[2] - wall)
        if min(inner[:2]) < 0.06:
            entry.problem(
                "size_m",
                f"leaves an inside of {inner[0]:.3f} x {inner[1]:.3f} m",
                "the hand needs at least 0.06 m",
            )
        position, yaw = self._place(entry, size[2])
        self._add(
            entry,
            ObjectSpec(
                name=common["name"],
                kind="container",
                category=common["category"],
                color=common["color"],
                size_m=_xyz(size),
                shape=shape,
                aliases=common["aliases"],
                inner_size_m=inner,
            ),
            BodyData(
                rgba=_rgba(common["rgba"]),
                position_m=_xyz(position),
                yaw_rad=yaw,
                wall_m=wall,
                friction=entry.number("friction", 0.6, 0.1, 2.0),
            ),
        )

    def _drawer(self, entry: _Entry) -> None:
        common = self._common(entry, "wooden")
        depth, width, height = entry.vector("cabinet_size_m", 3, lower=0.08, upper=0.6)
        wall = entry.number("wall_m", 0.008, 0.004, 0.03)
        travel = entry.number("travel_m", round(0.7 * depth, 3), 0.03, 0.5)
        if travel > depth - 0.03:
            entry.problem("travel_m", f"is {travel}", "at most the cabinet's depth less 0.03 m")
        cabinet, yaw = self._place(entry, height)
        top = entry.text("top", "")
        top_category = entry.text("top_category", "shelf")
        top_aliases = entry.texts("top_aliases")
        play = DRAWER_PLAY_M
        size = (depth - wall - play + FRONT_M, width, height - 2 * play)
        inner = (
            depth - 2 * wall - play,
            width - 4 * wall - 2 * play,
            height - 2 * wall - 4 * play,
        )
        direction = (math.cos(yaw), math.sin(yaw), 0.0)
        shift = depth / 2 + FRONT_M - size[0] / 2  # from the housing's centre to the drawer's
        self._add(
            entry,
            ObjectSpec(
                name=common["name"],
                kind="drawer",
                category=common["category"],
                color=common["color"],
                size_m=size,
                aliases=common["aliases"],
                inner_size_m=inner,
                travel_m=travel,
                opens_along=direction,
            ),
            BodyData(
                rgba=_rgba(common["rgba"]),
                position_m=(
                    cabinet[0] + shift * direction[0],
                    cabinet[1] + shift * direction[1],
                    height / 2,
                ),
                yaw_rad=yaw,
                wall_m=wall,
                cabinet_size_m=(depth, width, height),
                cabinet_position_m=_xyz(cabinet),
            ),
        )
        if top:
            self.tops.add((top, common["name"]))
            spec = ObjectSpec(
                name=top,
                kind="surface",
                category=top_category,
                size_m=(depth, width, wall),
                aliases=top_aliases,
            )
            self._add(
                entry,
                spec,
                BodyData(
                    rgba=_rgba(common["rgba"]),
                    position_m=(cabinet[0], cabinet[1], height - wall / 2),
                    yaw_rad=yaw,
                ),
            )

    def _layout(self, entry: _Entry) -> LayoutData:
        chance = {"lower": 0.0, "upper": 1.0}
        lower = entry.vector("region_lower_m", 2, (0.32, -0.32), -1, 1)
        upper = entry.vector("region_upper_m", 2, (0.62, 0.32), -1, 1)
        if lower[0] >= upper[0] or lower[1] >= upper[1]:
            entry.problem("region_lower_m", "must lie below region_upper_m in x and in y")
        initial: dict[str, Placement] = {}
        places = _Entry("layout.initial", entry.value("initial", {}), self.problems)
        for name, place in places.data.items():
            one = _Entry(f"layout.initial.{name}", place, self.problems)
            self._known(one, "", name, ("item",))
            support = one.text("on", "") or one.text("in", "")
            one.read.update(("on", "in"))
            self._known(one, "on", support, ("surface", "item", "container", "drawer"))
            xy = one.vector("position_m", 2, (0.0, 0.0), -1.5, 1.5)
            yaw = one.number("yaw_deg", 0.0, -360, 360)
            one.finish()
            initial[name] = Placement(
                support=support,
                position_m=None if "position_m" not in one.data else (xy[0], xy[1]),
                yaw_rad=None if "yaw_deg" not in one.data else math.radians(yaw),
            )
        self._check_cycles(entry, initial)
        opened: dict[str, bool] = {}
        flags = _Entry("layout.open", entry.value("open", {}), self.problems)
        for name in flags.data:
            self._known(flags, name, name, ("drawer",))
            opened[name] = flags.flag(name, False)
        layout = LayoutData(
            region_lower_m=(lower[0], lower[1]),
            region_upper_m=(upper[0], upper[1]),
            clearance_m=entry.number("clearance_m", 0.03, 0.0, 0.3),
            stack_probability=entry.number("stack_probability", 0.2, **chance),
            surface_probability=entry.number("surface_probability", 0.0, **chance),
            container_probability=entry.number("container_probability", 0.0, **chance),
            drawer_open_probability=entry.number("drawer_open_probability", 0.0, **chance),
            initial=initial,
            open=opened,
        )
        entry.finish()
        return layout

    # ----------------------------------------------------------------- checks

    def _known(self, entry: _Entry, key: str, name: str, kinds: tuple[str, ...]) -> None:
        legal = [n for n, o in self.objects.items() if o.kind in kinds]
        if name not in legal:
            entry.problem(key, f"{name!r} is not a known object", f"legal: {', '.join(legal)}")

    def _check_cycles(self, entry: _Entry, initial: Mapping[str, Placement]) -> None:
        for name in initial:
            seen = [name]
            while (place := initial.get(seen[-1])) is not None:
                if place.support in seen:
                    entry.problem("initial", f"{name!r} rests on itself: {' on '.join(seen)}")
                    return
                seen.append(place.support)

    def _check_round(self, entry: _Entry, shape: str, size: Sequence[float]) -> None:
        if shape in ("cylinder", "sphere") and abs(size[0] - size[1]) > 1e-9:
            entry.problem("size_m", f"is {list(size)}", f"x and y of a {shape} must be equal")
        if shape == "sphere" and abs(size[0] - size[2]) > 1e-9:
            entry.problem("size_m", f"is {list(size)}", "x, y and z of a sphere must be equal")

    def _check_overlaps(self) -> None:
        """Fixed objects must not overlap; a drawer needs the room that it opens into."""
        fixed = [n for n, o in self.objects.items() if o.kind != "item" and n != TABLE]
        tops = {s for s, _ in self.tops}
        fixed = [n for n in fixed if n not in tops]
        prints = {n: Footprint.of(self.objects[n], self.bodies[n]) for n in fixed}
        for i, a in enumerate(fixed):
            for b in fixed[i + 1 :]:
                if prints[a].overlaps(prints[b]):
                    self.problems.append(
                        Diagnostic(
                            where="scene",
                            problem=f"{a!r} and {b!r} overlap on the table",
                            hint="move one; a drawer also needs the room that it opens into",
                        )
                    )

    def _check_colors(self) -> None:
        words = {o.color for o in self.objects.values() if o.color}
        for taken in sorted(words & (set(self.objects) | set(self.categories))):
            self.problems.append(
                Diagnostic(
                    where="scene",
                    problem=f"{taken!r} is a colour and the name of an object or category",
                    hint="rename the object or the category",
                )
            )


def _xyz(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = values
    return (float(x), float(y), float(z))


def _rgba(values: Sequence[float]) -> tuple[float, float, float, float]:
    r, g, b, a = values
    return (float(r), float(g), float(b), float(a))
