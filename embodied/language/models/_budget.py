"""Budgets: how many calls and tokens may be spent, and how many were."""

from __future__ import annotations

import threading
from dataclasses import replace

from embodied.errors import BudgetExceededError
from embodied.language.models._wrapping import Wrapper
from embodied.protocols import LanguageModel, Request, Response, Usage


class Budget:
    """An account that one or several models draw from; safe to share between threads.

    Args:
        max_calls: Calls that may be started, failed ones included; None for no limit.
        max_tokens: Tokens that may be read and written together; None for no limit. An answer is
            never allowed to be longer than what is left, so only the prompt of the last call can
            exceed the limit.
        max_cost_usd: What answered calls may cost before no other is started, where their price is
            known; None for no limit.
    """

    def __init__(
        self,
        *,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        max_cost_usd: float | None = None,
    ) -> None:
        limits = {"max_calls": max_calls, "max_tokens": max_tokens, "max_cost_usd": max_cost_usd}
        for name, value in limits.items():
            if value is not None and value < 0:
                raise ValueError(f"{name} must not be negative, got {value}")
        self.max_calls = max_calls
        self.max_tokens = max_tokens
        self.max_cost_usd = max_cost_usd
        self._lock = threading.Lock()
        self._started = 0
        self._spent = Usage()

    @property
    def spent(self) -> Usage:
        """What answered calls have cost so far."""
        return self._spent

    @property
    def started(self) -> int:
        """Calls started so far, failed ones included."""
        return self._started

    @property
    def tokens_left(self) -> int | None:
        """Tokens that may still be spent; None without a limit."""
        if self.max_tokens is None:
            return None
        return max(0, self.max_tokens - self._spent.input_tokens - self._spent.output_tokens)

    def start(self) -> None:
        """Account for a call about to be made.

        Raises:
            BudgetExceededError: No call, no token or no money is left.
        """
        with self._lock:
            if self.max_calls is not None and self._started >= self.max_calls:
                raise BudgetExceededError(
                    f"the budget of {self.max_calls} model calls is spent; allow more with "
                    "--max-calls"
                )
            if self.tokens_left == 0:
                raise BudgetExceededError(
                    f"the budget of {self.max_tokens} tokens is spent "
                    f"({self._spent.input_tokens} read, {self._spent.output_tokens} written); "
                    "allow more with --max-tokens"
                )
            spent = self._spent.cost_usd
            if self.max_cost_usd is not None and spent is not None and spent >= self.max_cost_usd:
                raise BudgetExceededError(
                    f"the budget of {self.max_cost_usd:g} USD is spent ({spent:.6f} USD); allow "
                    "more with --max-cost"
                )
            self._started += 1

    def add(self, usage: Usage) -> None:
        """Account for an answer."""
        with self._lock:
            self._spent = self._spent + usage


class Budgeted(Wrapper):
    """A model that stops when its budget is spent."""

    def __init__(self, model: LanguageModel, budget: Budget) -> None:
        super().__init__(model)
        self.budget = budget

    def complete(self, request: Request) -> Response:
        """Answer one request; raises BudgetExceededError instead when nothing is left."""
        self.budget.start()
        left = self.budget.tokens_left
        if left is not None and left < request.max_tokens:
            request = replace(request, max_tokens=left)
        response = self._model.complete(request)
        self.budget.add(response.usage)
        return response
