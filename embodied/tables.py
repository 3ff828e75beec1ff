"""Tables of configuration files (TOML) become dataclasses; what is wrong becomes diagnostics.

A field's annotation says what its key may hold: ``str``, ``bool``, ``float``, ``int``, tuples of
them, ``Mapping[str, X]``, another dataclass, ``X | None``; ``Annotated[X, Range(0, 1)]`` and
``Annotated[str, OneOf(("box", "sphere"))]`` bound it. A field without default is obligatory; a key
that no field names is refused with the legal ones. A field ``in_`` is the key ``in``.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import tomllib
import types
import typing
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypeVar, Union, cast, get_args, get_origin

from embodied.errors import ConfigurationError, Diagnostic
from embodied.files import SMALL, read_text

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, or of every number of a tuple, both included."""

    lower: float = -math.inf
    upper: float = math.inf


@dataclasses.dataclass(frozen=True, slots=True)
class OneOf:
    """The legal texts; a default may be another one."""

    legal: Collection[str]


def load_toml(text: str | Path, source: str = "") -> Mapping[str, object]:
    """The tables of a TOML text, or of a file.

    Args:
        text: The text, or the path of the file.
        source: What it is called in messages; a file's path otherwise.

    Raises:
        ConfigurationError: It cannot be read, is too long or no TOML.
    """
    source = source or str(text)
    if isinstance(text, Path):
        text = read_text(text)
    if len(text) > SMALL:
        raise ConfigurationError(f"{source} is longer than {SMALL} characters")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{source}: not valid TOML: {error}") from error


def refused(source: str, what: str, problems: Collection[Diagnostic]) -> ConfigurationError:
    """The error that lists everything that is wrong with a file."""
    lines = "\n".join(f"  - {p}" for p in problems)
    return ConfigurationError(f"{source} is not a usable {what}:\n{lines}")


def read_table(kind: type[T], data: object, where: str, problems: list[Diagnostic]) -> T | None:
    """Read a table into a dataclass.

    Args:
        kind: The dataclass.
        data: What the file holds.
        where: What the table is called in diagnostics.
        problems: Receives everything that is wrong with it.

    Returns:
        The table, None where something is wrong with it.
    """
    table = _mapping(data, where, problems)
    if table is None:
        return None
    fields = {f.name.rstrip("_"): f for f in dataclasses.fields(cast("type", kind))}
    before = len(problems)
    for key in table:
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            guess = f"did you mean {close[0]!r}? " if close else ""
            hint = f"{guess}keys: {', '.join(sorted(fields))}"
            _refuse(problems, f"{where}.{key}", "is not a key here", hint)
    values: dict[str, object] = {}
    for key, field in fields.items():
        if key in table:
            hint = _hints(kind)[field.name]
            values[field.name] = _value(hint, table[key], f"{where}.{key}", problems)
        elif field.default is field.default_factory is dataclasses.MISSING:
            _refuse(problems, f"{where}.{key}", "is missing")
    return kind(**values) if len(problems) == before else None


@lru_cache
def _hints(kind: type) -> Mapping[str, object]:
    return typing.get_type_hints(kind, include_extras=True)


def _refuse(problems: list[Diagnostic], where: str, problem: str, hint: str = "") -> None:
    problems.append(Diagnostic(where=where, problem=problem, hint=hint))


def _mapping(data: object, where: str, problems: list[Diagnostic]) -> Mapping[str, object] | None:
    if isinstance(data, Mapping):
        return cast("Mapping[str, object]", data)
    _refuse(problems, where, "must be a table of keys and values")
    return None


def _value(kind: object, value: object, where: str, problems: list[Diagnostic]) -> object:
    """A value as its annotation says; what it returns after a problem is of no use."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _bounded(args, value, where, problems)
    if origin in (Union, types.UnionType):
        return _value(next(a for a in args if a is not type(None)), value, where, problems)
    if origin is tuple:
        return _tuple(args, value, where, problems)
    if origin is not None:  # a mapping
        table = _mapping(value, where, problems) or {}
        return {k: _value(args[1], v, f"{where}.{k}", problems) for k, v in table.items()}
    if dataclasses.is_dataclass(kind):
        return read_table(cast("type[object]", kind), value, where, problems)
    if kind is float or kind is int:
        legal = isinstance(value, int | float if kind is float else int)
        if legal and not isinstance(value, bool):
            return float(value) if kind is float else value  # pyright: ignore[reportArgumentType]
    elif isinstance(value, cast("type", kind)):
        return value
    _refuse(problems, where, f"has the value {value!r}", _HINTS[kind])
    return value


_HINTS: Mapping[object, str] = {
    float: "a number",
    int: "a whole number",
    str: "a text in quotes",
    bool: "true or false",
}
_MANY: Mapping[object, str] = {float: "numbers", int: "whole numbers", str: "texts"}


def _tuple(
    args: tuple[object, ...], value: object, where: str, problems: list[Diagnostic]
) -> tuple[object, ...]:
    kind, any_number = args[0], args[-1] is ...
    items = cast("list[object]", value) if isinstance(value, list | tuple) else None
    if dataclasses.is_dataclass(kind):
        if items is None:
            name = where.rpartition(".")[2]
            _refuse(problems, where, "must be a list", f"write [[{name}]] in double brackets")
        return tuple(
            _value(kind, v, _label(where, i, v), problems) for i, v in enumerate(items or ())
        )
    wrong: list[Diagnostic] = []
    if items is not None and (any_number or len(items) == len(args)):
        read = tuple(_value(kind, v, where, wrong) for v in items)
        if not wrong:
            return read
    many = _MANY.get(kind, "values")
    hint = f"a list of {many}" if any_number else f"a list of {len(args)} {many}"
    _refuse(problems, where, f"has the value {value!r}", hint)
    return ()


def _label(where: str, number: int, entry: object) -> str:
    """What an entry of a list of tables is called: by its name where it has one."""
    name = cast("Mapping[str, object]", entry).get("name") if isinstance(entry, Mapping) else None
    return f"{where.rpartition('.')[2]}[{number if name is None else name}]"


def _bounded(
    args: tuple[object, ...], value: object, where: str, problems: list[Diagnostic]
) -> object:
    before = len(problems)
    limit = args[1]
    if isinstance(limit, OneOf):
        if not isinstance(value, str) or value not in limit.legal:
            hint = f"legal values: {', '.join(limit.legal)}"
            _refuse(problems, where, f"has the value {value!r}", hint)
        return value
    read = _value(args[0], value, where, problems)
    if len(problems) > before or not isinstance(limit, Range):
        return read
    each = cast("tuple[float, ...]", read if isinstance(read, tuple) else (read,))
    if any(not limit.lower <= v <= limit.upper for v in each):
        some = "each must lie" if isinstance(read, tuple) else "must lie"
        said = list(each) if isinstance(read, tuple) else value
        _refuse(problems, where, f"is {said}", f"{some} in [{limit.lower:g}, {limit.upper:g}]")
    return read


def toml_value(value: object) -> str:
    """A text, number, truth value, or list of them as TOML has it.

    Raises:
        ConfigurationError: It is something else, or a number that is not finite.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float) and math.isfinite(value):
        return repr(float(value) if isinstance(value, float) else int(value))
    if isinstance(value, list | tuple):
        items = cast("tuple[object, ...]", value)
        return "[" + ", ".join(map(toml_value, items)) + "]"
    raise ConfigurationError(f"{value!r} cannot be written into a configuration file")
