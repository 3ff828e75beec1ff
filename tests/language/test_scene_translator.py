"""Scene mode: prompts, answers, refusals, repairs, bad days."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from embodied.errors import ModelError, NotUnderstoodError, ProgramError
from embodied.language.models import FunctionModel, close_model
from embodied.language.pddl.scene_translator import (
    ANSWER_SCHEMA,
    LONGEST_SENTENCE,
    SceneTranslator,
    read_answer,
)
from embodied.memory import SceneMemory
from embodied.protocols import Request
from embodied.symbolic import holds, read_domain, read_problem
from embodied.types import Atom, WorldSpec

Memories = Callable[..., SceneMemory]


def _answer(*stages: str, unsupported: str = "") -> str:
    return json.dumps({"stages": list(stages), "unsupported": unsupported})


@pytest.fixture
def translate(
    domain_text: str, objects: dict[str, str], memory: Memories, spec: WorldSpec
) -> Callable[..., Any]:
    """Translate a sentence with a model that gives these answers in turn."""

    def run(*answers: str | ModelError, sentence: str = "tidy up", repairs: int = 2) -> Any:
        model = FunctionModel.scripted(answers)
        translator = SceneTranslator(model, domain_text, objects, repairs=repairs)
        return translator.translate(sentence, memory(), spec)

    return run


def test_the_prompt(
    domain_text: str,
    objects: dict[str, str],
    memory: Memories,
    snapshot: Callable[[str, str], None],
) -> None:
    translator = SceneTranslator(FunctionModel(lambda _: ""), domain_text, objects)
    request = translator.build_request("put the saw away", memory())
    rendered = "\n\n".join(f"# {m.role}\n\n{m.text}" for m in request.messages)
    snapshot("scene_prompt.md", rendered + "\n")
    assert request.schema == ANSWER_SCHEMA
    assert request.grammar is not None and request.grammar.startswith("root ::= ")


def test_the_prompt_of_a_follow_up(
    domain_text: str,
    objects: dict[str, str],
    memory: Memories,
    snapshot: Callable[[str, str], None],
) -> None:
    translator = SceneTranslator(FunctionModel(lambda _: ""), domain_text, objects)
    earlier = {"put the red car in the drawer": ("(open top-drawer)", "(in red-car top-drawer)")}
    request = translator.build_request("now the blue one too", memory(earlier))
    snapshot("scene_prompt_follow_up.md", request.messages[1].text + "\n")


def test_the_prompts_examples_are_valid_answers(domain_text: str, objects: dict[str, str]) -> None:
    """Every example of the system prompt is read, over the scene that the prompt describes."""
    desk = read_domain(
        """(define (domain d) (:requirements :adl) (:types tool surface container - object)
        (:predicates (on ?x - tool ?s - surface) (in ?x - tool ?c - container)
        (open ?c - container)) (:action a :parameters (?x - tool ?c - container ?s - surface)
        :precondition (and) :effect (and (in ?x ?c) (on ?x ?s) (open ?c))))"""
    )
    from embodied.language.prompting import prompt_text
    from embodied.symbolic import read_goal

    things = dict.fromkeys(("pen", "ink-red", "ink-blue", "eraser"), "tool")
    things |= {"tray": "surface", "case": "container", "cabinet-drawer": "container"}
    examples = [
        line
        for line in prompt_text("pddl", "scene_system").splitlines()
        if line.startswith('{"stages": [')
    ]
    read = [read_answer(line) for line in examples if "<goal>" not in line]
    assert len(read) == 6 and sum(bool(refusal) for _, refusal in read) == 1
    for stages, _ in read:
        for stage in stages:
            read_goal(stage, desk, things)


def test_a_goal_becomes_a_program(translate: Callable[..., Any], domain_text: str) -> None:
    program = translate(_answer("(and (in red-car crate) (not (in saw crate)))"))
    assert program.stages == ("(and (in red-car crate) (not (in saw crate)))",)
    domain = read_domain(program.domain)
    problem = read_problem(program.problem, domain)
    assert program.domain == domain_text
    assert Atom("in", ("saw", "crate")) in problem.init
    assert not holds(problem.goal, problem.init, domain, problem.objects)
    assert program.source == "scripted" and program.notes == ()


def test_stages_keep_their_order(translate: Callable[..., Any]) -> None:
    program = translate(_answer("(open top-drawer)", "(in saw top-drawer)"))
    assert program.stages == ("(open top-drawer)", "(in saw top-drawer)")


def test_prose_and_fences_around_the_answer_are_passed_over(translate: Callable[..., Any]) -> None:
    text = f"Sure {{I can}}!\n```json\n{_answer('(in saw crate)')}\n```\nAnything else?"
    assert translate(text).stages == ("(in saw crate)",)


def test_bare_goals_are_read_too(translate: Callable[..., Any]) -> None:
    assert translate("(open top-drawer)\n(in saw top-drawer)").stages == (
        "(open top-drawer)",
        "(in saw top-drawer)",
    )
    with pytest.raises(NotUnderstoodError, match="no hammer"):
        translate("unsupported: there is no hammer")


def test_a_refusal_is_not_understood(translate: Callable[..., Any]) -> None:
    with pytest.raises(NotUnderstoodError, match="no hammer.*known objects: saw, red-car"):
        translate(_answer(unsupported="there is no hammer"))


@pytest.mark.parametrize("sentence", ["", "  \n ", "x" * (LONGEST_SENTENCE + 1), "put " * 2_500])
def test_an_empty_or_endless_sentence_costs_nothing(
    translate: Callable[..., Any], sentence: str
) -> None:
    with pytest.raises(NotUnderstoodError, match="empty|characters"):
        translate(ModelError("must not be asked"), sentence=sentence)


@pytest.mark.parametrize(
    ("faulty", "named"),
    [
        ("I would put the saw into the crate.", "not a JSON object"),
        ("", "empty"),
        ('{"stages": ["(in saw cra', "not a JSON object"),
        ('{"stages": "(in saw crate)", "unsupported": ""}', "expected a list"),
        ('{"stages": [], "unsupported": ""}', "neither goals nor a refusal"),
        (_answer("(in saw crate)", unsupported="no"), "both goals and a refusal"),
        ('{"stages": ["(in saw crate)"], "unsupported": "", "plan": []}', "unknown key 'plan'"),
        (_answer("(in hammer crate)"), "hammer"),
        (_answer("(under saw crate)"), "under"),
        (_answer("(in crate saw)"), "crate"),
        (_answer("(in saw crate"), "stages[0]"),
        (_answer("(in saw crate)", "(in ?x crate)"), "stages[1]"),
        (_answer("(has-color saw red)"), "no action can change it"),
        ("[" * 5_000, "not a JSON object"),
        ('{"a":' * 5_000, "not a JSON object"),
    ],
)
def test_a_faulty_answer_is_repaired_with_what_is_wrong_with_it(
    domain_text: str,
    objects: dict[str, str],
    memory: Memories,
    spec: WorldSpec,
    faulty: str,
    named: str,
) -> None:
    requests: list[Request] = []

    def answer(request: Request) -> str:
        requests.append(request)
        return faulty if len(requests) == 1 else _answer("(in saw crate)")

    translator = SceneTranslator(FunctionModel(answer), domain_text, objects)
    program = translator.translate("put the saw in the crate", memory(), spec)
    assert program.stages == ("(in saw crate)",)
    assert program.notes == ("the goal took 1 repairs",)
    assert named in requests[1].messages[-1].text
    assert translator.usage.calls == 2


def test_unusable_to_the_end(translate: Callable[..., Any]) -> None:
    with pytest.raises(ProgramError, match="no usable answer, asked 3 times") as caught:
        translate("one", "two", "three", "four")
    assert not isinstance(caught.value, NotUnderstoodError)


def test_a_model_that_is_down(translate: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match="down"):
        translate(ModelError("down"))


def test_no_repairs_when_none_are_allowed(translate: Callable[..., Any]) -> None:
    with pytest.raises(ProgramError, match="asked once"):
        translate("prose", _answer("(in saw crate)"), repairs=0)


@pytest.mark.llm
@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_through_an_endpoint_on_a_bad_day(
    domain_text: str,
    objects: dict[str, str],
    memory: Memories,
    spec: WorldSpec,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rate-limited, then half a document, then prose, then half an answer, then a goal."""
    pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")
    from embodied.language.models import open_model
    from embodied.language.models.loopback import Act, LoopbackEndpoint

    monkeypatch.setenv(f"{kind.upper()}_API_KEY", "sk-test-0123456789")
    script = [
        Act(status=429, text="slow down", headers={"Retry-After": "0"}),
        Act(body='{"id": "x", "cho'),
        Act(text="I would put the saw into the crate."),
        Act(text='{"stages": ["(in saw cra'),
        Act(text=_answer("(in saw crate)")),
    ]
    with LoopbackEndpoint(script) as endpoint:
        url = endpoint.openai_url if kind == "openai" else endpoint.root
        model = open_model(f"{kind}:tiny", base_url=url, attempts=3)
        translator = SceneTranslator(model, domain_text, objects, repairs=2)
        program = translator.translate("put the saw in the crate", memory(), spec)
        close_model(model)
        assert len(endpoint.seen) == len(script)
    assert program.stages == ("(in saw crate)",)
    assert program.source == f"{kind}:tiny"
