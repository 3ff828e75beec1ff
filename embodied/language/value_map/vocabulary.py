"""The words of value-map programs: maps, regions, axes, units and named signs.

Sign conventions, stated once and used everywhere (VoxPoser, arXiv 2307.05973, with y to the left):

* World frame: x forward from the robot's base, y left, z up; metres.
* An object's frame has its origin at the object's centre and axes *parallel to the world's*: it
  moves with the object and does not turn with it.
* ``left-of`` is +y, ``right-of`` -y, ``front-of`` +x (away from the base), ``behind`` -x, ``above``
  +z.

A stage moves the gripper or one object. Its operations are applied in order; a later operation of
the same map wins where regions overlap. What no operation mentions keeps the default: no target, no
obstacle, normal speed, gripper and orientation as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from embodied.errors import Diagnostic
from embodied.types import MapOperation, Region, ValueMapCondition, ValueMapProgram

MAPS: Mapping[str, tuple[float, float]] = {
    "affordance": (0.0, 1.0),
    "avoidance": (0.0, 1.0),
    "velocity": (0.005, 1.5),
    "rotation": (-1.0, 1.0),
    "turn": (-math.pi, math.pi),
    "gripper": (0.0, 1.0),
}
"""Maps with the range of their values: 1, 1, m/s, unit quaternion wxyz, rad, 0 closed to 1 open.

``turn`` is a rotation about the vertical from how the hand is when the stage begins, left positive.
"""

SHAPES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "point": (("x", "y", "z"), ()),
    "ball": (("x", "y", "z", "radius"), ()),
    "box": ((), ("x_lower", "x_upper", "y_lower", "y_upper", "z_lower", "z_upper")),
    "half-space": (("nx", "ny", "nz", "offset"), ()),
    "near-object": (("radius",), ()),
    "along": (("x", "y", "z"), ()),
}
"""Regions with their obligatory and optional parameters, metres.

* ``point``: the place itself. ``ball``: everything within ``radius`` of it.
* ``box``: between the bounds; a bound that is left out is infinite, so no bounds mean everywhere.
* ``half-space``: all p with n . p >= offset, n a unit vector.
* ``near-object``: everything within ``radius`` of the surface of the object ``frame``.
* ``along``: the straight way from where ``frame`` is to that place displaced by (x, y, z).
"""

SIDES: Mapping[str, tuple[float, float, float]] = {
    "left-of": (0.0, 1.0, 0.0),
    "right-of": (0.0, -1.0, 0.0),
    "front-of": (1.0, 0.0, 0.0),
    "behind": (-1.0, 0.0, 0.0),
    "above": (0.0, 0.0, 1.0),
}
"""Unit vector from an object to a place on that side of it, world axes."""

DIRECTIONS: Mapping[str, tuple[float, float, float]] = {
    "forward": (1.0, 0.0, 0.0),
    "back": (-1.0, 0.0, 0.0),
    "left": (0.0, 1.0, 0.0),
    "right": (0.0, -1.0, 0.0),
    "up": (0.0, 0.0, 1.0),
    "down": (0.0, 0.0, -1.0),
}
"""Unit vectors of motions, world axes."""

_R = math.sqrt(0.5)
GRIPPER_DIRECTIONS: Mapping[str, tuple[float, float, float, float]] = {
    "down": (0.0, 1.0, 0.0, 0.0),
    "up": (1.0, 0.0, 0.0, 0.0),
    "forward": (_R, 0.0, _R, 0.0),
    "back": (_R, 0.0, -_R, 0.0),
    "left": (_R, -_R, 0.0, 0.0),
    "right": (_R, _R, 0.0, 0.0),
}
"""Gripper orientations (wxyz, gripper in world) whose approach axis z points that way."""

SPEEDS_M_S: Mapping[str, float] = {"slow": 0.05, "half": 0.125, "normal": 0.25, "fast": 0.5}
"""Named speeds; ``half`` is half of the normal one."""

AREAS = "left right front back center front-left front-right back-left back-right".split()
"""Named parts of the workspace; front is far from the base (+x), left is +y."""

MOVING_GRIPPER = "gripper"

REST_MAX_S = 60.0
"""Longest time that a hand may be told to stay where it is."""

CONDITIONS = ("inside", "outside", "holding", "free", "opening", "closed", "touching")
"""What may be measured before or during a stage; ``ValueMapCondition`` says what each means."""


def area_bounds(
    area: str, lower_m: tuple[float, float], upper_m: tuple[float, float]
) -> dict[str, float]:
    """Box parameters of a named part of the workspace.

    ``left`` is the half with larger y; corners are quarters; ``center`` is the middle third.

    Args:
        area: One of ``AREAS``.
        lower_m: Lower corner (x, y) of the workspace, world frame, m.
        upper_m: Upper corner (x, y).

    Raises:
        ValueError: Unknown area.
    """
    if area not in AREAS:
        raise ValueError(f"unknown area {area!r}, legal: {', '.join(AREAS)}")
    (x0, y0), (x1, y1) = lower_m, upper_m
    bounds = {"x_lower": x0, "x_upper": x1, "y_lower": y0, "y_upper": y1}
    if area == "center":
        third_x, third_y = (x1 - x0) / 3, (y1 - y0) / 3
        return {
            "x_lower": x0 + third_x,
            "x_upper": x1 - third_x,
            "y_lower": y0 + third_y,
            "y_upper": y1 - third_y,
        }
    for part in area.split("-"):
        if part == "left":
            bounds["y_lower"] = (y0 + y1) / 2
        elif part == "right":
            bounds["y_upper"] = (y0 + y1) / 2
        elif part == "front":
            bounds["x_lower"] = (x0 + x1) / 2
        else:
            bounds["x_upper"] = (x0 + x1) / 2
    return bounds


def check(program: ValueMapProgram, objects: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a program; empty when it may be carried out.

    Args:
        program: The program.
        objects: Names of the objects that are in the scene.
    """
    if not program.stages:
        return (Diagnostic(where="stages", problem="there is no stage", hint="give at least one"),)
    found: list[Diagnostic] = []
    movers = (MOVING_GRIPPER, *objects)
    for i, stage in enumerate(program.stages):
        where = f"stages[{i}]"
        if stage.moving not in movers:
            found.append(_illegal(f"{where}.moving", "mover", stage.moving, movers))
        if not stage.operations:
            found.append(
                Diagnostic(
                    where=f"{where}.operations",
                    problem="the stage has no operation",
                    hint="legal maps: " + ", ".join(MAPS),
                )
            )
        for j, operation in enumerate(stage.operations):
            found.extend(_check_operation(f"{where}.operations[{j}]", operation, objects))
        if not 0.0 <= stage.rest_s <= REST_MAX_S:
            problem = f"staying for {stage.rest_s:g} s is out of range"
            hint = f"legal: 0 to {REST_MAX_S:g} s"
            found.append(Diagnostic(where=f"{where}.rest_s", problem=problem, hint=hint))
        for name, condition in (("when", stage.when), ("until", stage.until)):
            if condition is not None:
                found.extend(_check_condition(f"{where}.{name}", condition, objects))
    return tuple(found)


