"""Scenes of the value-map suite: objects with attributes, drawn on a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import resources

import numpy as np

from embodied.tables import load_toml, read_table
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

Where = Callable[[Array], object]
"""Whether a place (x, y) will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """An item as it is made; keys as in a scene file."""

    category: str
    color: str
    shape: str = "box"
    size_m: tuple[float, float, float] = (0.05, 0.05, 0.05)
    mass_kg: float = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a task draws from, for seen or for unseen wording and attributes."""

    say: str
    side: tuple[str, ...] = ()
    way: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    color: tuple[str, ...] = ()
    cm: tuple[int, ...] = ()
    speed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """``tasks.toml``: tasks and things by ``"seen"`` or ``"unseen"``, and how names are said."""

    words: Mapping[str, Mapping[str, str]]
    things: Mapping[str, Mapping[str, Thing]]
    task: Mapping[str, Mapping[str, Choices]]


def _file() -> File:
    text = (resources.files("embodied.bench.voxposer") / "tasks.toml").read_text("utf-8")
    file = read_table(File, load_toml(text, "tasks.toml"), "tasks", [])
    assert file is not None
    return file


FILE = _file()


class NoRoomError(Exception):
    """What was asked for does not fit: draw again."""


@dataclass(slots=True)
class Draw:
    """One drawing of a scene.

    Attributes:
        rng: Source of randomness.
        split: ``"seen"`` or ``"unseen"`` attributes.
        choices: What the task draws from.
        drawn: What was drawn, by its name in the sentence.
        items: Items by name.
        places: Where they start (x, y).
        fixed: What does not move: tables of a scene file by their keys.
        on: Items that start on something.
    """

    rng: np.random.Generator
    split: str
    choices: Choices
    drawn: dict[str, str | int] = field(default_factory=dict[str, str | int])
    items: dict[str, Thing] = field(default_factory=dict[str, Thing])
    places: dict[str, Array] = field(default_factory=dict[str, Array])
    fixed: dict[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    on: dict[str, str] = field(default_factory=dict[str, str])

    def word(self, name: str) -> str:
        """Draw a side, a way or an area."""
        drawn = str(self.rng.choice(list(getattr(self.choices, name))))
        self.drawn[name] = self.drawn["half"] = drawn
        return drawn

    def number(self, name: str) -> int:
        """Draw a distance (``cm``) or a speed (``speed``, cm/s)."""
        self.drawn[name] = drawn = int(self.rng.choice(list(getattr(self.choices, name))))
        return drawn

    def some(self, n: int) -> list[str]:
        """Names of n different things of the split; in the sentence they are a, b and c."""
        names = [str(name) for name in self.rng.permutation(list(FILE.things[self.split]))[:n]]
        self.drawn |= dict(zip("abc", names, strict=False))
        return names

    def sentence(self, say: str) -> str:
        """A sentence with what was drawn in the words of people."""
        words = {k: FILE.words.get(k, {}).get(str(v), str(v)) for k, v in self.drawn.items()}
        things = {k: f"the {words[k].replace('-', ' ')}" for k in "abc" if k in words}
        return say.format(**words | things)

    def put(
        self,
        name: str,
        thing: Thing | None = None,
        *,
        where: Where = lambda _: True,
        clearance_m: float = 0.13,
    ) -> None:
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
                self.items[name] = thing or FILE.things[self.split][name]
                self.places[name] = place
                return
        raise NoRoomError(name)

    def is_free(self, place: Array, clearance_m: float, but: str = "") -> bool:
        """Whether no other item is near."""
        others = (p for n, p in self.places.items() if n != but)
        return all(float(np.linalg.norm(place - p)) >= clearance_m for p in others)

    def scene(self, name: str) -> Scene:
        """The scene as drawn."""
        initial: dict[str, object] = {}
        for item, (x, y) in self.places.items():
            yaw = float(self.rng.uniform(-20, 20)) if item not in self.on else 0.0
            initial[item] = {
                "on": self.on.get(item, "table"),
                "position_m": [round(float(x), 4), round(float(y), 4)],
                "yaw_deg": round(yaw, 1),
            }
        layout: dict[str, object] = {"stack_probability": 0.0, "initial": initial}
        if "drawer" in self.fixed:
            layout["open"] = {"drawer": True}
        data = {
            "name": name,
            "description": "A scene of the value-map suite.",
            "table": {"rgba": [0.83, 0.82, 0.80, 1.0]},
            "item": [{"name": n, **asdict(t)} for n, t in self.items.items()],
            "layout": layout,
            **{kind: [table] for kind, table in self.fixed.items()},
        }
        scene = parse_scene(data, source=name)
        return replace(scene, workspace_lower_m=LOWER_M, workspace_upper_m=UPPER_M)

    def moved(self, name: str, where: Where = lambda _: True) -> tuple[str, tuple[float, float]]:
        """Item and displacement (x, y) of a disturbance; no item where it has no room to go."""
        for _ in range(60):
            angle = self.rng.uniform(-math.pi, math.pi)
            step = self.rng.uniform(0.04, 0.06) * np.array([math.cos(angle), math.sin(angle)])
            there = self.places[name] + step
            inside = within_reach(there, 0.0)
            if inside and where(there) and self.is_free(there, 0.12, but=name):
                return name, (float(step[0]), float(step[1]))
        return "", (0.0, 0.0)


def within_reach(place: Array, margin_m: float = 0.02) -> bool:
    """Whether a place (x, y) is where targets may lie."""
    low, high = np.array(REACH_LOWER) - margin_m, np.array(REACH_UPPER) + margin_m
    return bool(np.all(place[:2] >= low) and np.all(place[:2] <= high))
