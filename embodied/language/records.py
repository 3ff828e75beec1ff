"""JSON of programs: strict schemas made from the programs' own dataclasses, and one reader.

A strict schema names every key of every object as required (what may be left out may be ``null``),
types every item of a list and allows nothing else, as the structured outputs of hosted models
demand. The reader takes such answers and what a person writes: keys left out, numbers with units.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import TypeAlias, TypeVar, cast

from embodied.bounded_json import UnreadableAnswerError, json_object
from embodied.errors import Diagnostic, ProgramError
from embodied.language.words.amounts import UNITS, unit_of

Schema: TypeAlias = dict[str, object]
T = TypeVar("T")

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s]\S*)?\s*")


def keys_of(record: type) -> tuple[str, ...]:
    """Keys of a dataclass's JSON object: its fields."""
    return tuple(field.name for field in fields(record))


def object_schema(properties: Mapping[str, Schema], about: str = "") -> Schema:
    """An object with exactly these keys."""
    closed: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": dict(properties),
    }
    return {**closed, "description": about} if about else closed


def record_schema(record: type, **properties: Schema) -> Schema:
    """The schema of a dataclass.

    Raises:
        TypeError: The properties are not the dataclass's fields.
    """
    if set(properties) != set(keys_of(record)):
        raise TypeError(f"{record.__name__} has the fields {', '.join(keys_of(record))}")
    return object_schema(properties)


def list_schema(items: Schema, least: int, most: int) -> Schema:
    """A list of so many items."""
    return {"type": "array", "minItems": least, "maxItems": most, "items": items}


def number_schema(lower: float, upper: float, about: str = "") -> Schema:
    """A number within bounds."""
    bounded: Schema = {"type": "number", "minimum": lower, "maximum": upper}
    return {**bounded, "description": about} if about else bounded


def name_schema(*names: str) -> Schema:
    """One of these names."""
    if len(names) == 1:
        return {"type": "string", "const": names[0]}
    return {"type": "string", "enum": list(names)}


def any_schema(*schemas: Schema) -> Schema:
    """One of these schemas."""
    return {"anyOf": list(schemas)}


def or_null(schema: Schema) -> Schema:
    """What may be left out."""
    return any_schema(schema, {"type": "null"})


def unshared(schema: Mapping[str, object]) -> Schema:
    """The schema with no part in two places: who adapts it to a model changes it in place."""
    return cast("Schema", json.loads(json.dumps(schema)))


class JsonReader:
    """Reads parsed JSON; all that is wrong with its form is in ``diagnostics``."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def wrong(self, where: str, problem: str, hint: str) -> None:
        """Note what is wrong."""
        self.diagnostics.append(Diagnostic(where=where, problem=problem, hint=hint))

    def object(self, data: object, where: str, keys: Iterable[str] = ()) -> dict[str, object]:
        """An object without its nulls, which stand for keys left out.

        Args:
            data: The value.
            where: Where it stands.
            keys: Legal keys; none for any.
        """
        if not isinstance(data, Mapping):
            self.wrong(where, f"expected an object, got {type(data).__name__}", "write {...}")
            return {}
        legal = tuple(keys)
        mapping = cast("Mapping[str, object]", data)
        for key in mapping if legal else ():
            if key not in legal:
                self.wrong(f"{where}.{key}", f"unknown key {key!r}", "legal: " + ", ".join(legal))
        return {key: value for key, value in mapping.items() if value is not None}

    def items(self, data: object, where: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
        """A list, item by item; nothing is the empty list."""
        if data is None:
            return ()
        if not isinstance(data, list):
            self.wrong(where, f"expected a list, got {type(data).__name__}", "write [...]")
            return ()
        parts = cast("list[object]", data)
        return tuple(read(part, f"{where}[{i}]") for i, part in enumerate(parts))

    def text(self, value: object, where: str) -> str:
        """A text."""
        if isinstance(value, str):
            return value
        self.wrong(where, f"expected a text, got {type(value).__name__}", 'write "..."')
        return ""

    def number(self, value: object, unit: str, where: str, names: Iterable[str] = ()) -> float:
        """A number in SI, or text with a unit; NaN where it is neither.

        Args:
            value: The value.
            unit: Key of ``UNITS``.
            where: Where it stands.
            names: Names that may stand instead, for the hint.
        """
        legal = UNITS[unit]
        hint = f"a number{f' in {unit}' if unit != '1' else ''}; units: {', '.join(legal)}"
        if names:
            hint += f"; legal names: {', '.join(names)}"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if math.isfinite(value):
                return float(value)
            self.wrong(where, f"{value} is not finite", hint)
            return math.nan
        match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.wrong(where, f"{value!r} is not a number with a unit", hint)
            return math.nan
        written = match.group(2) or ""
        factor = legal.get(unit_of(written.lower())) if written else 1.0
        if factor is None:
            self.wrong(where, f"unit {written!r} is not legal here", hint)
            return math.nan
        return float(match.group(1)) * factor


def parsed(text: str, form: str) -> dict[str, object]:
    """The JSON object in an answer.

    Args:
        text: What a model or a person wrote.
        form: What it should look like, for the hint.

    Raises:
        ProgramError: There is none, or it is out of bounds.
    """
    try:
        return json_object(text)
    except UnreadableAnswerError as error:
        hint = error.hint or f"answer with one JSON object {form} and nothing else"
        raise ProgramError(
            text, [Diagnostic(where=error.where, problem=error.problem, hint=hint)]
        ) from None


def all_wrong(
    reader: JsonReader, checked: Callable[[], Iterable[Diagnostic]]
) -> tuple[Diagnostic, ...]:
    """What the reader found, then what else is wrong with the program.

    Args:
        reader: Has read it.
        checked: Checks the program; not called where nothing could be read at all.
    """
    found = tuple(reader.diagnostics)
    seen = {d.where for d in found}
    if seen & {"program", "stages"}:
        return found
    return (*found, *(d for d in checked() if d.where not in seen))
