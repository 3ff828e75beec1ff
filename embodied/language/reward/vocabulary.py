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
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Annotated

from embodied.errors import ConfigurationError, Diagnostic
from embodied.tables import OneOf, read_table
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

ARM_OBJECTS = ("apple", "bowl", "box", "cup")
ARM_HANDLES = ("drawer_handle", "faucet_handle")
ARM_JOINTS = ("drawer", "faucet")
ARM_HAND_POINTS = ("palm", "finger_1", "finger_2", "finger_3", "rest_position")
ARM_POINTS = (*ARM_HAND_POINTS, *ARM_OBJECTS, *ARM_HANDLES)
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
    """A term that programs may use.

    Attributes:
        name: Name in the program.
        meaning: One phrase.
        parameters: What it takes.
        weight: Usual weight.
        norm: Usual norm.
        tolerance: Largest mean residual that counts as reached; None for a term that is not judged.
        residual_unit: Unit of the residual.
    """

    name: str
    meaning: str
    parameters: tuple[Parameter, ...] = ()
    weight: float = 1.0
    norm: str = "quadratic"
    tolerance: float | None = None
    residual_unit: str = ""

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
    """All words for one robot in one scene.

    Attributes:
        robot: Name of the robot.
        terms: Terms by name.
        sensors: Sensors by name.
        names: Names that parameters take, by what they name, e.g. ``objects`` and ``joints``.
    """

    robot: str
    terms: Mapping[str, TermSpec]
    sensors: Mapping[str, SensorSpec]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parameter:
    meaning: str
    unit: str = "name"
    lower: float = -math.inf
    upper: float = math.inf
    default: float | None = None
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    meaning: str
    parameters: Mapping[str, _Parameter] = field(default_factory=dict[str, _Parameter])
    weight: float = 1.0
    norm: Annotated[str, OneOf(NORMS)] = "quadratic"
    tolerance: float | None = None
    residual_unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sensor:
    meaning: str
    unit: str
    lower: float
    upper: float
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """A file of words: terms and sensors by name, and the names that their parameters take."""

    terms: Mapping[str, _Term]
    sensors: Mapping[str, _Sensor] = field(default_factory=dict[str, _Sensor])
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


_STAGE_TIME = SensorSpec(
    name="stage_time",
    meaning="time since the stage began",
    unit="s",
    lower=0.0,
    upper=DURATION_MAX_S,
)


def read_vocabulary(
    robot: str, text: str, names: Mapping[str, tuple[str, ...]] | None = None
) -> Vocabulary:
    """The words of a TOML file, for a scene; those about what the scene lacks are left out.

    Args:
        robot: Name of the robot.
        text: The file: tables ``terms``, ``sensors`` and ``names``, as in the folder ``words``.
        names: Names that come from the scene, by what the file calls them, e.g. ``objects``.

    Raises:
        ConfigurationError: The file is wrong; the message lists every problem.
    """
    problems: list[Diagnostic] = []
    read = read_table(_Words, tomllib.loads(text), "words", problems)
    legal = {**(read.names if read else {}), **(names or {})}
    asked = [p.of for t in (read.terms if read else {}).values() for p in t.parameters.values()]
    asked += [a for s in (read.sensors if read else {}).values() for a in s.arguments]
    for name in sorted({a for a in asked if a} - set(legal)):
        hint = f"legal: {', '.join(legal)}"
        problems.append(Diagnostic(where=f"words.names.{name}", problem="is missing", hint=hint))
    if read is None or problems:
        raise ConfigurationError(f"the words of {robot}: " + "; ".join(str(p) for p in problems))
    terms = {
        name: TermSpec(
            name=name,
            meaning=term.meaning,
            parameters=tuple(
                Parameter(
                    name=n,
                    meaning=p.meaning,
                    unit=p.unit,
                    lower=p.lower,
                    upper=p.upper,
                    choices=legal.get(p.of, ()),
                    default=p.default,
                )
                for n, p in term.parameters.items()
            ),
            weight=term.weight,
            norm=term.norm,
            tolerance=term.tolerance,
            residual_unit=term.residual_unit,
        )
        for name, term in read.terms.items()
        if all(legal[p.of] for p in term.parameters.values() if p.of)
    }
    sensors = {
        name: SensorSpec(
            name=name,
            meaning=s.meaning,
            unit=s.unit,
            lower=s.lower,
            upper=s.upper,
            arguments=tuple(legal[a] for a in s.arguments),
        )
        for name, s in read.sensors.items()
        if all(legal[a] for a in s.arguments)
    }
    sensors = {_STAGE_TIME.name: _STAGE_TIME, **sensors}
    return Vocabulary(robot=robot, terms=terms, sensors=sensors, names=legal)


def _shipped(*path: str) -> str:
    return files("embodied.language.reward").joinpath(*path).read_text(encoding="utf-8")


def prompt(name: str) -> str:
    """Text of a prompt file of this package."""
    return _shipped("prompts", f"{name}.md")


def arm_vocabulary(
    objects: tuple[str, ...] = ARM_OBJECTS,
    handles: tuple[str, ...] = ARM_HANDLES,
    joints: tuple[str, ...] = ARM_JOINTS,
) -> Vocabulary:
    """Words for the arm with a dexterous hand in a scene with these objects, handles and joints."""
    points = (*ARM_HAND_POINTS, *objects, *handles)
    scene = {"objects": objects, "points": points, "joints": joints}
    return read_vocabulary("fr3-hand", _shipped("words", "fr3_hand.toml"), scene)


QUADRUPED = read_vocabulary("quadruped", _shipped("words", "quadruped.toml"))
VOCABULARIES: Mapping[str, Vocabulary] = {"quadruped": QUADRUPED, "fr3-hand": arm_vocabulary()}
"""All words of this package's robots, whatever the scene; a route takes those of its scene."""


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
