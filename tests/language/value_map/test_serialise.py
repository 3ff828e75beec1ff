from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.errors import ProgramError
from embodied.language.value_map import (
    SHAPES,
    describe,
    digest,
    json_schema,
    read_json,
    to_json,
)
from embodied.types import MapOperation, Region, ValueMapCondition, ValueMapProgram, ValueMapStage

OBJECTS = ("cup", "bowl", "drawer")
WORKSPACE = ((0.2, -0.5), (0.8, 0.5))


def read(data: object) -> ValueMapProgram:
    return read_json(json.dumps(data), objects=OBJECTS, workspace=WORKSPACE)


def one(operation: object, **stage: object) -> dict[str, object]:
    return {"stages": [{"moving": "gripper", "operations": [operation], **stage}]}


def test_short_forms_are_written_out() -> None:
    program = read(
        {
            "stages": [
                {
                    "moving": "gripper",
                    "operations": [
                        {
                            "map": "affordance",
                            "region": {
                                "shape": "side",
                                "side": "left-of",
                                "frame": "cup",
                                "distance": "12 cm",
                            },
                        },
                        {"map": "velocity", "value": "slow"},
                        {"map": "rotation", "value": "down"},
                        {
                            "map": "gripper",
                            "region": {"shape": "area", "area": "left"},
                            "value": "open",
                        },
                    ],
                    "when": {"what": "holding"},
                    "until": {"what": "closed", "subject": "drawer", "value": "1 cm"},
                }
            ]
        }
    )
    stage = program.stages[0]
    there = Region(shape="point", frame="cup", parameters={"x": 0.0, "y": 0.12, "z": 0.0})
    left = {"x_lower": 0.2, "x_upper": 0.8, "y_lower": 0.0, "y_upper": 0.5}
    assert stage.operations == (
        MapOperation(map="affordance", region=there, value=1.0),
        MapOperation(map="velocity", region=Region(shape="box"), value=0.05),
        MapOperation(map="rotation", region=Region(shape="box"), value=(0.0, 1.0, 0.0, 0.0)),
        MapOperation(map="gripper", region=Region(shape="box", parameters=left), value=1.0),
    )
    assert stage.when == ValueMapCondition(what="holding")
    assert stage.until == ValueMapCondition(what="closed", subject="drawer", value=0.01)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "stages: missing"),
        ({"stages": []}, "give at least one"),
        ({"stages": 3}, "expected a list"),
        ({"stages": [{"moving": "pear", "operations": []}]}, "legal: gripper, cup, bowl, drawer"),
        (one({"map": "force", "value": 1}), "legal: affordance, avoidance, velocity"),
        (one({"map": "affordance", "region": {"shape": "cone"}}), "near-object, along, side, area"),
        (
            one({"map": "affordance", "region": {"shape": "point", "frame": "pear"}}),
            "legal: world, gripper, cup",
        ),
        (one({"map": "velocity", "value": "10 inch/s"}), "units: m/s, cm/s, mm/s"),
        (one({"map": "velocity", "value": "brisk"}), "legal names: slow, half, normal, fast"),
        (one({"map": "rotation", "value": "sideways"}), "legal names: down, up"),
        (
            one({"map": "avoidance", "region": {"shape": "near-object", "frame": "cup"}}),
            "near-object needs radius",
        ),
        (
            one({"map": "affordance", "region": {"shape": "point", "frame": "cup", "w": 1}}),
            "legal: x, y, z",
        ),
        (
            one({"map": "affordance", "region": {"shape": "side", "side": "north-of"}}),
            "legal: left-of, right-of",
        ),
        (
            one({"map": "affordance", "region": {"shape": "area", "area": "attic"}}),
            "legal: left, right, front",
        ),
        (one({"map": "affordance", "region": {"shape": "box"}, "when": 1}), "unknown key 'when'"),
        (
            one({"map": "affordance", "region": {"shape": "box"}}, until={"what": "soon"}),
            "legal: inside, outside",
        ),
        (
            one({"map": "affordance", "region": {"shape": "box"}}, until={"what": "inside"}),
            "there is no region",
        ),
        (
            one({"map": "affordance", "region": {"shape": "point", "frame": "cup", "x": 5}}),
            "out of range",
        ),
    ],
)
def test_what_is_wrong_is_said(data: object, said: str) -> None:
    with pytest.raises(ProgramError) as caught:
        read(data)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "I cannot do that", "[" * 5000, '{"stages": [}', "null", "NaN"]
)
def test_what_is_no_program_is_refused(text: str) -> None:
    with pytest.raises(ProgramError):
        read_json(text, objects=OBJECTS)


