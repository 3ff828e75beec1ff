"""Endpoints: chat completions, OpenAI's responses, Anthropic's messages, through pydantic-ai.

The library speaks the wire formats and their structured outputs; retries, budgets, time-outs
and error messages are ours, so that they are the same for every kind of model.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from embodied.errors import ConfigurationError, EnvironmentMissingError, ModelError
from embodied.language.models._loop import run_blocking
from embodied.language.models._requests import check_request, redacted_calls
from embodied.language.models._secrets import redact
from embodied.language.records import unshared
from embodied.protocols import Message, Request, Response, ToolCall, Usage

try:
    from pydantic_ai import messages as pai_messages
    from pydantic_ai.direct import model_request
    from pydantic_ai.exceptions import ModelHTTPError, ModelRequestRejectedError
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.models.openai import OpenAIChatModelSettings
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    from embodied.language.models._bounds import (
        LONGEST_ANSWER,
        AnswerRefusedError,
        bound_response,
    )
    from embodied.language.models._endpoint_errors import translate_error
except ImportError as error:
    raise EnvironmentMissingError(
        "models behind an endpoint need the extra [llm]: pip install 'embodied-stack[llm]'"
    ) from error

if TYPE_CHECKING:
    from pydantic_ai.settings import ThinkingEffort

KEY_VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "openai-responses": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
}
"""Environment variable that holds the key of each kind of endpoint."""

_PLAIN = {"Accept-Encoding": "identity"}
_BOUNDED: dict[str, Any] = {
    "follow_redirects": False,
    "event_hooks": {"response": [bound_response]},
}
"""How the libraries' HTTP clients are opened."""

_NO_KEY = "no-key"
"""Sent where a local server wants no key; the client library insists on some text."""


