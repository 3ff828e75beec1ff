"""Tools and pictures on all wires, through the real client libraries; recorded and replayed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from embodied.errors import ModelError
from embodied.language.models import Recording, ReplayModel, request_key
from embodied.language.models.logged import LoggedModel
from embodied.protocols import (
    Event,
    Message,
    Picture,
    Request,
    Response,
    Tool,
    ToolCall,
    ToolResult,
)

pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")

from embodied.language.models.endpoint import EndpointModel  # noqa: E402
from embodied.language.models.loopback import Act, LoopbackEndpoint  # noqa: E402

pytestmark = pytest.mark.llm

WIRES = ("openai", "openai-responses", "anthropic")
ADD = Tool(
    name="add",
    about="Adds two numbers.",
    schema={
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ASKED = (Message(role="system", text="Use the tools."), Message(role="user", text="Add 1 and 2."))
CALL = ToolCall(id="call-1", name="add", arguments='{"a": 1, "b": 2}')
TOLD = (
    *ASKED,
    Message(role="assistant", text="", calls=(CALL,)),
    Message(
        role="user",
        text="Look:",
        results=(ToolResult(id="call-1", name="add", text="3"),),
        pictures=(Picture(label="top", png=PNG),),
    ),
)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789abcdef")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret-0123456789abcdef")


def opened(kind: str, endpoint: LoopbackEndpoint) -> EndpointModel:
    url = endpoint.root if kind == "anthropic" else endpoint.openai_url
    return EndpointModel(kind, "tiny", base_url=url)


def answer(kind: str, act: Act, request: Request) -> tuple[Response, dict[str, Any]]:
    with LoopbackEndpoint([act]) as endpoint:
        model = opened(kind, endpoint)
        response = model.complete(request)
        model.close()
    return response, endpoint.seen[-1].body


@pytest.mark.parametrize("kind", WIRES)
def test_tools_are_offered_and_called(kind: str) -> None:
    act = Act(text="I add.", calls=(("add", '{"a": 1, "b": 2}'), ("add", '{"a": 3, "b": 4}')))
    response, body = answer(kind, act, Request(messages=ASKED, tools=(ADD,)))
    assert response.text == "I add."
    assert [(c.name, json.loads(c.arguments)) for c in response.calls] == [
        ("add", {"a": 1, "b": 2}),
        ("add", {"a": 3, "b": 4}),
    ]
    assert len({c.id for c in response.calls}) == 2
    (tool,) = body["tools"]
    tool = tool.get("function", tool)
    assert tool["name"] == "add" and tool["description"] == "Adds two numbers."
    schema = tool.get("parameters") or tool["input_schema"]
    assert set(schema["properties"]) == {"a", "b"}


@pytest.mark.parametrize("kind", WIRES[:2])
def test_broken_arguments_come_through_as_they_are(kind: str) -> None:
    response, _ = answer(
        kind, Act(calls=(("add", '{"a": 1,'),)), Request(messages=ASKED, tools=(ADD,))
    )
    assert response.calls[0].arguments == '{"a": 1,'


@pytest.mark.parametrize("kind", WIRES)
@pytest.mark.parametrize("native", [False, True])
def test_results_and_pictures_arrive(kind: str, native: bool) -> None:
    messages = TOLD
    if native:
        first, _ = answer(
            kind, Act(calls=(("add", CALL.arguments),)), Request(messages=ASKED, tools=(ADD,))
        )
        (call,) = first.calls
        said = Message(role="assistant", text="", calls=first.calls, native=first.native)
        result = ToolResult(id=call.id, name="add", text="3")
        messages = (
            *ASKED,
            said,
            Message(role="user", text="Look:", results=(result,), pictures=TOLD[-1].pictures),
        )
    response, body = answer(kind, Act(text="three"), Request(messages=messages, tools=(ADD,)))
    assert response.text == "three" and not response.calls
    sent = json.dumps(body)
    assert base64.b64encode(PNG).decode() in sent and "top:" in sent
    key = messages[2].calls[0].id
    if kind == "openai":
        assert {"role": "tool", "tool_call_id": key, "content": "3"} in body["messages"]
    elif kind == "openai-responses":
        outputs = [i for i in body["input"] if i.get("type") == "function_call_output"]
        assert [(o["call_id"], o["output"]) for o in outputs] == [(key, "3")]
    else:
        blocks = [b for m in body["messages"] for b in m["content"] if isinstance(b, dict)]
        (result,) = [b for b in blocks if b["type"] == "tool_result"]
        assert result["tool_use_id"] == key and "3" in json.dumps(result["content"])


@pytest.mark.parametrize("kind", WIRES)
def test_a_server_without_sight_is_asked_without_pictures(kind: str) -> None:
    encoded = base64.b64encode(PNG).decode()

    def refuses(body: dict[str, Any]) -> str:
        return "this model takes no images" if encoded in json.dumps(body) else ""

    with LoopbackEndpoint(["three"], refuses=refuses) as endpoint:
        model = opened(kind, endpoint)
        first = model.complete(Request(messages=TOLD, tools=(ADD,)))
        second = model.complete(Request(messages=TOLD, tools=(ADD,)))
        model.close()
    assert first.text == second.text == "three" and len(endpoint.seen) == 3
    assert "without pictures" in first.notes[0] and not second.notes
    assert "left out" in json.dumps(endpoint.seen[-1].body)


def test_recordings_hold_calls_and_hashes_of_pictures(tmp_path: Path) -> None:
    request = Request(messages=TOLD, tools=(ADD,))
    with LoopbackEndpoint([Act(calls=(("add", CALL.arguments),))]) as endpoint:
        model = Recording(opened("openai", endpoint), tmp_path / "calls.jsonl")
        live = model.complete(request)
        model.close()
    replayed = ReplayModel(tmp_path / "calls.jsonl").complete(request)
    assert replayed.calls == live.calls and replayed.native is None
    assert base64.b64encode(PNG).decode() not in (tmp_path / "calls.jsonl").read_text()
    other = Request(messages=TOLD)
    assert request_key(request) != request_key(other)


def test_the_log_has_no_pictures_and_nothing_native() -> None:
    events: list[Event] = []
    with LoopbackEndpoint([Act(calls=(("add", CALL.arguments),))]) as endpoint:
        model = LoggedModel(opened("openai", endpoint), events.append)
        model.complete(Request(messages=TOLD, tools=(ADD,)))
        model.close()
    asked, answered = events
    assert asked.data["tools"] == ["add"] and not asked.data["request"].messages[-1].pictures
    assert answered.data["response"].native is None
    assert answered.data["response"].calls[0].name == "add"


def test_results_need_their_calls() -> None:
    request = Request(messages=(*ASKED, Message(role="user", text="", results=TOLD[-1].results)))
    with LoopbackEndpoint(["x"]) as endpoint:
        model = opened("openai", endpoint)
        with pytest.raises(ValueError, match="answers no call"):
            model.complete(request)
        model.close()
    assert not endpoint.seen


def test_an_endless_call_is_refused() -> None:
    long = json.dumps({"a": "x" * 300_000})
    with LoopbackEndpoint([Act(calls=(("add", long),))]) as endpoint:
        model = opened("openai", endpoint)
        with pytest.raises(ModelError, match="characters"):
            model.complete(Request(messages=ASKED, tools=(ADD,)))
        model.close()
