"""Where things lie beside each other, in numbers that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from embodied_planners.skills.relations import Layout, misfit, shortfall, target, turned_by, unmet

from embodied.types import ObjectSpec, Placement, Pose

SPECS = {
    "a": ObjectSpec(name="a", kind="item", category="block", size_m=(0.04, 0.04, 0.04)),
    "b": ObjectSpec(name="b", kind="item", category="block", size_m=(0.04, 0.04, 0.04)),
    "tray": ObjectSpec(name="tray", kind="surface", category="tray", size_m=(0.2, 0.3, 0.01)),
}
HALF = np.array([0.02, 0.02])


def at(x: float, y: float, yaw: float = 0.0) -> Pose:
    return Pose(
        position=np.array([x, y, 0.02]),
        quat_wxyz=np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]),
    )


LAYOUT = Layout(specs=SPECS, poses={"a": at(0.5, 0.0), "b": at(0.4, 0.2), "tray": at(0.5, -0.3)})


def off(placement: Placement, x: float, y: float) -> float:
    return float(shortfall(placement, LAYOUT, np.array([[x, y]]), HALF)[0])


@pytest.mark.parametrize(
    ("relation", "inside", "outside"),
    [
        ("left", (0.4, 0.27), (0.4, 0.13)),
        ("right", (0.4, 0.13), (0.4, 0.27)),
        ("front", (0.47, 0.2), (0.33, 0.2)),
        ("back", (0.33, 0.2), (0.47, 0.2)),
        ("near", (0.46, 0.26), (0.6, 0.2)),
        ("away", (0.6, 0.0), (0.46, 0.2)),
    ],
)
def test_sides_of_a_thing(relation, inside, outside) -> None:
    placement = Placement(item="a", relation=relation, of=("b",))
    assert off(placement, *inside) == 0.0
    assert off(placement, *outside) > 0.02


def test_a_distance_is_kept_between_surfaces() -> None:
    placement = Placement(item="a", relation="left", of=("b",), distance_m=0.05)
    exact = target(placement, LAYOUT)
    assert exact is not None
    assert exact == pytest.approx([0.4, 0.2 + 0.02 + 0.02 + 0.05])
    assert off(placement, *exact) == 0.0
    assert off(placement, exact[0], exact[1] + 0.03) == pytest.approx(0.01)


def test_between_is_near_the_middle_of_the_line() -> None:
    placement = Placement(item="c", relation="between", of=("a", "b"))
    assert off(placement, 0.45, 0.1) == 0.0
    assert off(placement, 0.5, 0.15) > 0.02
    assert off(placement, 0.5, 0.0) > 0.02


def test_parts_of_a_tray() -> None:
    corner = Placement(item="a", relation="part", of=("tray",), by_m=(1.0, 1.0))
    assert off(corner, 0.57, -0.18) == 0.0
    assert off(corner, 0.5, -0.3) > 0.02
    middle = Placement(item="a", relation="middle", of=("tray",))
    assert off(middle, 0.5, -0.3) == 0.0
    assert off(middle, 0.57, -0.18) > 0.02
    points = np.array([[0.58, -0.17], [0.53, -0.25]])
    best, worse = misfit(corner, LAYOUT, points, HALF)
    assert best < worse


def test_a_displacement_and_a_turn_are_told_by_where_the_thing_was() -> None:
    moved = Placement(item="a", relation="moved", by_m=(0.0, 0.1))
    assert unmet(moved, LAYOUT, at(0.5, 0.1)) == (0.0, 0.0)
    assert unmet(moved, LAYOUT, at(0.5, 0.0))[0] == pytest.approx(0.075)
    turned = Placement(item="a", relation="turned", angle_rad=np.pi / 2)
    assert unmet(turned, LAYOUT, at(0.5, 0.0, np.pi / 2)) == (0.0, 0.0)
    assert unmet(turned, LAYOUT, at(0.5, 0.0, -np.pi / 2))[1] > 3.0
    assert turned_by(at(0, 0, 0.3), at(0, 0, 1.0)) == pytest.approx(0.7)
