"""Numbers in words and digits, and units: the tables that every translator reads."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBERS: Mapping[str, int] = {
    **{word: n for n, word in enumerate(ONES)},
    **{word: 10 * n for n, word in enumerate(TENS, start=2)},
    "hundred": 100,
}
COUNTS: Mapping[str, int] = {word: n for word, n in NUMBERS.items() if n}
"""Numbers of things that there are."""

DIGITS = re.compile(r"\d+(?:\.\d+)?|\.\d+")

UNITS: Mapping[str, Mapping[str, float]] = {
    "m": {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "ft": 0.3048},
    "rad": {"rad": 1.0, "deg": math.pi / 180},
    "m/s": {"m/s": 1.0, "cm/s": 0.01, "mm/s": 0.001, "km/h": 1 / 3.6},
    "rad/s": {"rad/s": 1.0, "deg/s": math.pi / 180, "rpm": 2 * math.pi / 60},
    "Hz": {"hz": 1.0},
    "s": {"s": 1.0, "ms": 0.001, "min": 60.0},
    "1": {"%": 0.01},
}
"""For each SI unit the units that may be written, with their factors to it."""

FACTORS: Mapping[str, float] = {u: f for units in UNITS.values() for u, f in units.items()}

_NAMES: Mapping[str, str] = {
    "m": "meter meters metre metres",
    "cm": "cms centimeter centimeters centimetre centimetres",
    "mm": "millimeter millimeters millimetre millimetres",
    "inch": "inches",
    "deg": "degree degrees degs \u00b0",
    "rad": "radian radians",
    "hz": "hertz",
    "s": "sec secs second seconds",
    "min": "minute minutes",
    "%": "percent pct",
}
UNIT_NAMES: Mapping[str, str] = {
    **{unit: unit for unit in FACTORS},
    **{name: unit for unit, names in _NAMES.items() for name in names.split()},
}
"""Words for units, and the unit that each means."""


VAGUE_M: Mapping[str, float] = {
    **{f"a {part} width": m for part, m in (("hand", 0.1), ("palm", 0.1), ("finger", 0.02))},
    **{f"a {part} s width": m for part, m in (("hand", 0.1), ("palm", 0.1), ("finger", 0.02))},
    **{f"a few {unit}": 0.03 for unit in ("cm", "centimeters", "centimetres")},
    **{f"a couple of {unit}": 0.02 for unit in ("cm", "centimeters", "centimetres")},
    **{f"several {unit}": 0.05 for unit in ("cm", "centimeters", "centimetres")},
    "a few inches": 0.08, "a couple of inches": 0.05, "a good distance": 0.1,
    "a safe distance": 0.1, "some distance": 0.1,
}  # fmt: skip
"""Distances without a number, m."""


def unit_of(word: str) -> str:
    """The unit that a word means, also of ``"degrees/sec"``; ``""`` if it is none."""
    above, per, below = word.partition("/")
    if per:
        word = f"{UNIT_NAMES.get(above, above)}/{UNIT_NAMES.get(below, below)}"
    return UNIT_NAMES.get(word, "")


_PER = ("per", "a", "an", "each", "every")
_TIMES = {"s": "s", "min": "min", "hour": "h", "h": "h"}
_KILOMETRES = ("km", "kilometers", "kilometres", "kilometer", "kilometre")
_SHARES: Mapping[str, float] = {"half": 0.5, "quarter": 0.25, "quarters": 0.25}
_VAGUE: Mapping[str, float] = {"couple": 2.0, "few": 3.0}


def quantity_at(
    words: Sequence[str], start: int, *, feet: bool = False
) -> tuple[float, str, int] | None:
    """The amount with a unit that begins at ``start``; None where none does.

    "3 cm", "half a second", "a metre and a half", "three quarters of a metre", "one and a half
    seconds", "0.5 metres per second", "zero point two m/s" and "a couple of inches" are amounts.

    Args:
        words: Words of a sentence.
        start: Where to look.
        feet: Whether "foot" and "feet" are units here.

    Returns:
        The number, its unit (a key of ``FACTORS``), and how many words it takes.
    """
    after = [*words[start : start + 12], *[""] * 8]
    often = _often(after)
    if often is not None:
        return often
    found = _number_of_unit(after)
    if found is None:
        return None
    value, pos = found
    unit = "ft" if feet and after[pos] in ("foot", "feet") else unit_of(after[pos])
    unit = unit or ("km" if after[pos] in _KILOMETRES else "")
    if not unit:
        return None
    pos += 1
    below = _TIMES.get(unit_of(after[pos + 1]) or after[pos + 1], "")
    if after[pos] in _PER and f"{unit}/{below}" in FACTORS:
        unit, pos = f"{unit}/{below}", pos + 2
    elif after[pos : pos + 3] == ["and", "a", "half"]:
        value, pos = value + 0.5, pos + 3
    return None if unit == "km" else (value, unit, pos)


def _often(words: Sequence[str]) -> tuple[float, str, int] | None:
    """A frequency: "twice a second", "3 steps per second"."""
    value, pos = number_at(words, 0)
    if value is None:
        value, pos = {"once": 1.0, "twice": 2.0}.get(words[0]), 1
    elif words[pos] in ("times", "time", "steps", "step", "beats", "taps", "stomps"):
        pos += 1
    else:
        return None
    if value is None or words[pos] not in _PER or unit_of(words[pos + 1]) != "s":
        return None
    return value, "hz", pos + 2


def _number_of_unit(words: Sequence[str]) -> tuple[float, int] | None:
    """A number, a share or "a", and how many words stand before its unit."""
    value, pos = number_at(words, 0)
    if value is None and words[0] == "point" and words[1] in ONES[:10]:
        return NUMBERS[words[1]] / 10, 2
    if value is not None and words[pos] == "point" and words[pos + 1] in ONES[:10]:
        return value + NUMBERS[words[pos + 1]] / 10, pos + 2
    if value is not None and words[pos : pos + 3] == ["and", "a", "half"]:
        return value + 0.5, pos + 3
    if value is None:
        pos = int(words[0] in ("a", "an"))
        vague = _VAGUE.get(words[pos])
        if vague is not None:
            return vague, pos + 1 + (words[pos + 1] == "of")
        if words[pos] not in _SHARES:
            return (1.0, 1) if pos else None
    if words[pos] in _SHARES:
        value, pos = (value or 1.0) * _SHARES[words[pos]], pos + 1
        pos += words[pos] == "of"
        pos += words[pos] in ("a", "an")
    assert value is not None
    return value, pos


def number_at(words: Sequence[str], start: int) -> tuple[float | None, int]:
    """The number that begins at ``start``, in digits or words, and how many words it takes."""
    word, after = words[start], [*words[start + 1 : start + 3], "", ""]
    if DIGITS.fullmatch(word):
        return float(word), 1
    value, used = NUMBERS.get(word), 1
    if value is None:
        return None, 0
    if word in TENS and after[0] in ONES[1:10]:
        value, used = value + NUMBERS[after[0]], 2
    elif word in ONES[1:10] and after[0] == "hundred":
        rest, more = number_at(words, start + 2) if after[1] in NUMBERS else (None, 0)
        if rest is None or not 0 < rest < 100:
            rest, more = 0, 0
        value, used = int(100 * value + rest), 2 + more
    return float(value), used
