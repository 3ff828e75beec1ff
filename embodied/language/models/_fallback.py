"""A cascade: ask the next model when one cannot answer."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.errors import BudgetExceededError, ModelError
from embodied.language.models._wrapping import close_model
from embodied.protocols import LanguageModel, Request, Response


class FallbackModel:
    """Asks models in turn until one answers; the response names the one that did.

    A spent budget ends the cascade: it is the user's limit, not the model's failure.

    Args:
        models: At least one model, in order of preference.
    """

    def __init__(self, models: Sequence[LanguageModel]) -> None:
        if not models:
            raise ValueError("a cascade needs at least one model")
        self._models = tuple(models)

    @property
    def name(self) -> str:
        """The names in order, e.g. ``"openai:gpt-5 > local:m.gguf"``."""
        return " > ".join(model.name for model in self._models)

    def complete(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ModelError: None of the models answered; the message says why for each.
        """
        failures: list[str] = []
        for model in self._models:
            try:
                return model.complete(request)
            except BudgetExceededError:
                raise
            except ModelError as error:
                failures.append(f"{model.name}: {error}")
        raise ModelError("no model answered: " + "; ".join(failures))

    def close(self) -> None:
        """Release all models."""
        for model in self._models:
            close_model(model)
