"""Programs in VoxPoser's vocabulary: what they record, and whose frame it is in."""

from __future__ import annotations

import numpy as np
import pytest

from embodied.errors import NotUnderstoodError, ProgramError
from embodied.language.value_map import describe
from embodied.language.value_map.python_program import run_python
from embodied.types import ObjectSpec, ValueMapProgram, WorldSpec

ONE = np.zeros(1)
OBJECTS = {
    "red-block": ObjectSpec(
        name="red-block", kind="item", category="block", color="red", size_m=(0.05, 0.05, 0.05)
    ),
    "bowl": ObjectSpec(name="bowl", kind="container", category="bowl", size_m=(0.2, 0.2, 0.06)),
}
SPEC = WorldSpec(
    name="test",
    robot="none",
    joint_names=("j",),
    q_lower=ONE,
    q_upper=ONE,
    dq_max=ONE,
    ddq_max=ONE,
    dddq_max=ONE,
    tau_max=ONE,
    q_home=ONE,
    control_dt_s=0.01,
    objects=OBJECTS,
    workspace_lower=np.array([0.2, -0.5, 0.0]),
    workspace_upper=np.array([0.8, 0.5, 0.6]),
)
PLACES = {
    "red-block": np.array([0.413, 0.128, 0.025]),
    "bowl": np.array([0.55, -0.2, 0.03]),
    "gripper": np.array([0.3, 0.0, 0.45]),
}


def run(code: str) -> ValueMapProgram:
    return run_python(code, spec=SPEC, positions_m=PLACES)


def lines(code: str) -> list[str]:
    return [line.strip(" -") for line in describe(run(code)).splitlines()]


BODY = """
m = get_empty_affordance_map()
x, y, z = detect('red block').position
{setting}
execute({moving}, affordance_map=m)
"""


def body(setting: str, moving: str = "detect('gripper')") -> str:
    return BODY.format(setting=setting, moving=moving)


def test_a_place_beside_an_object_is_in_its_frame() -> None:
    """Exactly by the centimetres that were said, wherever between two voxels the object is."""
    code = body("m[x - cm2index(3, 'x'), y + 12, z + 10] = 1")
    region = run(code).stages[0].operations[0].region
    assert (region.shape, region.frame) == ("point", "red-block")
    assert region.parameters == {"x": -0.03, "y": 0.12, "z": 0.1}


def test_a_place_that_follows_nothing_is_in_the_world() -> None:
    program = run(body("m[10, 50, 20] = 1"))
    region = program.stages[0].operations[0].region
    assert (region.frame, region.parameters) == ("world", {"x": 0.3, "y": 0.0, "z": 0.2})
    assert program.notes == ()


def test_a_place_between_two_objects_is_fixed_and_a_note_says_so() -> None:
    program = run(
        body("bx, by, bz = detect('bowl').position\nm[(x + bx) // 2, (y + by) // 2, z] = 1")
    )
    region = program.stages[0].operations[0].region
    assert region.frame == "world"
    assert abs(region.parameters["x"] - (0.413 + 0.55) / 2) < 0.011
    assert "follows no single object (bowl, red-block)" in program.notes[0]


def test_coordinates_of_different_objects_are_fixed() -> None:
    program = run(body("m[x, detect('bowl').position[1], z] = 1"))
    assert program.stages[0].operations[0].region.frame == "world"
    assert program.notes


def test_a_thing_moved_relative_to_itself_goes_along_a_line() -> None:
    assert lines(body("m[x, y + 15, z] = 1", "detect('red block')")) == [
        "1. move the red-block",
        "get straight to 15 cm left of the red-block",
    ]


def test_slices_are_boxes() -> None:
    assert lines(body("m[:, :y, :] = 1")) == [
        "1. move the gripper",
        "get in the box y under 0 cm from the red-block",
    ]
    assert lines(body("m[:30, :, 10:20] = 0.5"))[1] == (
        "prefer (0.5) to be in the box x under 50 cm, z 10 cm to 20 cm"
    )


def test_the_bounds_of_an_object_are_at_hand() -> None:
    code = body(
        "lower, upper = detect('bowl').aabb\nm[x, y, z] = 1\nm[x, y, z + upper[0] - lower[0]] = 1"
    )
    assert run(code).stages[0].operations[1].region.parameters["z"] == 0.2


