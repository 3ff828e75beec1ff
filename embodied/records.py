"""JSON that somebody else may have written: read with checks, and one record per line.

A file of a run may have been cut off by a kill, a full disk or an editor. What is wrong in it is an
error that names the place and the key, never a traceback.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from enum import Enum
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from embodied.errors import ConfigurationError
from embodied.files import read_bytes
from embodied.types import Atom, GroundAction

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """A JSON object whose values are checked when they are read.

    Each reader takes a key and what to return where the key is missing; without that, a missing
    key is an error.

    Attributes:
        values: The object as it is.
        where: What it is, for messages, e.g. the path of its file.

    Raises:
        ConfigurationError: From every reader: the key is missing, or its value is of another kind.
    """

    values: Mapping[str, object]
    where: str = "record"

    @staticmethod
    def of(value: object, where: str = "record") -> Record:
        """A value that must be an object."""
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"{where} holds no object")
        return Record(cast("Mapping[str, object]", value), where)

    @staticmethod
    def parse(text: str | bytes, where: str = "record") -> Record:
        """Text that must be the JSON of an object."""
        try:
            value: object = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"{where} is damaged: {error}") from error
        return Record.of(value, where)

    @staticmethod
    def load(path: Path) -> Record:
        """A file that must hold the JSON of an object."""
        return Record.parse(read_bytes(path), str(path))

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def value(self, key: str) -> object:
        """A value of any kind."""
        if key not in self.values:
            raise ConfigurationError(f"{self.where} lacks {key!r}")
        return self.values[key]

    def text(self, key: str, default: str | None = None) -> str:
        """A string."""
        return self._one(key, default, (str,), "a string")

    def flag(self, key: str, default: bool | None = None) -> bool:
        """A truth value."""
        return self._one(key, default, (bool,), "true or false")

    def integer(self, key: str, default: int | None = None) -> int:
        """A whole number."""
        return self._one(key, default, (int,), "a whole number")

    def number(self, key: str, default: float | None = None) -> float:
        """A number."""
        return float(self._one(key, default, (int, float), "a number"))

    def items(self, key: str, default: Sequence[object] | None = None) -> Sequence[object]:
        """A list of anything."""
        return self._one(key, default, (list, tuple), "a list")

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """A list of strings."""
        items = self.items(key, default)
        if not all(isinstance(item, str) for item in items):
            raise self._wrong(key, "a list of strings", items)
        return tuple(map(str, items))

    def record(self, key: str, default: Mapping[str, object] | None = None) -> Record:
        """An object."""
        found = self._one(key, default, (Mapping,), "an object")
        return Record(found, f"{self.where}, {key!r}")

    def records(self, key: str, default: Sequence[object] | None = None) -> tuple[Record, ...]:
        """A list of objects."""
        items = self.items(key, default)
        return tuple(Record.of(v, f"{self.where}, {key!r}[{i}]") for i, v in enumerate(items))

    def _one(self, key: str, default: T | None, kinds: tuple[type, ...], what: str) -> T:
        if default is not None and key not in self.values:
            return default
        found = self.value(key)
        if not isinstance(found, kinds) or (isinstance(found, bool) and bool not in kinds):
            raise self._wrong(key, what, found)
        return cast("T", found)

    def _wrong(self, key: str, what: str, found: object) -> ConfigurationError:
        return ConfigurationError(f"{self.where}: {key!r} must be {what}, got {found!r:.80}")


def jsonable(value: object) -> object:
    """Turn ``value`` into what JSON can hold: arrays become lists, atoms PDDL text, NaN null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Atom() | GroundAction() | Path():
            return str(value)
        case Enum():
            return value.name.lower()
        case np.generic() | np.ndarray():
            return jsonable(cast("object", value.tolist()))
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            return {str(k): jsonable(v) for k, v in items}
        case Set():
            return sorted((jsonable(v) for v in cast("Set[object]", value)), key=str)
        case Sequence():
            return [jsonable(v) for v in cast("Sequence[object]", value)]
        case _ if dataclasses.is_dataclass(value):
            return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
        case _:
            return str(value)


def json_line(record: object) -> str:
    """A record as one line, with its end; raises ValueError for NaN."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def read_lines(
    path: Path, read: Callable[[Record], T] = lambda record: record
) -> tuple[list[T], int]:
    """Read a file of one JSON object per line, leaving out damaged lines.

    Args:
        path: The file.
        read: Makes of each record what is wanted; where it raises ValueError, the line is damaged.

    Returns:
        What was read, in order, and how many lines were left out.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    lines = read_bytes(path).split(b"\n")
    found: list[T] = []
    damaged = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(read(Record.parse(line, f"{path}, line {number}")))
            except ValueError:
                damaged += 1
    return found, damaged


class LineLog:
    """Appends lines to a file, each handed to the operating system before ``append`` returns.

    A killed process loses at most the line being written. A last line that was cut off earlier is
    ended, so that what follows can be read.

    Args:
        path: The file; made if missing.
        sync: Have each line on the disk before ``append`` returns.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path, *, sync: bool = False) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self.descriptor = os.open(path, flags, 0o644)
        self._sync = sync
        size = os.fstat(self.descriptor).st_size
        self._torn = size > 0 and os.pread(self.descriptor, 1, size - 1) != b"\n"

    def append(self, data: bytes) -> None:
        """Append a line, its end included.

        Raises:
            OSError: It could not be written; the next one begins on a line of its own.
        """
        if self._torn:
            data = b"\n" + data
        self._torn = True
        while data:
            data = data[os.write(self.descriptor, data) :]
        if self._sync:
            os.fsync(self.descriptor)
        self._torn = False

    def cut(self, size: int) -> None:
        """Keep the first ``size`` bytes, whole lines, alone; raises OSError."""
        os.ftruncate(self.descriptor, size)
        self._torn = False
        if self._sync:
            os.fsync(self.descriptor)

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> LineLog:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def append_lines(path: Path, records: Iterable[object], *, sync: bool = False) -> None:
    """Append records to a file, one line each; raises OSError."""
    with LineLog(path, sync=sync) as log:
        log.append("".join(map(json_line, records)).encode("utf-8", "replace"))
