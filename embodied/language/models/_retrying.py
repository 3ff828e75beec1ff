"""Bounded retries with exponential back-off, jitter and respect for ``Retry-After``."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from embodied.errors import ModelError
from embodied.language.models._wrapping import Wrapper
from embodied.protocols import LanguageModel, Request, Response


class TransientModelError(ModelError):
    """An endpoint failed in a way that may pass: down, overloaded, rate-limited, broken answer.

    Attributes:
        retry_after_s: How long the endpoint asked to be left alone, seconds; None if it did not.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Retrying(Wrapper):
    """Asks again when an endpoint is down, rate-limited or answers with garbage.

    Not when it is slow: the first answer may still be on its way, and be paid for.

    The k-th pause is uniform in [0.5, 1] x min(``longest_pause_s``, ``first_pause_s`` 2^k), or what
    the endpoint asked for in ``Retry-After`` if that is longer. An endpoint that asks for more
    than ``longest_retry_after_s`` is not waited for, and no attempt begins once
    ``longest_total_s`` have passed.

    Args:
        model: The model.
        attempts: Times a request is sent at most, at least 1.
        first_pause_s: Scale of the first pause.
        longest_pause_s: Longest pause of our own.
        longest_retry_after_s: Longest pause on the endpoint's request.
        longest_total_s: Time since the first attempt after which there is no further one.
        sleep: Waits; tests pass a list's ``append``.
        rng: Source of the jitter.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        attempts: int = 4,
        first_pause_s: float = 0.5,
        longest_pause_s: float = 20.0,
        longest_retry_after_s: float = 60.0,
        longest_total_s: float = math.inf,
        sleep: Callable[[float], object] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        if attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {attempts}")
        super().__init__(model)
        self._attempts = attempts
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._longest_retry_after_s = longest_retry_after_s
        self._longest_total_s = longest_total_s
        self._sleep = sleep
        self._rng = rng or random.Random()

    def complete(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ModelTimeoutError: An attempt was too slow.
            ModelError: The last of all attempts failed; the message counts them.
        """
        attempt = 0
        started = time.monotonic()
        while True:
            try:
                return self._model.complete(request)
            except TransientModelError as error:
                attempt += 1
                asked = error.retry_after_s
                too_long = asked is not None and asked > self._longest_retry_after_s
                spent = time.monotonic() - started >= self._longest_total_s
                if attempt >= self._attempts or too_long or spent:
                    raise self._given_up(error, attempt, asked if too_long else None) from None
                self._sleep(self._pause_s(attempt - 1, asked))

    def _pause_s(self, k: int, asked_s: float | None) -> float:
        own = min(self._longest_pause_s, self._first_pause_s * 2.0**k)
        own *= self._rng.uniform(0.5, 1.0)
        return own if asked_s is None else max(own, asked_s)

    def _given_up(self, error: ModelError, attempts: int, asked_s: float | None) -> ModelError:
        times = "once" if attempts == 1 else f"{attempts} times"
        text = f"{error} (asked {times}"
        if asked_s is not None:
            text += f"; it wants to be left alone for {asked_s:.0f} s"
        return ModelError(text + ")")
