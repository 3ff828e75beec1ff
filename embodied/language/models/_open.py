"""Opens every kind of language model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embodied.errors import ConfigurationError
from embodied.language.models._budget import Budget, Budgeted
from embodied.language.models._fallback import FallbackModel
from embodied.language.models._recording import Recording, ReplayModel
from embodied.language.models._retrying import Retrying
from embodied.protocols import LanguageModel

MODEL_KINDS = ("openai:NAME", "anthropic:NAME", "local:PATH", "replay:FILE")
"""What ``open_model`` understands."""


def open_model(
    spec: str,
    *,
    base_url: str | None = None,
    fallbacks: Sequence[str] = (),
    timeout_s: float = 60.0,
    attempts: int = 4,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    price_usd_per_million: tuple[float, float] | None = None,
    grammar_field: str | None = None,
    adapter: str | None = None,
    context_tokens: int = 4096,
    threads: int | None = None,
    record: str | Path | None = None,
    budget: Budget | None = None,
) -> LanguageModel:
    """Open a language model by name.

    =====================  ==========================================================  ============
    ``spec``               what answers                                                needs
    =====================  ==========================================================  ============
    ``openai:NAME``        OpenAI, or any server with its chat completions interface   ``[llm]``
                           at ``base_url`` (Ollama, vLLM, llama-server, ...)
    ``anthropic:NAME``     Anthropic messages                                          ``[llm]``
    ``local:PATH``         a GGUF file in this process, through llama.cpp              ``[local]``
    ``replay:FILE``        the answers that ``record`` wrote; a miss is an error
    =====================  ==========================================================  ============

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
        attempts: Times a request is sent at most when an endpoint is down, slow, rate-limited or
            broken; between them it waits with exponential back-off and honours ``Retry-After``.
            No attempt begins after 1.5 times ``timeout_s``.
        max_calls: Budget of calls for this model and its fallbacks together; failed attempts count.
        max_tokens: Budget of tokens, read and written.
        price_usd_per_million: Price of a million tokens read and written, USD. Without it costs
            are reported as unknown: a built-in table of prices would be stale at once.
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
        budget = Budget(max_calls=max_calls, max_tokens=max_tokens)
    elif max_calls is not None or max_tokens is not None:
        raise ConfigurationError("give either a budget or max_calls and max_tokens, not both")
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
            opened.append(Budgeted(local, budget))
            continue
        from embodied.language.models.endpoint import EndpointModel

        endpoint = EndpointModel(
            kind,
            rest,
            base_url=base_url if each == spec else None,
            timeout_s=timeout_s,
            price_usd_per_million=price_usd_per_million,
            grammar_field=grammar_field,
        )
        asked = Budgeted(endpoint, budget)
        opened.append(Retrying(asked, attempts=attempts, longest_total_s=1.5 * timeout_s))
    model = opened[0] if len(opened) == 1 else FallbackModel(opened)
    return Recording(model, record) if record is not None else model
