"""Reward programs as JSON: schema for models, reader with diagnostics, writer.

Numbers are SI. A number may also be written as text with its unit (``"20 cm"``, ``"90 deg"``); an
unknown unit, or one of another quantity, is a diagnostic that lists the legal ones.
"""

from __future__ import annotations

import json

from embodied.errors import Diagnostic, ProgramError
from embodied.language.records import (
    JsonReader,
    Schema,
    all_wrong,
    any_schema,
    keys_of,
    list_schema,
    name_schema,
    number_schema,
    object_schema,
    or_null,
    parsed,
    record_schema,
    unshared,
)
from embodied.language.reward.checking import check, complete
from embodied.language.reward.vocabulary import (
    CONDITION_OPS,
    DURATION_MAX_S,
    NORMS,
    VOCABULARIES,
    WEIGHT_MAX,
    Parameter,
    SensorSpec,
    TermSpec,
    Vocabulary,
)
from embodied.types import RewardCondition, RewardGuard, RewardProgram, RewardStage, RewardTerm

STAGES_MAX, TERMS_MAX, GUARDS_MAX = 12, 40, 6
"""Most stages of a program, terms and guards of a stage that a decoder may write."""


def json_schema(vocabulary: Vocabulary) -> Schema:
    """Strict JSON schema (draft 2020-12) of reward programs in this vocabulary.

    Every term is an object of its own with the bounds of its parameters, so a decoder that follows
    the schema cannot write an unknown name or a value out of range.
    """
    terms = [_term_schema(t) for t in vocabulary.terms.values()]
    sensors = vocabulary.sensors.values()
    stage = record_schema(
        RewardStage,
        terms=list_schema(any_schema(*terms), 1, TERMS_MAX),
        duration_s=or_null(number_schema(0.001, DURATION_MAX_S)),
        until=or_null(any_schema(*(_condition_schema(s) for s in sensors))),
        guards=list_schema(
            any_schema(*(_condition_schema(s, guard=True) for s in sensors)), 0, GUARDS_MAX
        ),
    )
    program = object_schema({"stages": list_schema(stage, 1, STAGES_MAX)})
    return unshared({**program, "title": f"reward program for the {vocabulary.robot}"})


def _condition_schema(sensor: SensorSpec, *, guard: bool = False) -> Schema:
    names = tuple(dict.fromkeys(name for legal in sensor.arguments for name in legal))
    count = len(sensor.arguments)
    condition: dict[str, Schema] = {
        "sensor": name_schema(sensor.name),
        "op": name_schema(*CONDITION_OPS),
        "value": number_schema(sensor.lower, sensor.upper),
        "arguments": list_schema(
            name_schema(*names) if names else {"type": "string"}, count, count
        ),
    }
    back: Schema = {"type": "integer", "minimum": 1, "maximum": STAGES_MAX - 1}
    return object_schema({**condition, "back": back} if guard else condition)


def _term_schema(term: TermSpec) -> Schema:
    properties = {"name": name_schema(term.name)}
    for p in term.parameters:
        schema = _parameter_schema(p)
        properties[p.name] = schema if p.default is None else or_null(schema)
    properties["weight"] = or_null(number_schema(0, WEIGHT_MAX))
    properties["norm"] = or_null(name_schema(*NORMS))
    return object_schema(properties, term.meaning)


def _parameter_schema(parameter: Parameter) -> Schema:
    if parameter.unit == "name":
        return name_schema(*parameter.choices)
    about = f"{parameter.meaning}, {parameter.unit}"
    return number_schema(parameter.lower, parameter.upper, about)


def program_from_json(
    text: str, words: Vocabulary | str, *, source: str, filled: bool = True
) -> RewardProgram:
    """Read a program that a model (or a person) wrote.

    Args:
        text: JSON text; prose and a Markdown fence around it are passed over.
        words: The vocabulary, or the robot of this package that has it.
        source: Who wrote it.
        filled: Whether left-out parameters get their defaults.

    Raises:
        ProgramError: With every diagnostic found; the program is not usable.
    """
    if isinstance(words, str):
        if words not in VOCABULARIES:
            hint, problem = "legal: " + ", ".join(VOCABULARIES), f"unknown robot {words!r}"
            raise ProgramError(text, [Diagnostic(where="robot", problem=problem, hint=hint)])
        words = VOCABULARIES[words]
    reader = _Reader(words)
    stages = reader.stages(parsed(text, '{"stages": [...]}'))
    program = RewardProgram(robot=words.robot, stages=stages, source=source)
    found = all_wrong(reader, lambda: check(program, words))
    if found:
        raise ProgramError(text, found)
    return complete(program, words) if filled else program


