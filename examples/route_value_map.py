"""The route value-map without a sentence: a detour around a block, seen through cameras.

Needs the extra [value-map].
"""

from __future__ import annotations

from embodied import Settings, open_session
from embodied.types import MapOperation, Region, ValueMapProgram, ValueMapStage


def at(frame: str, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Region:
    """A point, in metres from the centre of what is called ``frame``, along the world's axes."""
    return Region(shape="point", frame=frame, parameters={"x": x, "y": y, "z": z})


ball = Region(
    shape="ball", frame="blue-block", parameters={"x": 0.0, "y": 0.0, "z": 0.0, "radius": 0.15}
)
stage = ValueMapStage(
    moving="gripper",
    operations=(
        MapOperation(map="affordance", region=at("red-block", z=0.1), value=1.0),
        MapOperation(map="avoidance", region=ball, value=1.0),
        MapOperation(map="velocity", region=ball, value=0.05),
    ),
)
session = open_session(Settings(scene="blocks", route="value-map", seed=1, pictures=False))
program = ValueMapProgram(stages=(stage,), source="example")
outcome = session.pursue(program)
print(outcome.message)
for name, value in outcome.details["measured"][0].items():
    print(f"  {name}: {value}")
print("perception was off by", outcome.details["perceived_minus_ground_truth_m"], "m")
assert outcome.reached
session.close()
