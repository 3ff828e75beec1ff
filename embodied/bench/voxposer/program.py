"""Words for writing oracle programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embodied.language.value_map.vocabulary import SIDES
from embodied.types import Array, MapOperation, Region, ValueMapStage

Vector = Sequence[float] | Array


def _xyz(v: Vector) -> dict[str, float]:
    return {a: round(float(c), 6) + 0.0 for a, c in zip("xyz", v, strict=True)}


def point(frame: str, offset: Vector) -> Region:
    """A point relative to an object's centre."""
    return Region(shape="point", frame=frame, parameters=_xyz(offset))


def along(frame: str, offset: Vector) -> Region:
    """The straight way by an offset."""
    return Region(shape="along", frame=frame, parameters=_xyz(offset))


def near(frame: str, radius_m: float) -> Region:
    """Within a distance of an object's surface."""
    return Region(shape="near-object", frame=frame, parameters={"radius": radius_m})


def area(bounds: Mapping[str, float]) -> Region:
    """A box over a part of the table."""
    return Region(shape="box", parameters=dict(bounds))


def everywhere() -> Region:
    """All of space."""
    return Region(shape="box")


def avoid_near(frame: str, distance_m: float) -> MapOperation:
    """Keep a distance from an object."""
    return MapOperation(map="avoidance", region=near(frame, distance_m), value=1.0)


def avoid_side(frame: str, kept: str) -> MapOperation:
    """Stay on one side of an object: the other one is avoided."""
    x, y, z = SIDES[kept]
    normal = {"nx": -x + 0.0, "ny": -y + 0.0, "nz": -z + 0.0, "offset": 0.0}
    region = Region(shape="half-space", frame=frame, parameters=normal)
    return MapOperation(map="avoidance", region=region, value=1.0)


def speed(region: Region, speed_m_s: float) -> MapOperation:
    """Be that fast there."""
    return MapOperation(map="velocity", region=region, value=speed_m_s)


def move(target: Region, *conditions: MapOperation, moving: str = "gripper") -> ValueMapStage:
    """Get something somewhere."""
    reach = MapOperation(map="affordance", region=target, value=1.0)
    return ValueMapStage(moving=moving, operations=(reach, *conditions))


def grasp(name: str, *conditions: MapOperation) -> ValueMapStage:
    """Close the gripper on an item."""
    place = point(name, (0.0, 0.0, 0.0))
    return ValueMapStage(
        moving="gripper",
        operations=(
            MapOperation(map="affordance", region=place, value=1.0),
            MapOperation(map="gripper", region=place, value=0.0),
            *conditions,
        ),
    )


def release_at(place: Region) -> ValueMapStage:
    """Bring what is held somewhere and let it go."""
    return ValueMapStage(
        moving="gripper",
        operations=(
            MapOperation(map="affordance", region=place, value=1.0),
            MapOperation(map="gripper", region=place, value=1.0),
        ),
    )


def turn(quat_wxyz: tuple[float, float, float, float]) -> ValueMapStage:
    """Turn the gripper where it is."""
    rotation = MapOperation(map="rotation", region=everywhere(), value=quat_wxyz)
    return ValueMapStage(moving="gripper", operations=(rotation,))
