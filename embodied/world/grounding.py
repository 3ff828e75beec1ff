"""Grounding: measured geometry becomes facts of the tabletop domain.

Every item gets one place: in the hand, inside a container, on another item or on a surface. The
tolerances are named below; they allow for a few millimetres of noise in measured poses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np

from embodied.types import Array, Atom, GripperState, ObjectSpec, Observation, Pose, WorldSpec
from embodied.world._scene_types import FRONT_M
from embodied.world.layout import fits

CONTACT_GAP_M = 0.008
"""An item rests on what is at most this far below (or above, by noise) its lowest point."""

EDGE_M = 0.004
"""Tolerance for an item's centre beyond the edge of its support, m."""

RIM_M = 0.004
"""An item is inside a container when its lowest point is at least this far below the rim."""

GRASP_FORCE_N = 1.0
"""Least force on both pads for something to be held."""

GRASP_WIDTH_M = 0.012
"""Largest difference between the gap of the pads and the width of what is held between them."""

GRASP_REACH_M = 0.012
"""Tolerance for the point between the pads outside a held item, m."""

LYING = 0.5
"""Cosine of the angle between the axis of a cylinder and the closing direction of what holds it
around its side, at the most."""

OPEN_FRACTION = 0.25
"""A drawer counts as open from this part of its travel on; less is shut."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Body:
    """An object's measured geometry.

    Attributes:
        spec: The object.
        position: Centre in the world frame, (3,), m.
        rotation: Body to world, (3, 3).
        half_height: Half of its extent along the world's z, m.
    """

    spec: ObjectSpec
    position: Array
    rotation: Array
    half_height: float

    @staticmethod
    def of(spec: ObjectSpec, pose: Pose) -> _Body:
        rotation = pose.rotation
        half_height = extent_along(spec, rotation.T @ np.array([0.0, 0.0, 1.0])) / 2
        return _Body(spec=spec, position=pose.position, rotation=rotation, half_height=half_height)

    @property
    def lowest(self) -> float:
        return float(self.position[2]) - self.half_height

    @property
    def highest(self) -> float:
        return float(self.position[2]) + self.half_height

    def local(self, point: Array) -> Array:
        return self.rotation.T @ (point - self.position)

    def beyond_footprint(self, point: Array) -> float:
        """How far, seen from above, a point lies outside of this body; 0 when over it, m."""
        local = np.abs(self.local(point))
        up = int(np.argmax(np.abs(self.rotation[2])))
        half = np.array(self.spec.size_m) / 2
        if self.spec.shape == "cylinder" and up == 2:
            return max(0.0, math.hypot(local[0], local[1]) - half[0])
        outside = np.maximum(local - half, 0.0)
        outside[up] = 0.0
        return float(np.linalg.norm(outside))


def extent_along(spec: ObjectSpec, direction: Array) -> float:
    """Width of an object along a unit direction (3,) of its own frame, m."""
    x, y, z = spec.size_m
    a, b, c = (abs(float(v)) for v in direction)
    if spec.shape == "sphere":
        return x
    if spec.shape == "cylinder":
        return x * math.hypot(a, b) + z * c
    return x * a + y * b + z * c


class TabletopGrounder:
    """Facts of the tabletop domain, from measured poses; implements ``SymbolGrounder``.

    Args:
        spec: The world whose observations are grounded.

    Attributes:
        domain_text: The tabletop domain with this scene's categories as types.
        objects: PDDL type of every object by name; the scene's colours are objects of type color.
        static_facts: The facts that no action changes.
    """

    def __init__(self, spec: WorldSpec) -> None:
        self._specs = spec.objects
        self._pad = np.array(spec.gripper.pad_size_m if spec.gripper else (0.0, 0.0, 0.0)) / 2
        self._sucks = spec.gripper is not None and spec.gripper.kind == "suction"
        self._items = tuple(n for n, o in spec.objects.items() if o.kind == "item")
        self._containers = tuple(
            n for n, o in spec.objects.items() if o.kind in ("container", "drawer")
        )
        self._covers = tuple(n for n in self._items if any(spec.objects[n].inner_size_m))
        self._surfaces = tuple(n for n, o in spec.objects.items() if o.kind == "surface")
        self.domain_text = domain_text(spec.objects)
        colors = sorted({o.color for o in spec.objects.values() if o.color})
        self.objects: Mapping[str, str] = {
            **{n: o.category for n, o in spec.objects.items()},
            **dict.fromkeys(colors, "color"),
        }
        self.static_facts = self._static()
        from embodied_planners.skills import all_skills

        useful = (s for s in all_skills() if s.predicates and s.needs(spec.objects))
        self._measures = tuple(s.measure for s in useful)

    def facts(self, observation: Observation) -> frozenset[Atom]:
        """All atoms that hold in this measurement, static ones included.

        Objects without a pose in it have not been seen: only static facts are about them.
        """
        poses = observation.poses
        bodies = {n: _Body.of(o, poses[n]) for n, o in self._specs.items() if n in poses}
        found: set[Atom] = set(self.static_facts)
        closed = self.closed(observation)
        drawers = (n for n in self._containers if self._specs[n].kind == "drawer")
        found.update(Atom("open", (n,)) for n in drawers if n not in closed)
        held = self._held(observation, bodies)
        found.add(Atom("holding", (held,)) if held else Atom("hand-empty"))
        covered: set[str] = set()
        items = [n for n in self._items if n in bodies]
        for name in items:
            if name == held:
                continue
            inside = self._container_of(bodies, name)
            if inside:
                found.add(Atom("in", (name, inside)))
            below = self._support_of(bodies, name, held, inside)
            if below:
                found.add(Atom("on", (name, below)))
                covered.add(below)
        hidden = dict(observation.covered)
        if self._covers:
            hidden |= {n: c for n in items if (c := self.under_cover(observation, n, poses[n]))}
        found.update(Atom("under", pair) for pair in hidden.items())
        covered |= hidden.keys()
        found.update(Atom("clear", (n,)) for n in items if n not in covered and n != held)
        seen = {n: o for n, o in self._specs.items() if n in poses}
        for measure in self._measures:
            found.update(measure(seen, observation))
        return frozenset(found)

    def inside_drawer(self, observation: Observation, name: str) -> str:
        """The drawer that an item with a pose lies in; ``""`` for none."""
        poses = observation.poses
        bodies = {n: _Body.of(self._specs[n], poses[n]) for n in self._containers if n in poses}
        bodies[name] = _Body.of(self._specs[name], poses[name])
        found = self._container_of(bodies, name)
        return found if found and self._specs[found].kind == "drawer" else ""

    def under_cover(self, observation: Observation, name: str, pose: Pose) -> str:
        """The cover that stands over an item at a pose; ``""`` for none."""
        item = _Body.of(self._specs[name], pose)
        for other in self._covers:
            spec, at = self._specs[other], observation.poses.get(other)
            if other == name or at is None:
                continue
            cover = _Body.of(spec, at)
            x, y, _ = cover.local(item.position)
            over = math.hypot(x, y) <= spec.inner_size_m[0] / 2
            if over and abs(cover.lowest - item.lowest) <= CONTACT_GAP_M:
                return other
        return ""

    @property
    def items(self) -> tuple[str, ...]:
        """Names of what can be moved."""
        return self._items

    def closed(self, observation: Observation) -> frozenset[str]:
        """Drawers that are closed."""
        specs = {n: self._specs[n] for n in self._containers}
        return frozenset(
            n
            for n, o in specs.items()
            if o.kind == "drawer"
            and observation.openings_m.get(n, 0.0) < OPEN_FRACTION * o.travel_m
        )

    def _static(self) -> frozenset[Atom]:
        found: set[Atom] = set()
        for name, spec in self._specs.items():
            if spec.color:
                found.add(Atom("has-color", (name, spec.color)))
            if spec.kind == "item" and spec.stackable:
                found.add(Atom("stackable", (name,)))
            if spec.kind == "container":
                found.add(Atom("open", (name,)))
        for item in self._items:
            for container in self._containers:
                if fits(self._specs[item], self._specs[container]):
                    found.add(Atom("fits", (item, container)))
        return frozenset(found)

    def _held(self, observation: Observation, bodies: Mapping[str, _Body]) -> str:
        """Name of the item between the pads, or an empty text."""
        gripper = observation.gripper
        if gripper is None or gripper.force_n < GRASP_FORCE_N:
            return ""
        ee = observation.pose_ee_in_world
        near = [n for n in self._items if n in bodies]
        gaps = {n: _grasp_gap(bodies[n], ee, gripper, self._pad, self._sucks) for n in near}
        name = min(gaps, key=lambda n: gaps[n], default="")
        return name if name and gaps[name] <= GRASP_REACH_M else ""

    def _container_of(self, bodies: Mapping[str, _Body], name: str) -> str:
        item = bodies[name]
        for container in self._containers:
            if container not in bodies:
                continue
            body = bodies[container]
            x, y, _ = body.local(item.position)
            half = np.array(body.spec.inner_size_m) / 2
            shift = inside_shift(body.spec)
            if body.spec.shape == "cylinder":
                within = math.hypot(x, y) <= half[0] + EDGE_M
            else:
                within = abs(x - shift) <= half[0] + EDGE_M and abs(y) <= half[1] + EDGE_M
            bottom = body.lowest - CONTACT_GAP_M
            if within and bottom <= item.lowest <= body.highest - RIM_M:
                return container
        return ""

    def _support_of(self, bodies: Mapping[str, _Body], name: str, held: str, inside: str) -> str:
        """What an item rests on: the highest thing under its centre, else what it leans on."""
        item = bodies[name]
        candidates = [n for n in self._items if n not in (name, held)]
        if not inside:
            candidates += self._surfaces
        touching: list[tuple[float, float, str]] = []
        for other in candidates:
            if other not in bodies:
                continue
            body = bodies[other]
            is_ball = body.spec.shape == "sphere"
            if is_ball or abs(item.lowest - body.highest) > CONTACT_GAP_M:
                continue
            beyond = body.beyond_footprint(item.position)
            if beyond <= EDGE_M:
                touching.append((0.0, -body.highest, other))
            elif not inside and beyond <= min(item.spec.size_m) / 2:
                touching.append((beyond, -body.highest, other))
        return min(touching)[2] if touching else ""


def inside_shift(spec: ObjectSpec) -> float:
    """Offset along its own x from a container's centre to the centre of its inside, m.

    A drawer's front panel is thicker than its back wall, other containers are symmetric.
    """
    if spec.kind != "drawer":
        return 0.0
    back = spec.size_m[0] - spec.inner_size_m[0] - FRONT_M
    return (back - FRONT_M) / 2


def _grasp_gap(item: _Body, ee: Pose, gripper: GripperState, pad: Array, sucks: bool) -> float:
    """Distance from an item to the point between the pads; infinite when the width is wrong.

    Args:
        item: The item.
        ee: Pose of the hand: y along closing, z along the approach.
        gripper: What it measures.
        pad: Half extents of a pad along closing, width and approach, (3,), m.
        sucks: Whether it is a suction cup: it holds while its gap is 0, whatever the width.
    """
    closing = item.rotation.T @ ee.rotation[:, 1]
    width = extent_along(item.spec, closing)
    local = item.local(ee.position)
    half = np.array(item.spec.size_m) / 2
    if item.spec.shape == "sphere":
        gap = max(0.0, float(np.linalg.norm(local)) - half[0])
        width = _chord(local, half[0], item.rotation.T @ ee.rotation, pad)
    else:
        gap = float(np.linalg.norm(np.maximum(np.abs(local) - half, 0.0)))
    if item.spec.shape == "box":
        # Pads lie flat on a box: its narrowest width counts, whatever the measured yaw says.
        width = min(width, float(np.array(item.spec.size_m)[int(np.argmax(np.abs(closing)))]))
    elif item.spec.shape == "cylinder":
        width = min(width, max(item.spec.size_m))
        if abs(closing[2]) < LYING:
            across = ee.rotation - np.outer(item.rotation[:, 2], item.rotation[:, 2] @ ee.rotation)
            radial = local * [1.0, 1.0, 0.0]
            width = min(width, _chord(radial, half[0], item.rotation.T @ across, pad))
    right = gripper.width_m == 0.0 if sucks else abs(width - gripper.width_m) <= GRASP_WIDTH_M
    return gap if right else math.inf


def _chord(local: Array, radius_m: float, hand: Array, pad: Array) -> float:
    """Width of a round thing where the pads reach the nearest to its middle, m.

    Args:
        local: The point between the pads from its middle, (3,), m.
        radius_m: Its radius.
        hand: Axes of the hand in the same frame, (3, 3): y along closing, z along the approach.
        pad: Half extents of a pad, as above.
    """
    aside = max(0.0, abs(float(local @ hand[:, 0])) - pad[1])
    along = max(0.0, abs(float(local @ hand[:, 2])) - pad[2])
    return 2 * math.sqrt(max(radius_m**2 - aside**2 - along**2, 0.0))


def domain_text(objects: Mapping[str, ObjectSpec]) -> str:
    """The tabletop domain with all skills' actions, the objects' categories added as types."""
    from embodied_planners.skills import with_skills  # brings the simulator

    domains = resources.files("embodied_assets").joinpath("domains")
    text = domains.joinpath("tabletop.pddl").read_text("utf-8")
    categories: dict[str, set[str]] = {}
    for spec in objects.values():
        if spec.category != spec.kind:
            categories.setdefault(spec.kind, set()).add(spec.category)
    lines = [f"    {' '.join(sorted(c))} - {kind}" for kind, c in sorted(categories.items())]
    anchor = "    drawer - container"
    if anchor not in text:
        raise RuntimeError("tabletop.pddl has lost the line after which categories are added")
    return with_skills(text.replace(anchor, "\n".join([anchor, *lines]), 1), objects)