def test_radii_are_balls_and_objects_have_surfaces() -> None:
    assert lines(
        body(
            "set_voxel_by_radius(m, (x, y, z), radius_cm=5, value=1)\n"
            "set_voxel_by_radius(m, detect('bowl'), radius_cm=4, value=1)"
        )
    )[1:] == ["get within 5 cm of the red-block", "get within 4 cm of the surface of the bowl"]


def test_maps_may_be_functions_and_speeds_are_shares_of_the_normal_one() -> None:
    code = """
def slow():
    m = get_empty_velocity_map()
    m[:, :, :] = 0.5
    return m
execute('gripper', velocity_map=slow)
"""
    assert lines(code) == ["1. move the gripper", "at most 12.5 cm/s (half) everywhere"]


@pytest.mark.parametrize(
    ("vector", "name"),
    [
        ((0, 0, -1), "down"),
        ((0, 0, 2), "up"),
        ((3, 0, 0), "forward"),
        ((0, 1, 0), "left"),
        ((0, -1, 0), "right"),
        ((-1, 0, 0), "back"),
    ],
)
def test_the_gripper_points_where_it_is_told(vector: tuple[int, ...], name: str) -> None:
    code = f"m = get_empty_rotation_map()\nm[:, :, :] = pointat2quat({vector})\n"
    assert (
        lines(code + "execute('gripper', rotation_map=m)")[1]
        == f"gripper pointing {name} everywhere"
    )


def test_what_an_object_is_called_is_understood() -> None:
    code = "m = get_empty_affordance_map()\nm[1, 2, 3] = 1\nexecute(detect('the red one'), m)"
    assert run(code).stages[0].moving == "red-block"


def test_sub_tasks_may_be_said_in_words() -> None:
    code = "composer('grasp the red block')\ncomposer('drop it above the bowl')"
    assert [s.moving for s in run(code).stages] == ["gripper", "gripper"]


def test_a_program_may_refuse() -> None:
    with pytest.raises(NotUnderstoodError, match="too heavy"):
        run("try:\n  cannot('too heavy')\nexcept Exception: pass\ncomposer('grasp the red block')")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "there is no stage"),
        ("x = = 2", "line 1"),
        ("import numpy as np", "line 1: ModuleNotFoundError"),
        ("open('/etc/passwd')", "PermissionError"),
        ("while True: pass", "no long loops"),
        (
            "\nx = detect('banana')",
            "line 2: ValueError: there is no object 'banana'; legal: gripper",
        ),
        ("m = get_empty_affordance_map()\nm[3] = 1", "map[x, y, z]"),
        ("m = get_empty_affordance_map()\nm[::2, :, :] = 1", "have no step"),
        (body("m['a', 2, 3] = 1"), "x is 'a', not a number"),
        (body("m[1e9, 2, 3] = 1"), "indices lie within the map"),
        (body("m[x, y, z] = 5"), "legal: 0 to 1"),
        ("execute(detect('gripper'), affordance_map=[1])", "line 1"),
        ("execute('gripper', rotation_map=lambda: 3)", "a function that returns one"),
        ("composer('boil an egg')", "I do not understand"),
        ("for i in range(10 ** 6): detect('bowl')", "limit"),
    ],
)
def test_what_is_wrong_is_said(code: str, said: str) -> None:
    with pytest.raises(ProgramError) as caught:
        run(code)
    assert said in str(caught.value)


def test_an_object_that_is_not_seen_is_said() -> None:
    with pytest.raises(ProgramError, match="'bowl' is not seen; seen are: gripper"):
        run_python("detect('bowl')", spec=SPEC, positions_m={"gripper": PLACES["gripper"]})


def test_where_things_are_may_decide_and_then_nothing_follows_them() -> None:
    """The block is at voxel 63 along y; moved by three it is beyond the branch."""
    code = body("if y > 64: m[x, y, z] = 1\nelse: set_voxel_by_radius(m, (x, y, z), 5)")
    program = run(code)
    assert program.stages[0].operations[0].region.frame == "world"
    assert program.notes
