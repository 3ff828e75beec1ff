"""Reward programs as JSON: schema for models, reader with diagnostics, writer.

Numbers are SI. A number may also be written as text with its unit (``"20 cm"``, ``"90 deg"``); an
unknown unit, or one of another quantity, is a diagnostic that lists the legal ones.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, cast

from embodied.bounded_json import UnreadableAnswerError, json_object
from embodied.errors import Diagnostic, ProgramError
from embodied.language.reward.vocabulary import (
    CONDITION_OPS,
    DURATION_MAX_S,
    NORMS,
    VOCABULARIES,
    WEIGHT_MAX,
    Parameter,
    SensorSpec,
    TermSpec,
    Vocabulary,
    check,
    complete,
)
from embodied.types import RewardCondition, RewardGuard, RewardProgram, RewardStage, RewardTerm

UNITS: Mapping[str, Mapping[str, float]] = {
    "m": {"m": 1.0, "cm": 0.01, "mm": 0.001},
    "rad": {"rad": 1.0, "deg": math.pi / 180},
    "m/s": {"m/s": 1.0, "cm/s": 0.01, "km/h": 1 / 3.6},
    "rad/s": {"rad/s": 1.0, "deg/s": math.pi / 180, "rpm": 2 * math.pi / 60},
    "Hz": {"Hz": 1.0, "hz": 1.0},
    "s": {"s": 1.0, "ms": 0.001, "min": 60.0},
    "1": {"": 1.0, "1": 1.0, "%": 0.01},
}
"""For each unit of the catalogue the units that may be written, with their factors."""

STAGES_MAX, GUARDS_MAX = 12, 6
"""Most stages of a program and guards of a stage that a decoder may write."""

_QUANTITY = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s]\S*)?\s*$")


def json_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """JSON schema (draft 2020-12) of reward programs in this vocabulary.

    Every term is an object of its own with the bounds of its parameters, so a decoder that follows
    the schema cannot write an unknown name or a value out of range.
    """
    norms = list(NORMS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"reward program for the {vocabulary.robot}",
        "type": "object",
        "additionalProperties": False,
        "required": ["stages"],
        "properties": {
            "stages": {
                "type": "array",
                "minItems": 1,
                "maxItems": STAGES_MAX,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["terms"],
                    "properties": {
                        "terms": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 40,
                            "items": {
                                "anyOf": [_term_schema(t, norms) for t in vocabulary.terms.values()]
                            },
                        },
                        "duration_s": {
                            "type": ["number", "null"],
                            "exclusiveMinimum": 0,
                            "maximum": DURATION_MAX_S,
                        },
                        "until": {
                            "anyOf": [
                                {"type": "null"},
                                *(_condition_schema(s) for s in vocabulary.sensors.values()),
                            ]
                        },
                        "guards": {
                            "type": "array",
                            "maxItems": GUARDS_MAX,
                            "items": {
                                "anyOf": [
                                    _condition_schema(s, guard=True)
                                    for s in vocabulary.sensors.values()
                                ]
                            },
                        },
                    },
                },
            },
        },
    }


def _condition_schema(sensor: SensorSpec, *, guard: bool = False) -> dict[str, Any]:
    back = {"back": {"type": "integer", "minimum": 1, "maximum": STAGES_MAX - 1}} if guard else {}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["sensor", "op", "value", *back],
        "properties": {
            "sensor": {"const": sensor.name},
            "op": {"enum": list(CONDITION_OPS)},
            "value": {"type": "number", "minimum": sensor.lower, "maximum": sensor.upper},
            "arguments": {
                "type": "array",
                "prefixItems": [{"enum": list(names)} for names in sensor.arguments],
                "minItems": len(sensor.arguments),
                "maxItems": len(sensor.arguments),
            },
            **back,
        },
    }


def _term_schema(term: TermSpec, norms: list[str]) -> dict[str, Any]:
    properties: dict[str, Any] = {"name": {"const": term.name}}
    required = ["name"]
    for p in term.parameters:
        properties[p.name] = _parameter_schema(p)
        if p.default is None:
            required.append(p.name)
    properties["weight"] = {"type": "number", "minimum": 0, "maximum": WEIGHT_MAX}
    properties["norm"] = {"enum": norms}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
        "description": term.meaning,
    }


def _parameter_schema(parameter: Parameter) -> dict[str, Any]:
    if parameter.unit == "name":
        return {"enum": list(parameter.choices)}
    return {
        "type": "number",
        "minimum": parameter.lower,
        "maximum": parameter.upper,
        "description": f"{parameter.meaning}, {parameter.unit}",
    }


def quantity(value: object, unit: str) -> float:
    """A number, or text with a unit, in SI.

    Raises:
        ValueError: Not a number, or a unit that is not one of ``UNITS[unit]``.
    """
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is not a number")
    if isinstance(value, (int, float)):
        return float(value)
    match = _QUANTITY.match(str(value))
    if match is None:
        raise ValueError(f"{value!r} is not a number with a unit")
    legal = UNITS[unit]
    written = match.group(2) or ""
    if written and written not in legal:
        names = ", ".join(u for u in legal if u)
        raise ValueError(f"unit {written!r} is not legal here, legal: {names}")
    return float(match.group(1)) * (legal[written] if written else 1.0)


def program_from_json(
    text: str, words: Vocabulary | str, *, source: str, filled: bool = True
) -> RewardProgram:
    """Read a program that a model (or a person) wrote.

    Args:
        text: JSON text; a Markdown fence around it is taken off.
        words: The vocabulary, or the robot of this package that has it.
        source: Who wrote it.
        filled: Whether left-out parameters get their defaults.

    Raises:
        ProgramError: With every diagnostic found; the program is not usable.
    """
    if isinstance(words, str):
        if words not in VOCABULARIES:
            hint, problem = "legal: " + ", ".join(VOCABULARIES), f"unknown robot {words!r}"
            raise ProgramError(text, [Diagnostic(where="robot", problem=problem, hint=hint)])
        words = VOCABULARIES[words]
    try:
        data = json_object(text)
    except UnreadableAnswerError as error:
        hint = error.hint or 'answer with one JSON object {"stages": [...]} and nothing else'
        raise ProgramError(
            text, [Diagnostic(where=error.where, problem=error.problem, hint=hint)]
        ) from None
    reader = _Reader(words)
    stages = reader.stages(data)
    program = RewardProgram(robot=words.robot, stages=stages, source=source)
    diagnostics = list(reader.diagnostics)
    if stages or not diagnostics:
        seen = {d.where for d in diagnostics}
        diagnostics += [d for d in check(program, words) if d.where not in seen]
    if diagnostics:
        raise ProgramError(text, diagnostics)
    return complete(program, words) if filled else program


def program_to_json(program: RewardProgram, *, indent: int | None = 2) -> str:
    """The program as JSON text that ``program_from_json`` reads back unchanged."""
    return json.dumps({"stages": [_stage_data(s) for s in program.stages]}, indent=indent)


def _stage_data(stage: RewardStage) -> dict[str, Any]:
    data: dict[str, Any] = {
        "terms": [
            {"name": t.name, **t.parameters, "weight": t.weight, "norm": t.norm}
            for t in stage.terms
        ]
    }
    if stage.duration_s is not None:
        data["duration_s"] = stage.duration_s
    if stage.until is not None:
        data["until"] = _condition_data(stage.until)
    if stage.guards:
        data["guards"] = [{**_condition_data(g.condition), "back": g.back} for g in stage.guards]
    return data


def _condition_data(condition: RewardCondition) -> dict[str, Any]:
    return {
        "sensor": condition.sensor,
        "op": condition.op,
        "value": condition.value,
        "arguments": list(condition.arguments),
    }


_CONDITION_KEYS = ("sensor", "op", "value", "arguments")


class _Reader:
    """Turns parsed JSON into stages and collects what is wrong with its form."""

    def __init__(self, words: Vocabulary) -> None:
        self.words = words
        self.diagnostics: list[Diagnostic] = []

    def _wrong(self, where: str, problem: str, hint: str) -> None:
        self.diagnostics.append(Diagnostic(where=where, problem=problem, hint=hint))

    def _object(self, data: object, where: str, keys: tuple[str, ...] | None) -> dict[str, Any]:
        if not isinstance(data, dict):
            self._wrong(where, f"expected an object, got {type(data).__name__}", "write {...}")
            return {}
        mapping = cast("dict[str, Any]", data)
        for key in mapping:
            if keys is not None and key not in keys:
                self._wrong(f"{where}.{key}", f"unknown key {key!r}", "legal: " + ", ".join(keys))
        return mapping

    def _list(self, data: object, where: str) -> list[Any]:
        if not isinstance(data, list):
            self._wrong(where, f"expected a list, got {type(data).__name__}", "write [...]")
            return []
        return cast("list[Any]", data)

    def _number(self, value: object, unit: str, where: str, fallback: float) -> float:
        try:
            return quantity(value, unit)
        except ValueError as error:
            legal = ", ".join(u for u in UNITS[unit] if u)
            self._wrong(where, str(error), f"a number in {unit}; legal units: {legal}")
            return fallback

    def stages(self, data: object) -> tuple[RewardStage, ...]:
        top = self._object(data, "program", ("stages", "robot"))
        if "stages" not in top:
            self._wrong("stages", "missing", 'write {"stages": [{"terms": [...]}]}')
            return ()
        items = self._list(top["stages"], "stages")
        return tuple(self._stage(item, f"stages[{i}]") for i, item in enumerate(items))

    def _stage(self, data: object, where: str) -> RewardStage:
        stage = self._object(data, where, ("terms", "duration_s", "until", "guards"))
        terms = self._list(stage.get("terms", []), f"{where}.terms")
        duration = stage.get("duration_s")
        return RewardStage(
            terms=tuple(self._term(t, f"{where}.terms[{i}]") for i, t in enumerate(terms)),
            duration_s=None
            if duration is None
            else self._number(duration, "s", f"{where}.duration_s", 1.0),
            until=self._condition(stage.get("until"), f"{where}.until"),
            guards=tuple(
                self._guard(g, f"{where}.guards[{i}]")
                for i, g in enumerate(self._list(stage.get("guards") or [], f"{where}.guards"))
            ),
        )

    def _term(self, data: object, where: str) -> RewardTerm:
        term = self._object(data, where, None)
        name = str(term.get("name", ""))
        spec = self.words.terms.get(name)
        units = {p.name: p.unit for p in spec.parameters} if spec else {}
        parameters: dict[str, float | str] = {}
        for key, value in term.items():
            if key in ("name", "weight", "norm"):
                continue
            unit = units.get(key)
            if unit is None or unit == "name":
                parameters[key] = value if isinstance(value, (str, int, float)) else str(value)
            else:
                parameters[key] = self._number(value, unit, f"{where}.{key}", math.nan)
        weight = term.get("weight", spec.weight if spec else 1.0)
        return RewardTerm(
            name=name,
            parameters=parameters,
            weight=self._number(weight, "1", f"{where}.weight", 1.0),
            norm=str(term.get("norm", spec.norm if spec else "quadratic")),
        )

    def _guard(self, data: object, where: str) -> RewardGuard:
        guard = dict(self._object(data, where, (*_CONDITION_KEYS, "back")))
        back = guard.pop("back", None)
        if isinstance(back, bool) or not isinstance(back, int):
            self._wrong(f"{where}.back", f"{back!r} is not a whole number", "how many stages back")
            back = 1
        return RewardGuard(condition=self._read_condition(guard, where), back=back)

    def _condition(self, data: object, where: str) -> RewardCondition | None:
        if data is None:
            return None
        return self._read_condition(self._object(data, where, _CONDITION_KEYS), where)

    def _read_condition(self, condition: Mapping[str, Any], where: str) -> RewardCondition:
        sensor = str(condition.get("sensor", ""))
        spec = self.words.sensors.get(sensor)
        unit = spec.unit if spec else "1"
        return RewardCondition(
            sensor=sensor,
            op=str(condition.get("op", "")),
            value=self._number(condition.get("value"), unit, f"{where}.value", math.nan),
            arguments=tuple(
                str(a) for a in self._list(condition.get("arguments", []), f"{where}.arguments")
            ),
        )
