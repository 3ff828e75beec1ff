"""Numbers with units in slots: ``20 cm``, ``1.5 rad/s``, ``50 %``."""

from __future__ import annotations

import math

from embodied.language.offline.grammar import NUMBER, Symbols, lit
from embodied.language.offline.slots import SlotError

FACTORS = {
    "m": 1.0,
    "cm": 0.01,
    "mm": 0.001,
    "deg": math.pi / 180,
    "rad": 1.0,
    "m/s": 1.0,
    "cm/s": 0.01,
    "rad/s": 1.0,
    "deg/s": math.pi / 180,
    "hz": 1.0,
    "s": 1.0,
    "%": 0.01,
}
"""SI value of one unit."""

LENGTH = ("cm", "m", "mm")
ANGLE = ("deg", "rad")
SPEED = ("m/s", "cm/s")
RATE = ("rad/s", "deg/s")


def number_rules() -> dict[str, tuple[Symbols, ...]]:
    """Rules ``number`` and one rule per quantity, each with a space in front."""
    from embodied.language.offline.grammar import DIGIT

    rules: dict[str, tuple[Symbols, ...]] = {"digit": DIGIT, "number": NUMBER}
    for name, units in (
        ("length", LENGTH),
        ("angle", ANGLE),
        ("speed", SPEED),
        ("rate", RATE),
        ("frequency", ("hz",)),
        ("duration", ("s",)),
        ("share", ("%",)),
    ):
        rules[name] = ((lit(" "), "number", f"unit-{name}"),)
        rules[f"unit-{name}"] = tuple((lit(f" {u}"),) for u in units)
    return rules


def quantity(words: list[str]) -> float | None:
    """SI value of a trailing ``NUMBER UNIT``; None where there is none.

    Raises:
        SlotError: A number without a legal unit.
    """
    if len(words) < 2 or not words[-2].replace(".", "", 1).isdigit():
        if words and words[-1].replace(".", "", 1).isdigit():
            raise SlotError(f"number without unit: {' '.join(words)!r}")
        return None
    if words[-1] not in FACTORS:
        raise SlotError(f"unknown unit {words[-1]!r}, legal: {', '.join(FACTORS)}")
    return round(float(words[-2]) * FACTORS[words[-1]], 6)
