"""Numbers with units in slots: ``20 cm``, ``1.5 rad/s``, ``50 %``."""

from __future__ import annotations

from collections.abc import Mapping

from embodied.language.offline.grammar import DIGIT, NUMBER, Symbols, lit
from embodied.language.offline.slots import SlotError
from embodied.language.words import amounts as units

FACTORS = {
    unit: units.FACTORS[unit] for unit in "m cm mm deg rad m/s cm/s rad/s deg/s hz s %".split()
}
"""SI value of one unit."""

QUANTITIES: Mapping[str, tuple[str, ...]] = {
    "length": ("cm", "m", "mm"),
    "angle": ("deg", "rad"),
    "speed": ("m/s", "cm/s"),
    "rate": ("rad/s", "deg/s"),
    "frequency": ("hz",),
    "duration": ("s",),
    "share": ("%",),
}
"""Units of each rule of numbers."""


def number_rules() -> dict[str, tuple[Symbols, ...]]:
    """Rules ``number`` and one rule per quantity, each with a space in front."""
    rules: dict[str, tuple[Symbols, ...]] = {"digit": DIGIT, "number": NUMBER}
    for name, legal in QUANTITIES.items():
        rules[name] = ((lit(" "), "number", f"unit-{name}"),)
        rules[f"unit-{name}"] = tuple((lit(f" {unit}"),) for unit in legal)
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
