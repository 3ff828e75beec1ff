"""The primitive-skills baseline: a model strings fixed skills together instead of writing rewards.

In the manner of Code-as-Policies (Liang et al. 2023, arXiv 2209.07753). Skills are data, as in
``{"skills": [{"skill": "set_torso", "height": 0.12}]}``. Each becomes one
stage with fixed weights, so the same controller runs it; what no skill expresses (rolling over,
standing on two feet, spinning at a rate, turning things over) cannot be asked for. This is the
baseline of the published comparison, not a recommended route.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from embodied.errors import Diagnostic, ProgramError
from embodied.language.reward import building as build
from embodied.language.reward.vocabulary import ARM_POINTS, FEET, Parameter, check, prompt
from embodied.protocols import LanguageModel, Message, Request, StateMemory
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
    return build.stage(build.near("palm", v["point"]), build.DOWN, *build.ARM_CALM)


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
                make=lambda v: build.stage(build.OPEN, build.DOWN, *build.ARM_CALM),
            ),
            Primitive(
                name="close_hand",
                parameters=(),
                make=lambda v: build.stage(build.CLOSE, build.DOWN, *build.ARM_CALM),
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
    skills = PRIMITIVES[robot]
    found: list[Diagnostic] = []
    stages: list[RewardStage] = []
    try:
        items = json.loads(text)["skills"]
        if not isinstance(items, list) or not items:
            raise TypeError
    except (json.JSONDecodeError, KeyError, TypeError):
        hint = '{"skills": [{"skill": NAME, ...}]} with at least one skill'
        raise ProgramError(
            text, [Diagnostic(where="answer", problem="not a list of skills", hint=hint)]
        ) from None
    for i, item in enumerate(cast("list[Any]", items)):
        given: dict[str, Any] = dict(item) if isinstance(item, dict) else {}  # pyright: ignore
        name = str(given.pop("skill", ""))
        where = f"skills[{i}]"
        if name not in skills:
            hint = "legal: " + ", ".join(skills)
            found.append(Diagnostic(where=where, problem=f"unknown skill {name!r}", hint=hint))
            continue
        known = {p.name: p for p in skills[name].parameters}
        values: dict[str, Any] = {
            n: p.default for n, p in known.items() if p.default is not None
        } | given
        wrong = [n for n in values if n not in known] + [n for n in known if n not in values]
        wrong += [
            n
            for n, p in known.items()
            if n in values and n not in wrong and not _legal(p, values[n])
        ]
        if wrong:
            hint = describe_primitives(robot)
            problem = f"{name}: wrong or missing {', '.join(wrong)}"
            found.append(Diagnostic(where=where, problem=problem, hint=hint))
            continue
        made = skills[name].make(values)
        last = i + 1 == len(cast("list[Any]", items))
        stages.append(build.stage(*made.terms, seconds=None if last else SKILL_S))
    if found:
        raise ProgramError(text, found)
    program = RewardProgram(robot=robot, stages=tuple(stages), source=source)
    illegal = check(program)
    if illegal:
        raise ProgramError(text, illegal)
    return program


def _legal(parameter: Parameter, value: object) -> bool:
    if parameter.choices:
        return value in parameter.choices
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return parameter.lower <= value <= parameter.upper


class PrimitiveTranslator:
    """Translator that lets a model choose primitive skills (baseline)."""

    def __init__(self, model: LanguageModel, robot: str, *, repairs: int = 2) -> None:
        self.model, self.robot, self.repairs = model, robot, repairs

    @property
    def name(self) -> str:
        """Who answers."""
        return self.model.name

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> RewardProgram:
        """Translate one sentence; earlier sentences are repeated to the model.

        Raises:
            ProgramError: The answer stayed unusable after the repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        del spec
        said = [sentence for sentence, _ in memory.exchanges]
        asked = "\n".join([*(f"Before: {s}" for s in said), f"Now: {instruction}"])
        system = prompt("primitives").replace("{{robot}}", self.robot)
        system = system.replace("{{skills}}", describe_primitives(self.robot))
        messages = (Message(role="system", text=system), Message(role="user", text=asked))
        for attempt in range(self.repairs + 1):
            answer = self.model.complete(Request(messages=messages, purpose="primitives")).text
            try:
                return program_from_skills(answer, self.robot, source=self.model.name)
            except ProgramError as error:
                if attempt == self.repairs:
                    raise
                problems = "\n".join(f"- {d}" for d in error.diagnostics)
                messages = (
                    *messages,
                    Message(role="assistant", text=answer),
                    Message(role="user", text=f"Not usable:\n{problems}\nWrite it again."),
                )
        raise AssertionError("unreachable")
