"""The scene in the model's prompt: names, kinds and colours in one short line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from embodied.types import ObjectSpec, WorldSpec

KINDS = ("item", "container", "drawer", "surface")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One object of the scene.

    Attributes:
        name: Its PDDL name.
        kind: ``"item"``, ``"container"``, ``"drawer"`` or ``"surface"``.
        category: Common noun; the PDDL type.
        color: Colour word, or ``""``.
        aliases: Other nouns for it.
        opens_along: Drawers: unit direction of opening in the world frame.
        travel_m: Drawers: distance from closed to open, metres.
    """

    name: str
    kind: str
    category: str
    color: str = ""
    aliases: tuple[str, ...] = ()
    opens_along: tuple[float, float, float] = (-1.0, 0.0, 0.0)
    travel_m: float = 0.2

    def label(self) -> str:
        """Name, with colour, category and first alias where the name does not say them."""
        said = self.name.split("-")
        extra = [w for w in (self.color, self.category) if w and w not in said]
        extra += [a for a in self.aliases[:1] if a not in said and a not in extra]
        return f"{self.name}({' '.join(extra)})" if extra else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneView:
    """Everything that prompts, grammars and expansions need to know.

    Attributes:
        things: Objects of the scene.
        robot: ``"fr3"``-like arms with a gripper are ``"gripper"``; ``"quadruped"``; ``"arm"`` is
            the arm with the dexterous hand of the reward route.
        handles: Handles that the hand can reach for (reward route).
        joints: Drawers and faucets that have an opening (reward route).
        lower_m: Lower corner (x, y) of the workspace, world frame.
        upper_m: Upper corner (x, y) of the workspace.
    """

    things: tuple[Thing, ...] = ()
    robot: str = "gripper"
    handles: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    lower_m: tuple[float, float] = (0.2, -0.5)
    upper_m: tuple[float, float] = (0.8, 0.5)

    @staticmethod
    def of(spec: WorldSpec) -> SceneView:
        """The view of a world."""
        return SceneView(
            things=tuple(_thing(o) for o in spec.objects.values()),
            lower_m=(float(spec.workspace_lower[0]), float(spec.workspace_lower[1])),
            upper_m=(float(spec.workspace_upper[0]), float(spec.workspace_upper[1])),
        )

    def thing(self, name: str) -> Thing:
        """The object called ``name``; KeyError if there is none."""
        for thing in self.things:
            if thing.name == name:
                return thing
        raise KeyError(name)

    def names(self, *kinds: str) -> tuple[str, ...]:
        """Names of all objects of these kinds."""
        return tuple(t.name for t in self.things if t.kind in kinds)

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories of the items, without repetition."""
        return _unique(t.category for t in self.things if t.kind == "item")

    @property
    def colors(self) -> tuple[str, ...]:
        """Colours of the items, without repetition."""
        return _unique(t.color for t in self.things if t.kind == "item" and t.color)

    def line(self) -> str:
        """Items, then everything that stays where it is."""
        items = " ".join(t.label() for t in self.things if t.kind == "item")
        places = " ".join(t.label() for t in self.things if t.kind != "item")
        return f"{items} , {places}" if places else items


def _thing(spec: ObjectSpec) -> Thing:
    return Thing(
        name=spec.name,
        kind=spec.kind,
        category=spec.category,
        color=spec.color,
        aliases=tuple(a for a in spec.aliases if " " not in a),
        opens_along=spec.opens_along if any(spec.opens_along) else (-1.0, 0.0, 0.0),
        travel_m=spec.travel_m or 0.2,
    )


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