def _check_condition(
    where: str, condition: ValueMapCondition, objects: Sequence[str]
) -> Iterator[Diagnostic]:
    if condition.what not in CONDITIONS:
        yield _illegal(f"{where}.what", "condition", condition.what, CONDITIONS)
    if condition.subject not in (MOVING_GRIPPER, *objects):
        yield _illegal(f"{where}.subject", "subject", condition.subject, (MOVING_GRIPPER, *objects))
    if condition.what in ("inside", "outside"):
        if condition.region is None:
            yield Diagnostic(
                where=f"{where}.region", problem="there is no region", hint="say where"
            )
        else:
            yield from _check_region(f"{where}.region", condition.region, objects)
    if condition.what == "touching" and condition.subject == MOVING_GRIPPER:
        yield Diagnostic(
            where=f"{where}.subject", problem="the gripper does not touch itself", hint="say what"
        )
    if condition.what in ("opening", "closed") and not 0.0 <= condition.value <= 2.0:
        yield Diagnostic(
            where=f"{where}.value",
            problem=f"an opening of {condition.value} m is out of range",
            hint="legal: 0 to 2 m",
        )


def _check_operation(
    where: str, operation: MapOperation, objects: Sequence[str]
) -> Iterator[Diagnostic]:
    yield from _check_region(f"{where}.region", operation.region, objects)
    if operation.map not in MAPS:
        yield _illegal(f"{where}.map", "map", operation.map, MAPS)
        return
    lower, upper = MAPS[operation.map]
    value = operation.value
    if operation.map == "rotation":
        if not isinstance(value, tuple) or len(value) != 4:
            yield Diagnostic(
                where=f"{where}.value",
                problem=f"a rotation is a quaternion wxyz, got {value!r}",
                hint="four numbers",
            )
        elif abs(math.hypot(*value) - 1.0) > 1e-3:
            yield Diagnostic(
                where=f"{where}.value",
                problem=f"the quaternion's length is {math.hypot(*value):.4g}",
                hint="its length must be 1",
            )
    elif isinstance(value, tuple) or not lower <= value <= upper:
        yield Diagnostic(
            where=f"{where}.value",
            problem=f"{operation.map} {value!r} is out of range",
            hint=f"legal: {lower:g} to {upper:g}",
        )


def _check_region(where: str, region: Region, objects: Sequence[str]) -> Iterator[Diagnostic]:
    frames = (*(("world",) if region.shape != "near-object" else ()), MOVING_GRIPPER, *objects)
    if region.frame not in frames:
        yield _illegal(f"{where}.frame", "frame", region.frame, frames)
    if region.shape not in SHAPES:
        yield _illegal(f"{where}.shape", "shape", region.shape, SHAPES)
        return
    needed, optional = SHAPES[region.shape]
    for name in needed:
        if name not in region.parameters:
            yield Diagnostic(
                where=f"{where}.{name}",
                problem=f"{region.shape} needs {name}",
                hint="metres; needed: " + ", ".join(needed),
            )
    for name, value in region.parameters.items():
        if name not in (*needed, *optional):
            yield _illegal(f"{where}.{name}", "parameter", name, (*needed, *optional))
        elif not math.isfinite(value) or abs(value) > 2.0:
            yield Diagnostic(
                where=f"{where}.{name}",
                problem=f"{name} {value} m is out of range",
                hint="legal: -2 to 2 m",
            )
    normal = [region.parameters.get(n, 0.0) for n in ("nx", "ny", "nz")]
    if region.shape == "half-space" and abs(math.hypot(*normal) - 1.0) > 1e-3:
        yield Diagnostic(
            where=f"{where}.nx", problem="the normal's length is not 1", hint="give a unit vector"
        )


def _illegal(where: str, what: str, value: object, legal: object) -> Diagnostic:
    names = ", ".join(str(n) for n in legal)  # type: ignore[attr-defined]
    return Diagnostic(where=where, problem=f"unknown {what} {value!r}", hint=f"legal: {names}")