def test_a_fence_is_taken_off() -> None:
    text = "```json\n" + json.dumps(one({"map": "gripper", "value": "closed"})) + "\n```"
    assert read_json(text, objects=OBJECTS).stages[0].operations[0].value == 0.0


numbers = st.floats(-0.6, 0.6).map(lambda v: round(v, 4) + 0.0)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    shape = draw(st.sampled_from([s for s in SHAPES if s != "half-space"]))
    needed, optional = SHAPES[shape]
    names = (
        (*needed, *draw(st.lists(st.sampled_from(optional), unique=True))) if optional else needed
    )
    frame = draw(st.sampled_from(OBJECTS))
    return Region(shape=shape, frame=frame, parameters={n: draw(numbers) for n in sorted(names)})


@st.composite
def programs(draw: st.DrawFn) -> ValueMapProgram:
    operations = st.builds(
        MapOperation,
        map=st.sampled_from(["affordance", "avoidance", "gripper"]),
        region=regions(),
        value=st.sampled_from([0.0, 0.5, 1.0]),
    )
    stages = st.builds(
        ValueMapStage,
        moving=st.sampled_from(["gripper", "cup"]),
        operations=st.lists(operations, min_size=1, max_size=4).map(tuple),
        until=st.none() | st.builds(ValueMapCondition, what=st.just("inside"), region=regions()),
    )
    found = draw(st.lists(stages, min_size=1, max_size=3).map(tuple))
    return ValueMapProgram(stages=found, source="json")


@settings(max_examples=60, deadline=None)
@given(programs())
def test_reading_what_was_written_changes_nothing(program: ValueMapProgram) -> None:
    again = read_json(to_json(program), objects=OBJECTS)
    assert again == program
    assert digest(again) == digest(program)
    assert len(describe(program).splitlines()) == sum(1 + len(s.operations) for s in program.stages)


def test_the_digest_is_of_what_is_done_and_not_of_who_wrote_it() -> None:
    program = read(one({"map": "gripper", "value": "open"}))
    other = ValueMapProgram(stages=program.stages, source="somebody else", notes=("a note",))
    assert digest(program) == digest(other)
    assert digest(program) != digest(read(one({"map": "gripper", "value": "closed"})))


def test_the_schema_names_the_objects_and_bounds_the_numbers() -> None:
    text = json.dumps(json_schema(OBJECTS))
    assert '"enum": ["gripper", "cup", "bowl", "drawer"]' in text
    assert '"maximum": 1.5' in text
    for shape in SHAPES:
        assert f'"const": "{shape}"' in text


def test_describe_speaks_english() -> None:
    region = Region(
        shape="half-space", frame="bowl", parameters={"nx": 0, "ny": -1, "nz": 0, "offset": 0}
    )
    program = read(
        one(
            {"map": "affordance", "region": {"shape": "point", "frame": "cup", "z": "10 cm"}},
        )
    )
    stage = program.stages[0]
    more = ValueMapStage(
        moving="gripper",
        operations=(
            *stage.operations,
            MapOperation(map="avoidance", region=region, value=1.0),
            MapOperation(map="velocity", region=Region(shape="box"), value=0.05),
            MapOperation(map="rotation", region=Region(shape="box"), value=(0.0, 1.0, 0.0, 0.0)),
        ),
    )
    assert describe(ValueMapProgram(stages=(more,), source="test")).splitlines() == [
        "1. move the gripper",
        "   - get at 10 cm above the cup",
        "   - do not be right of the bowl",
        "   - at most 5 cm/s (slow) everywhere",
        "   - gripper pointing down everywhere",
    ]
