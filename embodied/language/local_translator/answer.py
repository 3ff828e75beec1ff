"""What the narrow model wrote; known without the package that runs it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model wrote.

    Attributes:
        slots: The text, without the space in front.
        confidence: Probability of the whole answer under the model, before the grammar.
        complete: False when it was cut off at the longest length.
        latency_s: Wall time.
        input_tokens: Tokens of the prompt.
        cached_tokens: Those of them that were not read again.
        output_tokens: Tokens of the answer.
    """

    slots: str
    confidence: float
    complete: bool
    latency_s: float
    input_tokens: int
    cached_tokens: int
    output_tokens: int