def program_to_json(program: RewardProgram, *, indent: int | None = 2) -> str:
    """The program as JSON text that ``program_from_json`` reads back unchanged."""
    return json.dumps({"stages": [_stage_data(s) for s in program.stages]}, indent=indent)


def _stage_data(stage: RewardStage) -> dict[str, object]:
    data: dict[str, object] = {
        "terms": [
            {"name": t.name, **t.parameters, "weight": t.weight, "norm": t.norm}
            for t in stage.terms
        ]
    }
    if stage.duration_s is not None:
        data["duration_s"] = stage.duration_s
    if stage.until is not None:
        data["until"] = _condition_data(stage.until)
    if stage.guards:
        data["guards"] = [{**_condition_data(g.condition), "back": g.back} for g in stage.guards]
    return data


def _condition_data(condition: RewardCondition) -> dict[str, object]:
    return {key: getattr(condition, key) for key in keys_of(RewardCondition)}


class _Reader(JsonReader):
    """Turns parsed JSON into stages."""

    def __init__(self, words: Vocabulary) -> None:
        super().__init__()
        self.words = words

    def stages(self, data: object) -> tuple[RewardStage, ...]:
        top = self.object(data, "program", ("stages", "robot"))
        if "stages" not in top:
            self.wrong("stages", "missing", 'write {"stages": [{"terms": [...]}]}')
        return self.items(top.get("stages"), "stages", self._stage)

    def _stage(self, data: object, where: str) -> RewardStage:
        stage = self.object(data, where, keys_of(RewardStage))
        duration, until = stage.get("duration_s"), stage.get("until")
        at = f"{where}.duration_s"
        return RewardStage(
            terms=self.items(stage.get("terms"), f"{where}.terms", self._term),
            duration_s=None if duration is None else self.number(duration, "s", at),
            until=None if until is None else self._condition(until, f"{where}.until"),
            guards=self.items(stage.get("guards"), f"{where}.guards", self._guard),
        )

    def _term(self, data: object, where: str) -> RewardTerm:
        term = self.object(data, where)
        name = str(term.pop("name", ""))
        spec = self.words.terms.get(name, TermSpec(name=name, meaning=""))
        weight, norm = term.pop("weight", spec.weight), term.pop("norm", spec.norm)
        units = {p.name: p.unit for p in spec.parameters if p.unit != "name"}
        parameters: dict[str, float | str] = {}
        for key, value in term.items():
            if key in units:
                parameters[key] = self.number(value, units[key], f"{where}.{key}")
            else:
                parameters[key] = value if isinstance(value, (str, int, float)) else str(value)
        return RewardTerm(
            name=name,
            parameters=parameters,
            weight=self.number(weight, "1", f"{where}.weight"),
            norm=str(norm),
        )

    def _guard(self, data: object, where: str) -> RewardGuard:
        guard = self.object(data, where, (*keys_of(RewardCondition), "back"))
        back = guard.pop("back", None)
        if isinstance(back, bool) or not isinstance(back, int):
            self.wrong(f"{where}.back", f"{back!r} is not a whole number", "how many stages back")
            back = 1
        return RewardGuard(condition=self._condition(guard, where), back=back)

    def _condition(self, data: object, where: str) -> RewardCondition:
        condition = self.object(data, where, keys_of(RewardCondition))
        sensor = str(condition.get("sensor", ""))
        spec = self.words.sensors.get(sensor)
        unit = spec.unit if spec else "1"
        return RewardCondition(
            sensor=sensor,
            op=str(condition.get("op", "")),
            value=self.number(condition.get("value"), unit, f"{where}.value"),
            arguments=self.items(
                condition.get("arguments"), f"{where}.arguments", lambda a, _: str(a)
            ),
        )
