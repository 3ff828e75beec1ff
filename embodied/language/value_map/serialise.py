"""Value-map programs as JSON: schema for models, reader with diagnostics, writer, hash.

Numbers are SI. A number may also be written as text with its unit (``"10 cm"``, ``"20 cm/s"``), and
a value by its name (``"slow"``, ``"down"``, ``"open"``). Two regions are short for others: ``side``
is a point beside an object, ``area`` a box over a named part of the workspace.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from embodied.errors import Diagnostic, NotUnderstoodError, ProgramError
from embodied.language.records import (
    JsonReader,
    Schema,
    all_wrong,
    any_schema,
    keys_of,
    list_schema,
    name_schema,
    number_schema,
    object_schema,
    or_null,
    parsed,
    record_schema,
    unshared,
)
from embodied.language.value_map.building import (
    EVERYWHERE,
    SIDE_DISTANCE_M,
    area_region,
    point,
)
from embodied.language.value_map.vocabulary import (
    AREAS,
    CONDITIONS,
    GRIPPER_DIRECTIONS,
    MAPS,
    MOVING_GRIPPER,
    REST_MAX_S,
    SHAPES,
    SIDES,
    SPEEDS_M_S,
    check,
)
from embodied.types import MapOperation, Region, ValueMapCondition, ValueMapProgram, ValueMapStage

STAGES_MAX, OPERATIONS_MAX = 12, 24
"""Most stages of a program and operations of a stage that a decoder may write."""

Workspace = tuple[tuple[float, float], tuple[float, float]]
"""Lower and upper corner (x, y) of the workspace, world frame, m."""

Value = float | tuple[float, float, float, float]

_NAMED: Mapping[str, Mapping[str, Value]] = {
    "velocity": SPEEDS_M_S,
    "rotation": GRIPPER_DIRECTIONS,
    "gripper": {"open": 1.0, "closed": 0.0},
}
_DEFAULTS: Mapping[str, float] = {"affordance": 1.0, "avoidance": 1.0}
_AROUND = ("point", "ball", "along")


def read_json(
    text: str, *, objects: Sequence[str], workspace: Workspace | None = None, source: str = "json"
) -> ValueMapProgram:
    """Read a program that a model or a person wrote.

    Args:
        text: JSON text; prose and a Markdown fence around it are passed over.
        objects: Names of the objects that are in the scene.
        workspace: Lower and upper corner (x, y) of the workspace, for ``area`` regions.
        source: Who wrote it.

    Raises:
        ProgramError: With every diagnostic found; the program is not usable.
        NotUnderstoodError: It says that the request cannot be met.
    """
    data = parsed(text, '{"stages": [...]}')
    cannot = data.get("cannot")
    if cannot is not None and not data.get("stages"):
        raise NotUnderstoodError(text, [Diagnostic(where="request", problem=str(cannot))])
    reader = _Reader(workspace)
    program = ValueMapProgram(stages=reader.stages(data), source=source)
    found = all_wrong(reader, lambda: check(program, objects))
    if found:
        raise ProgramError(text, found)
    return program


def to_json(program: ValueMapProgram, *, indent: int | None = 2) -> str:
    """The program as JSON text that ``read_json`` reads back unchanged."""
    return json.dumps({"stages": [_stage_data(s) for s in program.stages]}, indent=indent)


def digest(program: ValueMapProgram) -> str:
    """Short hash of what the program does; who wrote it does not matter."""
    return hashlib.sha256(to_json(program, indent=None).encode()).hexdigest()[:16]


def _stage_data(stage: ValueMapStage) -> dict[str, object]:
    data: dict[str, object] = {
        "moving": stage.moving,
        "operations": [_operation_data(o) for o in stage.operations],
    }
    for name, condition in (("when", stage.when), ("until", stage.until)):
        if condition is not None:
            data[name] = _condition_data(condition)
    if stage.rest_s:
        data["rest_s"] = stage.rest_s
    return data


def _operation_data(operation: MapOperation) -> dict[str, object]:
    value = operation.value
    return {
        "map": operation.map,
        "region": _region_data(operation.region),
        "value": list(value) if isinstance(value, tuple) else value,
    }


def _region_data(region: Region) -> dict[str, object]:
    return {"shape": region.shape, "frame": region.frame, **dict(sorted(region.parameters.items()))}


def _condition_data(condition: ValueMapCondition) -> dict[str, object]:
    data: dict[str, object] = {"what": condition.what, "subject": condition.subject}
    if condition.region is not None:
        data["region"] = _region_data(condition.region)
    if condition.what in ("opening", "closed"):
        data["value"] = condition.value
    return data


def json_schema(objects: Sequence[str]) -> Schema:
    """Strict JSON schema (draft 2020-12) of the programs that may be written about a scene.

    Names are enumerated and numbers bounded, so a decoder that follows the schema can write neither
    an unknown object nor a value out of range. A request that cannot be met has no stages, and
    ``cannot`` says why.
    """
    frames = (MOVING_GRIPPER, *objects)
    region: Schema = {"$ref": "#/$defs/region"}
    condition = record_schema(
        ValueMapCondition,
        what=name_schema(*CONDITIONS),
        subject=or_null(name_schema(*frames)),
        region=or_null(region),
        value=or_null(number_schema(0, 2)),
    )
    stage = record_schema(
        ValueMapStage,
        moving=name_schema(*frames),
        operations=list_schema(
            any_schema(*(_operation_schema(m, region) for m in MAPS)), 1, OPERATIONS_MAX
        ),
        when=or_null(condition),
        until=or_null(condition),
        rest_s=or_null(number_schema(0, REST_MAX_S)),
    )
    stages = list_schema(stage, 0, STAGES_MAX)
    program = object_schema({"stages": stages, "cannot": or_null({"type": "string"})})
    region_schema = any_schema(*_region_schemas(frames))
    return unshared({**program, "title": "value-map program", "$defs": {"region": region_schema}})


def _operation_schema(name: str, region: Schema) -> Schema:
    value = number_schema(*MAPS[name])
    if name == "rotation":
        value = list_schema(value, 4, 4)
    if name in _NAMED:
        value = any_schema(name_schema(*_NAMED[name]), value)
    return record_schema(
        MapOperation,
        map=name_schema(name),
        region=or_null(region),
        value=or_null(value) if name in _DEFAULTS else value,
    )


def _region_schemas(frames: tuple[str, ...]) -> list[Schema]:
    metres, distance = number_schema(-2, 2), number_schema(0, 2)
    found: list[Schema] = []
    for shape, (needed, optional) in SHAPES.items():
        legal = frames if shape == "near-object" else ("world", *frames)
        keys = {"shape": name_schema(shape), "frame": name_schema(*legal)}
        keys |= dict.fromkeys(needed, metres) | dict.fromkeys(optional, or_null(metres))
        found.append(object_schema(keys))
    side = {
        "shape": name_schema("side"),
        "side": name_schema(*SIDES),
        "frame": name_schema(*frames),
        "distance": or_null(distance),
    }
    area = {"shape": name_schema("area"), "area": name_schema(*AREAS)}
    return [*found, object_schema(side), object_schema(area)]


class _Reader(JsonReader):
    """Turns parsed JSON into stages.

    Args:
        workspace: For ``area`` regions.
    """

    def __init__(self, workspace: Workspace | None) -> None:
        super().__init__()
        self.workspace = workspace

    def stages(self, data: object) -> tuple[ValueMapStage, ...]:
        top = self.object(data, "program", ("stages", "cannot"))
        if "stages" not in top:
            self.wrong("stages", "missing", 'write {"stages": [{"moving": ...}]}')
        elif "cannot" in top:
            self.wrong("cannot", "there are stages too", "give stages, or say why not")
        return self.items(top.get("stages"), "stages", self._stage)

    def _stage(self, data: object, where: str) -> ValueMapStage:
        stage = self.object(data, where, keys_of(ValueMapStage))
        return ValueMapStage(
            moving=str(stage.get("moving", MOVING_GRIPPER)),
            operations=self.items(stage.get("operations"), f"{where}.operations", self._operation),
            when=self._condition(stage.get("when"), f"{where}.when"),
            until=self._condition(stage.get("until"), f"{where}.until"),
            rest_s=self.number(stage.get("rest_s") or 0.0, "s", f"{where}.rest_s"),
        )

    def _operation(self, data: object, where: str) -> MapOperation:
        operation = self.object(data, where, keys_of(MapOperation))
        name = str(operation.get("map", ""))
        written = operation.get("value", _DEFAULTS.get(name))
        return MapOperation(
            map=name,
            region=self._region(operation.get("region", {"shape": "box"}), f"{where}.region"),
            value=self._value(name, written, f"{where}.value"),
        )

    def _value(self, name: str, written: object, where: str) -> Value:
        named = _NAMED.get(name, {})
        if isinstance(written, str) and written in named:
            return named[written]
        if name != "rotation":
            return self.number(written, "m/s" if name == "velocity" else "1", where, named)
        numbers: tuple[float, ...] = ()
        if isinstance(written, list):
            numbers = self.items(written, where, lambda v, _: self.number(v, "1", where))
        if len(numbers) != 4:
            problem = f"a rotation is a name or a quaternion wxyz, got {written!r}"
            self.wrong(where, problem, f"legal names: {', '.join(named)}")
            return GRIPPER_DIRECTIONS["down"]
        return (numbers[0], numbers[1], numbers[2], numbers[3])

    def _region(self, data: object, where: str) -> Region:
        region = self.object(data, where)
        shape, frame = str(region.get("shape", "")), str(region.get("frame", "world"))
        if shape == "side":
            return self._side(region, frame, where)
        if shape == "area":
            return self._area(region, where)
        if shape not in SHAPES:
            legal = ", ".join((*SHAPES, "side", "area"))
            self.wrong(f"{where}.shape", f"unknown shape {shape!r}", f"legal: {legal}")
            return EVERYWHERE
        given = {k: v for k, v in region.items() if k not in ("shape", "frame")}
        numbers = {k: self.number(v, "m", f"{where}.{k}") for k, v in given.items()}
        if shape in _AROUND and any(k in numbers for k in "xyz") or shape == "point":
            numbers = {**dict.fromkeys("xyz", 0.0), **numbers}
        return Region(shape=shape, frame=frame, parameters=numbers)

    def _side(self, region: Mapping[str, object], frame: str, where: str) -> Region:
        self.object(region, where, ("shape", "frame", "side", "distance"))
        side = str(region.get("side", ""))
        if side not in SIDES:
            legal = ", ".join(SIDES)
            self.wrong(f"{where}.side", f"unknown side {side!r}", f"legal: {legal}")
            return EVERYWHERE
        distance = self.number(region.get("distance", SIDE_DISTANCE_M), "m", f"{where}.distance")
        return point(frame, SIDES[side], distance)

    def _area(self, region: Mapping[str, object], where: str) -> Region:
        self.object(region, where, ("shape", "area", "frame"))
        area = str(region.get("area", ""))
        if area not in AREAS:
            legal = ", ".join(AREAS)
            self.wrong(f"{where}.area", f"unknown area {area!r}", f"legal: {legal}")
        elif self.workspace is None:
            self.wrong(where, "the workspace is not known here", "use a box with its bounds")
        else:
            return area_region(area, *self.workspace)
        return EVERYWHERE

    def _condition(self, data: object, where: str) -> ValueMapCondition | None:
        if data is None:
            return None
        condition = self.object(data, where, keys_of(ValueMapCondition))
        region = condition.get("region")
        return ValueMapCondition(
            what=str(condition.get("what", "")),
            subject=str(condition.get("subject", MOVING_GRIPPER)),
            region=None if region is None else self._region(region, f"{where}.region"),
            value=self.number(condition.get("value", 0.0), "m", f"{where}.value"),
        )
