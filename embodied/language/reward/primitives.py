"""The primitive-skills baseline: a model strings fixed skills together instead of writing rewards.

In the manner of Code-as-Policies (Liang et al. 2023, arXiv 2209.07753). Skills are data, as in
``{"skills": [{"skill": "set_torso", "height": 0.12}]}``. Each becomes one
stage with fixed weights, so the same controller runs it; what no skill expresses (rolling over,
standing on two feet, spinning at a rate, turning things over) cannot be asked for. This is the
baseline of the published comparison, not a recommended route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from embodied.errors import ProgramError
from embodied.language.prompting import fill
from embodied.language.records import JsonReader, parsed
from embodied.language.repair import Writer
from embodied.language.reward import building as build
from embodied.language.reward import hand_building as hand
from embodied.language.reward.checking import check
from embodied.language.reward.vocabulary import ARM_POINTS, FEET, Parameter
from embodied.protocols import LanguageModel, StateMemory
from embodied.types import RewardProgram, RewardStage, WorldSpec

Values: TypeAlias = Mapping[str, Any]
SKILL_S = 2.5
"""Duration of each skill; the last one goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitive:
    """A fixed skill: its parameters and the stage it becomes."""

    name: str
    parameters: tuple[Parameter, ...]
    make: Callable[[Values], RewardStage]


def _number(name: str, lower: float, upper: float, default: float | None = None) -> Parameter:
    return Parameter(name=name, meaning=name, unit="1", lower=lower, upper=upper, default=default)


def _name(name: str, choices: tuple[str, ...]) -> Parameter:
    return Parameter(name=name, meaning=name, unit="name", choices=choices)


def _torso(v: Values) -> RewardStage:
    return build.stage(
        build.q("torso_height", height=v["height"], weight=40.0),
        build.q("torso_pitch", angle=v["pitch"]),
        build.q("torso_roll", angle=0.0),
        *build.CALM,
    )


def _end_effector(v: Values) -> RewardStage:
    return build.stage(hand.near("palm", v["point"]), hand.DOWN, *hand.ARM_CALM)


PRIMITIVES: Mapping[str, Mapping[str, Primitive]] = {
    "quadruped": {
        p.name: p
        for p in (
            Primitive(
                name="set_torso",
                parameters=(_number("height", 0.1, 0.35), _number("pitch", -0.5, 0.5, 0.0)),
                make=_torso,
            ),
            Primitive(
                name="head_towards",
                parameters=(_number("angle", -3.1416, 3.1416),),
                make=lambda v: build.stage(*build.facing(v["angle"])),
            ),
            Primitive(
                name="walk",
                parameters=(_number("forward", -0.5, 0.5), _number("left", -0.3, 0.3, 0.0)),
                make=lambda v: build.stage(*build.walking(v["forward"], v["left"])),
            ),
            Primitive(
                name="lift_foot",
                parameters=(_name("foot", FEET), _number("height", 0.0, 0.3)),
                make=lambda v: build.stage(*build.lifting({v["foot"]: v["height"]})),
            ),
        )
    },
    "fr3-hand": {
        p.name: p
        for p in (
            Primitive(
                name="end_effector_to",
                parameters=(_name("point", ARM_POINTS),),
                make=_end_effector,
            ),
            Primitive(
                name="open_hand",
                parameters=(),
                make=lambda v: build.stage(hand.OPEN, hand.DOWN, *hand.ARM_CALM),
            ),
            Primitive(
                name="close_hand",
                parameters=(),
                make=lambda v: build.stage(hand.CLOSE, hand.DOWN, *hand.ARM_CALM),
            ),
        )
    },
}
"""Skills by robot."""


def describe_primitives(robot: str) -> str:
    """The skills as lines of a prompt."""
    lines: list[str] = []
    for skill in PRIMITIVES[robot].values():
        parts = [
            f"{p.name}: {'|'.join(p.choices)}" if p.choices else f"{p.name}: {p.lower}..{p.upper}"
            for p in skill.parameters
        ]
        lines.append(f"- `{skill.name}`({', '.join(parts)})")
    return "\n".join(lines)


def program_from_skills(text: str, robot: str, *, source: str) -> RewardProgram:
    """Read ``{"skills": [...]}``.

    Raises:
        ProgramError: Not JSON, or an unknown skill, parameter or value; says the legal ones.
    """
    skills, reader = PRIMITIVES[robot], JsonReader()

    def stage(data: object, where: str) -> RewardStage:
        given = reader.object(data, where)
        name = str(given.pop("skill", ""))
        if name not in skills:
            reader.wrong(where, f"unknown skill {name!r}", "legal: " + ", ".join(skills))
            return build.stage()
        known = {p.name: p for p in skills[name].parameters}
        values = {n: p.default for n, p in known.items() if p.default is not None} | given
        wrong = [n for n in values if n not in known] + [n for n in known if n not in values]
        wrong += [n for n, p in known.items() if n in values and not _legal(p, values[n])]
        if wrong:
            problem = f"{name}: wrong or missing {', '.join(wrong)}"
            reader.wrong(where, problem, describe_primitives(robot))
            return build.stage()
        return skills[name].make(values)

    form = '{"skills": [{"skill": NAME, ...}]}'
    made = reader.items(parsed(text, form).get("skills"), "skills", stage)
    if not made and not reader.diagnostics:
        reader.wrong("skills", "there is no skill", f"{form} with at least one skill")
    stages = (*(replace(s, duration_s=SKILL_S) for s in made[:-1]), *made[-1:])
    program = RewardProgram(robot=robot, stages=stages, source=source)
    found = tuple(reader.diagnostics) or check(program)
    if found:
        raise ProgramError(text, found)
    return program


def _legal(parameter: Parameter, value: object) -> bool:
    if parameter.choices:
        return value in parameter.choices
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return parameter.lower <= value <= parameter.upper


class PrimitiveTranslator(Writer):
    """Translator that lets a model choose primitive skills (baseline)."""

    def __init__(self, model: LanguageModel, robot: str, *, repairs: int = 2) -> None:
        super().__init__(model, repairs=repairs, max_tokens=1024)
        self.robot = robot

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> RewardProgram:
        """Translate one sentence; earlier sentences are repeated to the model.

        Raises:
            ProgramError: The answer stayed unusable after the repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        del spec
        before = [f"Before: {sentence}" for sentence, _ in memory.exchanges]
        system = fill(
            "reward", "primitives", robot=self.robot, skills=describe_primitives(self.robot)
        )
        request = self.request(system, "\n".join([*before, f"Now: {instruction}"]), "primitives")
        source = self.model.name
        return self.ask(request, lambda t: program_from_skills(t, self.robot, source=source)).value
