"""Opens every kind of language model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from embodied.errors import ConfigurationError
from embodied.language.models._budget import Budget, Budgeted
from embodied.language.models._fallback import FallbackModel
from embodied.language.models._recording import Recording, ReplayModel
from embodied.language.models._requests import check_request
from embodied.language.models._retrying import Retrying
from embodied.language.models._wrapping import Wrapper
from embodied.protocols import LanguageModel, Request, Response
from embodied.registry import unknown

ENDPOINT_KINDS = ("openai:NAME", "openai-responses:NAME", "anthropic:NAME")
"""Models behind an endpoint."""

MODEL_KINDS = (*ENDPOINT_KINDS, "local:PATH", "replay:FILE")
"""What ``open_model`` understands."""

REASONING_EFFORTS = ("minimal", "low", "medium", "high")
"""What a reasoning model may be asked for."""

REASONING_ROOM_TOKENS = 8192
"""How much longer the answer of a model that reasons may be, for its reasoning counts as well."""


def open_model(
    spec: str,
    *,
    base_url: str | None = None,
    fallbacks: Sequence[str] = (),
    timeout_s: float = 60.0,
    attempts: int = 4,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost_usd: float | None = None,
    max_output_tokens: int | None = None,
    temperature: float | None = None,
    reasoning_effort: str | None = None,
    price_usd_per_million: Sequence[float] | None = None,
    grammar_field: str | None = None,
    adapter: str | None = None,
    context_tokens: int = 4096,
    threads: int | None = None,
    record: str | Path | None = None,
    budget: Budget | None = None,
) -> LanguageModel:
    """Open a language model by name.

    =========================  ======================================================  ============
    ``spec``                   what answers                                            needs
    =========================  ======================================================  ============
    ``openai:NAME``            OpenAI, or any server with its chat completions         ``[llm]``
                               at ``base_url`` (Ollama, vLLM, llama-server, ...)
    ``openai-responses:NAME``  the same through OpenAI's responses interface           ``[llm]``
    ``anthropic:NAME``         Anthropic messages                                      ``[llm]``
    ``local:PATH``             a GGUF file in this process, through llama.cpp          ``[local]``
    ``replay:FILE``            the answers that ``record`` wrote; a miss is an error
    =========================  ======================================================  ============

    Keys come from the environment only (``OPENAI_API_KEY``, ``ANTHROPIC_API_KEY``) and are never
    logged or recorded. A server at ``base_url`` may need none. Nothing is sent before the first
    ``complete``, except that a local file is loaded. The caller may ``close()`` the result.

    Args:
        spec: Kind and name, as above.
        base_url: Address of an endpoint, e.g. ``http://localhost:11434/v1``; default the
            provider's own, or ``OPENAI_BASE_URL`` / ``ANTHROPIC_BASE_URL``.
        fallbacks: Further specs that are asked in turn when the one before stays unreachable.
        timeout_s: Longest wait for one answer of one attempt, seconds, of an endpoint or a local
            model.
        attempts: Times a request is sent at most when an endpoint is down, rate-limited or broken;
            between them it waits with exponential back-off and honours ``Retry-After``. No attempt
            begins after 1.5 times ``timeout_s``, and none after a time-out: the first answer may
            still be on its way, and be paid for.
        max_calls: Budget of calls for this model and its fallbacks together; failed attempts count.
        max_tokens: Budget of tokens, read and written.
        max_cost_usd: Budget of money, for endpoints with a price.
        max_output_tokens: Longest answer, reasoning included. Without it every request has its own
            bound, and a model that reasons gets ``REASONING_ROOM_TOKENS`` on top.
        temperature: Sampling temperature. Without it answers are greedy where the model takes a
            temperature at all.
        reasoning_effort: One of ``REASONING_EFFORTS``, for endpoints; None: the model's default.
        price_usd_per_million: Price at ``spec`` of a million tokens read, written and, if it
            differs, read from the cache, USD. Without it costs are reported as unknown: a built-in
            table of prices would be stale at once.
        grammar_field: Name of the extra field in which this server takes a GBNF grammar:
            ``"grammar"`` for llama-server. None sends JSON schemas only.
        adapter: LoRA adapter (GGUF) for ``local:``, applied to the base weights.
        context_tokens: Context length for ``local:``.
        threads: CPU threads for ``local:``; default all but none above 4.
        record: JSON-lines file to which every request and its answer is appended.
        budget: An existing budget to share, instead of ``max_calls`` and ``max_tokens``.

    Raises:
        ConfigurationError: Unknown kind, missing name or file, unreadable recording.
        EnvironmentMissingError: The extra for this kind is not installed; says which.
        ModelError: The key of a provider is missing, or the local file cannot be loaded.
    """
    if budget is None:
        budget = Budget(max_calls=max_calls, max_tokens=max_tokens, max_cost_usd=max_cost_usd)
    elif max_calls is not None or max_tokens is not None:
        raise ConfigurationError("give either a budget or max_calls and max_tokens, not both")
    if reasoning_effort is not None and reasoning_effort not in REASONING_EFFORTS:
        raise unknown("reasoning effort", reasoning_effort, REASONING_EFFORTS)
    opened: list[LanguageModel] = []
    for each in (spec, *fallbacks):
        kind, _, rest = each.partition(":")
        if not rest or kind not in {k.partition(":")[0] for k in MODEL_KINDS}:
            raise ConfigurationError(f"unknown model {each!r}; write {', '.join(MODEL_KINDS)}")
        if kind == "replay":
            opened.append(ReplayModel(rest))
            continue
        if kind == "local":
            from embodied.language.models.local import LocalModel

            local = LocalModel(
                rest,
                adapter=adapter,
                context_tokens=context_tokens,
                threads=threads,
                timeout_s=timeout_s,
            )
            asked, room = Budgeted(local, budget), 0
        else:
            from embodied.language.models.endpoint import EndpointModel

            endpoint = EndpointModel(
                kind,
                rest,
                base_url=base_url if each == spec else None,
                timeout_s=timeout_s,
                price_usd_per_million=price_usd_per_million if each == spec else None,
                grammar_field=grammar_field,
                reasoning_effort=reasoning_effort,
                keeps_temperature=temperature is not None,
            )
            room = REASONING_ROOM_TOKENS if endpoint.reasons else 0
            asked = Budgeted(endpoint, budget)
            asked = Retrying(asked, attempts=attempts, longest_total_s=1.5 * timeout_s)
        opened.append(_Adjusted(asked, max_output_tokens, room, temperature))
    model = opened[0] if len(opened) == 1 else FallbackModel(opened)
    return Recording(model, record) if record is not None else model


def price_of(text: str) -> tuple[float, ...]:
    """A price as it is written, e.g. ``"1.25,10"``: USD for a million tokens read and written.

    Raises:
        ConfigurationError: Not two or three numbers that are 0 or more.
    """
    try:
        price = tuple(float(part) for part in text.split(","))
    except ValueError:
        price = ()
    if len(price) not in (2, 3) or not all(0.0 <= part < math.inf for part in price):
        raise ConfigurationError(
            f"{text!r} is no price: write READ,WRITTEN or READ,WRITTEN,CACHED in USD for a million "
            "tokens, e.g. 1.25,10"
        )
    return price


class _Adjusted(Wrapper):
    """A model whose answers may be as long, and are drawn as freely, as a person has said."""

    def __init__(
        self, model: LanguageModel, longest: int | None, room: int, temperature: float | None
    ) -> None:
        super().__init__(model)
        self._longest, self._room, self._temperature = longest, room, temperature

    def complete(self, request: Request) -> Response:
        """Answer one request; raises ModelError as the model inside does."""
        check_request(request)
        longest = self._longest or request.max_tokens + self._room
        warm = request.temperature if self._temperature is None else self._temperature
        return self._model.complete(replace(request, max_tokens=longest, temperature=warm))
