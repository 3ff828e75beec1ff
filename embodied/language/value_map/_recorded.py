"""Recorded map operations: from voxels to regions, and whose frame each region is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

import numpy as np

from embodied.errors import Diagnostic
from embodied.language.value_map.vocabulary import MAPS, SPEEDS_M_S
from embodied.types import Array, MapOperation, Region, ValueMapStage

Index = tuple[int, int, int]
Raw: TypeAlias = Mapping[str, object]
"""What the prelude records of one setting of a map."""
Value = float | tuple[float, float, float, float]

_VOXEL_M = 0.01
_BOUNDS = ("x_lower", "x_upper", "y_lower", "y_upper", "z_lower", "z_upper")


@dataclass(slots=True)
class Recorded:
    """Stages in order: raw ones of ``execute``, ready ones of ``composer``."""

    stages: list[tuple[str, list[Raw]] | ValueMapStage] = field(
        default_factory=list[tuple[str, list[Raw]] | ValueMapStage]
    )

    def stage(self, moving: str, operations: object) -> None:
        """Add what ``execute`` was given."""
        self.stages.append((moving, cast("list[Raw]", operations)))

    def ready(self, stages: Sequence[ValueMapStage]) -> None:
        """Add stages that are in frames already."""
        self.stages += stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """What turns voxels into metres.

    Attributes:
        origin_m: World position of voxel (0, 0, 0), (3,).
        indices: Voxel of every object.
        shift: By how many voxels an object was moved in its own run.
    """

    origin_m: Array
    indices: Mapping[str, Index]
    shift: Index


Numbers = dict[str, float]
"""Parameters of a region in voxels; the axis of each is the first letter of its name."""


def join(
    nominal: Recorded, moved: Mapping[str, Recorded], shapes: Shapes
) -> tuple[tuple[ValueMapStage, ...], tuple[str, ...], tuple[Diagnostic, ...]]:
    """Stages with frames, notes on what has none, and what is wrong."""
    stages: list[ValueMapStage] = []
    notes: list[str] = []
    problems: list[Diagnostic] = []
    for i, item in enumerate(nominal.stages):
        if isinstance(item, ValueMapStage):
            stages.append(item)
            continue
        moving, raw = item
        operations: list[MapOperation] = []
        for j, data in enumerate(raw):
            where = f"execute call {i + 1}, {data.get('map')}_map, setting {j + 1}"
            others = {n: _same_place(r, i, j) for n, r in moved.items()}
            try:
                operation, note = _operation(data, others, moving, shapes)
            except _BadError as error:
                problems.append(Diagnostic(where=where, problem=str(error), hint=error.hint))
                continue
            operations.append(operation)
            notes += [f"{where}: {note}"] if note else []
        stages.append(ValueMapStage(moving=moving, operations=tuple(operations)))
    return tuple(stages), tuple(notes), tuple(problems)


class _BadError(Exception):
    def __init__(self, problem: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(problem)


def _same_place(recorded: Recorded, i: int, j: int) -> Raw | None:
    if i >= len(recorded.stages):
        return None
    item = recorded.stages[i]
    if isinstance(item, ValueMapStage) or j >= len(item[1]):
        return None
    return item[1][j]


def _operation(
    data: Raw,
    others: Mapping[str, Raw | None],
    moving: str,
    shapes: Shapes,
) -> tuple[MapOperation, str]:
    name = str(data["map"])
    value = _value(name, data.get("value"))
    if "near" in data:
        radius = {"radius": _number(data["radius"], "radius_cm") * _VOXEL_M}
        region = Region(shape="near-object", frame=str(data["near"]), parameters=radius)
        return MapOperation(map=name, region=region, value=value), ""
    shape, numbers = _numbers(data)
    frame, note = _frame(shape, numbers, others, shapes)
    at = shapes.indices.get(frame)
    parameters: Numbers = {}
    for key, number in numbers.items():
        axis = "xyz".find(key[0]) if key != "radius" else -1
        if axis < 0:
            parameters[key] = round(number * _VOXEL_M, 6)
        elif at is None:
            parameters[key] = round(float(shapes.origin_m[axis]) + number * _VOXEL_M, 6)
        else:
            parameters[key] = round((number - at[axis]) * _VOXEL_M, 6) + 0.0
    # beside itself means: from where it is now
    if shape == "point" and frame == moving and name == "affordance":
        shape = "along"
    region = Region(shape=shape, frame=frame, parameters=parameters)
    return MapOperation(map=name, region=region, value=value), note


def _frame(
    shape: str,
    numbers: Numbers,
    others: Mapping[str, Raw | None],
    shapes: Shapes,
) -> tuple[str, str]:
    """The object that every coordinate of a region follows; else the world."""
    followed: dict[str, set[str]] = {}
    partly: set[str] = set()
    for name, data in others.items():
        if data is None:
            partly.add(name)
            continue
        try:
            other_shape, other = _numbers(data)
        except _BadError:
            continue
        if other_shape != shape or set(other) != set(numbers):
            partly.add(name)
            continue
        for key, number in numbers.items():
            if key == "radius":
                continue
            step = other[key] - number
            if step == shapes.shift["xyz".find(key[0])]:
                followed.setdefault(name, set()).add(key)
            elif step:
                partly.add(name)
    coordinates = {k for k in numbers if k != "radius"}
    for name, keys in followed.items():
        if keys == coordinates and name not in partly and len(followed) == 1:
            return name, ""
    involved = sorted(partly | set(followed))
    if not involved:
        return "world", ""
    return "world", f"it follows no single object ({', '.join(involved)}): fixed where they were"


def _numbers(data: Raw) -> tuple[str, Numbers]:
    if "ball" in data:
        centre = cast("list[object]", data["ball"])
        if len(centre) != 3:
            raise _BadError(f"a place has three indices, got {len(centre)}")
        numbers = {a: _number(v, a) for a, v in zip("xyz", centre, strict=True)}
        radius = _number(data["radius"], "radius_cm")
        return ("ball", {**numbers, "radius": radius}) if radius > 0 else ("point", numbers)
    cells = cast("list[object]", data["cells"])
    if not any(isinstance(c, list) for c in cells):
        return "point", {a: _number(v, a) for a, v in zip("xyz", cells, strict=True)}
    numbers: Numbers = {}
    for axis, cell in zip("xyz", cells, strict=True):
        if isinstance(cell, list):
            low, high = cast("list[object]", cell)
            if low is not None and low != 0:
                numbers[f"{axis}_lower"] = _number(low, axis)
            if high is not None:
                numbers[f"{axis}_upper"] = _number(high, axis)
        else:
            numbers[f"{axis}_lower"] = _number(cell, axis) - 0.5
            numbers[f"{axis}_upper"] = _number(cell, axis) + 0.5
    return "box", numbers


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _BadError(f"{what} is {value!r}, not a number", "indices are numbers of voxels")
    if not np.isfinite(value) or abs(value) > 1e4:
        raise _BadError(f"{what} is {value!r}", "indices lie within the map")
    return float(value)


def _value(name: str, value: object) -> Value:
    if name not in MAPS:
        raise _BadError(f"unknown map {name!r}", f"legal: {', '.join(MAPS)}")
    if name == "rotation":
        items = cast("Sequence[object]", value) if isinstance(value, (list, tuple)) else ()
        numbers = [_number(v, "rotation") for v in items]
        if len(numbers) != 4:
            raise _BadError(
                f"a rotation is a quaternion wxyz, got {value!r}", "use pointat2quat(vector)"
            )
        return (numbers[0], numbers[1], numbers[2], numbers[3])
    number = _number(value, "the value")
    return round(number * SPEEDS_M_S["normal"], 6) if name == "velocity" else number
