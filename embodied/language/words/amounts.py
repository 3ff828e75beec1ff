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
    "m": {"m": 1.0, "cm": 0.01, "mm": 0.001},
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


def unit_of(word: str) -> str:
    """The unit that a word means, also of ``"degrees/sec"``; ``""`` if it is none."""
    above, per, below = word.partition("/")
    if per:
        word = f"{UNIT_NAMES.get(above, above)}/{UNIT_NAMES.get(below, below)}"
    return UNIT_NAMES.get(word, "")


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
