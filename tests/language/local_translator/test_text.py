from __future__ import annotations

import pytest

from embodied.language.offline.text import normalise


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Lift it FIFTEEN centimetres!", "lift it 15 cm"),
        ("turn twenty-five degrees", "turn 25 deg"),
        ("turn 90° left", "turn 90 deg left"),
        ("half a meter up", "0.5 m up"),
        ("go at 0,5 m/s", "go at 0.5 m/s"),
        ("two meters per second", "2 m/s"),
        ("the blue one on the red one", "the blue one on the red one"),
        ("one meter", "1 m"),
        ("one hundred twenty cm", "120 cm"),
        ("two hundred cm", "200 cm"),
        ("wait... what?", "wait, what"),
        ("a; b: c", "a, b, c"),
        ("10cm", "10 cm"),
        ("apple -> bowl", "apple -> bowl"),
        ("", ""),
    ],
)
def test_one_form_for_every_way_of_typing(typed: str, read: str) -> None:
    assert normalise(typed) == read


def test_normalising_twice_changes_nothing() -> None:
    for typed in ("Put the RED block, then 20 cm left.", "seventy five percent", "u-turn"):
        once = normalise(typed)
        assert normalise(once) == once
