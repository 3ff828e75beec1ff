"""The JSON object in a model's answer, read within bounds.

An answer comes from outside: it may be endless, nested without end, or hold numbers that no
program can use. What is read here is finite, of bounded size, and says each thing once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence

LONGEST_TEXT = 2**18
"""Longest answer, characters."""

DEEPEST, LONGEST_LIST, LONGEST_STRING, MOST_VALUES = 32, 200, 10_000, 20_000
"""Bounds on nesting, on items of one list, on characters of one string and on values in all."""

_TRIES = 20
_OPENING = re.compile(r'\{(?=\s*["}])')
_SURROGATE = re.compile("[\ud800-\udfff]")


class UnreadableAnswerError(ValueError):
    """An answer that holds no JSON object within bounds.

    Attributes:
        where: Where in the answer, e.g. ``"line 3"``.
        problem: What is wrong there.
        hint: What is legal.
    """

    def __init__(self, where: str, problem: str, hint: str = "") -> None:
        super().__init__(f"{where}: {problem}")
        self.where, self.problem, self.hint = where, problem, hint


def json_object(text: str) -> dict[str, object]:
    """The first JSON object in an answer; prose and fences around it are passed over.

    Time grows with the length of the text alone: at most 20 opening braces are tried.

    Raises:
        UnreadableAnswerError: There is none, or it is out of bounds; the first such object counts.
    """
    if len(text) > LONGEST_TEXT:
        problem = f"it has {len(text)} characters"
        raise UnreadableAnswerError("answer", problem, f"at most {LONGEST_TEXT}")
    reason = UnreadableAnswerError("line 1", "not JSON: no object {...} begins")
    for number, opening in enumerate(_OPENING.finditer(text)):
        if number == _TRIES:
            break
        where = f"line {1 + text.count(chr(10), 0, opening.start())}"
        try:
            value, _ = _DECODER.raw_decode(text, opening.start())
        except json.JSONDecodeError as error:
            if not number:
                reason = UnreadableAnswerError(f"line {error.lineno}", f"not JSON: {error.msg}")
            continue
        except RecursionError:
            raise _out_of_bounds(where, "nested too deeply", f"{DEEPEST} levels") from None
        except ValueError as error:
            raise UnreadableAnswerError(where, str(error)) from None
        if isinstance(value, dict):
            check_bounds(value, where)
            return value
    raise reason


def check_bounds(data: object, where: str = "answer") -> None:
    """Check the size of JSON data.

    Raises:
        UnreadableAnswerError: It is nested too deeply, or holds too many or too long values.
    """
    count, level = 0, [data]
    for depth in range(DEEPEST + 1):
        count += len(level)
        if count > MOST_VALUES:
            raise _out_of_bounds(where, f"more than {MOST_VALUES} values", f"{MOST_VALUES} values")
        for value in level:
            if isinstance(value, str):
                if len(value) > LONGEST_STRING:
                    most = f"{LONGEST_STRING} characters"
                    raise _out_of_bounds(where, f"a text of {len(value)} characters", most)
                if _SURROGATE.search(value):
                    raise UnreadableAnswerError(where, "half of a surrogate pair in a text")
            elif isinstance(value, (list, dict)) and len(value) > LONGEST_LIST:
                raise _out_of_bounds(where, f"{len(value)} items in one place", f"{LONGEST_LIST}")
        if depth == DEEPEST and any(isinstance(v, (list, dict)) for v in level):
            raise _out_of_bounds(where, "nested too deeply", f"{DEEPEST} levels")
        level = [part for value in level for part in _parts(value)]


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _out_of_bounds(where: str, problem: str, most: str) -> UnreadableAnswerError:
    return UnreadableAnswerError(where, problem, f"at most {most}")


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(n for n in names if names.count(n) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice")
    return result


def _integer(text: str) -> int:
    if len(text) > 18:
        raise ValueError(f"a number with {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=_integer, parse_float=_finite, parse_constant=_constant
)
