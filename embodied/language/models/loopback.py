"""A server on the loopback interface that plays failures, to test clients of endpoints.

It speaks enough of OpenAI's chat completions (``/v1/chat/completions``) and responses
(``/v1/responses``) and of Anthropic's messages (``/v1/messages``) for one whole answer per request,
and plays whatever is next in its script.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

_OPENAI_PATH = "/v1/chat/completions"
_RESPONSES_PATH = "/v1/responses"
_ANTHROPIC_PATH = "/v1/messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What the endpoint does with one request.

    Attributes:
        text: The answer's text.
        status: HTTP status; from 400 on ``text`` is the error message.
        headers: Extra response headers, e.g. ``{"Retry-After": "2"}``.
        delay_s: Pause before anything is sent, seconds.
        body: Raw body instead of the well-formed one, e.g. half a JSON document.
        error_code: The ``code`` of an OpenAI error, e.g. ``"insufficient_quota"``.
        hang_up: Close the connection without a word.
        cut_off: Say that the answer ended at the limit of its length.
        cached: Tokens of the prompt that count as cached.
        reasoning: Tokens of reasoning, which count as written beside the answer's words.
        calls: Tools that it calls: name and arguments as JSON; Anthropic's messages hold objects
            alone.
    """

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    delay_s: float = 0.0
    body: str | None = None
    error_code: str = "loopback"
    hang_up: bool = False
    cut_off: bool = False
    cached: int = 0
    reasoning: int = 0
    calls: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that arrived: path, headers in lower case, and the JSON body."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class LoopbackEndpoint:
    """A context manager: the server runs inside the ``with``.

    Args:
        script: Acts, or texts that are answered as they are, of which the last one is repeated; or
            what makes an act of a request.
        refuses: Why a request's body is refused with status 400; ``""`` for one that is taken.

    Attributes:
        seen: Requests in order of arrival.
        read: Tokens of all prompts that were answered.
        written: Tokens of all answers.
    """

    def __init__(
        self,
        script: Iterable[Act | str] | Callable[[Seen], Act],
        *,
        refuses: Callable[[dict[str, Any]], str] = lambda body: "",
    ) -> None:
        self._play: Callable[[Seen], Act] = script if callable(script) else _in_turn(script)
        self._refuses = refuses
        self._lock = threading.Lock()
        self.read = self.written = 0
        self.seen: list[Seen] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802 - the name is the base class's
                endpoint._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def root(self) -> str:
        """Address without a path: the base URL for Anthropic's client."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def openai_url(self) -> str:
        """Base URL for OpenAI's client."""
        return self.root + "/v1"

    def __enter__(self) -> LoopbackEndpoint:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        body = json.loads(raw)
        headers = {k.lower(): v for k, v in handler.headers.items()}
        with self._lock:
            seen = Seen(path=handler.path, headers=headers, body=body)
            self.seen.append(seen)
            why = self._refuses(body)
            act = Act(status=400, text=why) if why else self._play(seen)
            if act.body is None and act.status < 400:
                self.read += _read(body)
                self.written += _written(act)
        time.sleep(act.delay_s)
        if act.hang_up:
            handler.close_connection = True
            return
        payload = (
            act.body if act.body is not None else json.dumps(_payload(act, handler.path, body))
        )
        data = payload.encode()
        try:
            handler.send_response(act.status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(data)))
            for name, value in act.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True  # the client has given up waiting


def _in_turn(script: Iterable[Act | str]) -> Callable[[Seen], Act]:
    """Plays acts in turn; the last one is repeated."""
    acts = [Act(text=a) if isinstance(a, str) else a for a in script]
    if not acts:
        raise ValueError("the script needs at least one act")
    return lambda seen: acts.pop(0) if len(acts) > 1 else acts[0]


def _read(body: dict[str, Any]) -> int:
    return len(json.dumps(body).split())


def _written(act: Act) -> int:
    said = (act.text, *(part for call in act.calls for part in call))
    return sum(len(text.split()) for text in said) + act.reasoning


def _payload(act: Act, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A well-formed body of the wire format that belongs to ``path``; tokens are words."""
    read, written = _read(body), _written(act)
    calls = [(f"call_{secrets.token_hex(6)}", *call) for call in act.calls]
    if path == _ANTHROPIC_PATH:
        if act.status >= 400:
            return {"type": "error", "error": {"type": act.error_code, "message": act.text}}
        return {
            "id": "msg_loopback",
            "type": "message",
            "role": "assistant",
            "model": body.get("model", ""),
            "content": [
                *([{"type": "text", "text": act.text}] if act.text else []),
                *(
                    {"type": "tool_use", "id": key, "name": name, "input": json.loads(arguments)}
                    for key, name, arguments in calls
                ),
            ],
            "stop_reason": "max_tokens" if act.cut_off else "tool_use" if act.calls else "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": read - act.cached,
                "cache_read_input_tokens": act.cached,
                "output_tokens": written,
            },
        }
    if path not in (_OPENAI_PATH, _RESPONSES_PATH):
        return {"error": {"message": f"no such path {path}", "type": "loopback", "code": "path"}}
    if act.status >= 400:
        return {"error": {"message": act.text, "type": act.error_code, "code": act.error_code}}
    cached, reasoning = {"cached_tokens": act.cached}, {"reasoning_tokens": act.reasoning}
    if path == _RESPONSES_PATH:
        part = {"type": "output_text", "text": act.text, "annotations": []}
        message = {"id": "msg_loopback", "type": "message", "role": "assistant"}
        said = {**message, "status": "completed", "content": [part]}
        called = [
            {
                "type": "function_call",
                "id": f"fc_{key}",
                "call_id": key,
                "name": name,
                "arguments": arguments,
                "status": "completed",
            }
            for key, name, arguments in calls
        ]
        return {
            "id": "resp_loopback",
            "object": "response",
            "created_at": 1,
            "model": body.get("model", ""),
            "status": "incomplete" if act.cut_off else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if act.cut_off else None,
            "parallel_tool_calls": False,
            "tool_choice": "none",
            "tools": [],
            "output": [*([said] if act.text or not called else []), *called],
            "usage": {
                "input_tokens": read,
                "input_tokens_details": cached,
                "output_tokens": written,
                "output_tokens_details": reasoning,
                "total_tokens": read + written,
            },
        }
    called = [
        {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}
        for key, name, arguments in calls
    ]
    return {
        "id": "chatcmpl-loopback",
        "object": "chat.completion",
        "created": 1,
        "model": body.get("model", ""),
        "choices": [
            {
                "index": 0,
                "finish_reason": "length" if act.cut_off else "tool_calls" if act.calls else "stop",
                "message": {
                    "role": "assistant",
                    "content": act.text,
                    **({"tool_calls": called} if called else {}),
                },
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "prompt_tokens_details": cached,
            "completion_tokens": written,
            "completion_tokens_details": reasoning,
            "total_tokens": read + written,
        },
    }
