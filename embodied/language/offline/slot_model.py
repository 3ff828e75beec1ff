"""The narrow model in this process: a bare prompt in, slots out, each token under a grammar."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from embodied.errors import ModelError
from embodied.language.models.local import LocalModel
from embodied.language.offline.answer import Answer, Step, Token

MAX_TOKENS = 192
CONTEXT_TOKENS = 1024
ALTERNATIVES = 12
"""Tokens told about at each place of an answer: how far a search can look aside."""


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
        self,
        prompt: str,
        grammar: str,
        *,
        written: Sequence[int] = (),
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Answer:
        """Continue ``prompt`` under ``grammar`` (GBNF).

        Args:
            prompt: What is there and what was said.
            grammar: What may be written.
            written: Tokens of the answer that are given; the grammar is that of what follows.
            temperature: Of the sampling; 0 takes the likeliest legal token each time.
            seed: Of the sampling.

        Raises:
            ModelError: Refused (prompt too long, malformed grammar) or closed.
        """
        if self._server is None:
            raise ModelError(f"{self.name} is closed")
        body: dict[str, Any] = {
            "prompt": [prompt, *written] if written else prompt,
            "max_tokens": MAX_TOKENS,
            "temperature": temperature,
            "seed": seed,
            "grammar": grammar,
            "logprobs": ALTERNATIVES,
            # Kept of another sentence, a prompt is computed in other batches, with other last
            # digits: only an answer that is gone on with may use what its beginning left.
            "cache_prompt": bool(written) or temperature > 0,
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
        content = (choice.get("logprobs") or {}).get("content") or ()
        steps = tuple(
            Step(_token(t), tuple(_token(o) for o in t["top_logprobs"] if o["id"] != t["id"]))
            for t in content
        )
        return Answer(
            slots=str(choice["text"]).strip(),
            confidence=math.exp(sum(s.token.log_probability for s in steps)),
            complete=choice.get("finish_reason") == "stop",
            latency_s=latency_s,
            input_tokens=int(usage["prompt_tokens"]),
            cached_tokens=int((usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)),
            output_tokens=int(usage["completion_tokens"]),
            steps=steps,
        )


def _token(data: Mapping[str, Any]) -> Token:
    return Token(int(data["id"]), str(data["token"]), float(data["logprob"]))
