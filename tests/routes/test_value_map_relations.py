from __future__ import annotations

from typing import Any

import pytest

from embodied.routes.value_map.relations import relations_of
from embodied.types import MapOperation, Region, ValueMapProgram, ValueMapStage
from embodied.world.scene import load_scene

OBJECTS = load_scene("kitchen").objects


def point(frame: str, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Region:
    return Region(shape="point", frame=frame, parameters={"x": x, "y": y, "z": z})


def stage(moving: str, place: Region, opening: float | None = None) -> ValueMapStage:
    operations = [MapOperation(map="affordance", region=place, value=1.0)]
    if opening is not None:
        operations.append(MapOperation(map="gripper", region=place, value=opening))
    return ValueMapStage(moving=moving, operations=tuple(operations))


GRASP = stage("gripper", point("sponge"), 0.0)


@pytest.mark.parametrize(
    ("stages", "held", "facts"),
    [
        ((GRASP,), "", ["(holding sponge)"]),
        (
            (GRASP, stage("gripper", point("plate", z=0.1), 1.0)),
            "",
            ["(holding sponge)", "(on sponge plate)"],
        ),
        ((stage("sponge", point("bowl", z=0.1), 1.0),), "", ["(in sponge bowl)"]),
        ((stage("gripper", point("soda-can", z=0.1), 1.0),), "apple", ["(on apple soda-can)"]),
        # beside a thing, over the table, with an empty hand: nothing is put on anything
        ((stage("gripper", point("plate", y=0.15, z=0.1), 1.0),), "apple", [None]),
        ((stage("gripper", point("table", z=0.1), 1.0),), "apple", [None]),
        ((stage("gripper", point("plate", z=0.1), 1.0),), "", [None]),
        # what was let go is no longer held
        (
            (
                stage("gripper", point("plate", z=0.1), 1.0),
                stage("gripper", point("bowl", z=0.1), 1.0),
            ),
            "apple",
            ["(on apple plate)", None],
        ),
        ((stage("gripper", point("plate", z=0.1)),), "apple", [None]),
        ((stage("sponge", point("sponge", y=0.1)),), "", [None]),
        ((stage("gripper", Region(shape="box"), 1.0),), "apple", [None]),
    ],
)
def test_what_stages_mean(stages: tuple[ValueMapStage, ...], held: str, facts: list[Any]) -> None:
    program = ValueMapProgram(stages=stages, source="test")
    assert [f and str(f) for f in relations_of(program, OBJECTS, held)] == facts
