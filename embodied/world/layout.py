"""Initial layouts: where every item starts, drawn from a seed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from embodied.errors import ConfigurationError
from embodied.types import ObjectSpec, Pose
from embodied.world._footprints import Footprint
from embodied.world._scene_tables import Start
from embodied.world.scene import TABLE, Scene

GAP_M = 0.0005
"""Items start this far above their support, so that they do not start in collision."""

MAX_STACK = 3
"""Most items on top of one another in a random layout."""

_TRIES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything movable is.

    Attributes:
        poses: Pose of every item in the world frame.
        openings_m: Opening of every drawer, m.
    """

    poses: Mapping[str, Pose]
    openings_m: Mapping[str, float] = field(default_factory=dict[str, float])


class LayoutError(ConfigurationError):
    """The items do not fit where the scene wants them."""


def sample_layout(
    scene: Scene, rng: np.random.Generator, *, stack_probability: float | None = None
) -> Layout:
    """Draw a layout: items on the table, on other items, surfaces and in containers.

    Args:
        scene: The scene; what its ``layout.initial`` places does not depend on ``rng``.
        rng: Source of randomness.
        stack_probability: Overrides the scene's own chance that an item starts on another.

    Raises:
        LayoutError: There is no room for all items.
    """
    last: LayoutError | None = None
    for _ in range(20):
        try:
            return _Sampler(scene, rng, stack_probability).sample()
        except LayoutError as error:
            last = error
    raise LayoutError(str(last))


def footprint_radius(spec: ObjectSpec) -> float:
    """Radius of the circle around an object's footprint, m."""
    x, y, _ = spec.size_m
    return x / 2 if spec.shape in ("cylinder", "sphere") else math.hypot(x, y) / 2


def body_pose(scene: Scene, name: str, openings_m: Mapping[str, float]) -> Pose:
    """Pose of a fixed object, or of a drawer's sliding part, in the world frame."""
    body, spec = scene.bodies[name], scene.objects[name]
    shift = openings_m.get(name, 0.0) * np.array(spec.opens_along)
    return yaw_pose(np.array(body.position_m) + shift, body.yaw_rad)


def yaw_pose(position: np.ndarray, yaw_rad: float) -> Pose:
    """Upright pose at a position (3,) with a rotation about z."""
    half = yaw_rad / 2
    return Pose(position=position, quat_wxyz=np.array([math.cos(half), 0, 0, math.sin(half)]))


