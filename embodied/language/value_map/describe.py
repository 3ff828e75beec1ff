"""A value-map program in English, one line an operation."""

from __future__ import annotations

import math
from collections.abc import Mapping

from embodied.language.value_map.vocabulary import GRIPPER_DIRECTIONS, SIDES, SPEEDS_M_S
from embodied.types import MapOperation, Region, ValueMapCondition, ValueMapProgram

_BOUNDS = (("x_lower", "x_upper", "x"), ("y_lower", "y_upper", "y"), ("z_lower", "z_upper", "z"))
_WORDS = {
    "left-of": "left of", "right-of": "right of", "front-of": "in front of",
    "behind": "behind", "above": "above",
}  # fmt: skip


def describe(program: ValueMapProgram) -> str:
    """What a program asks for, for a person to read before the arm moves."""
    lines: list[str] = []
    for i, stage in enumerate(program.stages):
        head = f"{i + 1}. move {_thing(stage.moving)}"
        if stage.when is not None:
            head += f", if {describe_condition(stage.when)}"
        if stage.until is not None:
            head += f", until {describe_condition(stage.until)}"
        if stage.rest_s:
            head += f", then stay for {stage.rest_s:g} s"
        lines.append(head)
        lines += [f"   - {describe_operation(o)}" for o in stage.operations]
    lines += [f"note: {note}" for note in program.notes]
    return "\n".join(lines)


def describe_operation(operation: MapOperation) -> str:
    """One operation in one line."""
    where = describe_region(operation.region)
    value = operation.value
    if isinstance(value, tuple):
        return f"gripper {_facing(value)} {where}"
    if operation.map == "affordance":
        if not operation.region.parameters:
            return "get anywhere"
        return f"get {where}" if value == 1.0 else f"prefer ({value:g}) to be {where}"
    if operation.map == "avoidance":
        return f"do not be {where}" if value == 1.0 else f"rather not ({value:g}) be {where}"
    if operation.map == "velocity":
        name = next((f" ({n})" for n, v in SPEEDS_M_S.items() if v == value), "")
        return f"at most {100 * value:g} cm/s{name} {where}"
    if operation.map == "gripper":
        state = {0.0: "closed", 1.0: "open"}.get(value, f"open by {100 * value:g}%")
        return f"gripper {state} {where}"
    if operation.map == "turn":
        way = "counter-clockwise" if value > 0 else "clockwise"
        return f"gripper turned {way} by {abs(math.degrees(value)):.3g} degrees"
    return f"{operation.map} {value:g} {where}"


def describe_region(region: Region) -> str:
    """A region as an adverbial of place."""
    numbers = region.parameters
    frame = _thing(region.frame)
    if region.shape in ("point", "ball", "along"):
        place = _place(numbers, region.frame)
        if region.shape == "along":
            return f"straight to {place}"
        if region.shape == "ball":
            return f"within {_cm(numbers.get('radius', 0.0))} of {place}"
        return f"at {place}"
    if region.shape == "near-object":
        return f"within {_cm(numbers.get('radius', 0.0))} of the surface of {frame}"
    if region.shape == "half-space":
        return _half_space(numbers, region.frame)
    return _box(numbers, region.frame)


def describe_condition(condition: ValueMapCondition) -> str:
    """A condition as a clause."""
    subject = _thing(condition.subject)
    if condition.what in ("inside", "outside") and condition.region is not None:
        negation = "" if condition.what == "inside" else "not "
        return f"{subject} is {negation}{describe_region(condition.region)}"
    if condition.what == "holding":
        return "the gripper holds something"
    if condition.what == "touching":
        return f"the fingertips touch {subject}"
    if condition.what == "free":
        return "the gripper holds nothing"
    if condition.what == "opening":
        return f"{subject} is open by {_cm(condition.value)} or more"
    return f"{subject} is open by {_cm(condition.value)} or less"


def _thing(name: str) -> str:
    return "the world" if name == "world" else f"the {name}"


def _cm(metres: float) -> str:
    return f"{round(100 * metres, 2):g} cm"


def _place(numbers: Mapping[str, float], frame: str) -> str:
    vector = tuple(numbers.get(a, 0.0) for a in "xyz")
    if frame == "world":
        return "(" + ", ".join(_cm(v) for v in vector) + ")"
    length = math.hypot(*vector)
    if length < 1e-9:
        return _thing(frame)
    for side, unit in SIDES.items():
        if math.dist(vector, [length * u for u in unit]) < 1e-6:
            return f"{_cm(length)} {_WORDS[side]} {_thing(frame)}"
    return f"{_thing(frame)} + (" + ", ".join(_cm(v) for v in vector) + ")"


def _half_space(numbers: Mapping[str, float], frame: str) -> str:
    normal = tuple(numbers.get(n, 0.0) for n in ("nx", "ny", "nz"))
    offset = numbers.get("offset", 0.0)
    for side, unit in SIDES.items():
        if math.dist(normal, unit) < 1e-6:
            far = f"{_cm(offset)} or more " if offset else ""
            return f"{far}{_WORDS[side]} {_thing(frame)}"
    text = ", ".join(f"{n:g}" for n in normal)
    return f"where ({text}) . p >= {_cm(offset)} from {_thing(frame)}"


def _box(numbers: Mapping[str, float], frame: str) -> str:
    if not numbers:
        return "everywhere"
    parts: list[str] = []
    for lower, upper, axis in _BOUNDS:
        low, high = numbers.get(lower), numbers.get(upper)
        if low is not None and high is not None:
            parts.append(f"{axis} {_cm(low)} to {_cm(high)}")
        elif low is not None:
            parts.append(f"{axis} over {_cm(low)}")
        elif high is not None:
            parts.append(f"{axis} under {_cm(high)}")
    of = "" if frame == "world" else f" from {_thing(frame)}"
    return f"in the box {', '.join(parts)}{of}"


def _facing(quat: tuple[float, float, float, float]) -> str:
    for name, known in GRIPPER_DIRECTIONS.items():
        if math.dist(known, quat) < 1e-3 or math.dist(known, [-q for q in quat]) < 1e-3:
            return f"pointing {name}"
    return "turned to (" + ", ".join(f"{q:.3g}" for q in quat) + ")"