class EndpointModel:
    """A model behind HTTP.

    A request's ``schema`` goes out as the provider's structured output (``response_format`` with a
    JSON schema), where the library knows the model to have one. A server that refuses it with
    status 400 or 422 is asked again without, and not offered a schema any more, which the answer's
    notes say; the prompt describes the form of the answer anyway. A schema beyond a provider's
    limits, which the library knows, is left out before anything is sent. A server that refuses a
    temperature nobody asked for is asked without one, one that refuses pictures without pictures.
    A ``grammar`` is sent instead of the schema where ``grammar_field`` names the field for it.

    Args:
        kind: A key of ``KEY_VARIABLES``.
        model: The provider's name of the model.
        base_url: Address of the endpoint; None for the provider's own or its environment variable.
        timeout_s: Longest wait for a whole answer, seconds.
        price_usd_per_million: Price of a million tokens read, written and, if it differs, read
            from the cache, USD; None: unknown.
        grammar_field: Field of the request body in which the server takes a GBNF grammar.
        reasoning_effort: How much the model is to reason, e.g. ``"low"``; None: its own default.
        keeps_temperature: Whether a refused temperature is an error, as a person has asked for it.

    Raises:
        ConfigurationError: Unknown kind, malformed address, or the model is known not to reason or
            to take no temperature, and is asked to.
        ModelError: No key in the environment, and no ``base_url`` that may do without.
    """

    def __init__(
        self,
        kind: str,
        model: str,
        *,
        base_url: str | None = None,
        timeout_s: float = 60.0,
        price_usd_per_million: Sequence[float] | None = None,
        grammar_field: str | None = None,
        reasoning_effort: str | None = None,
        keeps_temperature: bool = False,
    ) -> None:
        if kind not in KEY_VARIABLES:
            raise ConfigurationError(
                f"unknown kind of endpoint {kind!r}; kinds are {', '.join(KEY_VARIABLES)}"
            )
        if timeout_s <= 0:
            raise ConfigurationError(f"the time-out must be positive, got {timeout_s}")
        base_url = (
            base_url or os.environ.get(KEY_VARIABLES[kind].replace("_API_KEY", "_BASE_URL")) or None
        )
        if base_url is not None and not base_url.startswith(("http://", "https://")):
            raise ConfigurationError(
                f"the base URL must start with http:// or https://, got {redact(base_url)!r}"
            )
        if base_url is not None and "@" in base_url.split("//", 1)[1].split("/", 1)[0]:
            raise ConfigurationError(
                f"the base URL must not hold a login, for addresses are logged: put the key into "
                f"{KEY_VARIABLES[kind]}"
            )
        key = os.environ.get(KEY_VARIABLES[kind], "").strip()
        if not key and base_url is None:
            raise ModelError(
                f"{kind}:{model} needs a key: set {KEY_VARIABLES[kind]} in the environment, or "
                "give --base-url for a server that needs none"
            )
        self._kind = kind
        self._model_name = model
        self._where = redact(base_url) if base_url else f"{kind}'s own address"
        self._timeout_s = timeout_s
        self._price = price_usd_per_million
        self._grammar_field = grammar_field
        self._client: Any = None
        self._model = self._build(kind, model, base_url, key or _NO_KEY)
        profile = cast("dict[str, object]", self._model.profile)
        self._offer_schema = bool(profile.get("supports_json_schema_output", False))
        self._offer_pictures = True
        self._effort = reasoning_effort
        if kind == "anthropic" and reasoning_effort and not profile.get("supports_thinking"):
            raise ConfigurationError(f"{self.name} does not reason: leave out --reasoning-effort")
        self.reasons = reasoning_effort is not None or bool(
            profile.get("thinking_enabled_by_default") or profile.get("thinking_always_enabled")
        )
        self._keeps_temperature = keeps_temperature
        self._offer_temperature = not (
            profile.get("anthropic_disallows_sampling_settings") or self.reasons
        )
        if keeps_temperature and not self._offer_temperature:
            raise ConfigurationError(f"{self.name} takes no temperature: leave out --temperature")

    def _build(self, kind: str, model: str, base_url: str | None, key: str) -> Model:
        """The library's model; its own retries are off."""
        if kind == "anthropic":
            from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            self._client = AsyncAnthropic(
                api_key=key,
                base_url=base_url,
                max_retries=0,
                http_client=DefaultAsyncHttpxClient(**_BOUNDED),
                default_headers=_PLAIN,
            )
            return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=self._client))
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        self._client = AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            http_client=DefaultAsyncHttpxClient(**_BOUNDED),
            default_headers=_PLAIN,
        )
        provider = OpenAIProvider(openai_client=self._client)
        if kind == "openai-responses":
            return OpenAIResponsesModel(model, provider=provider)
        return OpenAIChatModel(model, provider=provider)

    @property
    def name(self) -> str:
        """Kind and model, e.g. ``"openai:gpt-5"``."""
        return f"{self._kind}:{self._model_name}"

    def complete(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            TransientModelError: Down, overloaded, rate-limited or a broken answer: may pass.
            ModelTimeoutError: No whole answer within the time-out.
            ModelError: Refused: the key, the model's name, the request.
        """
        check_request(request)
        start = time.perf_counter()
        answer, notes = self._ask(request)
        usage = answer.usage
        text = answer.text or ""
        calls = tuple(
            ToolCall(id=part.tool_call_id, name=part.tool_name, arguments=_as_written(part))
            for part in answer.parts
            if isinstance(part, pai_messages.ToolCallPart)
        )
        length = len(text) + sum(len(c.name) + len(c.arguments) for c in calls)
        if length > LONGEST_ANSWER:
            raise AnswerRefusedError(
                f"{self.name} at {self._where} sent an answer of {length} characters; "
                f"at most {LONGEST_ANSWER} are read"
            )
        reasoning = usage.output_reasoning_tokens or usage.details.get("reasoning_tokens", 0)
        return Response(
            text=redact(text),
            usage=Usage(
                calls=1,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cost_usd=self._cost(
                    usage.input_tokens, usage.output_tokens, usage.cache_read_tokens
                ),
                cached_tokens=usage.cache_read_tokens,
                reasoning_tokens=reasoning,
            ),
            latency_s=time.perf_counter() - start,
            model=f"{self._kind}:{redact(answer.model_name or self._model_name)[:200]}",
            cut_off=answer.finish_reason == "length",
            notes=notes,
            calls=redacted_calls(calls),
            native=answer if calls else None,
        )

    def _ask(self, request: Request) -> tuple[pai_messages.ModelResponse, tuple[str, ...]]:
        structured = offers = request.schema is not None and self._offer_schema
        sampled = self._offer_temperature
        if not self._offer_pictures:
            request = _without_pictures(request)
        notes: list[str] = []
        while True:
            try:
                answer = self._send(request, structured=structured, sampled=sampled)
            except Exception as error:
                refused = isinstance(error, ModelHTTPError) and error.status_code in (400, 422)
                warm = "temperature" in str(error) and not self._keeps_temperature
                if refused and sampled and warm:
                    sampled = False
                    notes.append(self._left_out("a temperature", error))
                elif refused and structured:
                    structured = offers = False
                    notes.append(self._left_out("the answer's schema", error))
                elif structured and isinstance(error, ModelRequestRejectedError):
                    structured = False  # this one is larger than the provider takes
                    notes.append(self._left_out("the answer's schema", error))
                elif refused and any(m.pictures for m in request.messages):
                    request, self._offer_pictures = _without_pictures(request), False
                    notes.append(self._left_out("pictures", error))
                else:
                    raise self._translated(error) from None
            else:
                self._offer_temperature = sampled
                if request.schema is not None:
                    self._offer_schema = offers
                return answer, tuple(notes)

    def _send(
        self, request: Request, *, structured: bool, sampled: bool
    ) -> pai_messages.ModelResponse:
        settings = OpenAIChatModelSettings(
            max_tokens=request.max_tokens,
            request_timeout=self._timeout_s,
            timeout=self._timeout_s,
        )
        if sampled:
            settings["temperature"] = request.temperature
        tools = [
            ToolDefinition(
                name=t.name, description=t.about, parameters_json_schema=unshared(t.schema)
            )
            for t in request.tools
        ]
        parameters = ModelRequestParameters(function_tools=tools)
        if self._effort is not None and self._kind == "anthropic":
            settings["thinking"] = cast("ThinkingEffort", self._effort)
        elif self._effort is not None:
            settings["openai_reasoning_effort"] = cast("ThinkingEffort", self._effort)
        if request.grammar is not None and self._grammar_field is not None:
            settings["extra_body"] = {self._grammar_field: request.grammar}
        elif structured and request.schema is not None:
            parameters = ModelRequestParameters(
                function_tools=tools,
                output_mode="native",
                output_object=OutputObjectDefinition(
                    json_schema=dict(request.schema), name="answer", strict=True
                ),
            )
        return run_blocking(
            asyncio.wait_for(
                model_request(
                    self._model,
                    _library_messages(request),
                    model_settings=settings,
                    model_request_parameters=parameters,
                ),
                self._timeout_s,  # of the whole answer: an endpoint may send a byte now and then
            )
        )

    def _left_out(self, what: str, error: Exception) -> str:
        return f"asked again without {what}: {self._translated(error)}"

    def _translated(self, error: Exception) -> ModelError:
        return translate_error(
            error,
            name=self.name,
            where=self._where,
            key_variable=KEY_VARIABLES[self._kind],
            timeout_s=self._timeout_s,
        )

    def _cost(self, read: int, written: int, cached: int) -> float | None:
        if self._price is None:
            return None
        per_read, per_written, *rest = self._price
        per_cached = rest[0] if rest else per_read
        return (per_read * (read - cached) + per_written * written + per_cached * cached) / 1e6

    def close(self) -> None:
        """Close the connections; may be called twice."""
        client, self._client = self._client, None
        if client is not None:
            run_blocking(client.close())


def _as_written(part: pai_messages.ToolCallPart) -> str:
    """Arguments as JSON, or as the model wrote them where that is none."""
    return part.args if isinstance(part.args, str) else part.args_as_json_str()


def _without_pictures(request: Request) -> Request:
    messages = tuple(
        replace(m, text=f"{m.text}\n({len(m.pictures)} left out: no model that sees)", pictures=())
        if m.pictures
        else m
        for m in request.messages
    )
    return replace(request, messages=messages)


def _library_messages(request: Request) -> list[pai_messages.ModelMessage]:
    """Our messages in the library's types; empty answers become a placeholder, as wires demand."""
    return [
        _answer(message) if message.role == "assistant" else _told(message)
        for message in request.messages
    ]


def _answer(message: Message) -> pai_messages.ModelResponse:
    if isinstance(message.native, pai_messages.ModelResponse):
        return message.native
    text = message.text if message.text.strip() else "(no answer)"
    parts: list[pai_messages.ModelResponsePart] = []
    if message.text.strip() or not message.calls:
        parts.append(pai_messages.TextPart(content=text))
    parts += [
        pai_messages.ToolCallPart(tool_name=c.name, args=c.arguments, tool_call_id=c.id)
        for c in message.calls
    ]
    return pai_messages.ModelResponse(parts=parts)


def _told(message: Message) -> pai_messages.ModelRequest:
    if message.role == "system":
        return pai_messages.ModelRequest(parts=[pai_messages.SystemPromptPart(message.text)])
    parts: list[pai_messages.ModelRequestPart] = [
        pai_messages.ToolReturnPart(tool_name=r.name, content=r.text, tool_call_id=r.id)
        for r in message.results
    ]
    if message.pictures:
        content: list[str | pai_messages.BinaryContent] = [message.text] if message.text else []
        for picture in message.pictures:
            content.append(f"{picture.label}:")
            content.append(pai_messages.BinaryContent(picture.png, media_type="image/png"))
        parts.append(pai_messages.UserPromptPart(content=content))
    elif message.text or not parts:
        parts.append(pai_messages.UserPromptPart(content=message.text))
    return pai_messages.ModelRequest(parts=parts)