class _Sampler:
    def __init__(
        self, scene: Scene, rng: np.random.Generator, stack_probability: float | None
    ) -> None:
        self.scene = scene
        self.rng = rng
        layout = scene.layout
        self.layout = layout
        self.stack = layout.stack_probability if stack_probability is None else stack_probability
        self.poses: dict[str, Pose] = {}
        self.support: dict[str, str] = {}
        self.level: dict[str, int] = {}
        self.covered: set[str] = set()
        self.openings: dict[str, float] = {}

    def sample(self) -> Layout:
        for name in self.scene.of_kind("drawer"):
            chance = self.rng.random() < self.layout.drawer_open_probability
            is_open = self.layout.open.get(name, chance)
            self.openings[name] = self.scene.objects[name].travel_m if is_open else 0.0
        initial = dict(self.layout.initial)
        while initial:
            ready = [n for n, p in initial.items() if p.support not in initial]
            for name in ready:
                self._put_initial(name, initial.pop(name))
        items = [n for n in self.scene.of_kind("item") if n not in self.poses]
        for name in self.rng.permutation(items) if items else ():
            self._put_random(str(name))
        ordered = {n: self.poses[n] for n in self.scene.of_kind("item")}
        return Layout(poses=ordered, openings_m=dict(self.openings))

    # -------------------------------------------------------------- placing

    def _put_initial(self, name: str, place: Start) -> None:
        deg = place.yaw_deg
        yaw = self.rng.uniform(-np.pi, np.pi) if deg is None else math.radians(deg)
        support = self.scene.objects[place.support]
        xy = place.position_m
        if xy is None and support.kind == "surface":
            xy = self._free_spot(name, place.support)
        elif xy is None and support.kind in ("container", "drawer"):
            xy = self._spot_inside(name, place.support)
        self._put(name, place.support, xy, yaw)

    def _put_random(self, name: str) -> None:
        yaw = float(self.rng.uniform(-np.pi, np.pi))
        draw = self.rng.random(3)
        if draw[0] < self.stack:
            bases = [n for n in self.poses if self._can_carry(n, name)]
            if bases:
                base = str(self.rng.choice(bases))
                x, y, _ = self.poses[base].position
                jitter = self.rng.uniform(-0.003, 0.003, 2)
                self._put(name, base, (float(x + jitter[0]), float(y + jitter[1])), yaw)
                return
        containers = [
            c for c in self.scene.of_kind("container") if fits(self._spec(name), self._spec(c))
        ]
        if containers and draw[1] < self.layout.container_probability:
            inside = str(self.rng.choice(containers))
            self._put(name, inside, self._spot_inside(name, inside), yaw)
            return
        surfaces = [s for s in self.scene.of_kind("surface") if s != TABLE]
        if surfaces and draw[2] < self.layout.surface_probability:
            surface = str(self.rng.choice(surfaces))
            try:
                self._put(name, surface, self._free_spot(name, surface), yaw)
                return
            except LayoutError:
                pass  # full: the table takes it
        self._put(name, TABLE, self._free_spot(name, TABLE), yaw)

    def _put(self, name: str, support: str, xy: tuple[float, float] | None, yaw: float) -> None:
        if xy is None:
            x, y, _ = self._support_pose(support).position
            xy = (float(x), float(y))
        z = self._top(support) + self._spec(name).size_m[2] / 2 + GAP_M
        self.poses[name] = yaw_pose(np.array([xy[0], xy[1], z]), yaw)
        self.support[name] = support
        self.level[name] = self.level.get(support, 0) + 1
        self.covered.add(support)

    def _can_carry(self, base: str, name: str) -> bool:
        spec = self._spec(base)
        free = base not in self.covered and spec.stackable and self.level[base] < MAX_STACK
        on_surface = self.support[base]
        while on_surface in self.support:
            on_surface = self.support[on_surface]
        outside = self._spec(on_surface).kind == "surface"
        wide = max(self._spec(name).size_m[:2]) <= 1.15 * min(spec.size_m[:2])
        return free and outside and wide and self._spec(name).shape != "sphere"

    def _spec(self, name: str) -> ObjectSpec:
        return self.scene.objects[name]

    def _support_pose(self, name: str) -> Pose:
        return (
            self.poses[name] if name in self.poses else body_pose(self.scene, name, self.openings)
        )

    def _top(self, support: str) -> float:
        spec, pose = self._spec(support), self._support_pose(support)
        if spec.kind in ("container", "drawer"):
            bottom = float(pose.position[2]) - spec.size_m[2] / 2
            return bottom + self.scene.bodies[support].wall_m
        return float(pose.position[2]) + spec.size_m[2] / 2

    def _free_spot(self, name: str, surface: str) -> tuple[float, float]:
        r = footprint_radius(self._spec(name))
        for _ in range(_TRIES):
            if surface == TABLE:
                low, high = self.layout.region_lower_m, self.layout.region_upper_m
                xy = self.rng.uniform(low, high)
            else:
                xy = self._inside(surface, self._spec(surface).size_m, r)
            if self._is_free(xy, r, surface):
                return (float(xy[0]), float(xy[1]))
        raise LayoutError(
            f"no room for {name!r} on {surface!r}: enlarge its region, make layout.clearance_m"
            f" smaller than {self.layout.clearance_m} or use fewer items"
        )

    def _spot_inside(self, name: str, container: str) -> tuple[float, float]:
        r = footprint_radius(self._spec(name))
        others = [n for n, s in self.support.items() if s == container]
        for _ in range(_TRIES):
            xy = self._inside(container, self._spec(container).inner_size_m, r)
            gaps = [
                np.linalg.norm(self.poses[n].position[:2] - xy) - footprint_radius(self._spec(n))
                for n in others
            ]
            if all(gap > r + 0.002 for gap in gaps):
                return (float(xy[0]), float(xy[1]))
        raise LayoutError(f"no room for {name!r} in {container!r}: use a larger container")

    def _inside(self, support: str, size: tuple[float, ...], r: float) -> np.ndarray:
        half = np.maximum(np.array(size[:2]) / 2 - r - 0.003, 0.0)
        local = self.rng.uniform(-half, half)
        if self._spec(support).shape == "cylinder":
            local = local / math.sqrt(2)
        return self._support_pose(support).apply(np.array([local[0], local[1], 0.0]))[:2]

    def _is_free(self, xy: np.ndarray, r: float, surface: str) -> bool:
        clearance = self.layout.clearance_m
        for name, pose in self.poses.items():
            gap = float(np.linalg.norm(pose.position[:2] - xy)) - footprint_radius(self._spec(name))
            if gap < r + clearance:
                return False
        if surface != TABLE:
            return True
        return all(
            Footprint.of(spec, self.scene.bodies[name]).distance(xy) > r + clearance
            for name, spec in self.scene.objects.items()
            if spec.kind != "item" and name != TABLE
        )


def fits(item: ObjectSpec, container: ObjectSpec) -> bool:
    """Whether an item is small enough to be put into a container, upright and with some play."""
    play = 0.008
    inner = container.inner_size_m
    inside = sorted(inner[:2])
    if container.shape == "cylinder":
        ok = 2 * footprint_radius(item) + play <= inside[0]
    else:
        ok = all(a + play <= b for a, b in zip(sorted(item.size_m[:2]), inside, strict=True))
    if container.kind == "drawer":
        return ok and item.size_m[2] <= inner[2]  # or it would not close
    return ok and item.size_m[2] <= 3 * inner[2]
