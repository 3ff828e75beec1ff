from __future__ import annotations

import pytest

from embodied.language.value_map import AREAS, GRIPPER_DIRECTIONS, area_bounds, check
from embodied.types import MapOperation, Pose, Region, ValueMapProgram, ValueMapStage

POINT = Region(shape="point", frame="cup", parameters={"x": 0.0, "y": 0.1, "z": 0.0})


def one(operation: MapOperation, moving: str = "gripper") -> ValueMapProgram:
    stage = ValueMapStage(moving=moving, operations=(operation,))
    return ValueMapProgram(stages=(stage,), source="test")


def test_a_legal_program() -> None:
    assert check(one(MapOperation(map="affordance", region=POINT, value=1.0)), ["cup"]) == ()


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (MapOperation(map="force", region=POINT, value=1.0), "legal: affordance, avoidance"),
        (MapOperation(map="velocity", region=POINT, value=90.0), "0.005 to 1.5"),
        (MapOperation(map="rotation", region=POINT, value=1.0), "quaternion"),
        (MapOperation(map="rotation", region=POINT, value=(1.0, 1.0, 0.0, 0.0)), "length"),
        (
            MapOperation(map="affordance", region=Region(shape="cone"), value=1.0),
            "legal: point, ball",
        ),
        (
            MapOperation(map="affordance", region=Region(shape="point", frame="pear"), value=1.0),
            "legal: world, gripper, cup",
        ),
        (
            MapOperation(
                map="avoidance",
                region=Region(shape="near-object", frame="cup", parameters={"width": 1.0}),
                value=1.0,
            ),
            "radius",
        ),
        (
            MapOperation(
                map="affordance",
                region=Region(shape="along", frame="cup", parameters={"x": 9.0, "y": 0, "z": 0}),
                value=1.0,
            ),
            "out of range",
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_is_legal(operation: MapOperation, said: str) -> None:
    found = check(one(operation), ["cup"])
    assert found and said in " ".join(str(d) for d in found)


def test_empty_programs_and_unknown_movers() -> None:
    assert check(ValueMapProgram(stages=(), source="test"), [])
    assert check(one(MapOperation(map="affordance", region=POINT, value=1.0), "pear"), ["cup"])
    stage = ValueMapStage(moving="gripper", operations=())
    assert check(ValueMapProgram(stages=(stage,), source="test"), [])


def test_areas_cover_the_workspace_and_left_is_plus_y() -> None:
    lower, upper = (0.2, -0.5), (0.8, 0.5)
    for area in AREAS:
        b = area_bounds(area, lower, upper)
        assert lower[0] <= b["x_lower"] < b["x_upper"] <= upper[0]
        assert lower[1] <= b["y_lower"] < b["y_upper"] <= upper[1]
    assert area_bounds("left", lower, upper)["y_lower"] == 0.0
    assert area_bounds("front-right", lower, upper)["x_lower"] == pytest.approx(0.5)
    with pytest.raises(ValueError, match="legal: left"):
        area_bounds("top", lower, upper)


def test_gripper_directions_turn_the_approach_axis() -> None:
    wanted = {
        "down": (0, 0, -1),
        "up": (0, 0, 1),
        "forward": (1, 0, 0),
        "back": (-1, 0, 0),
        "left": (0, 1, 0),
        "right": (0, -1, 0),
    }
    for name, quaternion in GRIPPER_DIRECTIONS.items():
        pose = Pose(position=(0.0, 0.0, 0.0), quat_wxyz=quaternion)
        assert pose.rotation[:, 2] == pytest.approx(wanted[name], abs=1e-9)
