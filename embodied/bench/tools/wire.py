"""What a request to a model says, whichever wire it came over: system, sentence, calls, answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A call of a tool and its answer.

    Attributes:
        name: The tool.
        arguments: As they were sent; JSON.
        answer: What the tool said.
    """

    name: str
    arguments: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation as a model sees it.

    Attributes:
        system: The system prompt.
        said: What the user said in words, in order.
        turns: Calls with their answers, in order.
        tools: Names of the tools on offer.
    """

    system: str
    said: tuple[str, ...]
    turns: tuple[Turn, ...]
    tools: tuple[str, ...]


def talk_of(body: Body) -> Talk:
    """Read a request of chat completions, responses or Anthropic's messages."""
    system: list[str] = [_text(body.get("system")), _text(body.get("instructions"))]
    said: list[str] = []
    calls: dict[str, tuple[str, str]] = {}
    answers: dict[str, str] = {}
    for item in _items(body):
        kind, role = item.get("type"), item.get("role")
        if kind in ("tool_use", "function_call", "function"):
            function = item.get("function", item)
            arguments = function.get("arguments", function.get("input"))
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            calls[str(item.get("call_id") or item.get("id"))] = (str(function["name"]), text)
        elif kind in ("tool_result", "function_call_output") or role == "tool":
            key = item.get("tool_use_id") or item.get("call_id") or item.get("tool_call_id")
            answers[str(key)] = _text(item.get("content", item.get("output")))
        elif role in ("system", "developer"):
            system.append(_text(item.get("content")))
        elif role == "user" and (text := _text(item.get("content"))):
            said.append(text)
    turns = (Turn(name=n, arguments=a, answer=answers.get(k, "")) for k, (n, a) in calls.items())
    tools = (t.get("function", t)["name"] for t in cast("list[Body]", body.get("tools") or []))
    return Talk(
        system="\n".join(filter(None, system)),
        said=tuple(said),
        turns=tuple(turns),
        tools=tuple(tools),
    )


def _items(body: Body) -> Iterator[Body]:
    """Messages, calls and answers, one after the other."""
    for message in cast("list[Body]", body.get("messages") or body.get("input") or []):
        content = message.get("content")
        blocks = cast("list[Body]", content) if isinstance(content, list) else []
        inner = [b for b in blocks if b.get("type") in ("tool_use", "tool_result")]
        yield from inner
        yield from cast("list[Body]", message.get("tool_calls") or [])
        if not inner or any(b.get("type") == "text" for b in blocks):
            yield message


def _text(content: object) -> str:
    """The text of a message's content."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    blocks = cast("list[Body]", content)
    return "\n".join(str(b["text"]) for b in blocks if isinstance(b.get("text"), str))
