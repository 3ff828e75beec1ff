from __future__ import annotations

import pytest

from embodied.errors import ProgramError
from embodied.language.conversation import Conversation
from embodied.language.models import FunctionModel
from embodied.language.reward import check
from embodied.language.reward.primitives import (
    PRIMITIVES,
    PrimitiveTranslator,
    describe_primitives,
    program_from_skills,
)
from embodied.protocols import Request
from embodied.routes.reward.setup import build_setup

SIT = '{"skills": [{"skill": "set_torso", "height": 0.12}]}'


def test_skills_become_stages_in_order() -> None:
    text = (
        '{"skills": [{"skill": "lift_foot", "foot": "front_left", "height": 0.1},'
        ' {"skill": "walk", "forward": 0.3}]}'
    )
    program = program_from_skills(text, "quadruped", source="x")
    assert [s.duration_s for s in program.stages] == [2.5, None]
    assert check(program) == ()
    reach = '{"skills": [{"skill": "end_effector_to", "point": "apple"}, {"skill": "close_hand"}]}'
    assert len(program_from_skills(reach, "fr3-hand", source="x").stages) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sit", "not JSON"),
        ('{"skills": []}', "there is no skill"),
        (SIT.replace("set_torso", "backflip"), "legal: set_torso, head_towards"),
        (SIT.replace("0.12", "3"), "wrong or missing height"),
        (SIT.replace('"height"', '"depth"'), "wrong or missing depth, height"),
        ('{"skills": [7]}', "unknown skill ''"),
    ],
)
def test_mistakes_are_refused_with_the_legal_skills(text: str, said: str) -> None:
    with pytest.raises(ProgramError, match=said):
        program_from_skills(text, "quadruped", source="x")


def test_the_model_is_told_the_skills_and_may_mend_its_answer() -> None:
    asked: list[Request] = []
    answers = iter(["I sit down.", SIT])

    def answer(request: Request) -> str:
        asked.append(request)
        return next(answers)

    spec = build_setup("quadruped").world.spec
    translator = PrimitiveTranslator(FunctionModel(answer), "quadruped")
    program = translator.translate("sit", Conversation(), spec)
    assert program.stages[0].terms[0].parameters["height"] == 0.12
    assert all(f"`{n}`" in asked[0].messages[0].text for n in PRIMITIVES["quadruped"])
    assert "not JSON" in asked[1].messages[-1].text


def test_every_robot_has_skills_described() -> None:
    for robot, skills in PRIMITIVES.items():
        assert all(name in describe_primitives(robot) for name in skills)
