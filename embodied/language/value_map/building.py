"""Building blocks of value-map programs, and the numbers that a sentence may leave out.

The rules, the offline model and the reader of JSON put programs together from these, so that the
same words mean the same map whoever read them.
"""

from __future__ import annotations

from collections.abc import Mapping

from embodied.language.value_map.vocabulary import SIDES, SPEEDS_M_S, area_bounds
from embodied.types import MapOperation, Region, ValueMapCondition

Corner = tuple[float, float]
Vector = tuple[float, float, float]

SIDE_DISTANCE_M, STEP_M, PUSH_M = 0.10, 0.05, 0.10
"""A place beside an object (centre to centre), a motion and a push in a direction."""
CLEARANCE_M, SLOW_RADIUS_M, LIFT_M = 0.10, 0.10, 0.12
"""What "stay away from" keeps from a surface, what is near one, and how far things are lifted."""
NEXT_TO_M, PUSHED_NEXT_TO_M, APART_M = 0.06, 0.09, 0.15
"""From a surface: "next to" it, for the hand and for the centre of what is pushed; "away from"."""

PACES_M_S: Mapping[str, float] = {**SPEEDS_M_S, "slowest": 0.02, "fastest": SPEEDS_M_S["fast"]}
"""What the speeds of ``words.manner`` mean here."""

EVERYWHERE = Region(shape="box")


def displacement(direction: Vector, length_m: float) -> dict[str, float]:
    """Parameters of a displacement."""
    return {a: round(d * length_m, 6) + 0.0 for a, d in zip("xyz", direction, strict=True)}


def point(frame: str, direction: Vector, length_m: float) -> Region:
    """The place that far from an object in a direction."""
    return Region(shape="point", frame=frame, parameters=displacement(direction, length_m))


def along(frame: str, direction: Vector, length_m: float) -> Region:
    """The straight way that far in a direction."""
    return Region(shape="along", frame=frame, parameters=displacement(direction, length_m))


def near(name: str, radius_m: float) -> Region:
    """Within a distance of an object's surface."""
    return Region(shape="near-object", frame=name, parameters={"radius": radius_m})


def target(region: Region) -> MapOperation:
    """Get there."""
    return MapOperation(map="affordance", region=region, value=1.0)


def gripper(region: Region, opening: float) -> MapOperation:
    """Be that far open there."""
    return MapOperation(map="gripper", region=region, value=opening)


def touching(name: str) -> ValueMapCondition:
    """The fingertips touch an object."""
    return ValueMapCondition(what="touching", subject=name)


def grasp(name: str) -> list[MapOperation]:
    """Get to an object and close the fingers around it."""
    there = point(name, SIDES["above"], 0.0)
    return [target(there), gripper(there, 0.0)]


def release(place: Region) -> list[MapOperation]:
    """Get to a place and open the fingers there."""
    return [target(place), gripper(place, 1.0)]


def obstacle(region: Region) -> MapOperation:
    """Do not be there."""
    return MapOperation(map="avoidance", region=region, value=1.0)


def velocity(region: Region, speed_m_s: float) -> MapOperation:
    """Be that fast there."""
    return MapOperation(map="velocity", region=region, value=speed_m_s)


def turn(angle_rad: float) -> MapOperation:
    """Turn the hand about the vertical, counter-clockwise from above, from where it is."""
    return MapOperation(map="turn", region=EVERYWHERE, value=angle_rad)


def apart(
    moving: str, other: str, distance_m: float
) -> tuple[list[MapOperation], ValueMapCondition]:
    """Get away from an object: anywhere but near it, until that is where it is."""
    close = near(other, distance_m)
    return (
        [target(EVERYWHERE), obstacle(close)],
        ValueMapCondition(what="outside", subject=moving, region=close),
    )


def kept_to(side: str, name: str) -> MapOperation:
    """Stay on a side of an object: the half space on its other side is an obstacle."""
    nx, ny, nz = (-n + 0.0 for n in SIDES[side])
    normal = {"nx": nx, "ny": ny, "nz": nz, "offset": 0.0}
    return obstacle(Region(shape="half-space", frame=name, parameters=normal))


def area_region(area: str, lower_m: Corner, upper_m: Corner) -> Region:
    """Box over a named part of the workspace, whose corners (x, y) are given."""
    return Region(shape="box", parameters=area_bounds(area, lower_m, upper_m))
