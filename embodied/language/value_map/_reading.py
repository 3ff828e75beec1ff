"""From parsed JSON to the stages of a value-map program, with all errors of form."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from embodied.errors import Diagnostic
from embodied.language.value_map.vocabulary import (
    AREAS,
    GRIPPER_DIRECTIONS,
    SHAPES,
    SIDES,
    SPEEDS_M_S,
    area_bounds,
)
from embodied.types import MapOperation, Region, ValueMapCondition, ValueMapStage

Workspace = tuple[tuple[float, float], tuple[float, float]]
"""Lower and upper corner (x, y) of the workspace, world frame, m."""

SIDE_DISTANCE_M = 0.10
"""How far a place beside an object is from its centre unless the program says so."""

UNITS: Mapping[str, Mapping[str, float]] = {
    "m": {"m": 1.0, "cm": 0.01, "mm": 0.001},
    "m/s": {"m/s": 1.0, "cm/s": 0.01, "mm/s": 0.001},
    "1": {"%": 0.01},
}
_QUANTITY = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s]\S*)?\s*$")
_NAMED: Mapping[str, Mapping[str, float | tuple[float, float, float, float]]] = {
    "velocity": SPEEDS_M_S,
    "rotation": GRIPPER_DIRECTIONS,
    "gripper": {"open": 1.0, "closed": 0.0},
}
_DEFAULTS: Mapping[str, float] = {"affordance": 1.0, "avoidance": 1.0}
_AROUND = ("point", "ball", "along")


class Reader:
    """Reads stages; what is wrong with their form is in ``diagnostics``.

    Args:
        workspace: For ``area`` regions.
    """

    def __init__(self, workspace: Workspace | None) -> None:
        self.workspace = workspace
        self.diagnostics: list[Diagnostic] = []

    def stages(self, data: object) -> tuple[ValueMapStage, ...]:
        """All stages of a program."""
        top = self._object(data, "program", ("stages",))
        if "stages" not in top:
            self._wrong("stages", "missing", 'write {"stages": [{"moving": ...}]}')
            return ()
        items = self._list(top["stages"], "stages")
        return tuple(self._stage(item, f"stages[{i}]") for i, item in enumerate(items))

    def _stage(self, data: object, where: str) -> ValueMapStage:
        stage = self._object(data, where, ("moving", "operations", "when", "until"))
        operations = self._list(stage.get("operations", []), f"{where}.operations")
        return ValueMapStage(
            moving=str(stage.get("moving", "gripper")),
            operations=tuple(
                self._operation(o, f"{where}.operations[{i}]") for i, o in enumerate(operations)
            ),
            when=self._condition(stage.get("when"), f"{where}.when"),
            until=self._condition(stage.get("until"), f"{where}.until"),
        )

    def _operation(self, data: object, where: str) -> MapOperation:
        operation = self._object(data, where, ("map", "region", "value"))
        name = str(operation.get("map", ""))
        written = operation.get("value", _DEFAULTS.get(name))
        return MapOperation(
            map=name,
            region=self._region(operation.get("region", {"shape": "box"}), f"{where}.region"),
            value=self._value(name, written, f"{where}.value"),
        )

    def _value(
        self, name: str, written: object, where: str
    ) -> float | tuple[float, float, float, float]:
        named = _NAMED.get(name, {})
        if isinstance(written, str) and written in named:
            return named[written]
        if name == "rotation":
            items = cast("list[object]", written) if isinstance(written, list) else []
            numbers = [self._number(v, "1", where) for v in items]
            if len(numbers) != 4:
                self._wrong(
                    where,
                    f"a rotation is a name or a quaternion wxyz, got {written!r}",
                    f"legal names: {', '.join(named)}",
                )
                return (0.0, 1.0, 0.0, 0.0)
            return (numbers[0], numbers[1], numbers[2], numbers[3])
        names = f"; legal names: {', '.join(named)}" if named else ""
        return self._number(written, "m/s" if name == "velocity" else "1", where, names)

    def _region(self, data: object, where: str) -> Region:
        region = self._object(data, where, None)
        shape = str(region.get("shape", ""))
        frame = str(region.get("frame", "world"))
        if shape == "side":
            return self._side(region, frame, where)
        if shape == "area":
            return self._area(region, where)
        if shape not in SHAPES:
            legal = ", ".join((*SHAPES, "side", "area"))
            self._wrong(f"{where}.shape", f"unknown shape {shape!r}", f"legal: {legal}")
            return Region(shape="box")
        given = {k: v for k, v in region.items() if k not in ("shape", "frame")}
        numbers = {k: self._number(v, "m", f"{where}.{k}") for k, v in given.items()}
        if shape in _AROUND and any(k in numbers for k in "xyz") or shape == "point":
            numbers = {**dict.fromkeys("xyz", 0.0), **numbers}
        return Region(shape=shape, frame=frame, parameters=numbers)

    def _side(self, region: Mapping[str, Any], frame: str, where: str) -> Region:
        self._object(region, where, ("shape", "frame", "side", "distance"))
        side = str(region.get("side", ""))
        if side not in SIDES:
            legal = ", ".join(SIDES)
            self._wrong(f"{where}.side", f"unknown side {side!r}", f"legal: {legal}")
            return Region(shape="box")
        distance = self._number(region.get("distance", SIDE_DISTANCE_M), "m", f"{where}.distance")
        numbers = {a: round(d * distance, 6) + 0.0 for a, d in zip("xyz", SIDES[side], strict=True)}
        return Region(shape="point", frame=frame, parameters=numbers)

    def _area(self, region: Mapping[str, Any], where: str) -> Region:
        self._object(region, where, ("shape", "area", "frame"))
        area = str(region.get("area", ""))
        if area not in AREAS:
            legal = ", ".join(AREAS)
            self._wrong(f"{where}.area", f"unknown area {area!r}", f"legal: {legal}")
        elif self.workspace is None:
            self._wrong(where, "the workspace is not known here", "use a box with its bounds")
        else:
            return Region(shape="box", parameters=area_bounds(area, *self.workspace))
        return Region(shape="box")

    def _condition(self, data: object, where: str) -> ValueMapCondition | None:
        if data is None:
            return None
        condition = self._object(data, where, ("what", "subject", "region", "value"))
        region = condition.get("region")
        return ValueMapCondition(
            what=str(condition.get("what", "")),
            subject=str(condition.get("subject", "gripper")),
            region=None if region is None else self._region(region, f"{where}.region"),
            value=self._number(condition.get("value", 0.0), "m", f"{where}.value"),
        )

    def _number(self, value: object, unit: str, where: str, more: str = "") -> float:
        legal = UNITS[unit]
        hint = f"a number{f' in {unit}' if unit != '1' else ''}; units: {', '.join(legal)}{more}"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if math.isfinite(value):
                return float(value)
            self._wrong(where, f"{value} is not finite", hint)
            return math.nan
        match = _QUANTITY.match(value) if isinstance(value, str) else None
        if match is None:
            self._wrong(where, f"{value!r} is not a number with a unit", hint)
            return math.nan
        written = match.group(2) or ""
        if written and written not in legal:
            self._wrong(where, f"unit {written!r} is not legal here", hint)
            return math.nan
        return float(match.group(1)) * (legal[written] if written else 1.0)

    def _object(self, data: object, where: str, keys: Sequence[str] | None) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            self._wrong(where, f"expected an object, got {type(data).__name__}", "write {...}")
            return {}
        mapping = dict(cast("Mapping[str, Any]", data))
        for key in mapping:
            if keys is not None and key not in keys:
                self._wrong(f"{where}.{key}", f"unknown key {key!r}", "legal: " + ", ".join(keys))
        return mapping

    def _list(self, data: object, where: str) -> list[Any]:
        if not isinstance(data, list):
            self._wrong(where, f"expected a list, got {type(data).__name__}", "write [...]")
            return []
        return cast("list[Any]", data)

    def _wrong(self, where: str, problem: str, hint: str) -> None:
        self.diagnostics.append(Diagnostic(where=where, problem=problem, hint=hint))
