"""What every model does with a request: check it, turn it into JSON, name it by a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from embodied.language.models._secrets import redact
from embodied.protocols import Message, Request, Response, ToolCall, Usage

ROLES = ("system", "user", "assistant")


def check_request(request: Request) -> None:
    """Check what holds for a request to any model.

    Raises:
        ValueError: No messages, an unknown role, a last message that is not the user's, the result
            of a tool that was not called, a ``max_tokens`` below 1 or a negative temperature.
    """
    if not request.messages:
        raise ValueError("a request needs at least one message")
    for message in request.messages:
        if message.role not in ROLES:
            raise ValueError(f"unknown role {message.role!r}; roles are {', '.join(ROLES)}")
    named = {c.id for m in request.messages for c in m.calls}
    unknown = [r.id for m in request.messages for r in m.results if r.id not in named]
    if unknown:
        raise ValueError(f"a tool's result answers no call: {', '.join(unknown)}")
    if request.messages[-1].role != "user":
        raise ValueError(f"the last message must be the user's, not {request.messages[-1].role}'s")
    if request.max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1, got {request.max_tokens}")
    if request.temperature < 0.0:
        raise ValueError(f"temperature must not be negative, got {request.temperature}")


def request_data(request: Request) -> dict[str, object]:
    """The request as JSON data, secrets of the environment replaced."""
    return {
        "messages": [_message_data(m) for m in request.messages],
        "schema": request.schema,
        "grammar": request.grammar,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "purpose": request.purpose,
        **(
            {"tools": [[t.name, t.about, t.schema] for t in request.tools]} if request.tools else {}
        ),
    }


def _message_data(message: Message) -> dict[str, object]:
    """A message as JSON data; of pictures their hashes."""
    shown = redacted(message)
    data: dict[str, object] = {"role": shown.role, "text": shown.text}
    if shown.calls:
        data["calls"] = [asdict(c) for c in shown.calls]
    if shown.results:
        data["results"] = [asdict(r) for r in shown.results]
    if shown.pictures:
        hashes = [(p.label, hashlib.sha256(p.png).hexdigest()) for p in shown.pictures]
        data["pictures"] = [{"label": label, "sha256": digest} for label, digest in hashes]
    return data


def redacted(message: Message) -> Message:
    """The message without secrets, and without what only the client library reads."""
    return replace(
        message,
        text=redact(message.text),
        calls=redacted_calls(message.calls),
        results=tuple(replace(r, text=redact(r.text)) for r in message.results),
        native=None,
    )


def redacted_calls(calls: Iterable[ToolCall]) -> tuple[ToolCall, ...]:
    """Calls without secrets."""
    return tuple(replace(c, name=redact(c.name), arguments=redact(c.arguments)) for c in calls)


def request_key(request: Request) -> str:
    """SHA-256 (hex) of everything in the request that can change the answer.

    ``purpose`` is left out: it is for logs only. Equal requests have equal keys on every machine.
    """
    data = request_data(request)
    del data["purpose"]
    text = json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def response_data(response: Response) -> dict[str, object]:
    """The response as JSON data, secrets of the environment replaced."""
    return {
        "text": redact(response.text),
        "model": response.model,
        "latency_s": round(response.latency_s, 6),
        "confidence": response.confidence,
        "usage": {
            "calls": response.usage.calls,
            "input_tokens": response.usage.input_tokens,
            "output_tokens": response.usage.output_tokens,
            "cost_usd": response.usage.cost_usd,
            "cached_tokens": response.usage.cached_tokens,
            "reasoning_tokens": response.usage.reasoning_tokens,
        },
        "cut_off": response.cut_off,
        **(
            {"calls": [asdict(c) for c in redacted_calls(response.calls)]} if response.calls else {}
        ),
    }


def response_from_data(data: Mapping[str, Any]) -> Response:
    """Inverse of ``response_data``; raises KeyError or TypeError on anything else."""
    text = data["text"]
    if not isinstance(text, str):
        raise TypeError(f"the text of a response must be a string, got {text!r}")
    if not isinstance(data.get("usage") or {}, Mapping):
        raise TypeError(f"the usage of a response must be an object, got {data['usage']!r}")
    usage = cast("Mapping[str, Any]", data.get("usage") or {})
    return Response(
        text=text,
        usage=Usage(
            calls=int(usage.get("calls", 0)),
            input_tokens=int(usage.get("input_tokens", 0)),
            output_tokens=int(usage.get("output_tokens", 0)),
            cost_usd=usage.get("cost_usd"),
            cached_tokens=int(usage.get("cached_tokens", 0)),
            reasoning_tokens=int(usage.get("reasoning_tokens", 0)),
        ),
        latency_s=float(data.get("latency_s", 0.0)),
        model=str(data.get("model", "")),
        confidence=data.get("confidence"),
        cut_off=bool(data.get("cut_off", False)),
        calls=tuple(
            ToolCall(id=str(c["id"]), name=str(c["name"]), arguments=str(c["arguments"]))
            for c in data.get("calls") or ()
        ),
    )
