from __future__ import annotations

import math
from dataclasses import replace

import pytest

from embodied.errors import ProgramError
from embodied.language.reward import (
    VOCABULARIES,
    check,
    complete,
    describe,
    json_schema,
    make_term,
    program_from_json,
    program_to_json,
)
from embodied.types import (
    RewardCondition,
    RewardGuard,
    RewardProgram,
    RewardStage,
    RewardTerm,
)


def program(*terms: RewardTerm, robot: str = "quadruped", **stage: object) -> RewardProgram:
    return RewardProgram(
        robot=robot,
        stages=(RewardStage(terms=terms, **stage),),  # type: ignore[arg-type]
        source="test",
    )


SIT = make_term("torso_height", height=0.16)


def test_a_good_program_has_no_diagnostics() -> None:
    until = RewardCondition(sensor="foot_height", op=">=", value=0.1, arguments=("front_left",))
    assert check(program(SIT, make_term("posture"), duration_s=3.0, until=until)) == ()


@pytest.mark.parametrize(
    ("bad", "where", "hint"),
    [
        (program(RewardTerm(name="jump")), "stages[0].terms[0].name", "torso_height"),
        (program(make_term("torso_height", height=3.0)), "stages[0].terms[0].height", "0.05 to"),
        (program(RewardTerm(name="torso_height")), "stages[0].terms[0].height", "0.05..0.7 m"),
        (
            program(RewardTerm(name="torso_height", parameters={"height": "low"})),
            "stages[0].terms[0].height",
            "m",
        ),
        (
            program(RewardTerm(name="torso_height", parameters={"height": math.nan})),
            "stages[0].terms[0].height",
            "0.05 to",
        ),
        (
            program(make_term("foot_lift", foot="tail", height=0.1)),
            "stages[0].terms[0].foot",
            "front_left",
        ),
        (program(replace(SIT, norm="l7")), "stages[0].terms[0].norm", "smooth_abs"),
        (program(replace(SIT, weight=-1.0)), "stages[0].terms[0].weight", "0 to 1000"),
        (program(replace(SIT, weight=0.0)), "stages[0].terms", "positive"),
        (program(SIT, duration_s=-1.0), "stages[0].duration_s", "120"),
        (
            program(SIT, until=RewardCondition(sensor="mood", op=">=", value=1)),
            "stages[0].until.sensor",
            "torso_roll",
        ),
        (
            program(SIT, until=RewardCondition(sensor="torso_roll", op="=", value=1)),
            "stages[0].until.op",
            ">=",
        ),
        (
            program(SIT, until=RewardCondition(sensor="foot_height", op=">=", value=0.1)),
            "stages[0].until.arguments",
            "rear_right",
        ),
        (program(SIT, robot="snake"), "robot", "quadruped, fr3-hand"),
        (
            program(make_term("distance", robot="fr3-hand", a="palm", b="palm"), robot="fr3-hand"),
            "stages[0].terms[0].b",
            "apple",
        ),
    ],
)
def test_each_mistake_is_named_with_the_legal_values(
    bad: RewardProgram, where: str, hint: str
) -> None:
    (diagnostic,) = check(bad)
    assert diagnostic.where == where
    assert hint in diagnostic.hint


def test_an_endless_stage_before_another_is_a_mistake() -> None:
    two = RewardProgram(
        robot="quadruped", stages=(RewardStage(terms=(SIT,)), RewardStage(terms=(SIT,))), source=""
    )
    assert [d.where for d in check(two)] == ["stages[0]"]


def test_complete_fills_defaults_in() -> None:
    step = RewardTerm(name="foot_stepping", parameters={"foot": "rear_left", "frequency": 2.0})
    (term,) = complete(program(step)).stages[0].terms
    assert term.parameters["air_ratio"] == 0.5
    with pytest.raises(ValueError, match="frequency"):
        complete(program(RewardTerm(name="foot_stepping", parameters={"foot": "rear_left"})))


def test_json_round_trip() -> None:
    until = RewardCondition(sensor="torso_roll", op=">=", value=3.0)
    asked = program(SIT, make_term("foot_lift", foot="front_left", height=0.1), until=until)
    assert program_from_json(program_to_json(asked), "quadruped", source="test") == asked


def test_units_are_converted_and_unknown_ones_refused() -> None:
    text = '{"stages":[{"terms":[{"name":"torso_height","height":"20 cm"}]}]}'
    read = program_from_json(text, "quadruped", source="test")
    assert read.stages[0].terms[0].parameters["height"] == pytest.approx(0.2)
    with pytest.raises(ProgramError, match="units: m, cm, mm") as caught:
        program_from_json(text.replace("cm", "ells"), "quadruped", source="test")
    assert len(caught.value.diagnostics) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I would sit down.",
        '{"stages": [',
        "[]",
        "{}",
        '{"stages": 3}',
        '{"stages": []}',
        '{"stages": [{}]}',
        '{"stages": [{"terms": [3]}]}',
        '{"stages": [{"terms": [], "x": 1}]}',
    ],
)
def test_what_is_not_a_program_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(ProgramError) as caught:
        program_from_json(text, "quadruped", source="test")
    assert all(d.hint for d in caught.value.diagnostics)


@pytest.mark.parametrize("robot", list(VOCABULARIES))
def test_schema_and_description_name_every_term(robot: str) -> None:
    words = VOCABULARIES[robot]
    schema = json_schema(words)
    terms = schema["properties"]["stages"]["items"]["properties"]["terms"]["items"]["anyOf"]
    assert [t["properties"]["name"]["const"] for t in terms] == list(words.terms)
    text = describe(words)
    assert all(f"`{n}`" in text for n in (*words.terms, *words.sensors))


HELD = RewardCondition(sensor="distance", op="<=", value=0.07, arguments=("palm", "box"))
CLOSED = make_term("hand_closure", robot="fr3-hand", fraction=1.0)


def guarded(*guards: RewardGuard, before: int = 1) -> RewardProgram:
    first = RewardStage(terms=(CLOSED,), duration_s=1.0)
    stages = (*(first,) * before, RewardStage(terms=(CLOSED,), guards=guards))
    return RewardProgram(robot="fr3-hand", stages=stages, source="test")


def test_a_guard_leads_back_to_a_stage_that_exists() -> None:
    assert check(guarded(RewardGuard(condition=HELD, back=1))) == ()
    for back, before, hint in ((2, 1, "1 to 1"), (0, 1, "1 to 1"), (1, 0, "none before it")):
        (found,) = check(guarded(RewardGuard(condition=HELD, back=back), before=before))
        assert found.where == f"stages[{before}].guards[0].back"
        assert hint in found.hint
    unknown = replace(HELD, sensor="smell")
    (found,) = check(guarded(RewardGuard(condition=unknown, back=1)))
    assert found.where == "stages[1].guards[0].sensor"
    assert "object_height" in found.hint


def test_guards_are_written_and_read_unchanged_and_stand_in_the_schema() -> None:
    program = complete(guarded(RewardGuard(condition=HELD, back=1)))
    text = program_to_json(program)
    assert program_from_json(text, "fr3-hand", source="test") == program
    stage = json_schema(VOCABULARIES["fr3-hand"])["properties"]["stages"]["items"]["properties"]
    for schema in stage["guards"]["items"]["anyOf"]:
        assert set(schema["required"]) == {"sensor", "op", "value", "arguments", "back"}
    for bad, where in (('"back": "one"', "back"), ('"back": 1, "why": 2', "why")):
        with pytest.raises(ProgramError, match=where):
            program_from_json(text.replace('"back": 1', bad), "fr3-hand", source="test")
