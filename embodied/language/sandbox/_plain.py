"""Values that may cross the border of the sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

_NO_TEXT = re.compile(
    r"<(function|class|bound method|built-in) .*>$|range\(.*\)$|[\[({]\.{3}[\])}]$"
)
"""How the interpreter hands over what has no plain form."""

MOST_NODES = 100_000
MOST_DEPTH = 40
MOST_BITS = 256


def plain(value: object) -> object:
    """A copy of plain data that shares nothing with itself.

    A list that holds another one twice, and so on thirty times, is small in the sandbox and larger
    than any memory once somebody walks through it; such values are refused here.

    Raises:
        TypeError: Not plain data, nested too deeply, or too much of it.
    """
    return _Copier().copy(value, 0)


def size_of(value: object, most: int) -> int:
    """Bytes of plain data as it would be written out; counting ends above ``most``."""
    total, level = 0, [value]
    while level and total <= most:
        part = level.pop()
        total += 8
        if isinstance(part, (str, bytes)):
            total += len(part)
        elif isinstance(part, int):
            total += part.bit_length() // 8
        elif isinstance(part, dict):
            level += [*part, *part.values()]
        elif isinstance(part, (list, tuple, set, frozenset)):
            level += part
    return total


class _Copier:
    def __init__(self) -> None:
        self.nodes = 0

    def copy(self, value: object, depth: int) -> object:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise TypeError(f"more than {MOST_NODES} values")
        if depth > MOST_DEPTH:
            raise TypeError(f"nested more than {MOST_DEPTH} deep")
        kind = type(value)
        if kind is str and isinstance(value, str) and _NO_TEXT.match(value):
            raise TypeError(f"{value[:40]!r} is no text: a function, a class, a range, or a cycle")
        if value is None or kind in (bool, float, str):
            return value
        if kind is int and isinstance(value, int):
            if value.bit_length() > MOST_BITS:
                raise TypeError(f"an integer of {value.bit_length()} bits, at most {MOST_BITS}")
            return value
        if kind in (list, tuple, set, frozenset):
            parts = cast("Iterable[object]", value)
            return kind([self.copy(v, depth + 1) for v in parts])
        if kind is dict:
            items = cast("dict[object, object]", value).items()
            return {self.copy(k, depth + 1): self.copy(v, depth + 1) for k, v in items}
        raise TypeError(
            f"{kind.__name__} is not plain data: legal are None, bool, int, float, str, list,"
            " tuple, set and dict"
        )
