"""OpenAI's published rules for strict schemas, as its endpoint applies them.

https://platform.openai.com/docs/guides/structured-outputs: the root is an object, every object is
closed and requires all its keys, every part has a type, only some keywords are supported, at most
ten levels, 5,000 keys, 1,000 names in enumerations and 120,000 characters of keys and names;
objects in ``anyOf`` that begin with the same key must be told apart by its value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TYPES = ("string", "number", "boolean", "integer", "object", "array", "null")
_ANYWHERE = {"type", "description", "title", "enum", "const", "anyOf", "$ref"}
_BY_TYPE = {
    "object": {"properties", "required", "additionalProperties", "$defs"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"pattern", "format"},
    "number": {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
}
_BY_TYPE["integer"] = _BY_TYPE["number"]


def schema_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """The ``json_schema`` of a request to chat completions or responses; None without one."""
    form = body.get("response_format") or (body.get("text") or {}).get("format") or {}
    found = form.get("json_schema", form)
    return found if "schema" in found else None


def refusal(body: dict[str, Any]) -> str:
    """Why a request is refused; ``""`` for one that is taken."""
    for tool in body.get("tools") or ():
        function = tool.get("function", tool)
        for fault in faults(function["parameters"]) if function.get("strict") is True else ():
            return f"Invalid schema for function '{function['name']}': {fault}"
    form = schema_of(body)
    if form is None or form.get("strict") is not True:
        return "" if form is None else "the schema is not strict"
    for fault in faults(form["schema"]):
        return f"Invalid schema for response_format '{form['name']}': {fault}"
    return ""


def faults(schema: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a schema."""
    if schema.get("type") != "object" or "anyOf" in schema:
        yield "schema must be a JSON Schema of 'type: \"object\"'"
    counts = {"keys": 0, "names": 0, "characters": 0}
    yield from _faults(schema, "()", 0, counts)
    for what, most in (("keys", 5000), ("names", 1000), ("characters", 120_000)):
        if counts[what] > most:
            yield f"{counts[what]} {what} exceed the limit of {most}"


def _faults(part: Any, where: str, depth: int, counts: dict[str, int]) -> Iterator[str]:
    if not isinstance(part, dict):
        yield f"In context={where}, a schema must be an object"
        return
    names = [v for v in (*part.get("enum", ()), part.get("const")) if isinstance(v, str)]
    counts["names"] += len(part.get("enum", ()))
    counts["characters"] += sum(map(len, names))
    kinds = part.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not kinds and not {"anyOf", "$ref"} & set(part):
        yield f"In context={where}, schema must have a 'type' key"
    if wrong := set(kinds) - set(_TYPES):
        yield f"In context={where}, {sorted(wrong)} are no types"
    legal = _ANYWHERE.union(*(_BY_TYPE.get(k, set()) for k in kinds))
    if wrong := set(part) - legal:
        yield f"In context={where}, {sorted(wrong)} is not permitted"
    if "object" in kinds:
        depth += 1
        if depth > 10:
            yield f"{depth} levels of nesting exceeds limit of 10"
        keys = part.get("properties", {})
        counts["keys"] += len(keys)
        counts["characters"] += sum(map(len, keys))
        if part.get("additionalProperties") is not False:
            yield f"In context={where}, 'additionalProperties' is required to be false"
        if sorted(part.get("required", ())) != sorted(keys):
            yield f"In context={where}, 'required' must include every key in properties"
        for key, value in keys.items():
            yield from _faults(value, f"{where}.{key}", depth, counts)
    if "array" in kinds:
        if "items" not in part:
            yield f"In context={where}, array schema missing items"
        else:
            yield from _faults(part["items"], f"{where}[]", depth, counts)
    choices = part.get("anyOf", ())
    for number, choice in enumerate(choices):
        yield from _faults(choice, f"{where}|{number}", depth, counts)
    yield from _alike(choices, where)


def _alike(choices: Any, where: str) -> Iterator[str]:
    taken: dict[str, set[str]] = {}
    for choice in choices:
        keys = choice.get("properties") or {}
        if not keys:
            continue
        first = next(iter(keys))
        values = set(keys[first].get("enum", ())) | {keys[first].get("const")} - {None}
        if first in taken and (not values or not taken[first] or values & taken[first]):
            yield (
                f"In context={where}, objects provided via 'anyOf' must not share identical first "
                "keys"
            )
        taken[first] = taken.get(first, set()) | values
