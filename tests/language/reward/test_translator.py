from __future__ import annotations

import json
import re

import numpy as np
import pytest
from embodied_controllers.mpc import PlannerOptions

from embodied.errors import ProgramError
from embodied.language.conversation import Conversation
from embodied.language.models import FunctionModel
from embodied.language.reward import (
    VOCABULARIES,
    arm_speech,
    make_term,
    program_from_json,
    quadruped_speech,
)
from embodied.language.reward.amending import amended, current
from embodied.language.reward.translator import RewardTranslator, coding_prompt
from embodied.protocols import Request
from embodied.routes.reward.setup import build_setup
from embodied.types import RewardGoal, RewardProgram, RewardStage

GOOD = '{"stages": [{"terms": [{"name": "torso_height", "height": 0.15}]}]}'
SPEECHES = {"quadruped": quadruped_speech(), "fr3-hand": arm_speech()}
SPEC = build_setup("quadruped", options=PlannerOptions(n_samples=2)).world.spec


def examples(robot: str) -> list[str]:
    return re.findall(r"```json\n(.*?)```", SPEECHES[robot].legal_examples(), re.DOTALL)


@pytest.mark.parametrize("robot", list(VOCABULARIES))
def test_every_example_of_the_prompts_is_legal_and_runs(robot: str) -> None:
    found = examples(robot)
    assert found
    for text in found:
        program = program_from_json(text, robot, source="prompt")
        rig = build_setup(robot, options=PlannerOptions(n_samples=4, horizon_s=0.1))
        observation = rig.world.reset(seed=0)
        state = rig.controller.init(RewardGoal(program=program), observation)
        for _ in range(6):
            command, state, _ = rig.controller.step(state, observation)
            observation = rig.world.step(command).observation
        assert np.isfinite(state.plan.cost)
        rig.close()


@pytest.mark.parametrize("robot", list(VOCABULARIES))
def test_the_prompt_is_filled_in(robot: str) -> None:
    text = coding_prompt(SPEECHES[robot])
    assert "$" not in text
    assert all(f"`{name}`" in text for name in VOCABULARIES[robot].terms)


def test_two_steps_ask_for_a_description_then_for_the_program() -> None:
    asked: list[Request] = []

    def answer(request: Request) -> str:
        asked.append(request)
        return "The torso is low." if request.purpose == "motion-description" else GOOD

    program = RewardTranslator(FunctionModel(answer), quadruped_speech()).translate(
        "sit", Conversation(), SPEC
    )
    assert [r.purpose for r in asked] == ["motion-description", "reward-program"]
    assert "The torso is low." in asked[1].messages[-1].text
    assert program.stages[0].terms[0].parameters["height"] == 0.15


def test_one_step_codes_at_once() -> None:
    asked: list[str] = []

    def answer(request: Request) -> str:
        asked.append(request.purpose)
        return GOOD

    RewardTranslator(FunctionModel(answer), quadruped_speech(), two_step=False).translate(
        "sit", Conversation(), SPEC
    )
    assert asked == ["reward-program"]


def test_mistakes_go_back_with_the_legal_values_and_are_bounded() -> None:
    asked: list[Request] = []
    answers = iter([GOOD.replace("torso_height", "torso_hight"), GOOD])

    def mends(request: Request) -> str:
        asked.append(request)
        return next(answers)

    translator = RewardTranslator(FunctionModel(mends), quadruped_speech(), two_step=False)
    translator.translate("sit", Conversation(), SPEC)
    assert "torso_height" in asked[1].messages[-1].text
    assert "torso_hight" in asked[1].messages[-1].text

    count = 0

    def never(request: Request) -> str:
        nonlocal count
        count += 1
        return f"I sit {count}."

    with pytest.raises(ProgramError, match="not JSON"):
        RewardTranslator(
            FunctionModel(never), quadruped_speech(), two_step=False, repairs=2
        ).translate("sit", Conversation(), SPEC)
    assert count == 3


def test_a_correction_sees_the_program_in_force() -> None:
    asked: list[str] = []

    def answer(request: Request) -> str:
        asked.append(request.messages[-1].text)
        return GOOD

    before = program_from_json(GOOD, "quadruped", source="x")
    memory = Conversation().told("sit", before)
    RewardTranslator(FunctionModel(answer), quadruped_speech(), two_step=False).translate(
        "higher", memory, SPEC
    )
    shown = json.loads(asked[0].split("\n")[1])
    assert shown["stages"][0]["terms"][0]["height"] == 0.15


def test_amending_replaces_the_same_subject_and_keeps_the_rest() -> None:
    left = make_term("foot_lift", foot="front_left", height=0.1)
    height = make_term("torso_height", height=0.2)
    program = RewardProgram(
        robot="quadruped", stages=(RewardStage(terms=(left, height)),), source="x"
    )
    higher = make_term("foot_lift", foot="front_left", height=0.2)
    also = make_term("foot_lift", foot="rear_right", height=0.1)
    new = amended(program, RewardStage(terms=(higher, also)), source="x")
    assert new.stages[0].terms == (height, higher, also)
    assert current(Conversation().told("a", program).told("b", new)) is new
    assert current(Conversation()) is None


def test_an_empty_sentence_is_refused() -> None:
    with pytest.raises(ProgramError, match="empty"):
        RewardTranslator(FunctionModel(lambda r: GOOD), "quadruped").translate(
            "  ", Conversation(), SPEC
        )
