"""Value-map programs as JSON: schema for models, reader with diagnostics, writer, hash.

Numbers are SI. A number may also be written as text with its unit (``"10 cm"``, ``"20 cm/s"``), and
a value by its name (``"slow"``, ``"down"``, ``"open"``). Two regions are short for others: ``side``
is a point beside an object, ``area`` a box over a named part of the workspace.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from embodied.bounded_json import UnreadableAnswerError, json_object
from embodied.errors import Diagnostic, NotUnderstoodError, ProgramError
from embodied.language.value_map._reading import Reader, Workspace
from embodied.language.value_map.vocabulary import (
    AREAS,
    CONDITIONS,
    GRIPPER_DIRECTIONS,
    MAPS,
    MOVING_GRIPPER,
    SHAPES,
    SIDES,
    SPEEDS_M_S,
    check,
)
from embodied.types import MapOperation, Region, ValueMapCondition, ValueMapProgram, ValueMapStage


def read_json(
    text: str, *, objects: Sequence[str], workspace: Workspace | None = None, source: str = "json"
) -> ValueMapProgram:
    """Read a program that a model or a person wrote.

    Args:
        text: JSON text; a Markdown fence around it is taken off.
        objects: Names of the objects that are in the scene.
        workspace: Lower and upper corner (x, y) of the workspace, for ``area`` regions.
        source: Who wrote it.

    Raises:
        ProgramError: With every diagnostic found; the program is not usable.
        NotUnderstoodError: It says that the request cannot be met.
    """
    try:
        data = json_object(text)
    except UnreadableAnswerError as error:
        hint = error.hint or 'answer with one JSON object {"stages": [...]} and nothing else'
        raise ProgramError(
            text, [Diagnostic(where=error.where, problem=error.problem, hint=hint)]
        ) from None
    if set(data) == {"cannot"}:
        raise NotUnderstoodError(text, [Diagnostic(where="request", problem=str(data["cannot"]))])
    reader = Reader(workspace)
    program = ValueMapProgram(stages=reader.stages(data), source=source)
    found = list(reader.diagnostics)
    if not any(d.where in ("program", "stages") for d in found):
        seen = {d.where for d in found}
        found += [d for d in check(program, objects) if d.where not in seen]
    if found:
        raise ProgramError(text, found)
    return program


def to_json(program: ValueMapProgram, *, indent: int | None = 2) -> str:
    """The program as JSON text that ``read_json`` reads back unchanged."""
    return json.dumps({"stages": [_stage_data(s) for s in program.stages]}, indent=indent)


def digest(program: ValueMapProgram) -> str:
    """Short hash of what the program does; who wrote it does not matter."""
    return hashlib.sha256(to_json(program, indent=None).encode()).hexdigest()[:16]


def _stage_data(stage: ValueMapStage) -> dict[str, Any]:
    data: dict[str, Any] = {
        "moving": stage.moving,
        "operations": [_operation_data(o) for o in stage.operations],
    }
    for name, condition in (("when", stage.when), ("until", stage.until)):
        if condition is not None:
            data[name] = _condition_data(condition)
    return data


def _operation_data(operation: MapOperation) -> dict[str, Any]:
    value = operation.value
    return {
        "map": operation.map,
        "region": _region_data(operation.region),
        "value": list(value) if isinstance(value, tuple) else value,
    }


def _region_data(region: Region) -> dict[str, Any]:
    return {"shape": region.shape, "frame": region.frame, **dict(sorted(region.parameters.items()))}


def _condition_data(condition: ValueMapCondition) -> dict[str, Any]:
    data: dict[str, Any] = {"what": condition.what, "subject": condition.subject}
    if condition.region is not None:
        data["region"] = _region_data(condition.region)
    if condition.what in ("opening", "closed"):
        data["value"] = condition.value
    return data


def json_schema(objects: Sequence[str]) -> dict[str, Any]:
    """JSON schema (draft 2020-12) of the programs that may be written about a scene.

    Names are enumerated and numbers bounded, so a decoder that follows the schema can write neither
    an unknown object nor a value out of range.
    """
    frames = [MOVING_GRIPPER, *objects]
    region = {"anyOf": _region_schemas(frames)}
    condition = _object(
        {
            "what": {"enum": list(CONDITIONS)},
            "subject": {"enum": frames},
            "region": region,
            "value": {"type": "number", "minimum": 0, "maximum": 2},
        },
        ("what", "subject"),
    )
    stage = _object(
        {
            "moving": {"enum": frames},
            "operations": {
                "type": "array",
                "minItems": 1,
                "maxItems": 24,
                "items": {"anyOf": [_operation_schema(m, region) for m in MAPS]},
            },
            "when": condition,
            "until": condition,
        },
        ("moving", "operations"),
    )
    top = _object(
        {"stages": {"type": "array", "minItems": 1, "maxItems": 12, "items": stage}}, ("stages",)
    )
    refusal = _object({"cannot": {"type": "string"}}, ("cannot",))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "value-map program",
        "anyOf": [top, refusal],
    }


def _operation_schema(name: str, region: dict[str, Any]) -> dict[str, Any]:
    lower, upper = MAPS[name]
    number = {"type": "number", "minimum": lower, "maximum": upper}
    named = {
        "velocity": list(SPEEDS_M_S),
        "rotation": list(GRIPPER_DIRECTIONS),
        "gripper": ["open", "closed"],
    }
    value: dict[str, Any] = number
    if name == "rotation":
        value = {"type": "array", "items": number, "minItems": 4, "maxItems": 4}
    if name in named:
        value = {"anyOf": [{"enum": named[name]}, value]}
    return _object({"map": {"const": name}, "region": region, "value": value}, ("map", "region"))


def _region_schemas(frames: list[str]) -> list[dict[str, Any]]:
    metres = {"type": "number", "minimum": -2, "maximum": 2}
    found: list[dict[str, Any]] = []
    for shape, (needed, optional) in SHAPES.items():
        legal = frames if shape == "near-object" else ["world", *frames]
        properties: dict[str, Any] = {"shape": {"const": shape}, "frame": {"enum": legal}}
        properties |= {n: metres for n in (*needed, *optional)}
        found.append(_object(properties, ("shape", "frame", *needed)))
    side: dict[str, Any] = {
        "shape": {"const": "side"},
        "side": {"enum": list(SIDES)},
        "frame": {"enum": frames},
        "distance": {"type": "number", "minimum": 0, "maximum": 2},
    }
    area: dict[str, Any] = {"shape": {"const": "area"}, "area": {"enum": AREAS}}
    return [*found, _object(side, ("shape", "side", "frame")), _object(area, ("shape", "area"))]


def _object(properties: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }
