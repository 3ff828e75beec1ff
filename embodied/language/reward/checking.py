"""What is wrong with a reward program, with the legal values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from embodied.errors import Diagnostic
from embodied.language.reward.vocabulary import (
    CONDITION_OPS,
    DURATION_MAX_S,
    NORMS,
    VOCABULARIES,
    WEIGHT_MAX,
    Parameter,
    Vocabulary,
    described,
)
from embodied.types import RewardCondition, RewardProgram, RewardStage, RewardTerm


def check(program: RewardProgram, vocabulary: Vocabulary | None = None) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a program; empty when it may be carried out.

    Args:
        program: The program.
        vocabulary: Words to check against; by default those of ``program.robot``.
    """
    words = vocabulary or VOCABULARIES.get(program.robot)
    if words is None:
        return (_illegal("robot", "robot", program.robot, VOCABULARIES),)
    if not program.stages:
        return (_wrong("stages", "there is no stage", "give at least one stage"),)
    found: list[Diagnostic] = []
    for i, stage in enumerate(program.stages):
        where = f"stages[{i}]"
        found += (*_check_stage(where, stage, words), *_check_guards(i, stage, words))
        if i + 1 < len(program.stages) and stage.duration_s is None and stage.until is None:
            problem = "the stage never ends, so the stages after it are never reached"
            found.append(_wrong(where, problem, "give duration_s or until"))
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
        return replace(term, parameters={**words.terms[term.name].defaults, **term.parameters})

    stages = (replace(s, terms=tuple(filled(t) for t in s.terms)) for s in program.stages)
    return replace(program, stages=tuple(stages))


def _wrong(where: str, problem: str, hint: str) -> Diagnostic:
    return Diagnostic(where=where, problem=problem, hint=hint)


def _listing(names: Iterable[str]) -> str:
    return "legal: " + ", ".join(names)


def _illegal(where: str, what: str, value: object, legal: Iterable[str]) -> Diagnostic:
    return _wrong(where, f"unknown {what} {value!r}", _listing(legal))


def _check_stage(where: str, stage: RewardStage, words: Vocabulary) -> Iterator[Diagnostic]:
    if not stage.terms:
        yield _wrong(f"{where}.terms", "the stage has no term", _listing(words.terms))
    if stage.duration_s is not None and not 0 < stage.duration_s <= DURATION_MAX_S:
        problem = f"duration {stage.duration_s} s is out of range"
        hint = f"more than 0 and at most {DURATION_MAX_S:g} s, or null for no limit"
        yield _wrong(f"{where}.duration_s", problem, hint)
    if stage.until is not None:
        yield from _check_condition(f"{where}.until", stage.until, words)
    for i, term in enumerate(stage.terms):
        yield from _check_term(f"{where}.terms[{i}]", term, words)
    if stage.terms and all(t.weight == 0 for t in stage.terms):
        problem = "all weights are 0: nothing is asked for"
        yield _wrong(f"{where}.terms", problem, "give at least one term a positive weight")


def _check_guards(index: int, stage: RewardStage, words: Vocabulary) -> Iterator[Diagnostic]:
    for k, guard in enumerate(stage.guards):
        where = f"stages[{index}].guards[{k}]"
        yield from _check_condition(where, guard.condition, words)
        if not 1 <= guard.back <= index:
            hint = f"legal: 1 to {index}" if index else "the first stage has none before it"
            yield _wrong(f"{where}.back", f"there is no stage {guard.back} before this one", hint)


def _check_condition(
    where: str, condition: RewardCondition, words: Vocabulary
) -> Iterator[Diagnostic]:
    sensor = words.sensors.get(condition.sensor)
    if sensor is None:
        yield _illegal(f"{where}.sensor", "sensor", condition.sensor, words.sensors)
        return
    if condition.op not in CONDITION_OPS:
        yield _illegal(f"{where}.op", "comparison", condition.op, CONDITION_OPS)
    if not sensor.lower <= condition.value <= sensor.upper:
        problem = f"{sensor.name} never reaches {condition.value} {sensor.unit}"
        hint = f"legal: {sensor.lower:.4g} to {sensor.upper:.4g} {sensor.unit}"
        yield _wrong(f"{where}.value", problem, hint)
    asked, given = len(sensor.arguments), len(condition.arguments)
    if given != asked:
        hint = "; ".join(_listing(names) for names in sensor.arguments) or "leave them out"
        problem = f"{sensor.name} takes {asked} argument(s), got {given}"
        yield _wrong(f"{where}.arguments", problem, hint)
        return
    for i, (argument, legal) in enumerate(zip(condition.arguments, sensor.arguments, strict=True)):
        if argument not in legal:
            yield _illegal(f"{where}.arguments[{i}]", "argument", argument, legal)


def _check_term(where: str, term: RewardTerm, words: Vocabulary) -> Iterator[Diagnostic]:
    if not 0 <= term.weight <= WEIGHT_MAX:
        problem = f"weight {term.weight} is out of range"
        yield _wrong(f"{where}.weight", problem, f"legal: 0 to {WEIGHT_MAX:g}")
    if term.norm not in NORMS:
        yield _illegal(f"{where}.norm", "norm", term.norm, NORMS)
    spec = words.terms.get(term.name)
    if spec is None:
        yield _illegal(f"{where}.name", "term", term.name, words.terms)
        return
    known = {p.name: p for p in spec.parameters}
    for name, value in term.parameters.items():
        if name in known:
            yield from _check_value(f"{where}.{name}", known[name], value)
        else:
            hint = _listing(known) if known else "it takes none"
            yield _wrong(f"{where}.{name}", f"{spec.name} has no parameter {name!r}", hint)
    for name, parameter in known.items():
        if parameter.default is None and name not in term.parameters:
            yield _wrong(f"{where}.{name}", f"{spec.name} needs {name}", described(parameter))
    if spec.name == "distance" and term.parameters.get("a") == term.parameters.get("b"):
        yield _wrong(f"{where}.b", "the two points are the same", _listing(known["b"].choices))


def _check_value(where: str, parameter: Parameter, value: float | str) -> Iterator[Diagnostic]:
    if parameter.unit == "name":
        if value not in parameter.choices:
            yield _illegal(where, parameter.name, value, parameter.choices)
    elif isinstance(value, (str, bool)):
        problem = f"{parameter.name} must be a number in {parameter.unit}, got {value!r}"
        yield _wrong(where, problem, described(parameter))
    elif not parameter.lower <= value <= parameter.upper:
        hint = f"legal: {parameter.lower:.4g} to {parameter.upper:.4g} {parameter.unit}"
        yield _wrong(where, f"{parameter.name} {value} is out of range", hint)
