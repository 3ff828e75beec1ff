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
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Annotated

from embodied.errors import ConfigurationError, Diagnostic
from embodied.tables import OneOf, read_table
from embodied.types import RewardTerm

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
        of: In a file of words: what the legal names are called there, e.g. ``"objects"``.
    """

    name: str = ""
    meaning: str
    unit: str = "name"
    lower: float = -math.inf
    upper: float = math.inf
    choices: tuple[str, ...] = ()
    default: float | str | None = None
    of: str = ""


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
        tolerance_between: The same where its numbers lie between their ends, such as a drawer half
            open; None for the same tolerance.
        tolerance_of_things: The same where all that it names are things, none a part of the robot;
            None for the same tolerance.
        residual_unit: Unit of the residual.
    """

    name: str
    meaning: str
    parameters: tuple[Parameter, ...] = ()
    weight: float = 1.0
    norm: str = "quadratic"
    tolerance: float | None = None
    tolerance_between: float | None = None
    tolerance_of_things: float | None = None
    residual_unit: str = ""

    @property
    def defaults(self) -> Mapping[str, float | str]:
        """What its parameters are when a program leaves them out."""
        return {p.name: p.default for p in self.parameters if p.default is not None}

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

    def tolerance(self, term: RewardTerm) -> float | None:
        """Largest mean residual of a term that counts as reached; None where it is not judged."""
        spec, things = self.terms[term.name], self.names.get("objects", ())
        named = [v for v in term.parameters.values() if isinstance(v, str)]
        if spec.tolerance_of_things is not None and all(n in things for n in named):
            return spec.tolerance_of_things
        numbers = [(p, float(term.parameters[p.name])) for p in spec.parameters if p.unit != "name"]
        if spec.tolerance_between is not None and all(p.lower < n < p.upper for p, n in numbers):
            return spec.tolerance_between
        return spec.tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    meaning: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict[str, Parameter])
    weight: float = 1.0
    norm: Annotated[str, OneOf(NORMS)] = "quadratic"
    tolerance: float | None = None
    tolerance_between: float | None = None
    tolerance_of_things: float | None = None
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
                replace(p, name=n, choices=legal.get(p.of, ())) for n, p in term.parameters.items()
            ),
            weight=term.weight,
            norm=term.norm,
            tolerance=term.tolerance,
            tolerance_between=term.tolerance_between,
            tolerance_of_things=term.tolerance_of_things,
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
    *,
    robot: str = "fr3-hand",
    places: tuple[str, ...] = (),
) -> Vocabulary:
    """Words for an arm in a scene with these objects, handles, joints and places to put things."""
    own = ARM_HAND_POINTS if robot == "fr3-hand" else ("palm", "rest_position")
    points = tuple(dict.fromkeys((*own, *objects, *places, *handles)))
    scene = {"objects": objects, "points": points, "joints": joints, "places": places}
    return read_vocabulary(robot, _shipped("words", "fr3_hand.toml"), scene)


QUADRUPED = read_vocabulary("quadruped", _shipped("words", "quadruped.toml"))
VOCABULARIES: Mapping[str, Vocabulary] = {"quadruped": QUADRUPED, "fr3-hand": arm_vocabulary()}
"""All words of this package's robots, whatever the scene; a route takes those of its scene."""


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
    return RewardTerm(
        name=name,
        parameters={**spec.defaults, **parameters},
        weight=spec.weight if weight is None else weight,
        norm=spec.norm if norm is None else norm,
    )


def describe(vocabulary: Vocabulary) -> str:
    """The catalogue as Markdown lines for prompts and help texts."""
    lines = ["Terms (each also takes `weight` and `norm`):"]
    for term in vocabulary.terms.values():
        parts = ", ".join(described(p) for p in term.parameters)
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


def described(parameter: Parameter) -> str:
    """A parameter with what it may be, on one line."""
    if parameter.unit == "name":
        return f"{parameter.name}: {'|'.join(parameter.choices)}"
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    default = "" if parameter.default is None else f", default {parameter.default:g}"
    return f"{parameter.name}: {parameter.lower:.4g}..{parameter.upper:.4g}{unit}{default}"
