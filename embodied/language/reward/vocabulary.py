"""The words of reward programs: terms, sensors, norms; each typed, bounded and carrying its unit.

A reward program is data. A translator (rules, a language model, a person) may only use what stands
here; everything else is a `Diagnostic` that lists the legal values, so nothing is dropped silently.

Sign conventions, stated once and used everywhere:

* World frame: x east (where the sun rises), y north, z up. Heading 0 looks east, +pi/2 north,
  pi west; turning left (counter-clockwise seen from above) is positive.
* Pitch is positive with the nose up, in [-pi/2, pi/2]; roll is positive when the left side
  goes up, in [-pi, pi]; roll of pi is lying on the back.
* Foot offsets: forward along the heading, inward towards the body's middle plane, height above
  the ground; forward and inward count from the foot's place in the home stance.

Follows the reward interface of Yu et al. 2023 (arXiv 2306.08647), with names of our own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from embodied.errors import Diagnostic
from embodied.types import RewardCondition, RewardProgram, RewardStage, RewardTerm

NORMS: Mapping[str, str] = {
    "quadratic": "x^2 / 2, summed over the residual",
    "l22": "sqrt(|x|^2 + 0.1^2) - 0.1 of the whole residual: quadratic near 0, linear far away",
    "l2": "Euclidean length of the residual",
    "cosh": "cosh(x) - 1, summed: quadratic near 0, very steep far away",
    "power": "|x|^1.5, summed",
    "smooth_abs": "sqrt(x^2 + 0.05^2) - 0.05, summed: |x| with a round tip",
    "rectify": "softplus of x with width 0.05, summed: only positive residuals cost",
}
"""Norms of residuals, by name, after MuJoCo MPC."""

WEIGHT_MAX = 1000.0
DURATION_MAX_S = 120.0
CONDITION_OPS = (">=", "<=")

FEET = ("front_left", "front_right", "rear_left", "rear_right")
LEG_JOINTS = ("hip", "thigh", "knee")
QUADRUPED_JOINTS = tuple(f"{foot}_{joint}" for foot in FEET for joint in LEG_JOINTS)

ARM_OBJECTS = ("apple", "bowl", "box", "cup")
ARM_HANDLES = ("drawer_handle", "faucet_handle")
ARM_JOINTS = ("drawer", "faucet")
ARM_HAND_POINTS = ("palm", "finger_1", "finger_2", "finger_3", "rest_position")
ARM_POINTS = (*ARM_HAND_POINTS, *ARM_OBJECTS, *ARM_HANDLES)
ORIENTATIONS = ("upright", "upside_down")
DIRECTIONS = ("down", "up", "forward", "backward", "left", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a term.

    Attributes:
        name: Name in the program.
        meaning: One phrase for a person or a model.
        unit: ``"m"``, ``"rad"``, ``"m/s"``, ``"rad/s"``, ``"Hz"``, ``"1"`` or ``"name"``.
        lower: Smallest legal number.
        upper: Largest legal number.
        choices: Legal names, for ``unit="name"``.
        default: Value when the program leaves it out; None makes it obligatory.
    """

    name: str
    meaning: str
    unit: str
    lower: float = -math.inf
    upper: float = math.inf
    choices: tuple[str, ...] = ()
    default: float | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermSpec:
    """A term that programs may use: its parameters, usual weight and usual norm."""

    name: str
    meaning: str
    parameters: tuple[Parameter, ...] = ()
    weight: float = 1.0
    norm: str = "quadratic"

    def parameter(self, name: str) -> Parameter:
        """The parameter called ``name``; KeyError if there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSpec:
    """A scalar that conditions may compare with a number.

    Attributes:
        name: Name in the program.
        meaning: One phrase.
        unit: Unit of the value.
        lower: Smallest threshold that makes sense.
        upper: Largest threshold that makes sense.
        arguments: For each argument the legal names.
    """

    name: str
    meaning: str
    unit: str
    lower: float
    upper: float
    arguments: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """All words for one robot."""

    robot: str
    terms: Mapping[str, TermSpec]
    sensors: Mapping[str, SensorSpec]


def _number(
    name: str, meaning: str, unit: str, lower: float, upper: float, default: float | None = None
) -> Parameter:
    return Parameter(
        name=name, meaning=meaning, unit=unit, lower=lower, upper=upper, default=default
    )


def _name(name: str, meaning: str, choices: tuple[str, ...]) -> Parameter:
    return Parameter(name=name, meaning=meaning, unit="name", choices=choices)


def _term(
    name: str,
    meaning: str,
    *parameters: Parameter,
    weight: float = 1.0,
    norm: str = "quadratic",
) -> TermSpec:
    return TermSpec(name=name, meaning=meaning, parameters=parameters, weight=weight, norm=norm)


def _sensor(
    name: str, meaning: str, unit: str, lower: float, upper: float, *arguments: tuple[str, ...]
) -> SensorSpec:
    return SensorSpec(
        name=name, meaning=meaning, unit=unit, lower=lower, upper=upper, arguments=arguments
    )


_FOOT = _name("foot", "which foot", FEET)
_STAGE_TIME = _sensor("stage_time", "time since the stage began", "s", 0.0, DURATION_MAX_S)

QUADRUPED = Vocabulary(
    robot="quadruped",
    terms={
        t.name: t
        for t in (
            _term(
                "torso_height",
                "height of the torso's centre above the ground; standing is 0.30",
                _number("height", "target height", "m", 0.05, 0.70),
                weight=20.0,
                norm="smooth_abs",
            ),
            _term(
                "torso_pitch",
                "pitch of the torso, nose up positive; 0 is flat, 1.57 stands on the rear feet",
                _number("angle", "target pitch", "rad", -math.pi / 2, math.pi / 2),
                weight=5.0,
                norm="l2",
            ),
            _term(
                "torso_roll",
                "roll of the torso, left side up positive; 0 is level, 3.14 is on the back",
                _number("angle", "target roll", "rad", -math.pi, math.pi),
                weight=5.0,
                norm="l2",
            ),
            _term(
                "torso_position",
                "place of the torso on the ground plane, in the world frame",
                _number("x", "target x, east", "m", -10.0, 10.0),
                _number("y", "target y, north", "m", -10.0, 10.0),
                weight=2.0,
                norm="l2",
            ),
            _term(
                "torso_velocity",
                "velocity of the torso over the ground, in its own heading frame",
                _number("forward", "forward speed", "m/s", -2.0, 2.0, 0.0),
                _number("left", "sideways speed, left positive", "m/s", -1.0, 1.0, 0.0),
                weight=2.0,
                norm="l2",
            ),
            _term(
                "torso_heading",
                "direction the nose points: 0 east (sunrise), 1.57 north, 3.14 west (sunset)",
                _number("angle", "target heading", "rad", -2 * math.pi, 2 * math.pi),
                weight=5.0,
                norm="l2",
            ),
            _term(
                "torso_turn_rate",
                "turning speed about the vertical, left (counter-clockwise) positive",
                _number("rate", "target turn rate", "rad/s", -6.0, 6.0),
                weight=2.0,
                norm="smooth_abs",
            ),
            _term(
                "foot_lift",
                "height of a foot's sole above the ground; 0 keeps it on the ground",
                _FOOT,
                _number("height", "target height", "m", 0.0, 0.60),
                weight=20.0,
                norm="smooth_abs",
            ),
            _term(
                "foot_forward",
                "displacement of a foot along the heading from its home place",
                _FOOT,
                _number("offset", "target offset", "m", -0.30, 0.30),
                weight=5.0,
                norm="smooth_abs",
            ),
            _term(
                "foot_inward",
                "displacement of a foot towards the middle plane from its home place",
                _FOOT,
                _number("offset", "target offset", "m", -0.20, 0.20),
                weight=5.0,
                norm="smooth_abs",
            ),
            _term(
                "foot_stepping",
                "a foot lifts and lands rhythmically (gait)",
                _FOOT,
                _number("frequency", "steps per second", "Hz", 0.2, 4.0),
                _number("air_ratio", "share of the cycle in the air", "1", 0.0, 0.9, 0.5),
                _number("phase", "start of the swing within the cycle, 0 to 1", "1", 0.0, 1.0, 0.0),
                _number("swing_height", "height of the swing", "m", 0.0, 0.30, 0.08),
                _number("swing_forward", "length of the swing forward", "m", -0.30, 0.30, 0.0),
                weight=10.0,
                norm="smooth_abs",
            ),
            _term(
                "joint_target",
                "angle of one joint",
                _name("joint", "which joint", QUADRUPED_JOINTS),
                _number("angle", "target angle", "rad", -2.8, 3.5),
                weight=1.0,
            ),
            _term(
                "posture",
                "all joints near the home stance: a small weight keeps motions natural",
                weight=0.1,
            ),
            _term(
                "stillness",
                "torso at rest: no linear and no angular velocity",
                weight=0.2,
                norm="l22",
            ),
        )
    },
    sensors={
        s.name: s
        for s in (
            _STAGE_TIME,
            _sensor("torso_height", "height of the torso's centre", "m", 0.0, 1.0),
            _sensor("torso_pitch", "pitch, nose up", "rad", -math.pi / 2, math.pi / 2),
            _sensor("torso_roll", "size of the roll, whichever side", "rad", 0.0, math.pi),
            _sensor("torso_x", "x of the torso, east", "m", -10.0, 10.0),
            _sensor("torso_y", "y of the torso, north", "m", -10.0, 10.0),
            _sensor("torso_speed", "speed over the ground", "m/s", 0.0, 5.0),
            _sensor("torso_turn_rate", "turn rate, left positive", "rad/s", -10.0, 10.0),
            _sensor("torso_heading", "heading, east 0", "rad", -math.pi, math.pi),
            _sensor("foot_height", "height of the sole", "m", 0.0, 1.0, FEET),
            _sensor("joint_angle", "angle of a joint", "rad", -3.5, 3.5, QUADRUPED_JOINTS),
        )
    },
)


def arm_vocabulary(
    objects: tuple[str, ...] = ARM_OBJECTS,
    handles: tuple[str, ...] = ARM_HANDLES,
    joints: tuple[str, ...] = ARM_JOINTS,
) -> Vocabulary:
    """Words for the arm with a dexterous hand in a scene with these objects, handles and joints."""
    points = (*ARM_HAND_POINTS, *objects, *handles)
    which = _name("object", "which object", objects)
    terms = (
        _term(
            "distance",
            "distance between two points: hand, objects, handles, rest position",
            _name("a", "first point", points),
            _name("b", "second point", points),
            _number("distance", "target distance", "m", 0.0, 1.0, 0.0),
            weight=5.0,
            norm="l22",
        ),
        _term(
            "object_height",
            "height of an object's centre above the table top",
            which,
            _number("height", "target height", "m", 0.0, 0.80),
            weight=10.0,
            norm="smooth_abs",
        ),
        _term(
            "object_orientation",
            "an object stands upright or upside down",
            which,
            _name("orientation", "which way its own up axis points", ORIENTATIONS),
            weight=5.0,
            norm="l2",
        ),
        _term(
            "joint_fraction",
            "opening of the drawer or the faucet: 0 closed, 1 fully open",
            _name("joint", "which joint", joints),
            _number("fraction", "target fraction", "1", 0.0, 1.0),
            weight=10.0,
            norm="smooth_abs",
        ),
        _term(
            "palm_orientation",
            "direction that the palm faces, in the world frame: forward is +x, left is +y",
            _name("direction", "direction", DIRECTIONS),
            weight=1.0,
            norm="l2",
        ),
        _term(
            "closing_along",
            "the fingers close along the line from one point to another, to take both at once",
            _name("a", "first point", points),
            _name("b", "second point", points),
            weight=1.0,
            norm="l2",
        ),
        _term(
            "closing_across",
            "the fingers close across the object's own axis, as around a lying cup",
            which,
            weight=1.0,
            norm="l2",
        ),
        _term(
            "hand_closure",
            "how far the fingers are closed: 0 open, 1 a fist",
            _number("fraction", "target fraction", "1", 0.0, 1.0),
            weight=0.5,
        ),
        _term("posture", "arm joints near the rest configuration", weight=0.05),
        _term("stillness", "arm joints at rest: calm, slow motions", weight=0.01),
    )
    sensors = (
        _STAGE_TIME,
        _sensor("distance", "distance between two points", "m", 0.0, 2.0, points, points),
        _sensor("object_height", "height of an object above the table", "m", -1.0, 1.5, objects),
        _sensor(
            "object_tilt", "angle between the object's up axis and up", "rad", 0.0, math.pi, objects
        ),
        _sensor("joint_fraction", "opening of drawer or faucet", "1", 0.0, 1.0, joints),
        _sensor("palm_height", "height of the palm above the table", "m", -0.5, 1.5),
    )
    return Vocabulary(
        robot="arm", terms={t.name: t for t in terms}, sensors={s.name: s for s in sensors}
    )


VOCABULARIES: Mapping[str, Vocabulary] = {"quadruped": QUADRUPED, "arm": arm_vocabulary()}
"""Vocabulary by robot; the arm's is that of the default scene."""


