"""What a program's stages mean for how things lie: on, in, held. The grounder judges them."""

from __future__ import annotations

from collections.abc import Mapping

from embodied.types import Atom, MapOperation, ObjectSpec, Region, ValueMapProgram, ValueMapStage

_HELD_M = 0.03
"""A hand that closes within this distance of a thing's centre is to hold it."""


def relations_of(
    program: ValueMapProgram, objects: Mapping[str, ObjectSpec], held: str
) -> tuple[Atom | None, ...]:
    """The fact that each stage is to make true; None for one that is about places alone.

    A hand that closes at an item is to hold it. One that opens, with an item, over the footprint of
    another thing puts it on that, or in it where it is a container: it falls nowhere else.

    Args:
        program: The program.
        objects: The scene's objects.
        held: What is in the hand before the first stage, ``""`` for nothing.
    """
    found: list[Atom | None] = []
    for stage in program.stages:
        fact: Atom | None = None
        carried = stage.moving if stage.moving in objects else held
        place, opening = _place_of(stage), _opening_of(stage)
        if opening is not None and opening >= 0.5:
            if carried and place is not None:
                fact = _put(carried, place, objects)
            held = ""
        elif opening is not None and place is not None and _is_item(place.frame, objects):
            if max(map(abs, _vector(place))) < _HELD_M and stage.moving == "gripper":
                held = place.frame
                fact = Atom("holding", (held,))
        found.append(fact)
    return tuple(found)


def things(fact: Atom | None) -> str:
    """What a fact says something of: its first argument; ``""`` for no fact."""
    return fact.args[0] if fact is not None else ""


def without_release(stage: ValueMapStage) -> ValueMapStage:
    """The stage with the fingers left as they are."""
    kept = tuple(o for o in stage.operations if o.map != "gripper")
    return ValueMapStage(moving=stage.moving, operations=kept, when=stage.when, until=stage.until)


def aimed_at(stage: ValueMapStage, moving: str, place: Region) -> ValueMapStage:
    """The stage with another thing that moves, and to another place."""
    kept = [o for o in stage.operations if o.map != "affordance"]
    target = MapOperation(map="affordance", region=place, value=1.0)
    return ValueMapStage(
        moving=moving, operations=(target, *kept), when=stage.when, until=stage.until
    )


def _put(thing: str, place: Region, objects: Mapping[str, ObjectSpec]) -> Atom | None:
    where = objects.get(place.frame)
    if where is None or place.frame == thing or not _is_item(thing, objects):
        return None
    x, y, z = _vector(place)
    inside = abs(x) <= where.size_m[0] / 2 and abs(y) <= where.size_m[1] / 2
    if where.name == "table" or not inside or z < -where.size_m[2] / 2:
        return None
    predicate = "in" if where.kind in ("container", "drawer") else "on"
    return Atom(predicate, (thing, place.frame))


def _place_of(stage: ValueMapStage) -> Region | None:
    """The last target, where it is a place and not a part of space."""
    targets = [o.region for o in stage.operations if o.map == "affordance" and o.value == 1.0]
    return targets[-1] if targets and targets[-1].shape in ("point", "ball") else None


def _opening_of(stage: ValueMapStage) -> float | None:
    values = [o.value for o in stage.operations if o.map == "gripper"]
    return values[-1] if values and not isinstance(values[-1], tuple) else None


def _vector(region: Region) -> tuple[float, float, float]:
    x, y, z = (region.parameters.get(a, 0.0) for a in "xyz")
    return x, y, z


def _is_item(name: str, objects: Mapping[str, ObjectSpec]) -> bool:
    return name in objects and objects[name].kind == "item"
