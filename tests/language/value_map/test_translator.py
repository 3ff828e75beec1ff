"""The model's translator: its prompts, each example of which is carried out, and its repairs."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from embodied.errors import ConfigurationError, NotUnderstoodError, ProgramError
from embodied.language.conversation import Conversation
from embodied.language.models import FunctionModel
from embodied.language.prompting import prompt_text
from embodied.language.scene_text import scene_text
from embodied.language.value_map import check, describe, read_json
from embodied.language.value_map.rules import RulesValueMapTranslator
from embodied.language.value_map.translator import (
    FORMS,
    ValueMapTranslator,
    system_prompt,
)
from embodied.protocols import Request
from embodied.types import Atom, ObjectSpec, ValueMapProgram, WorldSpec

BLOCK = (0.05, 0.05, 0.05)


def item(name: str, color: str, category: str = "block") -> ObjectSpec:
    return ObjectSpec(name=name, kind="item", category=category, color=color, size_m=BLOCK)


OBJECTS = (
    item("red-block", "red"),
    item("green-block", "green"),
    item("yellow-block", "yellow"),
    item("blue-can", "blue", "can"),
    ObjectSpec(name="bowl", kind="container", category="bowl", size_m=(0.2, 0.2, 0.05)),
    ObjectSpec(
        name="drawer",
        kind="drawer",
        category="drawer",
        size_m=(0.2, 0.2, 0.1),
        travel_m=0.12,
        opens_along=(-1.0, 0.0, 0.0),
    ),
)
ONE = np.zeros(1)
SPEC = WorldSpec(
    name="examples",
    robot="none",
    joint_names=("j",),
    q_lower=ONE,
    q_upper=ONE,
    dq_max=ONE,
    ddq_max=ONE,
    dddq_max=ONE,
    tau_max=ONE,
    q_home=ONE,
    control_dt_s=0.01,
    objects={o.name: o for o in OBJECTS},
    workspace_lower=np.array([0.15, -0.5, -0.02]),
    workspace_upper=np.array([0.85, 0.5, 0.7]),
)
PLACES = {o.name: np.array([0.4, 0.1 * i - 0.25, 0.025]) for i, o in enumerate(OBJECTS)}
PLACES["gripper"] = np.array([0.3, 0.0, 0.48])

EXAMPLES = [
    (form, request, answer)
    for form in FORMS
    for request, answer in re.findall(
        r"Request: ([^\n]*)\n```\w+\n(.*?)```",
        prompt_text("value_map", f"{form}_examples"),
        re.DOTALL,
    )
]


def translator(
    answers: list[str], form: str = "json", seen: list[Request] | None = None
) -> ValueMapTranslator:
    left = list(answers)

    def answer(request: Request) -> str:
        if seen is not None:
            seen.append(request)
        return left.pop(0)

    model = FunctionModel(answer)
    return ValueMapTranslator(model, form=form, positions=lambda: PLACES)


def lines(program: ValueMapProgram) -> set[str]:
    return {line.split(", until")[0] for line in describe(program).splitlines()}


SLICED = {
    "   - do not be right of the green-block": "   - do not be in the box y under 0 cm from the"
    " green-block",
    "   - get in the box x 15 cm to 85 cm, y 0 cm to 50 cm": "   - get in the box y over 0 cm",
    "   - at most 5 cm/s (slow) within 12 cm of the surface of the yellow-block": "   - at most"
    " 12.5 cm/s (half) within 12 cm of the surface of the yellow-block",
}
"""How voxels say what the rules say otherwise."""


def test_there_are_examples_of_both_forms() -> None:
    for form in FORMS:
        requests = [r for f, r, _ in EXAMPLES if f == form]
        assert len(requests) >= 9
        assert len(requests) == prompt_text("value_map", f"{form}_examples").count("Request: ")


@pytest.mark.parametrize(("form", "request_text", "answer"), EXAMPLES)
def test_every_example_is_what_the_prompt_says(form: str, request_text: str, answer: str) -> None:
    if "coffee" in request_text:
        with pytest.raises(NotUnderstoodError, match="no coffee"):
            translator([answer], form).translate(request_text, Conversation(), SPEC)
        return
    program = translator([answer], form).translate(request_text, Conversation(), SPEC)
    assert check(program, tuple(SPEC.objects)) == ()
    assert program.notes == ()
    text = re.sub(r" \(.*\)|, the gripper pointing down", "", request_text)
    wanted = lines(RulesValueMapTranslator().translate(text, Conversation(), SPEC))
    if form == "python":
        wanted = {SLICED.get(line, line) for line in wanted}
    extra = lines(program) - wanted
    assert wanted <= lines(program)
    assert extra <= {"   - gripper pointing down everywhere"}


def test_a_faulty_answer_comes_back_with_its_diagnostics() -> None:
    seen: list[Request] = []
    good = next(a for f, r, a in EXAMPLES if f == "json")
    bad = good.replace("red-block", "pear")
    program = translator([bad, good], seen=seen).translate("go there", Conversation(), SPEC)
    assert len(program.stages) == 1
    assert len(seen) == 2
    assert "unknown frame 'pear'" in seen[1].messages[-1].text
    assert "red-block" in seen[1].messages[-1].text
    assert seen[0].schema is not None


def test_python_that_fails_comes_back_with_its_line() -> None:
    seen: list[Request] = []
    bad = "x = detect('red block')\nimport numpy as np"
    good = next(a for f, r, a in EXAMPLES if f == "python")
    translator([bad, good], "python", seen).translate("go there", Conversation(), SPEC)
    assert "line 2: ModuleNotFoundError" in seen[1].messages[-1].text
    assert seen[0].schema is None


def test_after_the_repairs_it_gives_up() -> None:
    with pytest.raises(ProgramError, match="asked 3 times"):
        translator(["a", "b", "c"]).translate("go there", Conversation(), SPEC)


def test_an_empty_sentence_asks_nobody() -> None:
    with pytest.raises(ProgramError, match="empty"):
        translator([]).translate("  ", Conversation(), SPEC)


def test_wrong_forms_are_refused() -> None:
    model = FunctionModel(lambda request: "")
    with pytest.raises(ConfigurationError, match="legal: json, python"):
        ValueMapTranslator(model, form="yaml")
    with pytest.raises(ConfigurationError, match="positions"):
        ValueMapTranslator(model, form="python")


@pytest.mark.parametrize("form", FORMS)
def test_a_failure_goes_back_with_the_program_and_the_scene_as_it_is(form: str) -> None:
    asked: list[str] = []

    def answer(request: Request) -> str:
        asked.append(request.messages[-1].text)
        return "no program"

    places = {"red-block": np.array([0.5, 0.1, 0.02])}
    writer = ValueMapTranslator(
        FunctionModel(answer), form=form, positions=lambda: places, repairs=0
    )
    region = {"shape": "point", "frame": "red-block", "x": 0, "y": 0, "z": 0.1}
    stage = {
        "moving": "gripper",
        "operations": [{"map": "affordance", "region": region, "value": 1}],
    }
    program = read_json(json.dumps({"stages": [stage]}), objects=tuple(SPEC.objects), source="m")
    problems = ("blue-can is on red-block",)
    with pytest.raises(ProgramError):
        writer.repair_motion("push the block", program, problems, Conversation(), SPEC)
    assert "- blue-can is on red-block" in asked[0] and "Request: push the block" in asked[0]
    assert (
        "at (0.500, 0.100, 0.020)" in asked[0]
        and "10 cm above the red-block" in asked[0]
        or (form == "json" and '"affordance"' in asked[0])
    )
    assert "This program was carried out" in asked[0]


def test_the_prompt_names_the_scene() -> None:
    facts = frozenset(map(Atom.parse, ("(on blue-can drawer)", "(holding red-block)")))
    places = {"blue-can": np.array([0.4, -0.1, 0.025]), "gripper": np.array([0.3, 0.0, 0.5])}
    text = scene_text(SPEC, facts, places)
    assert "- blue-can: item, blue can, 5 x 5 x 5 cm, at (0.400, -0.100, 0.025)" in text
    assert "opens by up to 12 cm along (-1, 0, 0)" in text
    assert "- the gripper holds red-block\n- blue-can is on drawer" in text
    assert "The gripper is at (0.300, 0.000, 0.500)." in text
    narrow = replace(SPEC.objects["blue-can"], size_m=(0.045, 0.045, 0.1), aliases=("tin",))
    spec = replace(SPEC, objects={"blue-can": narrow})
    assert "4.5 x 4.5 x 10 cm, also called tin" in scene_text(spec)
    for form in FORMS:
        assert "$" not in system_prompt(form)
