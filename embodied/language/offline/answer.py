"""What the offline model wrote; importable without the package that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text as the model writes it.

    Attributes:
        id: Its number in the model's vocabulary.
        text: What it says; ``""`` for the end of an answer.
        log_probability: Under the model after what stands before, before the grammar.
    """

    id: int
    text: str
    log_probability: float


@dataclass(frozen=True, slots=True)
class Step:
    """One token of an answer.

    Attributes:
        token: What was written.
        others: The likeliest tokens that could have been written instead, legal or not.
    """

    token: Token
    others: tuple[Token, ...] = ()


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
        steps: The tokens one by one, the end included; empty where they are not known.
    """

    slots: str
    confidence: float
    complete: bool
    latency_s: float
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    steps: tuple[Step, ...] = ()


class AnswersSlots(Protocol):
    """What translators need of a model."""

    def answer(self, prompt: str, grammar: str, *, written: Sequence[int] = ()) -> Answer:
        """Continue a prompt, and the tokens of an answer's beginning, under a grammar."""
        ...
