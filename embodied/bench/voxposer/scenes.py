"""Scenes of the value-map suite: objects with attributes, drawn on a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from embodied.types import Array
from embodied.world.scene import Scene, parse_scene

LOWER_M = (0.15, -0.5, -0.02)
UPPER_M = (0.85, 0.5, 0.7)
"""Workspace: what cameras are cropped to and areas of the table are parts of."""

REACH_LOWER = (0.34, -0.30)
REACH_UPPER = (0.62, 0.30)
"""Where things may start and targets may lie."""

HOME = np.array([0.307, 0.0, 0.487])
"""Where the gripper starts, up to a millimetre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """An item as it is made.

    Attributes:
        category: Common noun.
        color: Colour word.
        shape: Shape.
        size_m: Extents.
        mass_kg: Mass.
    """

    category: str
    color: str
    shape: str = "box"
    size_m: tuple[float, float, float] = (0.05, 0.05, 0.05)
    mass_kg: float = 0.08


_CAN = (0.06, 0.06, 0.09)
THINGS: Mapping[str, Mapping[str, Thing]] = {
    "seen": {
        "red-block": Thing(category="block", color="red"),
        "green-block": Thing(category="block", color="green"),
        "yellow-block": Thing(category="block", color="yellow"),
        "blue-can": Thing(category="can", color="blue", shape="cylinder", size_m=_CAN),
    },
    "unseen": {
        "orange-can": Thing(category="can", color="orange", shape="cylinder", size_m=_CAN),
        "purple-block": Thing(category="block", color="purple"),
        "cyan-box": Thing(category="box", color="cyan", size_m=(0.06, 0.06, 0.04)),
        "pink-cup": Thing(
            category="cup", color="pink", shape="cylinder", size_m=(0.06, 0.06, 0.075)
        ),
    },
}
"""Things of seen and of unseen attributes: the prompts' examples name only seen ones."""

DISTANCES_CM = {"seen": (10, 12, 15), "unseen": (9, 11, 14)}
SPEEDS_CM_S = {"seen": (5, 10), "unseen": (6, 8)}
SIDES = {"seen": ("left-of", "right-of", "above"), "unseen": ("front-of", "behind")}
DIRECTIONS = {"seen": ("left", "right"), "unseen": ("forward", "back")}
AREAS = {
    "seen": ("left", "right", "front"),
    "unseen": ("front-left", "front-right", "center"),
}
SIDE_WORDS = {
    "left-of": "to the left of",
    "right-of": "to the right of",
    "front-of": "in front of",
    "behind": "behind",
    "above": "above",
}
AREA_WORDS = {
    "left": "left side",
    "right": "right side",
    "front": "front side",
    "center": "center",
    "front-left": "front left corner",
    "front-right": "front right corner",
}


class NoRoomError(Exception):
    """What was asked for does not fit: draw again."""


@dataclass(slots=True)
class Draw:
    """One drawing of a scene.

    Attributes:
        rng: Source of randomness.
        split: ``"seen"`` or ``"unseen"`` attributes.
        items: Items by name.
        places: Where they start (x, y).
        fixed: TOML of what does not move.
        on: Items that start on something.
    """

    rng: np.random.Generator
    split: str
    items: dict[str, Thing] = field(default_factory=dict[str, Thing])
    places: dict[str, Array] = field(default_factory=dict[str, Array])
    fixed: list[str] = field(default_factory=list[str])
    on: dict[str, str] = field(default_factory=dict[str, str])
    open_drawer: str = ""

    def one_of(self, values: Sequence[str]) -> str:
        """One of these names."""
        return str(self.rng.choice(list(values)))

    def number(self, values: Sequence[int]) -> int:
        """One of these numbers."""
        return int(self.rng.choice(list(values)))

    def some(self, n: int) -> list[str]:
        """Names of n different things of the split."""
        names = list(THINGS[self.split])
        return [str(name) for name in self.rng.permutation(names)[:n]]

    def put(
        self,
        name: str,
        thing: Thing | None = None,
        *,
        where: Callable[[Array], bool] = lambda _: True,
        clearance_m: float = 0.13,
    ) -> Array:
        """Put an item on the table.

        Args:
            name: Its name; its attributes are those of the split unless given.
            thing: Other attributes.
            where: Whether a place (x, y) will do.
            clearance_m: Least distance of centres.

        Raises:
            NoRoomError: There is no such place.
        """
        for _ in range(300):
            place = self.rng.uniform(REACH_LOWER, REACH_UPPER)
            if where(place) and self.is_free(place, clearance_m, but=name):
                self.items[name] = thing or THINGS[self.split][name]
                self.places[name] = place
                return place
        raise NoRoomError(name)

    def is_free(self, place: Array, clearance_m: float, but: str = "") -> bool:
        """Whether no other item is near."""
        return all(
            float(np.linalg.norm(place - p)) >= clearance_m
            for n, p in self.places.items()
            if n != but
        )

    def scene(self, name: str) -> Scene:
        """The scene as drawn."""
        lines = [
            f'name = "{name}"',
            'description = "A scene of the value-map suite."',
            "[table]",
            "rgba = [0.83, 0.82, 0.80, 1.0]",
            *self.fixed,
        ]
        for item, thing in self.items.items():
            lines += [
                "[[item]]",
                f'name = "{item}"',
                f'category = "{thing.category}"',
                f'color = "{thing.color}"',
                f'shape = "{thing.shape}"',
                f"size_m = {list(thing.size_m)}",
                f"mass_kg = {thing.mass_kg}",
            ]
        lines += ["[layout]", "stack_probability = 0.0"]
        if self.open_drawer:
            lines.append(f"open = {{ {self.open_drawer} = true }}")
        for item in self.items:
            x, y = self.places[item]
            yaw = float(self.rng.uniform(-20, 20)) if item not in self.on else 0.0
            lines += [
                f"[layout.initial.{item}]",
                f'on = "{self.on.get(item, "table")}"',
                f"position_m = [{x:.4f}, {y:.4f}]",
                f"yaw_deg = {yaw:.1f}",
            ]
        scene = parse_scene("\n".join(lines), source=name)
        return replace(scene, workspace_lower_m=LOWER_M, workspace_upper_m=UPPER_M)

    def shift(self, name: str, where: Callable[[Array], bool] = lambda _: True) -> Array | None:
        """How a disturbance moves an item, (x, y); None if it has no room."""
        for _ in range(60):
            angle = self.rng.uniform(-math.pi, math.pi)
            step = self.rng.uniform(0.04, 0.06) * np.array([math.cos(angle), math.sin(angle)])
            there = self.places[name] + step
            inside = np.all(there >= REACH_LOWER) and np.all(there <= REACH_UPPER)
            if inside and where(there) and self.is_free(there, 0.12, but=name):
                return step
        return None


def within_reach(place: Array, margin_m: float = 0.02) -> bool:
    """Whether a place (x, y) is where targets may lie."""
    low, high = np.array(REACH_LOWER) - margin_m, np.array(REACH_UPPER) + margin_m
    return bool(np.all(place[:2] >= low) and np.all(place[:2] <= high))