def check(program: RewardProgram, vocabulary: Vocabulary | None = None) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a program; empty when it may be carried out.

    Args:
        program: The program.
        vocabulary: Words to check against; by default those of ``program.robot``.
    """
    if vocabulary is None:
        vocabulary = VOCABULARIES.get(program.robot)
        if vocabulary is None:
            return (_illegal("robot", "robot", program.robot, VOCABULARIES),)
    if not program.stages:
        return (
            Diagnostic(where="stages", problem="there is no stage", hint="give at least one stage"),
        )
    found: list[Diagnostic] = []
    for i, stage in enumerate(program.stages):
        found.extend(_check_stage(f"stages[{i}]", stage, vocabulary))
        found.extend(_check_guards(i, stage, vocabulary))
        if i + 1 < len(program.stages) and stage.duration_s is None and stage.until is None:
            found.append(
                Diagnostic(
                    where=f"stages[{i}]",
                    problem="the stage never ends, so the stages after it are never reached",
                    hint="give duration_s or until",
                )
            )
    return tuple(found)


def complete(program: RewardProgram, vocabulary: Vocabulary | None = None) -> RewardProgram:
    """The same program with the defaults of all left-out parameters filled in.

    Raises:
        ValueError: ``check`` finds something; call it first.
    """
    found = check(program, vocabulary)
    if found:
        raise ValueError("; ".join(str(d) for d in found))
    words = vocabulary or VOCABULARIES[program.robot]

    def filled(term: RewardTerm) -> RewardTerm:
        defaults = {
            p.name: p.default for p in words.terms[term.name].parameters if p.default is not None
        }
        return RewardTerm(
            name=term.name,
            parameters={**defaults, **term.parameters},
            weight=term.weight,
            norm=term.norm,
        )

    return RewardProgram(
        robot=program.robot,
        stages=tuple(replace(s, terms=tuple(filled(t) for t in s.terms)) for s in program.stages),
        source=program.source,
        notes=program.notes,
    )


def make_term(
    name: str,
    *,
    weight: float | None = None,
    norm: str | None = None,
    robot: str = "quadruped",
    **parameters: float | str,
) -> RewardTerm:
    """A term with the usual weight and norm of the catalogue, defaults filled in.

    Raises:
        KeyError: The robot has no such term.
    """
    spec = VOCABULARIES[robot].terms[name]
    defaults = {p.name: p.default for p in spec.parameters if p.default is not None}
    return RewardTerm(
        name=name,
        parameters={**defaults, **parameters},
        weight=spec.weight if weight is None else weight,
        norm=spec.norm if norm is None else norm,
    )


def describe(vocabulary: Vocabulary) -> str:
    """The catalogue as Markdown lines for prompts and help texts."""
    lines = ["Terms (each also takes `weight` and `norm`):"]
    for term in vocabulary.terms.values():
        parts = ", ".join(_describe_parameter(p) for p in term.parameters)
        lines.append(
            f"- `{term.name}`({parts}): {term.meaning}. "
            f"Usual weight {term.weight:g}, norm {term.norm}."
        )
    lines.append("Sensors for the conditions of `until` and `guards`:")
    for sensor in vocabulary.sensors.values():
        arguments = ", ".join("|".join(names) for names in sensor.arguments)
        lines.append(
            f"- `{sensor.name}`({arguments}) [{sensor.unit}] "
            f"{sensor.lower:.4g} to {sensor.upper:.4g}: {sensor.meaning}."
        )
    lines.append("Norms: " + "; ".join(f"`{n}` = {m}" for n, m in NORMS.items()) + ".")
    return "\n".join(lines)


def _describe_parameter(parameter: Parameter) -> str:
    if parameter.unit == "name":
        return f"{parameter.name}: {'|'.join(parameter.choices)}"
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    default = "" if parameter.default is None else f", default {parameter.default:g}"
    return f"{parameter.name}: {parameter.lower:.4g}..{parameter.upper:.4g}{unit}{default}"


def _listing(names: object) -> str:
    return "legal: " + ", ".join(str(n) for n in names)  # type: ignore[attr-defined]


def _illegal(where: str, what: str, value: object, legal: object) -> Diagnostic:
    return Diagnostic(where=where, problem=f"unknown {what} {value!r}", hint=_listing(legal))


def _check_stage(where: str, stage: RewardStage, vocabulary: Vocabulary) -> Iterator[Diagnostic]:
    if not stage.terms:
        yield Diagnostic(
            where=f"{where}.terms",
            problem="the stage has no term",
            hint=_listing(vocabulary.terms),
        )
    if stage.duration_s is not None and not 0 < stage.duration_s <= DURATION_MAX_S:
        yield Diagnostic(
            where=f"{where}.duration_s",
            problem=f"duration {stage.duration_s} s is out of range",
            hint=f"more than 0 and at most {DURATION_MAX_S:g} s, or null for no limit",
        )
    if stage.until is not None:
        yield from _check_condition(f"{where}.until", stage.until, vocabulary)
    for i, term in enumerate(stage.terms):
        yield from _check_term(f"{where}.terms[{i}]", term, vocabulary)
    if stage.terms and all(t.weight == 0 for t in stage.terms):
        yield Diagnostic(
            where=f"{where}.terms",
            problem="all weights are 0: nothing is asked for",
            hint="give at least one term a positive weight",
        )


def _check_guards(index: int, stage: RewardStage, vocabulary: Vocabulary) -> Iterator[Diagnostic]:
    for k, guard in enumerate(stage.guards):
        where = f"stages[{index}].guards[{k}]"
        yield from _check_condition(where, guard.condition, vocabulary)
        if not 1 <= guard.back <= index:
            hint = f"legal: 1 to {index}" if index else "the first stage has none before it"
            yield Diagnostic(
                where=f"{where}.back",
                problem=f"there is no stage {guard.back} before this one",
                hint=hint,
            )


def _check_condition(
    where: str, condition: RewardCondition, vocabulary: Vocabulary
) -> Iterator[Diagnostic]:
    sensor = vocabulary.sensors.get(condition.sensor)
    if sensor is None:
        yield _illegal(f"{where}.sensor", "sensor", condition.sensor, vocabulary.sensors)
        return
    if condition.op not in CONDITION_OPS:
        yield _illegal(f"{where}.op", "comparison", condition.op, CONDITION_OPS)
    if not sensor.lower <= condition.value <= sensor.upper:
        yield Diagnostic(
            where=f"{where}.value",
            problem=f"{sensor.name} never reaches {condition.value} {sensor.unit}",
            hint=f"legal: {sensor.lower:.4g} to {sensor.upper:.4g} {sensor.unit}",
        )
    if len(condition.arguments) != len(sensor.arguments):
        yield Diagnostic(
            where=f"{where}.arguments",
            problem=f"{sensor.name} takes {len(sensor.arguments)} argument(s), "
            f"got {len(condition.arguments)}",
            hint="; ".join(_listing(names) for names in sensor.arguments) or "leave them out",
        )
        return
    for i, (argument, legal) in enumerate(zip(condition.arguments, sensor.arguments, strict=True)):
        if argument not in legal:
            yield _illegal(f"{where}.arguments[{i}]", "argument", argument, legal)


def _check_term(where: str, term: RewardTerm, vocabulary: Vocabulary) -> Iterator[Diagnostic]:
    if not 0 <= term.weight <= WEIGHT_MAX:
        yield Diagnostic(
            where=f"{where}.weight",
            problem=f"weight {term.weight} is out of range",
            hint=f"legal: 0 to {WEIGHT_MAX:g}",
        )
    if term.norm not in NORMS:
        yield _illegal(f"{where}.norm", "norm", term.norm, NORMS)
    spec = vocabulary.terms.get(term.name)
    if spec is None:
        yield _illegal(f"{where}.name", "term", term.name, vocabulary.terms)
        return
    known = {p.name: p for p in spec.parameters}
    for name, value in term.parameters.items():
        if name not in known:
            yield Diagnostic(
                where=f"{where}.{name}",
                problem=f"{spec.name} has no parameter {name!r}",
                hint=_listing(known) if known else "it takes none",
            )
            continue
        yield from _check_value(f"{where}.{name}", known[name], value)
    for parameter in spec.parameters:
        if parameter.default is None and parameter.name not in term.parameters:
            yield Diagnostic(
                where=f"{where}.{parameter.name}",
                problem=f"{spec.name} needs {parameter.name}",
                hint=_describe_parameter(parameter),
            )
    if spec.name == "distance" and term.parameters.get("a") == term.parameters.get("b"):
        yield Diagnostic(
            where=f"{where}.b",
            problem="the two points are the same",
            hint=_listing(known["b"].choices),
        )


def _check_value(where: str, parameter: Parameter, value: float | str) -> Iterator[Diagnostic]:
    if parameter.unit == "name":
        if value not in parameter.choices:
            yield _illegal(where, parameter.name, value, parameter.choices)
        return
    if isinstance(value, (str, bool)) or not isinstance(value, (int, float)):  # pyright: ignore[reportUnnecessaryIsInstance]
        yield Diagnostic(
            where=where,
            problem=f"{parameter.name} must be a number in {parameter.unit}, got {value!r}",
            hint=_describe_parameter(parameter),
        )
    elif not parameter.lower <= value <= parameter.upper:
        yield Diagnostic(
            where=where,
            problem=f"{parameter.name} {value} is out of range",
            hint=f"legal: {parameter.lower:.4g} to {parameter.upper:.4g} {parameter.unit}",
        )
