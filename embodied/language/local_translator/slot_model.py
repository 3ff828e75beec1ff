"""The narrow model in this process: a bare prompt in, slots out, each token under a grammar."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from embodied.errors import ModelError
from embodied.language.local_translator.answer import Answer
from embodied.language.models.local import LocalModel

MAX_TOKENS = 192
CONTEXT_TOKENS = 1024


class SlotModel(LocalModel):
    """Base weights and adapter, asked without a chat template.

    Args:
        base: GGUF file of the base model.
        adapter: GGUF file of the adapter.
        threads: CPU threads.

    Raises:
        ConfigurationError: A file is missing or is not GGUF.
        EnvironmentMissingError: ``xllamacpp`` is not installed.
        ModelError: llama.cpp cannot load it.
    """

    def __init__(self, base: Path, adapter: Path, *, threads: int | None = None) -> None:
        super().__init__(base, adapter=adapter, context_tokens=CONTEXT_TOKENS, threads=threads)

    def answer(
        self, prompt: str, grammar: str, *, temperature: float = 0.0, seed: int = 0
    ) -> Answer:
        """Continue ``prompt`` under ``grammar`` (GBNF).

        Raises:
            ModelError: Refused (prompt too long, malformed grammar) or closed.
        """
        if self._server is None:
            raise ModelError(f"{self.name} is closed")
        body: dict[str, Any] = {
            "prompt": prompt,
            "max_tokens": MAX_TOKENS,
            "temperature": temperature,
            "seed": seed,
            "grammar": grammar,
            "logprobs": 1,
            "cache_prompt": True,
        }
        if temperature > 0:
            body |= {"top_k": 0, "top_p": 1.0, "min_p": 0.0}
        with self._turn:
            start = time.perf_counter()
            result = self._server.handle_completions(body)
            latency_s = time.perf_counter() - start
        if "error" in result:
            raise ModelError(f"{self.name}: {result['error'].get('message', result['error'])}")
        choice = result["choices"][0]
        usage = result["usage"]
        tokens = (choice.get("logprobs") or {}).get("content") or ()
        return Answer(
            slots=str(choice["text"]).strip(),
            confidence=math.exp(sum(float(t["logprob"]) for t in tokens)),
            complete=choice.get("finish_reason") == "stop",
            latency_s=latency_s,
            input_tokens=int(usage["prompt_tokens"]),
            cached_tokens=int((usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)),
            output_tokens=int(usage["completion_tokens"]),
        )
